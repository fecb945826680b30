//! SERVER (RFC 41) and PEER (RFC 51): messages of one frame, to and from peers that are known by a number.
//!
//! The number is given when a pipe joins and travels beside the message, not in it. It is never 0, and belongs to one
//! pipe: a client that comes again is another.

use std::collections::BTreeMap;

use zeroxide_zmtp::{Frame, Message};

use crate::chosen::Chosen;
use crate::fair_queue::FairQueue;
use crate::seeded::Seeded;
use crate::{Credit, Origin, Pattern, PipeId, Pipes, Refusal, RoutingId};

/// SERVER, and PEER, whose pipes come of its own connects as well.
#[derive(Debug)]
pub(crate) struct Server {
    peers: BTreeMap<u32, PipeId>,
    /// By pipe number; 0 for none.
    numbers: Vec<u32>,
    next: u32,
    /// Whom the next message goes to.
    to: u32,
    input: FairQueue,
    chosen: Chosen,
}

impl Server {
    /// A SERVER without peers. The first number is not for a peer to guess.
    pub(crate) fn new(seed: u64) -> Server {
        Server {
            peers: BTreeMap::new(),
            numbers: Vec::new(),
            next: Seeded::new(seed).number(0x5e6),
            to: 0,
            input: FairQueue::of_single_frames(),
            chosen: Chosen::Nothing,
        }
    }

    fn name(&mut self, pipe: PipeId) {
        while self.next == 0 || self.peers.contains_key(&self.next) {
            self.next = self.next.wrapping_add(1);
        }
        let at = pipe.0 as usize;
        if self.numbers.len() <= at {
            self.numbers.resize(at + 1, 0);
        }
        self.numbers[at] = self.next;
        self.peers.insert(self.next, pipe);
        self.next = self.next.wrapping_add(1);
    }
}

fn unroutable(number: u32) -> Refusal {
    Refusal::Unroutable(Box::new(RoutingId::as_written(&number.to_be_bytes())))
}

/// Writes the sender's number on a message.
fn sign(numbers: &[u32], pipe: PipeId, message: &mut Message) -> bool {
    let number = numbers.get(pipe.0 as usize).copied().unwrap_or_default();
    *message = std::mem::take(message).with_routing_id(number);
    true
}

impl Pattern for Server {
    fn attached<P: Pipes>(&mut self, pipe: PipeId, _: &Origin, _: &mut P) -> Result<(), Refusal> {
        self.name(pipe);
        self.input.attach(pipe);
        Ok(())
    }

    fn detached<P: Pipes>(&mut self, pipe: PipeId, _: &mut P) {
        if let Some(number) = self.numbers.get_mut(pipe.0 as usize) {
            self.peers.remove(number);
            *number = 0;
        }
        self.input.detach(pipe);
        self.chosen.forget(pipe);
    }

    fn readable<P: Pipes>(&mut self, pipe: PipeId, _: &mut P) {
        self.input.readable(pipe);
    }

    fn writable(&mut self, _: PipeId) {}

    fn address(&mut self, number: u32) {
        self.to = number;
    }

    fn number(&self, pipe: PipeId) -> u32 {
        self.numbers.get(pipe.0 as usize).copied().unwrap_or_default()
    }

    fn disconnect<P: Pipes>(&mut self, number: u32, pipes: &mut P) -> Result<(), Refusal> {
        let pipe = self.peers.get(&number).ok_or_else(|| unroutable(number))?;
        pipes.close(*pipe);
        Ok(())
    }

    fn route<P: Pipes>(&mut self, _: &Frame, pipes: &mut P) -> Result<(), Refusal> {
        let Some(&pipe) = self.peers.get(&self.to) else { return Err(unroutable(self.to)) };
        self.chosen = match pipes.reserve(pipe) {
            Credit::Granted => Chosen::Pipe(pipe),
            Credit::Full | Credit::AfterDrive => return Err(Refusal::Full { pipes: 1 }),
            Credit::Gone => return Err(unroutable(self.to)),
        };
        Ok(())
    }

    /// The number means something to this socket only, and ends here.
    fn commit<P: Pipes>(&mut self, message: Message, pipes: &mut P) {
        self.chosen.commit(message.with_routing_id(0), pipes);
    }

    fn rollback<P: Pipes>(&mut self, pipes: &mut P) {
        self.chosen.rollback(pipes);
    }

    fn recv<P: Pipes>(&mut self, pipes: &mut P) -> Result<Option<(PipeId, Message)>, Refusal> {
        let numbers = &self.numbers;
        Ok(self.input.recv(pipes, |pipe, message| sign(numbers, pipe, message)))
    }

    fn has_in<P: Pipes>(&mut self, pipes: &mut P) -> bool {
        let numbers = &self.numbers;
        self.input.has_in(pipes, |pipe, message| sign(numbers, pipe, message))
    }

    /// Whether there is room shows with the addressee only (libzmq server.cpp).
    fn has_out<P: Pipes>(&mut self, _: &mut P) -> bool {
        true
    }
}

#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
