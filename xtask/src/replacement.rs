//! The package zmq-sys of `capi/zmq-sys`, which others put in the place of the real one.
//!
//! Its items are those of the real crate; a program on the crate `zmq` runs on it; the tests of `zmq` pass on it but for
//! those in `capi/conformance/zmq-crate.toml`; and a second libzmq in the same program is refused by cargo.

mod items;

use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use fs_err as fs;
use walkdir::WalkDir;
use xshell::{Shell, cmd};

use crate::conformance::{Case, Expected, Verdict, by_file, close, whole};
use crate::harness::Harness;
use crate::report::{Counts, Report};
use crate::{registry, run};

/// Names the real packages.
const SOURCES: &str = "xtask/zmq-source/Cargo.toml";
/// The tests of the crate `zmq` that do not pass, each with its reason; a reason that begins with `sometimes` allows it
/// to pass as well.
const LIST: &str = "capi/conformance/zmq-crate.toml";
/// The table in it.
const TESTS: &str = "zmq";
/// More than they take, what they are built of included.
const LIMIT: Duration = Duration::from_secs(20 * 60);

pub(crate) fn steps(sh: &Shell, report: &mut Report) {
    report.step("zmq-sys: items", |_| items::step(sh));
    report.step("zmq-sys: own tests", |counts| {
        let tests = ["--tests", "--locked", "--manifest-path", "capi/zmq-sys/Cargo.toml"];
        let tests = run::cargo_test(sh).args(tests);
        run::count(tests.env("CARGO_TARGET_DIR", built(sh)), counts)
    });
    report.step("zmq-sys: programs on the crates zmq and tmq", |counts| {
        let program = cmd!(sh, "cargo run --locked --manifest-path examples/zmq-crate/Cargo.toml");
        run::pass(program.env("CARGO_TARGET_DIR", built(sh)))?;
        // What the guide says of both crates.
        let tests = ["--tests", "--locked", "--manifest-path", "examples/zmq-crate/Cargo.toml"];
        run::count(run::cargo_test(sh).args(tests).env("CARGO_TARGET_DIR", built(sh)), counts)
    });
    report.step("zmq-sys: the tests of the crate zmq", |counts| tests_of_zmq(sh, counts));
    report.step("zmq-sys: a second libzmq is refused", |_| second(sh));
}

/// What these packages are built in: they share no artefact with the workspace.
fn built(sh: &Shell) -> PathBuf {
    run::target(sh).join("zmq-sys")
}

/// A copy of the crate's sources, with the patch that any project has, and nothing else changed.
fn tests_of_zmq(sh: &Shell, counts: &mut Counts) -> Result<()> {
    let (root, copy) = (sh.current_dir(), run::target(sh).join("zmq-crate"));
    if copy.exists() {
        fs::remove_dir_all(&copy)?;
    }
    copy_tree(&registry::source(sh, SOURCES, "zmq")?, &copy)?;
    let manifest = copy.join("Cargo.toml");
    let patch = root.join("capi/zmq-sys").display().to_string();
    let mut text = fs::read_to_string(&manifest)?;
    text.push_str(&format!("\n[patch.crates-io.zmq-sys]\npath = {patch:?}\n\n[workspace]\n"));
    fs::write(&manifest, text)?;
    // The one that comes with it names the real zmq-sys.
    fs::copy(root.join("capi/conformance/zmq-crate.lock"), copy.join("Cargo.lock"))?;
    // It compares what the compiler said of wrong programs in 2021 with what it says now, and takes minutes for it.
    fs::remove_file(copy.join("tests/compile-tests.rs"))?;

    let tests = run::cargo_test(sh).args(["--no-fail-fast", "--lib", "--tests", "--manifest-path"]);
    let tests = tests.arg(manifest).env("CARGO_TARGET_DIR", built(sh));
    let (mut harness, start) = (Harness::default(), Instant::now());
    let (printed, status) = run::gathered(tests, LIMIT)?;
    printed.lines().for_each(|line| harness.add_line(line));
    let cases = harness.tests.iter().map(|(name, passed)| Case {
        name: name.clone(),
        verdict: if *passed { Verdict::Passed } else { Verdict::Failed("see what it printed".to_owned()) },
    });
    let mut cases: Vec<Case> = cases.collect();
    cases.extend(gaps(&mut harness, status).into_iter().map(|why| whole(Verdict::Failed(why))));
    let cases = cases.into_iter().map(|case| (TESTS.to_owned(), case)).collect();
    let rows = by_file(cases, &Expected::read(&root.join(LIST))?, start.elapsed(), true);
    // Not what they printed if all is as the list says: among it are the failures that are expected.
    close(&rows, LIST, counts).inspect_err(|_| println!("{printed}"))
}

/// What does not add up between the tests that were read, the sums of the harness, and cargo's word.
fn gaps(harness: &mut Harness, status: Option<ExitStatus>) -> Vec<String> {
    let mut gaps = harness.gaps(status, LIMIT);
    let (read, told) = (harness.tests.len() as u64, harness.passed + harness.failed);
    if read != told && status.is_some() {
        gaps.push(format!("{told} tests ran by their sums, and {read} were read"));
    }
    if read == 0 {
        gaps.push("no test ran".to_owned());
    }
    gaps
}

/// A program that asks for both must not come about: two libraries would define the same functions.
fn second(sh: &Shell) -> Result<()> {
    let folder = run::target(sh).join("zmq-second");
    fs::create_dir_all(folder.join("src"))?;
    fs::write(folder.join("src/lib.rs"), "")?;
    let (ours, real) = (sh.current_dir().join("capi/zmq-sys"), registry::source(sh, SOURCES, "zmq-sys")?);
    let manifest = format!(
        "[package]\nname = \"second\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n[dependencies]\n\
         ours = {{ package = \"zmq-sys\", path = {ours:?} }}\nreal = {{ package = \"zmq-sys\", path = {real:?} }}\n"
    );
    let place = folder.join("Cargo.toml");
    fs::write(&place, manifest)?;
    let output = cmd!(sh, "cargo generate-lockfile --manifest-path {place}").ignore_status().output()?;
    let words = String::from_utf8_lossy(&output.stderr);
    let refused = !output.status.success() && words.contains("links to the native library `zmq`");
    ensure!(refused, "cargo says: {words}");
    Ok(())
}

fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    for entry in WalkDir::new(from) {
        let entry = entry?;
        let place = to.join(entry.path().strip_prefix(from)?);
        if entry.file_type().is_dir() {
            fs::create_dir_all(place)?;
        } else {
            // Not `copy`, which would bring the registry's permissions along.
            fs::write(place, fs::read(entry.path())?)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two tests, of which one failed.
    const TEXT: &str = "running 2 tests\ntest one ... ok\ntest two ... FAILED\n\
                        test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out\n";

    fn read(text: &str) -> Harness {
        let mut harness = Harness::default();
        text.lines().for_each(|line| harness.add_line(line));
        harness
    }

    #[test]
    #[cfg(unix)]
    fn cargo_s_word_and_the_sums_must_fit_what_was_read() {
        let ended = |code: &str| std::process::Command::new("sh").args(["-c", code]).status().ok();
        assert_eq!(gaps(&mut read(TEXT), ended("exit 101")), Vec::<String>::new());
        let fault = |text: &str, status| gaps(&mut read(text), status).join("; ");
        assert!(fault(TEXT, ended("exit 0")).contains("the command ended well"));
        assert!(
            fault(&TEXT.replace("FAILED", "ok").replace("1 passed; 1", "2 passed; 0"), ended("exit 101"))
                .contains("no test failed")
        );
        assert!(
            fault(&TEXT.replace("test one ... ok", "test one ... noise"), ended("exit 101"))
                .contains("2 tests ran by their sums, and 1 were read")
        );
        assert!(fault(&format!("{TEXT}running 1 test\n"), ended("exit 101")).contains("without a result"));
        assert!(fault("", ended("exit 0")).contains("no test ran"));
        let slow = format!("{TEXT}test three has been running for over 60 seconds\n");
        assert!(fault(&slow, None).contains("still running after 1200 s: three"));
    }
}
