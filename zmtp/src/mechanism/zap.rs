//! ZAP 1.0 (RFC 27): the frames of a request to an authentication handler, and of its reply.
//!
//! This module only makes and reads frames. The caller transports them, and decides what happens when no reply comes. A
//! reply that breaks the protocol in any way is a [`Violation`] and never admits a peer.

use std::fmt;

use super::{Decision, Proof, Status};
use crate::command;
use crate::{Frame, Message};

/// The only version of ZAP.
const VERSION: &str = "1.0";

/// Empty delimiter, version, request id, status code, status text, user id, metadata.
const REPLY_FRAMES: usize = 7;

/// The most bytes of a handler's text that are kept for a report.
const MAX_TEXT: usize = 255;

/// A request to decide whether a peer is admitted.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The id of the request, which the reply repeats.
    pub id: &'a str,
    /// The domain of the requesting socket (`ZMQ_ZAP_DOMAIN`).
    pub domain: &'a [u8],
    /// The peer's address without port.
    pub address: &'a str,
    /// The routing id of the requesting socket itself, as libzmq sends it (RFC 27 means that of the connection).
    pub routing_id: &'a [u8],
    /// The mechanism's name.
    pub mechanism: &'a str,
    /// What the mechanism proves of the peer.
    pub proof: &'a Proof,
}

impl Request<'_> {
    /// Returns the frames, with the empty delimiter that a REP or ROUTER expects.
    #[must_use]
    pub fn to_message(&self) -> Message {
        let mut message = Message::from(Frame::new());
        for bytes in [VERSION.as_bytes(), self.id.as_bytes(), self.domain, self.address.as_bytes()] {
            message.push_back(bytes);
        }
        message.push_back(self.routing_id);
        message.push_back(self.mechanism);
        match self.proof {
            Proof::None => {}
            #[cfg(feature = "plain")]
            Proof::Plain { username, password } => {
                message.push_back(&username[..]);
                // The password is overwritten when its last clone is dropped.
                message.push_back(Frame::from_owner(password.clone()));
            }
            #[cfg(feature = "curve")]
            Proof::Curve(key) => message.push_back(&key.as_bytes()[..]),
        }
        message
    }
}

/// A valid reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The decision.
    pub decision: Decision,
    /// The handler's text, for people on this side. It is not sent to the peer.
    pub text: String,
}

impl Reply {
    /// Reads the reply to request `id`.
    ///
    /// # Errors
    /// Returns the first [`Violation`] of the protocol.
    pub fn from_message(message: &Message, id: &str) -> Result<Reply, Violation> {
        let frame = |at: usize| message.get(at).map_or(&[][..], |frame| frame);
        if message.len() != REPLY_FRAMES {
            return Err(Violation::Frames { count: message.len() });
        }
        if !frame(0).is_empty() {
            return Err(Violation::Delimiter);
        }
        if frame(1) != VERSION.as_bytes() {
            return Err(Violation::Version);
        }
        if frame(2) != id.as_bytes() {
            return Err(Violation::RequestId);
        }
        let decision = match frame(3) {
            b"200" => Decision::Accept { user_id: user_id(frame(5))?, metadata: metadata(frame(6))? },
            code => Decision::Refuse(Status::from_reason(code).ok_or(Violation::StatusCode)?),
        };
        let text = frame(4).get(..MAX_TEXT).unwrap_or(frame(4));
        Ok(Reply { decision, text: String::from_utf8_lossy(text).into_owned() })
    }
}

fn user_id(bytes: &[u8]) -> Result<String, Violation> {
    // Invalid UTF-8 is not replaced: two different ids must not become equal.
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| Violation::UserId)
}

fn metadata(bytes: &[u8]) -> Result<Vec<(String, bytes::Bytes)>, Violation> {
    let properties = command::properties(bytes).map_err(|_| Violation::Metadata)?;
    Ok(properties.into_iter().map(|(name, value)| (name.to_owned(), command::keep(value))).collect())
}

/// How a reply breaks the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Violation {
    /// It does not have seven frames.
    Frames {
        /// How many it has.
        count: usize,
    },
    /// It does not begin with an empty frame.
    Delimiter,
    /// Its version is not 1.0.
    Version,
    /// It is a reply to another request.
    RequestId,
    /// Its status code is none of 200, 300, 400 and 500.
    StatusCode,
    /// Its user id is not UTF-8.
    UserId,
    /// Its metadata is not a list of properties.
    Metadata,
}

impl Violation {
    /// Returns libzmq's number for it (`ZMQ_PROTOCOL_ERROR_ZAP_*`).
    #[must_use]
    pub fn code(self) -> u32 {
        0x2000_0000
            | match self {
                Violation::Delimiter | Violation::UserId => 0,
                Violation::Frames { .. } => 1,
                Violation::RequestId => 2,
                Violation::Version => 3,
                Violation::StatusCode => 4,
                Violation::Metadata => 5,
            }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Violation::Frames { count } => {
                write!(f, "a reply of {count} frames instead of {REPLY_FRAMES}")
            }
            Violation::Delimiter => f.write_str("a reply that does not begin with an empty frame"),
            Violation::Version => write!(f, "a reply whose version is not {VERSION}"),
            Violation::RequestId => f.write_str("a reply to another request"),
            Violation::StatusCode => f.write_str("a status code that is none of 200, 300, 400 and 500"),
            Violation::UserId => f.write_str("a user id that is not UTF-8"),
            Violation::Metadata => f.write_str("metadata that is no list of properties"),
        }
    }
}

impl std::error::Error for Violation {}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(frames: [&[u8]; 7]) -> Result<Reply, Violation> {
        Reply::from_message(&Message::from(frames.map(Frame::from)), "7")
    }

    fn accepted(user_id: &str) -> Result<Reply, Violation> {
        let decision = Decision::Accept { user_id: user_id.to_owned(), metadata: Vec::new() };
        Ok(Reply { decision, text: "OK".to_owned() })
    }

    #[test]
    fn a_null_request_has_the_frames_of_rfc_27() {
        let request = Request {
            id: "7",
            domain: b"global",
            address: "127.0.0.1",
            routing_id: b"srv",
            mechanism: "NULL",
            proof: &Proof::None,
        };
        assert_eq!(
            request.to_message(),
            Message::from(["", "1.0", "7", "global", "127.0.0.1", "srv", "NULL"])
        );
    }

    #[test]
    #[cfg(feature = "plain")]
    fn a_plain_request_carries_name_and_password() {
        let proof = Proof::Plain { username: "admin".into(), password: "secret".into() };
        let request =
            Request { id: "1", domain: b"", address: "", routing_id: b"", mechanism: "PLAIN", proof: &proof };
        let frames = ["", "1.0", "1", "", "", "", "PLAIN", "admin", "secret"];
        assert_eq!(request.to_message(), Message::from(frames));
    }

    #[test]
    fn status_200_lets_in_with_user_id_and_metadata() {
        assert_eq!(reply([b"", b"1.0", b"7", b"200", b"OK", b"ann", b""]), accepted("ann"));
        let metadata = b"\x05Hello\0\0\0\x05World";
        let Ok(Reply { decision: Decision::Accept { metadata, .. }, .. }) =
            reply([b"", b"1.0", b"7", b"200", b"OK", b"", metadata])
        else {
            panic!("refused")
        };
        assert_eq!(metadata, [("Hello".to_owned(), "World".into())]);
    }

    #[test]
    fn every_other_status_refuses_with_it() {
        for (code, status) in [
            (b"300", Status::TemporaryError),
            (b"400", Status::AuthenticationFailure),
            (b"500", Status::InternalError),
        ] {
            // What follows a refusal is not looked at.
            let reply = reply([b"", b"1.0", b"7", code, b"no", b"\xff", b"\xff"]).unwrap();
            assert_eq!(reply, Reply { decision: Decision::Refuse(status), text: "no".to_owned() });
        }
    }

    #[test]
    fn each_violation_is_told_by_its_own_name() {
        let good: [&[u8]; 7] = [b"", b"1.0", b"7", b"200", b"OK", b"ann", b""];
        let with = |at: usize, frame: &'static [u8]| {
            let mut frames = good;
            frames[at] = frame;
            reply(frames).unwrap_err()
        };
        assert_eq!(with(0, b"x"), Violation::Delimiter);
        for version in [&b"1.1"[..], b"", b"1.0\0", b"2.0"] {
            assert_eq!(with(1, version), Violation::Version);
        }
        for id in [&b""[..], b"8", b"77", b"07"] {
            assert_eq!(with(2, id), Violation::RequestId);
        }
        for code in [&b""[..], b"2", b"201", b"2000", b"100", b"600", b" 200", b"200 "] {
            assert_eq!(with(3, code), Violation::StatusCode);
        }
        assert_eq!(with(5, b"\xff"), Violation::UserId);
        for metadata in [&b"x"[..], b"\x05Hello\0\0\0\x06World", b"\0\0\0\0\0"] {
            assert_eq!(with(6, metadata), Violation::Metadata);
        }
        for count in [0, 1, 6, 8] {
            let message = Message::from(vec![Frame::new(); count]);
            assert_eq!(Reply::from_message(&message, "7"), Err(Violation::Frames { count }));
        }
    }

    #[test]
    fn libzmqs_numbers() {
        use Violation as V;
        let all =
            [V::Delimiter, V::Frames { count: 0 }, V::RequestId, V::Version, V::StatusCode, V::Metadata];
        assert_eq!(all.map(Violation::code), [0, 1, 2, 3, 4, 5].map(|n| 0x2000_0000 + n));
    }
}
