//! Calls that wait: in `send` for room, and in `request` for their turn.

use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::signal::{Signal, wait_until};
use crate::sync::waiting::AtomicBool;

/// The calls that wait in `send`, with the time at which each began. `Socket::status` shows them.
#[derive(Default)]
pub(crate) struct Waits(Mutex<Vec<Instant>>);

/// One call that waits.
pub(crate) struct Wait<'a>(&'a Waits, Instant);

impl Waits {
    pub(crate) fn begin(&self, start: Instant) -> Wait<'_> {
        self.enter(start);
        Wait(self, start)
    }

    /// Counts a task that waits since `start`, until [`Waits::end`].
    pub(super) fn enter(&self, start: Instant) {
        self.list().push(start);
    }

    /// Counts a task that has begun to wait at `start` no longer.
    pub(super) fn end(&self, start: Instant) {
        let mut list = self.list();
        if let Some(at) = list.iter().position(|other| *other == start) {
            list.swap_remove(at);
        }
    }

    /// Returns how many calls wait, and since when the first one waits.
    pub(crate) fn look(&self) -> (usize, Option<Instant>) {
        let list = self.list();
        (list.len(), list.iter().min().copied())
    }

    fn list(&self) -> MutexGuard<'_, Vec<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        self.0.end(self.1);
    }
}

/// Lets the calls of `request` on one REQ take turns.
pub(crate) struct Exchange {
    taken: AtomicBool,
    free: Signal,
}

impl Default for Exchange {
    fn default() -> Exchange {
        Exchange { taken: AtomicBool::new(false), free: Signal::default() }
    }
}

/// The turn of one call, until it is dropped.
pub(super) struct MyTurn<'a>(&'a Exchange);

impl Exchange {
    /// Takes the turn if it is free; [`Exchange::give_back`] is to follow.
    pub(super) fn try_take(&self) -> Option<()> {
        (!self.taken.swap(true, Ordering::SeqCst)).then_some(())
    }

    /// Gives the turn to the next call.
    pub(super) fn give_back(&self) {
        self.taken.store(false, Ordering::SeqCst);
        self.free.notify_one();
    }

    /// Where tasks wait for their turn.
    pub(super) fn free(&self) -> &Signal {
        &self.free
    }

    pub(super) fn take(&self, deadline: Option<Instant>) -> Option<MyTurn<'_>> {
        wait_until(&[&self.free], deadline, || self.try_take()).map(|()| MyTurn(self))
    }
}

impl Drop for MyTurn<'_> {
    fn drop(&mut self) {
        self.0.give_back();
    }
}

#[cfg(all(test, loom))]
mod models {
    use std::task::{Poll, Waker};

    use loom::cell::Cell;
    use loom::sync::Arc;
    use loom::thread;

    use super::*;
    use crate::clock;
    use crate::signal::Place;

    /// A REQ, and how many exchanges it has had. Only whose turn it is may touch the count: loom reports any other access.
    struct Req {
        exchange: Exchange,
        had: Cell<u32>,
    }

    impl Req {
        fn exchange_one(&self) {
            self.had.set(self.had.get() + 1);
        }

        fn request(&self) {
            let _turn = self.exchange.take(None).expect("it waits without end");
            self.exchange_one();
        }

        /// Waits for a turn until a moment that has passed.
        fn try_to_request(&self) {
            let turn = self.exchange.take(Some(clock::now()));
            turn.iter().for_each(|_| self.exchange_one());
        }

        /// A request as a future that is polled once and dropped.
        fn begin_and_drop(&self) {
            let mut place = Place::default();
            let look = || self.exchange.try_take();
            match place.poll(self.exchange.free(), Waker::noop(), look) {
                Poll::Ready(()) => {
                    self.exchange_one();
                    self.exchange.give_back();
                }
                Poll::Pending => place.leave(self.exchange.free()),
            }
        }
    }

    /// Runs these at once until each has ended. One that never gets its turn is a deadlock.
    fn together(preemptions: usize, others: &'static [fn(&Req)], own: fn(&Req)) -> u32 {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(preemptions);
        let least = std::sync::Arc::new(std::sync::Mutex::new(u32::MAX));
        let seen = std::sync::Arc::clone(&least);
        model.check(move || {
            let req = Arc::new(Req { exchange: Exchange::default(), had: Cell::new(0) });
            let threads: Vec<_> = others
                .iter()
                .map(|run| {
                    let req = Arc::clone(&req);
                    thread::spawn(move || run(&req))
                })
                .collect();
            own(&req);
            threads.into_iter().for_each(|thread| thread.join().unwrap());
            assert!(req.exchange.try_take().is_some(), "the turn is given back");
            assert_eq!(req.exchange.free().waiting(), 0);
            let mut seen = seen.lock().unwrap();
            *seen = (*seen).min(req.had.get());
        });
        let least = *least.lock().unwrap();
        least
    }

    #[test]
    fn each_of_three_requests_gets_its_turn_and_has_it_alone() {
        assert_eq!(together(2, &[Req::request, Req::request], Req::request), 3);
    }

    #[test]
    fn a_request_that_gives_up_takes_nobodys_turn_along() {
        assert_eq!(together(3, &[Req::request, Req::try_to_request], Req::request), 2);
    }

    #[test]
    fn a_request_that_is_dropped_while_it_waits_passes_its_wake_on() {
        assert_eq!(together(3, &[Req::request, Req::begin_and_drop], Req::request), 2);
    }
}
