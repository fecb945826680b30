//! Polling futures by hand.
#![allow(dead_code, unreachable_pub)] // each test program uses its part

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context as TaskContext, Poll, Wake, Waker};
use std::thread::{self, Thread};

/// Wakes the thread that polls, and counts.
pub struct Parked(Thread, AtomicUsize);

impl Wake for Parked {
    fn wake(self: Arc<Self>) {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.unpark();
    }
}

pub fn parked() -> Arc<Parked> {
    Arc::new(Parked(thread::current(), AtomicUsize::new(0)))
}

impl Parked {
    pub fn wakes(&self) -> usize {
        self.1.load(Ordering::SeqCst)
    }
}

/// Polls once.
pub fn poll<T>(future: &mut (impl Future<Output = T> + Unpin), wakes: &Arc<Parked>) -> Poll<T> {
    pin!(future).poll(&mut TaskContext::from_waker(&Waker::from(Arc::clone(wakes))))
}

#[track_caller]
pub fn ready<T>(poll: Poll<T>) -> T {
    match poll {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("pending"),
    }
}

/// Waits until a task that was polled is woken.
#[track_caller]
pub fn woken(wakes: &Parked, times: usize) {
    super::until("the task is woken", || wakes.wakes() >= times);
}

/// An executor of one thread.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let waker = Waker::from(parked());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut TaskContext::from_waker(&waker)) {
            return value;
        }
        #[expect(clippy::disallowed_methods, reason = "an executor")]
        thread::park();
    }
}
