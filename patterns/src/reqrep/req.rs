//! REQ (RFC 28 §REQ): sends one request, then receives one reply, from the peer that got the request.
//!
//! On the wire a request is `[id, 4 bytes, with REQ_CORRELATE] [empty] body…`. `commit` adds the frames before the
//! body, and `recv` removes them. Only these two calls and `abandon_request` change the state.
//!
//! **Nothing waits in a pipe.** What arrives is read at once: the reply is kept for `recv`, and everything else is dropped.
//! A late reply that stayed would hold back what is behind it, perhaps the end of the connection, and no call would ever
//! read it. Then the next request would go to a peer that is gone.
//!
//! **Which replies are accepted.** As long as the pipe of the request exists, only a reply of its peer. After that, a
//! reply of any peer, as in libzmq (req.cpp `recv_reply_pipe`): the lost peer may send its reply over another pipe, and
//! a REQ that accepted none would wait for ever. Then any admitted peer could reply in its place. Where that matters,
//! number the request (REQ_CORRELATE, and every `Socket::request`): only the peer of the request has seen the number.

use zeroxide_zmtp::{Frame, Message};

use super::probe::probe;
use crate::fair_queue::FairQueue;
use crate::load_balancer::LoadBalancer;
use crate::seeded::Seeded;
use crate::{Origin, Pattern, PatternOptions, PipeId, Pipes, Refusal};

/// REQ.
#[derive(Debug)]
pub(crate) struct Req {
    out: LoadBalancer,
    input: FairQueue,
    asked: Option<Asked>,
    /// The envelope of a reply, which must not be dropped under the lock.
    spent: Message,
    next_id: u32,
    correlates: bool,
    relaxed: bool,
    /// The next request is numbered, whatever the options are.
    numbers_next: bool,
    probes: bool,
}

/// A request that waits for its reply.
#[derive(Clone, Copy, Debug)]
struct Asked {
    /// The pipe of the request; `None` once it is gone. Then any peer may reply (libzmq req.cpp).
    pipe: Option<PipeId>,
    /// The number that the reply must carry.
    id: Option<u32>,
}

impl Req {
    /// Creates a REQ without peers.
    pub(crate) fn new(seed: u64) -> Req {
        Req {
            out: LoadBalancer::default(),
            input: FairQueue::default(),
            asked: None,
            spent: Message::new(),
            next_id: Seeded::new(seed).number(0x4e9),
            correlates: false,
            relaxed: false,
            numbers_next: false,
            probes: false,
        }
    }

    /// Reads all input: keeps the reply that is due, if it is there, and drops the rest.
    fn read_all<P: Pipes>(&mut self, pipes: &mut P) {
        if self.asked.is_none() || self.has_in(pipes) {
            self.input.discard_unread(pipes);
        }
    }

    fn discard_spent<P: Pipes>(&mut self, pipes: &mut P) {
        if !self.spent.is_empty() {
            pipes.discard(std::mem::take(&mut self.spent));
        }
    }
}

impl Asked {
    /// Returns whether `message` is the reply, and removes its envelope if it is. Frames whose drop may run code of the
    /// application go to `spent`.
    fn unwrap_reply(self, pipe: PipeId, message: &mut Message, spent: &mut Message) -> bool {
        if self.pipe.is_some_and(|asked| asked != pipe) {
            return false;
        }
        let delimiter = usize::from(self.id.is_some());
        let numbered = self.id.is_none_or(|id| is_numbered(message, id));
        let delimited = message.get(delimiter).is_some_and(|frame| frame.is_empty());
        // The delimiter must not be the last frame (libzmq req.cpp requires MORE).
        if !numbered || !delimited || message.len() < delimiter.saturating_add(2) {
            return false;
        }
        let envelope = (0..=delimiter).filter_map(|_| message.pop_front());
        envelope.filter(Frame::is_shared).for_each(|frame| spent.push_back(frame));
        true
    }
}

/// Returns whether a message begins with this number.
fn is_numbered(message: &Message, id: u32) -> bool {
    message.first().is_some_and(|frame| **frame == id.to_ne_bytes())
}

impl Pattern for Req {
    fn configure(&mut self, options: &PatternOptions) {
        self.correlates = options.req_correlate;
        self.relaxed = options.req_relaxed;
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
        if let Some(asked) = self.asked.as_mut().filter(|asked| asked.pipe == Some(pipe)) {
            asked.pipe = None;
        }
    }

    fn readable<P: Pipes>(&mut self, pipe: PipeId, pipes: &mut P) {
        self.input.readable(pipe);
        self.read_all(pipes);
    }

    fn writable(&mut self, pipe: PipeId) {
        self.out.writable(pipe);
    }

    fn route<P: Pipes>(&mut self, _: &Frame, pipes: &mut P) -> Result<(), Refusal> {
        if self.asked.is_some() && !self.relaxed {
            return Err(Refusal::WrongState);
        }
        self.out.route(pipes)
    }

    fn commit<P: Pipes>(&mut self, message: &mut Message, pipes: &mut P) {
        // All queued messages are replies to earlier requests (libzmq req.cpp, "eat all currently available").
        self.input.discard_all(pipes);
        let id = (std::mem::take(&mut self.numbers_next) || self.correlates).then_some(self.next_id);
        message.push_front(Frame::new());
        if let Some(id) = id {
            // Native byte order, as in libzmq: only this socket reads the number.
            message.push_front(&id.to_ne_bytes());
            self.next_id = self.next_id.wrapping_add(1);
        }
        let pipe = self.out.commit(message, pipes);
        self.asked = Some(Asked { pipe, id });
        pipes.changed();
    }

    fn recv<P: Pipes>(&mut self, pipes: &mut P, into: &mut Message) -> Result<Option<PipeId>, Refusal> {
        let asked = self.asked.ok_or(Refusal::WrongState)?;
        let spent = &mut self.spent;
        let reply = self.input.recv(pipes, into, |pipe, message| asked.unwrap_reply(pipe, message, spent));
        if reply.is_some() {
            self.asked = None;
            pipes.changed();
            self.discard_spent(pipes);
        }
        Ok(reply)
    }

    fn number_request(&mut self, numbered: bool) {
        self.numbers_next = numbered;
    }

    fn abandon_request<P: Pipes>(&mut self, pipes: &mut P) -> Option<(PipeId, Message)> {
        let Asked { pipe, id } = self.asked.take()?;
        pipes.changed();
        let (pipe, id) = (pipe?, id?);
        let mut request = pipes.recall(pipe, |message| is_numbered(message, id))?;
        self.out.writable(pipe);
        let _number = request.pop_front();
        let _delimiter = request.pop_front();
        Some((pipe, request))
    }

    fn may_send(&self) -> Option<bool> {
        Some(self.asked.is_none())
    }

    fn held(&self) -> Vec<PipeId> {
        self.input.held()
    }

    fn has_in<P: Pipes>(&mut self, pipes: &mut P) -> bool {
        let Some(asked) = self.asked else { return false };
        let spent = &mut self.spent;
        self.input.has_in(pipes, |pipe, message| asked.unwrap_reply(pipe, message, spent))
    }

    fn has_out<P: Pipes>(&mut self, pipes: &mut P) -> bool {
        (self.asked.is_none() || self.relaxed) && self.out.has_out(pipes)
    }
}

#[cfg(test)]
#[path = "req_tests.rs"]
mod tests;
