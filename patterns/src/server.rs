//! SERVER (RFC 41) and PEER (RFC 51): messages of one frame, to and from peers that have numbers.
//!
//! A pipe gets its number when it joins. The number is a property of a message, not a part of it. It is never 0, and
//! belongs to one pipe: a client that reconnects gets another.

use std::collections::BTreeMap;

use zeroxide_zmtp::{Frame, Message};

use crate::by_pipe::ByPipe;
use crate::chosen::Chosen;
use crate::fair_queue::FairQueue;
use crate::seeded::Seeded;
use crate::{Credit, Origin, Pattern, PipeId, Pipes, Refusal, RoutingId};

/// SERVER, and PEER, which also has pipes from its own connects.
#[derive(Debug)]
pub(crate) struct Server {
    peers: BTreeMap<u32, PipeId>,
    /// By pipe number; 0 for none.
    numbers: ByPipe<u32>,
    next: u32,
    /// The number of the peer that gets the next message.
    to: u32,
    input: FairQueue,
    chosen: Chosen,
}

impl Server {
    /// Creates a SERVER without peers. A peer cannot guess the first number.
    pub(crate) fn new(seed: u64) -> Server {
        Server {
            peers: BTreeMap::new(),
            numbers: ByPipe::new(),
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
        *self.numbers.entry(pipe) = self.next;
        self.peers.insert(self.next, pipe);
        self.next = self.next.wrapping_add(1);
    }
}

fn unroutable(number: u32) -> Refusal {
    Refusal::Unroutable(Box::new(RoutingId::as_written(&number.to_be_bytes())))
}

/// Sets the sender's number on a message.
fn sign(numbers: &ByPipe<u32>, pipe: PipeId, message: &mut Message) -> bool {
    let number = numbers.get(pipe).copied().unwrap_or_default();
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
        if let Some(number) = self.numbers.get_mut(pipe) {
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
        self.numbers.get(pipe).copied().unwrap_or_default()
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

    /// Removes the number, which has a meaning in this socket only.
    fn commit<P: Pipes>(&mut self, message: &mut Message, pipes: &mut P) {
        *message = std::mem::take(message).with_routing_id(0);
        self.chosen.commit(message, pipes);
    }

    fn recv<P: Pipes>(&mut self, pipes: &mut P, into: &mut Message) -> Result<Option<PipeId>, Refusal> {
        let numbers = &self.numbers;
        Ok(self.input.recv(pipes, into, |pipe, message| sign(numbers, pipe, message)))
    }

    fn held(&self) -> Vec<PipeId> {
        self.input.held()
    }

    fn has_in<P: Pipes>(&mut self, pipes: &mut P) -> bool {
        let numbers = &self.numbers;
        self.input.has_in(pipes, |pipe, message| sign(numbers, pipe, message))
    }

    /// Returns `true`: whether there is room depends on the addressee (libzmq server.cpp).
    fn has_out<P: Pipes>(&mut self, _: &mut P) -> bool {
        true
    }
}

#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
