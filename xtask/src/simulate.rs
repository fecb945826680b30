//! `simulate`: the crate `simulator`, built with `--cfg simulate`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use xshell::{Cmd, Shell, cmd};

use crate::report::Report;
use crate::{mutants, run};

/// Longer than any session list: the program has limits of its own.
const LIMIT: Duration = Duration::from_secs(24 * 60 * 60);
/// The name of the program.
pub(crate) const PROGRAM: &str = if cfg!(windows) { "zeroxide-simulator.exe" } else { "zeroxide-simulator" };
/// The short form, from the first seed on: a million connections or a minute, whichever is less.
const SHORT: [&str; 6] = ["--sessions", "1000000", "--seconds", "60", "--jobs", "2"];

/// Options of `simulate`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Puts known faults back, one after the other, and fails where the simulator does not find one: all patches of
    /// simulator/mutants, or those of the names behind `--`. It takes about half an hour on two processors.
    #[arg(long)]
    mutants: bool,
    /// With `--mutants`: applies and compiles each patch, and plays none, as `ci` does.
    #[arg(long, requires = "mutants")]
    check: bool,
    /// Arguments of the simulator, `-- --seed 7 --sessions 10000000 --jobs 2` or `-- --replay 7`; `-- --help` lists them.
    /// Without any, it plays a million connections, for a minute at most.
    #[arg(last = true)]
    arguments: Vec<String>,
}

pub(crate) fn steps(sh: &Shell, report: &mut Report, options: &Options) {
    if options.check {
        return report.step("mutants fit the source", |_| mutants::check(sh, &options.arguments));
    }
    if options.mutants {
        return mutants::steps(sh, report, &options.arguments);
    }
    let given: Vec<&str> = options.arguments.iter().map(String::as_str).collect();
    report.step("simulator", |_| play(sh, if given.is_empty() { &SHORT } else { &given }));
}

/// The short form, as a step.
pub(crate) fn step(sh: &Shell) -> Result<()> {
    play(sh, &SHORT)
}

/// clippy on what is only there in simulations.
pub(crate) fn clippy(sh: &Shell) -> Result<()> {
    let packages = ["-p", "zeroxide-simulator", "-p", "zeroxide"];
    let clippy = cmd!(sh, "cargo clippy {packages...} --all-targets -- -D warnings");
    run::pass(simulating(clippy, &folder(sh)))
}

fn play(sh: &Shell, arguments: &[&str]) -> Result<()> {
    let folder = folder(sh);
    run::pass(simulating(cmd!(sh, "cargo test --release -p zeroxide-simulator"), &folder))?;
    run::pass(simulating(cmd!(sh, "cargo build --release -p zeroxide-simulator"), &folder))?;
    let program = folder.join("release").join(PROGRAM);
    run::within(cmd!(sh, "{program} {arguments...}"), LIMIT)
}

/// Cargo with `--cfg simulate`, which rebuilds everything: it has a folder of its own.
pub(crate) fn simulating<'a>(cargo: Cmd<'a>, folder: &Path) -> Cmd<'a> {
    cargo.env("RUSTFLAGS", "--cfg simulate").env("CARGO_TARGET_DIR", folder)
}

/// That folder.
pub(crate) fn folder(sh: &Shell) -> PathBuf {
    run::target(sh).join("simulate")
}
