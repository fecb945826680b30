//! Leading: a thread that waits for input reads its socket's connections itself for a moment, before it sleeps.
//!
//! An I/O thread that reads for a sleeping thread costs two wakes for each message: its own, and that of the receiver. So
//! the receiver takes the streams out of the I/O thread's poll (`engine/listening`), reads them by turns, and lets other
//! threads run in between. If nothing comes soon, it gives the streams back and sleeps.
//!
//! **It costs an idle program nothing**: a wait leads only if input came soon lately (`socket/lead_rule`).
//!
//! **One thread leads a socket.** Nobody leads while another one waits in `recv`, as a thread or as a task: the I/O thread wakes
//! whose turn it is.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::base::SocketBase;
use super::lead_rule::Came;
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
    came: Came,
}

impl<'a> Led<'a> {
    /// Takes the lead of a socket, if it has few connections and nobody else waits for its input.
    fn begin(base: &'a Arc<SocketBase>, now: Instant) -> Option<Led<'a>> {
        let spin = (base.input.waiting() == 0).then(|| base.lead.begin(now, base.context.spin)).flatten();
        let Some(spin) = spin else {
            base.give_streams_back();
            return None;
        };
        let (engines, reactor) =
            base.enter(|state| (state.pipes.few_engines(MOST_LED), state.reactor.clone()));
        if engines.is_empty() {
            base.lead.give_back();
            return None;
        }
        Counters::add(&base.counters.leads, 1);
        engines.iter().for_each(|engine| engine.set_led(true));
        Some(Led { base, engines, reactor, spin, came: Came::Elsewhere })
    }

    /// Reads the connections once.
    fn read(&mut self) {
        self.engines.iter().for_each(|engine| engine.edge(READABLE));
        if self.base.drive_each(&self.engines, self.reactor.as_ref()) {
            self.came = Came::Input;
        }
    }
}

impl Drop for Led<'_> {
    fn drop(&mut self) {
        self.engines.iter().for_each(|engine| engine.set_led(false));
        self.base.drive_each(&self.engines, self.reactor.as_ref());
        self.base.lead.end(self.came, self.spin);
    }
}

impl SocketBase {
    /// Gives the streams of a socket that another thread leads back to the I/O thread. Who is about to wait calls it, because code of
    /// the application may keep the other thread.
    pub(super) fn give_streams_back(self: &Arc<Self>) {
        if self.lead.is_taken() {
            let (engines, reactor) =
                self.enter(|state| (state.pipes.few_engines(MOST_LED), state.reactor.clone()));
            engines.iter().for_each(|engine| engine.set_led(false));
            self.drive_each(&engines, reactor.as_ref());
        }
    }
}

/// Reads the connections of these sockets and looks, by turns, at most until the deadline. Returns what `look` has found, or
/// `None` if the thread is to sleep: there is nothing to lead, the time is over, or another thread waits as well.
pub(crate) fn lead<'a, T>(
    bases: impl Iterator<Item = &'a Arc<SocketBase>> + Clone,
    deadline: Option<Instant>,
    mut look: impl FnMut() -> Option<T>,
) -> Option<T> {
    // Who waits for input sends no flood.
    bases.clone().for_each(|base| base.enter(|state| state.flush.rest()));
    let mut now = clock::now();
    let mut led: Vec<Led<'_>> = bases.filter_map(|base| Led::begin(base, now)).take(MOST_SOCKETS).collect();
    let spin = led.iter().map(|led| led.spin).max()?;
    let end = deadline.map_or(now + spin, |at| at.min(now + spin));
    for _ in 0..MOST_LOOKS {
        led.iter_mut().for_each(Led::read);
        let found = look();
        if found.is_some() || led.iter().any(|led| led.base.input.waiting() > 0) {
            return found;
        }
        let before = std::mem::replace(&mut now, clock::now());
        let ends = now >= end || !give_way(end);
        if ends || now.saturating_duration_since(before) > spin {
            let came = if ends { Came::Nothing } else { Came::Others };
            led.iter_mut().filter(|led| led.came != Came::Input).for_each(|led| led.came = came);
            return None;
        }
    }
    None
}

/// Notes that a thread which slept for input of these sockets runs, and has found some.
pub(crate) fn note_awake<'a>(bases: impl Iterator<Item = &'a Arc<SocketBase>>) {
    let now = clock::now();
    bases.for_each(|base| base.lead.note_awake(now));
}
