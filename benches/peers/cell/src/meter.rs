//! What is measured, between two moments that the parent chooses.
//!
//! Tasks only count; the thread that reads the parent's lines looks at the counters when it is told. So no task reads a clock
//! for the sake of a window, and a rate is that of all libraries in the same way.

use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

use crate::calls;
use crate::outcome::{Outcome, QUANTILES, STARTS};

/// Latencies beyond this count as this, in nanoseconds.
const LONGEST: u64 = 60_000_000_000;

/// Counters of a process.
pub struct Meter {
    messages: AtomicU64,
    latencies: Mutex<Histogram<u64>>,
    starts: Mutex<[Option<u64>; STARTS.len()]>,
    since: Mutex<Snapshot>,
}

/// All counters that only grow, at one moment.
#[derive(Clone, Copy)]
struct Snapshot {
    at: Instant,
    messages: u64,
    user: Duration,
    system: Duration,
    sleeps: u64,
    preemptions: u64,
    calls: Option<u64>,
}

impl Meter {
    pub(crate) fn new() -> Meter {
        Meter {
            messages: AtomicU64::new(0),
            latencies: Mutex::new(Histogram::new_with_max(LONGEST, 3).expect("three digits")),
            starts: Mutex::default(),
            since: Mutex::new(Snapshot::of(0)),
        }
    }

    /// One message was received. Called by one thread only.
    #[inline]
    pub(crate) fn count(&self) {
        self.messages.store(self.messages.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    /// One message came back, or came at last. Called by one thread only.
    pub(crate) fn latency(&self, time: Duration) {
        self.count();
        self.latencies.lock().expect("no panic").saturating_record(time.as_nanos() as u64);
    }

    /// So many messages had been received this long after the first was sent.
    pub(crate) fn begun(&self, after: Duration, messages: u64) {
        let mut starts = self.starts.lock().expect("no panic");
        for (place, start) in starts.iter_mut().zip(STARTS) {
            if place.is_none() && after >= start {
                // The clock is not read at each message: what came later than `start` is taken off in proportion.
                let share = start.as_secs_f64() / after.as_secs_f64();
                *place = Some((messages as f64 * share) as u64);
            }
        }
    }

    /// What follows counts.
    pub(crate) fn start(&self) {
        self.latencies.lock().expect("no panic").reset();
        *self.since.lock().expect("no panic") = Snapshot::of(self.messages.load(Ordering::Relaxed));
    }

    /// What was counted since [`Meter::start`].
    pub(crate) fn stop(&self) -> Outcome {
        let now = Snapshot::of(self.messages.load(Ordering::Relaxed));
        let then = *self.since.lock().expect("no panic");
        let latencies = self.latencies.lock().expect("no panic");
        let starts = *self.starts.lock().expect("no panic");
        let nanos = |time: Duration| time.as_nanos() as u64;
        Outcome {
            elapsed: nanos(now.at - then.at),
            messages: now.messages - then.messages,
            user: nanos(now.user.saturating_sub(then.user)),
            system: nanos(now.system.saturating_sub(then.system)),
            sleeps: now.sleeps - then.sleeps,
            preemptions: now.preemptions - then.preemptions,
            calls: now.calls.zip(then.calls).map(|(now, then)| now - then),
            peak: peak(),
            latencies: match latencies.len() {
                0 => Vec::new(),
                _ => QUANTILES.iter().map(|quantile| latencies.value_at_quantile(*quantile)).collect(),
            },
            starts: starts.iter().map_while(|start| *start).collect(),
        }
    }
}

impl Snapshot {
    fn of(messages: u64) -> Snapshot {
        let usage = getrusage(UsageWho::RUSAGE_SELF).expect("the usage of this process");
        let time = |time: TimeVal| {
            Duration::from_secs(time.tv_sec() as u64) + Duration::from_micros(time.tv_usec() as u64)
        };
        Snapshot {
            at: Instant::now(),
            messages,
            user: time(usage.user_time()),
            system: time(usage.system_time()),
            sleeps: usage.voluntary_context_switches() as u64,
            preemptions: usage.involuntary_context_switches() as u64,
            calls: calls::count(),
        }
    }
}

/// Most bytes that the process had in memory: Linux's VmHWM, which, unlike `ru_maxrss`, begins with the program.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
    kilobytes.unwrap_or_default() * 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_measured_before_the_start_does_not_count() {
        let meter = Meter::new();
        meter.latency(Duration::from_secs(1));
        meter.start();
        (1..=100).for_each(|n| meter.latency(Duration::from_micros(n)));
        let outcome = meter.stop();
        assert_eq!(outcome.messages, 100);
        let median = QUANTILES.iter().position(|quantile| *quantile == 0.5).unwrap();
        assert_eq!(outcome.latencies[median] / 100, 500, "within three digits of 50 µs");
        assert!(outcome.peak > 0, "bytes in memory");
    }

    #[test]
    fn a_start_is_noted_once_and_in_proportion_to_when_the_clock_was_read() {
        let meter = Meter::new();
        meter.begun(Duration::from_millis(4), 40);
        meter.begun(Duration::from_millis(10), 100);
        meter.begun(Duration::from_millis(50), 1000);
        assert_eq!(meter.stop().starts, [50, 500]);
    }
}
