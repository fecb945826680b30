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

    /// Takes the choices that were made so far.
    pub(crate) fn take(&mut self) -> Vec<u32> {
        let mut list = std::mem::take(&mut self.list);
        list.truncate(self.at);
        list
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_choices_and_so_does_the_list_of_them() {
        let draw = |choices: &mut Choices| -> Vec<usize> { (1..100).map(|n| choices.below(n)).collect() };
        let mut seeded = Choices::from_seed(7);
        let drawn = draw(&mut seeded);
        assert_eq!(drawn, draw(&mut Choices::from_seed(7)));
        assert_ne!(drawn, draw(&mut Choices::from_seed(8)));
        assert_eq!(drawn, draw(&mut Choices::from_list(seeded.take())));
    }

    #[test]
    fn every_choice_is_below_its_count_also_of_a_list_that_was_changed() {
        let mut choices = Choices::from_list(vec![u32::MAX, 7, 0]);
        assert_eq!([choices.below(10), choices.below(4), choices.below(1)], [5, 3, 0]);
    }

    #[test]
    fn a_list_that_is_too_short_goes_on_with_the_simplest_choices() {
        let mut choices = Choices::from_list(vec![2]);
        assert_eq!([choices.below(3), choices.below(3), choices.below(3)], [2, 0, 0]);
        assert!(!choices.one_in(2), "0 is: it does not happen");
        assert_eq!(choices.take(), [2], "what goes beyond the list is no part of it");
    }

    #[test]
    fn what_happens_once_in_so_many_times_does() {
        let mut choices = Choices::from_seed(1);
        let count = (0..48_000).filter(|_| choices.one_in(48)).count();
        assert!((800..1200).contains(&count), "{count}");
    }
}
