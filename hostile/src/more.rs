//! A message that does not end: frame after frame announces another one. It ends at a limit, and the neighbour is served.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use zeroxide::SocketType;

use crate::neighbour::{Pinger, Times};
use crate::process::pass;
use crate::report::{Report, Rule};
use crate::target::{Given, Target};
use crate::victim::Settings;
use crate::wire::RawPeer;

/// Bytes that are written at once.
const WRITE: usize = 500_000;

const ENDED: Rule =
    Rule::at_least(1.0, "the connection is closed at MAX_FRAMES or MAX_MULTIPART (docs/LIMITS.md)");
const SERVED: Rule = Rule::at_most(1e6, "a neighbour is served within a second");
const FRAMES: Rule = Rule::at_most(16.0, "65,536 frames of no bytes, each as a frame in memory");
const BYTES: Rule = Rule::at_most(320.0, "MAX_MULTIPART, 256 MiB, and a quarter of it");

/// Options of `more`.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Megabytes after which a message that has not ended is given up.
    #[arg(long, default_value_t = 1000)]
    megabytes: usize,
    /// A target must be a PULL.
    #[command(flatten)]
    given: Given,
}

/// Runs it.
///
/// # Errors
/// Something else than a figure is wrong.
pub fn run(options: &Options, report: &mut Report) -> Result<()> {
    let large = [&[3, 0, 0, 0, 0, 0, 1, 0, 0][..], &[7; 65536]].concat();
    for (name, frame, rule) in [("empty", vec![1, 0], FRAMES), ("large", large, BYTES)] {
        let name = format!("more.{name}");
        let mut target = Target::new(&options.given, &Settings::new(SocketType::Pull))?;
        one(&name, &frame, options.megabytes * 1_000_000, &mut target, &rule, report).context(name)?;
    }
    Ok(())
}

fn one(
    name: &str,
    frame: &[u8],
    bytes: usize,
    target: &mut Target,
    rule: &Rule,
    report: &mut Report,
) -> Result<()> {
    let mut neighbour = Pinger::connect(&target.endpoint, "PUSH", false)?;
    let mut bad = RawPeer::connect(&target.endpoint)?.shake_hands("PUSH")?;
    let (before, mut most) = (target.resident()?, 0.0_f64);
    let sent = Arc::new(AtomicUsize::new(0));
    let sender = {
        let (sent, frames) = (Arc::clone(&sent), frame.repeat(WRITE.div_ceil(frame.len())));
        let mut stream = bad.stream.try_clone()?;
        thread::spawn(move || {
            while sent.load(Ordering::SeqCst) < bytes && stream.write_all(&frames).is_ok() {
                sent.fetch_add(frames.len(), Ordering::SeqCst);
            }
        })
    };
    let mut times = Times::new()?;
    while !sender.is_finished() {
        times.add(neighbour.serve()?);
        most = most.max(target.resident()? - before);
        pass(Duration::from_millis(5));
    }
    sender.join().map_err(|_| anyhow!("the sender panicked"))?;
    let ended = bad.closes_within(Duration::from_secs(1));
    times.add(neighbour.serve()?);
    report.figure(format!("{name}.taken"), sent.load(Ordering::SeqCst) as f64 / 1e6, "MB");
    report.judge(format!("{name}.ended"), f64::from(u8::from(ended)), "connections", &ENDED);
    report.judge(format!("{name}.memory"), most, "MiB", rule);
    report.judge(format!("{name}.slowest"), times.at(1.0), "µs", &SERVED);
    target.expect_alive()
}
