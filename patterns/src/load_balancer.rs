//! Load balancing: sends one whole message to each pipe in turn, among those with room (RFC 28 §DEALER, RFC 30 §PUSH:
//! "SHALL consider a peer as available only when it has an outgoing queue that is not full", "round-robin").
//!
//! Invariant: a pipe is in the ring, or is known to be full (`writable` adds it again), or its peer is gone for good.

use zeroxide_zmtp::Message;

use crate::by_pipe::ByPipe;
use crate::chosen::Chosen;
use crate::ring::Ring;
use crate::{Credit, PipeId, Pipes, Refusal};

/// The sending half of PUSH, DEALER and REQ.
#[derive(Debug, Default)]
pub(crate) struct LoadBalancer {
    ring: Ring,
    standing: ByPipe<Standing>,
    full: usize,
    chosen: Chosen,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Standing {
    #[default]
    Unknown,
    InRing,
    Full,
    Gone,
}

impl LoadBalancer {
    /// Adds a pipe, as the last in the rotation.
    pub(crate) fn attach(&mut self, pipe: PipeId) {
        self.set(pipe, Standing::InRing);
        self.ring.join(pipe);
    }

    /// Removes a pipe and its number.
    pub(crate) fn detach(&mut self, pipe: PipeId) {
        self.chosen.forget(pipe);
        self.ring.leave(pipe);
        self.set(pipe, Standing::Unknown);
    }

    /// Takes note that a full pipe has room again.
    pub(crate) fn writable(&mut self, pipe: PipeId) {
        if self.standing.get(pipe) == Some(&Standing::Full) {
            self.set(pipe, Standing::InRing);
            self.ring.join(pipe);
        }
    }

    /// Chooses the next pipe with room and reserves one credit there. Only `commit` passes the turn on.
    #[inline]
    pub(crate) fn route<P: Pipes>(&mut self, pipes: &mut P) -> Result<(), Refusal> {
        debug_assert!(!self.chosen.is_some(), "one message at a time");
        match self.reserve(pipes) {
            Some(pipe) => {
                self.chosen = Chosen::Pipe(pipe);
                Ok(())
            }
            None => Err(self.refusal()),
        }
    }

    /// Moves the message. Returns the pipe that it was written to, or `None` if that pipe was detached since `route`.
    #[inline]
    pub(crate) fn commit<P: Pipes>(&mut self, message: &mut Message, pipes: &mut P) -> Option<PipeId> {
        if let Chosen::Pipe(pipe) = self.chosen {
            self.ring.pass(pipe);
        }
        self.chosen.commit(message, pipes)
    }

    /// Returns whether `route` would find a pipe now (true while a message is being sent).
    pub(crate) fn has_out<P: Pipes>(&mut self, pipes: &mut P) -> bool {
        if self.chosen.is_some() {
            return true;
        }
        let found = self.reserve(pipes);
        if let Some(pipe) = found {
            pipes.release(pipe);
        }
        found.is_some()
    }

    /// Tries each pipe of the ring once, beginning with the one whose turn it is.
    #[inline]
    fn reserve<P: Pipes>(&mut self, pipes: &mut P) -> Option<PipeId> {
        let mut candidate = self.ring.turn()?;
        for _ in 0..self.ring.len() {
            let next = self.ring.after(candidate);
            match pipes.reserve(candidate) {
                Credit::Granted => return Some(candidate),
                Credit::Full => self.leave(candidate, Standing::Full),
                Credit::Gone => self.leave(candidate, Standing::Gone),
                // The pipe stays in the ring: the caller drives its output and tries again.
                Credit::AfterDrive => {}
            }
            candidate = next;
        }
        None
    }

    #[cold]
    fn leave(&mut self, pipe: PipeId, standing: Standing) {
        self.ring.leave(pipe);
        self.set(pipe, standing);
    }

    /// Returns the refusal after an unsuccessful search. All pipes that are left in the ring are full until a drive.
    #[cold]
    fn refusal(&self) -> Refusal {
        match self.full + self.ring.len() {
            0 => Refusal::NoPeer,
            pipes => Refusal::Full { pipes },
        }
    }

    fn set(&mut self, pipe: PipeId, standing: Standing) {
        let before = std::mem::replace(self.standing.entry(pipe), standing);
        self.full -= usize::from(before == Standing::Full);
        self.full += usize::from(standing == Standing::Full);
    }
}
