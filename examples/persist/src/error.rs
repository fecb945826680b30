//! What can fail.

use std::fmt;

/// Why a call failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The file could not be opened, read or written. The outbox or inbox does nothing more: drop it, and open it again when the
    /// disk is well. Then the file tells what was stored, as after a crash.
    Disk(redb::Error),
    /// The socket failed.
    Socket(zeroxide::Error),
    /// The outbox has ended, after an earlier error of its disk or because its context was shut down.
    Ended,
    /// The id was not received, or is acknowledged.
    NotInHand(crate::MessageId),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Disk(error) => write!(f, "disk: {error}; open the file again when the disk is well"),
            Error::Socket(error) => write!(f, "socket: {error}"),
            Error::Ended => write!(f, "the outbox has ended: open it again"),
            Error::NotInHand(id) => write!(f, "message {id} was not received, or is acknowledged"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Disk(error) => Some(error),
            Error::Socket(error) => Some(error),
            Error::Ended | Error::NotInHand(_) => None,
        }
    }
}

impl From<zeroxide::Error> for Error {
    fn from(error: zeroxide::Error) -> Error {
        Error::Socket(error)
    }
}

impl From<redb::Error> for Error {
    fn from(error: redb::Error) -> Error {
        Error::Disk(error)
    }
}
