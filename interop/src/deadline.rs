//! Deadlines in the time of the peers.

use std::fs;
use std::time::{Duration, Instant};

/// The most that a deadline is put off: whoever has not come by then never will.
const LONGEST: Duration = Duration::from_secs(300);

/// A deadline that only bounds a hang. It stands still while those who are waited for wait for a processor themselves: a
/// program that starts on a machine with much else to do is slow, not stuck. Where the machine is idle it is as strict as
/// a clock, so that what comes late by a timer of an implementation still comes too late. Which process waits for a
/// processor only Linux tells; elsewhere this is a clock.
#[derive(Debug)]
pub struct Deadline {
    limit: Duration,
    start: Instant,
    processes: Vec<u32>,
    /// What they had waited for processors before.
    before: Duration,
}

impl Deadline {
    /// So much time from now on for these processes.
    #[must_use]
    pub fn new(limit: Duration, processes: &[u32]) -> Deadline {
        let before = waited(processes);
        Deadline { limit, start: Instant::now(), processes: processes.to_vec(), before }
    }

    /// How long they still have, if none of them waits for a processor meanwhile.
    #[must_use]
    pub fn left(&self) -> Duration {
        let delay = waited(&self.processes).saturating_sub(self.before);
        left(self.limit, self.start.elapsed(), delay)
    }

    /// Whether they have had their time.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.left().is_zero()
    }
}

/// What is left of a limit after so much time on the clock, for processes that waited so long for processors.
fn left(limit: Duration, elapsed: Duration, delay: Duration) -> Duration {
    if elapsed > limit + LONGEST {
        return Duration::ZERO;
    }
    // Threads may wait at the same time; some of that time they had nevertheless.
    let had = elapsed.saturating_sub(delay).max(elapsed / 20);
    limit.saturating_sub(had)
}

/// How long the threads of these processes were ready to run and did not (proc(5), `schedstat`).
fn waited(processes: &[u32]) -> Duration {
    let tasks =
        processes.iter().flat_map(|id| fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten());
    let delays = tasks.flatten().filter_map(|task| {
        let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split_whitespace().nth(1)?.parse::<u64>().ok()
    });
    Duration::from_nanos(delays.sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_deadline_is_a_clock_for_those_who_need_not_wait() {
        assert_eq!(left(10 * SECOND, 4 * SECOND, Duration::ZERO), 6 * SECOND);
        assert_eq!(left(10 * SECOND, 11 * SECOND, Duration::ZERO), Duration::ZERO);
    }

    #[test]
    fn a_deadline_is_put_off_by_what_is_waited_for_a_processor_but_not_for_ever() {
        assert_eq!(left(10 * SECOND, 40 * SECOND, 35 * SECOND), 5 * SECOND);
        assert_eq!(left(10 * SECOND, 40 * SECOND, 900 * SECOND), 8 * SECOND, "many threads, one clock");
        assert_eq!(left(10 * SECOND, 311 * SECOND, 900 * SECOND), Duration::ZERO);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_system_tells_how_long_a_process_waits_for_a_processor() {
        let own = [std::process::id()];
        let before = waited(&own);
        // More threads than processors, all of which want to run: some must wait.
        let workers = 4 * std::thread::available_parallelism().map_or(2, usize::from);
        let end = Instant::now() + 60 * SECOND;
        std::thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(|| while waited(&own) == before && Instant::now() < end {});
            }
        });
        assert!(waited(&own) > before);
    }
}
