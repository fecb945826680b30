//! The functions of zmq.h that are not about messages: counters, stopwatches, threads, sleep.

use std::ffi::{c_int, c_uint, c_ulong, c_void};
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Instant;

use crate::boundary::{Errno, SignalsBlocked, call};

/// Sleeps for this number of seconds.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_sleep(seconds: c_int) {
    // SAFETY: no pointer is passed.
    unsafe { libc::sleep(c_uint::try_from(seconds).unwrap_or_default()) };
}

/// Creates a counter with value 0.
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

/// Adds 1. Returns the value before.
///
/// # Safety
/// `counter_` is a counter.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_atomic_counter_inc(counter_: *mut c_void) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { counter(counter_) }.map_or(0, |counter| counter.fetch_add(1, Ordering::SeqCst))
}

/// Subtracts 1. Returns 1 if the new value is not 0, else 0.
///
/// # Safety
/// `counter_` is a counter.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_atomic_counter_dec(counter_: *mut c_void) -> c_int {
    // SAFETY: the caller's promise.
    let before = unsafe { counter(counter_) }.map_or(1, |counter| counter.fetch_sub(1, Ordering::SeqCst));
    (before != 1).into()
}

/// Returns the value of a counter.
///
/// # Safety
/// `counter_` is a counter.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_atomic_counter_value(counter_: *mut c_void) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { counter(counter_) }.map_or(0, |counter| counter.load(Ordering::SeqCst))
}

/// Frees a counter and sets its pointer to NULL.
///
/// # Safety
/// `counter_p` points to a counter that is no longer used.
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

/// Returns the microseconds since the start.
///
/// # Safety
/// `watch` is a stopwatch that was not stopped.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_stopwatch_intermediate(watch: *mut c_void) -> c_ulong {
    // SAFETY: the caller's promise.
    let start = unsafe { watch.cast::<Instant>().as_ref() };
    start.map_or(0, |start| c_ulong::try_from(start.elapsed().as_micros()).unwrap_or(c_ulong::MAX))
}

/// Returns the microseconds since the start, and frees the stopwatch.
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

/// The function of a thread.
#[allow(non_camel_case_types)] // C's own name
pub type zmq_thread_fn = Option<unsafe extern "C-unwind" fn(*mut c_void)>;

/// A function and its argument for a new thread.
struct Start {
    func: unsafe extern "C-unwind" fn(*mut c_void),
    arg: *mut c_void,
}

/// Starts a thread with the system's usual stack. It receives no signals (libzmq thread.cpp). Returns NULL if the system gives no
/// thread.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_threadstart(func: zmq_thread_fn, arg: *mut c_void) -> *mut c_void {
    // If the function calls pthread_exit, this unwinds. Nothing is left to be dropped then.
    extern "C-unwind" fn run(start: *mut c_void) -> *mut c_void {
        // SAFETY: from `into_raw` below, and nobody else has it.
        let Start { func, arg } = *unsafe { Box::from_raw(start.cast::<Start>()) };
        // SAFETY: the application's function with the application's argument.
        unsafe { func(arg) };
        std::ptr::null_mut()
    }
    /// The type of function for pthread_create(3).
    type Routine = extern "C" fn(*mut c_void) -> *mut c_void;
    call(std::ptr::null_mut(), || {
        let start = Box::into_raw(Box::new(Start { func: func.ok_or(Errno(libc::EFAULT))?, arg }));
        let mut thread = Box::new(MaybeUninit::<libc::pthread_t>::uninit());
        let _blocked = SignalsBlocked::new();
        let attributes = std::ptr::null();
        // SAFETY: functions that unwind are called as others are, and the C library's caller lets them; the place for the
        // thread is this frame's.
        let failed = unsafe {
            let run = std::mem::transmute::<extern "C-unwind" fn(*mut c_void) -> *mut c_void, Routine>(run);
            libc::pthread_create(thread.as_mut_ptr(), attributes, run, start.cast())
        };
        match failed {
            0 => Ok(Box::into_raw(thread).cast()),
            number => {
                // SAFETY: from `into_raw`, and no thread took it.
                drop(unsafe { Box::from_raw(start) });
                Err(Errno(number))
            }
        }
    })
}

/// Waits for a thread to end.
///
/// # Safety
/// `thread` is a thread of `zmq_threadstart` that was not waited for.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_threadclose(thread: *mut c_void) {
    if !thread.is_null() {
        // SAFETY: the caller's promise: made, filled in and not yet freed.
        unsafe {
            let thread = Box::from_raw(thread.cast::<libc::pthread_t>());
            libc::pthread_join(*thread, std::ptr::null_mut());
        }
    }
}
