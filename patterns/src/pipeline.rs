//! PUSH and PULL (RFC 30): distribute work to workers, and collect their results. SCATTER and GATHER (RFC 49) are the
//! same with single frames.

use zeroxide_zmtp::{Frame, Message, Traffic};

use crate::fair_queue::FairQueue;
use crate::load_balancer::LoadBalancer;
use crate::{Origin, Pattern, PipeId, Pipes, Refusal};

/// PUSH: sends to its peers in turn, waits if none has room, receives nothing.
#[derive(Debug, Default)]
pub(crate) struct Push {
    out: LoadBalancer,
}

impl Pattern for Push {
    fn attached<P: Pipes>(&mut self, pipe: PipeId, _: &Origin, _: &mut P) -> Result<(), Refusal> {
        self.out.attach(pipe);
        Ok(())
    }

    fn detached<P: Pipes>(&mut self, pipe: PipeId, _: &mut P) {
        self.out.detach(pipe);
    }

    /// Drops all input, because a PULL sends nothing. Unread input of a peer that is gone would keep its pipe from
    /// being detached.
    fn readable<P: Pipes>(&mut self, pipe: PipeId, pipes: &mut P) {
        while let Some(traffic) = pipes.read(pipe) {
            if let Traffic::Message(message) = traffic {
                pipes.reject(pipe, message);
            }
        }
    }

    fn writable(&mut self, pipe: PipeId) {
        self.out.writable(pipe);
    }

    #[inline]
    fn route<P: Pipes>(&mut self, _: &Frame, pipes: &mut P) -> Result<(), Refusal> {
        self.out.route(pipes)
    }

    #[inline]
    fn commit<P: Pipes>(&mut self, message: &mut Message, pipes: &mut P) {
        self.out.commit(message, pipes);
    }

    fn recv<P: Pipes>(&mut self, _: &mut P, _: &mut Message) -> Result<Option<PipeId>, Refusal> {
        Err(Refusal::NotSupported)
    }

    fn has_in<P: Pipes>(&mut self, _: &mut P) -> bool {
        false
    }

    fn has_out<P: Pipes>(&mut self, pipes: &mut P) -> bool {
        self.out.has_out(pipes)
    }
}

/// PULL: receives from its peers in turn, sends nothing.
#[derive(Debug, Default)]
pub(crate) struct Pull {
    input: FairQueue,
}

impl Pull {
    /// Creates a GATHER.
    pub(crate) fn gather() -> Pull {
        Pull { input: FairQueue::of_single_frames() }
    }
}

impl Pattern for Pull {
    fn attached<P: Pipes>(&mut self, pipe: PipeId, _: &Origin, _: &mut P) -> Result<(), Refusal> {
        self.input.attach(pipe);
        Ok(())
    }

    fn detached<P: Pipes>(&mut self, pipe: PipeId, _: &mut P) {
        self.input.detach(pipe);
    }

    #[inline]
    fn readable<P: Pipes>(&mut self, pipe: PipeId, _: &mut P) {
        self.input.readable(pipe);
    }

    fn writable(&mut self, _: PipeId) {}

    fn route<P: Pipes>(&mut self, _: &Frame, _: &mut P) -> Result<(), Refusal> {
        Err(Refusal::NotSupported)
    }

    fn commit<P: Pipes>(&mut self, message: &mut Message, pipes: &mut P) {
        debug_assert!(false, "route always refuses");
        pipes.discard(std::mem::take(message));
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

    fn has_out<P: Pipes>(&mut self, _: &mut P) -> bool {
        false
    }
}

#[cfg(test)]
#[path = "pipeline_tests.rs"]
mod tests;
