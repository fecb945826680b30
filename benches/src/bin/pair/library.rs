//! What a library must be able to do to be compared.

use std::time::Duration;

use crate::case::{Kind, Seal};

/// Longest wait for anything at all: a run that takes longer has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// One library. Calls that fail end the process with a message: its parent reports that.
pub(crate) trait Library {
    /// Where sockets come from.
    type Context: Clone + Send + Sync;
    /// One socket, used by one thread.
    type Socket: Send;

    /// A context with default options.
    fn context() -> Self::Context;

    /// A socket with default options, apart from what [`Kind`] and [`Seal`] say.
    fn socket(context: &Self::Context, kind: Kind, seal: Seal) -> Self::Socket;

    /// Binds; answers where others connect to.
    fn bind(socket: &Self::Socket, endpoint: &str) -> String;

    /// Connects.
    fn connect(socket: &Self::Socket, endpoint: &str);

    /// Waits until `n` subscribers are known to a [`Kind::Pub`].
    fn wait_for_subscribers(socket: &mut Self::Socket, n: usize);

    /// Sends a copy of `body`, waiting for room.
    fn send(socket: &Self::Socket, body: &[u8]);

    /// Receives; answers how many bytes came.
    fn recv(socket: &mut Self::Socket) -> usize;

    /// Receives what is there; answers whether anything was.
    fn try_recv(socket: &mut Self::Socket) -> bool;

    /// Waits a moment for a message; answers whether one came.
    fn recv_briefly(socket: &mut Self::Socket) -> bool;

    /// The time of sealing and of opening a body of `size` bytes, by the crate or library that does it.
    #[cfg(feature = "curve")]
    fn boxes(size: usize) -> [Duration; 2];

    /// What the socket counted, if it counts.
    fn counters(socket: &Self::Socket) -> Counters;
}

/// Counters of a socket since it was made.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counters {
    pub(crate) writes: u64,
    pub(crate) reads: u64,
    pub(crate) wakes: u64,
    pub(crate) deferrals: u64,
    pub(crate) busy: u64,
}

impl Counters {
    pub(crate) fn since(self, before: Counters) -> Counters {
        self.zip(before, |now, then| now.saturating_sub(then))
    }

    pub(crate) fn plus(self, other: Counters) -> Counters {
        self.zip(other, |a, b| a + b)
    }

    fn zip(self, other: Counters, with: impl Fn(u64, u64) -> u64) -> Counters {
        Counters {
            writes: with(self.writes, other.writes),
            reads: with(self.reads, other.reads),
            wakes: with(self.wakes, other.wakes),
            deferrals: with(self.deferrals, other.deferrals),
            busy: with(self.busy, other.busy),
        }
    }
}
