//! A proxy as a task.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use super::forward::{Forwarder, Round};
use super::steering::Steering;
use super::{Proxy, ProxyStats};
use crate::error::Result;
use crate::signal::{Places, Signal};
use crate::socket::base::SocketBase;

/// The future of [`Proxy::run_async`].
///
/// # Cancel safety
/// Dropping it ends the proxy. A message that was received and for which the other side has no room is dropped then, at most one
/// each way; until then [`ProxyRun::stats`] counts it as `held`. When a control socket ends the proxy, it is counted as `unsent`.
#[must_use = "a future does nothing unless it is polled"]
pub struct ProxyRun {
    forwarder: Result<Forwarder>,
    bases: Vec<Arc<SocketBase>>,
    steering: Arc<Steering>,
    places: Places,
}

impl Proxy {
    /// Forwards as a task, as [`Proxy::run`] does as a thread. After each round of at most 1000 messages each way the task lets
    /// others run.
    ///
    /// # Errors
    /// Returns the errors of [`Proxy::run`].
    pub fn run_async(self) -> ProxyRun {
        let steering: Arc<Steering> = Arc::default();
        let checked = self.0.check();
        let forwarder = checked.map(|()| Forwarder::new(self.0, Arc::clone(&steering), false));
        let bases = forwarder.as_ref().map_or_else(|_| Vec::new(), Forwarder::bases);
        ProxyRun { forwarder, bases, steering, places: Places::default() }
    }
}

impl ProxyRun {
    /// Returns the counts. They are updated after every round.
    #[must_use]
    pub fn stats(&self) -> ProxyStats {
        self.steering.stats()
    }
}

/// Where the task waits.
fn signals<'a>(
    bases: &'a [Arc<SocketBase>],
    steering: &'a Steering,
) -> impl Iterator<Item = &'a Signal> + Clone {
    bases.iter().map(|base| &base.watch).chain(std::iter::once(&steering.orders))
}

impl Future for ProxyRun {
    type Output = Result<ProxyStats>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Result<ProxyStats>> {
        let ProxyRun { forwarder, bases, steering, places } = &mut *self;
        let forwarder = match forwarder {
            Ok(forwarder) => forwarder,
            Err(_) => {
                return Poll::Ready(
                    std::mem::replace(forwarder, Err(crate::Error::Closed)).map(|_| ProxyStats::default()),
                );
            }
        };
        let round = places.poll(signals(bases, steering), cx.waker(), || forwarder.round(bases).transpose());
        let ended = match round {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Ok(Round::Moved)) => {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Poll::Ready(Ok(Round::Stopped)) => Ok(()),
            Poll::Ready(Err(error)) => Err(error),
        };
        Poll::Ready(forwarder.finish(ended))
    }
}

impl Drop for ProxyRun {
    fn drop(&mut self) {
        let ProxyRun { bases, steering, places, .. } = self;
        places.leave(signals(bases, steering));
    }
}

impl fmt::Debug for ProxyRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProxyRun").field("stats", &self.stats()).finish_non_exhaustive()
    }
}
