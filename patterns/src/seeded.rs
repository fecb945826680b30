//! Hashing and first numbers from a seed. The seed is random in production, so that no peer can choose routing ids or
//! topics that collide. It is fixed in tests, so that a run can be repeated exactly.

use std::collections::hash_map::DefaultHasher;
use std::hash::{BuildHasher, Hasher};

/// A family of hash functions, one for each seed.
#[derive(Clone, Debug)]
pub(crate) struct Seeded(DefaultHasher);

impl Seeded {
    /// Returns the function for `seed`.
    pub(crate) fn new(seed: u64) -> Seeded {
        let mut hasher = DefaultHasher::new();
        hasher.write_u64(seed);
        Seeded(hasher)
    }

    /// Returns a number that does not reveal the seed, different for each `purpose`.
    pub(crate) fn number(&self, purpose: u64) -> u32 {
        let mut hasher = self.0.clone();
        hasher.write_u64(purpose);
        let [a, b, c, d, ..] = hasher.finish().to_le_bytes();
        u32::from_le_bytes([a, b, c, d])
    }
}

impl BuildHasher for Seeded {
    type Hasher = DefaultHasher;

    fn build_hasher(&self) -> DefaultHasher {
        self.0.clone()
    }
}
