//! Running cells: workers that keep peers alive from one stage to the next, and a verdict for each failure.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::cell::Cell;
use crate::known::{self, Known};
use crate::pair::Side;
use crate::peer::{Failure, Peer};
use crate::program::Program;
use crate::report::{CellResult, Outcome, Verdict};
use crate::select::stages;
use crate::stage::{Setting, Stage};
use crate::subject::Subject;
use crate::verdict::{Blame, Control, Ending, Evidence, Step};

/// How often a control cell is run to see a fault that shows itself only at times.
const ATTEMPTS: usize = 10;
/// In place of an account of control cells.
const CAUGHT: &str = "no control cell was needed: the harness saw who broke the rule\n";

/// What runs cells.
pub struct Runner<'a> {
    /// Zeroxide's own peer.
    ours: &'a Subject,
    /// The libzmq of control cells.
    libzmq: Option<&'a Program>,
    known: &'a [Known],
    workers: usize,
    /// How control cells ended: many failures ask for the same ones.
    controls: Mutex<HashMap<String, (Ending, String)>>,
}

impl<'a> Runner<'a> {
    /// A runner with so many workers; `libzmq` is for control cells.
    #[must_use]
    pub fn new(
        ours: &'a Subject,
        libzmq: Option<&'a Program>,
        known: &'a [Known],
        workers: usize,
    ) -> Runner<'a> {
        Runner { ours, libzmq, known, workers: workers.max(1), controls: Mutex::default() }
    }

    /// Runs cells, and tells each result as soon as it is there. The answer is in the order of the cells.
    pub fn run(&self, cells: &[Cell<'a>], seen: &(dyn Fn(&CellResult) + Sync)) -> Vec<CellResult> {
        let stages = stages(cells);
        let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        std::thread::scope(|scope| {
            for _ in 0..self.workers {
                scope.spawn(|| {
                    let mut idle = Idle::default();
                    loop {
                        let n = next.fetch_add(1, Ordering::Relaxed);
                        let Some(stage) = stages.get(n) else { return };
                        let results = self.play(&mut idle, stage);
                        results.iter().for_each(seen);
                        done.lock().unwrap_or_else(PoisonError::into_inner).push((n, results));
                    }
                });
            }
        });
        let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        done.sort_by_key(|(n, _)| *n);
        done.into_iter().flat_map(|(_, results)| results).collect()
    }

    /// Plays the cells of one stage; after one that fails the others get a fresh one.
    fn play(&self, idle: &mut Idle, cells: &[Cell<'a>]) -> Vec<CellResult> {
        let mut results: Vec<CellResult> = Vec::new();
        while let Some(rest @ [_, ..]) = cells.get(results.len()..) {
            results.extend(self.play_until_failure(idle, rest));
        }
        results.into_iter().map(|result| self.unless_listed(result)).collect()
    }

    /// The results of at least one of `cells`.
    fn play_until_failure(&self, idle: &mut Idle, cells: &[Cell<'a>]) -> Vec<CellResult> {
        let (mut start, mut results) = (Instant::now(), Vec::new());
        let setting = cells[0].setting(&self.ours.program, &cells[0].theirs.program);
        let opened = idle.hire(setting.programs).and_then(|peers| Stage::new(setting, peers));
        let mut stage = match opened {
            Ok(stage) => stage,
            Err(failure) => return self.all_ended(cells, &failure, "", start),
        };
        if let Err(failure) = stage.open().and_then(|()| stage.make_contact()) {
            let ended = self.all_ended(cells, &failure, &stage.log(), start);
            if failure.is_lack(&self.ours.version) {
                idle.rest(setting.programs, stage.close());
            }
            return ended;
        }
        for cell in cells {
            let played = (cell.scenario.play)(&mut stage);
            let note = stage.take_notes();
            match played {
                Ok(()) => results.push(cell.result(Outcome::Passed, note, start.elapsed())),
                Err(failure) => {
                    let outcome = self.outcome(cell, &failure, &stage.log());
                    results.push(cell.result(outcome, note, start.elapsed()));
                    if failure.is_lack(&self.ours.version) {
                        idle.rest(setting.programs, stage.close());
                    }
                    return results;
                }
            }
            start = Instant::now();
        }
        idle.rest(setting.programs, stage.close());
        results
    }

    /// Without a stage none of its cells can be played.
    fn all_ended(&self, cells: &[Cell<'a>], failure: &Failure, log: &str, start: Instant) -> Vec<CellResult> {
        let outcome = self.outcome(&cells[0], failure, log);
        let took = start.elapsed();
        cells.iter().map(|cell| cell.result(self.known(cell, outcome.clone()), String::new(), took)).collect()
    }

    /// What a failure means.
    fn outcome(&self, cell: &Cell<'a>, failure: &Failure, log: &str) -> Outcome {
        if failure.is_lack(&self.ours.version) {
            return Outcome::Missing { why: failure.to_string() };
        }
        let (blame, controls) = match failure.culprit() {
            _ if cell.theirs.is_ours() => (Blame::Ours, String::new()),
            Some(side) if side == cell.ours => (Blame::Ours, CAUGHT.to_owned()),
            Some(_) => (Blame::Theirs, CAUGHT.to_owned()),
            None => self.judge(cell),
        };
        let verdict = match blame {
            Blame::Ours => Verdict::Ours,
            Blame::Theirs => Verdict::Theirs { reason: None },
            Blame::Undecided => Verdict::Undecided,
        };
        self.known(
            cell,
            Outcome::Failed { verdict, why: failure.to_string(), transcript: format!("{log}{controls}") },
        )
    }

    /// Adds the reason to a fault of the other's that is listed.
    fn known(&self, cell: &Cell<'a>, mut outcome: Outcome) -> Outcome {
        if let Outcome::Failed { verdict: Verdict::Theirs { reason }, .. } = &mut outcome {
            *reason = known::find(self.known, &cell.id()).map(|row| row.reason.to_owned());
        }
        outcome
    }

    /// A cell that passes although the list says that it cannot is a failure of the list.
    fn unless_listed(&self, mut result: CellResult) -> CellResult {
        if result.outcome == Outcome::Passed {
            if let Some(row) = known::find(self.known, &result.id()).filter(|row| !row.sometimes) {
                result.outcome = Outcome::Failed {
                    verdict: Verdict::Undecided,
                    why: format!("passes, but is listed as a known fault: {} ({})", row.reason, row.cells),
                    transcript: String::new(),
                };
            }
        }
        result
    }

    /// Runs control cells until they tell whose fault a failure is; with an account of them.
    fn judge(&self, cell: &Cell<'a>) -> (Blame, String) {
        let (mut evidence, mut account) = (Evidence::default(), String::new());
        let sometimes = known::find(self.known, &cell.id()).is_some_and(|row| row.sometimes);
        loop {
            match evidence.next() {
                Step::Found(blame) => return (blame, account),
                Step::Run(control) => {
                    let (ending, line) = self.control(cell, control, sometimes);
                    let _ = writeln!(account, "control {control:?}: {ending:?} {line}");
                    evidence.note(control, if sometimes { at_times(control, ending) } else { ending });
                }
            }
        }
    }

    /// Runs one control cell; how it ended, and why.
    fn control(&self, cell: &Cell<'a>, control: Control, sometimes: bool) -> (Ending, String) {
        let (ours, theirs) = (&self.ours.program, &cell.theirs.program);
        let libzmq = self.libzmq.filter(|libzmq| libzmq.name != theirs.name);
        let programs = match (control, libzmq) {
            (Control::OursAlone, _) => Some([ours, ours]),
            (Control::TheirsAlone, _) => Some([theirs, theirs]),
            (Control::OursWithLibzmq, Some(libzmq)) => Some([ours, libzmq]),
            (Control::TheirsWithLibzmq, Some(libzmq)) => Some([libzmq, theirs]),
            (Control::LibzmqAlone, Some(libzmq)) => Some([libzmq, libzmq]),
            (_, None) => None,
        };
        let Some([here, there]) = programs else {
            return (Ending::Silent, "there is no other libzmq".to_owned());
        };
        let setting = cell.setting(here, there);
        let suspect = matches!(control, Control::TheirsAlone | Control::TheirsWithLibzmq);
        let attempts = if sometimes && suspect { ATTEMPTS } else { 1 };
        let key = control_key(cell, setting, attempts);
        let cached = |ending: &(Ending, String)| ending.clone();
        let known = self.controls.lock().unwrap_or_else(PoisonError::into_inner).get(&key).map(cached);
        if let Some(known) = known {
            return known;
        }
        let mut ended = (Ending::Silent, String::new());
        for _ in 0..attempts {
            ended = self.try_control(cell, setting);
            if ended.0 != Ending::Passed {
                break;
            }
        }
        self.controls.lock().unwrap_or_else(PoisonError::into_inner).insert(key, ended.clone());
        ended
    }

    fn try_control(&self, cell: &Cell<'a>, setting: Setting<'_>) -> (Ending, String) {
        let played = Idle::default().hire(setting.programs).and_then(|peers| {
            let mut stage = Stage::new(setting, peers)?;
            stage.open()?;
            stage.make_contact()?;
            (cell.scenario.play)(&mut stage)
        });
        match played {
            Ok(()) => (Ending::Passed, String::new()),
            Err(failure) if failure.is_lack(&self.ours.version) => (Ending::Silent, failure.to_string()),
            Err(failure) => (Ending::Failed, failure.to_string()),
        }
    }
}

/// What tells control cells apart: everything but the cells that ask for them.
fn control_key(cell: &Cell<'_>, setting: Setting<'_>, attempts: usize) -> String {
    let Setting { pair, transport, mechanism, binder, programs: [left, right], .. } = setting;
    let (pair, binder, scenario) = (pair.name(), binder.name(), cell.scenario.name);
    format!("{} {} {pair} {transport} {mechanism} {binder} {scenario} {attempts}", left.name, right.name)
}

/// What a control says of a fault that shows itself only at times: a peer that has done well with libzmq a few times may
/// still have it.
fn at_times(control: Control, ending: Ending) -> Ending {
    match (control, ending) {
        (Control::TheirsWithLibzmq, Ending::Passed) => Ending::Silent,
        (_, ending) => ending,
    }
}

/// The results of several rounds as one: a cell that has failed in one round has failed.
#[must_use]
pub fn merge(before: Vec<CellResult>, round: Vec<CellResult>, number: u32) -> Vec<CellResult> {
    let worse = |(before, mut now): (CellResult, CellResult)| {
        if badness(&before.outcome) >= badness(&now.outcome) {
            return before;
        }
        if let Outcome::Failed { why, .. } = &mut now.outcome {
            *why = format!("in round {number}: {why}");
        }
        now
    };
    before.into_iter().zip(round).map(worse).collect()
}

/// How bad a result is, for comparison with another of the same cell.
fn badness(outcome: &Outcome) -> u8 {
    match outcome {
        Outcome::Passed => 0,
        Outcome::Missing { .. } => 1,
        Outcome::Failed { verdict: Verdict::Theirs { reason: Some(_) }, .. } => 2,
        Outcome::Failed { .. } => 3,
    }
}

/// Peers that wait for their next stage: a process that has to be started costs more than most cells.
#[derive(Default)]
struct Idle(Vec<(String, Peer)>);

impl Idle {
    /// Peers for two programs: idle ones, or new ones. All others are let go.
    fn hire(&mut self, programs: [&Program; 2]) -> Result<[Peer; 2], Failure> {
        let left = self.hire_one(programs[Side::Left as usize])?;
        let right = self.hire_one(programs[Side::Right as usize])?;
        self.0.clear();
        Ok([left, right])
    }

    fn hire_one(&mut self, program: &Program) -> Result<Peer, Failure> {
        match self.0.iter().position(|(name, _)| name == program.name) {
            Some(at) => Ok(self.0.swap_remove(at).1),
            None => Peer::start(program),
        }
    }

    fn rest(&mut self, programs: [&Program; 2], peers: [Option<Peer>; 2]) {
        for (program, peer) in programs.into_iter().zip(peers) {
            self.0.extend(peer.map(|peer| (program.name.to_owned(), peer)));
        }
    }
}
