//! What a pattern knows of each pipe, by the pipe's number.

use crate::PipeId;

/// One entry for each pipe. A pipe of which nothing is known has the default.
#[derive(Debug, Default)]
pub(crate) struct ByPipe<T>(Vec<T>);

impl<T: Default> ByPipe<T> {
    pub(crate) const fn new() -> ByPipe<T> {
        ByPipe(Vec::new())
    }

    /// Returns the entry of a pipe, or `None` if nothing is known of it.
    #[inline]
    pub(crate) fn get(&self, pipe: PipeId) -> Option<&T> {
        self.0.get(pipe.0 as usize)
    }

    /// Returns the entry of a pipe for writing, or `None` if nothing is known of it.
    #[inline]
    pub(crate) fn get_mut(&mut self, pipe: PipeId) -> Option<&mut T> {
        self.0.get_mut(pipe.0 as usize)
    }

    /// Returns the entry of a pipe for writing, and makes it first if there is none.
    #[inline]
    pub(crate) fn entry(&mut self, pipe: PipeId) -> &mut T {
        let at = pipe.0 as usize;
        if self.0.len() <= at {
            self.0.resize_with(at.saturating_add(1), T::default);
        }
        #[expect(clippy::indexing_slicing, reason = "made above, if it was not there")]
        &mut self.0[at]
    }

    /// Returns every entry with its pipe.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (PipeId, &T)> {
        (0..).map(PipeId).zip(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_made_with_those_below_it_and_keeps_its_pipe() {
        let mut by_pipe = ByPipe::<u8>::new();
        assert_eq!(by_pipe.get(PipeId(2)), None);
        *by_pipe.entry(PipeId(2)) = 7;
        *by_pipe.entry(PipeId(0)) = 5;
        assert_eq!(by_pipe.get(PipeId(2)), Some(&7));
        let all: Vec<_> = by_pipe.iter().map(|(pipe, entry)| (pipe.0, *entry)).collect();
        assert_eq!(all, [(0, 5), (1, 0), (2, 7)]);
        assert_eq!(by_pipe.get_mut(PipeId(3)), None);
    }
}
