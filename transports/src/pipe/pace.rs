//! The pace of a reader that is faster than its writer.
//!
//! Such a reader takes each item alone. Then the two threads pay for each item what is meant to be paid for each batch: they
//! meet at the lock, and its memory moves from one processor to the other. If the reader pauses for a microsecond, several
//! items come at once, and a pipe between two threads carries twice as many and more.
//!
//! It pauses only after [`MANY`] small batches in a row. A reader that has found the pipe empty is not part of a flood: it takes
//! the next item at once.

/// A batch of fewer items is small.
const SMALL: usize = 8;

/// After this many small batches in a row, the reader pauses before it takes the next one.
const MANY: u8 = 4;

/// How many turns of the processor's spin loop a pause takes: about a microsecond.
const TURNS: u32 = 64;

/// How many small batches a reader has taken in a row.
#[derive(Debug, Default)]
pub(super) struct Pace(u8);

impl Pace {
    /// Pauses if batches have been small. Call it before the lock is taken.
    pub(super) fn pause(&self) {
        if self.0 >= MANY {
            (0..TURNS).for_each(|_| std::hint::spin_loop());
        }
    }

    /// Notes how many items the reader has taken; 0 if the pipe was empty.
    pub(super) fn note(&mut self, items: usize) {
        self.0 = match items {
            0 => 0,
            1..SMALL => self.0.saturating_add(1),
            // So a flood whose pauses help goes on pausing.
            _ => self.0,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(batches: &[usize]) -> bool {
        let mut pace = Pace::default();
        batches.iter().for_each(|items| pace.note(*items));
        pace.0 >= MANY
    }

    #[test]
    fn a_flood_of_small_batches_is_slowed_down_until_the_pipe_is_empty() {
        assert!(!after(&[1, 1, 1]));
        assert!(after(&[1, 1, 1, 1]));
        assert!(after(&[1, 2, 3, 7, 20, 20]));
        assert!(!after(&[1, 1, 1, 1, 0]));
    }

    #[test]
    fn a_dialogue_and_large_batches_are_not() {
        assert!(!after(&[1, 0, 1, 0, 1, 0, 1, 0, 1]));
        assert!(!after(&[1000; 10]));
    }
}
