//! Leading: a thread that waits for input reads its socket's connections itself for a short time before it sleeps.
//!
//! If an I/O thread reads for a sleeping thread, each message costs two wakes: one of the I/O thread, and one of the
//! receiver. So the receiver takes the streams out of the I/O thread's poll (`engine/listening`). It reads all of them
//! again and again, and yields the processor after each round. If no input comes soon, it puts the streams back into
//! the poll and sleeps.
//!
//! **An idle program does not lead**: a wait leads only if the last waits were short (`socket/lead_rule`).
//!
//! **At most one thread leads a socket.** No thread leads while another thread or a task waits in `recv` on the socket:
//! then the I/O thread reads, and the receivers are woken in the order in which they wait.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::base::SocketBase;
use super::lead_rule::Came;
use super::orders::IoThread;
use crate::clock;
use crate::engine::{Engine, READABLE};
use crate::signal::give_way;
use crate::stats::Counters;

/// A socket with more pipes than this is not led, because each round reads all connections.
const MOST_LED: usize = 16;

/// A poller or proxy leads at most this many sockets.
const MOST_SOCKETS: usize = 4;

/// The most rounds of one lead. In a simulation this limit ends a lead, because the clock does not move between two
/// steps.
const MOST_LOOKS: u32 = if cfg!(simulate) { 8 } else { 1000 };

/// The connections of a socket with few of them, and the I/O thread that serves them.
struct Connections<'a> {
    base: &'a Arc<SocketBase>,
    engines: Vec<Arc<Engine>>,
    reactor: Option<IoThread>,
}

impl<'a> Connections<'a> {
    fn of(base: &'a Arc<SocketBase>) -> Connections<'a> {
        let (engines, reactor) =
            base.enter(|state| (state.pipes.few_engines(MOST_LED), state.reactor.clone()));
        Connections { base, engines, reactor }
    }

    /// Reads them once. Returns whether there is input where there was none.
    fn read(&self) -> bool {
        self.engines.iter().for_each(|engine| engine.edge(READABLE));
        self.drive()
    }

    /// Puts the streams back into the I/O thread's poll.
    fn give_back(&self) {
        self.engines.iter().for_each(|engine| engine.set_led(false));
        self.drive();
    }

    fn drive(&self) -> bool {
        self.base.drive_each(&self.engines, self.reactor.as_ref())
    }
}

/// A socket that the calling thread leads, until this is dropped.
struct Led<'a> {
    connections: Connections<'a>,
    spin: Duration,
    came: Came,
}

impl<'a> Led<'a> {
    /// Begins to lead a socket. Returns `None` if its wait must sleep (`LeadRule::begin`), if it has no or too many
    /// connections, or if another thread or task waits for its input. If another thread leads it, its streams go back
    /// to the I/O thread.
    fn begin(base: &'a Arc<SocketBase>, now: Instant) -> Option<Led<'a>> {
        let spin = (base.input.waiting() == 0).then(|| base.lead.begin(now, base.context.spin)).flatten();
        let Some(spin) = spin else {
            base.give_streams_back();
            return None;
        };
        let connections = Connections::of(base);
        if connections.engines.is_empty() {
            base.lead.give_back();
            return None;
        }
        Counters::add(&base.counters.leads, 1);
        connections.engines.iter().for_each(|engine| engine.set_led(true));
        Some(Led { connections, spin, came: Came::Elsewhere })
    }

    /// Reads the connections once.
    fn read(&mut self) {
        if self.connections.read() {
            self.came = Came::Input;
        }
    }
}

impl Drop for Led<'_> {
    fn drop(&mut self) {
        self.connections.give_back();
        self.connections.base.lead.end(self.came, self.spin);
    }
}

impl SocketBase {
    /// If another thread leads the socket, puts the streams back into the I/O thread's poll. Called before a thread or
    /// task waits: the leader may be running code of the application (`user_code`), and then nobody would read.
    pub(super) fn give_streams_back(self: &Arc<Self>) {
        if self.lead.is_taken() {
            Connections::of(self).give_back();
        }
    }
}

/// Reads the connections of these sockets and calls `look`, again and again, until the deadline at the latest. Returns
/// what `look` has found, or `None` if the thread must sleep: no socket can be led, the time is over, other threads
/// need the processor, or another thread or task waits as well.
pub(crate) fn lead<'a, T>(
    bases: impl Iterator<Item = &'a Arc<SocketBase>> + Clone,
    deadline: Option<Instant>,
    mut look: impl FnMut() -> Option<T>,
) -> Option<T> {
    // A thread that waits for input does not flood, so its next message is sent at once.
    bases.clone().for_each(|base| base.enter(|state| state.flush.rest()));
    let mut now = clock::now();
    let mut led: Vec<Led<'_>> = bases.filter_map(|base| Led::begin(base, now)).take(MOST_SOCKETS).collect();
    let spin = led.iter().map(|led| led.spin).max()?;
    let end = deadline.map_or(now + spin, |at| at.min(now + spin));
    for _ in 0..MOST_LOOKS {
        led.iter_mut().for_each(Led::read);
        let found = look();
        if found.is_some() || led.iter().any(|led| led.connections.base.input.waiting() > 0) {
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

/// Notes that a thread was woken by input of these sockets and now runs. This measures how long the wake took.
pub(crate) fn note_awake<'a>(bases: impl Iterator<Item = &'a Arc<SocketBase>>) {
    let now = clock::now();
    bases.for_each(|base| base.lead.note_awake(now));
}
