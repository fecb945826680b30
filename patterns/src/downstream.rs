//! Downstream: the peers that send subscriptions (RFC 29's PUB and XPUB, RFC 48's RADIO).
//!
//! A pipe that outlives its connections keeps the subscriptions of the last connection until the next one, and with
//! them its queue (RFC 29: "SHALL maintain this queue whether or not the connection is established"). But only a
//! connected peer counts as a subscriber.

use crate::PipeId;
use crate::by_pipe::ByPipe;

/// The pipes of one socket, by number.
#[derive(Debug, Default)]
pub(crate) struct Downstream(ByPipe<Peer>);

#[derive(Clone, Copy, Debug, Default)]
struct Peer {
    /// The number of earlier pipes with the same number.
    generation: u32,
    is_up: bool,
    /// Further requests of the peer are ignored.
    is_expelled: bool,
    /// A message of the peer waits for room, and the pipe is not read before there is.
    is_held_back: bool,
}

/// A pipe, distinguished from other pipes with the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Source {
    pub(crate) pipe: PipeId,
    generation: u32,
}

impl Downstream {
    /// Takes note that the peer is connected.
    pub(crate) fn up(&mut self, pipe: PipeId) {
        self.peer(pipe).is_up = true;
    }

    /// Takes note that the connection is lost.
    pub(crate) fn down(&mut self, pipe: PipeId) {
        self.peer(pipe).is_up = false;
    }

    /// Ignores further requests of the peer, which has exceeded a limit.
    pub(crate) fn expel(&mut self, pipe: PipeId) {
        self.peer(pipe).is_expelled = true;
    }

    /// Accepts requests of the pipe again, because they come from another peer.
    pub(crate) fn readmit(&mut self, pipe: PipeId) {
        self.peer(pipe).is_expelled = false;
    }

    /// Sets whether the pipe must not be read now.
    pub(crate) fn hold_back(&mut self, pipe: PipeId, is_held_back: bool) {
        self.peer(pipe).is_held_back = is_held_back;
    }

    /// Removes the pipe. Its number may be used again.
    pub(crate) fn detach(&mut self, pipe: PipeId) {
        let peer = self.peer(pipe);
        *peer = Peer { generation: peer.generation.wrapping_add(1), ..Peer::default() };
    }

    pub(crate) fn is_up(&self, pipe: PipeId) -> bool {
        self.0.get(pipe).is_some_and(|peer| peer.is_up)
    }

    pub(crate) fn is_expelled(&self, pipe: PipeId) -> bool {
        self.0.get(pipe).is_some_and(|peer| peer.is_expelled)
    }

    pub(crate) fn is_held_back(&self, pipe: PipeId) -> bool {
        self.0.get(pipe).is_some_and(|peer| peer.is_held_back)
    }

    /// Returns the number of connected peers.
    pub(crate) fn count_up(&self) -> usize {
        self.0.iter().filter(|(_, peer)| peer.is_up).count()
    }

    /// Returns the pipe that has the number now.
    pub(crate) fn source(&self, pipe: PipeId) -> Source {
        let generation = self.0.get(pipe).map_or(0, |peer| peer.generation);
        Source { pipe, generation }
    }

    /// Returns whether a pipe still has its number.
    pub(crate) fn is_present(&self, source: Source) -> bool {
        self.source(source.pipe) == source
    }

    fn peer(&mut self, pipe: PipeId) -> &mut Peer {
        self.0.entry(pipe)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_is_used_again_names_another_pipe_which_is_neither_up_nor_expelled() {
        let (mut downstream, pipe) = (Downstream::default(), PipeId(3));
        let first = downstream.source(pipe);
        downstream.up(pipe);
        downstream.expel(pipe);
        assert!(downstream.is_present(first));
        downstream.detach(pipe);
        assert!(!downstream.is_present(first));
        assert!(!downstream.is_up(pipe) && !downstream.is_expelled(pipe));
        assert_eq!(downstream.count_up(), 0);
    }
}
