//! DISH (RFC 48): joins groups at every RADIO, and receives from the RADIOs in turn.
//!
//! The socket stores its groups, and sends them to each new RADIO and again after each reconnection. A message of a
//! group that it is not in (any more) is dropped.

use std::collections::BTreeSet;

use bytes::Bytes;
use zeroxide_zmtp::groups::is_group;
use zeroxide_zmtp::{Frame, Message, Traffic};

use crate::fair_queue::FairQueue;
use crate::upstream::Upstream;
use crate::{Origin, Pattern, PipeId, Pipes, Refusal};

/// DISH: receives from groups, sends nothing.
#[derive(Debug)]
pub(crate) struct Dish {
    groups: BTreeSet<Box<[u8]>>,
    radios: Upstream,
    input: FairQueue,
}

impl Dish {
    /// Creates a DISH without groups.
    pub(crate) fn new() -> Dish {
        Dish { groups: BTreeSet::new(), radios: Upstream::default(), input: FairQueue::of_single_frames() }
    }

    fn tell<P: Pipes>(&self, group: &[u8], kind: fn(Frame) -> Traffic, pipes: &mut P) {
        let mut group = Frame::from(group);
        group.share();
        self.radios.hearing().for_each(|radio| pipes.signal(radio, kind(group.clone())));
    }

    /// Sends every group to one RADIO.
    fn tell_all<P: Pipes>(&self, pipe: PipeId, pipes: &mut P) {
        self.groups.iter().for_each(|group| pipes.signal(pipe, Traffic::Join(Frame::from(&group[..]))));
    }
}

impl Pattern for Dish {
    fn attached<P: Pipes>(&mut self, pipe: PipeId, _: &Origin, pipes: &mut P) -> Result<(), Refusal> {
        self.radios.attach(pipe);
        self.input.attach(pipe);
        self.tell_all(pipe, pipes);
        Ok(())
    }

    fn established<P: Pipes>(&mut self, pipe: PipeId, _: &Bytes, pipes: &mut P) {
        if self.radios.connect(pipe) {
            self.tell_all(pipe, pipes);
        }
    }

    fn lost<P: Pipes>(&mut self, pipe: PipeId, _: &mut P) {
        self.radios.lose(pipe);
    }

    fn detached<P: Pipes>(&mut self, pipe: PipeId, _: &mut P) {
        self.radios.detach(pipe);
        self.input.detach(pipe);
    }

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

    fn recv<P: Pipes>(&mut self, pipes: &mut P, into: &mut Message) -> Result<Option<PipeId>, Refusal> {
        let groups = &self.groups;
        Ok(self.input.recv(pipes, into, |_, message| groups.contains(message.group())))
    }

    fn held(&self) -> Vec<PipeId> {
        self.input.held()
    }

    fn has_in<P: Pipes>(&mut self, pipes: &mut P) -> bool {
        let groups = &self.groups;
        self.input.has_in(pipes, |_, message| groups.contains(message.group()))
    }

    fn has_out<P: Pipes>(&mut self, _: &mut P) -> bool {
        false
    }

    fn join<P: Pipes>(&mut self, group: &[u8], pipes: &mut P) -> Result<(), Refusal> {
        if !is_group(group) {
            return Err(Refusal::InvalidGroup);
        }
        if !self.groups.insert(group.into()) {
            return Err(Refusal::Joined);
        }
        self.tell(group, Traffic::Join, pipes);
        Ok(())
    }

    fn leave<P: Pipes>(&mut self, group: &[u8], pipes: &mut P) -> Result<(), Refusal> {
        if !self.groups.remove(group) {
            return Err(Refusal::NotJoined);
        }
        self.tell(group, Traffic::Leave, pipes);
        Ok(())
    }

    fn first_topics(&self, most: usize) -> Vec<Bytes> {
        self.groups.iter().take(most).map(|group| Bytes::copy_from_slice(group)).collect()
    }

    fn topics(&self) -> usize {
        self.groups.len()
    }
}

#[cfg(test)]
#[path = "dish_tests.rs"]
mod tests;
