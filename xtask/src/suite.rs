//! `test`: every test there is, the peers in other languages included.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, anyhow};
use xshell::{Shell, cmd};

use crate::report::{Counts, NotRun, Report, not_run};
use crate::{conformance, guide, hostile, install, jupyter, packages, replacement, run, simulate, soak};

/// The features that are off by default. Not `--all-features`: some of the tools need more than Rust.
pub(crate) const FEATURES: &str = "zeroxide/plain,zeroxide/curve,zeroxide/face,zeroxide/stream,zeroxide/metrics,\
     zeroxide/tracing,zeroxide/serde,benches/plain,benches/curve";

/// What is tested with pyzmq beside the cells of `interop`: the step, its package, and its test.
const WITH_PYZMQ: [(&str, &str, &str); 3] = [
    ("the command with pyzmq", "zeroxide-cli", "pyzmq"),
    ("the task farm with pyzmq", "task-farm", "mixed"),
    ("live video with pyzmq", "video-example", "pyzmq"),
];

/// More than a script of the guide needs.
const SCRIPT_LIMIT: Duration = Duration::from_secs(120);

/// More than any quickstart needs.
const QUICKSTART_LIMIT: Duration = Duration::from_secs(60);

/// Options of `test`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Fails when a peer cannot run here because its tool chain is missing.
    ///
    /// Without it a missing peer is listed as missing, and the task succeeds.
    #[arg(long)]
    pub(crate) require_peers: bool,
}

/// Every test. `ci` requires the peers.
pub(crate) fn steps(sh: &Shell, report: &mut Report, options: &Options) {
    let require_peers = options.require_peers;
    let workspace = ["--workspace", "--features", FEATURES, "--no-fail-fast"];
    report.step("workspace tests", |counts| {
        run::count(run::cargo_test(sh).arg("--tests").args(workspace), counts)
    });
    report.step("documentation tests", |counts| {
        run::count(cmd!(sh, "cargo test --doc {workspace...}"), counts)
    });
    // Of its own: the steps before must have tested the other crate that seals.
    report.step("tests of curve-simd", |counts| {
        let simd = ["-p", "zeroxide-zmtp", "--features", "plain,curve-simd"];
        run::count(run::cargo_test(sh).arg("--tests").args(simd), counts)?;
        run::count(cmd!(sh, "cargo test --doc {simd...}"), counts)
    });
    report.step("tests without features", |counts| {
        let bare = "-p zeroxide-zmtp -p zeroxide --lib --test options --test security";
        run::count(run::cargo_test(sh).args(bare.split(' ')), counts)
    });
    report.step("model checker", |counts| model_checker(sh, counts));
    report.step("quickstart, release", |_| {
        run::pass(cmd!(sh, "cargo build --release --example quickstart"))?;
        run_quickstart(sh, &run::target(sh).join("release/examples"))
    });
    report.step("the README's first program", |_| packages::readme(sh));
    guide::steps(sh, report);
    report.step("simulator", |_| simulate::step(sh));
    report.step("hostile", |_| hostile::step(sh));
    soak::steps(sh, report, &soak::SHORT);
    report.step("the installed package", |_| install::step(sh));
    replacement::steps(sh, report);
    // What is missing for these is what is missing for the peers.
    for options in &conformance::WHOLE {
        conformance::steps(sh, report, options, |result| demanded(require_peers, result));
    }
    report.step("a Jupyter kernel", |counts| demanded(require_peers, jupyter::step(sh, counts)));
    peers(sh, report, require_peers);
}

/// What threads agree on without waiting for one another (pipe, entry of engines, mailboxes, orders, deferral), in
/// every interleaving, with the code that ships. `--cfg loom` rebuilds
/// everything, so it has a folder of its own.
fn model_checker(sh: &Shell, counts: &mut Counts) -> Result<()> {
    for model in ["-p zeroxide-transports --test loom_pipe", "-p zeroxide --lib models::"] {
        let checked = run::cargo_test(sh).args(model.split(' ')).env("RUSTFLAGS", "--cfg loom");
        run::count(checked.env("CARGO_TARGET_DIR", run::target(sh).join("loom")), counts)?;
    }
    Ok(())
}

/// Runs the quickstart that was built into `folder`; it ends by itself.
pub(crate) fn run_quickstart(sh: &Shell, folder: &Path) -> Result<()> {
    let program = folder.join(format!("quickstart{}", std::env::consts::EXE_SUFFIX));
    run::within(cmd!(sh, "{program}"), QUICKSTART_LIMIT)
}

/// The cells of `interop`, which sets its peers up by itself; then the tests that look at bytes, with the Python that
/// it has set up.
fn peers(sh: &Shell, report: &mut Report, required: bool) {
    report.step("peers", |counts| {
        let required = required.then_some("--require-peers");
        run::count(cmd!(sh, "cargo run --release -p interop -- --ci {required...}"), counts)
    });
    // These find what the step before has set up.
    let venv = run::target(sh).join("peers/pyzmq/venv");
    let python = venv.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    let has_python = || python.exists();
    let no_python = || demanded(required, Err(not_run("there is no Python with pyzmq")));
    report.step("bytes on the wire", |counts| {
        if !has_python() {
            return no_python();
        }
        let wire = ["-p", "interop", "--features", "peers", "--test", "wire", "--test", "secure"];
        run::count(run::cargo_test(sh).args(wire), counts)
    });
    report.step("what the guide says of pyzmq", |_| {
        if !has_python() {
            return no_python();
        }
        run::within(cmd!(sh, "{python} examples/guide/pages/tests/migrating.py"), SCRIPT_LIMIT)
    });
    report.step("what the guide says of zeromq", |counts| {
        let built = run::target(sh).join("peers/zmq.rs");
        if !built.join("release").exists() {
            return demanded(required, Err(not_run("the peer zmq.rs is not built")));
        }
        let tests = ["--tests", "--release", "--locked", "--manifest-path", "interop/peers/zmqrs/Cargo.toml"];
        run::count(run::cargo_test(sh).args(tests).env("CARGO_TARGET_DIR", built), counts)
    });
    for (step, package, test) in WITH_PYZMQ {
        report.step(step, |counts| {
            if !has_python() {
                return no_python();
            }
            let test = ["-p", package, "--features", "peers", "--test", test];
            run::count(run::cargo_test(sh).args(test), counts)
        });
    }
}

/// What is demanded and has not run has failed.
fn demanded(required: bool, result: Result<()>) -> Result<()> {
    result.map_err(|error| match error.downcast_ref::<NotRun>() {
        Some(why) if required => anyhow!("{why} (--require-peers)"),
        _ => error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_peer_fails_only_when_demanded() {
        let missing = || Err(not_run("no mvn on the path"));
        assert!(demanded(false, missing()).unwrap_err().is::<NotRun>());
        let failed = demanded(true, missing()).unwrap_err();
        assert!(!failed.is::<NotRun>() && failed.to_string().contains("no mvn on the path"));
        demanded(true, Ok(())).unwrap();
    }
}
