//! `hostile`: the programs of the crate `hostile` against Zeroxide.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use xshell::{Shell, cmd};

use crate::report::Report;
use crate::run;

/// More than the short form takes on a busy machine.
const SHORT: Duration = Duration::from_secs(10 * 60);
/// More than the long form takes.
const LONG: Duration = Duration::from_secs(12 * 60 * 60);

/// Options of `hostile`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The long form, which takes hours. The short one is a step of `test` and takes two minutes.
    #[arg(long)]
    long: bool,
    /// One program with its own arguments, `-- kill --kills 20`; `-- --help` lists them.
    #[arg(last = true, conflicts_with = "long")]
    program: Vec<String>,
}

pub(crate) fn steps(sh: &Shell, report: &mut Report, options: &Options) {
    let all = if options.long { vec!["all", "--long"] } else { vec!["all"] };
    let one = options.program.iter().map(String::as_str).collect();
    let arguments: Vec<&str> = if options.program.is_empty() { all } else { one };
    let limit = if options.long { LONG } else { SHORT };
    report.step("hostile", |_| programs(sh, &arguments, limit));
}

/// The short form, as a step. Its machine may do other work, so that times are told and not judged.
pub(crate) fn step(sh: &Shell) -> Result<()> {
    let _told = sh.push_env("HOSTILE_TIMES_ARE_TOLD", "1");
    programs(sh, &["all"], SHORT)
}

fn programs(sh: &Shell, arguments: &[&str], limit: Duration) -> Result<()> {
    let program = build(sh)?;
    run::within(cmd!(sh, "{program} {arguments...}"), limit)
}

/// Builds the programs; returns where they are.
pub(crate) fn build(sh: &Shell) -> Result<PathBuf> {
    run::pass(cmd!(sh, "cargo build --release -p zeroxide-hostile"))?;
    Ok(run::target(sh).join("release").join(format!("hostile{}", std::env::consts::EXE_SUFFIX)))
}
