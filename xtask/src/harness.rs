//! What the standard test harness prints, read line by line, and whether it adds up.
//!
//! Cargo's exit status alone does not prove that tests ran: one that calls `exit(0)` ends its program well. So each
//! `running N tests` must be followed by a `test result:` that accounts for N. Cargo names the programs on its standard
//! error alone; with [`NAMED`] each is named in the same stream as what it prints, so that a fault names it, too.

use std::collections::BTreeSet;
use std::process::ExitStatus;
use std::time::Duration;

use crate::run::still_running;

/// An argument of `cargo --config`: a test program runs behind a line with its path.
pub(crate) const NAMED: &str =
    r#"target.'cfg(all())'.runner = ["sh", "-c", 'echo "xtask runs $0"; exec "$0" "$@"']"#;
/// How that line begins.
const RUNS: &str = "xtask runs ";

/// What was read so far.
#[derive(Debug, Default)]
pub(crate) struct Harness {
    /// Each test that passed or failed, in the order of their lines; a name may come twice, from two programs.
    pub(crate) tests: Vec<(String, bool)>,
    /// How many passed and failed by the closing lines.
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    /// The file of the program that runs now, if it was told.
    program: Option<String>,
    /// How many tests it has announced.
    open: Option<u64>,
    /// What was read last.
    last: String,
    faults: Vec<String>,
    /// Tests that the harness calls slow and that have not ended.
    slow: BTreeSet<String>,
    /// What the tests that failed have printed, each behind its headline; and whether the lines that come belong to it.
    printed: Vec<String>,
    prints: bool,
}

/// How many lines of a test that failed are repeated at the end.
const MOST_LINES: usize = 30;

impl Harness {
    pub(crate) fn add_line(&mut self, line: &str) {
        if let Some(path) = line.strip_prefix(RUNS) {
            self.ended();
            self.program = path.rsplit(['/', '\\']).next().map(str::to_owned);
        } else if let Some(number) = announced(line) {
            self.ended();
            self.open = Some(number);
        } else if let Some(rest) = line.trim().strip_prefix("test result:") {
            self.add_result(line, rest);
        } else if let Some(name) = line.strip_prefix("test ") {
            self.add_test(name);
        }
        self.add_printed(line);
        if !line.trim().is_empty() {
            line.clone_into(&mut self.last);
        }
    }

    /// `---- name stdout ----`, what the test has printed, and behind the last one `failures:` and the names.
    fn add_printed(&mut self, line: &str) {
        if line.starts_with("---- ") && line.ends_with(" stdout ----") {
            self.prints = true;
            self.printed.push(String::new());
        } else if line == "failures:" {
            self.prints = false;
        }
        if let Some(text) = self.printed.last_mut().filter(|_| self.prints) {
            if text.lines().count() < MOST_LINES && !line.trim().is_empty() {
                text.extend([line, "\n"]);
            }
        }
    }

    /// The tests that failed, by name, and below that what they printed.
    pub(crate) fn failures(&self) -> String {
        let failed = self.tests.iter().filter(|(_, passed)| !passed).map(|(name, _)| name.as_str());
        let names: Vec<&str> = failed.collect();
        format!("{}\n{}", names.join(", "), self.printed.concat()).trim().to_owned()
    }

    fn add_result(&mut self, line: &str, rest: &str) {
        let [passed, failed, ignored, measured] =
            [" passed;", " failed;", " ignored;", " measured;"].map(|word| number_before(rest, word));
        (self.passed, self.failed) = (self.passed + passed, self.failed + failed);
        let told = passed + failed + ignored + measured;
        if let Some(number) = self.open.take().filter(|number| *number != told) {
            let program = self.program();
            self.faults.push(format!(
                "{program} announced {number} tests and accounts for {told} in its line {line:?}"
            ));
        }
        self.program = None;
    }

    fn add_test(&mut self, line: &str) {
        if let Some((name, _)) = line.split_once(" has been running for over ") {
            self.slow.insert(name.to_owned());
        } else if let Some((name, end)) = line.split_once(" ... ") {
            let name = name.trim_end_matches(" - should panic");
            self.slow.remove(name);
            // A test may print between its name and its end.
            let passed = end.ends_with("ok");
            if passed || end.ends_with("FAILED") {
                self.tests.push((name.to_owned(), passed));
            }
        }
    }

    /// A program that announced tests has ended without a result.
    fn ended(&mut self) {
        if let Some(number) = self.open.take() {
            let (program, last) = (self.program(), &self.last);
            self.faults.push(format!(
                "{program} announced {number} tests and ended without a result; its last line is {last:?}"
            ));
            self.program = None;
        }
    }

    /// What the program that runs now is called.
    fn program(&self) -> &str {
        self.program.as_deref().unwrap_or("a program without a name")
    }

    /// What does not add up, after the last line, between what was read and the end of the command; it has none if it was
    /// ended at its limit.
    pub(crate) fn gaps(&mut self, end: Option<ExitStatus>, limit: Duration) -> Vec<String> {
        let Some(end) = end else { return vec![format!("{}{}", still_running(limit), self.slow())] };
        self.ended();
        let mut gaps = std::mem::take(&mut self.faults);
        match (end.success(), self.failed) {
            (true, failed @ 1..) => gaps.push(format!("{failed} tests failed, and the command ended well")),
            (false, 0) => gaps.push(format!("{end}, and no test failed")),
            _ => {}
        }
        gaps
    }

    /// The tests that run long, to be named where time is up.
    fn slow(&self) -> String {
        let names: Vec<&str> = self.slow.iter().map(String::as_str).collect();
        if names.is_empty() { String::new() } else { format!(": {}", names.join(", ")) }
    }
}

/// `running 3 tests`
fn announced(line: &str) -> Option<u64> {
    let (number, word) = line.strip_prefix("running ")?.split_once(' ')?;
    number.parse().ok().filter(|_| matches!(word, "test" | "tests"))
}

/// The number that stands just before `word` in `text`, or 0.
fn number_before(text: &str, word: &str) -> u64 {
    let Some((before, _)) = text.split_once(word) else { return 0 };
    before.rsplit(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn read(text: &str) -> Harness {
        let mut harness = Harness::default();
        text.lines().for_each(|line| harness.add_line(line));
        harness
    }

    /// What does not add up if the command ends with this status.
    fn gaps(harness: &mut Harness, status: u8) -> String {
        let exit = std::process::Command::new("sh").arg("-c").arg(format!("exit {status}")).status();
        harness.gaps(exit.ok(), Duration::ZERO).join("; ")
    }

    #[test]
    fn counts_are_summed_over_every_result_line() {
        let mut harness = read(
            "running 4 tests\n\
             test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 9 filtered out; finished in 0.00s\n\
             running 1 test\n\
             test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s\n\
             test result: ok. 500 passed; 0 failed; 78 known faults\n7 passed; 7 failed;\n",
        );
        assert_eq!((harness.passed, harness.failed), (503, 1));
        assert_eq!(gaps(&mut harness, 101), "");
    }

    #[test]
    fn a_program_without_a_result_is_named_with_its_last_line() {
        let result = "test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n";
        let cut = "xtask runs /target/debug/deps/wire-1f\nrunning 2 tests\ntest one ... ok\n\n";
        let whole = format!("xtask runs /target/debug/deps/next-2e\nrunning 2 tests\n{result}");
        for text in [cut.to_owned(), format!("{cut}{whole}"), format!("{whole}{cut}")] {
            assert_eq!(
                gaps(&mut read(&text), 0),
                "wire-1f announced 2 tests and ended without a result; its last line is \"test one ... ok\""
            );
        }
        let unnamed = format!("{whole}running 2 tests\n");
        assert!(gaps(&mut read(&unnamed), 0).starts_with("a program without a name"));
    }

    #[test]
    fn a_result_that_leaves_a_test_out_is_named_with_its_line() {
        let result = "test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured;";
        let mut harness = read(&format!("xtask runs target/wire-1f\nrunning 3 tests\n{result}\n"));
        assert_eq!(
            gaps(&mut harness, 0),
            format!("wire-1f announced 3 tests and accounts for 2 in its line {result:?}")
        );
    }

    #[test]
    fn tests_are_read_with_their_ends() {
        let harness = read(
            "test one ... ok\ntest two ... FAILED\ntest three - should panic ... ok\ntest four ... ignored\n",
        );
        let told = [("one", true), ("two", false), ("three", true)].map(|(name, ok)| (name.to_owned(), ok));
        assert_eq!(harness.tests, told);
    }

    #[test]
    fn what_failed_is_named_with_what_it_printed() {
        let harness = read(
            "running 3 tests\ntest one ... ok\ntest two ... FAILED\ntest three ... FAILED\n\nfailures:\n\n\
             ---- two stdout ----\nleft: 1\n\nright: 2\n---- three stdout ----\nno\n\nfailures:\n    two\n    three\n\n\
             test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out\n",
        );
        let told = "two, three\n---- two stdout ----\nleft: 1\nright: 2\n---- three stdout ----\nno";
        assert_eq!(harness.failures(), told);
    }

    #[test]
    fn a_test_that_hangs_is_named() {
        let harness = read(
            "test one has been running for over 60 seconds\ntest two has been running for over 60 seconds\n\
             test one ... ok\n",
        );
        assert_eq!(harness.slow(), ": two");
        assert_eq!(read("").slow(), "");
    }
}
