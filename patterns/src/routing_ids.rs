//! Routing ids: the names of a ROUTER's peers (RFC 28 §ROUTER), and the table of those names.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt;
use std::hash::{Hash, Hasher};

use zeroxide_zmtp::{Frame, Message};

use crate::PipeId;
use crate::by_pipe::ByPipe;
use crate::seeded::Seeded;

/// The name of a peer of a ROUTER or STREAM: 1 to 255 bytes. Names that begin with a zero byte are made by the socket.
#[derive(Clone, PartialEq, Eq)]
pub struct RoutingId(Frame);

/// The longest routing id, in bytes (libzmq `ZMQ_ROUTING_ID`).
pub const MAX_ROUTING_ID: usize = 255;

impl RoutingId {
    /// Creates a routing id of 1 to [`MAX_ROUTING_ID`] bytes.
    ///
    /// # Errors
    /// Returns [`RoutingIdError`] for any other length.
    pub fn new(bytes: impl Into<Frame>) -> Result<RoutingId, RoutingIdError> {
        let mut frame = bytes.into();
        frame.share();
        match frame.len() {
            1..=MAX_ROUTING_ID => Ok(RoutingId(frame)),
            length => Err(RoutingIdError { length }),
        }
    }

    /// Copies the bytes that a caller gave as an id, for the refusal that repeats them. They may have any length, and
    /// are cut to 255.
    #[must_use]
    pub fn as_written(frame: &[u8]) -> RoutingId {
        RoutingId(Frame::copy_from(frame.get(..MAX_ROUTING_ID).unwrap_or(frame)))
    }

    /// Returns the bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the id as the first frame of a message to or from a ROUTER.
    #[must_use]
    pub fn to_frame(&self) -> Frame {
        self.0.clone()
    }
}

/// The error for an empty or too long routing id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoutingIdError {
    /// The number of bytes.
    pub length: usize,
}

impl fmt::Display for RoutingIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a routing id of {} bytes: allowed 1..{MAX_ROUTING_ID} bytes", self.length)
    }
}

impl std::error::Error for RoutingIdError {}

/// Orders by the bytes.
impl Ord for RoutingId {
    fn cmp(&self, other: &RoutingId) -> Ordering {
        self.0.cmp(&other.0)
    }
}

impl PartialOrd for RoutingId {
    fn partial_cmp(&self, other: &RoutingId) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Borrow<[u8]> for RoutingId {
    fn borrow(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl Hash for RoutingId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

/// Prints text in quotes if the bytes are printable, else hexadecimal digits: `"w7"`, `(hex 0001)`.
impl fmt::Display for RoutingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.as_bytes();
        if bytes.iter().all(|b| (0x20..0x7f).contains(b)) {
            return write!(f, "{:?}", String::from_utf8_lossy(bytes));
        }
        write!(f, "(hex ")?;
        bytes.iter().try_for_each(|b| write!(f, "{b:02x}"))?;
        write!(f, ")")
    }
}

impl fmt::Debug for RoutingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Returns whether an id is of the kind that only sockets make (RFC 28: "SHALL NOT start with a zero octet").
pub(crate) fn is_reserved(routing_id: &[u8]) -> bool {
    routing_id.first() == Some(&0)
}

/// The names of one socket's pipes.
///
/// Invariant: an id addresses at most one pipe. The id of a pipe that was set aside addresses none.
#[derive(Debug)]
pub(crate) struct RoutingTable {
    by_id: HashMap<RoutingId, PipeId, Seeded>,
    /// For each id, the last pipe that had it and was released from it, as long as that pipe exists.
    released: HashMap<RoutingId, PipeId, Seeded>,
    ids: ByPipe<Option<RoutingId>>,
    next: u32,
}

impl RoutingTable {
    /// Creates an empty table; `seed` makes hashes and automatic ids hard to guess.
    pub(crate) fn new(seed: u64) -> RoutingTable {
        let seeded = Seeded::new(seed);
        let next = seeded.number(0x1d);
        let released = HashMap::with_hasher(seeded.clone());
        RoutingTable { by_id: HashMap::with_hasher(seeded), released, ids: ByPipe::new(), next }
    }

    /// Returns the pipe that `id` addresses.
    #[inline]
    pub(crate) fn find(&self, id: &[u8]) -> Option<PipeId> {
        self.by_id.get(id).copied()
    }

    /// Returns the id of `pipe`, or `None` while it is anonymous.
    #[inline]
    pub(crate) fn id_of(&self, pipe: PipeId) -> Option<&RoutingId> {
        self.ids.get(pipe)?.as_ref()
    }

    /// Puts the id of `pipe` before a message that came from it. Returns `false` while the pipe is anonymous.
    #[inline]
    pub(crate) fn sign(&self, pipe: PipeId, message: &mut Message) -> bool {
        let Some(id) = self.id_of(pipe) else { return false };
        message.push_front(id.to_frame());
        true
    }

    /// Returns every pipe that can be addressed, in no order.
    pub(crate) fn pipes(&self) -> impl Iterator<Item = PipeId> {
        self.by_id.values().copied()
    }

    /// Names an anonymous pipe. The caller has checked that `id` is free.
    pub(crate) fn name(&mut self, pipe: PipeId, id: RoutingId) {
        self.by_id.insert(id.clone(), pipe);
        self.set(pipe, Some(id));
    }

    /// Gives an anonymous pipe the next automatic id: a zero byte and a counter (libzmq router.cpp).
    pub(crate) fn name_automatically(&mut self, pipe: PipeId) {
        let id = self.fresh();
        self.name(pipe, id);
    }

    /// Removes the name of `pipe`. Its input goes on under an automatic id, which does not address it.
    pub(crate) fn set_aside(&mut self, pipe: PipeId) {
        self.remove(pipe);
        let id = self.fresh();
        self.set(pipe, Some(id));
    }

    /// Releases `pipe` from its id: the id no longer addresses it, and another pipe can get it. The rest of its input
    /// goes on under the id.
    pub(crate) fn release(&mut self, pipe: PipeId) {
        let Some(id) = self.ids.get(pipe).and_then(Option::as_ref) else { return };
        if self.by_id.get(id) == Some(&pipe) {
            self.by_id.remove(id);
            self.released.insert(id.clone(), pipe);
        }
    }

    /// Returns the last pipe that was released from `id`, if it still exists.
    pub(crate) fn predecessor(&self, id: &[u8]) -> Option<PipeId> {
        self.released.get(id).copied()
    }

    /// Removes `pipe`.
    pub(crate) fn remove(&mut self, pipe: PipeId) {
        let Some(id) = self.ids.get_mut(pipe).and_then(Option::take) else { return };
        for table in [&mut self.by_id, &mut self.released] {
            if table.get(&id) == Some(&pipe) {
                table.remove(&id);
            }
        }
    }

    /// Returns the next free automatic id. Peers that announce ids of this kind only make it skip some.
    fn fresh(&mut self) -> RoutingId {
        loop {
            let mut bytes = [0; 5];
            bytes[1..].copy_from_slice(&self.next.to_be_bytes());
            self.next = self.next.wrapping_add(1);
            if self.find(&bytes).is_none() {
                return RoutingId(Frame::copy_from(&bytes));
            }
        }
    }

    fn set(&mut self, pipe: PipeId, id: Option<RoutingId>) {
        *self.ids.entry(pipe) = id;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_routing_id_has_1_to_255_bytes() {
        assert_eq!(RoutingId::new(""), Err(RoutingIdError { length: 0 }));
        assert!(RoutingId::new(vec![7; 255]).is_ok());
        let error = RoutingId::new(vec![7; 256]).unwrap_err();
        assert_eq!(error.to_string(), "a routing id of 256 bytes: allowed 1..255 bytes");
    }

    #[test]
    fn an_id_is_shown_as_text_or_as_hex() {
        assert_eq!(RoutingId::new("w7").unwrap().to_string(), r#""w7""#);
        assert_eq!(RoutingId::new(b"\0\x01").unwrap().to_string(), "(hex 0001)");
    }

    #[test]
    fn automatic_ids_are_a_zero_byte_and_a_counter_and_skip_what_is_taken() {
        let mut table = RoutingTable::new(1);
        table.next = u32::MAX;
        table.name(PipeId(9), RoutingId::new(&[0, 0, 0, 0, 0]).unwrap());
        table.name_automatically(PipeId(0));
        table.name_automatically(PipeId(1));
        assert_eq!(table.id_of(PipeId(0)).unwrap().as_bytes(), [0, 255, 255, 255, 255]);
        assert_eq!(table.id_of(PipeId(1)).unwrap().as_bytes(), [0, 0, 0, 0, 1]);
    }

    #[test]
    fn the_first_automatic_id_differs_from_seed_to_seed() {
        let first = |seed| RoutingTable::new(seed).next;
        assert_ne!(first(1), first(2));
        assert_eq!(first(1), first(1));
    }

    #[test]
    fn a_pipe_set_aside_cannot_be_addressed_and_frees_its_name() {
        let mut table = RoutingTable::new(1);
        let id = RoutingId::new("a").unwrap();
        table.name(PipeId(0), id.clone());
        table.set_aside(PipeId(0));
        let aside = table.id_of(PipeId(0)).unwrap().clone();
        assert_eq!((table.find(b"a"), table.find(aside.as_bytes())), (None, None));
        table.name(PipeId(1), id);
        table.remove(PipeId(0));
        assert_eq!(table.find(b"a"), Some(PipeId(1)));
        assert_eq!(table.pipes().count(), 1);
    }
}
