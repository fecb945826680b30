//! Runs: many short messages as one piece of bytes.

/// The longest body of a message in a run, in bytes. A longer one is cheaper to move than to copy.
pub const LONGEST: usize = 2048;

/// Bytes of the longest header in a run.
pub(crate) const HEADER: usize = 9;

/// The most bytes of a run that a queue keeps in one piece.
pub(crate) const MOST: usize = 16 * 1024;

/// Messages of one frame of at most [`LONGEST`] bytes each, one behind the other, as they are on the wire from ZMTP 2.0 on
/// (RFC 23, `short-frame` and `long-frame`). A run moves from the stream to a queue and from a queue to the stream without a
/// look at its messages, except to count them.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    bytes: &'a [u8],
    messages: usize,
    size: usize,
}

/// How much a run may have.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// Messages.
    pub messages: usize,
    /// The number of bytes that ends the run: its last message may begin before it and end after it.
    pub bytes: usize,
    /// Bytes of one body.
    pub(crate) body: usize,
}

impl Room {
    /// Room for this many messages, and this many bytes or 16 KiB, whichever is less.
    #[must_use]
    pub fn new(messages: usize, bytes: usize) -> Room {
        Room { messages, bytes: bytes.min(MOST - HEADER - LONGEST), body: LONGEST }
    }
}

impl<'a> Run<'a> {
    /// Returns the run at the beginning of `bytes`, and the bytes after it. Calls `each` with the end of each message.
    #[inline]
    pub(crate) fn split(bytes: &'a [u8], room: Room, mut each: impl FnMut(usize)) -> (Run<'a>, &'a [u8]) {
        let (mut rest, mut end, mut messages, mut bodies) = (bytes, 0, 0, 0);
        while messages < room.messages && end < room.bytes {
            let Some((header, body)) = header(rest).filter(|(_, body)| *body <= room.body) else { break };
            let size = usize::saturating_add(header, body);
            let Some(after) = rest.get(size..) else { break };
            rest = after;
            end = usize::saturating_add(end, size);
            messages = usize::saturating_add(messages, 1);
            bodies = usize::saturating_add(bodies, body);
            each(end);
        }
        (Run { bytes: bytes.get(..end).unwrap_or(bytes), messages, size: bodies }, rest)
    }

    /// Returns the bytes, headers included.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Returns the number of messages.
    #[must_use]
    pub fn messages(&self) -> usize {
        self.messages
    }

    /// Returns the size of the bodies, in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// Returns whether there is no message.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.messages == 0
    }
}

/// Returns the lengths of the header at the beginning of `bytes` and of the body that it announces, if it is that of a
/// message of one frame of at most [`LONGEST`] bytes.
#[inline]
pub(crate) fn header(bytes: &[u8]) -> Option<(usize, usize)> {
    match bytes {
        [0, len, ..] => Some((2, usize::from(*len))),
        [2, 0, 0, 0, 0, 0, 0, high, low, ..] => {
            let len = usize::from(u16::from_be_bytes([*high, *low]));
            (len <= LONGEST).then_some((HEADER, len))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(bytes: &[u8], room: Room) -> (usize, usize) {
        let (run, rest) = Run::split(bytes, room, |_| ());
        assert_eq!(run.bytes().len() + rest.len(), bytes.len());
        (run.messages(), run.bytes().len())
    }

    #[test]
    fn a_run_ends_before_what_is_not_a_whole_short_message() {
        let short = [0, 2, 7, 7];
        let all = Room::new(usize::MAX, usize::MAX);
        let more = |next: &[u8]| messages(&[&short[..], &short, next].concat(), all);
        assert_eq!(more(&[]), (2, 8));
        for next in
            [&[0][..], &[0, 3, 1, 2], &[1, 0], &[4, 0], &[2, 0, 0], &[255], &[2, 0, 0, 0, 0, 0, 0, 8, 1]]
        {
            assert_eq!(more(next), (2, 8), "{next:?}");
        }
        assert_eq!(more(&[2, 0, 0, 0, 0, 0, 0, 0, 1, 9]), (3, 18), "a long header of a short body is legal");
        assert_eq!(messages(&[&[2, 0, 0, 0, 0, 0, 0, 8, 0][..], &[1; 2048]].concat(), all), (1, 2057));
    }

    #[test]
    fn a_run_ends_where_its_room_ends() {
        let bytes = [0, 1, 7].repeat(10);
        for (room, expected) in [
            (Room::new(4, usize::MAX), (4, 12)),
            (Room::new(usize::MAX, 4), (2, 6)),
            (Room::new(usize::MAX, 0), (0, 0)),
            (Room { body: 0, ..Room::new(9, 9) }, (0, 0)),
        ] {
            assert_eq!(messages(&bytes, room), expected);
        }
    }
}
