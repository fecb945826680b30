//! Steps, the closing table and the closing count.

use std::fmt::{self, Display, Write as _};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// The error of a step for which this machine lacks something: said loudly, but no failure by itself.
#[derive(Debug)]
pub(crate) struct NotRun(String);

impl Display for NotRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotRun {}

/// A step cannot run here, because of `why`.
pub(crate) fn not_run(why: impl Display) -> anyhow::Error {
    anyhow::Error::new(NotRun(why.to_string()))
}

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed(String),
    NotRun(String),
}

impl Outcome {
    fn of(result: anyhow::Result<()>) -> Outcome {
        match result {
            Ok(()) => Outcome::Passed,
            Err(error) if error.is::<NotRun>() => Outcome::NotRun(format!("{error:#}")),
            Err(error) => Outcome::Failed(format!("{error:#}")),
        }
    }
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
    pub(crate) fn step(&mut self, name: &str, run: impl FnOnce(&mut Counts) -> anyhow::Result<()>) {
        println!("\n==> {name}");
        let start = Instant::now();
        let outcome = Outcome::of(run(&mut self.counts));
        match &outcome {
            Outcome::Passed => {}
            Outcome::Failed(why) => println!("==> {name} FAILED: {why}"),
            Outcome::NotRun(why) => println!("==> {name} NOT RUN: {why}"),
        }
        self.rows.push(Row { name: name.to_owned(), outcome, time: start.elapsed() });
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
        text += &self.slowest();
        let _ = writeln!(text, "\n{} passed, {} failed", self.counts.passed, self.counts.failed);
        text
    }

    /// The steps that take most of the time, and how long all take: CI has a budget.
    fn slowest(&self) -> String {
        let mut rows: Vec<&Row> = self.rows.iter().collect();
        rows.sort_by_key(|row| std::cmp::Reverse(row.time));
        let told = |row: &&Row| format!("{} {}", row.name, minutes(row.time));
        let slowest: Vec<String> = rows.iter().take(SLOWEST).map(told).collect();
        format!(
            "\n{} in all; slowest: {}\n",
            minutes(self.rows.iter().map(|row| row.time).sum()),
            slowest.join(", ")
        )
    }
}

/// How many of the slowest steps are named.
const SLOWEST: usize = 5;

/// `12:05`
fn minutes(time: Duration) -> String {
    format!("{}:{:02}", time.as_secs() / 60, time.as_secs() % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_is_the_count_alone() {
        let mut report = Report::default();
        report.step("one", |counts| {
            counts.passed += 4;
            Ok(())
        });
        report.step("two", |_| Err(not_run("no tool")));
        let text = report.text();
        assert_eq!(text.lines().last(), Some("4 passed, 0 failed"));
        assert!(text.contains("NOT RUN: two: no tool"));
        assert_eq!(report.close(), ExitCode::SUCCESS);
    }

    #[test]
    fn an_error_fails_its_step_with_all_that_led_to_it() {
        let mut report = Report::default();
        report.step("one", |_| Err(anyhow::anyhow!("no such file").context("zmq.h")));
        assert!(report.text().contains("FAILED:  one: zmq.h: no such file"));
        assert_eq!(report.close(), ExitCode::FAILURE);
    }

    #[test]
    fn the_slowest_steps_are_named() {
        let row = |(name, seconds): &(&str, u64)| Row {
            name: (*name).to_owned(),
            outcome: Outcome::Passed,
            time: Duration::from_secs(*seconds),
        };
        let times = [("a", 1), ("peers", 725), ("b", 2), ("clippy", 61), ("c", 3), ("d", 4), ("e", 0)];
        let report = Report { rows: times.iter().map(row).collect(), counts: Counts::default() };
        let told = "\n13:16 in all; slowest: peers 12:05, clippy 1:01, d 0:04, c 0:03, b 0:02\n";
        assert!(report.text().contains(told), "{}", report.text());
    }
}
