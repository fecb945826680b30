//! `simulate`: the crate `simulator`, built with `--cfg simulate`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use xshell::{Cmd, Shell, cmd};

use crate::report::Report;
use crate::run;

/// Longer than any session list: the program has limits of its own.
const LIMIT: Duration = Duration::from_secs(24 * 60 * 60);
/// The short form: a million connections or a minute, whichever is less, from new seeds in each version of the source.
const SHORT: [&str; 6] = ["--sessions", "1000000", "--seconds", "60", "--jobs", "2"];

/// Options of `simulate`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Arguments of the simulator, `-- --seed 7 --sessions 10000000 --jobs 2` or `-- --replay 7`; `-- --help` lists them.
    /// Without any, it plays a million connections, for a minute at most.
    #[arg(last = true)]
    arguments: Vec<String>,
}

pub(crate) fn run(sh: &Shell, options: &Options) -> ExitCode {
    let mut report = Report::default();
    let given: Vec<&str> = options.arguments.iter().map(String::as_str).collect();
    report.step("simulator", |_| play(sh, if given.is_empty() { &SHORT } else { &given }));
    report.close()
}

/// The short form, as a step.
pub(crate) fn step(sh: &Shell) -> Result<()> {
    play(sh, &SHORT)
}

/// clippy on what is only there in simulations.
pub(crate) fn clippy(sh: &Shell) -> Result<()> {
    let packages = ["-p", "zeroxide-simulator", "-p", "zeroxide"];
    run::pass(simulating(sh, cmd!(sh, "cargo clippy {packages...} --all-targets -- -D warnings")))
}

fn play(sh: &Shell, arguments: &[&str]) -> Result<()> {
    run::pass(simulating(sh, cmd!(sh, "cargo test --release -p zeroxide-simulator")))?;
    run::pass(simulating(sh, cmd!(sh, "cargo build --release -p zeroxide-simulator")))?;
    let name = format!("zeroxide-simulator{}", std::env::consts::EXE_SUFFIX);
    let program = folder(sh).join("release").join(name);
    run::within(cmd!(sh, "{program} {arguments...}"), LIMIT)
}

/// Cargo with `--cfg simulate`, which rebuilds everything: it has a folder of its own.
fn simulating<'a>(sh: &Shell, cargo: Cmd<'a>) -> Cmd<'a> {
    cargo.env("RUSTFLAGS", "--cfg simulate").env("CARGO_TARGET_DIR", folder(sh))
}

fn folder(sh: &Shell) -> PathBuf {
    run::target(sh).join("simulate")
}
