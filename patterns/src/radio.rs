//! RADIO (RFC 48): sends every message to the peers that have joined its group.
//!
//! A group is matched as a whole, not by prefix. A peer's groups are applied as soon as they arrive, whatever the
//! application does. Sending never waits: a peer at its high-water mark misses the message (with XPUB_NODROP, the
//! message waits instead).

use bytes::Bytes;
use zeroxide_zmtp::groups::is_group;
use zeroxide_zmtp::{Frame, Message, ProtocolError, Traffic};

use crate::distributor::Distributor;
use crate::downstream::Downstream;
use crate::subscriptions::Subscriptions;
use crate::{Origin, Pattern, PatternOptions, PipeId, Pipes, Refusal};

/// RADIO: sends to groups, receives nothing.
#[derive(Debug)]
pub(crate) struct Radio {
    options: PatternOptions,
    groups: Subscriptions,
    distributor: Distributor,
    downstream: Downstream,
    /// The group of the next message.
    group: Vec<u8>,
}

impl Radio {
    /// Creates a RADIO without peers.
    pub(crate) fn new() -> Radio {
        Radio {
            options: PatternOptions::default(),
            groups: Subscriptions::new(),
            distributor: Distributor::new(),
            downstream: Downstream::default(),
            group: Vec::new(),
        }
    }

    /// Adds a peer to a group. A second JOIN changes nothing: after a reconnection, a peer of a RADIO that connects
    /// sends all its groups again.
    fn join<P: Pipes>(&mut self, pipe: PipeId, group: &[u8], pipes: &mut P) {
        if self.downstream.is_expelled(pipe) {
            return;
        }
        let room = self.groups.make_room(group, pipe);
        if room.is_err_and(|fault| self.expel(pipe, fault, pipes)) {
            return;
        }
        self.groups.add(group, pipe);
        if let Some(fault) = self.groups.excess(pipe, &self.options) {
            self.expel(pipe, fault, pipes);
        }
    }

    /// Ends the connection of a peer and removes its groups. Returns `false` if no limit applies to this peer.
    fn expel<P: Pipes>(&mut self, pipe: PipeId, fault: ProtocolError, pipes: &mut P) -> bool {
        let expelled = pipes.expel(pipe, fault);
        if expelled {
            self.forget(pipe);
            self.downstream.expel(pipe);
        }
        expelled
    }

    /// Removes a peer from all groups. The next requests may come from another peer.
    fn forget(&mut self, pipe: PipeId) {
        self.groups.remove_pipe(pipe, |_, _| {});
        self.downstream.readmit(pipe);
    }
}

impl Pattern for Radio {
    fn configure(&mut self, options: &PatternOptions) {
        self.options = options.clone();
    }

    fn attached<P: Pipes>(&mut self, pipe: PipeId, _: &Origin, _: &mut P) -> Result<(), Refusal> {
        self.distributor.attach(pipe);
        Ok(())
    }

    fn established<P: Pipes>(&mut self, pipe: PipeId, _: &Bytes, _: &mut P) {
        self.downstream.up(pipe);
    }

    fn lost<P: Pipes>(&mut self, pipe: PipeId, _: &mut P) {
        self.downstream.down(pipe);
    }

    fn detached<P: Pipes>(&mut self, pipe: PipeId, _: &mut P) {
        self.forget(pipe);
        self.downstream.detach(pipe);
        self.distributor.detach(pipe);
    }

    fn readable<P: Pipes>(&mut self, pipe: PipeId, pipes: &mut P) {
        while let Some(traffic) = pipes.read(pipe) {
            match traffic {
                Traffic::Join(group) => self.join(pipe, &group, pipes),
                Traffic::Leave(group) => {
                    self.groups.remove(&group, pipe);
                }
                Traffic::Message(message) => pipes.reject(pipe, message),
                Traffic::NextConnection => self.forget(pipe),
                Traffic::Subscribe(_) | Traffic::Cancel(_) => {}
            }
        }
    }

    fn writable(&mut self, pipe: PipeId) {
        self.distributor.writable(pipe);
    }

    fn group(&mut self, group: &[u8]) {
        self.group.clear();
        self.group.extend_from_slice(group);
    }

    fn route<P: Pipes>(&mut self, _: &Frame, pipes: &mut P) -> Result<(), Refusal> {
        if !is_group(&self.group) {
            return Err(Refusal::InvalidGroup);
        }
        let distributor = &mut self.distributor;
        distributor.begin();
        self.groups.for_each_exact(&self.group, |pipe| distributor.choose(pipe));
        distributor.reserve(self.options.xpub_nodrop, pipes)
    }

    fn commit<P: Pipes>(&mut self, message: &mut Message, pipes: &mut P) {
        if self.distributor.is_idle() {
            pipes.unmatched();
        }
        self.distributor.commit(message, pipes);
    }

    fn recv<P: Pipes>(&mut self, _: &mut P, _: &mut Message) -> Result<Option<PipeId>, Refusal> {
        Err(Refusal::NotSupported)
    }

    fn has_in<P: Pipes>(&mut self, _: &mut P) -> bool {
        false
    }

    fn has_out<P: Pipes>(&mut self, _: &mut P) -> bool {
        true
    }

    fn drops_when_full(&self) -> bool {
        !self.options.xpub_nodrop
    }

    fn subscribers(&self, group: &[u8]) -> usize {
        let mut count = 0;
        self.groups.for_each_exact(group, |pipe| {
            count = usize::saturating_add(count, usize::from(self.downstream.is_up(pipe)));
        });
        count
    }

    fn topics(&self) -> usize {
        self.groups.topics()
    }
}

#[cfg(test)]
#[path = "radio_tests.rs"]
mod tests;
