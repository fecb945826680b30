//! Which cells are run.

use crate::cell::Cell;
use crate::glob::fits;
use crate::pair::{PAIRS, Side};
use crate::program::Program;
use crate::scenario::SCENARIOS;

/// An implementation that may take part.
#[derive(Clone, Debug)]
pub struct Subject {
    /// How it is started.
    pub program: Program,
    /// What it said to `hello`.
    pub version: String,
    /// The transports that it speaks with others.
    pub transports: Vec<String>,
}

impl Subject {
    /// Zeroxide itself takes part, too: what fails there is nobody else's fault.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.program.name == "zeroxide"
    }

    /// Whether it carries libzmq.
    #[must_use]
    pub fn is_libzmq(&self) -> bool {
        self.version.contains("libzmq")
    }
}

/// What was asked for.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// Every cell, not only those of the CI selection.
    pub all: bool,
    /// Only cells that one of these patterns fits, of all that there are; every one if there is none.
    pub cells: Vec<String>,
}

/// The cells to run, in the order of the report: those that share a stage stand together.
#[must_use]
pub fn select<'a>(subjects: &'a [Subject], choice: &Choice) -> Vec<Cell<'a>> {
    let wanted = |cell: &Cell<'_>| match (&choice.cells[..], choice.all) {
        ([], true) => true,
        ([], false) => is_in_ci(cell),
        (patterns, _) => {
            let id = cell.id();
            patterns.iter().any(|pattern| fits(pattern, &id))
        }
    };
    subjects.iter().flat_map(every).filter(wanted).collect()
}

/// Every cell of one implementation.
fn every(subject: &Subject) -> Vec<Cell<'_>> {
    let mut cells = Vec::new();
    for pair in &PAIRS {
        // Where both sides are alike, changing places changes nothing.
        let alike = pair.is_symmetric() || subject.is_ours();
        for ours in Side::BOTH.into_iter().take(if alike { 1 } else { 2 }) {
            for transport in ["tcp", "ipc"] {
                if !subject.transports.iter().any(|spoken| spoken == transport) {
                    continue;
                }
                for binder in Side::BOTH {
                    let suiting =
                        SCENARIOS.iter().filter(|scenario| (scenario.suits)(pair, transport, binder));
                    cells.extend(suiting.map(|scenario| {
                        let mechanism = "NULL";
                        Cell { theirs: subject, pair, transport, mechanism, ours, binder, scenario }
                    }));
                }
            }
        }
    }
    cells
}

/// Whether a cell is part of the CI selection.
fn is_in_ci(_: &Cell<'_>) -> bool {
    true
}

/// The cells in pieces that are run as one: those of one stage.
#[must_use]
pub fn stages<'a>(cells: &[Cell<'a>]) -> Vec<Vec<Cell<'a>>> {
    let mut stages: Vec<Vec<Cell<'a>>> = Vec::new();
    for cell in cells {
        match stages.last_mut() {
            Some(stage) if stage.last().is_some_and(|last| last.shares_stage_with(cell)) => stage.push(*cell),
            _ => stages.push(vec![*cell]),
        }
    }
    stages
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn subject(name: &'static str, transports: &[&str]) -> Subject {
        let mut program = Program::zeroxide("");
        program.name = name;
        let transports = transports.iter().map(|name| (*name).to_owned()).collect();
        Subject { program, version: String::new(), transports }
    }

    fn ids(subjects: &[Subject], choice: &Choice) -> Vec<String> {
        select(subjects, choice).iter().map(Cell::id).collect()
    }

    fn all() -> Choice {
        Choice { all: true, cells: Vec::new() }
    }

    #[test]
    fn every_cell_has_an_id_of_its_own() {
        let ids = ids(&[subject("a", &["tcp", "ipc"]), subject("b", &["tcp"])], &all());
        let distinct: HashSet<&String> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len());
        assert!(ids.contains(&"a/PUSH-PULL/ipc/NULL/left/binds-right/order".to_owned()));
    }

    #[test]
    fn a_transport_that_a_peer_does_not_speak_is_not_tried() {
        assert!(ids(&[subject("b", &["tcp"])], &all()).iter().all(|id| id.contains("/tcp/")));
    }

    #[test]
    fn sides_change_places_only_where_that_makes_a_difference() {
        let of_right = |name, pair: &str| {
            let ids = ids(&[subject(name, &["tcp"])], &all());
            ids.iter().any(|id| id.contains(&format!("/{pair}/")) && id.contains("/right/binds"))
        };
        assert!(of_right("a", "PUSH-PULL"));
        assert!(!of_right("a", "DEALER-DEALER"));
        assert!(!of_right("zeroxide", "PUSH-PULL"));
    }

    #[test]
    fn patterns_choose_among_all_cells() {
        let subjects = [subject("a", &["tcp", "ipc"]), subject("b", &["tcp"])];
        let cells = vec!["a/*/single".to_owned(), "b/REQ-REP/tcp/NULL/left/binds-left/order".to_owned()];
        let ids = ids(&subjects, &Choice { all: false, cells });
        assert!(ids.iter().any(|id| id.starts_with("a/")));
        assert_eq!(ids.iter().filter(|id| id.starts_with("b/")).count(), 1);
        assert!(ids.iter().filter(|id| id.starts_with("a/")).all(|id| id.ends_with("/single")));
    }

    #[test]
    fn the_ci_selection_tries_every_scenario_that_suits_each_pair_with_each_peer() {
        let subjects = [subject("a", &["tcp", "ipc"])];
        let kind = |cell: &Cell<'_>| (cell.pair.name(), cell.scenario.name);
        let chosen: HashSet<_> = select(&subjects, &Choice::default()).iter().map(kind).collect();
        let every: HashSet<_> = select(&subjects, &all()).iter().map(kind).collect();
        assert_eq!(chosen, every);
    }

    #[test]
    fn cells_of_one_stage_are_run_as_one() {
        let subjects = [subject("a", &["tcp"])];
        let cells = select(&subjects, &Choice { all: true, cells: vec!["a/PUB-SUB/*".to_owned()] });
        let stages = stages(&cells);
        assert_eq!(stages.iter().map(Vec::len).sum::<usize>(), cells.len());
        for stage in &stages {
            let shared = stage[0].scenario.scene.shared;
            assert!(if shared { stage.len() > 1 } else { stage.len() == 1 }, "{}", stage[0].id());
        }
    }
}
