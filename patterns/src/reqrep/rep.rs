//! REP (RFC 28 §REP): takes one request, then gives one reply to whoever sent it.
//!
//! The envelope of a request (its frames up to and including the first empty one) is kept with the pipe it came
//! from and put in front of the reply. Nothing else remains of one request when the next is taken.

use zeroxide_zmtp::{Frame, Message};

use crate::chosen::Chosen;
use crate::fair_queue::FairQueue;
use crate::{Cause, Credit, Origin, Pattern, PipeId, Pipes, Refusal};

/// REP.
#[derive(Debug, Default)]
pub(crate) struct Rep {
    input: FairQueue,
    /// Whom the reply is due to, if one is due.
    due: ReturnAddress,
    is_due: bool,
    /// The same of the request that `recv` will give next, once it was looked at.
    next: ReturnAddress,
    chosen: Chosen,
}

/// Where a reply goes. Its buffer is used again from request to request.
#[derive(Debug, Default)]
struct ReturnAddress {
    /// `None`: the requester is gone.
    pipe: Option<PipeId>,
    envelope: Vec<Frame>,
}

impl ReturnAddress {
    /// Takes the envelope off a request. `false`, and the message is untouched, when it has none: no empty frame,
    /// or nothing behind it (libzmq rep.cpp, "malformed").
    fn take_from(&mut self, pipe: PipeId, message: &mut Message) -> bool {
        let delimiter = message.iter().position(|frame| frame.is_empty());
        let Some(delimiter) = delimiter.filter(|at| at + 1 < message.len()) else { return false };
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

    /// A reply is never refused for the requester's sake: one that is gone or full costs the reply, which is
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

    fn commit<P: Pipes>(&mut self, mut message: Message, pipes: &mut P) {
        while let Some(frame) = self.due.envelope.pop() {
            message.push_front(frame);
        }
        self.is_due = false;
        self.chosen.commit(message, pipes);
    }

    fn rollback<P: Pipes>(&mut self, pipes: &mut P) {
        self.chosen.rollback(pipes);
    }

    fn recv<P: Pipes>(&mut self, pipes: &mut P) -> Result<Option<(PipeId, Message)>, Refusal> {
        if self.is_due {
            return Err(Refusal::WrongState);
        }
        let next = &mut self.next;
        let request = self.input.recv(pipes, |pipe, message| next.take_from(pipe, message));
        if request.is_some() {
            self.is_due = true;
            std::mem::swap(&mut self.due, &mut self.next);
        }
        Ok(request)
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
