//! `bench`: the benchmarks, and the comparisons with other implementations.

use anyhow::Result;
use xshell::{Cmd, Shell, cmd};

use crate::report::Report;
use crate::{install, registry, run};

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
    /// The binary `cells` of `benches`: this project beside libzmq, which it builds from source, and beside the ZeroMQ libraries
    /// written in Rust; docs/benchmarks.md has the method. `-- --help` tells what can be chosen, `-- --quick` takes minutes.
    Compare,
    /// The binary `pair` of `benches`: this project beside libzmq, or beside another build of itself (`-- --other PROGRAM`), for
    /// the before and after of a change.
    Pair,
    /// `pair` under CURVE: the builds `curve-simd` and `curve` beside a libzmq with the system's libsodium.
    Curve,
    /// The binary `flood` of `benches`: what established peers notice of strangers who knock, without a mechanism and
    /// with CURVE.
    Flood,
    /// The binary `capi` of `benches`: libzmq's perf programs on our libzmq.so and on libzmq's, and the ratios; `-- --help` tells what can be chosen.
    Capi,
}

/// What `bench curve` compares, for what its arguments do not say otherwise.
const CURVE: [[&str; 2]; 4] = [
    ["--mechanisms", "curve"],
    ["--patterns", "throughput"],
    ["--transports", "tcp"],
    ["--sizes", "64,1024,65536"],
];

pub(crate) fn steps(sh: &Shell, report: &mut Report, options: &Options) {
    let part = options.part;
    let arguments = &options.arguments[..];
    match part {
        Some(Part::Curve) => curve(sh, arguments, report),
        Some(Part::Flood) => {
            for mechanism in ["null", "curve"] {
                let flood = program(sh, "plain,curve-simd", "flood");
                let flood = flood.args(["--mechanism", mechanism]).args(arguments);
                report.step(&format!("flood, {mechanism}"), |_| run::pass(flood));
            }
        }
        Some(Part::Capi) => {
            report.step("the C library beside libzmq", |_| {
                let folder = run::target(sh).join("bench-capi");
                let (ours, sources) = (folder.join("ours"), registry::libzmq(sh)?);
                install::into(sh, &ours)?;
                let capi = program(sh, "", "capi").arg("--ours").arg(ours).arg("--libzmq").arg(sources);
                run::pass(capi.arg("--folder").arg(folder).args(arguments))
            });
        }
        Some(Part::Compare) => {
            let cells = program(sh, "libzmq,curve", "cells").args(arguments);
            report.step("compare", |_| run::pass(cells));
        }
        _ => {
            if part != Some(Part::Pair) {
                let benches = cmd!(sh, "cargo bench -p benches -- {arguments...}");
                report.step("benches", |_| run::pass(benches));
            }
            if part != Some(Part::Benches) {
                let arguments = if part.is_some() { arguments } else { &[] };
                let pair = program(sh, "libzmq", "pair").args(arguments);
                report.step("pair", |_| run::pass(pair));
            }
        }
    }
}

/// A program of `benches`; its arguments follow.
fn program<'a>(sh: &'a Shell, features: &str, name: &str) -> Cmd<'a> {
    cmd!(sh, "cargo run --release -p benches --features {features} --bin {name} --")
}

/// One build of `pair` can hold one crate that seals: that with `curve` is built first and laid aside.
fn curve(sh: &Shell, arguments: &[String], report: &mut Report) {
    let suffix = std::env::consts::EXE_SUFFIX;
    let release = run::target(sh).join("release");
    let aside = release.join(format!("pair-curve{suffix}"));
    let mut is_built = false;
    report.step("pair with curve", |_| -> Result<()> {
        run::pass(cmd!(sh, "cargo build --release -p benches --features libzmq,curve --bin pair"))?;
        fs_err::copy(release.join(format!("pair{suffix}")), &aside)?;
        is_built = true;
        Ok(())
    });
    if !is_built {
        return;
    }
    let is_given = |name: &str| arguments.iter().any(|given| given.split('=').next() == Some(name));
    let chosen = CURVE.iter().filter(|[name, _]| !is_given(name)).flatten();
    let pair = program(sh, "libzmq,curve-simd", "pair").arg("--other").arg(&aside);
    report.step("pair with curve-simd", |_| run::pass(pair.args(chosen).args(arguments)));
}
