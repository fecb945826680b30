//! The package zmq-sys of `capi/zmq-sys`, which others put in the place of the real one.
//!
//! Its items are those of the real crate; a program on the crate `zmq` runs on it; the tests of `zmq` pass on it but for
//! those in `capi/conformance/zmq-crate.toml`; and a second libzmq in the same program is refused by cargo.

mod surface;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::report::{Counts, Outcome, Report};
use crate::{registry, run, suite};

/// Names the real packages.
const SOURCES: &str = "xtask/zmq-source/Cargo.toml";
/// The tests of the crate `zmq` that do not pass, each with its reason; a reason that begins with `sometimes` allows it
/// to pass as well.
const LIST: &str = "capi/conformance/zmq-crate.toml";

pub(crate) fn run(root: &Path) -> ExitCode {
    let mut report = Report::default();
    steps(root, &mut report);
    report.close()
}

/// Runs the steps into `report`.
pub(crate) fn steps(root: &Path, report: &mut Report) {
    report.step("zmq-sys: items", |_| outcome(items(root)));
    report.step("zmq-sys: own tests", |counts| {
        let tests = ["test", "--locked", "--manifest-path", "capi/zmq-sys/Cargo.toml"];
        run::count(run::cargo(root, &tests).env("CARGO_TARGET_DIR", built(root)), counts)
    });
    report.step("zmq-sys: a program on the crate zmq", |_| {
        let program = ["run", "--locked", "--manifest-path", "examples/zmq-crate/Cargo.toml"];
        run::pass(run::cargo(root, &program).env("CARGO_TARGET_DIR", built(root)))
    });
    report.step("zmq-sys: the tests of the crate zmq", |counts| outcome(tests_of_zmq(root, counts)));
    report.step("zmq-sys: a second libzmq is refused", |_| outcome(second(root)));
}

/// What these packages are built in: they share no artefact with the workspace.
fn built(root: &Path) -> PathBuf {
    suite::target(root).join("zmq-sys")
}

fn outcome(result: Result<(), String>) -> Outcome {
    result.map_or_else(Outcome::Failed, |()| Outcome::Passed)
}

fn items(root: &Path) -> Result<(), String> {
    let real = surface::read(&registry::source(root, SOURCES, "zmq-sys")?.join("src"))?;
    let ours = surface::read(&root.join("capi/zmq-sys/src"))?;
    let differences = surface::differences(&real, &ours);
    println!("{} items in the real crate, {} in ours", real.len(), ours.len());
    differences.iter().for_each(|line| println!("{line}"));
    match differences.len() {
        0 => Ok(()),
        number => Err(format!("{number} items differ from the real zmq-sys")),
    }
}

/// A copy of the crate's sources, with the patch that any project has, and nothing else changed.
fn tests_of_zmq(root: &Path, counts: &mut Counts) -> Result<(), String> {
    let source = registry::source(root, SOURCES, "zmq")?;
    let copy = suite::target(root).join("zmq-crate");
    let failed = |error: std::io::Error| format!("{}: {error}", copy.display());
    if copy.exists() {
        fs::remove_dir_all(&copy).map_err(failed)?;
    }
    copy_tree(&source, &copy).map_err(failed)?;
    let manifest = copy.join("Cargo.toml");
    let patch = root.join("capi/zmq-sys").display().to_string();
    let mut text = fs::read_to_string(&manifest).map_err(failed)?;
    text.push_str(&format!("\n[patch.crates-io.zmq-sys]\npath = {patch:?}\n\n[workspace]\n"));
    fs::write(&manifest, text).map_err(failed)?;
    // The one that comes with it names the real zmq-sys.
    fs::copy(root.join("capi/conformance/zmq-crate.lock"), copy.join("Cargo.lock")).map_err(failed)?;
    // It compares what the compiler said of wrong programs in 2021 with what it says now, and takes minutes for it.
    fs::remove_file(copy.join("tests/compile-tests.rs")).map_err(failed)?;

    let mut tests = run::cargo(&copy, &["test", "--no-fail-fast", "--lib", "--tests"]);
    let output = tests.env("CARGO_TARGET_DIR", built(root)).output().map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().for_each(|line| println!("{line}"));
    let ran = read(&text);
    if ran.is_empty() {
        return Err(format!("no test ran: {}", String::from_utf8_lossy(&output.stderr)));
    }
    counts.passed += ran.values().filter(|passed| **passed).count() as u64;
    let list = fs::read_to_string(root.join(LIST)).map_err(|error| format!("{LIST}: {error}"))?;
    let list: BTreeMap<String, String> = toml::from_str(&list).map_err(|error| format!("{LIST}: {error}"))?;
    let faults = faults(&ran, &list);
    faults.iter().for_each(|fault| println!("FAULT {fault}"));
    counts.failed += faults.len() as u64;
    if faults.is_empty() { Ok(()) } else { Err(format!("{} tests differ from {LIST}", faults.len())) }
}

/// The lines `test NAME ... ok` and `... FAILED` of the standard harness.
fn read(output: &str) -> BTreeMap<String, bool> {
    let mut ran = BTreeMap::new();
    for line in output.lines() {
        let Some((name, end)) = line.strip_prefix("test ").and_then(|rest| rest.split_once(" ... ")) else {
            continue;
        };
        // A test may print between its name and its end.
        let passed = end.ends_with("ok");
        if passed || end.ends_with("FAILED") {
            ran.insert(name.trim_end_matches(" - should panic").to_owned(), passed);
        }
    }
    ran
}

fn faults(ran: &BTreeMap<String, bool>, list: &BTreeMap<String, String>) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, passed) in ran {
        match (passed, list.get(name)) {
            (false, None) => faults.push(format!("{name} fails and is not listed")),
            (true, Some(why)) if !why.starts_with("sometimes") => {
                faults.push(format!("{name} passes and is listed ({why})"));
            }
            _ => {}
        }
    }
    let absent = list.keys().filter(|name| !ran.contains_key(*name));
    faults.extend(absent.map(|name| format!("{name} is listed and did not run")));
    faults
}

/// A program that asks for both must not come about: two libraries would define the same functions.
fn second(root: &Path) -> Result<(), String> {
    let folder = suite::target(root).join("zmq-second");
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    fs::create_dir_all(folder.join("src")).map_err(failed)?;
    fs::write(folder.join("src/lib.rs"), "").map_err(failed)?;
    let (ours, real) = (root.join("capi/zmq-sys"), registry::source(root, SOURCES, "zmq-sys")?);
    let manifest = format!(
        "[package]\nname = \"second\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n[dependencies]\n\
         ours = {{ package = \"zmq-sys\", path = {ours:?} }}\nreal = {{ package = \"zmq-sys\", path = {real:?} }}\n"
    );
    fs::write(folder.join("Cargo.toml"), manifest).map_err(failed)?;
    let answer = run::cargo(&folder, &["generate-lockfile"]).output().map_err(|error| error.to_string())?;
    let words = String::from_utf8_lossy(&answer.stderr);
    match !answer.status.success() && words.contains("links to the native library `zmq`") {
        true => Ok(()),
        false => Err(format!("cargo says: {words}")),
    }
}

fn copy_tree(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let place = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &place)?;
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

    #[test]
    fn the_harness_lines_are_read_and_compared() {
        let text = "test one ... ok\ntest two ... FAILED\ntest three - should panic ... ok\n\
                    test four ... noise\nok\ntest result: FAILED. 2 passed; 1 failed\n";
        let ran = read(text);
        assert_eq!(
            ran,
            [("one", true), ("three", true), ("two", false)].map(|(n, p)| (n.to_owned(), p)).into()
        );
        let list = |names: &[(&str, &str)]| -> BTreeMap<String, String> {
            names.iter().map(|(name, why)| ((*name).to_owned(), (*why).to_owned())).collect()
        };
        assert_eq!(faults(&ran, &list(&[("two", "no GSSAPI")])), Vec::<String>::new());
        assert_eq!(faults(&ran, &list(&[])).len(), 1);
        assert_eq!(faults(&ran, &list(&[("two", "why"), ("one", "why")])).len(), 1);
        assert_eq!(faults(&ran, &list(&[("two", "why"), ("one", "sometimes: a race")])).len(), 0);
        assert_eq!(faults(&ran, &list(&[("two", "why"), ("gone", "why")])).len(), 1);
    }
}
