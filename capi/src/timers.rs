//! `zmq_timers`: functions that are called again and again after an interval, by the thread that executes them.

use std::ffi::{c_int, c_long, c_void};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::boundary::{Errno, call};
use crate::handles::{Held, Slots};

static TIMERS: Slots<Mutex<Timers>> = Slots::new();

/// What a timer calls.
#[allow(non_camel_case_types)] // C's own name
pub type zmq_timer_fn = Option<unsafe extern "C" fn(timer_id: c_int, arg: *mut c_void)>;

#[derive(Default)]
struct Timers {
    last_id: c_int,
    timers: Vec<Timer>,
}

#[derive(Clone, Copy)]
struct Timer {
    id: c_int,
    interval: Duration,
    due: Option<Instant>,
    call: unsafe extern "C" fn(c_int, *mut c_void),
    argument: *mut c_void,
}

// SAFETY: the argument is only passed on. The application decides on which thread it executes timers.
unsafe impl Send for Timer {}

impl Timer {
    /// Starts the interval now. It never ends if its end is beyond the range of the clock.
    fn rearm(&mut self) {
        self.due = Instant::now().checked_add(self.interval);
    }
}

impl Timers {
    fn find(&mut self, id: c_int) -> Result<&mut Timer, Errno> {
        self.timers.iter_mut().find(|timer| timer.id == id).ok_or(Errno(libc::EINVAL))
    }

    fn next(&self) -> Option<Instant> {
        self.timers.iter().filter_map(|timer| timer.due).min()
    }
}

fn of(handle: *mut c_void) -> Result<Held<Mutex<Timers>>, Errno> {
    TIMERS.get(handle).ok_or(Errno(libc::EFAULT))
}

fn lock(timers: &Mutex<Timers>) -> MutexGuard<'_, Timers> {
    timers.lock().unwrap_or_else(PoisonError::into_inner)
}

fn interval(millis: usize) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
}

/// Creates a set of timers. Returns NULL with `EMFILE` if there are too many.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_timers_new() -> *mut c_void {
    call(std::ptr::null_mut(), || {
        let handle = TIMERS.insert(Mutex::default());
        if handle.is_null() { Err(Errno(libc::EMFILE)) } else { Ok(handle) }
    })
}

/// Frees a set of timers and sets its pointer to NULL. Fails with `EFAULT`.
///
/// # Safety
/// `timers_p` is NULL or points to a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_timers_destroy(timers_p: *mut *mut c_void) -> c_int {
    call(-1, || {
        // SAFETY: the caller's promise.
        let handle = unsafe { timers_p.as_mut() }.ok_or(Errno(libc::EFAULT))?;
        TIMERS.retire(*handle).ok_or(Errno(libc::EFAULT))?;
        *handle = std::ptr::null_mut();
        Ok(0)
    })
}

/// Adds a timer that calls `handler` every `millis` milliseconds; returns its number. Fails with `EFAULT`.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_timers_add(
    timers: *mut c_void,
    millis: usize,
    handler: zmq_timer_fn,
    arg: *mut c_void,
) -> c_int {
    call(-1, || {
        let held = of(timers)?;
        let handler = handler.ok_or(Errno(libc::EFAULT))?;
        let mut timers = lock(&held);
        timers.last_id += 1;
        let mut timer =
            Timer { id: timers.last_id, interval: interval(millis), due: None, call: handler, argument: arg };
        timer.rearm();
        timers.timers.push(timer);
        Ok(timer.id)
    })
}

/// Removes a timer. Fails with `EFAULT`, or with `EINVAL` if it does not exist.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_timers_cancel(timers: *mut c_void, timer_id: c_int) -> c_int {
    call(-1, || {
        let held = of(timers)?;
        let mut timers = lock(&held);
        timers.find(timer_id)?;
        timers.timers.retain(|timer| timer.id != timer_id);
        Ok(0)
    })
}

/// Changes the interval of a timer, and starts it again. Fails with `EFAULT`, `EINVAL`.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_timers_set_interval(timers: *mut c_void, timer_id: c_int, millis: usize) -> c_int {
    call(-1, || {
        let held = of(timers)?;
        let mut timers = lock(&held);
        let timer = timers.find(timer_id)?;
        timer.interval = interval(millis);
        timer.rearm();
        Ok(0)
    })
}

/// Starts the interval of a timer again. Fails with `EFAULT`, `EINVAL`.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_timers_reset(timers: *mut c_void, timer_id: c_int) -> c_int {
    call(-1, || {
        lock(&*of(timers)?).find(timer_id)?.rearm();
        Ok(0)
    })
}

/// Returns the milliseconds until a timer is due: 0 if one is due, -1 if there is none. Fails with `EFAULT`.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_timers_timeout(timers: *mut c_void) -> c_long {
    call(-1, || {
        let held = of(timers)?;
        let next = lock(&held).next();
        // Rounded up, so that no call comes too early.
        let left = |due: Instant| {
            let left = due.saturating_duration_since(Instant::now());
            c_long::try_from(left.as_nanos().div_ceil(1_000_000)).unwrap_or(c_long::MAX)
        };
        Ok(next.map_or(-1, left))
    })
}

/// Calls the handlers of all timers that are due, each once, in the order in which they became due. Fails with `EFAULT`.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_timers_execute(timers: *mut c_void) -> c_int {
    call(-1, || {
        let held = of(timers)?;
        let now = Instant::now();
        let mut due: Vec<(Instant, c_int)> = lock(&held)
            .timers
            .iter()
            .filter_map(|timer| timer.due.filter(|due| *due <= now).map(|due| (due, timer.id)))
            .collect();
        due.sort();
        for (_, id) in due {
            // A handler may have cancelled or reset it.
            let timer = match lock(&held).find(id) {
                Ok(timer) if timer.due.is_some_and(|due| due <= now) => {
                    timer.rearm();
                    *timer
                }
                _ => continue,
            };
            // SAFETY: the application's function with the application's argument. No lock is held.
            unsafe { (timer.call)(id, timer.argument) };
        }
        Ok(0)
    })
}
