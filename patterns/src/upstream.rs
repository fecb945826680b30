//! Upstream: the peers that are told what a socket wants to hear (RFC 29's XSUB, RFC 48's DISH).
//!
//! A peer whose connection is lost is told everything anew by the next one, and until then nothing, so that an application
//! which keeps changing its mind fills no queue.

use crate::PipeId;

/// The pipes of one socket, by number.
#[derive(Debug, Default)]
pub(crate) struct Upstream(Vec<State>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Detached,
    Hears,
    Lost,
}

impl Upstream {
    /// A new pipe hears everything from now on.
    pub(crate) fn attach(&mut self, pipe: PipeId) {
        self.set(pipe, State::Hears);
    }

    pub(crate) fn detach(&mut self, pipe: PipeId) {
        self.set(pipe, State::Detached);
    }

    /// Its connection is lost.
    pub(crate) fn lose(&mut self, pipe: PipeId) {
        self.set(pipe, State::Lost);
    }

    /// It has a connection: `true` if that is another one, which is to be told everything anew. The first connection of a
    /// pipe finds what was queued there since [`Upstream::attach`].
    pub(crate) fn connect(&mut self, pipe: PipeId) -> bool {
        self.set(pipe, State::Hears) == State::Lost
    }

    /// Those who are told of a change.
    pub(crate) fn hearing(&self) -> impl Iterator<Item = PipeId> {
        let hears = self.0.iter().enumerate().filter(|(_, state)| **state == State::Hears);
        hears.map(|(at, _)| PipeId(at as u32)) // pipe numbers are u32
    }

    fn set(&mut self, pipe: PipeId, state: State) -> State {
        let at = pipe.0 as usize;
        if self.0.len() <= at {
            self.0.resize(at + 1, State::Detached);
        }
        std::mem::replace(&mut self.0[at], state)
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
