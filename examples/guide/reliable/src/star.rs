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
#[path = "star_tests.rs"]
mod tests;
