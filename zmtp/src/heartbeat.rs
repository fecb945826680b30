//! Heartbeats (RFC 37 §3.5.2): when to send a PING, and when to give a silent peer up.
//!
//! All input counts as a sign of life, a part of a long frame too, so that a slow link is not taken for a dead one.

use std::time::{Duration, Instant};

/// The timers of one open ZMTP 3.x connection.
#[derive(Clone, Debug)]
pub(crate) struct Heartbeat {
    interval: Option<Duration>,
    timeout: Option<Duration>,
    next_ping: Option<Instant>,
    /// When the answer to a PING is due: to the oldest one that nothing was heard after.
    answer_by: Option<Instant>,
    /// The time to live that the peer's last PING set.
    peer_ttl: Option<Duration>,
    heard: Instant,
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Nothing,
    Ping,
    /// The peer is given up.
    Dead,
}

impl Heartbeat {
    /// No timer runs until [`Heartbeat::start`].
    pub(crate) fn new(interval: Option<Duration>, timeout: Option<Duration>, now: Instant) -> Heartbeat {
        Heartbeat {
            interval: interval.filter(|interval| !interval.is_zero()),
            timeout: timeout.filter(|timeout| !timeout.is_zero()),
            next_ping: None,
            answer_by: None,
            peer_ttl: None,
            heard: now,
        }
    }

    /// The handshake is over.
    pub(crate) fn start(&mut self, now: Instant) {
        self.heard = now;
        self.next_ping = self.interval.and_then(|interval| now.checked_add(interval));
    }

    /// Input arrived.
    #[inline]
    pub(crate) fn heard(&mut self, now: Instant) {
        self.heard = now;
        self.answer_by = None;
    }

    /// A PING arrived. A time to live of 0 sets none and leaves an earlier one alone (libzmq zmtp_engine.cpp).
    pub(crate) fn pinged(&mut self, tenths: u16) {
        if tenths > 0 {
            // In 16 bits, as libzmq has it, the product would wrap beyond 65.5 s.
            self.peer_ttl = Some(Duration::from_millis(u64::from(tenths) * 100));
        }
    }

    /// The next moment at which [`Heartbeat::due`] may have something new to say.
    pub(crate) fn next(&self) -> Option<Instant> {
        [self.next_ping, self.answer_by, self.expiry()].into_iter().flatten().min()
    }

    /// Looks at the clock. [`Due::Ping`] starts the wait for its answer.
    pub(crate) fn due(&mut self, now: Instant) -> Due {
        let passed = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if passed(self.answer_by) || passed(self.expiry()) {
            return Due::Dead;
        }
        if !passed(self.next_ping) {
            return Due::Nothing;
        }
        self.next_ping = self.interval.and_then(|interval| now.checked_add(interval));
        if self.answer_by.is_none() {
            self.answer_by = self.timeout.and_then(|timeout| now.checked_add(timeout));
        }
        Due::Ping
    }

    fn expiry(&self) -> Option<Instant> {
        self.peer_ttl.and_then(|ttl| self.heard.checked_add(ttl))
    }
}

/// HEARTBEAT_TTL as a PING carries it: tenths of a second, rounded down, at most 6553.5 s.
pub(crate) fn tenths(ttl: Duration) -> u16 {
    u16::try_from(ttl.as_millis() / 100).unwrap_or(u16::MAX)
}
