//! Leading: a thread that waits for input reads its socket's connections itself for a moment, before it sleeps.
//!
//! An I/O thread that reads for a sleeping thread costs two wakes for each message: its own, and that of the receiver. So
//! the receiver takes the streams out of the I/O thread's poll (`engine/listening`), reads them by turns, and lets other
//! threads run in between. If nothing comes within `ContextOptions::spin`, it gives the streams back and sleeps.
//!
//! **It costs an idle program nothing**: a wait leads only if input came soon lately (`socket/lead_rule`).
//!
//! **One thread leads a socket.** If another thread waits for the same input, nobody leads: the I/O thread wakes whose turn
//! it is.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::base::SocketBase;
use super::orders::IoThread;
use crate::clock;
use crate::engine::{Engine, READABLE};
use crate::signal::give_way;
use crate::stats::Counters;

/// A thread leads at most so many connections: each look reads all of them.
const MOST_LED: usize = 16;

/// A poller leads at most so many sockets.
const MOST_SOCKETS: usize = 4;

/// The most looks of one lead. In a simulation, whose clock stands still between two steps, it is what ends a lead.
const MOST_LOOKS: u32 = if cfg!(simulate) { 8 } else { 1000 };

/// A socket that the calling thread leads, until this is dropped.
struct Led<'a> {
    base: &'a Arc<SocketBase>,
    engines: Vec<Arc<Engine>>,
    reactor: Option<IoThread>,
    spin: Duration,
    found: bool,
}

impl<'a> Led<'a> {
    /// Takes the lead of a socket, if it has few connections and nobody else waits for its input.
    fn begin(base: &'a Arc<SocketBase>, now: Instant) -> Option<Led<'a>> {
        if base.input.waiting() > 0 {
            return None;
        }
        let spin = base.lead.begin(now, base.context.spin)?;
        let (engines, reactor) =
            base.enter(|state| (state.pipes.few_engines(MOST_LED), state.reactor.clone()));
        if engines.is_empty() {
            base.lead.give_back();
            return None;
        }
        Counters::add(&base.counters.leads, 1);
        engines.iter().for_each(|engine| engine.lead(true));
        Some(Led { base, engines, reactor, spin, found: false })
    }

    /// Reads the connections once.
    fn read(&self) {
        self.engines.iter().for_each(|engine| engine.edge(READABLE));
        self.base.drive_each(&self.engines, self.reactor.as_ref());
    }
}

impl Drop for Led<'_> {
    fn drop(&mut self) {
        self.engines.iter().for_each(|engine| engine.lead(false));
        self.base.drive_each(&self.engines, self.reactor.as_ref());
        self.base.lead.end(clock::now(), self.found, self.spin);
    }
}

/// Reads the connections of these sockets and looks, by turns, at most until the deadline. Returns what `look` has found, or
/// `None` if the thread is to sleep: there is nothing to lead, the time is over, or another thread waits as well.
pub(crate) fn lead<'a, T>(
    bases: impl Iterator<Item = &'a Arc<SocketBase>>,
    deadline: Option<Instant>,
    mut look: impl FnMut() -> Option<T>,
) -> Option<T> {
    let now = clock::now();
    let mut led: Vec<Led<'_>> = bases.take(MOST_SOCKETS).filter_map(|base| Led::begin(base, now)).collect();
    let end = now + led.iter().map(|led| led.spin).max()?;
    let end = deadline.map_or(end, |at| at.min(end));
    for _ in 0..MOST_LOOKS {
        led.iter().for_each(Led::read);
        let found = look();
        if found.is_some() {
            led.iter_mut().for_each(|led| led.found = true);
            return found;
        }
        let others = led.iter().any(|led| led.base.input.waiting() > 0);
        if others || clock::now() >= end || !give_way(end) {
            return None;
        }
    }
    None
}

/// Notes that a thread which slept for input of these sockets runs.
pub(crate) fn is_awake<'a>(bases: impl Iterator<Item = &'a Arc<SocketBase>>) {
    let now = clock::now();
    bases.take(MOST_SOCKETS).for_each(|base| base.lead.is_awake(now));
}
