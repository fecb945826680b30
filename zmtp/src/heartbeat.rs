//! Heartbeats (RFC 37 §3.5.2): when to send a PING, and when to give a silent peer up.
//!
//! All input counts as a sign of life, a part of a long frame too, so that a slow link is not taken for a dead one.
//!
//! The first PING goes out at once, before any message: so the peer knows that this side beats.
//!
//! While input is left unread for lack of room, the PINGs in it are not answered: they stand behind the rest. So that a
//! slow receiver is not taken for a dead one, it sends PONGs unasked for that time, to a peer that has sent a PING. No
//! other peer gets one: it may have closed already, and would lose what its kernel has not sent yet (RFC 2525 §2.17).

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
    /// A PING arrived: this peer waits for answers.
    was_pinged: bool,
    /// When the next PONG goes out unasked, while input waits unread.
    unasked_pong: Option<Instant>,
}

/// The time between two PONGs that nobody asked for: heartbeats are rarely shorter.
const UNASKED: Duration = Duration::from_millis(50);

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Nothing,
    Ping,
    /// A PONG that nobody asked for.
    Pong,
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
            was_pinged: false,
            unasked_pong: None,
        }
    }

    /// The handshake is over; the first PING is due.
    pub(crate) fn start(&mut self, now: Instant) {
        self.heard = now;
        self.next_ping = self.interval.map(|_| now);
    }

    /// Input arrived.
    #[inline]
    pub(crate) fn heard(&mut self, now: Instant) {
        self.heard = now;
        self.answer_by = None;
    }

    /// A PING arrived. A time to live of 0 sets none and leaves an earlier one alone (libzmq zmtp_engine.cpp).
    pub(crate) fn pinged(&mut self, tenths: u16) {
        self.was_pinged = true;
        if tenths > 0 {
            // In 16 bits, as libzmq has it, the product would wrap beyond 65.5 s.
            self.peer_ttl = Some(Duration::from_millis(u64::from(tenths) * 100));
        }
    }

    /// Input waits unread for lack of room, or waits no longer.
    #[inline]
    pub(crate) fn leave_unread(&mut self, waits: bool, now: Instant) {
        if !waits || !self.was_pinged {
            self.unasked_pong = None;
        } else if self.unasked_pong.is_none() {
            self.unasked_pong = now.checked_add(UNASKED);
        }
    }

    /// The next moment at which [`Heartbeat::due`] may have something new to say.
    pub(crate) fn next(&self) -> Option<Instant> {
        [self.next_ping, self.answer_by, self.expiry(), self.unasked_pong].into_iter().flatten().min()
    }

    /// Looks at the clock. [`Due::Ping`] starts the wait for its answer.
    pub(crate) fn due(&mut self, now: Instant) -> Due {
        let passed = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if passed(self.answer_by) || passed(self.expiry()) {
            return Due::Dead;
        }
        if !passed(self.next_ping) {
            if !passed(self.unasked_pong) {
                return Due::Nothing;
            }
            self.unasked_pong = now.checked_add(UNASKED);
            return Due::Pong;
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
