//! The clock. Only this file reads it, so that a simulation can set it.

#[cfg(not(simulate))]
pub(crate) use real::now;
#[cfg(simulate)]
pub(crate) use simulated::now;

#[cfg(not(simulate))]
mod real {
    use std::time::Instant;

    /// Returns the present moment.
    #[inline]
    pub(crate) fn now() -> Instant {
        Instant::now()
    }
}

#[cfg(simulate)]
pub(crate) mod simulated {
    use std::cell::Cell;
    use std::time::{Duration, Instant};

    thread_local! {
        static NOW: Cell<Option<Instant>> = const { Cell::new(None) };
        static TICK: Cell<Duration> = const { Cell::new(Duration::ZERO) };
    }

    /// Returns the present moment of this thread's simulation. Each reading takes one tick.
    pub(crate) fn now() -> Instant {
        let now = moment();
        NOW.set(Some(now + TICK.get()));
        now
    }

    /// Returns the present moment. The reading takes no time.
    pub(crate) fn moment() -> Instant {
        let now = NOW.get().unwrap_or_else(Instant::now);
        NOW.set(Some(now));
        now
    }

    /// Sets the clock forward.
    pub(crate) fn advance(time: Duration) {
        NOW.set(moment().checked_add(time));
    }

    /// Sets what a reading takes.
    pub(crate) fn set_tick(tick: Duration) {
        TICK.set(tick);
    }
}
