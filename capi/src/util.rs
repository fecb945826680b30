//! What zmq.h offers beside messaging: counters, stopwatches, threads, sleep.

use std::ffi::{c_int, c_uint, c_ulong, c_void};
use std::sync::atomic::{AtomicI32, Ordering};
use std::thread::JoinHandle;
use std::time::Instant;

use crate::boundary::{Errno, call};

/// Sleeps for so many seconds.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_sleep(seconds: c_int) {
    // SAFETY: no pointer is passed.
    unsafe { libc::sleep(c_uint::try_from(seconds).unwrap_or_default()) };
}

/// A new counter, at 0.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_atomic_counter_new() -> *mut c_void {
    Box::into_raw(Box::new(AtomicI32::new(0))).cast()
}

/// # Safety
/// `counter` is NULL, or a counter that was not destroyed.
unsafe fn counter<'a>(counter: *mut c_void) -> Option<&'a AtomicI32> {
    // SAFETY: the caller's promise.
    unsafe { counter.cast::<AtomicI32>().as_ref() }
}

/// Sets a counter.
///
/// # Safety
/// `counter_` is a counter.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_atomic_counter_set(counter_: *mut c_void, value: c_int) {
    // SAFETY: the caller's promise.
    if let Some(counter) = unsafe { counter(counter_) } {
        counter.store(value, Ordering::SeqCst);
    }
}

/// Adds one; answers the value before.
///
/// # Safety
/// `counter_` is a counter.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_atomic_counter_inc(counter_: *mut c_void) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { counter(counter_) }.map_or(0, |counter| counter.fetch_add(1, Ordering::SeqCst))
}

/// Takes one away; 1 while something is left, else 0.
///
/// # Safety
/// `counter_` is a counter.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_atomic_counter_dec(counter_: *mut c_void) -> c_int {
    // SAFETY: the caller's promise.
    let before = unsafe { counter(counter_) }.map_or(1, |counter| counter.fetch_sub(1, Ordering::SeqCst));
    (before != 1).into()
}

/// The value.
///
/// # Safety
/// `counter_` is a counter.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_atomic_counter_value(counter_: *mut c_void) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { counter(counter_) }.map_or(0, |counter| counter.load(Ordering::SeqCst))
}

/// Frees a counter and makes its pointer NULL.
///
/// # Safety
/// `counter_p` points to a counter, which nobody uses any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_atomic_counter_destroy(counter_p: *mut *mut c_void) {
    // SAFETY: the caller's promise.
    unsafe {
        if let Some(counter) = counter_p.as_mut().filter(|counter| !counter.is_null()) {
            drop(Box::from_raw(counter.cast::<AtomicI32>()));
            *counter = std::ptr::null_mut();
        }
    }
}

/// Starts a stopwatch.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_stopwatch_start() -> *mut c_void {
    Box::into_raw(Box::new(Instant::now())).cast()
}

/// Microseconds since the start.
///
/// # Safety
/// `watch` is a stopwatch that was not stopped.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_stopwatch_intermediate(watch: *mut c_void) -> c_ulong {
    // SAFETY: the caller's promise.
    let start = unsafe { watch.cast::<Instant>().as_ref() };
    start.map_or(0, |start| c_ulong::try_from(start.elapsed().as_micros()).unwrap_or(c_ulong::MAX))
}

/// Microseconds since the start; frees the stopwatch.
///
/// # Safety
/// `watch` is a stopwatch that was not stopped.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_stopwatch_stop(watch: *mut c_void) -> c_ulong {
    // SAFETY: the caller's promise.
    let elapsed = unsafe { zmq_stopwatch_intermediate(watch) };
    if !watch.is_null() {
        // SAFETY: the caller's promise.
        drop(unsafe { Box::from_raw(watch.cast::<Instant>()) });
    }
    elapsed
}

/// What a thread runs.
#[allow(non_camel_case_types)] // C's own name
pub type zmq_thread_fn = Option<unsafe extern "C" fn(*mut c_void)>;

/// An argument on its way to its thread.
struct Argument(*mut c_void);

// SAFETY: the application hands it to another thread on purpose.
unsafe impl Send for Argument {}

/// Starts a thread. NULL when the system gives none.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_threadstart(func: zmq_thread_fn, arg: *mut c_void) -> *mut c_void {
    call(std::ptr::null_mut(), || {
        let func = func.ok_or(Errno(libc::EFAULT))?;
        let arg = Argument(arg);
        let thread = std::thread::Builder::new().spawn(move || {
            let arg = arg;
            // SAFETY: the application's function with the application's argument.
            unsafe { func(arg.0) }
        });
        let thread = thread.map_err(|error| Errno(error.raw_os_error().unwrap_or(libc::EAGAIN)))?;
        Ok(Box::into_raw(Box::new(thread)).cast())
    })
}

/// Waits for a thread to end.
///
/// # Safety
/// `thread` is a thread of `zmq_threadstart` that was not waited for.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_threadclose(thread: *mut c_void) {
    if !thread.is_null() {
        // SAFETY: the caller's promise.
        let thread = unsafe { Box::from_raw(thread.cast::<JoinHandle<()>>()) };
        // Its panic was printed by its hook.
        let _ = thread.join();
    }
}
