//! The gate of a connection: it decides once whether the peer is admitted.
//!
//! Invariant: an [`Established`](crate::Established) is made from an [`Admitted`], and only this module makes an
//! `Admitted`. It makes one if the decision was to accept, or if no decision is required.
//!
//! A mechanism passes the peer's credentials to the gate when it has them all. It sends READY (PLAIN: WELCOME) only
//! after the decision.

use std::fmt;

use bytes::Bytes;

#[cfg(feature = "plain")]
use crate::mechanism::Secret;
#[cfg(feature = "curve")]
use crate::mechanism::curve::PublicKey;

/// What a peer has proved, as the basis for a decision (RFC 27: the mechanism and the credentials of a ZAP request).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Credentials {
    /// The mechanism's name, as the greeting carries it.
    pub mechanism: &'static str,
    /// What the mechanism proves of the peer.
    pub proof: Proof,
}

/// What a mechanism proves of a peer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Proof {
    /// Nothing (NULL). Only the peer's address is known.
    None,
    /// A name and a password, not checked yet (PLAIN).
    #[cfg(feature = "plain")]
    Plain {
        /// The name, at most 255 bytes.
        username: Bytes,
        /// The password, at most 255 bytes. Compare it in constant time.
        password: Secret,
    },
    /// A public key; the peer has proved that it has the secret one (CURVE).
    #[cfg(feature = "curve")]
    Curve(PublicKey),
}

/// The decision about a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The peer is admitted.
    Accept {
        /// The user id of the peer; empty for none.
        user_id: String,
        /// Properties for [`Peer::properties`](crate::Peer::properties), before those that the peer itself sends.
        metadata: Vec<(String, Bytes)>,
    },
    /// The peer is refused.
    Refuse(Status),
}

/// Why a peer is refused: a status code of ZAP (RFC 27 §"Status Codes").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// 300: not now. The peer gets no ERROR and may try again.
    TemporaryError,
    /// 400: the peer is refused for its credentials.
    AuthenticationFailure,
    /// 500: the authentication itself failed.
    InternalError,
}

impl Status {
    /// Returns the number.
    #[must_use]
    pub fn code(self) -> u16 {
        match self {
            Status::TemporaryError => 300,
            Status::AuthenticationFailure => 400,
            Status::InternalError => 500,
        }
    }

    /// Returns the status that the reason of an ERROR command spells in three digits, as libzmq does, or `None` for any
    /// other reason.
    #[must_use]
    pub fn from_reason(reason: &[u8]) -> Option<Status> {
        match reason {
            b"300" => Some(Status::TemporaryError),
            b"400" => Some(Status::AuthenticationFailure),
            b"500" => Some(Status::InternalError),
            _ => None,
        }
    }

    /// Returns the ERROR command for the peer. There is none for a temporary error (libzmq null_mechanism.cpp and the
    /// other mechanisms).
    pub(crate) fn error_command(self) -> Option<&'static [u8]> {
        match self {
            Status::TemporaryError => None,
            Status::AuthenticationFailure => Some(b"\x05ERROR\x03400"),
            Status::InternalError => Some(b"\x05ERROR\x03500"),
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code())
    }
}

/// Proof that the gate was passed.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub(crate) user_id: String,
    pub(crate) metadata: Vec<(String, Bytes)>,
    /// A private field: only this module can make an `Admitted`.
    _gate: (),
}

/// The gate.
#[derive(Debug)]
pub(crate) struct Gate(State);

#[derive(Debug)]
enum State {
    /// No decision is required: the owner set no `authorise`, or this side is the client.
    Free,
    /// The mechanism does not have the credentials yet.
    Shut,
    /// The credentials are here, not taken yet.
    Asked(Credentials),
    /// The credentials were taken; the decision is awaited.
    Waiting,
    Passed(Admitted),
    /// `pass` was called, or the peer was refused.
    Closed,
}

impl Gate {
    pub(crate) fn new(asks: bool) -> Gate {
        Gate(if asks { State::Shut } else { State::Free })
    }

    /// Takes the peer's credentials. Returns `true` if no decision is required.
    pub(crate) fn ask(&mut self, credentials: Credentials) -> bool {
        match self.0 {
            State::Free => true,
            State::Shut => {
                self.0 = State::Asked(credentials);
                false
            }
            _ => false,
        }
    }

    /// Returns the credentials, once.
    pub(crate) fn take_question(&mut self) -> Option<Credentials> {
        match std::mem::replace(&mut self.0, State::Waiting) {
            State::Asked(credentials) => Some(credentials),
            other => {
                self.0 = other;
                None
            }
        }
    }

    /// Takes the decision. It counts once, and only after the credentials were taken; else this returns `None`.
    pub(crate) fn answer(&mut self, decision: Decision) -> Option<Result<(), Status>> {
        let State::Waiting = self.0 else { return None };
        let (state, answer) = match decision {
            Decision::Accept { user_id, metadata } => {
                (State::Passed(Admitted { user_id, metadata, _gate: () }), Ok(()))
            }
            Decision::Refuse(status) => (State::Closed, Err(status)),
        };
        self.0 = state;
        Some(answer)
    }

    /// Returns the user id of the decision; empty for none.
    pub(crate) fn user_id(&self) -> &str {
        if let State::Passed(admitted) = &self.0 { &admitted.user_id } else { "" }
    }

    /// Returns the proof that the peer is admitted, once.
    pub(crate) fn pass(&mut self) -> Option<Admitted> {
        match std::mem::replace(&mut self.0, State::Closed) {
            State::Free => Some(Admitted { user_id: String::new(), metadata: Vec::new(), _gate: () }),
            State::Passed(admitted) => Some(admitted),
            _ => None,
        }
    }
}
