//! What the standard test harness prints, read line by line, and whether it adds up.
//!
//! Cargo's exit status alone does not prove that tests ran: one that calls `exit(0)` ends its program well. So each
//! `running N tests` must be followed by a `test result:` that accounts for N.

use std::collections::BTreeSet;

/// What was read so far.
#[derive(Debug, Default)]
pub(crate) struct Harness {
    /// Each test that passed or failed, in the order of their lines; a name may come twice, from two programs.
    pub(crate) tests: Vec<(String, bool)>,
    /// How many passed and failed by the closing lines.
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    /// What the program that runs now has announced.
    open: Option<u64>,
    faults: Vec<String>,
    /// Tests that the harness calls slow and that have not ended.
    slow: BTreeSet<String>,
}

impl Harness {
    pub(crate) fn add_line(&mut self, line: &str) {
        if let Some(number) = announced(line) {
            self.ended();
            self.open = Some(number);
        } else if let Some(rest) = line.trim().strip_prefix("test result:") {
            let [passed, failed, ignored, measured] =
                [" passed;", " failed;", " ignored;", " measured;"].map(|word| number_before(rest, word));
            (self.passed, self.failed) = (self.passed + passed, self.failed + failed);
            let told = passed + failed + ignored + measured;
            if let Some(number) = self.open.take().filter(|number| *number != told) {
                self.faults.push(format!("{number} tests were announced, and {told} are accounted for"));
            }
        } else if let Some(name) = line.strip_prefix("test ") {
            self.add_test(name);
        }
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
            self.faults.push(format!("a program with {number} tests ended without a result"));
        }
    }

    /// What does not add up, after the last line.
    pub(crate) fn close(&mut self) -> Option<String> {
        self.ended();
        (!self.faults.is_empty()).then(|| self.faults.join("; "))
    }

    /// The tests that run long, to be named where time is up.
    pub(crate) fn slow(&self) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Harness {
        let mut harness = Harness::default();
        text.lines().for_each(|line| harness.add_line(line));
        harness
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
        assert_eq!(harness.close(), None);
    }

    #[test]
    fn a_program_without_a_result_is_seen() {
        let result = "test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n";
        for text in [
            "running 2 tests\ntest one ... ok\n".to_owned(),
            format!("running 2 tests\ntest one ... ok\nrunning 2 tests\n{result}"),
        ] {
            let fault = read(&text).close().unwrap();
            assert_eq!(fault, "a program with 2 tests ended without a result");
        }
    }

    #[test]
    fn a_result_that_leaves_a_test_out_is_seen() {
        let mut harness =
            read("running 3 tests\ntest result: ok. 2 passed; 0 failed; 0 ignored; 0 measured;\n");
        assert_eq!(harness.close().unwrap(), "3 tests were announced, and 2 are accounted for");
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
    fn a_test_that_hangs_is_named() {
        let harness = read(
            "test one has been running for over 60 seconds\ntest two has been running for over 60 seconds\n\
             test one ... ok\n",
        );
        assert_eq!(harness.slow(), ": two");
        assert_eq!(read("").slow(), "");
    }
}
