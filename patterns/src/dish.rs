//! DISH (RFC 48): joins groups at every RADIO, and receives what they send there in turn.
//!
//! The socket remembers its groups and says them again to each new RADIO, and to each that comes back. What arrives for
//! a group that it is not in (any more) is thrown away.

use std::collections::BTreeSet;

use bytes::Bytes;
use zeroxide_zmtp::groups::is_group;
use zeroxide_zmtp::{Frame, Message, Traffic};

use crate::fair_queue::FairQueue;
use crate::{Origin, Pattern, PipeId, Pipes, Refusal};

/// DISH: receives from groups, sends nothing.
#[derive(Debug)]
pub(crate) struct Dish {
    groups: BTreeSet<Box<[u8]>>,
    /// By pipe number.
    radios: Vec<Tuned>,
    input: FairQueue,
}

/// What a pipe is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tuned {
    /// Nothing: it is not attached.
    No,
    /// Every change.
    Yes,
    /// Nothing until its next connection, which hears everything anew.
    Lost,
}

impl Dish {
    /// A DISH without groups.
    pub(crate) fn new() -> Dish {
        Dish { groups: BTreeSet::new(), radios: Vec::new(), input: FairQueue::of_single_frames() }
    }

    fn set(&mut self, pipe: PipeId, tuned: Tuned) -> Tuned {
        let at = pipe.0 as usize;
        if self.radios.len() <= at {
            self.radios.resize(at + 1, Tuned::No);
        }
        std::mem::replace(&mut self.radios[at], tuned)
    }

    fn tell<P: Pipes>(&self, group: &[u8], kind: fn(Frame) -> Traffic, pipes: &mut P) {
        let mut group = Frame::from(group);
        group.share();
        for (at, _) in self.radios.iter().enumerate().filter(|(_, tuned)| **tuned == Tuned::Yes) {
            pipes.signal(PipeId(at as u32), kind(group.clone())); // pipe numbers are u32
        }
    }

    /// Tells one RADIO every group.
    fn tell_all<P: Pipes>(&self, pipe: PipeId, pipes: &mut P) {
        self.groups.iter().for_each(|group| pipes.signal(pipe, Traffic::Join(Frame::from(&group[..]))));
    }
}

impl Pattern for Dish {
    fn attached<P: Pipes>(&mut self, pipe: PipeId, _: &Origin, pipes: &mut P) -> Result<(), Refusal> {
        self.set(pipe, Tuned::Yes);
        self.input.attach(pipe);
        self.tell_all(pipe, pipes);
        Ok(())
    }

    /// The first connection of a pipe finds the groups queued there since `attached`.
    fn established<P: Pipes>(&mut self, pipe: PipeId, _: &Bytes, pipes: &mut P) {
        if self.set(pipe, Tuned::Yes) == Tuned::Lost {
            self.tell_all(pipe, pipes);
        }
    }

    fn lost<P: Pipes>(&mut self, pipe: PipeId, _: &mut P) {
        self.set(pipe, Tuned::Lost);
    }

    fn detached<P: Pipes>(&mut self, pipe: PipeId, _: &mut P) {
        self.set(pipe, Tuned::No);
        self.input.detach(pipe);
    }

    fn readable<P: Pipes>(&mut self, pipe: PipeId, _: &mut P) {
        self.input.readable(pipe);
    }

    fn writable(&mut self, _: PipeId) {}

    fn route<P: Pipes>(&mut self, _: &Frame, _: &mut P) -> Result<(), Refusal> {
        Err(Refusal::NotSupported)
    }

    fn commit<P: Pipes>(&mut self, message: Message, pipes: &mut P) {
        debug_assert!(false, "route always refuses");
        pipes.discard(message);
    }

    fn rollback<P: Pipes>(&mut self, _: &mut P) {}

    fn recv<P: Pipes>(&mut self, pipes: &mut P) -> Result<Option<(PipeId, Message)>, Refusal> {
        let groups = &self.groups;
        Ok(self.input.recv(pipes, |_, message| groups.contains(message.group())))
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

    fn topics(&self) -> usize {
        self.groups.len()
    }
}

#[cfg(test)]
#[path = "dish_tests.rs"]
mod tests;
