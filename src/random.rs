//! A small random number generator for jitter, first routing ids and hash seeds. Its seed is random in production and
//! fixed in tests. It is not cryptographic: never use it for keys.

use std::collections::HashMap;
#[cfg(not(simulate))]
use std::hash::{BuildHasher, Hasher, RandomState};
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::time::Duration;

#[cfg(simulate)]
thread_local! {
    /// The seed of this thread's next [`Random::unpredictable`].
    pub(crate) static SEED: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// A map whose keys are numbers that this library assigns. No peer chooses them, so the hash has no seed, and two runs
/// of one simulation visit the entries in the same order.
pub(crate) type ByNumber<V> = HashMap<u64, V, BuildHasherDefault<DefaultHasher>>;

/// SplitMix64.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// Creates a generator that returns the same numbers for the same seed.
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// Creates a generator with a random seed, from the same source as the standard library's hash maps.
    #[cfg(not(simulate))]
    pub(crate) fn unpredictable() -> Random {
        Random(RandomState::new().build_hasher().finish())
    }

    /// Creates a generator with a seed that follows from the seed of this thread's simulation.
    #[cfg(simulate)]
    pub(crate) fn unpredictable() -> Random {
        let mut random = Random(SEED.get());
        SEED.set(random.next());
        random
    }

    /// Returns the next 64 bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Returns a duration in `0..limit`.
    pub(crate) fn below(&mut self, limit: Duration) -> Duration {
        let nanos = u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX).max(1);
        Duration::from_nanos(self.next() % nanos)
    }
}
