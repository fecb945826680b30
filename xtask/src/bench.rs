//! `bench`: the benchmarks, and the comparison with other implementations.

use std::path::Path;
use std::process::ExitCode;

use crate::report::{Outcome, Report};
use crate::run;

/// Options of `bench`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Runs one of the two only.
    #[arg(long, value_enum)]
    only: Option<Part>,
    /// Handed on: to the benchmarks (a filter, `--save-baseline NAME`) or, with `--only compare`, to the comparison.
    #[arg(last = true)]
    arguments: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// `cargo bench -p benches`: this project against its own past.
    Benches,
    /// The binary `compare` of `benches`, with libzmq, which it builds from source: this project beside it, on this
    /// machine.
    Compare,
}

pub(crate) fn run(root: &Path, options: &Options) -> ExitCode {
    let mut report = Report::default();
    if options.only != Some(Part::Compare) {
        report.step("benches", |_| handed_on(root, &["bench", "-p", "benches"], &options.arguments));
    }
    if options.only != Some(Part::Benches) {
        let mine = options.only == Some(Part::Compare);
        let arguments: &[String] = if mine { &options.arguments } else { &[] };
        let compare = ["run", "--release", "-p", "benches", "--features", "libzmq", "--bin", "compare"];
        report.step("compare", |_| handed_on(root, &compare, arguments));
    }
    report.close()
}

fn handed_on(root: &Path, task: &[&str], arguments: &[String]) -> Outcome {
    let mut command = run::cargo(root, task);
    if !arguments.is_empty() {
        command.arg("--").args(arguments);
    }
    run::pass(&mut command)
}
