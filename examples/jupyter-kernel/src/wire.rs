//! Jupyter's messages: what the frames of a ZeroMQ message mean, and their signature.
//!
//! ```text
//! routing ids or a topic | <IDS|MSG> | signature | header | parent header | metadata | content | buffers
//! ```
//!
//! The signature is the HMAC-SHA256 of the four frames that follow it, in hexadecimal digits, under the key of the
//! connection file. Header and content are JSON.

use std::fmt;
use std::time::SystemTime;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use uuid::Uuid;
use zeroxide::{Frame, Message, RoutingId};

const DELIMITER: &[u8] = b"<IDS|MSG>";

/// A message from a front end, whose signature is right.
pub(crate) struct Request {
    /// The front end; its sockets for shell, control and stdin have the same routing id.
    pub(crate) front_end: RoutingId,
    /// Its `msg_type`.
    pub(crate) kind: String,
    /// The header, which goes back in whatever the request leads to.
    pub(crate) header: Value,
    pub(crate) content: Value,
}

/// Why a message is not a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BadMessage {
    /// It has no delimiter, or fewer frames than five after it.
    Frames,
    /// Its signature is not that of the key.
    Signature,
    /// A frame is not JSON, or the header has no type.
    Content,
}

impl fmt::Display for BadMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BadMessage::Frames => "a message without the frames of Jupyter's protocol",
            BadMessage::Signature => "a message with a wrong signature",
            BadMessage::Content => "a message that is not JSON, or has no type",
        })
    }
}

/// Signs messages, and checks signatures.
pub(crate) struct Session {
    /// `None` if the key is empty: then messages are not signed.
    mac: Option<Hmac<Sha256>>,
    id: String,
}

impl Session {
    pub(crate) fn new(key: &[u8]) -> Session {
        // HMAC takes keys of all lengths.
        let mac = if key.is_empty() { None } else { Hmac::new_from_slice(key).ok() };
        Session { mac, id: Uuid::new_v4().to_string() }
    }

    /// Reads what a ROUTER has received.
    pub(crate) fn read(&self, front_end: RoutingId, message: &Message) -> Result<Request, BadMessage> {
        let mut frames = message.iter().skip_while(|frame| frame[..] != *DELIMITER).skip(1);
        let mut next = || frames.next().ok_or(BadMessage::Frames);
        let (signature, signed) = (next()?, [next()?, next()?, next()?, next()?]);
        if let Some(mac) = &self.mac {
            let signature = hex::decode(signature).map_err(|_| BadMessage::Signature)?;
            // In a time that does not depend on where they differ.
            mac_of(mac, &signed).verify_slice(&signature).map_err(|_| BadMessage::Signature)?;
        }
        let read = |frame: &Frame| serde_json::from_slice(frame).map_err(|_| BadMessage::Content);
        let [header, _, _, content] = signed;
        let header: Value = read(header)?;
        let kind = header["msg_type"].as_str().ok_or(BadMessage::Content)?.to_owned();
        Ok(Request { front_end, kind, header, content: read(content)? })
    }

    /// Makes a message of this type, because of a request with this header.
    pub(crate) fn message(&self, kind: &str, parent: &Value, content: &Value) -> Message {
        let header = json!({
            "msg_id": Uuid::new_v4().to_string(),
            "session": self.id,
            "username": "kernel",
            "date": humantime::format_rfc3339_micros(SystemTime::now()).to_string(),
            "msg_type": kind,
            "version": "5.3",
        });
        let signed = [&header, parent, &json!({}), content].map(|value| Frame::from(value.to_string()));
        let signature = self.mac.as_ref().map_or_else(String::new, |mac| {
            hex::encode(mac_of(mac, &signed.each_ref()).finalize().into_bytes())
        });
        [Frame::copy_from(DELIMITER), signature.into()].into_iter().chain(signed).collect()
    }
}

fn mac_of(key: &Hmac<Sha256>, signed: &[&Frame]) -> Hmac<Sha256> {
    signed.iter().fold(key.clone(), |mac, frame| mac.chain_update(frame))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(session: &Session, message: &Message) -> Result<Request, BadMessage> {
        session.read(RoutingId::new("front end").unwrap(), message)
    }

    #[test]
    fn a_message_is_read_with_the_key_that_it_was_signed_with() {
        let session = Session::new(b"key");
        let message = session.message("execute_request", &json!({}), &json!({ "code": "1" }));
        let request = read(&session, &message).unwrap();
        assert_eq!((request.kind.as_str(), &request.content["code"]), ("execute_request", &json!("1")));
        assert_eq!(read(&Session::new(b"other"), &message).err(), Some(BadMessage::Signature));
        assert!(read(&Session::new(b""), &message).is_ok());
    }

    #[test]
    fn what_is_not_a_message_of_jupyter_is_refused() {
        let session = Session::new(b"key");
        let frames: Vec<Frame> = session.message("x", &json!({}), &json!({})).into_iter().collect();
        for length in 0..frames.len() {
            let message: Message = frames[..length].iter().cloned().collect();
            assert_eq!(read(&session, &message).err(), Some(BadMessage::Frames), "{length}");
        }
        let mut changed = frames;
        changed[5] = Frame::from("{ }");
        assert_eq!(read(&session, &changed.into()).err(), Some(BadMessage::Signature));
        let unsigned = Session::new(b"");
        let no_json: Message = ["<IDS|MSG>", "", "{", "{}", "{}", "{}"].into();
        assert_eq!(read(&unsigned, &no_json).err(), Some(BadMessage::Content));
    }

    /// Computed by Python: hmac.new(b"key", b"{}" * 4, "sha256").
    #[test]
    fn a_signature_is_what_other_programs_compute() {
        let mac = Session::new(b"key").mac.unwrap();
        let empty = Frame::from("{}");
        let signature = hex::encode(mac_of(&mac, &[&empty; 4]).finalize().into_bytes());
        assert_eq!(signature, "ca767b02c5bc061ed184a9a029e7f93a7f2f7ed4e8fe74120fc1212f0b008fa3");
    }
}
