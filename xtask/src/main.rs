//! The project's own tasks: `cargo xtask floor | test | ci | conformance | sanitize | miri | install | packages | zmq-sys |
//! jupyter | guide | hostile | soak | simulate | fuzz | bench`.

mod bans;
mod bench;
mod ci;
mod conformance;
mod descendants;
mod docs;
mod elf;
mod floor;
mod fuzz;
mod guide;
mod harness;
mod hostile;
mod install;
mod jupyter;
mod miri;
mod mutants;
mod packages;
mod panics;
mod registry;
mod replacement;
mod report;
mod run;
mod sanitize;
mod simulate;
mod soak;
mod suite;
mod targets;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use xshell::Shell;

use report::Report;

/// Tasks of the Zeroxide workspace.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Checks the rules of the house on the source: arrows between crates, sizes, banned patterns.
    ///
    /// Fails with one line for each fault. The rules:
    ///
    /// arrows   patterns -> zmtp; transports -> zmtp; zeroxide -> patterns, transports, zmtp; capi, cli -> zeroxide;
    ///          interop, benches, hostile, simulator, fuzz, xtask and examples may import anything. Checked in every Cargo.toml.
    ///
    /// storeys  a file imports what is on its floor or below: the tables in xtask/floors.toml.
    ///
    /// sizes    a file has at most 800 lines, tests not counted. clippy holds the length of functions.
    ///
    /// bans     the table in xtask/src/bans.rs, for what clippy.toml cannot hold.
    #[command(verbatim_doc_comment)]
    Floor,
    /// Runs every test: the workspace, the doc tests, the quickstart, libzmq's own tests and pyzmq's on the C library, and
    /// the peers in other languages.
    ///
    /// The peers are `cargo run --release -p interop`, which sets up what it needs below target/peers, and writes
    /// target/interop/report.html.
    ///
    /// Ends with a table of the steps and, as the last line, the number of tests passed and failed.
    #[command(verbatim_doc_comment)]
    Test(suite::Options),
    /// Runs what a change must pass to land: format, lints, floor, docs, tests with every peer, other platforms.
    ///
    /// In this order: rustfmt, floor, clippy, the simulator's mutants (applied and compiled), rustdoc,
    /// `test --require-peers`, a check for each supported target, a quickstart linked statically against musl, a
    /// check with the oldest supported compiler, the fuzz targets, the sanitizers, cargo-deny. All of it runs even when a step fails. What this machine has no tools for is
    /// listed at the end as not run.
    Ci,
    /// Runs libzmq's own test programs, or pyzmq's tests, on our libzmq.so and compares each case with the list of those
    /// that fail.
    ///
    /// The lists are capi/conformance/expected.toml and pyzmq.toml. The programs need a C++ compiler, make and the package
    /// zeromq-src; pyzmq needs Python, a C compiler and the packages of xtask/conformance/pyzmq.txt.
    #[command(verbatim_doc_comment)]
    Conformance(conformance::Options),
    /// Runs the C programs of capi/tests/programs, or the workspace's Rust tests (`--workspace`), under the address and the
    /// thread sanitizer.
    ///
    /// It needs a nightly tool chain, and its component rust-src for threads and for the Rust tests; a C compiler for the C
    /// programs.
    #[command(verbatim_doc_comment)]
    Sanitize(sanitize::Options),
    /// Runs tests of what is unsafe (the C library), of the pipe and of the codec in Miri, the codec also for 32 bits and for
    /// a big-endian processor.
    ///
    /// It needs nightly's components miri and rust-src, which it asks rustup for. It takes minutes, so it is no step of `ci`;
    /// docs/RELIABILITY.md has the result.
    #[command(verbatim_doc_comment)]
    Miri(miri::Options),
    /// Looks in the machine code of what reads a peer's bytes for ways to panic.
    ///
    /// Those that remain are in xtask/src/panics.rs with their reason. Needs objdump (binutils), on x86_64 Linux.
    Panics,
    /// Builds the C library and puts it below a prefix: libzmq.so, libzmq.a, headers, pkg-config and CMake files.
    ///
    /// docs/PACKAGING.md tells what a packager needs to know.
    Install(install::Options),
    /// Packages every crate for crates.io and builds the libraries from their packages; runs the README's first program in a fresh
    /// folder.
    Packages,
    /// Tests the package zmq-sys that takes the real one's place: its items, a program on it, the tests of the crate zmq.
    ZmqSys,
    /// Tests the example `jupyter-kernel` with jupyter_client, over tcp and ipc, without and with CURVE.
    ///
    /// It needs Python 3.10 or later with `venv`, and installs the packages below target/jupyter.
    Jupyter,
    /// Builds the guide (docs/guide) into target/guide, and checks its includes and links.
    ///
    /// It installs mdBook below target/tools. `workspace tests` runs the guide's programs.
    Guide,
    /// Runs the programs of the crate `hostile` against Zeroxide: kills, connections that never become peers, storms of commands.
    ///
    /// Each prints its figures as `name value unit`, and fails where a figure breaks its rule. They run against other
    /// implementations as well: `cargo xtask hostile -- storms --help`.
    Hostile(hostile::Options),
    /// Runs all socket types over all transports and mechanisms in one process, with losses, slow readers, small and large messages.
    ///
    /// Each message is numbered and checked: whole, once, in the order of its connection. When all sockets of a round are
    /// closed, the live heap must be what it was after the round before. The figures are printed as `name value unit`; the
    /// program is `cargo xtask hostile -- soak`. It lasts a minute, as a step of `test` does; `--minutes 1440` lasts a day.
    Soak(soak::Options),
    /// Plays sessions of whole contexts on one thread and on virtual time, with faults and hostile peers, each from a seed.
    ///
    /// A session that breaks a rule is shrunk; its seed and its choices are printed, and `-- --replay` shows each step.
    Simulate(simulate::Options),
    /// Runs the fuzz targets from their corpora, all or those that are named, and prints executions and coverage of each.
    ///
    /// Needs a nightly tool chain and a C++ compiler; without the package zeromq-src the target `calls` does not compare
    /// with libzmq. `--seconds 3600` makes a campaign of it. An input that breaks a rule is kept below target/fuzz/found.
    Fuzz(fuzz::Options),
    /// Runs the benchmarks of the `benches` crate, then its comparison with libzmq.
    ///
    /// `bench compare` measures libzmq and the ZeroMQ libraries written in Rust in many rows and writes a page with charts; `bench
    /// curve` compares with libzmq under CURVE, which needs libsodium with its headers; `bench flood` lets strangers knock;
    /// `bench capi` runs libzmq's perf programs on our libzmq.so and on libzmq's (C++ compiler and CMake).
    Bench(bench::Options),
}

fn main() -> anyhow::Result<ExitCode> {
    let (sh, report) = (&Shell::new()?, &mut Report::default());
    sh.change_dir(workspace_root());
    match Arguments::parse().task {
        Task::Floor => return floor::step(sh).map(|()| ExitCode::SUCCESS),
        Task::Test(options) => suite::steps(sh, report, &options),
        Task::Ci => ci::steps(sh, report),
        Task::Conformance(options) => conformance::steps(sh, report, &options, |result| result),
        Task::Sanitize(options) => sanitize::steps(sh, report, &options),
        Task::Miri(options) => miri::steps(sh, report, &options),
        Task::Panics => panics::steps(sh, report),
        Task::Install(options) if !options.check => {
            return install::run(sh, &options).map(|()| ExitCode::SUCCESS);
        }
        Task::Install(_) => report.step("the installed package", |_| install::step(sh)),
        Task::Packages => packages::steps(sh, report),
        Task::ZmqSys => replacement::steps(sh, report),
        Task::Jupyter => report.step("a Jupyter kernel", |counts| jupyter::step(sh, counts)),
        Task::Guide => guide::steps(sh, report),
        Task::Hostile(options) => hostile::steps(sh, report, &options),
        Task::Soak(options) => soak::steps(sh, report, &options),
        Task::Simulate(options) => simulate::steps(sh, report, &options),
        Task::Fuzz(options) => fuzz::steps(sh, report, &options),
        Task::Bench(options) => bench::steps(sh, report, &options),
    }
    Ok(report.close())
}

/// The folder that holds the workspace's Cargo.toml: the parent of this crate's, wherever the tree was copied to.
fn workspace_root() -> PathBuf {
    let manifest =
        std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let manifest = PathBuf::from(manifest);
    manifest.parent().map_or(manifest.clone(), Path::to_path_buf)
}
