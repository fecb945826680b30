//! Messages over raw bytes: what our STREAMs send, each message behind its length, and what they receive, cut anywhere.

use std::collections::BTreeMap;

use zeroxide::{Frame, Message, RoutingId};

/// The longest message of ours. What claims to be longer comes from somebody else.
const LONGEST: usize = 80_000;

/// The bytes of a message of one frame.
pub(crate) fn pack(message: &Message) -> Message {
    let frame = message.first().map(|frame| frame.to_vec()).unwrap_or_default();
    let length = (frame.len() as u32).to_be_bytes();
    Message::from(Frame::from([&length[..], &frame[..]].concat()))
}

/// The connections of a STREAM.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    by_id: BTreeMap<Vec<u8>, State>,
    /// How often one was asked for.
    turns: usize,
}

#[derive(Debug)]
enum State {
    /// With the beginning of a message that is not whole yet.
    Open(Vec<u8>),
    /// It is no STREAM of ours that sends.
    Foreign,
    Ended,
}

impl Connections {
    /// Takes what was received from a connection: its bytes, or nothing where it begins and where it ends. Returns the messages
    /// that are whole now.
    ///
    /// # Errors
    /// If there are bytes before the beginning or after the end, or more than one of each.
    pub(crate) fn take(&mut self, id: &[u8], bytes: &[u8]) -> Result<Vec<Message>, String> {
        match (self.by_id.get_mut(id), bytes) {
            (None, []) => {
                self.by_id.insert(id.to_vec(), State::Open(Vec::new()));
            }
            (None, _) => return Err(format!("{id:?}: {} bytes before the beginning", bytes.len())),
            (Some(State::Ended), _) => return Err(format!("{id:?}: {} bytes after the end", bytes.len())),
            (Some(state), []) => *state = State::Ended,
            (Some(State::Foreign), _) => {}
            (Some(State::Open(begun)), _) => {
                begun.extend(bytes);
                let messages = take_whole(begun);
                if length_of(begun).is_some_and(|length| length > LONGEST) {
                    self.by_id.insert(id.to_vec(), State::Foreign);
                }
                return Ok(messages);
            }
        }
        Ok(Vec::new())
    }

    /// One of the connections to our own, by turns.
    pub(crate) fn next(&mut self) -> Option<RoutingId> {
        self.turns += 1;
        let open: Vec<_> = self.by_id.iter().filter(|(_, state)| matches!(state, State::Open(_))).collect();
        let (id, _) = open.get(self.turns.checked_rem(open.len())?)?;
        Some(RoutingId::as_written(id))
    }
}

/// The length of the message that begins here.
fn length_of(bytes: &[u8]) -> Option<usize> {
    let length = bytes.get(..4)?.try_into().ok()?;
    Some(u32::from_be_bytes(length) as usize)
}

fn take_whole(bytes: &mut Vec<u8>) -> Vec<Message> {
    let mut messages = Vec::new();
    while let Some(frame) = length_of(bytes).and_then(|length| bytes.get(4..4 + length)) {
        messages.push(Message::from(frame));
        bytes.drain(..4 + frame.len());
    }
    messages
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(texts: &[&str]) -> Vec<u8> {
        let packed = texts.iter().map(|text| pack(&Message::from(*text)));
        packed.flat_map(|message| message.first().map(|frame| frame.to_vec()).unwrap_or_default()).collect()
    }

    #[test]
    fn messages_are_whole_again_wherever_their_bytes_are_cut() {
        let bytes = packed(&["one", "", "three"]);
        for at in 1..bytes.len() {
            let mut connections = Connections::default();
            assert_eq!(connections.take(b"id", b""), Ok(vec![]));
            let mut messages = connections.take(b"id", &bytes[..at]).unwrap_or_default();
            messages.extend(connections.take(b"id", &bytes[at..]).unwrap_or_default());
            assert_eq!(messages, ["one", "", "three"].map(Message::from), "cut at {at}");
        }
    }

    #[test]
    fn bytes_belong_to_a_connection_that_has_begun_and_not_ended() {
        let mut connections = Connections::default();
        assert!(connections.take(b"id", b"early").is_err());
        assert!(connections.take(b"id", b"").is_ok() && connections.take(b"id", b"").is_ok());
        assert!(connections.take(b"id", b"late").is_err() && connections.take(b"id", b"").is_err());
    }

    #[test]
    fn only_our_own_are_addressed_by_turns() {
        let mut connections = Connections::default();
        assert_eq!(connections.next(), None);
        for id in [b"a", b"b", b"c", b"d"] {
            assert!(connections.take(id, b"").is_ok());
        }
        assert!(connections.take(b"b", b"GET / HTTP/1.1").is_ok());
        assert!(connections.take(b"c", b"").is_ok());
        let turns = [(); 3].map(|()| connections.next().map(|id| id.as_bytes().to_vec()));
        assert_eq!(turns, [b"a", b"d", b"a"].map(|id| Some(id.to_vec())));
    }
}
