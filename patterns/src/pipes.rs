//! What a pattern can read of its socket's pipes, and all that it can do with them.

use std::fmt;

use zeroxide_zmtp::{Message, Next, ProtocolError, Traffic};

/// The number of a pipe in its socket's table. Numbers are small, and are used again after `detached`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PipeId(pub u32);

impl PipeId {
    /// No pipe: the pipe that a message came from is gone.
    pub const GONE: PipeId = PipeId(u32::MAX);
}

/// The result of a request for room for one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credit {
    /// Room for one message is reserved. Call `write` or `release` next.
    Granted,
    /// The pipe is at its high-water mark.
    Full,
    /// The pipe is at its high-water mark, but its output may move as soon as the socket's lock is released. A pattern
    /// that would *drop* the message for this pipe refuses with [`Refusal::Full`](crate::Refusal::Full) instead. The
    /// caller drives the output and tries again. This is returned at most once for one message.
    AfterDrive,
    /// The peer is gone for good; only its input is left.
    Gone,
}

/// Why a message was dropped. Each cause is a counter of `SocketStats`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Cause {
    /// The pipe was at its high-water mark.
    Hwm,
    /// There was no peer to send to.
    NoPeer,
    /// No peer had the routing id.
    Unroutable,
    /// The connection ended before the message was sent.
    PeerLost,
    /// The socket's linger period ended before the message was sent.
    Linger,
    /// A newer message replaced it (CONFLATE).
    Conflated,
    /// It was received, but the socket's rules drop it: a reply that is not expected, a request without an envelope, or
    /// a topic without a subscription.
    Unwanted,
    /// It was received, and nobody had taken it when this side ended the connection or closed the socket.
    Unread,
}

impl Cause {
    /// All causes, each at the place that its number says.
    pub const ALL: [Cause; 8] = [
        Cause::Hwm,
        Cause::NoPeer,
        Cause::Unroutable,
        Cause::PeerLost,
        Cause::Linger,
        Cause::Conflated,
        Cause::Unwanted,
        Cause::Unread,
    ];

    /// Returns the cause as a label.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Cause::Hwm => "hwm",
            Cause::NoPeer => "no peer",
            Cause::Unroutable => "unroutable",
            Cause::PeerLost => "peer lost",
            Cause::Linger => "linger",
            Cause::Conflated => "conflated",
            Cause::Unwanted => "unwanted",
            Cause::Unread => "unread",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The operations of a pattern on the pipes of its socket. The socket's pipe table implements them, and so do plain
/// queues in tests. No method blocks, and none calls the pattern again.
pub trait Pipes {
    /// Reserves room for one message.
    fn reserve(&mut self, pipe: PipeId) -> Credit;

    /// Releases one reservation.
    fn release(&mut self, pipe: PipeId);

    /// Writes a message and uses one reservation. If the pipe is gone by now, the message counts as
    /// [`Cause::PeerLost`]. What is left in `message` means nothing, but it may own a body: the caller drops it where a
    /// body may be dropped.
    fn write(&mut self, pipe: PipeId, message: &mut Message);

    /// Does the same with a copy of the message, which shares its larger bodies.
    fn write_copy(&mut self, pipe: PipeId, message: &Message);

    /// Writes a subscription (or its end) to the peer, or a message to which the high-water mark does not apply
    /// (welcome, probe). Needs no reservation. Does nothing if the pipe is gone.
    fn signal(&mut self, pipe: PipeId, traffic: Traffic);

    /// Takes the next received item, and puts it into `into` if it is a message: one that is built where it is wanted is
    /// not copied again. After it returns [`Next::Nothing`], [`Pattern::readable`](crate::Pattern::readable) is called when
    /// there is input again.
    fn read_into(&mut self, pipe: PipeId, into: &mut Message) -> Next;

    /// Does the same as [`Pipes::read_into`], for callers that expect subscriptions rather than messages.
    fn read(&mut self, pipe: PipeId) -> Option<Traffic> {
        let mut message = Message::new();
        self.read_into(pipe, &mut message).item(message)
    }

    /// Takes back the newest message that was written to `pipe`, for which `wanted` returns true, and that is still in
    /// the pipe's queue. It counts as never written, and its room is free.
    fn recall(&mut self, pipe: PipeId, wanted: impl Fn(&Message) -> bool) -> Option<Message>;

    /// Counts one dropped message that was to be sent to `pipe` (or to no pipe).
    fn dropped(&mut self, pipe: Option<PipeId>, cause: Cause);

    /// Takes a message of this peer that the socket's rules drop, and counts it as [`Cause::Unwanted`].
    fn reject(&mut self, pipe: PipeId, message: Message);

    /// Counts one sent message without a subscriber.
    fn unmatched(&mut self);

    /// Counts requests of peers that are not reported to the application, because too many reports are still unread.
    fn unreported(&mut self, count: u64);

    /// Notes that this call has changed what others may do that wait at the socket: whose turn it is, or who is subscribed.
    /// They look again. What the pipes change need not be noted: their news wakes.
    fn changed(&mut self);

    /// Takes a message that has no receiver, so that its memory is released outside the socket's lock.
    fn discard(&mut self, message: Message);

    /// Ends the connection of a peer that has exceeded a limit, with this fault. The pattern's methods are called as
    /// after any other end. Returns `false` over inproc, where the peer is in this process and no limit applies.
    fn expel(&mut self, pipe: PipeId, fault: ProtocolError) -> bool;

    /// Returns whether the peer of this pipe has closed its connection, so that its input ends by itself.
    fn has_closed(&self, pipe: PipeId) -> bool;

    /// Lets a replaced peer finish. Its connection is read until the peer closes it, at most for a limited time, and
    /// the pipe stays until all its input is received. Returns `false` if the pipe has no accepted connection. Then the
    /// pipe gets no further input.
    fn end_when_read(&mut self, pipe: PipeId) -> bool;

    /// Ends the pipe and its connection. Unread input is dropped; output that is already written is still sent.
    /// `detached` is called later.
    fn close(&mut self, pipe: PipeId);
}
