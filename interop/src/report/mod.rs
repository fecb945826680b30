//! What a run found, as plain data: the harness fills it in, and the writers show it.
//!
//! | module | shows it to |
//! |---|---|
//! | [`terminal`] | people, at once |
//! | [`html`] | people who look closer |
//! | [`json`] | programs |
//!
//! [`Origin`] is when, of what and where it was made.

pub mod html;
pub mod json;
mod mark;
mod origin;
pub mod terminal;
mod text;

use std::time::Duration;

pub use origin::Origin;

/// A run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What Zeroxide calls itself.
    pub ours: String,
    /// When, of what and where.
    pub origin: Origin,
    /// What there is beside `results`, and why it was not to run.
    pub left_out: Vec<LeftOut>,
    /// Every implementation that was to take part, in the order of the report.
    pub peers: Vec<PeerStatus>,
    /// Every cell that was to run, in the order of the report.
    pub results: Vec<CellResult>,
    /// The whole run, without the set-up of the peers.
    pub took: Duration,
}

/// One implementation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeerStatus {
    /// What cells, arguments and files call it, such as `jeromq-0.5.2`.
    pub name: String,
    /// What it said to `hello`, with its libzmq if it carries one.
    pub version: String,
    /// Why it could not be set up.
    pub missing: Option<String>,
}

/// Cells that a choice leaves out for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Why, for people.
    pub why: String,
    /// How many; `None` of peers that were not set up, whose cells nobody knows.
    pub cells: Option<usize>,
}

/// One scenario of one cell. All its names are words without spaces or slashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CellResult {
    /// [`PeerStatus::name`] of the other implementation.
    pub peer: String,
    /// The socket types, such as `PUSH-PULL`: the left one first.
    pub pair: String,
    /// `tcp` or `ipc`.
    pub transport: String,
    /// `NULL`, `PLAIN` or `CURVE`.
    pub mechanism: String,
    /// The side that Zeroxide plays, `left` or `right`.
    pub ours: String,
    /// The side that binds, `left` or `right`.
    pub binder: String,
    /// What was tried.
    pub scenario: String,
    /// How it ended.
    pub outcome: Outcome,
    /// What was counted on the way, such as `1312 lost`; often empty.
    pub note: String,
    /// How long it took.
    pub took: Duration,
}

/// How a cell ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As it should.
    Passed,
    /// Not as it should.
    Failed {
        /// Whose fault it is.
        verdict: Verdict,
        /// What went wrong, in a sentence; more lines may follow.
        why: String,
        /// The last lines that the peers were told and answered, and those of the control cells.
        transcript: String,
    },
    /// It could not be tried: the peer is not there, or lacks what the cell needs.
    Missing {
        /// What was not there.
        why: String,
    },
}

/// Whose fault a failure is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Zeroxide's.
    Ours,
    /// The other implementation's: it fails without Zeroxide, too.
    Theirs {
        /// What the list of known faults says about it, if it is listed.
        reason: Option<String>,
    },
    /// Each does well without the other.
    Undecided,
}

/// The numbers of one implementation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeerSummary {
    /// [`PeerStatus::name`].
    pub peer: String,
    /// Cells that passed.
    pub passed: usize,
    /// Cells that failed, whoever is at fault.
    pub failed: usize,
    /// Cells that could not be tried.
    pub missing: usize,
}

impl Report {
    /// The numbers of each implementation, in the order of [`Report::peers`]; one that only cells name comes last.
    #[must_use]
    pub fn summary(&self) -> Vec<PeerSummary> {
        let row = |name: &str| PeerSummary { peer: name.to_owned(), ..PeerSummary::default() };
        let mut rows: Vec<PeerSummary> = self.peers.iter().map(|peer| row(&peer.name)).collect();
        for result in &self.results {
            let at = rows.iter().position(|row| row.peer == result.peer).unwrap_or_else(|| {
                rows.push(row(&result.peer));
                rows.len() - 1
            });
            match result.outcome {
                Outcome::Passed => rows[at].passed += 1,
                Outcome::Failed { .. } => rows[at].failed += 1,
                Outcome::Missing { .. } => rows[at].missing += 1,
            }
        }
        rows
    }

    /// Whether every failure is a known one of another implementation. What is missing does no harm here.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.results.iter().all(|result| match &result.outcome {
            Outcome::Passed | Outcome::Missing { .. } => true,
            Outcome::Failed { verdict, .. } => matches!(verdict, Verdict::Theirs { reason: Some(_) }),
        })
    }
}

impl CellResult {
    /// Its stable name, such as `jeromq-0.5.2/PUSH-PULL/tcp/NULL/left/binds-right/order`: what `--cell` looks at, what
    /// the list of known faults names, and its anchor in the HTML report.
    #[must_use]
    pub fn id(&self) -> String {
        let CellResult { peer, pair, transport, mechanism, ours, binder, scenario, .. } = self;
        format!("{peer}/{pair}/{transport}/{mechanism}/{ours}/binds-{binder}/{scenario}")
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A cell of `peer` that ended so.
    pub(crate) fn result(peer: &str, scenario: &str, outcome: Outcome) -> CellResult {
        CellResult {
            peer: peer.to_owned(),
            pair: "PUSH-PULL".to_owned(),
            transport: "tcp".to_owned(),
            mechanism: "NULL".to_owned(),
            ours: "left".to_owned(),
            binder: "right".to_owned(),
            scenario: scenario.to_owned(),
            outcome,
            note: String::new(),
            took: Duration::from_millis(12),
        }
    }

    /// A failure with this verdict.
    pub(crate) fn failed(verdict: Verdict) -> Outcome {
        Outcome::Failed { verdict, why: "no contact".to_owned(), transcript: "a: > recv s 100".to_owned() }
    }

    fn missing() -> Outcome {
        Outcome::Missing { why: "no such type".to_owned() }
    }

    fn peer(name: &str) -> PeerStatus {
        PeerStatus { name: name.to_owned(), ..PeerStatus::default() }
    }

    #[test]
    fn an_id_names_all_that_tells_cells_apart() {
        let result = result("jeromq-0.5.2", "order", Outcome::Passed);
        assert_eq!(result.id(), "jeromq-0.5.2/PUSH-PULL/tcp/NULL/left/binds-right/order");
    }

    #[test]
    fn the_summary_counts_per_peer_and_shows_those_without_cells() {
        let results = vec![
            result("b", "order", Outcome::Passed),
            result("b", "sizes", failed(Verdict::Ours)),
            result("a", "order", Outcome::Passed),
            result("a", "sizes", Outcome::Passed),
            result("a", "topics", missing()),
            result("unlisted", "order", failed(Verdict::Theirs { reason: Some("known".to_owned()) })),
        ];
        let peers = vec![peer("a"), peer("b"), peer("gone")];
        let report = Report { peers, results, ..Report::default() };
        let rows: Vec<_> =
            report.summary().into_iter().map(|row| (row.peer, row.passed, row.failed, row.missing)).collect();
        let expected = [("a", 2, 0, 1), ("b", 1, 1, 0), ("gone", 0, 0, 0), ("unlisted", 0, 1, 0)];
        assert_eq!(
            rows,
            expected.map(|(peer, passed, failed, missing)| (peer.to_owned(), passed, failed, missing))
        );
    }

    #[test]
    fn only_known_faults_of_others_are_good() {
        let good = |outcome| {
            let results = vec![
                result("a", "order", Outcome::Passed),
                result("a", "sizes", outcome),
                result("b", "order", missing()),
            ];
            Report { results, ..Report::default() }.is_good()
        };
        assert!(good(Outcome::Passed));
        assert!(good(failed(Verdict::Theirs { reason: Some("listed".to_owned()) })));
        assert!(!good(failed(Verdict::Theirs { reason: None })));
        assert!(!good(failed(Verdict::Ours)));
        assert!(!good(failed(Verdict::Undecided)));
    }
}
