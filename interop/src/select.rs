//! Which cells are run.

use crate::cell::Cell;
use crate::glob::fits;
use crate::mechanism::{MECHANISMS, Mechanism};
use crate::pair::{PAIRS, Pair, Side};
use crate::scenario::{SCENARIOS, Scenario};
use crate::subject::Subject;

/// Pairs whose heartbeats CI looks at: they are the engine's, and differ little between types.
const HEARTBEATS: [&str; 4] = ["PUB-SUB", "XPUB-XSUB", "REQ-ROUTER", "PUSH-PULL"];
/// What CI tries over ipc, and with PLAIN and CURVE, on a stage of its own: what depends on the system's buffers.
const ALONE: [&str; 4] = ["slow", "restart", "kill-receiver", "kill-sender"];

/// Pairs that CI plays with PLAIN and CURVE in the scenarios of [`ALONE`].
const SECURED_STREAMS: [&str; 2] = ["PUB-SUB", "PUSH-PULL"];
/// Pairs whose `order` CI looks at with PLAIN and CURVE.
const SECURED_ORDER: [&str; 2] = ["DEALER-ROUTER", "PUSH-PULL"];
/// The pair that CI plays with PLAIN and CURVE over ipc, and with the server on the connecting side.
const SECURED_ONCE: &str = "DEALER-ROUTER";

/// What was asked for.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// Every cell, not only those of the CI selection.
    pub all: bool,
    /// Only cells that one of these patterns fits, of all that there are; every one if there is none.
    pub cells: Vec<String>,
    /// Of these, only those of scenarios whose name one of these patterns fits as a whole; every one if there is none.
    pub scenarios: Vec<String>,
}

impl Choice {
    /// Whether a scenario of this name is wanted.
    #[must_use]
    pub fn wants(&self, scenario: &str) -> bool {
        let is_called =
            |pattern: &String| pattern == scenario || pattern.contains('*') && fits(pattern, scenario);
        self.scenarios.is_empty() || self.scenarios.iter().any(is_called)
    }

    /// Why a cell is left out; `None` if it is to run.
    fn why_not(&self, cell: &Cell<'_>) -> Option<&'static str> {
        if !self.wants(cell.scenario.name) {
            return Some("the scenario is not among those of --scenario");
        }
        match (&self.cells[..], self.all) {
            ([], true) => None,
            ([], false) => not_in_ci(cell),
            (patterns, _) => {
                let id = cell.id();
                let is_asked_for = patterns.iter().any(|pattern| fits(pattern, &id));
                (!is_asked_for).then_some("no pattern of --cell fits the id")
            }
        }
    }
}

/// The cells to run, in the order of the report: those that share a stage stand together.
#[must_use]
pub fn select<'a>(subjects: &'a [Subject], choice: &Choice) -> Vec<Cell<'a>> {
    subjects.iter().flat_map(every).filter(|cell| choice.why_not(cell).is_none()).collect()
}

/// How many cells are left out for which reason, where there are any.
#[must_use]
pub fn left_out(subjects: &[Subject], choice: &Choice) -> Vec<(&'static str, usize)> {
    let mut counts: Vec<(&'static str, usize)> = Vec::new();
    for why in subjects.iter().flat_map(every).filter_map(|cell| choice.why_not(&cell)) {
        match counts.iter_mut().find(|(known, _)| *known == why) {
            Some((_, count)) => *count += 1,
            None => counts.push((why, 1)),
        }
    }
    counts
}

/// Why CI leaves a cell out; `None` if it does not.
fn not_in_ci(cell: &Cell<'_>) -> Option<&'static str> {
    if is_in_ci(cell) {
        return None;
    }
    Some(match (cell.mechanism.is_null(), cell.transport, cell.scenario.scene.shared) {
        (false, ..) => {
            "PLAIN and CURVE differ from NULL in the handshake and the framing: over tcp most pairs are tried one way round, and few \
             over ipc"
        }
        (_, "ipc", _) => {
            "ipc differs from tcp below the framing only: each pair is tried one way round, and few scenarios that need a stage of \
             their own"
        }
        (_, _, true) => "order is tried with one of the two sides bound",
        (_, _, false) => {
            "scenarios that need a stage of their own take a second or more: each pair is tried one way round, heartbeats with four \
             pairs"
        }
    })
}

/// Every cell of one implementation.
fn every(subject: &Subject) -> Vec<Cell<'_>> {
    let mut cells = Vec::new();
    for pair in &PAIRS {
        let alike = is_alike(pair, subject);
        for ours in Side::BOTH.into_iter().take(if alike { 1 } else { 2 }) {
            for transport in ["tcp", "ipc"] {
                if !subject.transports.iter().any(|spoken| spoken == transport) {
                    continue;
                }
                for (binder, mechanism) in Side::BOTH.into_iter().flat_map(with_each_mechanism) {
                    let suiting = SCENARIOS.iter().filter(|scenario| {
                        (scenario.suits)(pair, transport, binder) && has(subject, scenario, mechanism)
                    });
                    cells.extend(suiting.map(|scenario| Cell {
                        theirs: subject,
                        pair,
                        transport,
                        mechanism,
                        ours,
                        binder,
                        scenario,
                    }));
                }
            }
        }
    }
    cells
}

fn with_each_mechanism(binder: Side) -> impl Iterator<Item = (Side, &'static Mechanism)> {
    MECHANISMS.iter().map(move |mechanism| (binder, mechanism))
}

/// Whether there is such a cell. Nobody is refused with NULL; and a relay sees no PING that is encrypted.
fn has(subject: &Subject, scenario: &Scenario, mechanism: &Mechanism) -> bool {
    let beats = scenario.name.starts_with("heartbeat");
    let of_mechanism = if mechanism.is_null() { scenario.name != "refused" } else { !subject.is_raw() };
    of_mechanism && !(beats && (subject.is_raw() || mechanism.is_secret()))
}

/// Whether changing places would change nothing.
fn is_alike(pair: &Pair, subject: &Subject) -> bool {
    pair.is_symmetric() || subject.is_ours()
}

/// Whether a cell is part of the CI selection: over tcp every pair with every scenario, either implementation on either
/// side; over ipc, which differs below the framing only, less. Where a stage serves one scenario only, which takes a
/// second or more, each pair is tried one way round, and another pair another way.
fn is_in_ci(cell: &Cell<'_>) -> bool {
    let scenario = cell.scenario;
    if !cell.mechanism.is_null() {
        return is_secured_in_ci(cell);
    }
    let way = |ours: Side, binder: Side| (cell.ours, cell.binder) == (ours, binder);
    let (ours, binder) = way_round(cell);
    match (cell.transport, scenario.scene.shared) {
        ("ipc", true) => way(ours, binder) && scenario.name != "order",
        ("ipc", false) => {
            ALONE.contains(&scenario.name) && cell.pair.left.socket_type == "PUSH" && way(ours, binder)
        }
        (_, true) => scenario.name != "order" || cell.binder == binder,
        (_, false)
            if scenario.name.starts_with("heartbeat") && !HEARTBEATS.contains(&&cell.pair.name()[..]) =>
        {
            false
        }
        // A pair that a scenario suits one way round only is tried that way.
        (_, false) => {
            let suits = |binder| (scenario.suits)(cell.pair, cell.transport, binder);
            way(ours, if suits(binder) { binder } else { binder.other() })
        }
    }
}

/// Which way round CI tries a pair that it tries one way: the side that Zeroxide plays, and the side that binds. Where
/// both sides are alike there are two ways only.
fn way_round(cell: &Cell<'_>) -> (Side, Side) {
    let turn = PAIRS.iter().position(|pair| pair.name() == cell.pair.name()).unwrap_or_default();
    let ours = if is_alike(cell.pair, cell.theirs) || turn & 1 == 0 { Side::Left } else { Side::Right };
    let binder = if (turn >> 1) & 1 == 0 { Side::Left } else { Side::Right };
    (ours, binder)
}

/// The same, for PLAIN and CURVE, which differ from NULL in the handshake and CURVE in the framing: over tcp, every pair
/// one way round in the scenarios that share a stage; the rest for a few pairs. Where Zeroxide is the server with PLAIN it
/// is the client with CURVE.
fn is_secured_in_ci(cell: &Cell<'_>) -> bool {
    let (pair, name) = (cell.pair.name(), cell.scenario.name);
    let (ours, binder) = way_round(cell);
    let binder = if cell.mechanism.is_secret() { binder.other() } else { binder };
    let is_this_way = (cell.ours, cell.binder) == (ours, binder);
    match (cell.transport, cell.mechanism.is_turned(), cell.scenario.scene.shared) {
        ("tcp", false, _) if name == "refused" => true,
        ("tcp", false, true) => is_this_way && (name != "order" || SECURED_ORDER.contains(&&pair[..])),
        ("tcp", false, false) => is_this_way && ALONE.contains(&name) && SECURED_STREAMS.contains(&&pair[..]),
        (_, turned, true) if turned == (cell.transport == "tcp") => {
            is_this_way && pair == SECURED_ONCE && name != "order"
        }
        _ => false,
    }
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
    use crate::program::Program;
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
        Choice { all: true, ..Choice::default() }
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
        let ids = ids(&subjects, &Choice { cells, ..Choice::default() });
        assert!(ids.iter().any(|id| id.starts_with("a/")));
        assert_eq!(ids.iter().filter(|id| id.starts_with("b/")).count(), 1);
        assert!(ids.iter().filter(|id| id.starts_with("a/")).all(|id| id.ends_with("/single")));
    }

    #[test]
    fn each_cell_runs_or_is_left_out_for_one_reason() {
        let subjects = [subject("a", &["tcp", "ipc"]), subject("b", &["tcp"])];
        let every = ids(&subjects, &all()).len();
        assert_eq!(left_out(&subjects, &all()), []);
        let choices = [
            (Choice::default(), 4),
            (Choice { scenarios: vec!["slow".to_owned()], ..all() }, 1),
            (Choice { cells: vec!["/tcp/".to_owned()], ..Choice::default() }, 1),
            (Choice { cells: vec!["/tcp/".to_owned()], scenarios: vec!["slow".to_owned()], all: false }, 2),
        ];
        for (choice, reasons) in choices {
            let left = left_out(&subjects, &choice);
            assert_eq!(left.len(), reasons, "{left:?}");
            let (left, run) =
                (left.iter().map(|(_, count)| count).sum::<usize>(), ids(&subjects, &choice).len());
            assert!(left > 0 && run > 0, "{choice:?}");
            assert_eq!(left + run, every, "{choice:?}");
        }
    }

    #[test]
    fn scenarios_are_chosen_by_name_from_what_would_run() {
        let subjects = [subject("a", &["tcp", "ipc"])];
        let scenarios = || vec!["slow".to_owned(), "kill-*".to_owned()];
        let choice = Choice { scenarios: scenarios(), ..Choice::default() };
        let chosen = select(&subjects, &choice);
        let names: HashSet<_> = chosen.iter().map(|cell| cell.scenario.name).collect();
        assert_eq!(names, HashSet::from(["slow", "kill-receiver", "kill-sender"]));
        let every = select(&subjects, &Choice { all: true, scenarios: scenarios(), ..Choice::default() });
        assert!(chosen.iter().all(is_in_ci) && every.len() > chosen.len());
        let single = Choice { scenarios: vec!["sing".to_owned()], ..Choice::default() };
        assert!(select(&subjects, &single).is_empty(), "a part of a name is no name");
    }

    #[test]
    fn the_ci_selection_tries_every_scenario_with_each_pair_that_it_suits() {
        let subjects = [subject("a", &["tcp", "ipc"])];
        let kind = |cell: &Cell<'_>| (cell.pair.name(), cell.scenario.name);
        let chosen: HashSet<_> = select(&subjects, &Choice::default()).iter().map(kind).collect();
        let mut every: HashSet<_> = select(&subjects, &all()).iter().map(kind).collect();
        every.retain(|(pair, name)| !name.starts_with("heartbeat") || HEARTBEATS.contains(&pair.as_str()));
        assert_eq!(chosen, every);
    }

    #[test]
    fn the_ci_selection_tries_every_way_round() {
        let subjects = [subject("a", &["tcp", "ipc"])];
        let mut cells = select(&subjects, &Choice::default());
        cells.retain(|cell| cell.mechanism.is_null());
        for scenario in
            ["single", "order", "slow", "restart", "kill-receiver", "kill-sender", "heartbeat-left"]
        {
            let ways: HashSet<_> = cells
                .iter()
                .filter(|cell| cell.scenario.name == scenario)
                .map(|cell| (cell.ours.name(), cell.binder.name()))
                .collect();
            assert_eq!(ways.len(), 4, "{scenario}: {ways:?}");
        }
    }

    #[test]
    fn peers_older_than_heartbeats_have_no_cells_about_them() {
        let old = Subject { version: "raw-zmtp-3.0".to_owned(), ..subject("raw-3.0", &["tcp"]) };
        let about = |subject: Subject| ids(&[subject], &all()).iter().any(|id| id.contains("/heartbeat-"));
        assert!(!about(old));
        assert!(about(subject("a", &["tcp"])));
    }

    #[test]
    fn the_ci_selection_tries_every_pair_with_every_mechanism_and_zeroxide_as_server_and_as_client() {
        let subjects = [subject("a", &["tcp", "ipc"])];
        let cells = select(&subjects, &Choice::default());
        for mechanism in MECHANISMS.iter().filter(|mechanism| !mechanism.is_turned()) {
            let of =
                |cell: &&Cell<'_>| cell.mechanism.name == mechanism.name && cell.scenario.name == "single";
            let pairs: HashSet<String> = cells.iter().filter(of).map(|cell| cell.pair.name()).collect();
            assert_eq!(pairs.len(), PAIRS.len(), "{mechanism}");
        }
        for mechanism in MECHANISMS.iter().filter(|mechanism| !mechanism.is_null()) {
            let of = |cell: &&Cell<'_>| cell.mechanism.name == mechanism.name;
            let (tcp, ipc): (Vec<_>, Vec<_>) =
                cells.iter().filter(of).partition(|cell| cell.transport == "tcp");
            assert!(!tcp.is_empty() && ipc.is_empty() == mechanism.is_turned(), "{mechanism}");
            let serves = |cell: &Cell<'_>| cell.mechanism.server(cell.binder) == Some(cell.ours);
            let parts: HashSet<bool> = tcp.into_iter().map(serves).collect();
            assert!(parts.len() == 2 || mechanism.is_turned(), "{mechanism}");
        }
    }

    #[test]
    fn whoever_shows_too_little_is_refused_by_every_mechanism_but_null_with_either_as_server() {
        let subjects = [subject("a", &["tcp"])];
        let cells = select(&subjects, &Choice::default());
        let refused = cells.iter().filter(|cell| cell.scenario.name == "refused");
        let ways: Vec<_> = refused.map(|cell| (cell.mechanism.name, cell.binder.name())).collect();
        assert_eq!(ways, [("PLAIN", "left"), ("CURVE", "left"), ("PLAIN", "right"), ("CURVE", "right")]);
    }

    #[test]
    fn the_peers_written_from_the_rfcs_know_null_only() {
        let old = Subject { version: "raw-zmtp-3.0".to_owned(), ..subject("raw-3.0", &["tcp"]) };
        assert!(ids(&[old], &all()).iter().all(|id| id.contains("/NULL/")));
    }

    #[test]
    fn heartbeats_are_looked_for_where_a_relay_can_read() {
        let ids = ids(&[subject("a", &["tcp"])], &all());
        let beats =
            |mechanism: &str| ids.iter().any(|id| id.contains(mechanism) && id.contains("/heartbeat-"));
        assert!(beats("/NULL/") && beats("/PLAIN/") && !beats("/CURVE"));
    }

    #[test]
    fn cells_of_one_stage_are_run_as_one() {
        let subjects = [subject("a", &["tcp"])];
        let cells = select(
            &subjects,
            &Choice { all: true, cells: vec!["a/PUB-SUB/*".to_owned()], ..Choice::default() },
        );
        let stages = stages(&cells);
        assert_eq!(stages.iter().map(Vec::len).sum::<usize>(), cells.len());
        for stage in &stages {
            let shared = stage[0].scenario.scene.shared;
            assert!(if shared { stage.len() > 1 } else { stage.len() == 1 }, "{}", stage[0].id());
        }
    }
}
