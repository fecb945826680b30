//! Fair queueing: receives one whole message from each pipe in turn, among those with input (RFC 28 §DEALER, RFC 30
//! §PULL).
//!
//! Invariant: a pipe is in the ring, or its `read` has returned `None` (`readable` adds it again). No peer gets more
//! than one message ahead of another that has input waiting.

use zeroxide_zmtp::{Message, Next};

use crate::by_pipe::ByPipe;
use crate::ring::Ring;
use crate::{PipeId, Pipes};

/// The receiving half of every type that receives messages from several peers.
///
/// `keep` is the rule of the socket type. It is called once for each message, may rewrite it (an envelope, a routing
/// id), and returns whether the application gets it. Other messages count as [`Cause::Unwanted`](crate::Cause::Unwanted).
#[derive(Debug, Default)]
pub(crate) struct FairQueue {
    ring: Ring,
    members: ByPipe<Member>,
    /// The message that `has_in` found, kept for `recv`.
    peeked: Option<(PipeId, Message)>,
    /// Messages of several frames are dropped.
    single: bool,
    /// Pipes that wait to join. No two have the same `before`.
    behind: Vec<Behind>,
}

/// A pipe that joins when `before` is gone.
#[derive(Debug)]
struct Behind {
    pipe: PipeId,
    before: PipeId,
    /// Whether it joins as [`Member::Leaving`].
    leaving: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Member {
    #[default]
    No,
    Yes,
    /// Its input is read to the end; then it is closed.
    Leaving,
}

impl FairQueue {
    /// Creates a queue for a type whose messages have one frame each. Others are dropped (as in libzmq client.cpp and
    /// the other types of this kind).
    pub(crate) fn of_single_frames() -> FairQueue {
        FairQueue { single: true, ..FairQueue::default() }
    }

    /// Adds a pipe, which is read at its next turn.
    pub(crate) fn attach(&mut self, pipe: PipeId) {
        *self.members.entry(pipe) = Member::Yes;
        self.ring.join(pipe);
    }

    /// Adds a pipe after `before` is read to its end and gone, and after all pipes that already wait for `before`.
    pub(crate) fn attach_behind(&mut self, pipe: PipeId, mut before: PipeId) {
        while let Some(last) = self.behind.iter().find(|other| other.before == before) {
            before = last.pipe;
        }
        let waits = self.behind.iter().any(|other| other.pipe == before);
        if waits || self.member(before) != Member::No {
            self.behind.push(Behind { pipe, before, leaving: false });
        } else {
            self.attach(pipe);
        }
    }

    /// Removes `pipe` from the order of waiting pipes. The pipe that waits for it joins now. If `pipe` itself waits for
    /// another one, that pipe waits for the other one instead.
    fn advance(&mut self, pipe: PipeId) {
        if self.behind.is_empty() {
            return;
        }
        let own = self.behind.iter().position(|waiting| waiting.pipe == pipe);
        let before = own.map(|at| self.behind.swap_remove(at).before);
        let Some(at) = self.behind.iter().position(|waiting| waiting.before == pipe) else { return };
        let next = self.behind.swap_remove(at);
        if let Some(before) = before {
            self.behind.push(Behind { before, ..next });
            return;
        }
        self.attach(next.pipe);
        if next.leaving {
            *self.members.entry(next.pipe) = Member::Leaving;
        }
    }

    /// Removes a pipe and its number. A message that `has_in` took from it is still delivered.
    pub(crate) fn detach(&mut self, pipe: PipeId) {
        if let Some((from, _)) = self.peeked.as_mut().filter(|(from, _)| *from == pipe) {
            *from = PipeId::GONE;
        }
        self.ring.leave(pipe);
        if let Some(member) = self.members.get_mut(pipe) {
            *member = Member::No;
        }
        self.advance(pipe);
    }

    /// Takes note of input. Does nothing for a pipe that is not a member.
    #[inline]
    pub(crate) fn readable(&mut self, pipe: PipeId) {
        if self.member(pipe) != Member::No {
            self.ring.join(pipe);
        }
    }

    /// Lets the present input of `pipe` be read to its end, in its turns, and closes the pipe then.
    pub(crate) fn drain_and_close<P: Pipes>(&mut self, pipe: PipeId, pipes: &mut P) {
        if let Some(waiting) = self.behind.iter_mut().find(|waiting| waiting.pipe == pipe) {
            waiting.leaving = true;
        } else if self.ring.contains(pipe) {
            *self.members.entry(pipe) = Member::Leaving;
        } else {
            self.close(pipe, pipes);
        }
    }

    /// Closes a leaving pipe whose input is read.
    fn close<P: Pipes>(&mut self, pipe: PipeId, pipes: &mut P) {
        if let Some(member) = self.members.get_mut(pipe) {
            *member = Member::No;
        }
        pipes.close(pipe);
        self.advance(pipe);
    }

    /// Puts the next message that `keep` accepts into `into`. Returns its pipe.
    #[inline]
    pub(crate) fn recv<P, K>(&mut self, pipes: &mut P, into: &mut Message, keep: K) -> Option<PipeId>
    where
        P: Pipes,
        K: FnMut(PipeId, &mut Message) -> bool,
    {
        if self.peeked.is_some() {
            let (pipe, message) = self.peeked.take()?;
            *into = message;
            return Some(pipe);
        }
        self.next(pipes, into, keep)
    }

    /// Returns whether `recv` would return a message. `keep` is called now, and not again by `recv`.
    pub(crate) fn has_in<P, K>(&mut self, pipes: &mut P, keep: K) -> bool
    where
        P: Pipes,
        K: FnMut(PipeId, &mut Message) -> bool,
    {
        if self.peeked.is_none() {
            let mut message = Message::new();
            self.peeked = self.next(pipes, &mut message, keep).map(|pipe| (pipe, message));
        }
        self.peeked.is_some()
    }

    /// Drops all present input.
    pub(crate) fn discard_all<P: Pipes>(&mut self, pipes: &mut P) {
        if let Some((pipe, message)) = self.peeked.take() {
            pipes.reject(pipe, message);
        }
        self.discard_unread(pipes);
    }

    /// Drops all present input but the message that an earlier `has_in` found.
    pub(crate) fn discard_unread<P: Pipes>(&mut self, pipes: &mut P) {
        let none = self.next(pipes, &mut Message::new(), |_, _| false);
        debug_assert!(none.is_none(), "nothing is kept");
    }

    /// Takes only the message that an earlier `has_in` found.
    pub(crate) fn take_peeked(&mut self) -> Option<(PipeId, Message)> {
        self.peeked.take()
    }

    /// Returns the pipe of the message that `has_in` found and `recv` has not taken.
    pub(crate) fn held(&self) -> Vec<PipeId> {
        self.peeked.iter().map(|(pipe, _)| *pipe).collect()
    }

    #[inline]
    fn next<P, K>(&mut self, pipes: &mut P, into: &mut Message, mut keep: K) -> Option<PipeId>
    where
        P: Pipes,
        K: FnMut(PipeId, &mut Message) -> bool,
    {
        while let Some(pipe) = self.ring.turn() {
            match pipes.read_into(pipe, into) {
                Next::Message => {
                    self.ring.pass(pipe);
                    if (!self.single || into.len() == 1) && keep(pipe, into) {
                        return Some(pipe);
                    }
                    pipes.reject(pipe, std::mem::take(into));
                }
                // Socket types with a fair queue do not publish, so they ignore subscriptions.
                Next::Control(_) => {}
                Next::Nothing => self.emptied(pipe, pipes),
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
        self.members.get(pipe).copied().unwrap_or_default()
    }
}
