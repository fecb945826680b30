//! What a pattern knows of its socket's pipes, and all that it may do with them.

use zeroxide_zmtp::{Message, ProtocolError, Traffic};

/// Number of a pipe in its socket's table. Numbers are small and are used again after `detached`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PipeId(pub u32);

impl PipeId {
    /// No pipe: what a message came from is gone.
    pub const GONE: PipeId = PipeId(u32::MAX);
}

/// The answer to a request for room for one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credit {
    /// One message's room is reserved: follow with `write` or `release`.
    Granted,
    /// The pipe is at its high-water mark.
    Full,
    /// The pipe is at its high-water mark, but its output may move as soon as the socket's lock is released. A
    /// pattern that would *drop* for this pipe refuses with [`Refusal::Full`](crate::Refusal::Full) instead; the caller drives the
    /// output and asks again, and is never told this twice for one message.
    AfterDrive,
    /// The peer is gone for good; only its input is left.
    Gone,
}

/// Why a message was dropped. Each is a counter of `SocketStats`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Cause {
    /// The pipe was at its high-water mark.
    Hwm,
    /// There was nobody to send to.
    NoPeer,
    /// The routing id named no peer.
    Unroutable,
    /// The connection ended first.
    PeerLost,
    /// The socket's linger period ended first.
    Linger,
    /// A newer message took its place (CONFLATE).
    Conflated,
    /// It was received, but the socket's rules throw it away: a reply nobody waits for, a request without an
    /// envelope, a topic nobody subscribed to.
    Unwanted,
}

/// What a pattern may do with the pipes of its socket. Implemented by the socket's pipe table, and by plain queues
/// in tests. Nothing here blocks, and no call enters the pattern again.
pub trait Pipes {
    /// Reserves room for one message.
    fn reserve(&mut self, pipe: PipeId) -> Credit;

    /// Gives one reservation back.
    fn release(&mut self, pipe: PipeId);

    /// Writes a message and spends one reservation. A pipe that died since counts it as [`Cause::PeerLost`].
    fn write(&mut self, pipe: PipeId, message: Message);

    /// Writes a subscription (or its end) to the peer, or a message that the high-water mark does not bind
    /// (welcome, probe). Needs no reservation; ignored on a dead pipe.
    fn signal(&mut self, pipe: PipeId, traffic: Traffic);

    /// Takes the next thing received. `None`: nothing now; [`Pattern::readable`](crate::Pattern::readable) tells when that changes.
    fn read(&mut self, pipe: PipeId) -> Option<Traffic>;

    /// Takes the newest message back that was written to `pipe`, is `wanted`, and is still in the pipe's queue. It counts
    /// as never written, and its room is free.
    fn recall(&mut self, pipe: PipeId, wanted: impl Fn(&Message) -> bool) -> Option<Message>;

    /// Counts one message routed to `pipe` (or to nobody) that was dropped.
    fn dropped(&mut self, pipe: Option<PipeId>, cause: Cause);

    /// Counts one message sent for which nobody had subscribed.
    fn unmatched(&mut self);

    /// Counts requests of peers that the application is not told of, because it left too many untold ones unread.
    fn unreported(&mut self, count: u64);

    /// Takes a message that nobody gets, so that its memory is released outside the socket's lock.
    fn discard(&mut self, message: Message);

    /// The peer of this pipe went beyond a limit: its connection is to end for this fault, and what its pipe does then is
    /// told as ever. `false` over inproc, where the peer is of this process and no limit holds.
    fn expel(&mut self, pipe: PipeId, fault: ProtocolError) -> bool;

    /// Whether the peer of this pipe has closed its connection: what is left to read of it comes to an end by itself.
    fn has_closed(&self, pipe: PipeId) -> bool;

    /// Another takes the place of this pipe's peer: its connection is read until the peer closes it, at most for a while, and the
    /// pipe stays until all that came is received. `false` without a connection that was accepted: what is in the pipe is all
    /// there is.
    fn end_when_read(&mut self, pipe: PipeId) -> bool;

    /// Ends the pipe and its connection. `unread` input is thrown away, output already written is still sent.
    /// `detached` follows later.
    fn close(&mut self, pipe: PipeId);
}
