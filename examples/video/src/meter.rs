//! What a viewer counts: pictures that came, pictures that did not, and how old they were when they were shown.

use std::fmt;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::{Failure, Header};

/// The greatest latency that is told from a greater one, in microseconds.
const OLDEST: u64 = 60_000_000;

/// Counts pictures from one moment on. Its text is a line for people.
#[derive(Debug)]
pub struct Meter {
    since: Instant,
    /// The number of the last picture.
    last: Option<u64>,
    shown: u64,
    lost: u64,
    /// How often the numbers have begun anew: the source was started again.
    restarts: u64,
    /// How many messages were no picture.
    unreadable: u64,
    /// In microseconds.
    latency: Histogram<u64>,
}

impl Meter {
    /// Begins to count. `last` is the number of the last picture that was shown before, if there was one.
    ///
    /// # Errors
    /// Returns an error if there is no memory for the counts.
    pub fn new(last: Option<u64>) -> Result<Meter, Failure> {
        let latency = Histogram::new_with_bounds(1, OLDEST, 3)?;
        Ok(Meter { since: Instant::now(), last, shown: 0, lost: 0, restarts: 0, unreadable: 0, latency })
    }

    /// Counts a picture that is shown at this moment, and those before it that never came.
    pub fn show(&mut self, header: &Header) {
        self.shown += 1;
        match self.last {
            Some(last) if header.number > last => self.lost += header.number - last - 1,
            Some(_) => self.restarts += 1,
            None => {}
        }
        self.last = Some(header.number);
        self.latency.saturating_record(header.age().as_micros() as u64);
    }

    /// Counts a message that is no picture.
    pub fn refuse(&mut self) {
        self.unreadable += 1;
    }

    /// Returns the number of the last picture.
    #[must_use]
    pub fn last(&self) -> Option<u64> {
        self.last
    }

    /// Returns how many pictures were shown.
    #[must_use]
    pub fn shown(&self) -> u64 {
        self.shown
    }

    /// Returns for how long it has counted.
    #[must_use]
    pub fn lasts(&self) -> Duration {
        self.since.elapsed()
    }
}

impl fmt::Display for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate = self.shown as f64 / self.lasts().as_secs_f64();
        let at = |quantile| self.latency.value_at_quantile(quantile) as f64 / 1000.0;
        write!(f, "{} shown, {} lost, {rate:.1}/s, latency in ms: ", self.shown, self.lost)?;
        write!(f, "p50 {:.1}, p99 {:.1}, max {:.1}", at(0.5), at(0.99), at(1.0))?;
        if self.restarts > 0 {
            write!(f, ", {} restarts of the source", self.restarts)?;
        }
        if self.unreadable > 0 {
            write!(f, ", {} unreadable", self.unreadable)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::now;

    #[test]
    fn latencies_are_in_the_text() {
        let mut meter = Meter::new(None).unwrap();
        for age in [100_000, 1_000_000_000] {
            meter.show(&Header { number: 1, taken: now() - age, width: 1, height: 1 });
        }
        let text = meter.to_string();
        let (_, p50) = text.split_once("p50 ").unwrap();
        let p50: f64 = p50.split(',').next().unwrap().parse().unwrap();
        assert!((100.0..1000.0).contains(&p50), "{text}");
        assert!(text.contains("max 60"), "{text}");
    }

    #[test]
    fn gaps_are_lost_and_a_smaller_number_is_a_restart() {
        let mut meter = Meter::new(None).unwrap();
        for number in [10, 11, 15, 0, 1] {
            meter.show(&Header { number, taken: 0, width: 1, height: 1 });
        }
        assert_eq!((meter.shown, meter.lost, meter.restarts), (5, 3, 1));
        let mut next = Meter::new(meter.last()).unwrap();
        next.show(&Header { number: 3, taken: 0, width: 1, height: 1 });
        assert_eq!((next.shown, next.lost, next.restarts), (1, 1, 0));
    }
}
