//! `soak`: all socket types, transports and mechanisms in one process for a long time.

use std::time::Duration;

use anyhow::Result;
use xshell::{Shell, cmd};

use crate::report::Report;
use crate::{hostile, run};

/// The short form, in minutes.
const SHORT_MINUTES: f64 = 1.0;
/// More than what remains to be done after the last minute, on a busy machine.
const REST: Duration = Duration::from_secs(10 * 60);

/// The GNU allocator gives free memory back to the system at once, and has one heap: resident memory is then what the program
/// holds. By default each of its heaps keeps megabytes (docs/RELIABILITY.md, "Soak").
const ALLOCATOR: [(&str, &str); 2] = [("MALLOC_ARENA_MAX", "1"), ("MALLOC_TRIM_THRESHOLD_", "65536")];

/// Options of `soak`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// How long it lasts. From 60 minutes on, the slope of the resident memory is judged as well.
    #[arg(long, default_value_t = SHORT_MINUTES)]
    minutes: f64,
    /// Decides about orders, sizes and losses.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Prints the figures of each round.
    #[arg(long)]
    trace: bool,
}

/// The short form, which `test` runs.
pub(crate) const SHORT: Options = Options { minutes: SHORT_MINUTES, seed: 1, trace: false };

pub(crate) fn steps(sh: &Shell, report: &mut Report, options: &Options) {
    report.step("soak", |_| play(sh, options));
}

fn play(sh: &Shell, options: &Options) -> Result<()> {
    let (minutes, seed) = (options.minutes.to_string(), options.seed.to_string());
    let trace = options.trace.then_some("--trace");
    let program = hostile::build(sh)?;
    let mut soak = cmd!(sh, "{program} soak --minutes {minutes} --seed {seed} {trace...}");
    for (name, value) in ALLOCATOR {
        soak = soak.env(name, value);
    }
    run::within(soak, Duration::from_secs_f64(options.minutes * 60.0) + REST)
}
