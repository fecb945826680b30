//! The order of name lookups: which run now, and which wait for a place.
//!
//! The system's resolver blocks, for half a minute if a name server does not reply, and nothing can stop it. So each lookup
//! has a thread, and the number of threads is limited. A lookup that takes longer than [`SLOW`] frees its place for the next
//! one, as long as there are places for slow ones. The sockets take turns, and no socket gets more than half of the places. So
//! names that do not resolve delay other names of their socket by [`SLOW`] at a time, and names of other sockets hardly at all.
//!
//! Only the order is decided here. `dialer` starts the threads, and the time is an argument.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use zeroxide_transports::Endpoint;

use crate::random::ByNumber;

/// The most lookups that run at the same time, without slow ones.
pub(super) const PLACES: usize = 16;

/// The most slow lookups. Further ones keep their places.
pub(super) const SLOW_PLACES: usize = 128;

/// A lookup that takes longer is slow.
pub(super) const SLOW: Duration = Duration::from_millis(250);

/// A name to look up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) endpoint: Endpoint,
    pub(super) ipv6: bool,
}

/// The lookups of one I/O thread.
#[derive(Default)]
pub(super) struct Lookups {
    /// The sessions that wait for a place, by socket; no list is empty.
    waiting: ByNumber<VecDeque<(u64, Name)>>,
    /// The sockets in `waiting`, each once, in the order of their turns.
    turns: VecDeque<u64>,
    running: Vec<Lookup>,
    next: u64,
    /// When the timer fires after which a lookup may be slow.
    armed: Option<Instant>,
}

/// A lookup that has a thread.
struct Lookup {
    number: u64,
    name: Name,
    /// The socket in whose turn it was started.
    socket: u64,
    since: Instant,
    slow: bool,
    /// The sessions that want its result.
    sessions: Vec<u64>,
}

impl Lookups {
    /// Notes that a session of a socket wants a name looked up. A session that waits already keeps its place in the queue.
    pub(super) fn ask(&mut self, session: u64, socket: u64, name: Name) {
        if self.join(session, &name) {
            return;
        }
        let queue = self.waiting.entry(socket).or_default();
        if queue.is_empty() {
            self.turns.push_back(socket);
        }
        if queue.iter().all(|(other, _)| *other != session) {
            queue.push_back((session, name));
        }
    }

    /// Removes a session. A lookup that runs goes on, because nothing can stop it.
    pub(super) fn forget(&mut self, session: u64, socket: u64) {
        self.running.iter_mut().for_each(|lookup| lookup.sessions.retain(|other| *other != session));
        if let Some(queue) = self.waiting.get_mut(&socket) {
            queue.retain(|(other, _)| *other != session);
            if queue.is_empty() {
                self.waiting.remove(&socket);
                self.turns.retain(|other| *other != socket);
            }
        }
    }

    /// Returns the next lookup to start a thread for, with its number; `None` if none waits or there is no place.
    pub(super) fn next(&mut self, now: Instant) -> Option<(u64, Name)> {
        self.find_slow(now);
        let mut skipped = 0;
        while skipped < self.turns.len() && count(&self.running, false, None) < PLACES {
            let socket = self.turns.pop_front()?;
            if count(&self.running, false, Some(socket)) >= PLACES / 2 {
                self.turns.push_back(socket);
                skipped += 1;
                continue;
            }
            let queue = self.waiting.get_mut(&socket)?;
            let first = queue.pop_front();
            if queue.is_empty() {
                self.waiting.remove(&socket);
            } else {
                self.turns.push_back(socket);
            }
            let (session, name) = first?;
            if !self.join(session, &name) {
                self.next += 1;
                let (number, slow, sessions) = (self.next, false, vec![session]);
                self.running.push(Lookup { number, name: name.clone(), socket, since: now, slow, sessions });
                return Some((number, name));
            }
        }
        None
    }

    /// Removes a lookup that is over. Returns the sessions that want its result.
    pub(super) fn finished(&mut self, number: u64) -> Vec<u64> {
        let at = self.running.iter().position(|lookup| lookup.number == number);
        at.map_or(Vec::new(), |at| self.running.swap_remove(at).sessions)
    }

    /// Returns when to call [`Lookups::next`] again because a lookup may be slow then; `None` if it has returned that time before.
    pub(super) fn deadline(&mut self, now: Instant) -> Option<Instant> {
        if self.turns.is_empty() || self.armed.is_some() {
            return None;
        }
        // A lookup past that time waits for a place among the slow ones, which only the end of one makes free.
        let slow_at = self.running.iter().filter(|lookup| !lookup.slow).map(|lookup| lookup.since + SLOW);
        self.armed = slow_at.filter(|at| *at > now).min();
        self.armed
    }

    /// Notes that the time from [`Lookups::deadline`] has come.
    pub(super) fn look_again(&mut self) {
        self.armed = None;
    }

    /// Adds a session to a running lookup of the same name. Returns `false` if there is none.
    fn join(&mut self, session: u64, name: &Name) -> bool {
        let Some(lookup) = self.running.iter_mut().find(|lookup| lookup.name == *name) else { return false };
        if !lookup.sessions.contains(&session) {
            lookup.sessions.push(session);
        }
        true
    }

    /// Marks lookups that take long as slow, oldest first, as long as there are places for slow ones.
    fn find_slow(&mut self, now: Instant) {
        for at in 0..self.running.len() {
            let Lookup { socket, since, slow, .. } = self.running[at];
            self.running[at].slow = slow
                || now >= since + SLOW
                    && count(&self.running, true, None) < SLOW_PLACES
                    && count(&self.running, true, Some(socket)) < SLOW_PLACES / 2;
        }
    }
}

/// Returns the number of lookups that are slow (or not slow), of all sockets or of one.
fn count(running: &[Lookup], slow: bool, socket: Option<u64>) -> usize {
    let counts =
        |lookup: &&Lookup| lookup.slow == slow && socket.is_none_or(|socket| lookup.socket == socket);
    running.iter().filter(counts).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name { endpoint: Endpoint::parse_connect(&format!("tcp://{text}:5555")).unwrap(), ipv6: false }
    }

    /// Session `n` of a socket asks for the name with its own number.
    fn ask(lookups: &mut Lookups, socket: u64, sessions: std::ops::Range<u64>) {
        sessions.for_each(|session| lookups.ask(session, socket, name(&format!("n{session}.example"))));
    }

    /// Starts all that may start; returns the numbers.
    fn start(lookups: &mut Lookups, now: Instant) -> Vec<u64> {
        std::iter::from_fn(|| lookups.next(now)).map(|(number, _)| number).collect()
    }

    fn sessions_of(lookups: &mut Lookups, numbers: Vec<u64>) -> Vec<u64> {
        numbers.into_iter().flat_map(|number| lookups.finished(number)).collect()
    }

    #[test]
    fn a_socket_with_a_thousand_names_that_hang_leaves_half_of_the_places_to_others() {
        let (mut lookups, now) = (Lookups::default(), Instant::now());
        ask(&mut lookups, 1, 0..1000);
        let mut running = 0;
        for round in 0..100 {
            running += start(&mut lookups, now + SLOW * round).len();
        }
        assert_eq!(running, PLACES / 2 + SLOW_PLACES / 2);
        ask(&mut lookups, 2, 2000..2001);
        let good = start(&mut lookups, now + SLOW * 100);
        assert_eq!(sessions_of(&mut lookups, good), [2000], "at once");
    }

    #[test]
    fn a_name_behind_names_that_hang_of_the_same_socket_waits_until_these_are_slow() {
        let (mut lookups, now) = (Lookups::default(), Instant::now());
        ask(&mut lookups, 1, 0..17);
        assert_eq!(start(&mut lookups, now).len(), PLACES / 2);
        assert_eq!(lookups.deadline(now), Some(now + SLOW));
        assert_eq!(lookups.deadline(now), None, "told once");
        lookups.look_again();
        assert_eq!(start(&mut lookups, now + SLOW).len(), PLACES / 2);
        let good = start(&mut lookups, now + SLOW * 2);
        assert_eq!(sessions_of(&mut lookups, good), [16]);
    }

    #[test]
    fn sockets_that_wait_have_turns() {
        let (mut lookups, now) = (Lookups::default(), Instant::now());
        ask(&mut lookups, 1, 10..20);
        ask(&mut lookups, 2, 20..30);
        ask(&mut lookups, 3, 30..31);
        let started = start(&mut lookups, now);
        assert_eq!(started.len(), PLACES);
        let order = sessions_of(&mut lookups, started);
        assert_eq!(order[..7], [10, 20, 30, 11, 21, 12, 22]);
    }

    #[test]
    fn sessions_that_want_one_name_share_its_lookup_and_each_is_told_once() {
        let (mut lookups, now) = (Lookups::default(), Instant::now());
        lookups.ask(1, 1, name("a.example"));
        lookups.ask(2, 1, name("a.example"));
        let started = start(&mut lookups, now);
        assert_eq!(started.len(), 1);
        [1, 3, 3].into_iter().for_each(|session| lookups.ask(session, 2, name("a.example")));
        assert!(start(&mut lookups, now).is_empty());
        assert_eq!(sessions_of(&mut lookups, started), [1, 2, 3]);
    }

    #[test]
    fn who_asks_again_keeps_its_turn_and_who_is_forgotten_has_none() {
        let (mut lookups, now) = (Lookups::default(), Instant::now());
        ask(&mut lookups, 1, 0..3);
        ask(&mut lookups, 2, 9..10);
        ask(&mut lookups, 1, 0..3);
        lookups.forget(0, 1);
        lookups.forget(9, 2);
        let started = start(&mut lookups, now);
        lookups.forget(1, 1);
        assert_eq!(sessions_of(&mut lookups, started), [2]);
        assert!(lookups.waiting.is_empty() && lookups.turns.is_empty() && lookups.running.is_empty());
        assert_eq!(lookups.deadline(now), None);
    }
}
