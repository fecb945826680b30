//! Fair queueing: one whole message from each pipe in turn, among those with input (RFC 28 §DEALER, RFC 30 §PULL).
//!
//! Invariant: a pipe is in the ring, or its `read` has given `None` (`readable` brings it back). No peer gets more
//! than one message ahead of another that has input waiting.

use zeroxide_zmtp::{Message, Traffic};

use crate::chosen::drop_message;
use crate::ring::Ring;
use crate::{Cause, PipeId, Pipes};

/// The receiving half of every type that receives messages from several peers.
///
/// `keep` is the type's own rule: it looks at each message once, may rewrite it (an envelope, a routing id), and
/// says whether the application gets it. What it does not keep is counted as [`Cause::Unwanted`].
#[derive(Debug, Default)]
pub(crate) struct FairQueue {
    ring: Ring,
    members: Vec<Member>,
    /// What `has_in` found, kept for `recv`.
    peeked: Option<(PipeId, Message)>,
    /// Messages of several frames are not kept.
    single: bool,
    /// Pipes that have not joined yet. No two have the same `before`.
    behind: Vec<Behind>,
}

/// A pipe that joins when `before` is gone.
#[derive(Debug)]
struct Behind {
    pipe: PipeId,
    before: PipeId,
    /// When it joins, it joins as [`Member::Leaving`].
    leaving: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Member {
    No,
    Yes,
    /// Its input is read to the end, then it is closed.
    Leaving,
}

impl FairQueue {
    /// For a type whose messages have one frame each: others are not kept (libzmq client.cpp and its kin).
    pub(crate) fn of_single_frames() -> FairQueue {
        FairQueue { single: true, ..FairQueue::default() }
    }

    /// A pipe joins; it is asked for input at its next turn.
    pub(crate) fn attach(&mut self, pipe: PipeId) {
        let at = pipe.0 as usize;
        if self.members.len() <= at {
            self.members.resize(at + 1, Member::No);
        }
        self.members[at] = Member::Yes;
        self.ring.join(pipe);
    }

    /// A pipe joins when all that `before` has is read and `before` is gone. It waits for those behind `before`, too.
    pub(crate) fn attach_behind(&mut self, pipe: PipeId, mut before: PipeId) {
        while let Some(last) = self.behind.iter().find(|other| other.before == before) {
            before = last.pipe;
        }
        let waits = self.behind.iter().any(|other| other.pipe == before);
        match waits || self.member(before) != Member::No {
            true => self.behind.push(Behind { pipe, before, leaving: false }),
            false => self.attach(pipe),
        }
    }

    /// `pipe` is gone. The pipe behind it joins now, unless `pipe` was behind another one: then it waits for that one.
    fn advance(&mut self, pipe: PipeId) {
        if self.behind.is_empty() {
            return;
        }
        let own = self.behind.iter().position(|waiting| waiting.pipe == pipe);
        let before = own.map(|at| self.behind.swap_remove(at).before);
        let Some(next) = self.behind.iter().position(|waiting| waiting.before == pipe) else { return };
        if let Some(before) = before {
            self.behind[next].before = before;
            return;
        }
        let next = self.behind.swap_remove(next);
        self.attach(next.pipe);
        if next.leaving {
            self.members[next.pipe.0 as usize] = Member::Leaving;
        }
    }

    /// A pipe is gone and its number forgotten. A message that `has_in` took from it is still delivered.
    pub(crate) fn detach(&mut self, pipe: PipeId) {
        self.ring.leave(pipe);
        if let Some(member) = self.members.get_mut(pipe.0 as usize) {
            *member = Member::No;
        }
        self.advance(pipe);
    }

    /// Input arrived; ignored for a pipe that is no member.
    #[inline]
    pub(crate) fn readable(&mut self, pipe: PipeId) {
        if self.member(pipe) != Member::No {
            self.ring.join(pipe);
        }
    }

    /// Reads the input that `pipe` has now to its end, in its turns, and closes it then.
    pub(crate) fn drain_and_close<P: Pipes>(&mut self, pipe: PipeId, pipes: &mut P) {
        if let Some(waiting) = self.behind.iter_mut().find(|waiting| waiting.pipe == pipe) {
            waiting.leaving = true;
        } else if self.ring.contains(pipe) {
            self.members[pipe.0 as usize] = Member::Leaving;
        } else {
            self.close(pipe, pipes);
        }
    }

    /// All that there was of a leaving pipe is read.
    fn close<P: Pipes>(&mut self, pipe: PipeId, pipes: &mut P) {
        if let Some(member) = self.members.get_mut(pipe.0 as usize) {
            *member = Member::No;
        }
        pipes.close(pipe);
        self.advance(pipe);
    }

    /// Takes the next message that `keep` accepts.
    #[inline]
    pub(crate) fn recv<P, K>(&mut self, pipes: &mut P, keep: K) -> Option<(PipeId, Message)>
    where
        P: Pipes,
        K: FnMut(PipeId, &mut Message) -> bool,
    {
        if self.peeked.is_some() { self.peeked.take() } else { self.next(pipes, keep) }
    }

    /// Whether `recv` would give a message; `keep` sees it now and not again.
    pub(crate) fn has_in<P, K>(&mut self, pipes: &mut P, keep: K) -> bool
    where
        P: Pipes,
        K: FnMut(PipeId, &mut Message) -> bool,
    {
        if self.peeked.is_none() {
            self.peeked = self.next(pipes, keep);
        }
        self.peeked.is_some()
    }

    /// Throws away all input there is now.
    pub(crate) fn discard_all<P: Pipes>(&mut self, pipes: &mut P) {
        if let Some((_, message)) = self.peeked.take() {
            drop_message(None, Cause::Unwanted, message, pipes);
        }
        let none = self.next(pipes, |_, _| false);
        debug_assert!(none.is_none(), "nothing is kept");
    }

    /// Takes what an earlier `has_in` found, and nothing else.
    pub(crate) fn take_peeked(&mut self) -> Option<(PipeId, Message)> {
        self.peeked.take()
    }

    #[inline]
    fn next<P, K>(&mut self, pipes: &mut P, mut keep: K) -> Option<(PipeId, Message)>
    where
        P: Pipes,
        K: FnMut(PipeId, &mut Message) -> bool,
    {
        while let Some(pipe) = self.ring.turn() {
            match pipes.read(pipe) {
                Some(Traffic::Message(mut message)) => {
                    self.ring.pass(pipe);
                    if (!self.single || message.len() == 1) && keep(pipe, &mut message) {
                        return Some((pipe, message));
                    }
                    drop_message(Some(pipe), Cause::Unwanted, message, pipes);
                }
                // No type that fair-queues publishes; a subscription means nothing to it.
                Some(_) => {}
                None => self.emptied(pipe, pipes),
            }
        }
        None
    }

    fn emptied<P: Pipes>(&mut self, pipe: PipeId, pipes: &mut P) {
        self.ring.leave(pipe);
        if self.member(pipe) == Member::Leaving {
            self.close(pipe, pipes);
        }
    }

    fn member(&self, pipe: PipeId) -> Member {
        self.members.get(pipe.0 as usize).copied().unwrap_or(Member::No)
    }
}
