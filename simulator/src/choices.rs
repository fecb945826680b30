//! All that a session leaves to chance: a list of numbers, drawn from a seed and kept, or read from such a list.
//!
//! A session that failed is shrunk by making its list shorter and its numbers smaller. So 0 always means the simplest: no
//! fault, the first alternative. A list that is too short goes on with zeros.

/// Where a session's choices come from.
#[derive(Debug)]
pub(crate) struct Choices {
    seeded: Option<fastrand::Rng>,
    list: Vec<u32>,
    at: usize,
}

impl Choices {
    /// New choices, which follow from `seed`.
    pub(crate) fn from_seed(seed: u64) -> Choices {
        Choices { seeded: Some(fastrand::Rng::with_seed(seed)), list: Vec::new(), at: 0 }
    }

    /// The choices of another session.
    pub(crate) fn from_list(list: Vec<u32>) -> Choices {
        Choices { seeded: None, list, at: 0 }
    }

    /// The choices taken so far.
    pub(crate) fn taken(&self) -> &[u32] {
        &self.list[..self.at.min(self.list.len())]
    }

    /// A number below `count`, which is not 0.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        let number = match &mut self.seeded {
            Some(random) => {
                let number = random.u32(..);
                self.list.push(number % u32::try_from(count).unwrap_or(u32::MAX));
                number
            }
            None => self.list.get(self.at).copied().unwrap_or(0),
        };
        self.at += 1;
        number as usize % count
    }

    /// Whether something happens that happens once in `times`.
    pub(crate) fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == times - 1
    }

    /// One of several.
    pub(crate) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}
