//! What a peer says on its standard error.
//!
//! The first lines are passed on and kept for the transcript, the others counted: a peer that spins prints the same stack
//! without end, and must neither fill the disk nor wait because nobody reads.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Mutex, PoisonError};

/// Lines that are passed on and kept.
const KEPT: usize = 20;

/// The complaints of one process.
#[derive(Clone, Default)]
pub(crate) struct Complaints(Arc<Mutex<Heard>>);

#[derive(Default)]
struct Heard {
    first: Vec<String>,
    more: usize,
}

impl Complaints {
    /// Hears them in a thread of its own, which ends with the process.
    pub(crate) fn of(peer: &'static str, stream: impl Read + Send + 'static) -> Complaints {
        let complaints = Complaints::default();
        let heard = complaints.clone();
        std::thread::spawn(move || heard.hear(stream, |line| eprintln!("{peer}: {line}")));
        complaints
    }

    fn hear(&self, stream: impl Read, pass_on: impl Fn(&str)) {
        for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).into_owned();
            let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if heard.first.len() == KEPT {
                heard.more += 1;
            } else {
                pass_on(&line);
                heard.first.push(line);
            }
        }
    }

    /// For a transcript: the lines that were kept, and how many more there were.
    pub(crate) fn lines(&self, peer: &str) -> String {
        let heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        for line in &heard.first {
            let _ = writeln!(text, "    {peer} complains: {line}");
        }
        if heard.more > 0 {
            let _ = writeln!(text, "    {peer} complains: ({} lines more)", heard.more);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    #[test]
    fn the_first_lines_are_passed_on_and_the_others_counted() {
        let (complaints, passed_on) = (Complaints::default(), RefCell::new(0));
        let text = "a stack\n".repeat(KEPT) + "the last\nno end, \u{ff}";
        complaints.hear(text.as_bytes(), |_| *passed_on.borrow_mut() += 1);
        assert_eq!(*passed_on.borrow(), KEPT);
        let lines = complaints.lines("a peer");
        assert_eq!(lines.lines().count(), KEPT + 1);
        assert!(lines.ends_with("a peer complains: (2 lines more)\n"), "{lines}");
    }
}
