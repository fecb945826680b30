//! REP (RFC 28 §REP): receives one request, then sends one reply to the peer that sent it.
//!
//! The envelope of a request (its frames up to and including the first empty one) is kept with its pipe, and put before
//! the reply. Nothing else of a request is kept when the next one is received.

use zeroxide_zmtp::{Frame, Message};

use crate::chosen::Chosen;
use crate::fair_queue::FairQueue;
use crate::{Cause, Credit, Origin, Pattern, PipeId, Pipes, Refusal};

/// REP.
#[derive(Debug, Default)]
pub(crate) struct Rep {
    input: FairQueue,
    /// Where the due reply goes, if one is due.
    due: ReturnAddress,
    is_due: bool,
    /// The same for the request that `recv` returns next, once it was read.
    next: ReturnAddress,
    chosen: Chosen,
}

/// Where a reply goes. Its buffer is used for all requests.
#[derive(Debug, Default)]
struct ReturnAddress {
    /// `None`: the requester is gone.
    pipe: Option<PipeId>,
    envelope: Vec<Frame>,
}

impl ReturnAddress {
    /// Removes the envelope from a request. Returns `false` and leaves the message unchanged if there is none: no empty
    /// frame, or nothing after it (libzmq rep.cpp, "malformed").
    fn take_from(&mut self, pipe: PipeId, message: &mut Message) -> bool {
        let delimiter = message.iter().position(|frame| frame.is_empty());
        let Some(delimiter) = delimiter.filter(|at| at.saturating_add(1) < message.len()) else {
            return false;
        };
        self.pipe = Some(pipe);
        self.envelope.clear();
        self.envelope.extend((0..=delimiter).filter_map(|_| message.pop_front()));
        true
    }

    fn forget(&mut self, pipe: PipeId) {
        if self.pipe == Some(pipe) {
            self.pipe = None;
        }
    }
}

impl Pattern for Rep {
    fn attached<P: Pipes>(&mut self, pipe: PipeId, _: &Origin, _: &mut P) -> Result<(), Refusal> {
        self.input.attach(pipe);
        Ok(())
    }

    fn detached<P: Pipes>(&mut self, pipe: PipeId, _: &mut P) {
        self.input.detach(pipe);
        self.due.forget(pipe);
        self.next.forget(pipe);
        self.chosen.forget(pipe);
    }

    fn readable<P: Pipes>(&mut self, pipe: PipeId, _: &mut P) {
        self.input.readable(pipe);
    }

    fn writable(&mut self, _: PipeId) {}

    /// Never refuses a reply because of the requester. If the requester is gone or full, the reply is dropped and
    /// counted (RFC 28: "SHALL silently discard the reply").
    fn route<P: Pipes>(&mut self, _: &Frame, pipes: &mut P) -> Result<(), Refusal> {
        if !self.is_due {
            return Err(Refusal::WrongState);
        }
        debug_assert!(!self.chosen.is_some(), "one message at a time");
        self.chosen = match self.due.pipe.map(|pipe| (pipe, pipes.reserve(pipe))) {
            None => Chosen::Drop(None, Cause::PeerLost),
            Some((pipe, Credit::Granted)) => Chosen::Pipe(pipe),
            Some((pipe, Credit::Full)) => Chosen::Drop(Some(pipe), Cause::Hwm),
            Some((pipe, Credit::Gone)) => Chosen::Drop(Some(pipe), Cause::PeerLost),
            Some((_, Credit::AfterDrive)) => return Err(Refusal::Full { pipes: 1 }),
        };
        Ok(())
    }

    fn commit<P: Pipes>(&mut self, message: &mut Message, pipes: &mut P) {
        while let Some(frame) = self.due.envelope.pop() {
            message.push_front(frame);
        }
        self.is_due = false;
        pipes.changed();
        self.chosen.commit(message, pipes);
    }

    fn recv<P: Pipes>(&mut self, pipes: &mut P, into: &mut Message) -> Result<Option<PipeId>, Refusal> {
        if self.is_due {
            return Err(Refusal::WrongState);
        }
        let next = &mut self.next;
        let request = self.input.recv(pipes, into, |pipe, message| next.take_from(pipe, message));
        if request.is_some() {
            self.is_due = true;
            pipes.changed();
            std::mem::swap(&mut self.due, &mut self.next);
        }
        Ok(request)
    }

    fn may_send(&self) -> Option<bool> {
        Some(self.is_due)
    }

    fn held(&self) -> Vec<PipeId> {
        self.input.held()
    }

    fn has_in<P: Pipes>(&mut self, pipes: &mut P) -> bool {
        let next = &mut self.next;
        !self.is_due && self.input.has_in(pipes, |pipe, message| next.take_from(pipe, message))
    }

    fn has_out<P: Pipes>(&mut self, _: &mut P) -> bool {
        self.is_due
    }

    fn drops_when_full(&self) -> bool {
        true
    }
}

#[cfg(test)]
#[path = "rep_tests.rs"]
mod tests;
