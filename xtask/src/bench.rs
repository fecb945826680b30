//! `bench`: the benchmarks, and the comparison with other implementations.

mod capi;

use std::path::Path;
use std::process::ExitCode;

use crate::report::{Outcome, Report};
use crate::run;

/// Options of `bench`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Runs one part only; without it, the first two.
    #[arg(value_enum)]
    part: Option<Part>,
    /// Handed on: to the benchmarks (a filter, `--save-baseline NAME`) or, where one part is named, to that.
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
    /// `compare` under CURVE: the builds `curve-simd` and `curve` beside a libzmq with the system's libsodium.
    Curve,
    /// The binary `flood` of `benches`: what established peers notice of strangers who knock, without a mechanism and
    /// with CURVE.
    Flood,
    /// libzmq's perf programs on our libzmq.so and on libzmq's, and the ratios; `-- --help` tells what can be chosen.
    Capi,
}

/// What `bench curve` compares, for what its arguments do not say otherwise.
const CURVE: [[&str; 2]; 4] = [
    ["--mechanisms", "curve"],
    ["--patterns", "throughput"],
    ["--transports", "tcp"],
    ["--sizes", "64,1024,65536"],
];

pub(crate) fn run(root: &Path, options: &Options) -> ExitCode {
    let mut report = Report::default();
    let part = options.part;
    let arguments = &options.arguments[..];
    match part {
        Some(Part::Curve) => curve(root, arguments, &mut report),
        Some(Part::Flood) => {
            for mechanism in ["null", "curve"] {
                let flood = |_: &mut _| flood(root, mechanism, arguments);
                report.step(&format!("flood, {mechanism}"), flood);
            }
        }
        Some(Part::Capi) => {
            report.step("the C library beside libzmq", |_| capi::step(root, arguments));
        }
        _ => {
            if part != Some(Part::Compare) {
                report.step("benches", |_| handed_on(root, &["bench", "-p", "benches"], arguments));
            }
            if part != Some(Part::Benches) {
                let arguments = if part.is_some() { arguments } else { &[] };
                let compare =
                    ["run", "--release", "-p", "benches", "--features", "libzmq", "--bin", "compare"];
                report.step("compare", |_| handed_on(root, &compare, arguments));
            }
        }
    }
    report.close()
}

/// One build of `compare` can hold one crate that seals: that with `curve` is built first and laid aside.
fn curve(root: &Path, arguments: &[String], report: &mut Report) {
    let release = run::target(root).join("release");
    let aside = release.join(format!("compare-curve{}", std::env::consts::EXE_SUFFIX));
    let built = report.step("compare with curve", |_| {
        let build = ["build", "--release", "-p", "benches", "--features", "libzmq,curve", "--bin", "compare"];
        match run::pass(&mut run::cargo(root, &build)) {
            Outcome::Passed => {
                let built = release.join(format!("compare{}", std::env::consts::EXE_SUFFIX));
                match std::fs::copy(built, &aside) {
                    Ok(_) => Outcome::Passed,
                    Err(error) => Outcome::Failed(format!("cannot lay it aside: {error}")),
                }
            }
            failed => failed,
        }
    });
    if built != Outcome::Passed {
        return;
    }
    let mut all = vec!["--other".to_owned(), aside.display().to_string()];
    for [name, value] in CURVE {
        if !arguments.iter().any(|given| given.split('=').next() == Some(name)) {
            all.extend([name.to_owned(), value.to_owned()]);
        }
    }
    all.extend_from_slice(arguments);
    let compare =
        ["run", "--release", "-p", "benches", "--features", "libzmq,curve-simd", "--bin", "compare"];
    report.step("compare with curve-simd", |_| handed_on(root, &compare, &all));
}

fn flood(root: &Path, mechanism: &str, arguments: &[String]) -> Outcome {
    let run = ["run", "--release", "-p", "benches", "--features", "plain,curve-simd", "--bin", "flood"];
    let mut all = vec!["--mechanism".to_owned(), mechanism.to_owned()];
    all.extend_from_slice(arguments);
    handed_on(root, &run, &all)
}

fn handed_on(root: &Path, task: &[&str], arguments: &[String]) -> Outcome {
    let mut command = run::cargo(root, task);
    if !arguments.is_empty() {
        command.arg("--").args(arguments);
    }
    run::pass(&mut command)
}
