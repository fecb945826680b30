//! Sends to the peer that the first frame names: the sending half of ROUTER and STREAM.

use zeroxide_zmtp::{Frame, Message};

use crate::chosen::{Chosen, drop_frame};
use crate::routing_ids::RoutingTable;
use crate::{Cause, Credit, PipeId, Pipes, Refusal, RoutingId};

/// The table of names, and the message that is being sent.
#[derive(Debug)]
pub(crate) struct Addressed {
    pub(crate) table: RoutingTable,
    /// Whether a message that cannot be sent is refused; else it is dropped and counted.
    pub(crate) mandatory: bool,
    chosen: Chosen,
}

impl Addressed {
    /// Creates an empty table.
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
            // A closing pipe is treated like none, as in libzmq router.cpp.
            Credit::Gone if self.mandatory => return unroutable(),
            Credit::Gone => Chosen::Drop(Some(pipe), Cause::PeerLost),
        };
        Ok(())
    }

    /// Removes the id and moves the rest. An id without further frames is dropped, as in libzmq, and counted as
    /// [`Cause::Unwanted`]: `route` gets only the first frame and cannot refuse it.
    pub(crate) fn commit<P: Pipes>(&mut self, message: &mut Message, pipes: &mut P) {
        take_id(message, pipes);
        if message.is_empty() {
            self.chosen.refuse(Cause::Unwanted, pipes);
        }
        self.chosen.commit(message, pipes);
    }

    /// Returns the pipe of the message that is being sent.
    pub(crate) fn addressee(&self) -> Option<PipeId> {
        if let Chosen::Pipe(pipe) = self.chosen { Some(pipe) } else { None }
    }

    /// Releases the reservation: no message follows.
    pub(crate) fn release<P: Pipes>(&mut self, pipes: &mut P) {
        self.chosen.release(pipes);
    }

    /// Removes a pipe and its number.
    pub(crate) fn detach(&mut self, pipe: PipeId) {
        self.table.remove(pipe);
        self.chosen.forget(pipe);
    }

    /// Returns `true`, but with MANDATORY only if at least one peer has room.
    pub(crate) fn has_out<P: Pipes>(&mut self, pipes: &mut P) -> bool {
        !self.mandatory || self.chosen.is_some() || self.table.pipes().any(|pipe| has_room(pipe, pipes))
    }
}

/// Removes the id frame.
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
