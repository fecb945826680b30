//! Heartbeats (RFC 37 §3.5.2): when to send a PING, and when a silent peer counts as dead.
//!
//! All input counts as a sign of life, also a part of a long frame, so that a peer on a slow link does not count as
//! dead.
//!
//! The first PING is sent at once, before any message. It shows the peer that this side sends heartbeats.
//!
//! While this side has no room to read, PINGs stay unread in the stream and get no PONG. A slow receiver must not count
//! as dead. So it sends PONGs unasked during that time, but only to a peer that has sent a PING. Another peer may
//! already have closed its socket; an unasked PONG would make its kernel discard data that is not sent yet (RFC 2525
//! §2.17).

use std::time::{Duration, Instant};

/// The timers of one open ZMTP 3.x connection.
#[derive(Clone, Debug)]
pub(crate) struct Heartbeat {
    interval: Option<Duration>,
    timeout: Option<Duration>,
    next_ping: Option<Instant>,
    /// When input is due after a PING. It belongs to the oldest PING without input after it.
    answer_by: Option<Instant>,
    /// The time to live that the peer's last PING set.
    peer_ttl: Option<Duration>,
    heard: Instant,
    /// A PING arrived: this peer expects PONGs.
    was_pinged: bool,
    /// When the next unasked PONG is due, while input is left unread.
    unasked_pong: Option<Instant>,
}

/// The time between two unasked PONGs. Heartbeat intervals are rarely shorter.
const UNASKED: Duration = Duration::from_millis(50);

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Nothing,
    Ping,
    /// A PONG without a PING.
    Pong,
    /// The peer counts as dead.
    Dead,
}

impl Heartbeat {
    /// Creates the timers. None of them runs before [`Heartbeat::start`].
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

    /// Starts the timers after the handshake. The first PING is due.
    pub(crate) fn start(&mut self, now: Instant) {
        self.heard = now;
        self.next_ping = self.interval.map(|_| now);
    }

    /// Takes note that input arrived.
    #[inline]
    pub(crate) fn heard(&mut self, now: Instant) {
        self.heard = now;
        self.answer_by = None;
    }

    /// Takes note of a PING and its time to live. A time to live of 0 leaves an earlier one unchanged (libzmq
    /// zmtp_engine.cpp).
    pub(crate) fn pinged(&mut self, tenths: u16) {
        self.was_pinged = true;
        if tenths > 0 {
            // libzmq computes this product in 16 bits, where it wraps beyond 65.5 s.
            self.peer_ttl = Some(Duration::from_millis(u64::from(tenths) * 100));
        }
    }

    /// Takes note whether input is left unread for lack of room.
    #[inline]
    pub(crate) fn leave_unread(&mut self, waits: bool, now: Instant) {
        if !waits || !self.was_pinged {
            self.unasked_pong = None;
        } else if self.unasked_pong.is_none() {
            self.unasked_pong = now.checked_add(UNASKED);
        }
    }

    /// Returns the next time at which [`Heartbeat::due`] may return something new.
    pub(crate) fn next(&self) -> Option<Instant> {
        [self.next_ping, self.answer_by, self.expiry(), self.unasked_pong].into_iter().flatten().min()
    }

    /// Returns what is due. With [`Due::Ping`] the wait for input begins.
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

/// Returns HEARTBEAT_TTL as a PING carries it: tenths of a second, rounded down, at most 6553.5 s.
pub(crate) fn tenths(ttl: Duration) -> u16 {
    u16::try_from(ttl.as_millis() / 100).unwrap_or(u16::MAX)
}
