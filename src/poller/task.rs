//! Waiting with a poller as a task.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;
use std::{fmt, io};

use super::{Item, Look, PollEvent, Poller, Wake, fill};
use crate::error::{Error, Result};
use crate::signal::{Places, Signal};
use crate::socket::futures::limit::{Limit, counted, yields};

/// The future of [`Poller::wait_async`].
///
/// # Cancel safety
/// Dropping it ends the wait.
#[must_use = "a future does nothing unless it is polled"]
pub struct PollerWait<'a> {
    events: &'a mut Vec<PollEvent>,
    allowed: Option<Duration>,
    has_files: bool,
    looks: Vec<Look>,
    wake: Arc<Wake>,
    places: Places,
    limit: Limit,
}

impl Poller {
    /// Waits as a task, as [`Poller::wait`] does as a thread.
    ///
    /// # Errors
    /// Returns the errors of [`Poller::wait`]. Returns [`Error::Io`] with `Unsupported` if the poller watches descriptors: an
    /// executor watches them by types of its own. A limit is kept by an I/O thread of a watched socket; returns
    /// [`Error::NoIoThread`] if there is none.
    pub fn wait_async<'a>(
        &'a mut self,
        events: &'a mut Vec<PollEvent>,
        limit: Option<Duration>,
    ) -> PollerWait<'a> {
        PollerWait {
            events,
            allowed: limit,
            has_files: self.has_descriptors(),
            looks: self.items.iter().map(Item::hold).collect(),
            wake: Arc::clone(&self.wake),
            places: Places::default(),
            limit: Limit::default(),
        }
    }
}

/// Where the task waits.
fn signals<'a>(looks: &'a [Look], wake: &'a Wake) -> impl Iterator<Item = &'a Signal> + Clone {
    looks.iter().filter_map(Look::base).map(|base| &base.watch).chain(std::iter::once(&wake.signal))
}

impl Future for PollerWait<'_> {
    type Output = Result<usize>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Result<usize>> {
        let PollerWait { events, allowed, has_files, looks, wake, places, limit } = &mut *self;
        if *has_files {
            let text = "a task cannot wait for the descriptors of a poller";
            return Poll::Ready(Err(Error::Io(io::Error::new(io::ErrorKind::Unsupported, text))));
        }
        if yields(cx, || looks.iter().any(|item| !item.look(None).is_none())) {
            return Poll::Pending;
        }
        let mut bases = looks.iter().filter_map(Look::base);
        bases.clone().try_for_each(|base| base.context.check_process())?;
        let found = places.poll(signals(looks, wake), cx.waker(), || {
            let count = fill(events, &mut looks.iter().map(|item| (item, item.look(None))));
            (count > 0 || wake.is_asked()).then_some(count)
        });
        let first = bases.next();
        if let Poll::Ready(count) = found {
            first.inspect(|base| limit.end(base));
            return counted(Poll::Ready(Ok(count)));
        }
        limit.begin(|| *allowed);
        match (&allowed, first) {
            (None, _) => Poll::Pending,
            (Some(Duration::ZERO), _) => Poll::Ready(Ok(0)),
            (Some(_), None) => Poll::Ready(Err(Error::NoIoThread)),
            (Some(_), Some(base)) => match limit.is_over(base, cx) {
                Ok(true) => Poll::Ready(Ok(0)),
                Ok(false) => Poll::Pending,
                Err(error) => Poll::Ready(Err(error)),
            },
        }
    }
}

impl Drop for PollerWait<'_> {
    fn drop(&mut self) {
        let PollerWait { looks, wake, places, limit, .. } = self;
        places.leave(signals(looks, wake));
        looks.iter().filter_map(Look::base).take(1).for_each(|base| limit.end(base));
    }
}

impl fmt::Debug for PollerWait<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PollerWait").finish_non_exhaustive()
    }
}
