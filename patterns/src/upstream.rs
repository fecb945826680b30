//! Upstream: the peers that receive this socket's subscriptions (RFC 29's XSUB, RFC 48's DISH).
//!
//! After a lost connection a peer gets nothing until the next connection, and then everything again. So an application
//! that changes its subscriptions often fills no queue.

use crate::PipeId;
use crate::by_pipe::ByPipe;

/// The pipes of one socket, by number.
#[derive(Debug, Default)]
pub(crate) struct Upstream(ByPipe<State>);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Detached,
    Hears,
    Lost,
}

impl Upstream {
    /// Adds a pipe, which gets every change from now on.
    pub(crate) fn attach(&mut self, pipe: PipeId) {
        self.set(pipe, State::Hears);
    }

    pub(crate) fn detach(&mut self, pipe: PipeId) {
        self.set(pipe, State::Detached);
    }

    /// Takes note that the connection of a pipe is lost.
    pub(crate) fn lose(&mut self, pipe: PipeId) {
        self.set(pipe, State::Lost);
    }

    /// Takes note that a pipe is connected. Returns `true` if that is not its first connection, so that everything must
    /// be sent again. The first connection gets what was queued since [`Upstream::attach`].
    pub(crate) fn connect(&mut self, pipe: PipeId) -> bool {
        self.set(pipe, State::Hears) == State::Lost
    }

    /// Returns the pipes to which changes are sent.
    pub(crate) fn hearing(&self) -> impl Iterator<Item = PipeId> {
        self.0.iter().filter(|(_, state)| **state == State::Hears).map(|(pipe, _)| pipe)
    }

    fn set(&mut self, pipe: PipeId, state: State) -> State {
        std::mem::replace(self.0.entry(pipe), state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_lost_hears_nothing_until_the_next_connection_which_hears_all() {
        let (mut upstream, pipe) = (Upstream::default(), PipeId(3));
        let hears = |upstream: &Upstream| upstream.hearing().collect::<Vec<_>>();
        upstream.attach(pipe);
        assert!(!upstream.connect(pipe), "the first finds what is queued");
        assert_eq!(hears(&upstream), [pipe]);
        upstream.lose(pipe);
        assert_eq!(hears(&upstream), []);
        assert!(upstream.connect(pipe));
        assert!(!upstream.connect(pipe));
        assert_eq!(hears(&upstream), [pipe]);
        upstream.detach(pipe);
        assert_eq!(hears(&upstream), []);
    }
}
