//! Code of the application that runs inside a call of ours: drops of payloads, and wakers of its tasks.
//!
//! **It does not nest.** Such code may call us again: a payload whose drop sends another one, a waker that polls its task
//! at once. What that call would run in turn waits in a list of the thread until the first has returned. So user code
//! never runs inside user code, and cannot deepen the stack without end. It is called without a lock.
//!
//! **It may wait.** A payload's drop may wait for another thread that sleeps in a call of ours: the wakers of this library
//! are not in the list (`signal`), and a payload is dropped after all that its call had to do (`socket/settle`). A drop
//! must not wait for a task that its own thread wakes, nor for another payload that its own thread drops.
//!
//! **It may panic.** The panic ends here, and its hook has printed it. It is nobody's error: the call under way is
//! seldom the one that the payload came from.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;

use crate::sync::thread_local;

/// Calls of user code that wait for an earlier one.
type List = VecDeque<Box<dyn FnOnce()>>;

thread_local! {
    /// What waits while user code runs on this thread; `None` while none runs.
    static WAITING: RefCell<Option<List>> = const { RefCell::new(None) };
}

/// Drops what may hold memory of the application.
pub(crate) fn free<T: 'static>(garbage: T) {
    run(move || drop(garbage));
}

/// Drops each. A panic of one drop does not reach the others.
pub(crate) fn free_each<T>(garbage: impl Iterator<Item = T> + 'static) {
    run(move || {
        for one in garbage {
            contain(|| drop(one));
        }
    });
}

/// Wakes a task of the application.
pub(crate) fn wake(waker: Waker) {
    run(move || waker.wake());
}

/// Runs user code; `None` when it panicked. What it panicked with may panic in turn when it is dropped, and what that
/// panics with is dropped no more.
pub(crate) fn contain<T>(code: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(code)) {
        Ok(value) => Some(value),
        Err(payload) => {
            if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
                std::mem::forget(again);
            }
            None
        }
    }
}

/// Runs user code now, or after what runs already on this thread.
fn run(code: impl FnOnce() + 'static) {
    let mut code = Some(code);
    let nested = WAITING.try_with(|waiting| match &mut *waiting.borrow_mut() {
        Some(list) => {
            list.extend(code.take().map(|code| Box::new(code) as Box<dyn FnOnce()>));
            true
        }
        none => {
            *none = Some(List::new());
            false
        }
    });
    let Some(code) = code else { return };
    contain(code);
    // A thread that is about to end has no list any more.
    if matches!(nested, Ok(false)) {
        while let Some(code) = next() {
            contain(code);
        }
    }
}

/// What waits first; the list ends when nothing does.
fn next() -> Option<Box<dyn FnOnce()>> {
    WAITING.with(|waiting| {
        let mut waiting = waiting.borrow_mut();
        let first = waiting.as_mut().and_then(VecDeque::pop_front);
        if first.is_none() {
            *waiting = None;
        }
        first
    })
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

    /// A payload whose drop wakes a task, then panics with what panics when it is dropped.
    struct Panics(Waker);

    impl Drop for Panics {
        fn drop(&mut self) {
            wake(self.0.clone());
            std::panic::panic_any(PanicsAgain);
        }
    }

    struct PanicsAgain;

    impl Drop for PanicsAgain {
        fn drop(&mut self) {
            panic!("of the application");
        }
    }

    #[test]
    fn a_panic_of_user_code_ends_here_and_everything_else_is_run() {
        let woken = Arc::new(WakesAgain(AtomicUsize::new(1_000_000)));
        let waker = Waker::from(Arc::clone(&woken));
        free(Panics(waker.clone()));
        assert_eq!(woken.0.load(Ordering::SeqCst), 1_000_001, "nobody goes on waiting");
        free_each([(); 2].map(|()| Panics(waker.clone())).into_iter());
        assert_eq!(woken.0.load(Ordering::SeqCst), 1_000_003, "each is dropped");
        wake(waker);
        assert_eq!(woken.0.load(Ordering::SeqCst), 1_000_004, "and the next is run at once");
    }
}
