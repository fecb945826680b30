//! A peer with a fault is caught by the scenario that is about it, and the verdict names it.

mod common;

use interop::known::Known;
use interop::report::{CellResult, Outcome, Report, Verdict};
use interop::select::select;
use interop::{Choice, Failure, Peer, Program, Runner, Subject};

fn met(program: Program) -> Result<Subject, Failure> {
    let peer = Peer::start(&program)?;
    Ok(Subject { program, version: peer.name.clone(), transports: peer.transports.clone() })
}

/// The result of one cell with a peer that has a fault, given a list of known faults.
fn result(fault: &str, cell: &str, known: &[Known]) -> CellResult {
    let faulty = Program {
        name: "faulty",
        command: env!("CARGO_BIN_EXE_faulty-peer").into(),
        arguments: vec![fault.into()],
    };
    let subjects = [met(faulty).expect("faulty-peer starts")];
    let ours = met(common::zeroxide()).expect("zeroxide-peer starts");
    let cells = select(&subjects, &Choice { cells: vec![cell.to_owned()], ..Choice::default() });
    assert_eq!(cells.len(), 1, "{cell}");
    Runner::new(&ours, None, known, 1).run(&cells, &|_| {}).remove(0)
}

fn is_caught(fault: &str, cell: &str) {
    is_caught_by("TheirsAlone: Failed", fault, cell);
}

/// With what shows in the transcript whose fault it is.
fn is_caught_by(proof: &str, fault: &str, cell: &str) {
    let result = result(fault, cell, &[]);
    match &result.outcome {
        Outcome::Failed { verdict: Verdict::Theirs { reason: None }, transcript, .. } => {
            assert!(transcript.contains(proof), "{transcript}");
        }
        other => panic!("{fault}: {other:?}"),
    }
    assert!(!Report { results: vec![result], ..Report::default() }.is_good());
}

#[test]
fn messages_out_of_order_are_caught() {
    is_caught("reorders", "*/PUSH-PULL/tcp/NULL/right/binds-right/order");
    is_caught("reorders", "*/PUSH-PULL/tcp/NULL/right/binds-right/kill-receiver");
}

#[test]
fn a_message_that_comes_twice_is_caught() {
    is_caught("repeats", "*/PUSH-PULL/tcp/NULL/right/binds-left/order");
    is_caught("repeats", "*/PUB-SUB/tcp/NULL/right/binds-left/slow");
}

#[test]
fn a_message_that_is_missing_is_caught() {
    is_caught("drops", "*/DEALER-ROUTER/tcp/NULL/right/binds-right/order");
    is_caught("drops", "*/PUSH-PULL/ipc/NULL/right/binds-right/kill-sender");
}

#[test]
fn a_torn_message_is_caught() {
    is_caught("tears", "*/PUSH-PULL/tcp/NULL/right/binds-right/order");
    is_caught("tears", "*/PUSH-PULL/tcp/NULL/right/binds-left/kill-sender");
}

#[test]
fn frames_that_are_lost_are_caught() {
    is_caught("loses-frames", "*/PUSH-PULL/tcp/NULL/right/binds-right/multipart");
}

#[test]
fn a_sender_that_drops_at_its_high_water_mark_is_caught() {
    is_caught("overflows", "*/PUSH-PULL/tcp/NULL/right/binds-right/slow");
}

#[test]
fn a_subscription_that_stays_is_caught() {
    is_caught("never-unsubscribes", "*/PUB-SUB/tcp/NULL/left/binds-left/topics");
}

#[test]
fn a_peer_that_never_gives_a_silent_connection_up_is_caught_in_the_act() {
    let proof = "the harness saw who broke the rule";
    is_caught_by(proof, "never-gives-up", "*/PUSH-PULL/tcp/NULL/right/binds-left/heartbeat-left");
    is_caught_by(proof, "never-gives-up", "*/PUSH-PULL/tcp/NULL/left/binds-left/heartbeat-right");
}

#[test]
fn a_peer_that_dies_or_answers_nonsense_has_failed_and_is_not_missing() {
    is_caught("dies", "*/PUSH-PULL/tcp/NULL/right/binds-right/order");
    is_caught("answers-with-noise", "*/PUSH-PULL/tcp/NULL/right/binds-right/order");
}

#[test]
fn a_known_fault_is_good_and_one_that_is_gone_is_not() {
    let known = [Known { cells: "faulty/*/order", reason: "it swaps two messages", sometimes: false }];
    let good = |fault| {
        let results = vec![result(fault, "*/PUSH-PULL/tcp/NULL/right/binds-right/order", &known)];
        Report { results, ..Report::default() }.is_good()
    };
    assert!(good("reorders"));
    assert!(!good("none"));
}
