//! Code of the application that runs inside a call of ours: drops of payloads, and wakers.
//!
//! Such code may call us again: a payload whose drop sends another one, a waker that polls its task at once. What that
//! call would run in turn waits in a list of the thread until the first has returned. So user code never runs inside
//! user code, and cannot deepen the stack without end. It is called without a lock.

use std::any::Any;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::task::Waker;

/// What waits to be run.
enum Work {
    Free(#[allow(dead_code)] Box<dyn Any>), // only ever dropped
    Wake(Waker),
}

thread_local! {
    /// What waits while user code runs on this thread; `None` while none runs.
    static WAITING: RefCell<Option<VecDeque<Work>>> = const { RefCell::new(None) };
}

/// Drops what may hold memory of the application.
pub(crate) fn free<T: 'static>(garbage: T) {
    run(garbage, drop, |garbage| Work::Free(Box::new(garbage)));
}

/// Wakes a task.
pub(crate) fn wake(waker: Waker) {
    run(waker, Waker::wake, Work::Wake);
}

/// Does `now` with `item`, or keeps it `later` where user code runs already.
fn run<T>(item: T, now: impl FnOnce(T), later: impl FnOnce(T) -> Work) {
    let mut item = Some(item);
    let nested = WAITING.try_with(|waiting| match &mut *waiting.borrow_mut() {
        Some(list) => {
            list.extend(item.take().map(later));
            true
        }
        none => {
            *none = Some(VecDeque::new());
            false
        }
    });
    // A thread that is about to end has no list any more.
    let outermost = (nested == Ok(false)).then(|| Outermost);
    if let Some(item) = item {
        now(item);
    }
    if outermost.is_some() {
        while let Some(work) = next() {
            match work {
                Work::Free(garbage) => drop(garbage),
                Work::Wake(waker) => waker.wake(),
            }
        }
    }
}

fn next() -> Option<Work> {
    WAITING.with_borrow_mut(|waiting| waiting.as_mut().and_then(VecDeque::pop_front))
}

/// The first call of user code on this thread. Its end, by a panic too, ends the list.
struct Outermost;

impl Drop for Outermost {
    fn drop(&mut self) {
        let left = WAITING.with_borrow_mut(Option::take);
        // After a panic something is left. It is freed, and nobody may go on waiting for a wake.
        for work in left.into_iter().flatten() {
            if let Work::Wake(waker) = work {
                waker.wake();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    /// A payload whose drop frees another one, so many times.
    struct Chain(usize, Arc<AtomicUsize>);

    impl Drop for Chain {
        fn drop(&mut self) {
            self.1.fetch_add(1, Ordering::SeqCst);
            if self.0 > 0 {
                free(Chain(self.0 - 1, Arc::clone(&self.1)));
            }
        }
    }

    #[test]
    fn a_payload_whose_drop_frees_another_a_million_times_needs_no_stack() {
        let dropped = Arc::new(AtomicUsize::new(0));
        free(Chain(1_000_000, Arc::clone(&dropped)));
        assert_eq!(dropped.load(Ordering::SeqCst), 1_000_001);
    }

    struct WakesAgain(AtomicUsize);

    impl Wake for WakesAgain {
        fn wake(self: Arc<Self>) {
            if self.0.fetch_add(1, Ordering::SeqCst) < 1_000_000 {
                wake(Waker::from(Arc::clone(&self)));
            }
        }
    }

    #[test]
    fn a_waker_that_wakes_another_a_million_times_needs_no_stack() {
        let waker = Arc::new(WakesAgain(AtomicUsize::new(0)));
        wake(Waker::from(Arc::clone(&waker)));
        assert_eq!(waker.0.load(Ordering::SeqCst), 1_000_001);
    }

    #[test]
    fn after_a_panic_of_user_code_the_thread_goes_on() {
        struct Panics(Waker);
        impl Drop for Panics {
            fn drop(&mut self) {
                wake(self.0.clone());
                panic!("of the application");
            }
        }
        let woken = Arc::new(WakesAgain(AtomicUsize::new(1_000_000)));
        let waker = Waker::from(Arc::clone(&woken));
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| free(Panics(waker.clone()))));
        assert!(caught.is_err());
        assert_eq!(woken.0.load(Ordering::SeqCst), 1_000_001, "nobody goes on waiting");
        wake(waker);
        assert_eq!(woken.0.load(Ordering::SeqCst), 1_000_002, "and the next is run at once");
    }
}
