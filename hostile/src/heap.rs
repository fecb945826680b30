//! What of this process's heap is live: bytes and allocations, exact, by an allocator that counts.

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// What is live.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Live {
    /// Bytes, as they were asked for.
    pub bytes: i64,
    /// Blocks.
    pub blocks: i64,
}

impl Live {
    /// Now.
    #[must_use]
    pub fn now() -> Live {
        let stats = HEAP.stats();
        // What a reallocation adds or takes away is among the bytes of `bytes_allocated` and `bytes_deallocated`.
        Live {
            bytes: stats.bytes_allocated as i64 - stats.bytes_deallocated as i64,
            blocks: stats.allocations as i64 - stats.deallocations as i64,
        }
    }

    /// What has come since then.
    #[must_use]
    pub fn since(before: Live) -> Live {
        let now = Live::now();
        Live { bytes: now.bytes - before.bytes, blocks: now.blocks - before.blocks }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Other tests of this crate allocate a little meanwhile, so it looks at megabytes.
    #[test]
    fn a_vector_counts_while_it_lives_and_as_long_as_it_has_grown() {
        let before = Live::now();
        let mut vector = vec![0_u8; 16 << 20];
        vector.resize(64 << 20, 0);
        let live = Live::since(before).bytes >> 20;
        assert!((63..=65).contains(&live), "{live} MiB");
        drop(vector);
        assert!(Live::since(before).bytes >> 20 < 1);
    }
}
