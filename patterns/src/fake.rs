//! Pipes for tests: plain queues that check how a pattern treats them.
//!
//! [`FakePipes`] counts credit, drops and closed pipes, and panics when a pattern breaks the contract of [`Pipes`].
//! [`Rig`] adds a pattern, and makes the calls that a socket's pipe table would make.

use std::collections::VecDeque;

use bytes::Bytes;
use zeroxide_zmtp::{Frame, Message, Next, ProtocolError, SocketType, Traffic};

use crate::{AnyPattern, Cause, Credit, Origin, Pattern, PatternOptions, PipeId, Pipes, Refusal};

/// One pipe: a queue each way.
#[derive(Debug, Default)]
pub(crate) struct FakePipe {
    /// What the peer has sent and the pattern has not read.
    pub(crate) input: VecDeque<Traffic>,
    /// What the pattern has written or signalled.
    pub(crate) output: VecDeque<Traffic>,
    /// The most messages in `output`; 0 for no limit.
    pub(crate) hwm: usize,
    /// Credit granted and neither spent nor released.
    pub(crate) reserved: usize,
    /// When full, return `AfterDrive` once.
    pub(crate) drivable: bool,
    /// Return `AfterDrive` once, as if full.
    busy: bool,
    /// The peer is gone for good.
    pub(crate) gone: bool,
    /// The pattern has closed it.
    pub(crate) closed: bool,
    /// It leads to a socket of the same process.
    pub(crate) inproc: bool,
    /// It has a connection that the pattern may end when it is read.
    pub(crate) connected: bool,
    pub(crate) hung_up: bool,
    pub(crate) ends_when_read: bool,
    /// The fault for which its connection was to end.
    pub(crate) fault: Option<ProtocolError>,
    /// It is in the table, from attach to detach.
    attached: bool,
    /// `read` has returned `None`, so `readable` is due with the next input.
    starved: bool,
    /// `reserve` was refused, so `writable` is due with the next room.
    refused: bool,
}

/// A table of fake pipes.
#[derive(Debug, Default)]
pub(crate) struct FakePipes {
    pipes: Vec<FakePipe>,
    /// Every drop, in order.
    pub(crate) drops: Vec<(Option<PipeId>, Cause)>,
    /// Messages without a subscriber.
    pub(crate) unmatched: usize,
    /// Requests that are not reported to the application.
    pub(crate) unreported: u64,
    /// Discarded messages.
    pub(crate) discarded: Vec<Message>,
    /// How often the pattern has noted that whoever waits may go on.
    pub(crate) changes: usize,
}

impl FakePipes {
    /// Opens a pipe under the lowest free number.
    pub(crate) fn open(&mut self, hwm: usize) -> PipeId {
        let at = self.pipes.iter().position(|pipe| !pipe.attached).unwrap_or(self.pipes.len());
        if at == self.pipes.len() {
            self.pipes.push(FakePipe::default());
        }
        self.pipes[at] = FakePipe { hwm, attached: true, starved: true, ..FakePipe::default() };
        PipeId(at as u32)
    }

    /// Returns one pipe.
    pub(crate) fn get(&mut self, pipe: PipeId) -> &mut FakePipe {
        let found = &mut self.pipes[pipe.0 as usize];
        assert!(found.attached, "{pipe:?} was used after it was detached");
        found
    }

    /// Returns the number of drops for `cause`.
    pub(crate) fn dropped_for(&self, cause: Cause) -> usize {
        self.drops.iter().filter(|(_, c)| *c == cause).count()
    }

    /// Returns the credit of all pipes that is granted and neither spent nor released.
    pub(crate) fn reserved(&self) -> usize {
        self.pipes.iter().filter(|pipe| pipe.attached).map(|pipe| pipe.reserved).sum()
    }
}

impl Pipes for FakePipes {
    fn reserve(&mut self, pipe: PipeId) -> Credit {
        let pipe = self.get(pipe);
        let queued = pipe.output.iter().filter(|t| t.is_message()).count();
        if pipe.gone || pipe.closed {
            Credit::Gone
        } else if std::mem::take(&mut pipe.busy) {
            Credit::AfterDrive
        } else if pipe.hwm == 0 || queued + pipe.reserved < pipe.hwm {
            pipe.reserved += 1;
            Credit::Granted
        } else if std::mem::take(&mut pipe.drivable) {
            Credit::AfterDrive
        } else {
            pipe.refused = true;
            Credit::Full
        }
    }

    fn release(&mut self, pipe: PipeId) {
        let pipe = self.get(pipe);
        pipe.reserved = pipe.reserved.checked_sub(1).expect("released without a reservation");
    }

    /// Leaves a message of one frame where it is, as a pipe does that has copied its bytes.
    fn write(&mut self, pipe: PipeId, message: &mut Message) {
        if message.len() == 1 {
            return self.write_copy(pipe, message);
        }
        self.write_copy(pipe, &std::mem::take(message));
    }

    fn write_copy(&mut self, pipe: PipeId, message: &Message) {
        let message = message.clone();
        self.release(pipe);
        let (id, pipe) = (pipe, self.get(pipe));
        if pipe.gone || pipe.closed {
            self.drops.push((Some(id), Cause::PeerLost));
            self.discarded.push(message);
        } else {
            pipe.output.push_back(Traffic::Message(message));
        }
    }

    fn signal(&mut self, pipe: PipeId, traffic: Traffic) {
        let pipe = self.get(pipe);
        if !pipe.gone && !pipe.closed {
            pipe.output.push_back(traffic);
        }
    }

    fn read_into(&mut self, pipe: PipeId, into: &mut Message) -> Next {
        let pipe = self.get(pipe);
        let traffic = pipe.input.pop_front();
        pipe.starved = traffic.is_none();
        Next::of(traffic, into)
    }

    fn recall(&mut self, pipe: PipeId, wanted: impl Fn(&Message) -> bool) -> Option<Message> {
        let output = &mut self.get(pipe).output;
        let at = output.iter().rposition(|t| matches!(t, Traffic::Message(message) if wanted(message)))?;
        match output.remove(at)? {
            Traffic::Message(message) => Some(message),
            _ => None,
        }
    }

    fn dropped(&mut self, pipe: Option<PipeId>, cause: Cause) {
        if let Some(pipe) = pipe {
            self.get(pipe);
        }
        self.drops.push((pipe, cause));
    }

    fn reject(&mut self, pipe: PipeId, message: Message) {
        self.drops.push((Some(pipe), Cause::Unwanted));
        self.discarded.push(message);
    }

    fn unmatched(&mut self) {
        self.unmatched += 1;
    }

    fn unreported(&mut self, count: u64) {
        self.unreported += count;
    }

    fn changed(&mut self) {
        self.changes += 1;
    }

    fn discard(&mut self, message: Message) {
        self.discarded.push(message);
    }

    fn expel(&mut self, pipe: PipeId, fault: ProtocolError) -> bool {
        let pipe = self.get(pipe);
        if !pipe.inproc {
            pipe.fault = Some(fault);
        }
        !pipe.inproc
    }

    fn has_closed(&self, pipe: PipeId) -> bool {
        self.pipes[pipe.0 as usize].hung_up
    }

    fn end_when_read(&mut self, pipe: PipeId) -> bool {
        let pipe = self.get(pipe);
        pipe.ends_when_read = pipe.connected;
        pipe.connected
    }

    fn close(&mut self, pipe: PipeId) {
        let pipe = self.get(pipe);
        pipe.closed = true;
        pipe.input.clear();
    }
}

/// A pattern on fake pipes.
#[derive(Debug)]
pub(crate) struct Rig {
    pub(crate) pattern: AnyPattern,
    pub(crate) pipes: FakePipes,
}

impl Rig {
    /// A socket without peers and with libzmq's options.
    pub(crate) fn new(socket_type: SocketType) -> Rig {
        let pattern = AnyPattern::new(socket_type, 0x5eed).expect("an implemented type");
        Rig { pattern, pipes: FakePipes::default() }
    }

    /// The same with some options set.
    pub(crate) fn with(socket_type: SocketType, set: impl FnOnce(&mut PatternOptions)) -> Rig {
        let mut rig = Rig::new(socket_type);
        rig.configure(set);
        rig
    }

    /// Sets options, the others at their defaults.
    pub(crate) fn configure(&mut self, set: impl FnOnce(&mut PatternOptions)) {
        let mut options = PatternOptions::default();
        set(&mut options);
        self.pattern.configure(&options);
    }

    /// Attaches the pipe of a connecting endpoint, without a peer.
    pub(crate) fn connect(&mut self, hwm: usize) -> PipeId {
        self.connect_as(hwm, None).expect("no routing id, no clash")
    }

    /// Does the same with CONNECT_ROUTING_ID.
    pub(crate) fn connect_as(&mut self, hwm: usize, id: Option<&[u8]>) -> Result<PipeId, Refusal> {
        let pipe = self.pipes.open(hwm);
        let routing_id = id.and_then(|id| crate::RoutingId::new(id).ok());
        let origin = Origin { connected: true, routing_id };
        if let Err(refusal) = self.pattern.attached(pipe, &origin, &mut self.pipes) {
            self.pipes.get(pipe).attached = false;
            return Err(refusal);
        }
        Ok(pipe)
    }

    /// Attaches an accepted peer without a routing id.
    pub(crate) fn accept(&mut self, hwm: usize) -> PipeId {
        self.accept_as(hwm, b"")
    }

    /// Attaches an accepted peer that announces `id`.
    pub(crate) fn accept_as(&mut self, hwm: usize, id: &[u8]) -> PipeId {
        let pipe = self.pipes.open(hwm);
        self.pattern.attached(pipe, &Origin::default(), &mut self.pipes).expect("nothing to clash with");
        self.establish(pipe, id);
        pipe
    }

    /// A connection of `pipe` finishes its handshake.
    pub(crate) fn establish(&mut self, pipe: PipeId, id: &[u8]) {
        self.pattern.established(pipe, &Bytes::copy_from_slice(id), &mut self.pipes);
    }

    /// The connection of `pipe` is lost.
    pub(crate) fn lose(&mut self, pipe: PipeId) {
        self.pattern.lost(pipe, &mut self.pipes);
    }

    /// The peer of `pipe` is gone for good; its input stays.
    pub(crate) fn kill(&mut self, pipe: PipeId) {
        self.pipes.get(pipe).gone = true;
    }

    /// The peer of `pipe` is gone for good and leaves input, which is announced first.
    pub(crate) fn end(&mut self, pipe: PipeId) {
        self.kill(pipe);
        self.pattern.readable(pipe, &mut self.pipes);
        self.pattern.ended(pipe, &mut self.pipes);
    }

    /// `pipe` leaves the table.
    pub(crate) fn detach(&mut self, pipe: PipeId) {
        self.pipes.get(pipe).attached = false;
        self.pattern.detached(pipe, &mut self.pipes);
    }

    /// The peer sends one item.
    pub(crate) fn deliver_traffic(&mut self, pipe: PipeId, traffic: Traffic) {
        let end = self.pipes.get(pipe);
        if end.closed {
            return;
        }
        end.input.push_back(traffic);
        if std::mem::take(&mut end.starved) {
            self.pattern.readable(pipe, &mut self.pipes);
        }
    }

    /// The peer sends a message.
    pub(crate) fn deliver(&mut self, pipe: PipeId, message: impl Into<Message>) {
        self.deliver_traffic(pipe, Traffic::Message(message.into()));
    }

    /// The peer receives the next item.
    pub(crate) fn take_traffic(&mut self, pipe: PipeId) -> Option<Traffic> {
        let end = self.pipes.get(pipe);
        let taken = end.output.pop_front();
        if taken.is_some() && std::mem::take(&mut end.refused) {
            self.pattern.writable(pipe);
        }
        taken
    }

    /// The peer receives the next message.
    pub(crate) fn take(&mut self, pipe: PipeId) -> Option<Message> {
        match self.take_traffic(pipe)? {
            Traffic::Message(message) => Some(message),
            other => panic!("expected a message, took {other:?}"),
        }
    }

    /// The first step of sending.
    pub(crate) fn route(&mut self, message: &Message) -> Result<(), Refusal> {
        let first: &Frame = message.first().ok_or(Refusal::EmptyMessage)?;
        self.pattern.route(first, &mut self.pipes)
    }

    /// The second step of sending.
    pub(crate) fn commit(&mut self, mut message: Message) {
        self.pattern.commit(&mut message, &mut self.pipes);
    }

    /// The next message for `pipe` is refused, as for a full pipe that must be driven first.
    pub(crate) fn make_busy(&mut self, pipe: PipeId) {
        self.pipes.get(pipe).busy = true;
    }

    /// Both steps.
    pub(crate) fn send(&mut self, message: impl Into<Message>) -> Result<(), Refusal> {
        let message = message.into();
        self.route(&message)?;
        self.commit(message);
        Ok(())
    }

    /// The next message goes to the peer with this number.
    pub(crate) fn address(&mut self, number: u32) {
        self.pattern.address(number);
    }

    /// The next message is in this group.
    pub(crate) fn send_to_group(&mut self, group: &str, body: &str) -> Result<(), Refusal> {
        self.pattern.group(group.as_bytes());
        self.send(Message::from(body).with_group(group))
    }

    /// Joins a group.
    pub(crate) fn join(&mut self, group: &str) -> Result<(), Refusal> {
        self.pattern.join(group.as_bytes(), &mut self.pipes)
    }

    /// Leaves a group.
    pub(crate) fn leave(&mut self, group: &str) -> Result<(), Refusal> {
        self.pattern.leave(group.as_bytes(), &mut self.pipes)
    }

    /// Returns the next message for the application.
    pub(crate) fn recv(&mut self) -> Result<Option<Message>, Refusal> {
        Ok(self.recv_from()?.map(|(_, message)| message))
    }

    /// Returns the next message and the pipe that it came from.
    pub(crate) fn recv_from(&mut self) -> Result<Option<(PipeId, Message)>, Refusal> {
        let mut message = Message::new();
        let pipe = self.pattern.recv(&mut self.pipes, &mut message)?;
        Ok(pipe.map(|pipe| (pipe, message)))
    }

    /// Returns whether `recv` would return a message.
    pub(crate) fn has_in(&mut self) -> bool {
        self.pattern.has_in(&mut self.pipes)
    }

    /// Returns whether `route` could succeed.
    pub(crate) fn has_out(&mut self) -> bool {
        self.pattern.has_out(&mut self.pipes)
    }
}
