//! Pipes that take turns: a circle, linked through small arrays. Joining, leaving and passing the turn on cost the same
//! for any number of pipes, and leaving keeps the order of the others.

use crate::PipeId;
use crate::by_pipe::ByPipe;

/// The circle. One pipe has the turn; none if the circle is empty.
#[derive(Debug, Default)]
pub(crate) struct Ring {
    links: ByPipe<Link>,
    turn: Option<PipeId>,
    len: usize,
}

/// The neighbours of one pipe; [`OUTSIDE`] for a pipe outside the circle.
#[derive(Clone, Copy, Debug)]
struct Link {
    prev: PipeId,
    next: PipeId,
}

const OUTSIDE: Link = Link { prev: PipeId(u32::MAX), next: PipeId(u32::MAX) };

impl Default for Link {
    fn default() -> Link {
        OUTSIDE
    }
}

impl Ring {
    /// Returns the number of pipes in the circle.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Returns the pipe whose turn it is.
    #[inline]
    pub(crate) fn turn(&self) -> Option<PipeId> {
        self.turn
    }

    /// Returns whether `pipe` is in the circle.
    #[inline]
    pub(crate) fn contains(&self, pipe: PipeId) -> bool {
        self.links.get(pipe).is_some_and(|link| link.next != OUTSIDE.next)
    }

    /// Returns the pipe after `pipe`, or `pipe` itself if it is alone or outside.
    #[inline]
    pub(crate) fn after(&self, pipe: PipeId) -> PipeId {
        match self.links.get(pipe) {
            Some(link) if link.next != OUTSIDE.next => link.next,
            _ => pipe,
        }
    }

    /// Gives the turn to the pipe after `pipe`.
    #[inline]
    pub(crate) fn pass(&mut self, pipe: PipeId) {
        if self.contains(pipe) {
            self.turn = Some(self.after(pipe));
        }
    }

    /// Adds `pipe` as the last to get the turn. Does nothing if it is already in the circle.
    pub(crate) fn join(&mut self, pipe: PipeId) {
        if self.contains(pipe) {
            return;
        }
        self.len += 1;
        let Some(turn) = self.turn else {
            *self.links.entry(pipe) = Link { prev: pipe, next: pipe };
            self.turn = Some(pipe);
            return;
        };
        let last = std::mem::replace(&mut self.links.entry(turn).prev, pipe);
        self.links.entry(last).next = pipe;
        *self.links.entry(pipe) = Link { prev: last, next: turn };
    }

    /// Removes `pipe`. If it had the turn, the next pipe gets it. Does nothing if it is outside.
    pub(crate) fn leave(&mut self, pipe: PipeId) {
        if !self.contains(pipe) {
            return;
        }
        let Link { prev, next } = std::mem::replace(self.links.entry(pipe), OUTSIDE);
        self.len -= 1;
        if next == pipe {
            self.turn = None;
            return;
        }
        self.links.entry(prev).next = next;
        self.links.entry(next).prev = prev;
        if self.turn == Some(pipe) {
            self.turn = Some(next);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_ring_is_a_rotated_list(steps in prop::collection::vec((0u8..3, 0u32..6), 0..200)) {
            let (mut ring, mut model) = (Ring::default(), VecDeque::new());
            for (what, pipe) in steps {
                let pipe = PipeId(pipe);
                match what {
                    0 => {
                        ring.join(pipe);
                        if !model.contains(&pipe) {
                            model.push_back(pipe);
                        }
                    }
                    1 => {
                        ring.leave(pipe);
                        model.retain(|p| *p != pipe);
                    }
                    _ => {
                        ring.pass(pipe);
                        if let Some(at) = model.iter().position(|p| *p == pipe) {
                            model.rotate_left(at + 1);
                        }
                    }
                }
                prop_assert_eq!(ring.len(), model.len());
                prop_assert_eq!(ring.turn(), model.front().copied());
                let mut at = ring.turn();
                for expected in &model {
                    prop_assert_eq!(at, Some(*expected));
                    at = Some(ring.after(*expected));
                }
            }
        }
    }
}
