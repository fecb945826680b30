//! The one gate of a connection: whether a peer may come in, asked once and answered once.
//!
//! Invariant: what a connection tells of its peer ([`Established`](crate::Established)) is made of an [`Admitted`], and
//! an `Admitted` comes from here alone: from a decision that says so, or because nobody is to be asked.
//!
//! A mechanism asks when it knows who the peer is, and says READY (PLAIN: WELCOME) only after the answer.

use std::fmt;

use bytes::Bytes;

#[cfg(feature = "plain")]
use crate::mechanism::Secret;
#[cfg(feature = "curve")]
use crate::mechanism::curve::PublicKey;

/// What a peer showed, for whoever decides (RFC 27: the mechanism and the credentials of a ZAP request).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Credentials {
    /// The mechanism's name, as the greeting carries it.
    pub mechanism: &'static str,
    /// What it proves of the peer.
    pub proof: Proof,
}

/// What a mechanism proves of a peer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Proof {
    /// Nothing (NULL): its address is all there is.
    None,
    /// A name and a password, not looked at yet (PLAIN).
    #[cfg(feature = "plain")]
    Plain {
        /// The name, at most 255 bytes.
        username: Bytes,
        /// The password, at most 255 bytes. Compare it in constant time.
        password: Secret,
    },
    /// A public key, and that the peer has its secret one (CURVE).
    #[cfg(feature = "curve")]
    Curve(PublicKey),
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The peer may come in.
    Accept {
        /// Who it is; empty for nobody in particular.
        user_id: String,
        /// Properties that its messages shall bear, before those that it names itself.
        metadata: Vec<(String, Bytes)>,
    },
    /// It may not.
    Refuse(Status),
}

/// Why a peer is refused: a status code of ZAP (RFC 27 §"Status Codes").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// 300: not now; the peer is told nothing and may try again.
    TemporaryError,
    /// 400: it may not come in.
    AuthenticationFailure,
    /// 500: whoever decides has failed.
    InternalError,
}

impl Status {
    /// The number.
    #[must_use]
    pub fn code(self) -> u16 {
        match self {
            Status::TemporaryError => 300,
            Status::AuthenticationFailure => 400,
            Status::InternalError => 500,
        }
    }

    /// The status that the reason of an ERROR command spells in three digits, as libzmq does; `None` for any other
    /// reason.
    #[must_use]
    pub fn from_reason(reason: &[u8]) -> Option<Status> {
        match reason {
            b"300" => Some(Status::TemporaryError),
            b"400" => Some(Status::AuthenticationFailure),
            b"500" => Some(Status::InternalError),
            _ => None,
        }
    }

    /// The ERROR command that tells the peer; a temporary error goes without a word (libzmq null_mechanism.cpp and
    /// its like).
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
    /// Nobody else can make one.
    _gate: (),
}

/// The gate.
#[derive(Debug)]
pub(crate) struct Gate(State);

#[derive(Debug)]
enum State {
    /// Nobody is to be asked: a policy of the owner, or this side is the client.
    Free,
    /// The mechanism does not know yet who is there.
    Shut,
    /// The question, not taken yet.
    Asked(Credentials),
    /// Somebody thinks about it.
    Waiting,
    Passed(Admitted),
    /// Passed through, or refused.
    Closed,
}

impl Gate {
    pub(crate) fn new(asks: bool) -> Gate {
        Gate(if asks { State::Shut } else { State::Free })
    }

    /// The mechanism knows who is there. `true`: nobody is to be asked.
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

    /// The question, once.
    pub(crate) fn take_question(&mut self) -> Option<Credentials> {
        match std::mem::replace(&mut self.0, State::Waiting) {
            State::Asked(credentials) => Some(credentials),
            other => {
                self.0 = other;
                None
            }
        }
    }

    /// The answer; it counts once, and only after the question was taken.
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

    /// The user that the answer named; empty for nobody in particular.
    pub(crate) fn user_id(&self) -> &str {
        if let State::Passed(admitted) = &self.0 { &admitted.user_id } else { "" }
    }

    /// Goes through, once.
    pub(crate) fn pass(&mut self) -> Option<Admitted> {
        match std::mem::replace(&mut self.0, State::Closed) {
            State::Free => Some(Admitted { user_id: String::new(), metadata: Vec::new(), _gate: () }),
            State::Passed(admitted) => Some(admitted),
            _ => None,
        }
    }
}
