//! A moment that comes again and again.

use std::time::{Duration, Instant};

/// A moment that comes again after every interval, such as the one for the next heartbeat. It needs no thread: a program waits
/// for messages at most for [`Every::left`], and then looks whether [`Every::is_due`].
#[derive(Debug)]
pub struct Every {
    interval: Duration,
    next: Instant,
}

impl Every {
    /// Returns a moment that comes first after one interval.
    #[must_use]
    pub fn new(interval: Duration) -> Every {
        Every { interval, next: Instant::now() + interval }
    }

    /// Returns the time until the moment; zero if it has come.
    #[must_use]
    pub fn left(&self) -> Duration {
        self.next.saturating_duration_since(Instant::now())
    }

    /// Returns whether the moment has come. If so, the next one comes after one interval from now.
    pub fn is_due(&mut self) -> bool {
        let now = Instant::now();
        let due = now >= self.next;
        if due {
            self.next = now + self.interval;
        }
        due
    }
}
