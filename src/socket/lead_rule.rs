//! Which waits lead, and that one thread at a time does (`socket/lead`).
//!
//! After each lead in vain the socket passes over about twice as many waits before it leads again, up to [`MOST_PASSED`]. A lead
//! that finds something resets this. So leading costs a program nothing whose waits are long.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// The most waits that are passed over after leads in vain.
const MOST_PASSED: u32 = 63;

/// Whether a thread leads a socket, and which wait is the next to lead.
#[derive(Default)]
pub(crate) struct LeadRule {
    taken: AtomicBool,
    /// How many waits are passed over after the next lead in vain.
    penalty: AtomicU32,
    /// How many waits are still to be passed over.
    to_pass: AtomicU32,
}

impl LeadRule {
    /// Takes the lead, unless another thread has it or this wait is passed over. [`LeadRule::end`] is to follow.
    pub(super) fn begin(&self) -> bool {
        let to_pass = self.to_pass.load(Ordering::Relaxed);
        if to_pass > 0 {
            self.to_pass.store(to_pass - 1, Ordering::Relaxed);
            return false;
        }
        !self.taken.swap(true, Ordering::Acquire)
    }

    /// Gives the lead back unused.
    pub(super) fn give_back(&self) {
        self.taken.store(false, Ordering::Release);
    }

    /// Gives the lead back, and says whether it has found something.
    pub(super) fn end(&self, found: bool) {
        let penalty = if found { 0 } else { (self.penalty.load(Ordering::Relaxed) * 2 + 1).min(MOST_PASSED) };
        self.penalty.store(penalty, Ordering::Relaxed);
        self.to_pass.store(penalty, Ordering::Relaxed);
        self.give_back();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leads_in_vain_become_rare_and_one_that_finds_something_resets_that() {
        let lead = LeadRule::default();
        let waits_until_the_next = || (0..).find(|_| lead.begin()).unwrap();
        for passed in [0, 1, 3, 7, 15, 31, 63, 63] {
            assert_eq!(waits_until_the_next(), passed);
            lead.end(false);
        }
        assert_eq!(waits_until_the_next(), 63);
        lead.end(true);
        assert_eq!(waits_until_the_next(), 0);
    }

    #[test]
    fn one_thread_leads() {
        let lead = LeadRule::default();
        assert!(lead.begin());
        assert!(!lead.begin());
        lead.end(true);
        assert!(lead.begin());
    }
}
