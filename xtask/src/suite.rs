//! `test`: every test there is, the peers in other languages included.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use crate::report::{Counts, Outcome, Report};
use crate::{conformance, hostile, install, replacement, run, simulate};

/// The features that are off by default. Not `--all-features`: some of the tools need more than Rust.
pub(crate) const FEATURES: &str = "zeroxide/plain,zeroxide/curve,zeroxide/face,benches/plain,benches/curve";
/// More than any quickstart needs.
const QUICKSTART_LIMIT: Duration = Duration::from_secs(60);

/// Options of `test`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Fails when a peer cannot run here because its tool chain is missing.
    ///
    /// Without it a missing peer is listed as missing, and the task succeeds.
    #[arg(long)]
    require_peers: bool,
}

pub(crate) fn run(root: &Path, options: &Options) -> ExitCode {
    let mut report = Report::default();
    steps(root, &mut report, options.require_peers);
    report.close()
}

/// Runs the steps of `test` into `report`.
pub(crate) fn steps(root: &Path, report: &mut Report, require_peers: bool) {
    report.step("workspace tests", |counts| {
        run::count(
            &mut run::cargo(root, &["test", "--workspace", "--features", FEATURES, "--no-fail-fast"]),
            counts,
        )
    });
    // Of its own: the step before must have tested the other crate that seals.
    report.step("tests of curve-simd", |counts| {
        let simd = ["test", "-p", "zeroxide-zmtp", "--features", "plain,curve-simd"];
        run::count(&mut run::cargo(root, &simd), counts)
    });
    report.step("tests without features", |counts| {
        let bare = [
            "test",
            "-p",
            "zeroxide-zmtp",
            "-p",
            "zeroxide",
            "--lib",
            "--test",
            "options",
            "--test",
            "security",
        ];
        run::count(&mut run::cargo(root, &bare), counts)
    });
    report.step("model checker", |counts| model_checker(root, counts));
    report.step("quickstart, release", |_| quickstart(root));
    report.step("simulator", |_| simulate::step(root));
    report.step("hostile", |_| hostile::step(root));
    report.step("the installed package", |_| install::step(root));
    replacement::steps(root, report);
    // What is missing for these is what is missing for the peers.
    conformance::steps(root, report, |outcome| demanded(require_peers, outcome));
    peers(root, report, require_peers);
}

/// The orders of the pipe and of engine entry, in every interleaving, with the code that ships. `--cfg loom` rebuilds
/// everything, so it has a folder of its own.
fn model_checker(root: &Path, counts: &mut Counts) -> Outcome {
    let folder = run::target(root).join("loom");
    let models: [&[&str]; 2] = [
        &["test", "-p", "zeroxide-transports", "--test", "loom_pipe"],
        &["test", "-p", "zeroxide", "--lib", "engine::try_mutex"],
    ];
    for model in models {
        let mut checked = run::cargo(root, model);
        checked.env("RUSTFLAGS", "--cfg loom").env("CARGO_TARGET_DIR", &folder);
        let outcome = run::count(&mut checked, counts);
        if outcome != Outcome::Passed {
            return outcome;
        }
    }
    Outcome::Passed
}

fn quickstart(root: &Path) -> Outcome {
    let built = run::pass(&mut run::cargo(root, &["build", "--release", "--example", "quickstart"]));
    if built != Outcome::Passed {
        return built;
    }
    run_quickstart(root, &run::target(root).join("release/examples"))
}

/// Runs the quickstart that was built into `folder`; it ends by itself.
pub(crate) fn run_quickstart(root: &Path, folder: &Path) -> Outcome {
    let program = folder.join(format!("quickstart{}", std::env::consts::EXE_SUFFIX));
    run::within(&mut run::command(program, root, &[]), QUICKSTART_LIMIT)
}

/// The cells of `interop`, which sets its peers up by itself; then the tests that look at bytes, with the Python that
/// it has set up.
fn peers(root: &Path, report: &mut Report, required: bool) {
    report.step("peers", |counts| {
        let mut cells = run::cargo(root, &["run", "--release", "-p", "interop", "--", "--ci"]);
        if required {
            cells.arg("--require-peers");
        }
        run::count(&mut cells, counts)
    });
    report.step("bytes on the wire", |counts| {
        let venv = run::target(root).join("peers/pyzmq/venv");
        let python = venv.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
        if !python.exists() {
            return demanded(required, Outcome::NotRun("there is no Python with pyzmq".to_owned()));
        }
        let wire = ["test", "-p", "interop", "--features", "peers", "--test", "wire", "--test", "secure"];
        // They find what the step before has set up.
        run::count(&mut run::cargo(root, &wire), counts)
    });
}

/// What is demanded and has not run has failed.
fn demanded(required: bool, outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::NotRun(why) if required => Outcome::Failed(format!("{why} (--require-peers)")),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_peer_fails_only_when_demanded() {
        let missing = || Outcome::NotRun("no mvn on the path".to_owned());
        assert_eq!(demanded(false, missing()), missing());
        assert!(matches!(demanded(true, missing()), Outcome::Failed(_)));
        assert_eq!(demanded(true, Outcome::Passed), Outcome::Passed);
    }
}
