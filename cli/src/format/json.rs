//! One JSON object for one message.

use serde::{Deserialize, Serialize};
use zeroxide::Message;

use super::lines::{digits, from_digits};

/// A message as JSON has it. The fields are written in this order.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Object {
    /// Seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    time: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    group: Option<Content>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    routing_id: Option<u32>,
    frames: Vec<Content>,
}

/// The bytes of a frame: text where they are UTF-8.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Hex { hex: String },
}

impl Content {
    fn of(bytes: &[u8]) -> Content {
        match std::str::from_utf8(bytes) {
            Ok(text) => Content::Text(text.to_owned()),
            Err(_) => Content::Hex { hex: digits(bytes) },
        }
    }

    fn into_bytes(self) -> Result<Vec<u8>, String> {
        match self {
            Content::Text(text) => Ok(text.into_bytes()),
            Content::Hex { hex } => from_digits(&hex),
        }
    }
}

/// Returns the object of a message, without a newline.
pub(super) fn write(message: &Message, time: f64) -> Result<String, String> {
    let object = Object {
        time: Some(time),
        group: Some(message.group()).filter(|group| !group.is_empty()).map(Content::of),
        routing_id: Some(message.routing_id()).filter(|number| *number != 0),
        frames: message.iter().map(|frame| Content::of(frame)).collect(),
    };
    serde_json::to_string(&object).map_err(|error| error.to_string())
}

/// Returns the message of an object. A time is allowed, so that what was written can be read.
pub(super) fn read(line: &[u8]) -> Result<Message, String> {
    let object: Object = serde_json::from_slice(line)
        .map_err(|error| format!("{error}; write {{\"frames\":[\"text\",{{\"hex\":\"00ff\"}}]}}"))?;
    if object.frames.is_empty() {
        return Err("a message has at least one frame".to_owned());
    }
    let frames: Vec<Vec<u8>> =
        object.frames.into_iter().map(Content::into_bytes).collect::<Result<_, _>>()?;
    let mut message = Message::from(frames).with_routing_id(object.routing_id.unwrap_or_default());
    if let Some(group) = object.group {
        message = message.with_group(group.into_bytes()?);
    }
    Ok(message)
}
