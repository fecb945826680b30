//! What is seen while cells run: a bar, or where the output is no terminal, a line now and then.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicUsize, Ordering};

use indicatif::{ProgressBar, ProgressStyle};
use interop::report::{CellResult, Outcome, Verdict};

/// Cells between two lines.
const STRIDE: usize = 100;

pub(crate) struct Progress {
    bar: ProgressBar,
    count: usize,
    seen: AtomicUsize,
    failed: AtomicUsize,
}

impl Progress {
    /// Of so many cells, in this round if there are several.
    pub(crate) fn new(count: usize, round: Option<u32>) -> Progress {
        let bar = if std::io::stderr().is_terminal() {
            ProgressBar::new(count as u64)
        } else {
            ProgressBar::hidden()
        };
        if let Ok(style) = ProgressStyle::with_template("{prefix}{wide_bar} {pos}/{len} {elapsed} {msg}") {
            bar.set_style(style);
        }
        bar.set_prefix(round.map_or_else(String::new, |round| format!("round {round} ")));
        Progress { bar, count, seen: AtomicUsize::new(0), failed: AtomicUsize::new(0) }
    }

    /// Shows that a cell has ended, and how if it failed.
    pub(crate) fn seen(&self, result: &CellResult) {
        let seen = self.seen.fetch_add(1, Ordering::Relaxed) + 1;
        if let Outcome::Failed { verdict, why, .. } = &result.outcome {
            let failed = self.failed.fetch_add(1, Ordering::Relaxed) + 1;
            self.bar.set_message(format!("{failed} failed"));
            self.say(&format!("{}: {}: {why}", blame(verdict), result.id()));
        }
        self.bar.set_position(seen as u64);
        if self.bar.is_hidden() && seen % STRIDE == 0 {
            self.say(&format!("{}{seen} of {} cells", self.bar.prefix(), self.count));
        }
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn say(&self, line: &str) {
        if self.bar.is_hidden() { eprintln!("{line}") } else { self.bar.println(line) }
    }
}

fn blame(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Ours => "FAILED (ours)",
        Verdict::Theirs { reason: Some(_) } => "failed (theirs, known)",
        Verdict::Theirs { reason: None } => "FAILED (theirs, not listed)",
        Verdict::Undecided => "FAILED (undecided)",
    }
}
