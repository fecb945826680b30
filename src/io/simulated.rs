//! The I/O threads of a simulation (`--cfg simulate`): whole contexts on one thread and on virtual time.
//!
//! A context starts its I/O threads here in place of the system's, and each of them runs one round at a time, when the
//! simulation says so. Application code runs between the rounds. Where it waits, [`set_step`] says how the rest of the world
//! goes on meanwhile. `simulator/` has the scheduler, the peers and the oracle.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use zeroxide_transports::simulated;

use super::reactor::{Edges, Reactor};
use crate::socket::futures::limit;
use crate::{clock, random, signal};

thread_local! {
    static THREADS: RefCell<Vec<Thread>> = const { RefCell::new(Vec::new()) };
    static BEGIN: RefCell<Option<Instant>> = const { RefCell::new(None) };
}

/// One I/O thread.
struct Thread {
    name: String,
    /// None while it runs, and when it has ended.
    reactor: Option<Reactor>,
    /// When its next timer is due.
    deadline: Option<Instant>,
}

impl Thread {
    /// Returns whether something has woken it since it announced its sleep.
    fn is_awake(&self, poller: u64) -> bool {
        let Some(reactor) = &self.reactor else { return false };
        !reactor.link.is_asleep()
            || simulated::has_edges(poller)
            || self.deadline.is_some_and(|at| at <= clock::simulated::moment())
    }
}

/// Takes a new I/O thread.
pub(super) fn add(name: &str, reactor: Reactor) {
    let thread = Thread { name: name.to_owned(), reactor: Some(reactor), deadline: None };
    THREADS.with_borrow_mut(|threads| threads.push(thread));
}

/// Begins a simulation on this thread: without connections, I/O threads or time passed. All that is random follows from
/// `seed`, and each reading of the clock takes one `tick`.
pub fn begin(seed: u64, tick: Duration) {
    signal::simulated::set_step(None);
    signal::simulated::take_late();
    signal::simulated::set_hold(None);
    // The old threads end one after the other, outside of the borrow: their ends reach sockets.
    let old = THREADS.take();
    drop(old);
    simulated::reset();
    random::SEED.set(seed);
    limit::begin_simulation();
    clock::simulated::set_tick(tick);
    BEGIN.replace(Some(clock::simulated::moment()));
}

/// Returns the time since the beginning.
#[must_use]
pub fn now() -> Duration {
    let begin = BEGIN.with_borrow(|begin| *begin);
    begin.map_or(Duration::ZERO, |begin| clock::simulated::moment().saturating_duration_since(begin))
}

/// Sets the clock forward.
pub fn advance(time: Duration) {
    clock::simulated::advance(time);
}

/// Returns the I/O threads that have something to do: an edge, an order that has woken them, or a timer.
#[must_use]
pub fn awake() -> Vec<usize> {
    THREADS.with_borrow(|threads| (0..threads.len()).filter(|at| threads[*at].is_awake(*at as u64)).collect())
}

/// Returns how many I/O threads have not ended.
#[must_use]
pub fn running() -> usize {
    THREADS.with_borrow(|threads| threads.iter().filter(|thread| thread.reactor.is_some()).count())
}

/// Returns the time until the next timer of any I/O thread.
#[must_use]
pub fn next_timer() -> Option<Duration> {
    let now = clock::simulated::moment();
    THREADS.with_borrow(|threads| {
        let running = threads.iter().filter(|thread| thread.reactor.is_some());
        running.filter_map(|thread| thread.deadline).min().map(|at| at.saturating_duration_since(now))
    })
}

/// Runs one round of an I/O thread.
pub fn run(at: usize) {
    let taken = THREADS.with_borrow_mut(|threads| threads.get_mut(at)?.reactor.take());
    let Some(mut reactor) = taken else { return };
    simulated::set_poller(at as u64);
    reactor.round(simulated::take_edges(at as u64).into_iter().map(Edges::from));
    let deadline = match reactor.timeout() {
        _ if reactor.is_done() => {
            drop(reactor);
            return;
        }
        timeout => timeout.and_then(|timeout| clock::simulated::moment().checked_add(timeout)),
    };
    THREADS.with_borrow_mut(|threads| {
        if let Some(thread) = threads.get_mut(at) {
            (thread.reactor, thread.deadline) = (Some(reactor), deadline);
        }
    });
}

/// Returns the name of an I/O thread.
#[must_use]
pub fn name(at: usize) -> String {
    THREADS.with_borrow(|threads| threads.get(at).map(|thread| thread.name.clone()).unwrap_or_default())
}

/// Sets what others do while application code waits in a call: one step at a time, until a time from the beginning if it is
/// given. A step returns `false` if nobody has anything to do before that.
pub fn set_step(step: impl FnMut(Option<Duration>) -> bool + 'static) {
    let mut step = step;
    signal::simulated::set_step(Some(Box::new(move |deadline| {
        let left = deadline.map(|at| at.saturating_duration_since(clock::simulated::moment()));
        step(left.map(|left| now() + left))
    })));
}

/// Lets others take up to so many steps, for this time at most, while the next call of a socket has its lock: before it acts, or
/// when it has `acted`. What they tell the socket waits until the call leaves. No steps end that.
pub fn hold(steps: u32, time: Duration, acted: bool) {
    let until = clock::simulated::moment().checked_add(time);
    let hold = until.filter(|_| steps > 0).map(|until| signal::simulated::Hold { steps, until, acted });
    signal::simulated::set_hold(hold);
}

/// Returns how many waits, since the last call, ended at their deadline although what they waited for was there: each is a
/// wake that was lost.
#[must_use]
pub fn take_lost_wakes() -> u64 {
    signal::simulated::take_late()
}

impl From<simulated::Edges> for Edges {
    fn from(edges: simulated::Edges) -> Edges {
        let simulated::Edges { token, readable, writable, hung_up } = edges;
        Edges { token, readable, writable, hung_up }
    }
}
