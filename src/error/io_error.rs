//! What the system said, kept whole.

use std::ops::Deref;
use std::sync::Arc;
use std::{error, fmt, io};

use super::errno;

/// An [`io::Error`] that can be cloned and compared, for events and states. It keeps the system's number, and the typed
/// cause where there is one (`get_ref`).
#[derive(Clone)]
pub struct IoError(Arc<io::Error>);

impl IoError {
    /// Returns libzmq's number for it: the system's own, where the system has said it.
    #[must_use]
    pub fn errno(&self) -> i32 {
        errno::of_io(self)
    }
}

impl Deref for IoError {
    type Target = io::Error;

    fn deref(&self) -> &io::Error {
        &self.0
    }
}

impl From<io::Error> for IoError {
    fn from(error: io::Error) -> IoError {
        IoError(Arc::new(error))
    }
}

impl From<io::ErrorKind> for IoError {
    fn from(kind: io::ErrorKind) -> IoError {
        io::Error::from(kind).into()
    }
}

impl From<IoError> for io::Error {
    fn from(error: IoError) -> io::Error {
        let shared = match Arc::try_unwrap(error.0) {
            Ok(error) => return error,
            Err(shared) => shared,
        };
        match shared.raw_os_error() {
            Some(number) => io::Error::from_raw_os_error(number),
            None => io::Error::new(shared.kind(), IoError(shared)),
        }
    }
}

/// Equal are errors with the same kind, number and text.
impl PartialEq for IoError {
    fn eq(&self, other: &IoError) -> bool {
        let same = self.kind() == other.kind() && self.raw_os_error() == other.raw_os_error();
        same && self.0.to_string() == other.0.to_string()
    }
}

impl Eq for IoError {}

impl fmt::Debug for IoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The kind says all about the usual fate of a connection, in the same words on every system. Of anything else the
/// kind says too little, or nothing ("uncategorized error").
impl fmt::Display for IoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind() {
            kind if self.raw_os_error().is_some() && is_of_connections(kind) => write!(f, "{kind}"),
            _ => write!(f, "{}", self.0),
        }
    }
}

impl error::Error for IoError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.0.source()
    }
}

/// Returns whether errors of this kind say what became of a connection.
pub(super) fn is_of_connections(kind: io::ErrorKind) -> bool {
    matches!(
        kind,
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::NotConnected
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof
            | io::ErrorKind::TimedOut
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::NetworkDown
    )
}

/// Returns whether the system refused because the process, or the machine, has no descriptor left: `EMFILE`, `ENFILE`.
pub(crate) fn is_limit(error: &io::Error) -> bool {
    cfg!(unix) && matches!(error.raw_os_error(), Some(23 | 24))
}
