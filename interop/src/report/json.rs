//! The report as JSON, for programs.
//!
//! `summary` has, per peer, the numbers `passed`, `failed` and `missing`; `cells` has every result. Members may be
//! added, never removed.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{CellResult, LeftOut, Origin, Outcome, PeerStatus, Report, Verdict};

/// The report as one JSON object.
#[must_use]
pub fn write(report: &Report) -> String {
    let summary = report.summary().into_iter().map(|row| {
        let numbers = Numbers { passed: row.passed, failed: row.failed, missing: row.missing };
        (row.peer, numbers)
    });
    let file = File {
        zeroxide: &report.ours,
        origin: &report.origin,
        good: report.is_good(),
        seconds: report.took.as_secs_f64(),
        summary: summary.collect(),
        peers: report.peers.iter().map(Peer::of).collect(),
        left_out: report.left_out.iter().map(|LeftOut { why, cells }| Left { why, cells: *cells }).collect(),
        cells: report.results.iter().map(Cell::of).collect(),
    };
    // Only a map with keys that are no strings, or a Serialize that fails, makes this fail; here is neither.
    serde_json::to_string_pretty(&file).unwrap_or_default() + "\n"
}

#[derive(Serialize)]
struct File<'a> {
    zeroxide: &'a str,
    #[serde(flatten)]
    origin: &'a Origin,
    /// Whether the run counts as passed.
    good: bool,
    seconds: f64,
    summary: BTreeMap<String, Numbers>,
    peers: Vec<Peer<'a>>,
    left_out: Vec<Left<'a>>,
    cells: Vec<Cell<'a>>,
}

#[derive(Serialize)]
struct Left<'a> {
    why: &'a str,
    cells: Option<usize>,
}

#[derive(Serialize)]
struct Numbers {
    passed: usize,
    failed: usize,
    missing: usize,
}

#[derive(Serialize)]
struct Peer<'a> {
    name: &'a str,
    version: &'a str,
    /// Why it could not be set up; absent when it could.
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<&'a str>,
}

impl<'a> Peer<'a> {
    fn of(peer: &'a PeerStatus) -> Peer<'a> {
        Peer { name: &peer.name, version: &peer.version, missing: peer.missing.as_deref() }
    }
}

#[derive(Serialize)]
struct Cell<'a> {
    id: String,
    peer: &'a str,
    pair: &'a str,
    transport: &'a str,
    mechanism: &'a str,
    ours: &'a str,
    binder: &'a str,
    scenario: &'a str,
    /// What was counted on the way; absent when nothing was.
    #[serde(skip_serializing_if = "str::is_empty")]
    note: &'a str,
    seconds: f64,
    #[serde(flatten)]
    outcome: End<'a>,
}

impl<'a> Cell<'a> {
    fn of(result: &'a CellResult) -> Cell<'a> {
        Cell {
            id: result.id(),
            peer: &result.peer,
            pair: &result.pair,
            transport: &result.transport,
            mechanism: &result.mechanism,
            ours: &result.ours,
            binder: &result.binder,
            scenario: &result.scenario,
            note: &result.note,
            seconds: result.took.as_secs_f64(),
            outcome: End::of(&result.outcome),
        }
    }
}

/// How a cell ended, as members of the cell.
#[derive(Serialize)]
#[serde(tag = "outcome", rename_all = "lowercase")]
enum End<'a> {
    Passed,
    Failed {
        /// `ours`, `theirs` or `undecided`.
        verdict: &'static str,
        /// Why it is known, when it is.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<&'a str>,
        why: &'a str,
        transcript: &'a str,
    },
    Missing {
        why: &'a str,
    },
}

impl<'a> End<'a> {
    fn of(outcome: &'a Outcome) -> End<'a> {
        match outcome {
            Outcome::Passed => End::Passed,
            Outcome::Missing { why } => End::Missing { why },
            Outcome::Failed { verdict, why, transcript } => {
                let (verdict, reason) = match verdict {
                    Verdict::Ours => ("ours", None),
                    Verdict::Undecided => ("undecided", None),
                    Verdict::Theirs { reason } => ("theirs", reason.as_deref()),
                };
                End::Failed { verdict, reason, why, transcript }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::super::tests::{failed, result};
    use super::*;

    fn written(report: &Report) -> Value {
        serde_json::from_str(&write(report)).unwrap()
    }

    #[test]
    fn the_summary_has_three_numbers_per_peer() {
        let gone = PeerStatus {
            name: "gone".to_owned(),
            missing: Some("no \"go\"".to_owned()),
            ..Default::default()
        };
        let results = vec![
            result("a", "order", Outcome::Passed),
            result("a", "sizes", failed(Verdict::Ours)),
            result("a", "topics", Outcome::Missing { why: "none".to_owned() }),
        ];
        let left = LeftOut { why: "the CI selection".to_owned(), cells: Some(7) };
        let report = Report {
            peers: vec![gone],
            results,
            took: Duration::from_millis(1500),
            ours: "z".to_owned(),
            origin: Origin { date: "2026-11-30T23:50:00Z".to_owned(), ..Origin::default() },
            left_out: vec![left],
        };
        let file = written(&report);
        let expected = json!({
            "a": { "passed": 1, "failed": 1, "missing": 1 },
            "gone": { "passed": 0, "failed": 0, "missing": 0 },
        });
        assert_eq!(file["summary"], expected);
        assert_eq!(file["peers"], json!([{ "name": "gone", "version": "", "missing": "no \"go\"" }]));
        assert_eq!(
            (&file["good"], &file["seconds"], &file["zeroxide"]),
            (&json!(false), &json!(1.5), &json!("z"))
        );
        assert_eq!((&file["date"], &file["commit"]), (&json!("2026-11-30T23:50:00Z"), &json!("")));
        assert_eq!(file["left_out"], json!([{ "why": "the CI selection", "cells": 7 }]));
    }

    #[test]
    fn a_cell_has_its_id_and_how_it_ended() {
        let hostile = "line 1\n</script>\u{1b}\"";
        let theirs = Outcome::Failed {
            verdict: Verdict::Theirs { reason: Some("listed".to_owned()) },
            why: hostile.to_owned(),
            transcript: hostile.to_owned(),
        };
        let mut results = vec![result("a", "order", Outcome::Passed), result("a", "sizes", theirs)];
        results[1].note = "12 lost".to_owned();
        let file = written(&Report { results, ..Report::default() });
        let passed = json!({
            "id": "a/PUSH-PULL/tcp/NULL/left/binds-right/order", "peer": "a", "pair": "PUSH-PULL", "transport": "tcp",
            "mechanism": "NULL", "ours": "left", "binder": "right", "scenario": "order", "seconds": 0.012,
            "outcome": "passed",
        });
        assert_eq!(file["cells"][0], passed);
        let failed = &file["cells"][1];
        assert_eq!(failed["outcome"], "failed");
        assert_eq!(failed["note"], "12 lost");
        assert_eq!(failed["verdict"], "theirs");
        assert_eq!(failed["reason"], "listed");
        assert_eq!(failed["why"], hostile);
        assert_eq!(failed["transcript"], hostile);
    }
}
