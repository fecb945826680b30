//! A process as the system sees it: memory, processor time, limits, signals (Linux).

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, setrlimit};

/// Bytes in a MiB, as a figure.
pub const MIB: f64 = 1024.0 * 1024.0;

/// MiB of memory that are resident.
///
/// # Errors
/// There is no such process.
pub fn resident(pid: Pid) -> Result<f64> {
    let path = format!("/proc/{}/status", pid.as_raw_nonzero());
    let status = fs::read_to_string(&path).with_context(|| path.clone())?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib: f64 = line.and_then(|rest| rest.split_whitespace().next()).context("no VmRSS")?.parse()?;
    Ok(kib / 1024.0)
}

/// The processor time of all threads so far.
///
/// # Errors
/// There is no such process.
pub fn processor_time(pid: Pid) -> Result<Duration> {
    let path = format!("/proc/{}/stat", pid.as_raw_nonzero());
    let stat = fs::read_to_string(&path).with_context(|| path.clone())?;
    // The name in brackets may hold spaces; fields 14 and 15 (proc(5)) are 12 and 13 after it.
    let (_, fields) = stat.rsplit_once(')').context("no name")?;
    let ticks: u64 =
        fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>).sum::<Result<u64, _>>()?;
    Ok(Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64))
}

/// Descriptors of this process that are open now.
///
/// # Errors
/// The system failed.
pub fn descriptors() -> Result<usize> {
    Ok(fs::read_dir("/proc/self/fd")?.count())
}

/// Threads of this process.
///
/// # Errors
/// The system failed.
pub fn threads() -> Result<usize> {
    Ok(fs::read_dir("/proc/self/task")?.count())
}

/// Sends a signal to a process.
///
/// # Errors
/// There is no such process.
pub fn signal(pid: Pid, signal: Signal) -> Result<()> {
    Ok(kill_process(pid, signal)?)
}

/// Allows this process as many descriptors as it may allow itself, and returns how many.
///
/// # Errors
/// The system failed.
pub fn raise_descriptors() -> Result<usize> {
    let hard = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: hard, maximum: hard })?;
    Ok(hard.map_or(usize::MAX, |limit| limit as usize))
}

/// Limits this process for good.
///
/// # Errors
/// The limit is above the one that holds.
pub fn limit(resource: Resource, limit: u64) -> Result<()> {
    Ok(setrlimit(resource, Rlimit { current: Some(limit), maximum: Some(limit) })?)
}

/// The one place that lets time pass: what a load does at a rate, and how long it lasts.
pub fn pass(time: Duration) {
    #[expect(clippy::disallowed_methods, reason = "a load has a rate and lasts for a time")]
    std::thread::sleep(time);
}

/// The start and the rate of a load: nothing of it comes early, and what is late is caught up.
#[derive(Debug)]
pub struct Pace {
    start: Instant,
    each: Duration,
    count: u32,
}

impl Pace {
    /// `rate` in a second.
    #[must_use]
    pub fn new(rate: f64) -> Pace {
        Pace { start: Instant::now(), each: Duration::from_secs_f64(1.0 / rate), count: 0 }
    }

    /// Returns when the next one is due.
    pub fn next(&mut self) {
        let due = self.each * self.count;
        if let Some(early) = due.checked_sub(self.start.elapsed()) {
            pass(early);
        }
        self.count += 1;
    }
}
