//! Which edges of its stream an engine's I/O thread receives.
//!
//! While an application thread waits for input and reads the stream itself, each edge would wake the I/O thread for nothing. So
//! the stream is taken out of the I/O thread's poll meanwhile, and put in again afterwards. No edge is lost, because a poll
//! reports a stream that is put in as soon as it can be read, also if that was so before.
//!
//! Output is blocked rarely, and a poll would report a stream that can be written each time it is put in. So it is put in for
//! output only when output is blocked.

use std::io;
use std::sync::Weak;

use mio::event::Source;
use mio::{Interest, Registry, Token};
use zeroxide_transports::Stream;

/// Whether a poll reports what a stream is ready for when it is put in. Elsewhere streams stay in their polls.
const REPORTS_AGAIN: bool = cfg!(unix);

/// Input and output.
const BOTH: Interest = Interest::READABLE.add(Interest::WRITABLE);

/// A stream that is registered in the poll of its I/O thread for input and output.
pub(crate) struct Registered {
    pub(crate) stream: Stream,
    pub(crate) token: Token,
    /// It has ended when the I/O thread has.
    pub(crate) poll: Weak<Registry>,
}

/// Which edges of a stream its I/O thread receives.
pub(super) struct Listening {
    poll: Weak<Registry>,
    token: Token,
    /// `None`: no edge, because an application thread leads.
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
    /// Returns the error of the poll, which does not watch the stream then.
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

    /// Returns whether an application thread leads.
    pub(super) fn is_led(&self) -> bool {
        self.interest.is_none()
    }
}
