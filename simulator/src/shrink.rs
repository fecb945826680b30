//! Makes a session that fails as short and as simple as it can be.

use std::time::{Duration, Instant};

use crate::choices::Choices;
use crate::fault::Fault;
use crate::keys::Keys;
use crate::session::play;

/// Shortens `list`, whose session breaks the rule of `fault`, for at most `limit`; returns the list and its fault.
pub(crate) fn shrink(list: Vec<u32>, fault: Fault, keys: &Keys, limit: Duration) -> (Vec<u32>, Fault) {
    shrink_by(list, fault, limit, |list| {
        let (taken, outcome) = play(Choices::from_list(list), keys, false);
        (taken, outcome.err())
    })
}

/// Does so for any way to play a list, which returns the choices that were taken, and the fault if there was one.
fn shrink_by(
    list: Vec<u32>,
    fault: Fault,
    limit: Duration,
    play: impl Fn(Vec<u32>) -> (Vec<u32>, Option<Fault>),
) -> (Vec<u32>, Fault) {
    let end = Instant::now() + limit;
    let mut best = (list, fault);
    let attempt = |best: &mut (Vec<u32>, Fault), list: Vec<u32>| {
        let (taken, outcome) = play(list);
        match outcome {
            Some(fault) if fault.rule == best.1.rule && is_simpler(&taken, &best.0) => {
                *best = (taken, fault);
                true
            }
            _ => false,
        }
    };
    let mut size = best.0.len().next_power_of_two();
    loop {
        let mut shorter = false;
        let mut at = 0;
        while at < best.0.len() {
            if Instant::now() >= end {
                return best;
            }
            let mut list = best.0.clone();
            let upper = (at + size).min(list.len());
            list.drain(at..upper);
            let mut zeros = best.0.clone();
            zeros[at..upper].fill(0);
            if attempt(&mut best, list) || attempt(&mut best, zeros) {
                shorter = true;
            } else {
                at += size;
            }
        }
        match (size, shorter) {
            (1, false) => return best,
            (1, true) => {}
            _ => size /= 2,
        }
    }
}

/// Whether one list is shorter than another, or as long and smaller.
fn is_simpler(a: &[u32], b: &[u32]) -> bool {
    let sum = |list: &[u32]| list.iter().map(|n| u64::from(*n)).sum::<u64>();
    (a.len(), sum(a)) < (b.len(), sum(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn fault(rule: &'static str) -> Fault {
        Fault::new(rule, "")
    }

    #[test]
    fn only_what_breaks_the_rule_is_left() {
        let noise: Vec<u32> = (0..300).map(|n| n % 7).chain([9]).chain(0..200).chain([11]).collect();
        let breaks = |list: Vec<u32>| {
            let broken = list.iter().position(|n| *n == 9).is_some_and(|at| list[at..].contains(&11));
            (list, broken.then(|| fault("nine, then eleven")))
        };
        let (list, _) = shrink_by(noise, fault("nine, then eleven"), MINUTE, breaks);
        assert_eq!(list, [9, 11]);
    }

    #[test]
    fn a_list_that_breaks_another_rule_is_not_taken() {
        let breaks = |list: Vec<u32>| {
            let rule = if list.len() > 5 { "long" } else { "short" };
            (list, Some(fault(rule)))
        };
        let (list, left) = shrink_by(vec![3; 40], fault("long"), MINUTE, breaks);
        assert_eq!((list, left.rule), (vec![0; 6], "long"));
    }
}
