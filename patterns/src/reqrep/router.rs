//! ROUTER (RFC 28 §ROUTER): sends to the peer that the first frame names. Receives from its peers in turn, and puts the
//! sender's name before each message.
//!
//! Invariant: a pipe is read and can be sent to from the moment it has a routing id. It gets one at its first
//! handshake, or at attach by CONNECT_ROUTING_ID. Until then it is anonymous, and no message goes either way.

use bytes::Bytes;
use zeroxide_zmtp::{Frame, Message};

use super::probe::probe;
use crate::addressed::Addressed;
use crate::fair_queue::FairQueue;
use crate::routing_ids::is_reserved;
use crate::waiting;
use crate::{Origin, Pattern, PatternOptions, PipeId, Pipes, Refusal, RoutingId};

/// ROUTER.
#[derive(Debug)]
pub(crate) struct Router {
    out: Addressed,
    input: FairQueue,
    handover: bool,
    probes: bool,
    /// Pipes whose peers announce a taken routing id and were not refused during the handshake. Each gets the routing
    /// id when it is free.
    waiting: Vec<(PipeId, RoutingId)>,
}

impl Router {
    /// Creates a ROUTER without peers.
    pub(crate) fn new(seed: u64) -> Router {
        let (out, input) = (Addressed::new(seed), FairQueue::default());
        Router { out, input, handover: false, probes: false, waiting: Vec::new() }
    }

    /// Returns whether no peer has a name yet.
    pub(crate) fn is_unused(&self) -> bool {
        self.out.table.pipes().next().is_none()
    }

    /// Gives each free name to the first pipe that waits for it.
    fn name_those_who_wait(&mut self) {
        let (table, input) = (&mut self.out.table, &mut self.input);
        self.waiting.retain(|(pipe, id)| {
            let is_free = table.find(id.as_bytes()).is_none();
            if is_free {
                table.name(*pipe, id.clone());
                input.attach(*pipe);
            }
            !is_free
        });
    }

    /// Gives the announced name `id` to the pipe of a peer, and reads the pipe after the rest of an earlier peer with
    /// that name. If the name is taken, the pipe waits for it.
    fn admit<P: Pipes>(&mut self, pipe: PipeId, id: RoutingId, pipes: &mut P) {
        let (displaced, table) = (self.displaced_by(id.as_bytes()), &mut self.out.table);
        if let Some(holder) = displaced {
            table.set_aside(holder);
            table.name(pipe, id);
            let (has_closed, is_read_on) = (pipes.has_closed(holder), pipes.end_when_read(holder));
            if is_read_on && !has_closed {
                // The replaced peer may still send, so the new peer does not wait for its end.
                self.input.attach(pipe);
            } else {
                self.input.attach_behind(pipe, holder);
            }
            if !is_read_on {
                self.input.drain_and_close(holder, pipes);
            }
        } else if table.find(id.as_bytes()).is_none() {
            let before = table.predecessor(id.as_bytes());
            table.name(pipe, id);
            match before {
                Some(before) => self.input.attach_behind(pipe, before),
                None => self.input.attach(pipe),
            }
        } else if is_reserved(id.as_bytes()) {
            // RFC 28 forbids such ids, but libzmq accepts them. This one is taken, so the peer gets an automatic id
            // instead.
            table.name_automatically(pipe);
            self.input.attach(pipe);
        } else {
            // libzmq completes the handshake here and leaves the connection stalled for ever.
            self.waiting.push((pipe, id));
        }
    }
}

impl Pattern for Router {
    fn configure(&mut self, options: &PatternOptions) {
        self.out.mandatory = options.router_mandatory;
        self.handover = options.router_handover;
        self.probes = options.probe_router;
    }

    fn attached<P: Pipes>(&mut self, pipe: PipeId, origin: &Origin, pipes: &mut P) -> Result<(), Refusal> {
        if let Some(id) = &origin.routing_id {
            if self.out.table.find(id.as_bytes()).is_some() {
                return Err(Refusal::InUse(Box::new(id.clone())));
            }
            self.out.table.name(pipe, id.clone());
            self.input.attach(pipe);
        }
        if self.probes {
            probe(pipe, pipes);
        }
        Ok(())
    }

    fn established<P: Pipes>(&mut self, pipe: PipeId, routing_id: &Bytes, pipes: &mut P) {
        if self.out.table.id_of(pipe).is_some() {
            return;
        }
        if let Some((_, id)) = self.waiting.iter().find(|(waiting, _)| *waiting == pipe) {
            if id.as_bytes() == routing_id {
                return;
            }
            self.waiting.retain(|(waiting, _)| *waiting != pipe);
        }
        if let Ok(id) = RoutingId::new(routing_id.clone()) {
            return self.admit(pipe, id, pipes);
        }
        self.out.table.name_automatically(pipe);
        self.input.attach(pipe);
    }

    fn ended<P: Pipes>(&mut self, pipe: PipeId, pipes: &mut P) {
        waiting::ended(pipe, self.waiting.iter().map(|(waits, _)| *waits), pipes);
    }

    fn detached<P: Pipes>(&mut self, pipe: PipeId, _: &mut P) {
        self.out.detach(pipe);
        self.input.detach(pipe);
        self.waiting.retain(|(waiting, _)| *waiting != pipe);
        self.name_those_who_wait();
    }

    #[inline]
    fn readable<P: Pipes>(&mut self, pipe: PipeId, _: &mut P) {
        self.input.readable(pipe);
    }

    fn writable(&mut self, _: PipeId) {}

    fn route<P: Pipes>(&mut self, first: &Frame, pipes: &mut P) -> Result<(), Refusal> {
        self.out.route(first, pipes)
    }

    fn commit<P: Pipes>(&mut self, message: &mut Message, pipes: &mut P) {
        self.out.commit(message, pipes);
    }

    fn recv<P: Pipes>(&mut self, pipes: &mut P, into: &mut Message) -> Result<Option<PipeId>, Refusal> {
        let table = &self.out.table;
        Ok(self.input.recv(pipes, into, |pipe, message| table.sign(pipe, message)))
    }

    fn held(&self) -> Vec<PipeId> {
        self.input.held()
    }

    fn has_in<P: Pipes>(&mut self, pipes: &mut P) -> bool {
        let table = &self.out.table;
        self.input.has_in(pipes, |pipe, message| table.sign(pipe, message))
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

    fn displaced_by(&self, routing_id: &[u8]) -> Option<PipeId> {
        let holder = self.find(routing_id).filter(|_| self.handover);
        holder.filter(|_| !is_reserved(routing_id))
    }

    fn succeeded<P: Pipes>(&mut self, pipe: PipeId, _: &mut P) {
        self.out.table.release(pipe);
    }

    fn occupants(&self, routing_id: &[u8]) -> Vec<PipeId> {
        if self.handover || is_reserved(routing_id) {
            return Vec::new();
        }
        let waiting = self.waiting.iter().filter(|(_, id)| id.as_bytes() == routing_id);
        self.find(routing_id).into_iter().chain(waiting.map(|(pipe, _)| *pipe)).collect()
    }

    fn routing_id(&self, pipe: PipeId) -> Option<&RoutingId> {
        self.out.table.id_of(pipe)
    }
}

#[cfg(test)]
#[path = "router_tests.rs"]
mod tests;
