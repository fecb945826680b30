//! Encodes messages to bytes, and queues the bytes to be written.
//!
//! An [`Outbox`] holds one staging buffer with everything small, in order, and references to the large bodies in
//! between. Only this module turns a subscription into a command or a message, as the peer's version requires.

use std::collections::VecDeque;
use std::io::IoSlice;

use crate::frame::{Framing, Header};
use crate::mechanism::secret;
use crate::message::INLINE;
use crate::run::{self, Room, Run};
use crate::{Frame, Message, Traffic, Version};

/// Bodies of up to this many bytes are copied into the staging buffer; larger ones are referenced.
pub const COPY_LIMIT: usize = run::LONGEST;

/// Written bytes at the head of the staging buffer are removed when there are at least this many and they are at least
/// half of the buffer.
const COMPACT: usize = 64 * 1024;

/// The form of traffic on the wire: the version of ZMTP, or `None` for a raw connection.
pub(crate) type Wire = Option<Version>;

/// The bytes to be written, in order.
///
/// [`Connection`](crate::connection::Connection) fills it. The owner of the stream empties it: it takes
/// [`Outbox::io_slices`], writes them, and passes the number of written bytes to [`Outbox::advance`].
#[derive(Debug, Default)]
pub struct Outbox {
    staging: Vec<u8>,
    /// Bytes of `staging` already written.
    head: usize,
    bodies: VecDeque<Body>,
    /// The position of the end of each message that is not yet counted as written.
    ends: Vec<u64>,
    /// How many of `ends` are counted.
    counted: usize,
    /// Bytes of referenced bodies and of removed staging since the outbox was last empty. A position counts bytes from
    /// that time; the end of the queue is at `staging.len() + beside`.
    beside: u64,
    written: u64,
    /// The position of the end of the last message that is no longer in `ends`.
    dropped: u64,
    garbage: Vec<Frame>,
    /// Bytes of all bodies that were referenced, since the outbox was created.
    referenced: u64,
}

/// A referenced body.
#[derive(Debug)]
struct Body {
    /// The body comes before this byte of the staging buffer.
    at: usize,
    frame: Frame,
    written: usize,
}

impl Outbox {
    /// Creates an empty outbox. It allocates nothing until it is used.
    #[must_use]
    pub fn new() -> Outbox {
        Outbox::default()
    }

    /// Returns whether every byte is written.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.end() == self.written
    }

    /// Returns the number of bytes not yet written. (Frames that share their bytes may come to more than memory has.)
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        usize::try_from(self.end() - self.written).unwrap_or(usize::MAX)
    }

    /// Returns the number of messages whose last byte is not yet written.
    #[must_use]
    #[inline]
    pub fn unwritten_messages(&self) -> usize {
        self.ends.len() - self.counted
    }

    /// Returns the bytes, framing included, of the message that is written in part.
    #[must_use]
    pub fn cut(&self) -> Option<u64> {
        let end = *self.ends.get(self.counted)?;
        let begin =
            self.counted.checked_sub(1).and_then(|last| self.ends.get(last)).copied().unwrap_or(self.dropped);
        (self.written > begin).then(|| end - begin)
    }

    /// Returns the bytes of all bodies that were referenced instead of copied, since the outbox was created.
    #[must_use]
    pub fn referenced(&self) -> u64 {
        self.referenced
    }

    /// Fills `slices` with what is to be written next, at most `quantum` bytes (at least one). Returns the number of
    /// filled slices.
    ///
    /// ```
    /// # use std::io::IoSlice;
    /// # let outbox = zeroxide_zmtp::encoder::Outbox::new();
    /// let mut slices = [IoSlice::new(&[]); 64];
    /// let filled = outbox.io_slices(&mut slices, 61_440);
    /// let slices = &slices[..filled]; // to sendmsg
    /// # assert!(slices.is_empty());
    /// ```
    pub fn io_slices<'a>(&'a self, slices: &mut [IoSlice<'a>], quantum: usize) -> usize {
        let mut filled = 0;
        let mut left = quantum.max(1);
        let mut add = |bytes: &'a [u8]| {
            let bytes = bytes.get(..left).unwrap_or(bytes);
            if let (false, Some(slot)) = (bytes.is_empty(), slices.get_mut(filled)) {
                *slot = IoSlice::new(bytes);
                filled += 1;
                left -= bytes.len();
            }
            left > 0 && filled < slices.len()
        };
        let mut at = self.head;
        #[expect(clippy::indexing_slicing, reason = "a wrong place must not become wrong bytes on the wire")]
        for body in &self.bodies {
            if !add(&self.staging[at..body.at]) || !add(&body.frame[body.written..]) {
                return filled;
            }
            at = body.at;
        }
        add(self.staging.get(at..).unwrap_or_default());
        filled
    }

    /// Takes note that the first `written` bytes are written. Returns the number of messages that this completed.
    pub fn advance(&mut self, written: usize) -> usize {
        debug_assert!(written <= self.len(), "more bytes written than there were");
        let mut left = written.min(self.len());
        self.written += left as u64;
        loop {
            let stop = self.bodies.front().map_or(self.staging.len(), |body| body.at);
            let step = left.min(stop - self.head);
            self.head += step;
            left -= step;
            let Some(body) = self.bodies.front_mut() else { break };
            let step = left.min(body.frame.len() - body.written);
            body.written += step;
            left -= step;
            if self.head < stop || body.written < body.frame.len() {
                break;
            }
            let finished = self.bodies.pop_front();
            self.garbage.extend(finished.map(|body| body.frame).filter(Frame::is_shared));
        }
        let counted = self.counted;
        let newly = self.ends.iter().skip(counted).take_while(|end| **end <= self.written).count();
        self.counted += newly;
        self.tidy();
        newly
    }

    /// Removes the last encoded message from the count of messages: [`Outbox::advance`] does not count it.
    pub fn disown(&mut self) {
        if self.ends.len() > self.counted {
            self.ends.pop();
        }
    }

    /// Takes the shared frames that are no longer needed. Dropping one may run code of the application, so drop them
    /// where no lock is held.
    #[must_use]
    pub fn take_garbage(&mut self) -> Vec<Frame> {
        std::mem::take(&mut self.garbage)
    }

    /// Drops everything that is not written, because the connection is over. Shared frames go to
    /// [`Outbox::take_garbage`].
    pub fn clear(&mut self) {
        self.garbage.extend(self.bodies.drain(..).map(|body| body.frame).filter(Frame::is_shared));
        *self = Outbox { garbage: self.take_garbage(), referenced: self.referenced, ..Outbox::default() };
    }

    /// Overwrites the written bytes, if all are written: a handshake may have contained a password.
    pub fn wipe(&mut self) {
        if self.is_empty() {
            secret::wipe(&mut self.staging);
        }
    }

    /// Appends bytes that are not a message: greeting, handshake, heartbeat.
    pub(crate) fn stage(&mut self, bytes: &[u8]) {
        secret::append(&mut self.staging, bytes);
    }

    /// Appends one item.
    #[inline]
    pub(crate) fn push(&mut self, wire: Wire, traffic: Traffic) {
        if let Traffic::Message(message) = &traffic {
            if let (true, Some((block, len))) = (wire >= Some(Version::V2_0), message.single_block()) {
                self.stage_block(block, len);
                self.finish_message();
                return;
            }
        }
        self.push_any(wire, traffic);
    }

    /// Appends the run at the beginning of `records`, until the outbox has `quantum` bytes. Returns the number of bytes and of
    /// messages that it has appended.
    pub(crate) fn push_run(&mut self, records: &[u8], quantum: usize) -> (usize, usize) {
        let bytes = quantum.saturating_sub(self.len());
        let room = Room { messages: usize::MAX, bytes, body: run::LONGEST };
        let begin = self.end();
        let (run, _) = Run::split(records, room, |end| self.ends.push(begin + end as u64));
        self.staging.extend_from_slice(run.bytes());
        (run.bytes().len(), run.messages())
    }

    /// Appends a short frame. It is copied as a block of fixed size, which is faster, and the surplus is cut off.
    #[inline]
    fn stage_block(&mut self, block: &[u8; INLINE], len: u8) {
        let mut frame = [0; 2 + INLINE];
        frame[1] = len;
        frame[2..].copy_from_slice(block);
        let end = self.staging.len() + 2 + usize::from(len);
        self.staging.extend_from_slice(&frame);
        self.staging.truncate(end);
    }

    #[inline(never)]
    fn push_any(&mut self, wire: Wire, traffic: Traffic) {
        match traffic {
            Traffic::Message(message) => self.push_message(wire, message),
            Traffic::Subscribe(topic) => self.push_subscription(wire, 1, b"\x09SUBSCRIBE", topic),
            Traffic::Cancel(topic) => self.push_subscription(wire, 0, b"\x06CANCEL", topic),
            Traffic::Join(group) => self.push_membership(wire, b"\x04JOIN", group),
            Traffic::Leave(group) => self.push_membership(wire, b"\x05LEAVE", group),
            Traffic::NextConnection => {}
        }
    }

    /// Returns the buffer for everything small.
    #[cfg(feature = "curve")]
    pub(crate) fn staging(&mut self) -> &mut Vec<u8> {
        &mut self.staging
    }

    /// Drops a frame, or keeps it for [`Outbox::take_garbage`] if it is shared.
    pub(crate) fn dispose(&mut self, frame: Frame) {
        if frame.is_shared() {
            self.garbage.push(frame);
        }
    }

    /// Drops an item, but keeps its shared frames for [`Outbox::take_garbage`].
    pub(crate) fn discard(&mut self, traffic: Traffic) {
        match traffic {
            Traffic::Message(message) => self.garbage.extend(message.into_iter().filter(Frame::is_shared)),
            Traffic::Subscribe(name) | Traffic::Cancel(name) | Traffic::Join(name) | Traffic::Leave(name) => {
                self.dispose(name);
            }
            Traffic::NextConnection => {}
        }
    }

    fn push_message(&mut self, wire: Wire, message: Message) {
        let mut frames = message.into_iter();
        while let Some(frame) = frames.next() {
            if let Some(version) = wire {
                let header = Header::message(frame.len(), frames.len() > 0);
                Framing::of(version).write(header, &mut self.staging);
            }
            self.push_body(frame);
        }
        self.finish_message();
    }

    /// Appends a subscription (RFC 37 §3.4.2): a command for ZMTP 3.1, a message that begins with 1 or 0 for older
    /// peers.
    fn push_subscription(&mut self, wire: Wire, verb: u8, name: &[u8], topic: Frame) {
        match wire {
            None => return self.discard(Traffic::Subscribe(topic)),
            Some(Version::V3_1) => {
                Framing::V2.write(Header::command(name.len() + topic.len()), &mut self.staging);
                self.stage(name);
            }
            Some(version) => {
                Framing::of(version).write(Header::message(1 + topic.len(), false), &mut self.staging);
                self.staging.push(verb);
            }
        }
        self.push_body(topic);
    }

    /// Appends a JOIN or LEAVE (RFC 48), a command for ZMTP 3.0 as well (libzmq `dish_session_t`). Older versions have
    /// no commands and no RADIO.
    fn push_membership(&mut self, wire: Wire, name: &[u8], group: Frame) {
        if wire < Some(Version::V3_0) {
            return self.dispose(group);
        }
        Framing::V2.write(Header::command(name.len() + group.len()), &mut self.staging);
        self.stage(name);
        self.push_body(group);
    }

    /// Appends a body: by reference if it is large, else a copy.
    pub(crate) fn push_body(&mut self, frame: Frame) {
        if frame.len() > COPY_LIMIT {
            self.beside += frame.len() as u64;
            self.referenced += frame.len() as u64;
            self.bodies.push_back(Body { at: self.staging.len(), frame, written: 0 });
        } else {
            self.staging.extend_from_slice(&frame);
            self.dispose(frame);
        }
    }

    /// Marks what was appended since the last call as one message.
    #[inline]
    pub(crate) fn finish_message(&mut self) {
        self.ends.push(self.end());
    }

    /// Returns the position of the end of the queue.
    #[inline]
    fn end(&self) -> u64 {
        self.staging.len() as u64 + self.beside
    }

    /// Removes what is written: at once if that is everything, which costs nothing, else only when it frees much.
    fn tidy(&mut self) {
        if self.is_empty() {
            self.staging.clear();
            self.ends.clear();
            (self.head, self.counted, self.beside, self.written, self.dropped) = (0, 0, 0, 0, 0);
        } else if self.head >= COMPACT && self.head >= self.staging.len() / 2 {
            self.staging.drain(..self.head);
            self.dropped = self.ends.drain(..self.counted).next_back().unwrap_or(self.dropped);
            self.bodies.iter_mut().for_each(|body| body.at -= self.head);
            self.beside += self.head as u64;
            (self.head, self.counted) = (0, 0);
        }
    }
}

#[cfg(test)]
#[path = "encoder_tests.rs"]
mod tests;
