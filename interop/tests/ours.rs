//! The harness itself, with Zeroxide on both sides: a few cells, so that `cargo test` notices when it breaks.

mod common;

use interop::report::Outcome;
use interop::select::select;
use interop::{Choice, Failure, Peer, Runner, Subject};

fn zeroxide() -> Result<Subject, Failure> {
    let program = common::zeroxide();
    let peer = Peer::start(&program)?;
    Ok(Subject { program, version: peer.name.clone(), transports: peer.transports.clone() })
}

fn all_pass(patterns: &[&str]) {
    let ours = zeroxide().expect("zeroxide-peer starts");
    let cells = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
    let subjects = [ours.clone()];
    let cells = select(&subjects, &Choice { cells, ..Choice::default() });
    assert!(cells.len() >= patterns.len());
    let results = Runner::new(&ours, None, &[], 2).run(&cells, &|_| {});
    assert_eq!(results.len(), cells.len());
    for result in results {
        assert_eq!(result.outcome, Outcome::Passed, "{}", result.id());
    }
}

#[test]
fn every_pair_passes_the_scenarios_about_bodies() {
    all_pass(&["*/tcp/*/single", "*/tcp/*/multipart", "*/ipc/*/empty", "*/tcp/*/sizes", "*/topics"]);
}

#[test]
fn a_killed_side_comes_back() {
    all_pass(&["*/PUSH-PULL/tcp/*/restart", "*/REQ-REP/ipc/*/restart"]);
}
