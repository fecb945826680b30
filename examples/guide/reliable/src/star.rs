//! Binary star: which one of two servers is active. Pure rules: messages and the time go in, the state comes out.
//!
//! ```text
//!             the peer waits, or a request comes
//!             while the peer is silent (primary only)
//!   Waiting ─────────────────────────────────────────> Active
//!      │                                                ^  │
//!      │ the peer is active       the peer waits, or    │  │ the peer is active
//!      │                      a request comes while     │  │ with a later term
//!      └──────> Passive ───── the peer is silent ───────┘  v
//!                                                        Outdated
//! ```
//!
//! Each change to Active begins a new *term*, which is one more than any that the server knows. Two servers that could not see
//! each other may both become active. When they meet again, the one with the earlier term is outdated.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, Instant};

/// Which of the two servers it is. They differ only while both wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Becomes active when both wait.
    Primary,
    /// Becomes passive when both wait.
    Backup,
}

/// What a server does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It has just started, and does not know what the other one does.
    Waiting,
    /// It serves clients.
    Active,
    /// It waits for the active one to fall silent.
    Passive,
    /// It was active, and the other one has taken over meanwhile. It must end and start again.
    Outdated,
}

/// What a server tells the other one at intervals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// What it does.
    pub state: State,
    /// The last term that it knows.
    pub term: u64,
}

/// One of the two servers.
#[derive(Debug)]
pub struct Star {
    role: Role,
    state: State,
    term: u64,
    /// The time that the other one may be silent.
    lifetime: Duration,
    silent_at: Instant,
}

impl Star {
    /// Creates a server that has just started. The other one is taken to live for `lifetime` after each report.
    #[must_use]
    pub fn new(role: Role, lifetime: Duration, now: Instant) -> Star {
        Star { role, state: State::Waiting, term: 0, lifetime, silent_at: now + lifetime }
    }

    /// Returns what the server does.
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }

    /// Returns what it tells the other one.
    #[must_use]
    pub fn report(&self) -> Report {
        Report { state: self.state, term: self.term }
    }

    /// Takes a report of the other server.
    pub fn receive(&mut self, peer: Report, now: Instant) {
        self.silent_at = now + self.lifetime;
        let is_primary = self.role == Role::Primary;
        // Equal terms do not occur while the rules hold; if they do, one of the two still has to give way.
        let is_earlier = (self.term, !is_primary) < (peer.term, is_primary);
        self.term = self.term.max(peer.term);
        match (self.state, peer.state) {
            (State::Active, State::Active) if is_earlier => self.state = State::Outdated,
            (State::Waiting | State::Passive, State::Active) => self.state = State::Passive,
            (State::Waiting, State::Waiting) | (State::Passive, State::Passive) if is_primary => {
                self.activate()
            }
            // The other one was active and has started again.
            (State::Passive, State::Waiting) => self.activate(),
            _ => {}
        }
    }

    /// Takes a request of a client. Returns whether the server may serve it.
    ///
    /// A client comes to this server when it has got no reply from the other one. So it takes both, a silent peer and a client,
    /// to make a passive server active: a broken connection between the two is not enough.
    pub fn request(&mut self, now: Instant) -> bool {
        let may_take_over = match self.state {
            State::Waiting => self.role == Role::Primary,
            State::Passive => true,
            State::Active | State::Outdated => false,
        };
        if may_take_over && now >= self.silent_at {
            self.activate();
        }
        self.state == State::Active
    }

    fn activate(&mut self) {
        self.state = State::Active;
        self.term += 1;
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Waiting => "waiting",
            State::Active => "active",
            State::Passive => "passive",
            State::Outdated => "outdated",
        };
        write!(f, "{state} {}", self.term)
    }
}

impl FromStr for Report {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Report, &'static str> {
        let (state, term) = text.split_once(' ').ok_or("no state and term")?;
        let state = match state {
            "waiting" => State::Waiting,
            "active" => State::Active,
            "passive" => State::Passive,
            "outdated" => State::Outdated,
            _ => return Err("no such state"),
        };
        Ok(Report { state, term: term.parse().map_err(|_| "the term is no number")? })
    }
}

impl FromStr for Role {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Role, &'static str> {
        match text {
            "primary" => Ok(Role::Primary),
            "backup" => Ok(Role::Backup),
            _ => Err("primary or backup"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFETIME: Duration = Duration::from_secs(3);

    /// Two servers on a clock of their own.
    struct Pair {
        now: Instant,
        stars: [Star; 2],
    }

    impl Pair {
        fn new() -> Pair {
            let now = Instant::now();
            let star = |role| Star::new(role, LIFETIME, now);
            Pair { now, stars: [star(Role::Primary), star(Role::Backup)] }
        }

        /// Server `from` reports to the other one.
        fn report(&mut self, from: usize) {
            let report = self.stars[from].report();
            self.stars[1 - from].receive(report, self.now);
        }

        fn meet(&mut self) {
            [0, 1, 0, 1].into_iter().for_each(|from| self.report(from));
        }

        fn request(&mut self, at: usize) -> bool {
            self.stars[at].request(self.now)
        }

        fn restart(&mut self, which: usize) {
            let role = [Role::Primary, Role::Backup][which];
            self.stars[which] = Star::new(role, LIFETIME, self.now);
        }

        fn states(&self) -> [State; 2] {
            [self.stars[0].state(), self.stars[1].state()]
        }
    }

    #[test]
    fn when_both_start_the_primary_is_active() {
        for first in [0, 1] {
            let mut pair = Pair::new();
            pair.report(first);
            pair.meet();
            assert_eq!(pair.states(), [State::Active, State::Passive]);
            assert_eq!([pair.request(0), pair.request(1)], [true, false]);
        }
    }

    #[test]
    fn it_takes_silence_and_a_request_to_take_over() {
        let mut pair = Pair::new();
        pair.meet();
        assert!(!pair.request(1));
        pair.now += LIFETIME;
        assert_eq!(pair.states()[1], State::Passive);
        assert!(pair.request(1));
        assert_eq!(pair.states()[1], State::Active);
    }

    #[test]
    fn a_server_that_starts_again_becomes_passive_and_takes_over_when_the_other_one_starts_again() {
        let mut pair = Pair::new();
        pair.meet();
        pair.now += LIFETIME;
        assert!(pair.request(1));
        pair.restart(0);
        pair.meet();
        assert_eq!(pair.states(), [State::Passive, State::Active]);
        pair.restart(1);
        pair.meet();
        assert_eq!(pair.states(), [State::Active, State::Passive]);
    }

    #[test]
    fn a_primary_alone_becomes_active_and_a_backup_alone_does_not() {
        let mut pair = Pair::new();
        assert_eq!([pair.request(0), pair.request(1)], [false, false]);
        pair.now += LIFETIME;
        assert_eq!([pair.request(0), pair.request(1)], [true, false]);
    }

    #[test]
    fn of_two_that_are_active_the_earlier_one_is_outdated() {
        let mut pair = Pair::new();
        pair.meet();
        pair.now += LIFETIME;
        assert_eq!([pair.request(0), pair.request(1)], [true, true]);
        pair.meet();
        assert_eq!(pair.states(), [State::Outdated, State::Active]);
        assert!(!pair.request(0));
        pair.restart(0);
        pair.meet();
        assert_eq!(pair.states(), [State::Passive, State::Active]);
    }

    #[test]
    fn a_takeover_is_later_than_every_one_that_its_server_knows_of() {
        let mut pair = Pair::new();
        pair.meet();
        pair.now += LIFETIME;
        assert!(pair.request(1));
        pair.restart(0);
        pair.meet();
        pair.now += LIFETIME;
        assert!(pair.request(0));
        pair.meet();
        assert_eq!(pair.states(), [State::Active, State::Outdated]);
    }

    /// Random losses, pauses, restarts and requests: whenever the two have met and nobody is outdated, exactly one is active.
    #[test]
    fn after_every_meeting_one_is_active() {
        let mut random = 1u64;
        let mut dice = |sides: u64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) % sides
        };
        let mut pair = Pair::new();
        for _ in 0..200_000 {
            let which = usize::from(dice(2) == 1);
            match dice(6) {
                0 | 1 => pair.report(which),
                2 => drop(pair.request(which)),
                3 => pair.now += LIFETIME / 2,
                4 => pair.restart(which),
                _ => {
                    pair.meet();
                    for outdated in [0, 1] {
                        if pair.states()[outdated] == State::Outdated {
                            pair.restart(outdated);
                            pair.meet();
                        }
                    }
                    let active = pair.states().iter().filter(|state| **state == State::Active).count();
                    assert_eq!(active, 1, "{pair:?}", pair = pair.stars);
                }
            }
        }
    }

    #[test]
    fn a_report_survives_the_way_through_text() {
        for state in [State::Waiting, State::Active, State::Passive, State::Outdated] {
            let report = Report { state, term: 7 };
            assert_eq!(report.to_string().parse(), Ok(report));
        }
        assert!("active".parse::<Report>().is_err() && "busy 1".parse::<Report>().is_err());
    }
}
