//! All that moves beside the applications: I/O threads, the network, hostile peers, faults, and time.

use std::time::Duration;

use zeroxide::simulation;
use zeroxide_transports::simulated::{self, Move};

use crate::choices::Choices;
use crate::handler::Handler;
use crate::hostile::Hostile;

/// Steps in one session before it counts as one that never comes to rest.
const MOST_STEPS: u64 = 400_000;

/// Errors of accepts: EMFILE, ENFILE, ECONNABORTED, ENOMEM; of dials: EMFILE, ENETUNREACH, EADDRNOTAVAIL.
const ACCEPT_ERRORS: [i32; 4] = [24, 23, 103, 12];
const DIAL_ERRORS: [i32; 3] = [24, 101, 99];

/// How far the clock jumps.
const JUMPS: [Duration; 5] = [
    Duration::from_micros(30),
    Duration::from_millis(1),
    Duration::from_millis(30),
    Duration::from_secs(1),
    Duration::from_secs(20),
];

/// The rest of the world.
#[derive(Debug)]
pub(crate) struct Motion {
    pub(crate) choices: Choices,
    pub(crate) hostiles: Vec<Hostile>,
    pub(crate) handlers: Vec<Handler>,
    /// Whether faults happen.
    pub(crate) faults: bool,
    /// Every third connection is slow, beginning with this one.
    pub(crate) slow: Option<u64>,
    /// How many connections were cut, and how many accepts or dials failed.
    pub(crate) injected: u64,
    pub(crate) steps: u64,
    /// A hash of all that has moved.
    pub(crate) hash: u64,
    pub(crate) trace: bool,
}

impl Motion {
    pub(crate) fn new(choices: Choices, trace: bool) -> Motion {
        Motion {
            choices,
            hostiles: Vec::new(),
            handlers: Vec::new(),
            faults: false,
            slow: None,
            injected: 0,
            steps: 0,
            hash: 0,
            trace,
        }
    }

    /// Whether the session has taken too many steps.
    pub(crate) fn is_endless(&self) -> bool {
        self.steps >= MOST_STEPS
    }

    /// Adds a number to the hash of all that has moved (FNV-1a, by words).
    fn mix(&mut self, number: u64) {
        self.hash = (self.hash ^ number).wrapping_mul(0x0100_0000_01b3);
    }

    /// Prints what happens, where somebody looks.
    pub(crate) fn tell(&self, what: impl FnOnce() -> String) {
        if self.trace {
            println!("{:>12.6} {:>6} {}", simulation::now().as_secs_f64(), self.steps, what());
        }
    }

    /// One step of somebody who can take one now; `false` if nobody can.
    pub(crate) fn step(&mut self) -> bool {
        if self.is_endless() {
            return false;
        }
        self.steps += 1;
        // The call that was to hold the lock did not take it.
        simulation::hold(0, Duration::ZERO, false);
        if self.faults && self.choices.one_in(48) {
            self.inject();
        }
        let (awake, moves) = (simulation::awake(), simulated::moves());
        let active = self.hostiles.iter().filter(|hostile| hostile.is_active()).count();
        let count = awake.len() + moves.len() + active;
        if count == 0 {
            let choices = &mut self.choices;
            return self.handlers.iter().any(|handler| handler.answer(choices));
        }
        let chosen = self.choices.below(count);
        self.mix(simulation::now().as_nanos() as u64 ^ chosen as u64);
        if let Some(thread) = awake.get(chosen) {
            self.tell(|| format!("{} runs", simulation::name(*thread)));
            simulation::run(*thread);
        } else if let Some(which) = moves.get(chosen - awake.len()) {
            self.move_bytes(*which);
        } else {
            let at = chosen - awake.len() - moves.len();
            let hostile = self.hostiles.iter_mut().filter(|hostile| hostile.is_active()).nth(at);
            if let Some(did) = hostile.map(|hostile| hostile.act(&mut self.choices)) {
                self.tell(|| did);
            }
        }
        true
    }

    fn move_bytes(&mut self, which: Move) {
        let (link, side) = match which {
            Move::Connect(link) => (link, 2),
            Move::Deliver(link, side, _) | Move::End(link, side) => (link, side),
        };
        if self.slow == Some(link % 3) && self.choices.below(8) != 0 {
            return;
        }
        let bytes = match which {
            Move::Deliver(_, _, flying) => match self.choices.below(4) {
                0 | 1 => flying,
                2 => 1,
                _ => 1 + self.choices.below(flying),
            },
            _ => 0,
        };
        self.mix(link << 32 | (side as u64) << 30 | bytes as u64);
        self.tell(|| format!("{which:?} {bytes}"));
        simulated::make(which, bytes);
    }

    fn inject(&mut self) {
        match self.choices.below(6) {
            0 | 1 => {
                let jump = self.choices.pick(&JUMPS);
                self.tell(|| format!("the clock jumps by {jump:?}"));
                simulation::advance(jump);
            }
            2 => {
                let errno = self.choices.pick(&ACCEPT_ERRORS);
                self.tell(|| format!("the next accept fails: {errno}"));
                simulated::fail_accept(errno);
                self.injected += 1;
            }
            3 => {
                let errno = self.choices.pick(&DIAL_ERRORS);
                self.tell(|| format!("the next dial fails: {errno}"));
                simulated::fail_dial(errno);
                self.injected += 1;
            }
            _ => self.cut(),
        }
    }

    /// A connection is cut.
    pub(crate) fn cut(&mut self) {
        let links = simulated::links();
        if !links.is_empty() {
            let link = self.choices.pick(&links);
            self.tell(|| format!("connection {link} is cut"));
            simulated::cut(link);
            self.injected += 1;
        }
    }

    /// Sets the clock to the next timer, at most to `limit` from the beginning; `false` if there is none before it.
    pub(crate) fn wait(&mut self, limit: Option<Duration>) -> bool {
        let left = limit.map(|limit| limit.saturating_sub(simulation::now()));
        match (simulation::next_timer(), left) {
            _ if self.is_endless() => false,
            (Some(timer), left) if left.is_none_or(|left| timer < left) => {
                simulation::advance(timer);
                true
            }
            (_, Some(left)) => {
                simulation::advance(left);
                false
            }
            _ => false,
        }
    }

    /// A step, or the wait for one; `false` if nobody has anything to do before `limit`.
    pub(crate) fn go_on(&mut self, limit: Option<Duration>) -> bool {
        self.step() || self.wait(limit)
    }
}
