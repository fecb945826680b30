//! Running cells: a pair of types, a transport, who binds, who plays which side; and whose fault a failure is.

use std::fmt;

use crate::pair::{Pair, Side};
use crate::peer::{Failure, Peer};
use crate::program::Program;
use crate::scenario::{RESTART, SCENARIOS, Scenario};
use crate::stage::Stage;

/// Options that let contact be made again quickly and for certain when one side is killed at any moment: a REQ may
/// ask again, and a ROUTER takes a peer back that it has not missed yet.
const LASTING: &[(&[&str], &str, &str)] = &[
    (EVERY_TYPE, "RECONNECT_IVL", "20"),
    (&["REQ"], "REQ_RELAXED", "1"),
    (&["REQ"], "REQ_CORRELATE", "1"),
    (&["ROUTER"], "ROUTER_HANDOVER", "1"),
];
const EVERY_TYPE: &[&str] =
    &["PAIR", "PUB", "SUB", "REQ", "REP", "DEALER", "ROUTER", "PULL", "PUSH", "XPUB", "XSUB"];

/// One cell of the matrix.
#[derive(Clone, Debug)]
pub struct Cell<'a> {
    /// The types, and how messages flow.
    pub pair: &'static Pair,
    /// `tcp` or `ipc`.
    pub transport: &'static str,
    /// The side that binds; the other connects.
    pub binder: Side,
    /// The programs of the left and the right side.
    pub programs: [&'a Program; 2],
    /// Whether the endpoint outlives whoever binds it, so that a restarted peer can come back to it.
    pub lasting: bool,
    /// Options beyond those of the roles: of which types, which, and their values.
    pub options: &'static [(&'static [&'static str], &'static str, &'static str)],
}

/// A failure, and where it happened.
struct Fault {
    scenario: &'static str,
    failure: Failure,
    /// The last lines each way.
    log: String,
}

impl Fault {
    fn new(scenario: &'static str, failure: Failure, log: String) -> Box<Fault> {
        Box::new(Fault { scenario, failure, log })
    }
}

impl Cell<'_> {
    /// The program that plays a side.
    #[must_use]
    pub fn program(&self, side: Side) -> &Program {
        self.programs[side as usize]
    }

    /// Plays scenarios in two peers, and gives the peers back.
    fn play(&self, peers: [Peer; 2], scenarios: &[Scenario]) -> Result<[Peer; 2], Box<Fault>> {
        let mut stage =
            Stage::open(self, peers).map_err(|failure| Fault::new("opening", failure, String::new()))?;
        let fault = |name, failure, stage: &mut Stage<'_>| Fault::new(name, failure, stage.log());
        stage.make_contact().map_err(|failure| fault("contact", failure, &mut stage))?;
        for scenario in scenarios {
            (scenario.play)(&mut stage).map_err(|failure| fault(scenario.name, failure, &mut stage))?;
        }
        stage.close().map_err(|failure| Fault::new("closing", failure, String::new()))
    }

    fn start(&self) -> Result<[Peer; 2], Failure> {
        Ok([Peer::start(self.programs[0])?, Peer::start(self.programs[1])?])
    }

    /// Whether the cell fails with one program on both sides.
    fn fails_alone(&self, program: &Program, scenarios: &[Scenario]) -> bool {
        let control = Cell { programs: [program, program], ..self.clone() };
        let played = control.start().map_err(|failure| Fault::new("starting", failure, String::new()));
        played.and_then(|peers| control.play(peers, scenarios)).is_err()
    }

    /// Who fails in this cell without the other.
    fn verdict(&self, scenarios: &[Scenario]) -> String {
        let [left, right] = self.programs;
        if left.name == right.name {
            return "alone with itself".to_owned();
        }
        match (self.fails_alone(left, scenarios), self.fails_alone(right, scenarios)) {
            (false, false) => "each passes with itself".to_owned(),
            (true, true) => "each fails with itself, too".to_owned(),
            (true, false) => format!("{} fails with itself, too", left.name),
            (false, true) => format!("{} fails with itself, too", right.name),
        }
    }
}

impl fmt::Display for Cell<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = |side: Side| {
            let does = if side == self.binder { "binds" } else { "connects" };
            format!("{} ({}) {does}", self.pair.role(side).socket_type, self.program(side).name)
        };
        write!(f, "{}, {}, {}", side(Side::Left), side(Side::Right), self.transport)
    }
}

/// Runs a pair in every way that two programs can share it: either program on either side, over either transport,
/// either side bound. Answers how many ways there were.
///
/// # Errors
/// The report of every cell that failed, with the scenario, the failure, and how the cell ends when one program plays
/// both sides.
pub fn run_pair(pair: &'static Pair, ours: &Program, theirs: &Program) -> Result<usize, String> {
    run_cells(pair, ours, theirs, SCENARIOS, false)
}

/// Runs a pair in every such way, and kills each side in the middle.
///
/// # Errors
/// As [`run_pair`].
pub fn run_restarts(pair: &'static Pair, ours: &Program, theirs: &Program) -> Result<usize, String> {
    run_cells(pair, ours, theirs, RESTART, true)
}

fn run_cells(
    pair: &'static Pair,
    ours: &Program,
    theirs: &Program,
    scenarios: &[Scenario],
    lasting: bool,
) -> Result<usize, String> {
    let (mut report, mut played) = (String::new(), 0);
    let same_twice = pair.is_symmetric() || ours.name == theirs.name;
    for our_side in Side::BOTH.into_iter().take(if same_twice { 1 } else { 2 }) {
        let programs = match our_side {
            Side::Left => [ours, theirs],
            Side::Right => [theirs, ours],
        };
        let mut peers = None;
        for (transport, binder) in
            ["tcp", "ipc"].into_iter().flat_map(|transport| Side::BOTH.map(|side| (transport, side)))
        {
            let options = if lasting { LASTING } else { &[] };
            let cell = Cell { pair, transport, binder, programs, lasting, options };
            match run_cell(&cell, peers.take(), scenarios) {
                Ok((back, plays)) => {
                    peers = Some(back);
                    played += usize::from(plays);
                }
                Err(fault) => {
                    let Fault { scenario, failure, log } = *fault;
                    let verdict = cell.verdict(scenarios);
                    report += &format!("{cell}: {scenario}: {failure} [{verdict}]\n{log}");
                }
            }
        }
    }
    if report.is_empty() { Ok(played) } else { Err(report) }
}

/// Runs one cell in peers that are there already, or in new ones, unless one of them lacks the transport; tells
/// whether it ran.
fn run_cell(
    cell: &Cell<'_>,
    peers: Option<[Peer; 2]>,
    scenarios: &[Scenario],
) -> Result<([Peer; 2], bool), Box<Fault>> {
    let peers = match peers {
        Some(peers) => peers,
        None => cell.start().map_err(|failure| Fault::new("starting", failure, String::new()))?,
    };
    let spoken = |peer: &Peer| peer.transports.iter().any(|name| name == cell.transport);
    if !peers.iter().all(spoken) {
        return Ok((peers, false));
    }
    cell.play(peers, scenarios).map(|peers| (peers, true))
}
