//! The report, shown and written.

use std::fs;
use std::io;
use std::path::Path;

use interop::report::{Outcome, Report, Verdict, html, json, terminal};

/// Prints the report, and writes it for browsers and programs.
pub(crate) fn show(report: &Report, folder: &Path) -> io::Result<()> {
    print!("{}", terminal::write(report, terminal::wants_colour()));
    fs::create_dir_all(folder)?;
    for (name, text) in [("report.html", html::write(report)), ("report.json", json::write(report))] {
        let path = folder.join(name);
        fs::write(&path, text)?;
        println!("{}", path.display());
    }
    Ok(())
}

/// The numbers in the form that `cargo test` gives them, which scripts know to read. The known faults of others are no
/// failures of this run.
pub(crate) fn closing_line(report: &Report, good: bool) -> String {
    let (mut passed, mut failed, mut known, mut missing) = (0, 0, 0, 0);
    for result in &report.results {
        *match result.outcome {
            Outcome::Passed => &mut passed,
            Outcome::Failed { verdict: Verdict::Theirs { reason: Some(_) }, .. } => &mut known,
            Outcome::Failed { .. } => &mut failed,
            Outcome::Missing { .. } => &mut missing,
        } += 1;
    }
    let word = if good { "ok" } else { "FAILED" };
    format!("test result: {word}. {passed} passed; {failed} failed; {known} known faults; {missing} missing")
}
