//! `test`: every test there is, the peers in other languages included.
//!
//! What the peers' tests need is made here and handed over in the environment:
//!
//! | variable | value |
//! |---|---|
//! | `ZEROXIDE_PYTHON` | a Python with pyzmq installed |
//! | `ZEROXIDE_JAVA` | a Java virtual machine; unset when there is none |
//! | `ZEROXIDE_JAVA_CLASSPATH` | the compiled peers of `interop/peers/java` and what they need |

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use crate::report::{Counts, Outcome, Report};
use crate::run;

/// The features that are off by default. Not `--all-features`: some of the tools need more than Rust.
pub(crate) const FEATURES: &str = "zeroxide/plain,zeroxide/face";
/// The pyzmq that the peers run; its wheel carries its own libzmq.
const PYZMQ: &str = "pyzmq==27.1.0";
/// The oldest Python for which that pyzmq has wheels.
const PYTHON: (u32, u32) = (3, 9);
/// More than any quickstart needs.
const QUICKSTART_LIMIT: Duration = Duration::from_secs(60);

/// Options of `test`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Fails when a peer cannot run here because its tool chain (Python 3.9, JDK and Maven) is missing.
    ///
    /// Without it a missing tool chain is listed as not run, and the task succeeds.
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
    peers(root, report, require_peers);
}

/// The orders of the pipe and of engine entry, in every interleaving, with the code that ships. `--cfg loom` rebuilds
/// everything, so it has a folder of its own.
fn model_checker(root: &Path, counts: &mut Counts) -> Outcome {
    let folder = target(root).join("loom");
    let models: [&[&str]; 2] = [
        &["test", "-p", "zeroxide-transports", "--test", "loom_pipe"],
        &["test", "-p", "zeroxide", "--lib", "io::entry"],
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

/// The folder that cargo builds into.
pub(crate) fn target(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder))
}

fn quickstart(root: &Path) -> Outcome {
    let built = run::pass(&mut run::cargo(root, &["build", "--release", "--example", "quickstart"]));
    if built != Outcome::Passed {
        return built;
    }
    run_quickstart(root, &target(root).join("release/examples"))
}

/// Runs the quickstart that was built into `folder`; it ends by itself.
pub(crate) fn run_quickstart(root: &Path, folder: &Path) -> Outcome {
    let program = folder.join(format!("quickstart{}", std::env::consts::EXE_SUFFIX));
    run::within(&mut run::command(program, root, &[]), QUICKSTART_LIMIT)
}

fn peers(root: &Path, report: &mut Report, required: bool) {
    let mut python = None;
    report.step("python peers, set up", |_| demanded(required, python_peers(root, &mut python)));
    let mut java = None;
    if root.join("interop/peers/java").is_dir() {
        report.step("java peers, set up", |_| demanded(required, java_peers(root, &mut java)));
    }
    report.step("peers", |counts| {
        if python.is_none() && java.is_none() {
            return demanded(required, Outcome::NotRun("no peer could be set up".to_owned()));
        }
        let mut cells = run::cargo(root, &["run", "--release", "-p", "interop", "--", "--ci"]);
        let mut wire = run::cargo(root, &["test", "-p", "interop", "--features", "peers", "--test", "wire"]);
        if required {
            cells.arg("--require-peers");
        }
        for command in [&mut cells, &mut wire] {
            if let Some(python) = &python {
                command.env("ZEROXIDE_PYTHON", python);
            }
            if let Some(class_path) = &java {
                command.env("ZEROXIDE_JAVA", "java").env("ZEROXIDE_JAVA_CLASSPATH", class_path);
            }
        }
        match (run::count(&mut cells, counts), run::count(&mut wire, counts)) {
            (Outcome::Passed, outcome) | (outcome, _) => outcome,
        }
    });
}

/// What is demanded and has not run has failed.
fn demanded(required: bool, outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::NotRun(why) if required => Outcome::Failed(format!("{why} (--require-peers)")),
        other => other,
    }
}

/// Makes a virtual environment with pyzmq, once.
fn python_peers(root: &Path, python: &mut Option<PathBuf>) -> Outcome {
    let folder = target(root).join("peers/venv");
    let inside = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    let mark = folder.join("zeroxide-requirements");
    if std::fs::read_to_string(&mark).is_ok_and(|made_with| made_with == PYZMQ) {
        println!("{PYZMQ} is there");
        *python = Some(inside);
        return Outcome::Passed;
    }
    let Some(system) = find_python(root) else {
        return Outcome::NotRun(format!("no Python {}.{} or later on the path", PYTHON.0, PYTHON.1));
    };
    let made = run::pass(run::command(system, root, &["-m", "venv", "--clear"]).arg(&folder));
    if made != Outcome::Passed {
        return Outcome::NotRun("this Python cannot make a virtual environment (module venv)".to_owned());
    }
    let install = ["-m", "pip", "install", "--quiet", "--only-binary", ":all:", PYZMQ];
    if run::pass(&mut run::command(&inside, root, &install)) != Outcome::Passed {
        return Outcome::NotRun(format!("pip could not install {PYZMQ}"));
    }
    if let Err(error) = std::fs::write(mark, PYZMQ) {
        return Outcome::Failed(error.to_string());
    }
    *python = Some(inside);
    Outcome::Passed
}

/// The first Python on the path that is new enough.
fn find_python(root: &Path) -> Option<&'static str> {
    const NAMES: &[&str] =
        &["python3", "python", "python3.13", "python3.12", "python3.11", "python3.10", "python3.9"];
    NAMES.iter().copied().find(|name| {
        let script = "import sys, venv, ensurepip; print(sys.version_info[0], sys.version_info[1])";
        run::output(&mut run::command(name, root, &["-c", script])).is_some_and(|v| new_enough(&v))
    })
}

/// Whether `version` ("3 11") is at least the oldest supported.
fn new_enough(version: &str) -> bool {
    let mut numbers = version.split_whitespace().map(|n| n.parse::<u32>().ok());
    matches!((numbers.next(), numbers.next()), (Some(Some(major)), Some(Some(minor))) if (major, minor) >= PYTHON)
}

/// Compiles the Java peers and fetches what they need.
fn java_peers(root: &Path, class_path: &mut Option<String>) -> Outcome {
    for (program, question) in [("javac", "-version"), ("java", "-version"), ("mvn", "--version")] {
        if run::output(&mut run::command(program, root, &[question])).is_none() {
            return Outcome::NotRun(format!("no {program} on the path"));
        }
    }
    let libraries = target(root).join("peers/java");
    let goals = [
        "-B",
        "-q",
        "-f",
        "interop/peers/java/pom.xml",
        "compile",
        "dependency:copy-dependencies",
        "-DincludeScope=runtime",
    ];
    let built = run::pass(
        run::command("mvn", root, &goals).arg(format!("-DoutputDirectory={}", libraries.display())),
    );
    if built != Outcome::Passed {
        return Outcome::NotRun("mvn could not build interop/peers/java".to_owned());
    }
    let separator = if cfg!(windows) { ';' } else { ':' };
    let classes = root.join("interop/peers/java/target/classes");
    *class_path = Some(format!("{}{separator}{}/*", classes.display(), libraries.display()));
    Outcome::Passed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_python_is_not_taken() {
        assert!(new_enough("3 9"));
        assert!(new_enough("3 14"));
        assert!(new_enough("4 0"));
        assert!(!new_enough("3 8"));
        assert!(!new_enough("2 7"));
        assert!(!new_enough("three"));
        assert!(!new_enough(""));
    }

    #[test]
    fn a_missing_peer_fails_only_when_demanded() {
        let missing = || Outcome::NotRun("no mvn on the path".to_owned());
        assert_eq!(demanded(false, missing()), missing());
        assert!(matches!(demanded(true, missing()), Outcome::Failed(_)));
        assert_eq!(demanded(true, Outcome::Passed), Outcome::Passed);
    }
}
