//! Why a connection ended, and what that means for a monitor and for the peer.

use std::io;

use zeroxide_zmtp::mechanism::Status;
use zeroxide_zmtp::{ConnectionError, ProtocolError};

use crate::error::{HandshakeCause, IoError};
use crate::events::DisconnectReason;

/// Why a connection ended.
#[derive(Debug)]
pub(crate) enum End {
    /// The pipe was finished, and everything is sent.
    Drained,
    /// This side ended it.
    Stopped,
    /// The peer has closed, or the network has failed.
    Lost(IoError),
    /// The protocol ended it.
    Protocol(ConnectionError),
}

impl End {
    /// Returns the reason for a monitor, for a connection whose handshake was over.
    pub(crate) fn reason(&self) -> DisconnectReason {
        match self {
            End::Drained | End::Stopped => DisconnectReason::Ours,
            End::Lost(error) => match error.kind() {
                io::ErrorKind::UnexpectedEof => DisconnectReason::PeerClosed,
                _ => DisconnectReason::Io(error.clone()),
            },
            End::Protocol(error) => DisconnectReason::Fault(error.clone()),
        }
    }

    /// Returns whether the peer learns why its handshake failed: from our ERROR, from the mechanism in our greeting, or
    /// from the socket type in our READY.
    pub(crate) fn is_told(&self) -> bool {
        match self {
            End::Protocol(ConnectionError::Protocol(fault)) => match fault {
                ProtocolError::Denied { status } => *status != Status::TemporaryError,
                ProtocolError::MechanismMismatch { .. } | ProtocolError::SocketTypeMismatch { .. } => true,
                ProtocolError::AnothersRoutingId => true,
                fault => fault.is_want_of_place(),
            },
            End::Protocol(_) | End::Drained | End::Stopped | End::Lost(_) => false,
        }
    }

    /// Returns the cause, for a connection whose handshake has failed.
    pub(crate) fn handshake_cause(&self) -> HandshakeCause {
        match self {
            End::Drained | End::Stopped => HandshakeCause::Io(io::ErrorKind::ConnectionAborted.into()),
            End::Lost(error) => HandshakeCause::from(error),
            End::Protocol(error) => HandshakeCause::from(error.clone()),
        }
    }
}
