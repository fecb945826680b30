//! The set of events that a socket or a descriptor is ready for.

use std::fmt;
use std::ops::{BitAnd, BitOr, BitOrAssign};
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::socket::base::{SocketBase, SocketState};

/// A set of events: those that are waited for, or those that a socket or file descriptor is ready for.
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
    /// A message can be sent without waiting (on a ROUTER, to at least one peer); a descriptor can be written
    /// (`ZMQ_POLLOUT`).
    pub const OUT: Ready = Ready(2);
    /// A descriptor has an error or its peer has hung up (`ZMQ_POLLERR`). It is reported even if it was not asked for, and
    /// never for a socket.
    pub const ERROR: Ready = Ready(4);
    /// A descriptor has urgent input; Linux and Android only (`ZMQ_POLLPRI`).
    pub const PRIORITY: Ready = Ready(8);
    /// The socket is closed or its context is shut down. It is reported even if it was not asked for.
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

/// Returns which of the wanted events [`Ready::IN`] and [`Ready::OUT`] a socket is ready for.
///
/// Before it leaves one out, it has flushed the open batches, driven them and the engines whose input waits for room, and
/// looked once more. After that the socket's `watch` is notified when the events change.
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
        Ok::<_, Error>((found, state.pipes.after_unlock.drives()))
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
