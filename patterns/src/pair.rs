//! PAIR (RFC 31): one peer, both ways. CHANNEL (RFC 52) is a PAIR of single frames.

use std::collections::VecDeque;

use zeroxide_zmtp::{Frame, Message};

use crate::chosen::Chosen;
use crate::fair_queue::FairQueue;
use crate::waiting;
use crate::{Credit, Origin, Pattern, PipeId, Pipes, Refusal};

/// PAIR. The first pipe is that of the peer until it is detached. Every further pipe waits for the place. A waiting
/// pipe is not read, and is written to only if the peers of all pipes before it are gone.
#[derive(Debug, Default)]
pub(crate) struct Pair {
    pipe: Option<PipeId>,
    waiting: VecDeque<PipeId>,
    input: FairQueue,
    chosen: Chosen,
}

impl Pair {
    /// Creates a CHANNEL.
    pub(crate) fn channel() -> Pair {
        Pair { input: FairQueue::of_single_frames(), ..Pair::default() }
    }

    /// Gives the place to a pipe.
    fn take(&mut self, pipe: PipeId) {
        self.pipe = Some(pipe);
        self.input.attach(pipe);
    }

    /// Returns the pipe that has the place, then those that wait for it.
    fn line(&self) -> impl Iterator<Item = PipeId> {
        self.pipe.iter().chain(&self.waiting).copied()
    }

    #[inline]
    fn reserve<P: Pipes>(&self, pipes: &mut P) -> Result<PipeId, Refusal> {
        // The pipe of a peer that is gone keeps the place until its input is read. Nothing can be sent to it.
        for pipe in self.line() {
            match pipes.reserve(pipe) {
                Credit::Granted => return Ok(pipe),
                Credit::Full | Credit::AfterDrive => return Err(Refusal::Full { pipes: 1 }),
                Credit::Gone => {}
            }
        }
        Err(Refusal::NoPeer)
    }
}

impl Pattern for Pair {
    fn attached<P: Pipes>(&mut self, pipe: PipeId, _: &Origin, _: &mut P) -> Result<(), Refusal> {
        match self.pipe {
            // libzmq pair.cpp terminates the pipe and leaves the connection stalled.
            Some(_) => self.waiting.push_back(pipe),
            None => self.take(pipe),
        }
        Ok(())
    }

    fn detached<P: Pipes>(&mut self, pipe: PipeId, _: &mut P) {
        self.chosen.forget(pipe);
        if self.pipe == Some(pipe) {
            self.pipe = None;
            self.input.detach(pipe);
            if let Some(next) = self.waiting.pop_front() {
                self.take(next);
            }
        }
        self.waiting.retain(|waiting| *waiting != pipe);
    }

    fn ended<P: Pipes>(&mut self, pipe: PipeId, pipes: &mut P) {
        waiting::ended(pipe, self.waiting.iter().copied(), pipes);
    }

    fn readable<P: Pipes>(&mut self, pipe: PipeId, _: &mut P) {
        self.input.readable(pipe);
    }

    fn writable(&mut self, _: PipeId) {}

    #[inline]
    fn route<P: Pipes>(&mut self, _: &Frame, pipes: &mut P) -> Result<(), Refusal> {
        debug_assert!(!self.chosen.is_some(), "one message at a time");
        self.chosen = Chosen::Pipe(self.reserve(pipes)?);
        Ok(())
    }

    #[inline]
    fn commit<P: Pipes>(&mut self, message: &mut Message, pipes: &mut P) {
        self.chosen.commit(message, pipes);
    }

    fn occupants(&self, _: &[u8]) -> Vec<PipeId> {
        self.line().collect()
    }

    #[inline]
    fn recv<P: Pipes>(&mut self, pipes: &mut P, into: &mut Message) -> Result<Option<PipeId>, Refusal> {
        Ok(self.input.recv(pipes, into, |_, _| true))
    }

    fn held(&self) -> Vec<PipeId> {
        self.input.held()
    }

    fn has_in<P: Pipes>(&mut self, pipes: &mut P) -> bool {
        self.input.has_in(pipes, |_, _| true)
    }

    fn has_out<P: Pipes>(&mut self, pipes: &mut P) -> bool {
        if self.chosen.is_some() {
            return true;
        }
        let found = self.reserve(pipes);
        if let Ok(pipe) = found {
            pipes.release(pipe);
        }
        found.is_ok()
    }
}

#[cfg(test)]
#[path = "pair_tests.rs"]
mod tests;
