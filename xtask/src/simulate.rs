//! `simulate`: the crate `simulator`, built with `--cfg simulate`.

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use crate::report::{Outcome, Report};
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

pub(crate) fn run(root: &Path, options: &Options) -> ExitCode {
    let mut report = Report::default();
    let given: Vec<&str> = options.arguments.iter().map(String::as_str).collect();
    report.step("simulator", |_| play(root, if given.is_empty() { &SHORT } else { &given }));
    report.close()
}

/// The short form, as a step.
pub(crate) fn step(root: &Path) -> Outcome {
    play(root, &SHORT)
}

/// clippy on what is only there in simulations.
pub(crate) fn clippy(root: &Path) -> Outcome {
    let lints =
        ["clippy", "-p", "zeroxide-simulator", "-p", "zeroxide", "--all-targets", "--", "-D", "warnings"];
    run::pass(&mut cargo(root, &lints))
}

fn play(root: &Path, arguments: &[&str]) -> Outcome {
    let tested = run::pass(&mut cargo(root, &["test", "--release", "-p", "zeroxide-simulator"]));
    let built = run::pass(&mut cargo(root, &["build", "--release", "-p", "zeroxide-simulator"]));
    if [&tested, &built].into_iter().any(|outcome| *outcome != Outcome::Passed) {
        return tested;
    }
    let program =
        folder(root).join("release").join(format!("zeroxide-simulator{}", std::env::consts::EXE_SUFFIX));
    run::within(&mut run::command(program, root, arguments), LIMIT)
}

/// Cargo with `--cfg simulate`, which rebuilds everything: it has a folder of its own.
fn cargo(root: &Path, arguments: &[&str]) -> Command {
    let mut cargo = run::cargo(root, arguments);
    cargo.env("RUSTFLAGS", "--cfg simulate").env("CARGO_TARGET_DIR", folder(root));
    cargo
}

fn folder(root: &Path) -> std::path::PathBuf {
    run::target(root).join("simulate")
}
