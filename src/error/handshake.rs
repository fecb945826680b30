//! Why a connection stood and came to nothing. The words are in `likely`.

use std::sync::Arc;
use std::{fmt, io};

use zeroxide_zmtp::mechanism::Status;
use zeroxide_zmtp::mechanism::zap::Violation;
use zeroxide_zmtp::{ConnectionError, ProtocolError, SocketType, Stage};

use super::io_error::IoError;
use crate::security::Role;

/// A handshake that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandshakeError {
    /// The endpoint of the peer.
    pub endpoint: Arc<str>,
    /// This socket's type.
    pub socket: SocketType,
    /// This socket's mechanism, and its part in it.
    pub security: Role,
    /// Whether this side connected to the peer; else it accepted it.
    pub connecting: bool,
    /// How far the handshake came; `None` where that is not known.
    pub stage: Option<Stage>,
    /// Who the peer said it is, where it came so far: the name in PLAIN, the public key in CURVE. Believe it only of a peer
    /// that came in.
    pub claim: Option<Box<str>>,
    /// What ended it.
    pub cause: HandshakeCause,
}

impl HandshakeError {
    /// Returns whether it failed only because there is no place for the one at the other.
    pub(crate) fn is_want_of_place(&self) -> bool {
        matches!(&self.cause, HandshakeCause::Protocol(fault) if fault.is_want_of_place())
    }
}

/// What ended a handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HandshakeCause {
    /// The peer does not speak the protocol as this socket does, or refused.
    Protocol(ProtocolError),
    /// This side did not let the peer in.
    Denied(Denial),
    /// Its first ten bytes took longer than SIGNATURE_IVL.
    NoSignature,
    /// It took longer than HANDSHAKE_IVL.
    TimedOut,
    /// The peer closed the connection.
    PeerClosed,
    /// The network failed.
    Io(IoError),
}

/// Why this side did not let a peer in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Denial {
    /// The authenticator or the ZAP handler said so.
    Said {
        /// The status: 300, 400 or 500.
        status: Status,
        /// The ZAP handler's own words; the peer does not get them.
        text: Box<str>,
    },
    /// There is neither an authenticator for the domain nor a ZAP handler.
    NobodyToAsk,
    /// The ZAP handler closed, or was full, before it answered; with AUTH_REQUIRED off, also if it closed before it was
    /// asked.
    HandlerGone,
    /// The ZAP handler's reply breaks its protocol.
    Reply(Violation),
    /// The authenticator panicked.
    Panicked,
    /// Too many peers wait for the authenticator.
    Overloaded,
}

impl Denial {
    /// Returns what the peer is told; of 300 it is told nothing.
    #[must_use]
    pub fn status(&self) -> Status {
        match self {
            Denial::Said { status, .. } => *status,
            Denial::HandlerGone | Denial::Overloaded => Status::TemporaryError,
            Denial::NobodyToAsk | Denial::Reply(_) | Denial::Panicked => Status::InternalError,
        }
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Denial::Said { status, text } => {
                write!(f, "refused with status {status}")?;
                if text.is_empty() { Ok(()) } else { write!(f, ": {text:?}") }
            }
            Denial::NobodyToAsk => {
                f.write_str("refused: there is no authenticator for its domain and no ZAP handler")
            }
            Denial::HandlerGone => f.write_str("refused: the ZAP handler is gone, or full"),
            Denial::Reply(violation) => write!(f, "refused: the ZAP handler sent {violation}"),
            Denial::Panicked => f.write_str("refused: the authenticator panicked"),
            Denial::Overloaded => f.write_str("refused: too many peers wait for the authenticator"),
        }
    }
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.endpoint, self.what())
    }
}

impl std::error::Error for HandshakeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.cause {
            HandshakeCause::Protocol(error) => Some(error),
            HandshakeCause::Io(error) => Some(error),
            HandshakeCause::NoSignature
            | HandshakeCause::Denied(_)
            | HandshakeCause::TimedOut
            | HandshakeCause::PeerClosed => None,
        }
    }
}

impl From<ProtocolError> for HandshakeCause {
    fn from(error: ProtocolError) -> HandshakeCause {
        HandshakeCause::Protocol(error)
    }
}

impl From<ConnectionError> for HandshakeCause {
    fn from(error: ConnectionError) -> HandshakeCause {
        match error {
            ConnectionError::Protocol(error) => HandshakeCause::Protocol(error),
            ConnectionError::SignatureTimeout => HandshakeCause::NoSignature,
            _ => HandshakeCause::TimedOut,
        }
    }
}

impl From<&IoError> for HandshakeCause {
    fn from(error: &IoError) -> HandshakeCause {
        match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => HandshakeCause::PeerClosed,
            _ => HandshakeCause::Io(error.clone()),
        }
    }
}
