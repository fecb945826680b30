//! The set-up of the articles with Zeroxide in every part: the scenario itself under test.

use interop::Program;
use interop::article::{Ports, ids, play};
use interop::report::{CellResult, Outcome, Verdict};

fn zeroxide() -> Program {
    Program::zeroxide(env!("CARGO_BIN_EXE_zeroxide-peer"))
}

#[test]
fn every_message_is_accounted_for() {
    let zeroxide = zeroxide();
    let cells = play(&zeroxide, Some(&zeroxide), Some(&zeroxide), Ports::EPHEMERAL);
    assert_eq!(cells.iter().map(CellResult::id).collect::<Vec<_>>(), ids());
    for cell in &cells {
        assert_eq!(cell.outcome, Outcome::Passed, "{}", cell.id());
    }
    // All that two publishers sent on five topics, on two of them, and on two others.
    let notes: Vec<&str> = cells.iter().map(|cell| cell.note.as_str()).collect();
    assert_eq!(notes, ["4010 messages received", "1604 messages received", "1604 messages received"]);
}

#[test]
fn who_is_not_there_is_missing() {
    let zeroxide = zeroxide();
    let missing = |cells: Vec<CellResult>| -> Vec<bool> {
        cells.iter().map(|cell| matches!(cell.outcome, Outcome::Missing { .. })).collect()
    };
    assert_eq!(missing(play(&zeroxide, Some(&zeroxide), None, Ports::EPHEMERAL)), [false, false, true]);
    assert_eq!(missing(play(&zeroxide, None, Some(&zeroxide), Ports::EPHEMERAL)), [true, true, true]);
}

#[test]
fn a_subscriber_that_cannot_play_fails_alone() {
    let zeroxide = zeroxide();
    let broken = Program::zeroxide("/nonexistent/peer");
    let cells = play(&zeroxide, Some(&zeroxide), Some(&broken), Ports::EPHEMERAL);
    let verdicts: Vec<_> = cells
        .into_iter()
        .map(|cell| match cell.outcome {
            Outcome::Failed { verdict, .. } => Some(verdict),
            _ => None,
        })
        .collect();
    assert_eq!(verdicts, [None, None, Some(Verdict::Theirs { reason: None })]);
}
