//! Waiting as a task until a socket is connected.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use zeroxide_transports::EndpointText;
use zeroxide_zmtp::Peer;

use super::limit::Limit;
use crate::error::{Error, Result};
use crate::signal::Place;
use crate::socket::Socket;
use crate::socket::base::SocketBase;
use crate::socket::observe::{Awaited, Dialled, Peers, Subscribers};

/// A task's wait for a change of the socket's peers.
struct Watch<A> {
    base: Arc<SocketBase>,
    allowed: Duration,
    /// What it waits for, or the error if it cannot begin to wait. `None` when it is over.
    awaited: Option<Result<A>>,
    place: Place,
    limit: Limit,
}

impl<A: Awaited> Watch<A> {
    fn new(base: &Arc<SocketBase>, awaited: Result<A>, allowed: Duration) -> Watch<A> {
        let (place, limit) = (Place::default(), Limit::default());
        Watch { base: Arc::clone(base), allowed, awaited: Some(awaited), place, limit }
    }

    fn poll(&mut self, cx: &TaskContext<'_>) -> Poll<Result<A::Output>> {
        let mut awaited = match self.awaited.take() {
            Some(Ok(awaited)) => awaited,
            Some(Err(error)) => return Poll::Ready(Err(error)),
            None => return Poll::Pending,
        };
        if let Poll::Ready(found) = self.place.poll(&self.base.watch, cx.waker(), || awaited.look(&self.base))
        {
            self.limit.end(&self.base);
            return Poll::Ready(found);
        }
        let allowed = self.allowed;
        self.limit.begin(|| Some(allowed));
        match self.limit.is_over(&self.base, cx) {
            Ok(false) => {
                self.awaited = Some(Ok(awaited));
                Poll::Pending
            }
            Ok(true) => Poll::Ready(Err(Error::TimedOut(awaited.missing(&self.base, allowed)))),
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

impl<A> Drop for Watch<A> {
    fn drop(&mut self) {
        self.place.leave(&self.base.watch);
        self.limit.end(&self.base);
    }
}

/// The future of [`Socket::connect_ready_async`].
///
/// # Cancel safety
/// Dropping it ends only the wait. The socket stays connected, or goes on connecting.
#[must_use = "it waits only when it is polled"]
pub struct ConnectReady(Watch<Dialled>);

/// The future of [`Socket::wait_for_peers_async`].
///
/// # Cancel safety
/// Dropping it ends the wait.
#[must_use = "a future does nothing unless it is polled"]
pub struct PeersReady(Watch<Peers>);

/// The future of [`Socket::wait_for_subscribers_async`].
///
/// # Cancel safety
/// Dropping it ends the wait.
#[must_use = "a future does nothing unless it is polled"]
pub struct SubscribersReady(Watch<Subscribers>);

impl Future for ConnectReady {
    type Output = Result<Arc<Peer>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        self.0.poll(cx)
    }
}

impl Future for PeersReady {
    type Output = Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        self.0.poll(cx)
    }
}

impl Future for SubscribersReady {
    type Output = Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        self.0.poll(cx)
    }
}

impl Socket {
    /// Begins to connect at once. The future waits until the handshake is over, and returns the peer.
    ///
    /// # Errors
    /// Returns the errors of [`Socket::connect_ready`].
    pub fn connect_ready_async(&self, endpoint: impl EndpointText, limit: Duration) -> ConnectReady {
        ConnectReady(Watch::new(self.base(), self.dial(&endpoint.text()), limit))
    }

    /// Waits as a task until at least `n` peers are connected, inproc included.
    ///
    /// # Errors
    /// Returns the errors of [`Socket::wait_for_peers`], and [`Error::NoIoThread`] if it has to wait in a context without I/O threads.
    pub fn wait_for_peers_async(&self, n: usize, limit: Duration) -> PeersReady {
        PeersReady(Watch::new(self.base(), Ok(Peers { wanted: n, have: 0 }), limit))
    }

    /// Waits as a task until at least `n` peers have subscribed to this topic (PUB, XPUB) or joined this group (RADIO).
    ///
    /// # Errors
    /// Returns the errors of [`Socket::wait_for_subscribers`], and [`Error::NoIoThread`] if it has to wait in a context without I/O threads.
    pub fn wait_for_subscribers_async(
        &self,
        topic: impl AsRef<[u8]>,
        n: usize,
        limit: Duration,
    ) -> SubscribersReady {
        SubscribersReady(Watch::new(self.base(), self.subscribers(topic.as_ref(), n), limit))
    }
}

debug!(ConnectReady, PeersReady, SubscribersReady);
