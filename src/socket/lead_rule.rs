//! Decides which waits lead and for how long, and allows one leader at a time (`socket/lead`).
//!
//! A lead saves two wakes: that of the I/O thread and that of the receiver. It must not last much longer than they take. How
//! long a wake takes depends on the machine (a few microseconds, or fifty on a virtual one), so it is measured. A lead lasts
//! [`WAKES`] times as long, at least [`SHORTEST`] and at most `ContextOptions::spin`. In that time a peer of the same machine can
//! wake and reply. If leads were shorter, two peers that both sleep would never find each other's messages in a lead, and
//! would sleep in every wait.
//!
//! A wait leads if input came within that time in the last waits, on average. So a program whose waits are long does not lead.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::engine::Driver;

/// A lead lasts this many times as long as a wake.
const WAKES: u32 = 3;

/// The value with which the average of the wakes begins.
const ASSUMED_WAKE: Duration = Duration::from_micros(20);

/// A thread that runs sooner after its wake was not asleep yet, so nothing was measured.
const SHORTEST_WAKE: Duration = Duration::from_micros(1);

/// A longer wake counts as this long, because the thread may have been stopped meanwhile.
const LONGEST_WAKE: Duration = Duration::from_micros(200);

/// The shortest lead: several round trips to a peer that does not sleep.
const SHORTEST: Duration = Duration::from_micros(50);

/// A wait counts as at most this many times the length of a lead ([`LeadRule::worth`]).
const LONG: u32 = 4;

/// An average covers about this many values.
const VALUES: u64 = 8;

/// An average of the last durations, in nanoseconds.
#[derive(Default)]
struct Average(AtomicU64);

impl Average {
    fn get(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }

    fn set(&self, value: Duration) {
        self.0.store(nanos(value), Ordering::Relaxed);
    }

    /// Adds a value. If two threads add at the same time, one of the values may be lost.
    fn add(&self, value: Duration) {
        let (old, new) = (self.0.load(Ordering::Relaxed), nanos(value));
        self.0.store(old - old / VALUES + new / VALUES, Ordering::Relaxed);
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// How a lead has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// It read input for this socket.
    Input,
    /// The time was over without input.
    Nothing,
    /// Other threads had the processor for longer than the lead. It is better to sleep then, because the system prefers a thread that
    /// was woken.
    Others,
    /// Anything else, for example input of another socket. It says nothing about this socket.
    Elsewhere,
}

/// Whether a thread leads a socket, and averages of how long the socket's waits and wakes took.
pub(crate) struct LeadRule {
    taken: AtomicBool,
    born: Instant,
    /// When the first wait since the last input began, in nanoseconds after `born`; 0 if there was none.
    begun: AtomicU64,
    /// When the thread of that wait was woken, in nanoseconds after `born`; 0 if it was not.
    woken: AtomicU64,
    /// How long it took until input came.
    arrival: Average,
    /// How long a wake takes.
    wake: Average,
}

impl LeadRule {
    pub(super) fn new(now: Instant) -> LeadRule {
        let never = AtomicU64::default;
        let wake = Average(AtomicU64::new(nanos(ASSUMED_WAKE)));
        LeadRule {
            taken: AtomicBool::default(),
            born: now,
            begun: never(),
            woken: never(),
            arrival: Average::default(),
            wake,
        }
    }

    /// Notes that a wait begins. Returns how long the calling thread may lead, or `None` if it must sleep at once: the
    /// last waits were long, leading is turned off, or another thread leads. After `Some`, call [`LeadRule::end`] or
    /// `give_back`.
    pub(super) fn begin(&self, now: Instant, longest: Duration) -> Option<Duration> {
        self.woken.store(0, Ordering::Relaxed);
        let (now, spin) = (self.since_birth(now), self.worth().min(longest));
        let begun = match self.begun.load(Ordering::Relaxed) {
            0 => {
                self.begun.store(now, Ordering::Relaxed);
                now
            }
            begun => begun,
        };
        let waited = Duration::from_nanos(now.saturating_sub(begun));
        // In a simulation, whose clock measures nothing, every wait leads.
        let leads = cfg!(simulate) || waited <= spin && self.arrival.get() <= spin;
        (leads && !longest.is_zero() && !self.taken.swap(true, Ordering::Acquire)).then_some(spin)
    }

    /// Returns whether a thread leads.
    pub(super) fn is_taken(&self) -> bool {
        self.taken.load(Ordering::Relaxed)
    }

    /// Ends the lead, and notes how it ended.
    pub(super) fn end(&self, came: Came, spin: Duration) {
        match came {
            // The input comes later than that. Twice the time is assumed.
            Came::Nothing => self.arrival.add(2 * spin),
            Came::Others => self.arrival.set(LONG * self.worth()),
            Came::Input | Came::Elsewhere => {}
        }
        self.give_back();
    }

    /// Ends the lead without a note.
    pub(super) fn give_back(&self) {
        self.taken.store(false, Ordering::Release);
    }

    /// Notes that a sleeping thread is woken now, because input has come.
    #[cold]
    pub(super) fn note_wake(&self, now: Instant) {
        self.woken.store(self.since_birth(now), Ordering::Relaxed);
    }

    /// Notes that the woken thread runs. If it was asleep, adds the time since [`LeadRule::note_wake`] to the average.
    pub(super) fn note_awake(&self, now: Instant) {
        let woken = self.woken.swap(0, Ordering::Relaxed);
        if woken > 0 {
            let took = Duration::from_nanos(self.since_birth(now).saturating_sub(woken));
            if took >= SHORTEST_WAKE {
                self.wake.add(took.min(LONGEST_WAKE));
            }
        }
    }

    /// Returns how long a lead lasts, before the limit of the context.
    fn worth(&self) -> Duration {
        (self.wake.get() * WAKES).max(SHORTEST)
    }

    /// Notes that input has come where there was none. If the I/O thread has read it, a lead would have found it sooner: the I/O
    /// thread was asleep, too, and how long its wake took is not known.
    ///
    /// One long wait among short ones must change little, so it counts as at most [`LONG`] leads.
    pub(super) fn note_arrival(&self, now: Instant, by: Driver) {
        let begun = self.begun.swap(0, Ordering::Relaxed);
        if begun > 0 {
            let late = match by {
                Driver::Reactor => 2 * self.wake.get().max(ASSUMED_WAKE),
                Driver::Application => Duration::ZERO,
            };
            let took = Duration::from_nanos(self.since_birth(now).saturating_sub(begun));
            self.arrival.add(took.saturating_sub(late).min(LONG * self.worth()));
        }
    }

    fn since_birth(&self, now: Instant) -> u64 {
        nanos(now.saturating_duration_since(self.born)).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST: Duration = Duration::from_micros(200);
    const MICROSECOND: Duration = Duration::from_micros(1);

    /// A rule and the present time.
    struct Game(LeadRule, Instant);

    impl Game {
        fn new() -> Game {
            let now = Instant::now();
            Game(LeadRule::new(now), now)
        }

        /// Simulates one wait: input comes after `arrival`, and if the thread sleeps by then, its wake takes `wake`.
        /// Returns for how long the thread was allowed to lead, or `None` if it did not lead.
        fn wait(&mut self, arrival: Duration, wake: Duration) -> Option<Duration> {
            let spin = self.0.begin(self.1, LONGEST);
            let (begun, found) = (self.1, spin.is_some_and(|spin| arrival <= spin));
            if let Some(spin) = spin {
                if found {
                    self.0.note_arrival(begun + arrival, Driver::Application);
                }
                self.0.end(if found { Came::Input } else { Came::Nothing }, spin);
            }
            self.1 = begun + arrival;
            if !found {
                self.0.note_arrival(self.1, Driver::Reactor);
                self.0.note_wake(self.1);
                self.1 += wake;
                self.0.note_awake(self.1);
            }
            spin
        }
    }

    #[test]
    fn who_waits_long_soon_sleeps_at_once_and_leads_again_when_waits_are_short() {
        let mut game = Game::new();
        let led =
            (0..1000).filter(|_| game.wait(Duration::from_millis(1), 5 * MICROSECOND).is_some()).count();
        assert!((1..10).contains(&led), "{led}");
        let led = (0..1000).filter(|_| game.wait(10 * MICROSECOND, 5 * MICROSECOND).is_some()).count();
        assert!(led > 950, "{led}");
    }

    #[test]
    fn one_pause_among_short_waits_changes_nothing() {
        let mut game = Game::new();
        for _ in 0..100 {
            assert!((0..30).all(|_| game.wait(5 * MICROSECOND, 5 * MICROSECOND).is_some()));
            game.wait(Duration::from_secs(1), 5 * MICROSECOND);
            game.wait(5 * MICROSECOND, 5 * MICROSECOND);
        }
    }

    #[test]
    fn waits_that_end_without_input_close_it_too() {
        let rule = Game::new();
        let leads = |_: &i32| {
            let spin = rule.0.begin(rule.1, LONGEST);
            spin.into_iter().for_each(|spin| rule.0.end(Came::Nothing, spin));
            spin.is_some()
        };
        assert!((1..20).contains(&(0..1000).filter(leads).count()));
    }

    #[test]
    fn a_socket_without_input_beside_a_busy_one_is_not_led_for_long() {
        let (Game(rule, begin), mut led) = (Game::new(), 0);
        for turn in 0..1000 {
            let now = begin + turn * 10 * MICROSECOND;
            if let Some(spin) = rule.begin(now, LONGEST) {
                led += 1;
                rule.end(Came::Elsewhere, spin);
            }
        }
        assert!((1..20).contains(&led), "{led}");
    }

    #[test]
    fn beside_others_who_keep_the_processor_the_next_waits_sleep() {
        let mut game = Game::new();
        let spin = game.wait(5 * MICROSECOND, 5 * MICROSECOND).unwrap();
        assert!(game.0.begin(game.1, LONGEST).is_some());
        game.0.end(Came::Others, spin);
        let slept = (0..).take_while(|_| game.wait(5 * MICROSECOND, 5 * MICROSECOND).is_none()).count();
        assert!((5..20).contains(&slept), "{slept}");
    }

    #[test]
    fn two_that_sleep_in_turn_begin_to_lead_although_wakes_are_slow() {
        // A reply takes two wakes at the peer, of fifty microseconds each. A shorter lead would never see one.
        let mut game = Game::new();
        for _ in 0..100 {
            game.wait(400 * MICROSECOND, 50 * MICROSECOND);
        }
        let mut waits = (0..1000).map(|_| game.wait(110 * MICROSECOND, 50 * MICROSECOND));
        assert!(waits.any(|spin| spin.is_some_and(|spin| spin > 110 * MICROSECOND)));
    }

    #[test]
    fn a_wake_of_a_thread_that_was_not_asleep_yet_says_nothing() {
        let mut game = Game::new();
        for _ in 0..100 {
            game.wait(Duration::from_millis(1), Duration::from_nanos(400));
        }
        assert_eq!(game.0.wake.get(), ASSUMED_WAKE);
    }

    #[test]
    fn one_thread_leads_and_none_where_it_is_turned_off() {
        let Game(rule, now) = Game::new();
        assert!(rule.begin(now, LONGEST).is_some());
        assert!(rule.begin(now, LONGEST).is_none());
        rule.give_back();
        assert!(rule.begin(now, Duration::ZERO).is_none());
        assert!(rule.begin(now, LONGEST).is_some());
    }
}
