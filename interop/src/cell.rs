//! One cell of the matrix: who talks to whom, over what, which way round, and what is tried.

use std::time::Duration;

use crate::mechanism::Mechanism;
use crate::pair::{Pair, Side};
use crate::program::Program;
use crate::report::{CellResult, Outcome};
use crate::scenario::Scenario;
use crate::stage::Setting;
use crate::subject::Subject;

/// One cell.
#[derive(Clone, Copy, Debug)]
pub struct Cell<'a> {
    /// The other implementation.
    pub theirs: &'a Subject,
    /// The types, and how messages flow.
    pub pair: &'static Pair,
    /// `tcp` or `ipc`.
    pub transport: &'static str,
    /// What must be shown, and to whom.
    pub mechanism: &'static Mechanism,
    /// The side that Zeroxide plays.
    pub ours: Side,
    /// The side that binds; the other connects.
    pub binder: Side,
    /// What is tried.
    pub scenario: &'static Scenario,
}

impl Cell<'_> {
    /// Its stable name: see [`CellResult::id`].
    #[must_use]
    pub fn id(&self) -> String {
        self.result(Outcome::Passed, String::new(), Duration::ZERO).id()
    }

    /// Whether both can be played on one stage.
    #[must_use]
    pub fn shares_stage_with(&self, other: &Cell<'_>) -> bool {
        self.theirs.program.name == other.theirs.program.name
            && self.pair.name() == other.pair.name()
            && (self.transport, self.mechanism.name) == (other.transport, other.mechanism.name)
            && (self.ours, self.binder) == (other.ours, other.binder)
            && std::ptr::eq(self.scenario.scene, other.scenario.scene)
            && self.scenario.scene.shared
    }

    /// The cell with these programs: the one that plays Zeroxide's side first.
    #[must_use]
    pub fn setting<'b>(&self, here: &'b Program, there: &'b Program) -> Setting<'b> {
        let programs = match self.ours {
            Side::Left => [here, there],
            Side::Right => [there, here],
        };
        let Cell { pair, transport, mechanism, binder, scenario, .. } = *self;
        Setting { pair, transport, mechanism, binder, programs, scene: scenario.scene }
    }

    /// How it ended, for the report.
    #[must_use]
    pub fn result(&self, outcome: Outcome, note: String, took: Duration) -> CellResult {
        CellResult {
            peer: self.theirs.program.name.to_owned(),
            pair: self.pair.name(),
            transport: self.transport.to_owned(),
            mechanism: self.mechanism.name.to_owned(),
            ours: self.ours.name().to_owned(),
            binder: self.binder.name().to_owned(),
            scenario: self.scenario.name.to_owned(),
            outcome,
            note,
            took,
        }
    }
}
