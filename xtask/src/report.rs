//! Steps, the closing table and the closing count.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed,
    Failed(String),
    /// This machine lacks what the step needs: said loudly, but no failure by itself.
    NotRun(String),
}

struct Row {
    name: String,
    outcome: Outcome,
    time: Duration,
}

/// Tests, cells and cases counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

/// What has run so far.
#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
    pub(crate) counts: Counts,
}

impl Report {
    /// Runs one step under a headline and notes how it ended.
    pub(crate) fn step(&mut self, name: &str, run: impl FnOnce(&mut Counts) -> Outcome) -> Outcome {
        println!("\n==> {name}");
        let start = Instant::now();
        let outcome = run(&mut self.counts);
        match &outcome {
            Outcome::Passed => {}
            Outcome::Failed(why) => println!("==> {name} FAILED: {why}"),
            Outcome::NotRun(why) => println!("==> {name} NOT RUN: {why}"),
        }
        self.rows.push(Row { name: name.to_owned(), outcome: outcome.clone(), time: start.elapsed() });
        outcome
    }

    /// Prints the table and, as the last line, the count of tests.
    pub(crate) fn close(&self) -> ExitCode {
        print!("{}", self.text());
        if self.rows.iter().any(|row| matches!(row.outcome, Outcome::Failed(_))) {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        }
    }

    fn text(&self) -> String {
        let width = self.rows.iter().map(|row| row.name.len()).max().unwrap_or(0).max(4);
        let mut text = format!("\n{:width$}  {:7}  {:>7}\n", "step", "result", "seconds");
        for row in &self.rows {
            let word = match row.outcome {
                Outcome::Passed => "passed",
                Outcome::Failed(_) => "FAILED",
                Outcome::NotRun(_) => "NOT RUN",
            };
            let _ = writeln!(text, "{:width$}  {word:7}  {:7.1}", row.name, row.time.as_secs_f64());
        }
        for row in &self.rows {
            match &row.outcome {
                Outcome::Passed => {}
                Outcome::Failed(why) => drop(writeln!(text, "FAILED:  {}: {why}", row.name)),
                Outcome::NotRun(why) => drop(writeln!(text, "NOT RUN: {}: {why}", row.name)),
            }
        }
        let _ = writeln!(text, "\n{} passed, {} failed", self.counts.passed, self.counts.failed);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_is_the_count_alone() {
        let mut report = Report::default();
        report.step("one", |counts| {
            counts.passed += 4;
            Outcome::Passed
        });
        report.step("two", |_| Outcome::NotRun("no tool".to_owned()));
        let text = report.text();
        assert_eq!(text.lines().last(), Some("4 passed, 0 failed"));
        assert!(text.contains("NOT RUN: two: no tool"));
        assert!(!report.rows.iter().any(|row| matches!(row.outcome, Outcome::Failed(_))));
    }
}
