//! One key with its value, as clone sends it (RFC 12).

use std::time::Duration;

use uuid::Uuid;
use zeroxide::{Frame, Message};

/// A key with its value. An empty value says that the key is deleted.
///
/// On the wire it is five frames: the key, the sequence number in eight bytes, the id in 16 bytes, properties as lines
/// `name=value`, and the value. The key comes first, so that a SUB can subscribe to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name of the value.
    pub key: String,
    /// The number of the update among all updates of the server; 0 if the server has not seen it.
    pub sequence: u64,
    /// Tells two updates apart, whoever makes them.
    pub id: Uuid,
    /// How long the value is valid; for ever if it is `None`.
    pub ttl: Option<Duration>,
    /// The value.
    pub value: String,
}

impl Entry {
    /// Creates an update that no server has seen.
    #[must_use]
    pub fn new(key: impl Into<String>, value: impl Into<String>) -> Entry {
        Entry { key: key.into(), sequence: 0, id: Uuid::new_v4(), ttl: None, value: value.into() }
    }

    /// Returns the message of this entry.
    #[must_use]
    pub fn to_message(&self) -> Message {
        let properties = self.ttl.map(|ttl| format!("ttl={}\n", ttl.as_secs_f64())).unwrap_or_default();
        let (sequence, id) = (self.sequence.to_be_bytes(), self.id.into_bytes());
        let frames: [&[u8]; 5] =
            [self.key.as_bytes(), &sequence, &id, properties.as_bytes(), self.value.as_bytes()];
        Message::from(frames)
    }

    /// Returns the entry of a message; `None` if it is not one.
    #[must_use]
    pub fn from_message(message: Message) -> Option<Entry> {
        let [key, sequence, id, properties, value] = <[Frame; 5]>::try_from(message).ok()?;
        let seconds = properties.as_str().ok()?.lines().find_map(|line| line.strip_prefix("ttl="));
        Some(Entry {
            key: key.as_str().ok()?.to_owned(),
            sequence: u64::from_be_bytes(sequence[..].try_into().ok()?),
            id: Uuid::from_slice(&id).ok()?,
            ttl: seconds.and_then(|text| Duration::try_from_secs_f64(text.parse().ok()?).ok()),
            value: value.as_str().ok()?.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_survives_the_way_through_a_message() {
        let plain = Entry { sequence: 258, ..Entry::new("/a/b", "value") };
        let expiring = Entry { ttl: Some(Duration::from_millis(1500)), ..Entry::new("", "") };
        for entry in [plain, expiring] {
            assert_eq!(Entry::from_message(entry.to_message()), Some(entry));
        }
        let message = Entry { sequence: 258, ..Entry::new("k", "v") }.to_message();
        assert_eq!(message[1], [0, 0, 0, 0, 0, 0, 1, 2]);
    }

    #[test]
    fn what_is_no_entry_is_none() {
        assert_eq!(Entry::from_message("HUGZ".into()), None);
        assert_eq!(Entry::from_message(["k", "1", "id", "", "v"].into()), None);
    }
}
