//! How an engine's stream is registered in the poll of its I/O thread.
//!
//! While an application thread leads (`socket/lead`), it reads the stream itself, and each edge would wake the I/O
//! thread for nothing. So the stream is deregistered for that time, and registered again afterwards. No edge is lost: a
//! poll reports at once that a newly registered stream is readable, even if it was readable before.
//!
//! A poll also reports at once that a newly registered stream is writable. It mostly is, and that report is of no use.
//! So after a lead the stream is registered for input only, and for output, too, when output is blocked.

use std::io;
use std::sync::Weak;

use mio::event::Source;
use mio::{Interest, Registry, Token};
use zeroxide_transports::Stream;

/// Whether a poll reports the present readiness of a newly registered stream. Where it does not, streams stay
/// registered.
const REPORTS_AGAIN: bool = cfg!(unix);

/// Input and output.
const BOTH: Interest = Interest::READABLE.add(Interest::WRITABLE);

/// A stream that is registered in the poll of its I/O thread for input and output.
pub(crate) struct Registered {
    pub(crate) stream: Stream,
    pub(crate) token: Token,
    /// The poll's registry. It is dropped when the I/O thread ends.
    pub(crate) poll: Weak<Registry>,
}

/// The registration of a stream in the poll of its I/O thread.
pub(super) struct Listening {
    poll: Weak<Registry>,
    token: Token,
    /// `None` while the stream is not registered, because an application thread leads.
    interest: Option<Interest>,
}

impl Listening {
    pub(super) fn new(poll: Weak<Registry>, token: Token) -> Listening {
        Listening { poll, token, interest: Some(BOTH) }
    }

    fn change(&mut self, stream: &mut impl Source, interest: Option<Interest>) -> io::Result<()> {
        if self.interest == interest {
            return Ok(());
        }
        let Some(poll) = self.poll.upgrade() else { return Ok(()) };
        match (self.interest, interest) {
            (_, None) => poll.deregister(stream)?,
            (None, Some(wanted)) => poll.register(stream, self.token, wanted)?,
            (Some(_), Some(wanted)) => poll.reregister(stream, self.token, wanted)?,
        }
        self.interest = interest;
        Ok(())
    }

    /// Chooses the edges that the I/O thread needs: none while an application thread leads, unless output is blocked.
    ///
    /// # Errors
    /// Returns the error of the poll. The connection must end then, because the stream may not be registered.
    pub(super) fn choose(&mut self, stream: &mut impl Source, led: bool, blocked: bool) -> io::Result<()> {
        if !REPORTS_AGAIN {
            return Ok(());
        }
        let wanted = match self.interest {
            _ if blocked => Some(BOTH),
            _ if led => None,
            now => now.or(Some(Interest::READABLE)),
        };
        self.change(stream, wanted)
    }

    /// Returns whether the stream is not registered, because an application thread leads and output is not blocked.
    pub(super) fn is_led(&self) -> bool {
        self.interest.is_none()
    }
}
