//! Sending to the peer that the first frame names: the sending half of ROUTER and STREAM.

use zeroxide_zmtp::{Frame, Message};

use crate::chosen::{Chosen, drop_frame};
use crate::routing_ids::RoutingTable;
use crate::{Cause, Credit, PipeId, Pipes, Refusal, RoutingId};

/// The table of names, and the message under way.
#[derive(Debug)]
pub(crate) struct Addressed {
    pub(crate) table: RoutingTable,
    /// Whether the sender hears of a message that cannot go out (else it is dropped and counted).
    pub(crate) mandatory: bool,
    chosen: Chosen,
}

impl Addressed {
    /// Nobody to send to yet.
    pub(crate) fn new(seed: u64) -> Addressed {
        Addressed { table: RoutingTable::new(seed), mandatory: false, chosen: Chosen::Nothing }
    }

    /// Looks the peer up and reserves one credit there.
    pub(crate) fn route<P: Pipes>(&mut self, id: &Frame, pipes: &mut P) -> Result<(), Refusal> {
        debug_assert!(!self.chosen.is_some(), "one message at a time");
        let unroutable = || Err(Refusal::Unroutable(Box::new(RoutingId::as_written(id))));
        let Some(pipe) = self.table.find(id) else {
            if self.mandatory {
                return unroutable();
            }
            self.chosen = Chosen::Drop(None, Cause::Unroutable);
            return Ok(());
        };
        self.chosen = match pipes.reserve(pipe) {
            Credit::Granted => Chosen::Pipe(pipe),
            Credit::AfterDrive => return Err(Refusal::Full { pipes: 1 }),
            Credit::Full if self.mandatory => return Err(Refusal::Full { pipes: 1 }),
            Credit::Full => Chosen::Drop(Some(pipe), Cause::Hwm),
            // libzmq router.cpp: a pipe that is closing is as good as none.
            Credit::Gone if self.mandatory => return unroutable(),
            Credit::Gone => Chosen::Drop(Some(pipe), Cause::PeerLost),
        };
        Ok(())
    }

    /// Takes the id off and moves the rest. An id with nothing behind it is swallowed, as in libzmq, and counted as
    /// [`Cause::Unwanted`]: `route` saw the id alone and could not know.
    pub(crate) fn commit<P: Pipes>(&mut self, mut message: Message, pipes: &mut P) {
        take_id(&mut message, pipes);
        if message.is_empty() {
            self.chosen.refuse(Cause::Unwanted, pipes);
        }
        self.chosen.commit(message, pipes);
    }

    /// The pipe that the message under way goes to.
    pub(crate) fn addressee(&self) -> Option<PipeId> {
        if let Chosen::Pipe(pipe) = self.chosen { Some(pipe) } else { None }
    }

    /// Undoes `route`.
    pub(crate) fn rollback<P: Pipes>(&mut self, pipes: &mut P) {
        self.chosen.rollback(pipes);
    }

    /// A pipe is gone and its number forgotten.
    pub(crate) fn detach(&mut self, pipe: PipeId) {
        self.table.remove(pipe);
        self.chosen.forget(pipe);
    }

    /// Always, unless MANDATORY: then whether there is room for at least one peer, whichever.
    pub(crate) fn has_out<P: Pipes>(&mut self, pipes: &mut P) -> bool {
        !self.mandatory || self.chosen.is_some() || self.table.pipes().any(|pipe| has_room(pipe, pipes))
    }
}

/// Takes the id frame off.
pub(crate) fn take_id<P: Pipes>(message: &mut Message, pipes: &mut P) {
    if let Some(id) = message.pop_front() {
        drop_frame(id, pipes);
    }
}

fn has_room<P: Pipes>(pipe: PipeId, pipes: &mut P) -> bool {
    let room = pipes.reserve(pipe) == Credit::Granted;
    if room {
        pipes.release(pipe);
    }
    room
}
