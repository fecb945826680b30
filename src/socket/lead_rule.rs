//! Which waits lead, for how long, and that one thread at a time does (`socket/lead`).
//!
//! To lead is worth it as long as it costs no more than to sleep. A sleep costs two wakes: that of the I/O thread, and that of
//! the receiver. How long a wake takes depends on the machine (a few microseconds, or fifty on a virtual one), so it is
//! measured. A lead lasts [`WAKES`] times that at most. That is also long enough for a peer of the same machine that sleeps when
//! the message leaves: otherwise two that have begun to sleep would go on sleeping in turn.
//!
//! A wait leads if input came within that time lately. So a program whose waits are long spends nothing on leads.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A lead lasts so many times as long as a wake.
const WAKES: u32 = 3;

/// How long a wake takes, before one was measured.
const FIRST_WAKE: Duration = Duration::from_micros(20);

/// The shortest lead: a round trip to a peer that does not sleep, and something more.
const SHORTEST: Duration = Duration::from_micros(30);

/// Averages are of about so many values.
const VALUES: u64 = 8;

/// An average of the last durations, in nanoseconds.
#[derive(Default)]
struct Average(AtomicU64);

impl Average {
    fn get(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }

    /// Threads that add at the same time may lose a value.
    fn add(&self, value: Duration) {
        let (old, new) = (self.0.load(Ordering::Relaxed), nanos(value));
        self.0.store(old - old / VALUES + new / VALUES, Ordering::Relaxed);
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Whether a thread leads a socket, and what its last waits were like.
pub(crate) struct LeadRule {
    taken: AtomicBool,
    born: Instant,
    /// When the present wait has begun, and when its thread was woken, in nanoseconds after `born`. 0 is never.
    begun: AtomicU64,
    woken: AtomicU64,
    /// How long it took until input came.
    arrival: Average,
    /// How long a wake takes.
    wake: Average,
}

impl LeadRule {
    pub(super) fn new(now: Instant) -> LeadRule {
        let never = AtomicU64::default;
        let wake = Average(AtomicU64::new(nanos(FIRST_WAKE)));
        LeadRule {
            taken: AtomicBool::default(),
            born: now,
            begun: never(),
            woken: never(),
            arrival: Average::default(),
            wake,
        }
    }

    /// Notes that a wait begins. Takes the lead, and returns for how long, unless another thread has it or this wait is to sleep
    /// at once. [`LeadRule::end`] is to follow.
    pub(super) fn begin(&self, now: Instant, longest: Duration) -> Option<Duration> {
        self.begun.store(self.since_birth(now), Ordering::Relaxed);
        let spin = self.worth().min(longest);
        // In a simulation, whose clock is not that of a machine, each wait leads.
        let leads = !longest.is_zero() && (cfg!(simulate) || self.arrival.get() <= spin);
        (leads && !self.taken.swap(true, Ordering::Acquire)).then_some(spin)
    }

    /// Gives the lead back. Notes when it has found input; or if it has not, that none came within `spin`.
    pub(super) fn end(&self, now: Instant, found: bool, spin: Duration) {
        if found {
            self.note_arrival(now);
        } else {
            self.arrival.add(2 * spin);
        }
        self.give_back();
    }

    /// Gives the lead back unused.
    pub(super) fn give_back(&self) {
        self.taken.store(false, Ordering::Release);
    }

    /// Notes that a thread which sleeps is woken, because there is input.
    #[cold]
    pub(super) fn wakes(&self, now: Instant) {
        self.note_arrival(now);
        self.woken.store(self.since_birth(now), Ordering::Relaxed);
    }

    /// Notes that a thread which was woken runs.
    pub(super) fn is_awake(&self, now: Instant) {
        let woken = self.woken.swap(0, Ordering::Relaxed);
        if woken > 0 {
            let longest = nanos(Duration::from_micros(200));
            let took = self.since_birth(now).saturating_sub(woken).min(longest);
            self.wake.add(Duration::from_nanos(took));
        }
    }

    /// How long a lead is worth it.
    fn worth(&self) -> Duration {
        (self.wake.get() * WAKES).max(SHORTEST)
    }

    /// One long wait among short ones is to change little, so it counts as four leads.
    fn note_arrival(&self, now: Instant) {
        let begun = self.begun.swap(0, Ordering::Relaxed);
        if begun > 0 {
            let took = Duration::from_nanos(self.since_birth(now).saturating_sub(begun));
            self.arrival.add(took.min(4 * self.worth()));
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

    /// A rule, and the time.
    struct Game(LeadRule, Instant);

    impl Game {
        fn new() -> Game {
            let now = Instant::now();
            Game(LeadRule::new(now), now)
        }

        /// A wait until input comes after `arrival`, and a wake, if the thread sleeps, takes `wake`. Returns whether it has led, and
        /// how long that may last.
        fn wait(&mut self, arrival: Duration, wake: Duration) -> Option<Duration> {
            let spin = self.0.begin(self.1, LONGEST);
            let (begun, found) = (self.1, spin.is_some_and(|spin| arrival <= spin));
            if let Some(spin) = spin {
                self.1 = begun + arrival.min(spin);
                self.0.end(self.1, found, spin);
            }
            self.1 = begun + arrival;
            if !found {
                self.0.wakes(self.1);
                self.1 += wake;
                self.0.is_awake(self.1);
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
            spin.into_iter().for_each(|spin| rule.0.end(rule.1 + spin, false, spin));
            spin.is_some()
        };
        assert!((1..20).contains(&(0..1000).filter(leads).count()));
    }

    #[test]
    fn two_that_sleep_in_turn_begin_to_lead_although_wakes_are_slow() {
        // Each hears of the other after two wakes of fifty microseconds. A lead that is shorter would never find anything.
        let mut game = Game::new();
        for _ in 0..100 {
            game.wait(400 * MICROSECOND, 50 * MICROSECOND);
        }
        let mut waits = (0..1000).map(|_| game.wait(110 * MICROSECOND, 50 * MICROSECOND));
        assert!(waits.any(|spin| spin.is_some_and(|spin| spin > 110 * MICROSECOND)));
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
