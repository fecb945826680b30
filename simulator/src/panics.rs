//! Panics of what is played: each is a fault of its session, with the place where it happened.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};

use crate::fault::{Checked, Fault};

thread_local! {
    static LAST: RefCell<String> = const { RefCell::new(String::new()) };
}

/// From now on, a panic is kept instead of printed.
pub(crate) fn keep() {
    set_hook(Box::new(|panic| LAST.set(panic.to_string())));
}

/// Calls `act`; a panic in it is a fault.
pub(crate) fn caught<T>(act: impl FnOnce() -> Checked<T>) -> Checked<T> {
    let outcome = catch_unwind(AssertUnwindSafe(act));
    outcome.unwrap_or_else(|_| Err(Fault::new("nothing panics", LAST.take())))
}
