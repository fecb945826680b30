//! Sending and receiving as futures, on any executor: they use `std::future` alone. A task waits where threads wait
//! (`signal`), so threads and tasks may use one socket at once. Time-outs are kept by the socket's I/O thread (`alarms`).
//!
//! What holds for all of them:
//!
//! - a future does nothing before it is polled;
//! - dropping one never loses a message: a message is received in the poll that returns it, and sent in the poll that returns
//!   `Ok`. Its wake, if it has one that it did not use, goes to the next waiter;
//! - when the socket is closed, they end with [`Error::Closed`];
//! - after [`limit::READY_BEFORE_A_YIELD`] futures that were ready, the next one yields, so that other tasks of its executor run;
//! - wakers are called, cloned and dropped without a lock.
//!
//! A future that has been polled is to be polled on or dropped. While it is neither, it may hold the wake, or the turn among requests,
//! for which another waiter waits.

/// Debug for futures, which show nothing of what they hold.
macro_rules! debug {
    ($($future:ident),+) => {
        $(impl std::fmt::Debug for $future {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($future)).finish_non_exhaustive()
            }
        })+
    };
}

pub(crate) mod limit;
mod observe;
mod receive;
mod request;
mod send;
#[cfg(feature = "stream")]
mod streams;

pub use observe::{ConnectReady, PeersReady, SubscribersReady};
pub use receive::{Recv, RecvFrom};
pub use request::Request;
pub use send::Sending;
#[cfg(feature = "stream")]
pub use streams::{IntoMessages, MessageSink, Messages};
