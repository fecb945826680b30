//! All programs, each in a process of its own, one after the other.

use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result};

use crate::report::{Report, Rule};

/// A program, and what it gets in the short and in the long form.
const PROGRAMS: &[(&str, &[&str], &[&str])] = &[
    ("kill", &["--kills", "3"], &["--kills", "200", "--largest", "67108864"]),
    ("handshakes", &[], &["--seconds", "60"]),
    ("descriptors", &[], &["--seconds", "60"]),
    ("sizes", &["--connections", "50"], &["--connections", "1000"]),
    ("more", &[], &[]),
    ("stopped", &[], &["--seconds", "60"]),
    ("slow", &[], &["--rounds", "1000"]),
    ("memory", &[], &[]),
    ("signals", &[], &["--seconds", "60"]),
    ("names", &[], &[]),
    ("cable", &[], &["--cuts", "30"]),
    ("churn", &[], &["--rounds", "1000000"]),
    ("ceiling", &[], &["--connections", "9000"]),
    ("races", &[], &["--rounds", "100000"]),
    ("storms", &["--megabytes", "20"], &["--megabytes", "1000"]),
];

const KEPT: Rule = Rule::at_most(0.0, "every program ends with 0");

/// Options of `all`.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// The long form: hours, where the short one takes two minutes.
    #[arg(long)]
    long: bool,
}

/// Runs it.
///
/// # Errors
/// A program cannot be started.
pub fn run(options: &Options, report: &mut Report) -> Result<()> {
    let this = std::env::current_exe()?;
    for (name, short, long) in PROGRAMS {
        let start = Instant::now();
        let arguments = if options.long { long } else { short };
        let status = Command::new(&this).arg(name).args(*arguments).status().context(*name)?;
        report.figure(format!("all.{name}.time"), start.elapsed().as_secs_f64(), "s");
        report.judge(format!("all.{name}.status"), f64::from(status.code().unwrap_or(-1).abs()), "", &KEPT);
    }
    Ok(())
}
