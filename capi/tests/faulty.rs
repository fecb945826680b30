//! Wrong on purpose: what the sanitizers must find in Rust code that is built as the tests are. It runs only when it is asked
//! for by name, which `cargo xtask sanitize --workspace` does.
#![expect(clippy::print_stderr, reason = "a program that is told on its command line what to do")]

use std::cell::UnsafeCell;
use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Barrier;
use std::thread;

struct Unguarded(UnsafeCell<u64>);

// SAFETY: none. That is the fault.
unsafe impl Sync for Unguarded {}

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("race") => race(),
        Some("freed") => freed(),
        Some("leak") => leak(),
        other => {
            eprintln!("race, freed or leak, not {other:?}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// Two threads write to one place, neither after the other.
fn race() {
    let (place, both_are_here) = (Unguarded(UnsafeCell::new(0)), Barrier::new(2));
    let write = || {
        let place = &place;
        both_are_here.wait();
        // SAFETY: none, as another thread does the same.
        unsafe { *place.0.get() += 1 };
    };
    thread::scope(|scope| (0..2).for_each(|_| drop(scope.spawn(write))));
    black_box(place.0.into_inner());
}

/// Reads memory after it is freed.
fn freed() {
    let memory = Box::into_raw(Box::new(7_u64));
    // SAFETY: none for the read.
    unsafe {
        drop(Box::from_raw(memory));
        black_box(memory.read());
    }
}

/// Keeps memory that nothing refers to.
fn leak() {
    black_box(Box::into_raw(Box::new([7_u8; 1000])));
}
