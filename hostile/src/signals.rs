//! Signals without pause at every thread of a victim that handles them: calls are interrupted, and nothing else changes.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal};
use zeroxide::SocketType;

use crate::neighbour::Client;
use crate::process::{Pace, signal};
use crate::report::{Report, Rule};
use crate::target::{Given, Target};
use crate::victim::Settings;

const P99: Rule = Rule::at_most(100_000.0, "a good client waits less than 100 ms beside a storm of signals");

/// Options of `signals`.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Signals in a second, for all threads together.
    #[arg(long, default_value_t = 10_000.0)]
    rate: f64,
    /// Seconds.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// A target must be a REP that echoes and handles SIGUSR1; --pid is needed.
    #[command(flatten)]
    given: Given,
}

/// Runs it.
///
/// # Errors
/// Something else than a figure is wrong.
pub fn run(options: &Options, report: &mut Report) -> Result<()> {
    let settings = Settings { signals: true, ..Settings::new(SocketType::Rep) };
    let mut target = Target::new(&options.given, &settings)?;
    let client = Client::start(&target.endpoint, None)?;
    let threads = threads(target.pid().context("--target needs --pid")?)?;
    let (start, mut pace, mut count) = (Instant::now(), Pace::new(options.rate), 0);
    while start.elapsed() < Duration::from_secs_f64(options.seconds) {
        pace.next();
        // Linux hands a signal for the number of a thread to that thread first.
        signal(threads[count % threads.len()], Signal::USR1)?;
        count += 1;
    }
    let rate = count as f64 / start.elapsed().as_secs_f64();
    report.figure("signals.threads", threads.len() as f64, "threads");
    report.figure("signals.rate", rate, "signals/s");
    client.stop()?.report("signals", report, &P99);
    target.expect_alive()
}

/// The numbers of a process's threads.
fn threads(pid: Pid) -> Result<Vec<Pid>> {
    let mut threads = Vec::new();
    for entry in fs::read_dir(format!("/proc/{}/task", pid.as_raw_nonzero()))? {
        let number = entry?.file_name().to_string_lossy().parse()?;
        threads.extend(Pid::from_raw(number));
    }
    Ok(threads)
}
