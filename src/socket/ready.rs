//! What a socket or descriptor is ready for, and how that is found out.

use std::fmt;
use std::ops::{BitAnd, BitOr, BitOrAssign};
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::socket::base::{SocketBase, SocketState};

/// What is asked of a socket or file descriptor, and what it is ready for: a set.
///
/// ```
/// use zeroxide::Ready;
/// let both = Ready::IN | Ready::OUT;
/// assert!(both.is_in() && both.is_out() && !both.is_error());
/// assert_eq!(format!("{both:?}"), "IN | OUT");
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Ready(u8);

const NAMES: [(Ready, &str); 5] = [
    (Ready::IN, "IN"),
    (Ready::OUT, "OUT"),
    (Ready::ERROR, "ERROR"),
    (Ready::PRIORITY, "PRIORITY"),
    (Ready::CLOSED, "CLOSED"),
];

impl Ready {
    /// Nothing.
    pub const NONE: Ready = Ready(0);
    /// A message can be received without waiting; a descriptor can be read (libzmq `ZMQ_POLLIN`).
    pub const IN: Ready = Ready(1);
    /// A message can be sent without waiting, on ROUTER to some peer; a descriptor can be written (`ZMQ_POLLOUT`).
    pub const OUT: Ready = Ready(2);
    /// A descriptor has an error or was hung up. Reported unasked, never for a socket (`ZMQ_POLLERR`).
    pub const ERROR: Ready = Ready(4);
    /// A descriptor has urgent input; Linux and Android only (`ZMQ_POLLPRI`).
    pub const PRIORITY: Ready = Ready(8);
    /// The socket is closed or its context shut down. Reported unasked.
    pub const CLOSED: Ready = Ready(16);

    /// Returns whether all of `other` is in this set.
    #[must_use]
    pub fn contains(self, other: Ready) -> bool {
        self & other == other
    }

    /// Returns whether nothing is in this set.
    #[must_use]
    pub fn is_none(self) -> bool {
        self == Ready::NONE
    }

    /// Returns whether [`Ready::IN`] is in this set.
    #[must_use]
    pub fn is_in(self) -> bool {
        self.contains(Ready::IN)
    }

    /// Returns whether [`Ready::OUT`] is in this set.
    #[must_use]
    pub fn is_out(self) -> bool {
        self.contains(Ready::OUT)
    }

    /// Returns whether [`Ready::ERROR`] is in this set.
    #[must_use]
    pub fn is_error(self) -> bool {
        self.contains(Ready::ERROR)
    }

    /// Returns whether [`Ready::PRIORITY`] is in this set.
    #[must_use]
    pub fn is_priority(self) -> bool {
        self.contains(Ready::PRIORITY)
    }

    /// Returns whether [`Ready::CLOSED`] is in this set.
    #[must_use]
    pub fn is_closed(self) -> bool {
        self.contains(Ready::CLOSED)
    }
}

impl BitOr for Ready {
    type Output = Ready;

    fn bitor(self, other: Ready) -> Ready {
        Ready(self.0 | other.0)
    }
}

impl BitOrAssign for Ready {
    fn bitor_assign(&mut self, other: Ready) {
        *self = *self | other;
    }
}

impl BitAnd for Ready {
    type Output = Ready;

    fn bitand(self, other: Ready) -> Ready {
        Ready(self.0 & other.0)
    }
}

impl fmt::Debug for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_none() {
            return f.write_str("NONE");
        }
        let mut names = NAMES.iter().filter(|(ready, _)| self.contains(*ready)).map(|(_, name)| name);
        names.next().map_or(Ok(()), |first| f.write_str(first))?;
        names.try_for_each(|name| write!(f, " | {name}"))
    }
}

/// Returns which of [`Ready::IN`] and [`Ready::OUT`] hold for a socket, of those that are wanted.
///
/// Before it returns no, what is open has been flushed and driven, engines whose input waits for room have been
/// driven, and it has looked once more. After a no the socket's `watch` tells when that changes.
///
/// # Errors
/// Returns [`Error::Closed`], [`Error::Terminated`].
pub(crate) fn readiness(base: &Arc<SocketBase>, wanted: Ready) -> Result<Ready, Error> {
    let wanted = wanted & (Ready::IN | Ready::OUT);
    let (found, drove) = base.enter(|state| {
        state.alive()?;
        let found = look(state, wanted);
        if found == wanted {
            return Ok((found, false));
        }
        state.flush_now();
        Ok::<_, Error>((found, state.pipes.errands.drives()))
    })?;
    if !drove {
        return Ok(found);
    }
    base.enter(|state| {
        state.alive()?;
        state.pipes.driven = true;
        let found = look(state, wanted);
        state.pipes.driven = false;
        Ok(found)
    })
}

fn look(state: &mut SocketState, wanted: Ready) -> Ready {
    let mut found = Ready::NONE;
    if wanted.is_in() && state.has_in() {
        found |= Ready::IN;
    }
    if wanted.is_out() && state.has_out() {
        found |= Ready::OUT;
    }
    found
}
