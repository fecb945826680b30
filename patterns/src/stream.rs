//! STREAM: raw bytes to and from peers without ZMTP (libzmq stream.cpp), and ROUTER with ROUTER_RAW, which is the same
//! under an older name.
//!
//! Every message is `[routing id] [bytes]`. A received empty second frame means that the connection began or ended. A
//! sent one ends the connection.

use std::collections::VecDeque;

use bytes::Bytes;
use zeroxide_zmtp::{Frame, Message, Traffic};

use crate::addressed::{Addressed, take_id};
use crate::by_pipe::ByPipe;
use crate::fair_queue::FairQueue;
use crate::{Origin, Pattern, PatternOptions, PipeId, Pipes, Refusal, RoutingId};

/// STREAM.
#[derive(Debug)]
pub(crate) struct Stream {
    out: Addressed,
    input: FairQueue,
    /// What the application receives before any further input: the beginnings and ends of connections, and the last
    /// input of lost connections whose pipe still exists.
    notes: VecDeque<(PipeId, RoutingId, Message)>,
    /// Whether the beginning of a pipe's connection was reported. Then its end is reported too.
    announced: ByPipe<bool>,
    notifies: bool,
    /// Whether this is a ROUTER with ROUTER_RAW, to which MANDATORY applies.
    is_router: bool,
}

/// The most notes that may wait. When an application leaves this many unread, new connections are closed. So a peer
/// that connects and disconnects in a loop cannot fill the memory.
const MAX_NOTES: usize = 16 * 1024;

impl Stream {
    /// Creates a STREAM without peers.
    pub(crate) fn new(seed: u64) -> Stream {
        let mut out = Addressed::new(seed);
        out.mandatory = true;
        Stream {
            out,
            input: FairQueue::default(),
            notes: VecDeque::new(),
            announced: ByPipe::new(),
            notifies: true,
            is_router: false,
        }
    }

    /// Creates a ROUTER with ROUTER_RAW.
    pub(crate) fn router_raw(seed: u64) -> Stream {
        Stream { is_router: true, ..Stream::new(seed) }
    }

    fn announce(&mut self, pipe: PipeId, is_up: bool) -> bool {
        std::mem::replace(self.announced.entry(pipe), is_up)
    }

    /// Queues `[id] chunk`, which the application receives before any further input.
    fn note(&mut self, pipe: PipeId, chunk: Message) {
        if let Some(id) = self.out.table.id_of(pipe) {
            self.notes.push_back((pipe, id.clone(), chunk));
        }
    }

    fn note_end(&mut self, pipe: PipeId) {
        if self.announce(pipe, false) {
            self.note(pipe, Frame::new().into());
        }
    }
}

impl Pattern for Stream {
    fn configure(&mut self, options: &PatternOptions) {
        self.out.mandatory = !self.is_router || options.router_mandatory;
        self.notifies = options.stream_notify;
    }

    fn attached<P: Pipes>(&mut self, pipe: PipeId, origin: &Origin, _: &mut P) -> Result<(), Refusal> {
        match &origin.routing_id {
            Some(id) if self.out.table.find(id.as_bytes()).is_some() => {
                return Err(Refusal::InUse(Box::new(id.clone())));
            }
            Some(id) => self.out.table.name(pipe, id.clone()),
            None => self.out.table.name_automatically(pipe),
        }
        Ok(())
    }

    /// From now on the pipe is read. Bytes may be there already: they wait for the note of the beginning.
    fn established<P: Pipes>(&mut self, pipe: PipeId, _: &Bytes, pipes: &mut P) {
        self.input.attach(pipe);
        if !self.notifies {
            return;
        }
        if self.notes.len() >= MAX_NOTES {
            pipes.close(pipe);
        } else if !self.announce(pipe, true) {
            self.note(pipe, Frame::new().into());
        }
    }

    /// Bytes of another connection may soon follow under the same id. The unread bytes of the pipe are queued before
    /// the note of the end, so that the application can distinguish the two connections.
    fn lost<P: Pipes>(&mut self, pipe: PipeId, pipes: &mut P) {
        if !self.notifies {
            return;
        }
        while let Some(traffic) = pipes.read(pipe) {
            match traffic {
                Traffic::Message(chunk) if self.notes.len() < MAX_NOTES => self.note(pipe, chunk),
                Traffic::Message(chunk) => pipes.reject(pipe, chunk),
                _ => {}
            }
        }
        self.note_end(pipe);
    }

    fn detached<P: Pipes>(&mut self, pipe: PipeId, _: &mut P) {
        self.note_end(pipe);
        // Another pipe may get the number.
        self.notes.iter_mut().filter(|(from, ..)| *from == pipe).for_each(|(from, ..)| *from = PipeId::GONE);
        self.out.detach(pipe);
        self.input.detach(pipe);
    }

    #[inline]
    fn readable<P: Pipes>(&mut self, pipe: PipeId, _: &mut P) {
        self.input.readable(pipe);
    }

    fn writable(&mut self, _: PipeId) {}

    fn route<P: Pipes>(&mut self, first: &Frame, pipes: &mut P) -> Result<(), Refusal> {
        self.out.route(first, pipes)
    }

    /// Writes the frames after the id as they are, because a raw stream has no frames.
    fn commit<P: Pipes>(&mut self, message: &mut Message, pipes: &mut P) {
        let ends = message.len() == 2 && message.get(1).is_some_and(|frame| frame.is_empty());
        match self.out.addressee() {
            Some(pipe) if ends => {
                take_id(message, pipes);
                self.out.release(pipes);
                // An application that ends a connection gets no note of its end (libzmq stream.cpp terminates the pipe
                // at once).
                self.announce(pipe, false);
                pipes.close(pipe);
            }
            _ => self.out.commit(message, pipes),
        }
    }

    fn recv<P: Pipes>(&mut self, pipes: &mut P, into: &mut Message) -> Result<Option<PipeId>, Refusal> {
        // The message that `has_in` took is older than any note.
        if let Some((pipe, peeked)) = self.input.take_peeked() {
            *into = peeked;
            return Ok(Some(pipe));
        }
        if let Some((pipe, id, mut message)) = self.notes.pop_front() {
            message.push_front(id.to_frame());
            *into = message;
            return Ok(Some(pipe));
        }
        let table = &self.out.table;
        Ok(self.input.recv(pipes, into, |pipe, message| table.sign(pipe, message)))
    }

    fn held(&self) -> Vec<PipeId> {
        // A note without bytes is of the connection itself.
        let chunks = self.notes.iter().filter(|(_, _, chunk)| chunk.size() > 0);
        self.input.held().into_iter().chain(chunks.map(|(pipe, ..)| *pipe)).collect()
    }

    fn has_in<P: Pipes>(&mut self, pipes: &mut P) -> bool {
        let table = &self.out.table;
        !self.notes.is_empty() || self.input.has_in(pipes, |pipe, message| table.sign(pipe, message))
    }

    fn has_out<P: Pipes>(&mut self, pipes: &mut P) -> bool {
        self.out.has_out(pipes)
    }

    fn drops_when_full(&self) -> bool {
        !self.out.mandatory
    }

    fn find(&self, routing_id: &[u8]) -> Option<PipeId> {
        self.out.table.find(routing_id)
    }

    fn succeeded<P: Pipes>(&mut self, pipe: PipeId, pipes: &mut P) {
        self.lost(pipe, pipes);
        self.out.table.release(pipe);
    }

    fn routing_id(&self, pipe: PipeId) -> Option<&RoutingId> {
        self.out.table.id_of(pipe)
    }
}

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;
