//! The malformed corpus: named cases of what strangers, scanners and attackers send, each with the one end that it must
//! come to, told by the monitor as a typed cause.
//!
//! Every case is run against a bound socket of ours, whole and byte by byte, a hundred at once; and from a malicious
//! server against a connecting one. A good neighbour of the same socket is served between any two of them. In the end
//! no thread has panicked, no byte of a bad peer has reached the application, and neither descriptors nor memory are
//! left behind.
#![allow(clippy::unwrap_used)] // a test's helpers
#![allow(unreachable_pub)] // modules of one test program

mod case;
#[path = "../common/mod.rs"]
mod common;
#[cfg(feature = "curve")]
mod curve;
mod greetings;
mod handshakes;
#[cfg(feature = "curve")]
mod honest;
mod legacy;
mod memory;
#[cfg(feature = "plain")]
mod plain;
mod run;
mod slow;
mod traffic;
mod truncated;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{panic, thread};

use case::{Case, Target};
use common::until;
use run::{Ours, Pace};
use zeroxide::Context;

/// Every case there is.
fn corpus() -> Vec<Case> {
    let mut cases = greetings::cases();
    cases.extend(handshakes::cases());
    cases.extend(traffic::cases());
    cases.extend(legacy::cases());
    cases.extend(truncated::cases());
    #[cfg(feature = "plain")]
    cases.extend(plain::cases());
    #[cfg(feature = "curve")]
    cases.extend(curve::cases());
    cases
}

/// The cases of one of our sockets.
fn corpus_of(target: Target) -> Vec<Case> {
    corpus().into_iter().filter(|case| case.target == target).collect()
}

#[test]
fn the_corpus_has_at_least_300_cases_each_with_a_name_of_its_own() {
    let cases = corpus();
    let mut names = BTreeSet::new();
    cases.iter().for_each(|case| assert!(names.insert(&case.name), "{}", case.name));
    assert!(cases.len() >= 300, "{}", cases.len());
    for &target in Target::ALL {
        let count = cases.iter().filter(|case| case.target == target).count();
        println!("{target:?}: {count}");
        assert!(count > 0);
    }
}

/// Runs the corpus against every socket, all at once, in a context of its own.
fn round(pace: Pace, attack: fn(Ours, &Context, &[Case], Pace), at_once: fn(Target) -> usize) {
    let cx = run::context();
    thread::scope(|scope| {
        for &target in Target::ALL {
            let cases = corpus_of(target);
            let part = cases.len().div_ceil(at_once(target));
            for cases in cases.chunks(part).map(<[Case]>::to_vec) {
                let cx = &cx;
                scope.spawn(move || attack(Ours::new(cx, target), cx, &cases, pace));
            }
        }
    });
}

/// Every case, and what many can do together.
fn all_of_it(pace: Pace) {
    round(pace, Ours::attack_bound, |_| 1);
    // One after the other, so that deadlines would add up.
    round(pace, Ours::attack_connecting, |target| if target == Target::Hasty { 16 } else { 1 });
    let cx = run::context();
    Ours::new(&cx, Target::Hasty).outlive_the_slow(&cx);
    Ours::new(&cx, Target::Unlimited).pay_for_what_arrives(&cx);
}

#[test]
fn every_case_comes_to_its_end_the_neighbours_are_served_and_nothing_is_left_behind() {
    static PANICS: AtomicUsize = AtomicUsize::new(0);
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        PANICS.fetch_add(1, Ordering::SeqCst);
        before(info);
    }));
    let descriptors = memory::descriptors();
    let closed = || until("descriptors are back", || memory::descriptors() == descriptors);
    // The first time makes what is made once.
    all_of_it(Pace::Whole);
    closed();
    let live = memory::live();
    all_of_it(Pace::Trickled);
    closed();
    until("memory is back", || memory::live() <= live + (64 << 10));
    assert_eq!(PANICS.load(Ordering::SeqCst), 0, "a thread panicked");
}
