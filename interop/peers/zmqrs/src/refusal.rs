//! An answer that is not ok.

use zeromq::ZmqError;

/// An answer that is not ok: its code and a text.
pub(crate) struct Refusal {
    pub(crate) code: &'static str,
    pub(crate) text: String,
}

impl Refusal {
    pub(crate) fn usage(text: &str) -> Refusal {
        Refusal { code: "usage", text: text.to_owned() }
    }

    pub(crate) fn again(text: &str) -> Refusal {
        Refusal { code: "again", text: text.to_owned() }
    }
}

/// zmq.rs tells most causes apart only by their texts.
impl From<ZmqError> for Refusal {
    fn from(error: ZmqError) -> Refusal {
        let reason = match &error {
            ZmqError::ReturnToSender { reason, .. } | ZmqError::Other(reason) => reason,
            _ => "",
        };
        let code = match reason {
            // A socket of libzmq would wait for a peer.
            text if text.starts_with("Not connected") => "again",
            "Server disconnected" => "again",
            text if text.ends_with("in progress") => "state",
            "Destination client not found by identity" => "unroutable",
            _ => "other",
        };
        let text = error.to_string();
        // That a connection ended it tells whoever uses it next.
        let ended = text.contains("Broken pipe") || text.contains("Connection reset");
        Refusal { code: if ended { "again" } else { code }, text }
    }
}
