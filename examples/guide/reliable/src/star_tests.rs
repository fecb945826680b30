//! The rules, event by event, and a long random game.

use super::*;

const LIFETIME: Duration = Duration::from_secs(3);

/// Two servers on a clock of their own.
struct Pair {
    now: Instant,
    stars: [Star; 2],
}

impl Pair {
    fn new() -> Pair {
        let now = Instant::now();
        let star = |role| Star::new(role, LIFETIME, now);
        Pair { now, stars: [star(Role::Primary), star(Role::Backup)] }
    }

    /// Server `from` reports to the other one.
    fn report(&mut self, from: usize) {
        let report = self.stars[from].report();
        self.stars[1 - from].receive(report, self.now);
    }

    fn meet(&mut self) {
        [0, 1, 0, 1].into_iter().for_each(|from| self.report(from));
    }

    fn request(&mut self, at: usize) -> bool {
        self.stars[at].request(self.now)
    }

    fn restart(&mut self, which: usize) {
        let role = [Role::Primary, Role::Backup][which];
        self.stars[which] = Star::new(role, LIFETIME, self.now);
    }

    fn states(&self) -> [State; 2] {
        [self.stars[0].state(), self.stars[1].state()]
    }
}

#[test]
fn when_both_start_the_primary_is_active() {
    for first in [0, 1] {
        let mut pair = Pair::new();
        pair.report(first);
        pair.meet();
        assert_eq!(pair.states(), [State::Active, State::Passive]);
        assert_eq!([pair.request(0), pair.request(1)], [true, false]);
    }
}

#[test]
fn it_takes_silence_and_a_request_to_take_over() {
    let mut pair = Pair::new();
    pair.meet();
    assert!(!pair.request(1));
    pair.now += LIFETIME;
    assert_eq!(pair.states()[1], State::Passive);
    assert!(pair.request(1));
    assert_eq!(pair.states()[1], State::Active);
}

#[test]
fn a_server_that_starts_again_becomes_passive_and_takes_over_when_the_other_one_starts_again() {
    let mut pair = Pair::new();
    pair.meet();
    pair.now += LIFETIME;
    assert!(pair.request(1));
    pair.restart(0);
    pair.meet();
    assert_eq!(pair.states(), [State::Passive, State::Active]);
    pair.restart(1);
    pair.meet();
    assert_eq!(pair.states(), [State::Active, State::Passive]);
}

#[test]
fn a_primary_alone_becomes_active_and_a_backup_alone_does_not() {
    let mut pair = Pair::new();
    assert_eq!([pair.request(0), pair.request(1)], [false, false]);
    pair.now += LIFETIME;
    assert_eq!([pair.request(0), pair.request(1)], [true, false]);
}

#[test]
fn of_two_that_are_active_the_earlier_one_is_outdated() {
    let mut pair = Pair::new();
    pair.meet();
    pair.now += LIFETIME;
    assert_eq!([pair.request(0), pair.request(1)], [true, true]);
    pair.meet();
    assert_eq!(pair.states(), [State::Outdated, State::Active]);
    assert!(!pair.request(0));
    pair.restart(0);
    pair.meet();
    assert_eq!(pair.states(), [State::Passive, State::Active]);
}

#[test]
fn a_takeover_is_later_than_every_one_that_its_server_knows_of() {
    let mut pair = Pair::new();
    pair.meet();
    pair.now += LIFETIME;
    assert!(pair.request(1));
    pair.restart(0);
    pair.meet();
    pair.now += LIFETIME;
    assert!(pair.request(0));
    pair.meet();
    assert_eq!(pair.states(), [State::Active, State::Outdated]);
}

/// Random losses, pauses, restarts and requests: whenever the two have met and nobody is outdated, exactly one is active.
#[test]
fn after_every_meeting_one_is_active() {
    let mut random = 1u64;
    let mut dice = |sides: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % sides
    };
    let mut pair = Pair::new();
    for _ in 0..200_000 {
        let which = usize::from(dice(2) == 1);
        match dice(6) {
            0 | 1 => pair.report(which),
            2 => drop(pair.request(which)),
            3 => pair.now += LIFETIME / 2,
            4 => pair.restart(which),
            _ => {
                pair.meet();
                for outdated in [0, 1] {
                    if pair.states()[outdated] == State::Outdated {
                        pair.restart(outdated);
                        pair.meet();
                    }
                }
                let active = pair.states().iter().filter(|state| **state == State::Active).count();
                assert_eq!(active, 1, "{pair:?}", pair = pair.stars);
            }
        }
    }
}

#[test]
fn a_report_survives_the_way_through_text() {
    for state in [State::Waiting, State::Active, State::Passive, State::Outdated] {
        let report = Report { state, term: 7 };
        assert_eq!(report.to_string().parse(), Ok(report));
    }
    assert!("active".parse::<Report>().is_err() && "busy 1".parse::<Report>().is_err());
}
