//! The I/O thread's watch over deferred sockets: it flushes each at once, looks again after 50 µs, then at growing intervals up
//! to 1 ms, and stops when a look finds no new message.
//!
//! So many messages cost the sender one wake only, and the last messages of a burst leave soon. mio's timeout is at least
//! 1 ms. If the system has a finer timer (Linux: timerfd), the watch uses it.

use std::sync::Arc;
use std::time::Duration;

use super::reactor::{Reactor, Timer};
use crate::clock;
use crate::socket::base::SocketBase;

/// The wait before the first look after a flush.
const FIRST: Duration = Duration::from_micros(50);

/// The longest wait between two looks.
const LONGEST: Duration = Duration::from_millis(1);

/// The sockets under watch.
#[derive(Default)]
pub(super) struct Watch {
    sockets: Vec<Arc<SocketBase>>,
    interval: Duration,
    clock: Option<fine::Clock>,
}

impl Reactor {
    /// Flushes a deferred socket, and watches it.
    pub(super) fn watch_over(&mut self, base: Arc<SocketBase>) {
        let new = base.look();
        let known = self.watch.sockets.iter().any(|watched| Arc::ptr_eq(watched, &base));
        if new && !known {
            self.watch.sockets.push(base);
        }
        if !self.watch.sockets.is_empty() {
            self.watch.interval = FIRST;
            self.look_later();
        }
    }

    /// Looks at the watched sockets again.
    pub(super) fn look_again(&mut self) {
        self.watch.sockets.retain(SocketBase::look);
        if !self.watch.sockets.is_empty() {
            self.watch.interval = (self.watch.interval * 3 / 2).min(LONGEST);
            self.look_later();
        }
    }

    fn look_later(&mut self) {
        let interval = self.watch.interval;
        if self.watch.clock.is_none() {
            self.watch.clock = fine::Clock::new(self.poll.registry());
        }
        if !self.watch.clock.as_mut().is_some_and(|clock| clock.arm(interval)) {
            self.arm(clock::now() + interval, Timer::Watch);
        }
    }
}

#[cfg(all(target_os = "linux", not(simulate)))]
mod fine {
    use std::os::fd::{AsRawFd, OwnedFd};
    use std::time::Duration;

    use mio::unix::SourceFd;
    use mio::{Interest, Registry};
    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };

    /// A timer with the resolution of the system's clock, as a readable descriptor.
    pub(super) struct Clock(OwnedFd);

    impl Clock {
        /// Creates a clock on the reactor's poll; `None` when the system gives no descriptor.
        pub(super) fn new(registry: &Registry) -> Option<Clock> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let clock = timerfd_create(TimerfdClockId::Monotonic, flags).ok()?;
            registry
                .register(&mut SourceFd(&clock.as_raw_fd()), crate::io::reactor::WATCH, Interest::READABLE)
                .ok()?;
            Some(Clock(clock))
        }

        /// Sets the timer to fire once after `interval`, which is less than a second. Returns `false` if the system refuses.
        pub(super) fn arm(&mut self, interval: Duration) -> bool {
            let zero = Timespec { tv_sec: 0, tv_nsec: 0 };
            let it_value = Timespec { tv_sec: 0, tv_nsec: interval.subsec_nanos() as _ };
            let once = Itimerspec { it_interval: zero, it_value };
            timerfd_settime(&self.0, TimerfdTimerFlags::empty(), &once).is_ok()
        }
    }
}

#[cfg(not(all(target_os = "linux", not(simulate))))]
mod fine {
    use std::time::Duration;

    use mio::Registry;

    /// This system has no timer that fits into a poll. The reactor's own timers, with 1 ms, are used.
    pub(super) enum Clock {}

    impl Clock {
        pub(super) fn new(_: &Registry) -> Option<Clock> {
            None
        }

        pub(super) fn arm(&mut self, _: Duration) -> bool {
            match *self {}
        }
    }
}
