//! DEALER (RFC 28 §DEALER): sends to its peers in turn, receives from them in turn, and leaves messages unchanged.
//! CLIENT (RFC 41) is a DEALER of single frames.

use zeroxide_zmtp::{Frame, Message};

use super::probe::probe;
use crate::fair_queue::FairQueue;
use crate::load_balancer::LoadBalancer;
use crate::{Origin, Pattern, PatternOptions, PipeId, Pipes, Refusal};

/// DEALER.
#[derive(Debug, Default)]
pub(crate) struct Dealer {
    out: LoadBalancer,
    input: FairQueue,
    probes: bool,
}

impl Dealer {
    /// Creates a CLIENT.
    pub(crate) fn client() -> Dealer {
        Dealer { input: FairQueue::of_single_frames(), ..Dealer::default() }
    }
}

impl Pattern for Dealer {
    fn configure(&mut self, options: &PatternOptions) {
        self.probes = options.probe_router;
    }

    fn attached<P: Pipes>(&mut self, pipe: PipeId, _: &Origin, pipes: &mut P) -> Result<(), Refusal> {
        if self.probes {
            probe(pipe, pipes);
        }
        self.out.attach(pipe);
        self.input.attach(pipe);
        Ok(())
    }

    fn detached<P: Pipes>(&mut self, pipe: PipeId, _: &mut P) {
        self.out.detach(pipe);
        self.input.detach(pipe);
    }

    #[inline]
    fn readable<P: Pipes>(&mut self, pipe: PipeId, _: &mut P) {
        self.input.readable(pipe);
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
        self.out.has_out(pipes)
    }
}

#[cfg(test)]
#[path = "dealer_tests.rs"]
mod tests;
