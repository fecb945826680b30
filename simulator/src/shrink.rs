//! Makes a session that fails as short and as simple as it can be.

use std::time::{Duration, Instant};

use crate::choices::Choices;
use crate::fault::Fault;
use crate::keys::Keys;
use crate::session::play;

/// Shortens `list`, whose session breaks the rule of `fault`, for at most `limit`; returns the list and its fault.
pub(crate) fn shrink(list: Vec<u32>, fault: Fault, keys: &Keys, limit: Duration) -> (Vec<u32>, Fault) {
    let end = Instant::now() + limit;
    let mut best = (list, fault);
    let attempt = |best: &mut (Vec<u32>, Fault), list: Vec<u32>| {
        let (taken, outcome) = play(Choices::from_list(list), keys, false);
        match outcome {
            Err(fault) if fault.rule == best.1.rule && is_simpler(&taken, &best.0) => {
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
