//! A queue of [`Traffic`] of which a long one takes little more memory than the bytes in it.
//!
//! Packed, the most common item, a message of one short frame, is a record: the bytes that it has on the wire. The records
//! follow each other in chunks of 16 KiB, so many of them are a [`Run`]. Every other item is stored whole in a separate
//! list, and a record marks its place in the order.
//!
//! The queues of a connection pack every item ([`TrafficQueue::packed`]): messages come from the stream and go to it as
//! runs. Other queues store the first 1000 items whole, because that is fastest between two threads of one process, and
//! pack those after them.
//!
//! A long queue is never copied to become longer, and its memory is freed as it is read. For the same reason the list
//! of whole items is divided into sections of 1024.

use std::collections::VecDeque;

use crate::frame::{Framing, Header};
use crate::message::INLINE;
use crate::run::{self, Run};
use crate::{Frame, Message, Next, Traffic};

/// The most items that are kept whole: as many as a pipe holds by default. The rest is packed.
const NEAR: usize = 1000;

/// Bytes of a chunk.
const CHUNK: usize = run::MOST;

/// The first size of a queue's first chunk, in bytes. The chunk grows with its content, because many queues never hold
/// much.
const FIRST: usize = 256;

/// A queue of up to this many chunks is not long.
const FEW: usize = 16;

/// The most items in a section of whole items. (An append may join two sections only up to this length.)
const MANY: usize = 1024;

/// The record of an item that is stored whole. No header of a frame begins with this byte.
const WHOLE: u8 = u8::MAX;

/// A queue of traffic, first in, first out.
///
/// ```
/// use zeroxide_zmtp::{Message, Traffic};
/// use zeroxide_zmtp::queue::TrafficQueue;
/// let mut queue = TrafficQueue::new();
/// queue.push(Traffic::Message(Message::from("hello")));
/// assert_eq!(queue.pop(), Some(Traffic::Message(Message::from("hello"))));
/// assert_eq!(queue.pop(), None);
/// ```
#[derive(Debug, Default)]
pub struct TrafficQueue {
    /// The first items, whole: a queue that is not long moves no bytes.
    near: VecDeque<Traffic>,
    /// The items after them.
    far: Option<Box<Packed>>,
    /// No item is stored in `near`, and `far` keeps its memory when it is empty.
    packs: bool,
}

impl TrafficQueue {
    /// Creates an empty queue. It allocates nothing until it is used.
    #[must_use]
    pub fn new() -> TrafficQueue {
        TrafficQueue::default()
    }

    /// Creates an empty queue that packs every item. Short messages can be added and taken as a [`Run`].
    #[must_use]
    pub fn packed() -> TrafficQueue {
        TrafficQueue { packs: true, ..TrafficQueue::default() }
    }

    /// Adds a copy of a message of one frame of at most [`run::LONGEST`] bytes, without its peer. Returns `false` and
    /// changes nothing if the message is another one, or if the queue does not pack every item.
    #[inline]
    pub fn push_copy(&mut self, message: &Message) -> bool {
        let Some(frame) = message.only_frame().filter(|frame| self.packs && frame.len() <= run::LONGEST)
        else {
            return false;
        };
        let far = self.far.get_or_insert_default();
        far.len += 1;
        match frame.block() {
            Some((block, len)) => {
                far.make_room(2 + INLINE);
                far.tail.push_block(block, len);
            }
            None => {
                far.make_room(run::HEADER + frame.len());
                far.tail.push_body(frame);
            }
        }
        true
    }

    /// Adds the messages of a run at the end.
    pub fn push_run(&mut self, run: Run<'_>) {
        self.far.get_or_insert_default().push_run(run);
    }

    /// Calls `take` with the packed items at the front, in whose bytes a [`Run`] may be first. `take` returns the bytes and
    /// messages of the run that it has copied, and these are removed. Returns their number.
    #[inline]
    pub fn take_run(&mut self, take: impl FnOnce(&[u8]) -> (usize, usize)) -> usize {
        if !self.near.is_empty() {
            return 0;
        }
        self.far.as_mut().map_or(0, |far| far.take_run(take))
    }

    /// Returns the number of items.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.near.len() + self.far.as_ref().map_or(0, |far| far.len)
    }

    /// Returns whether there are no items.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.near.is_empty() && self.far.as_ref().is_none_or(|far| far.len == 0)
    }

    /// Adds an item at the end.
    #[inline]
    pub fn push(&mut self, traffic: Traffic) {
        if !self.packs && self.far.is_none() && self.near.len() < NEAR {
            self.near.push_back(traffic);
        } else {
            self.far.get_or_insert_default().push(traffic);
        }
    }

    /// Removes the first item and returns it.
    #[inline]
    pub fn pop(&mut self) -> Option<Traffic> {
        self.near.pop_front().or_else(|| self.pop_far())
    }

    /// Removes the first item, and puts it into `into` if it is a message.
    #[inline]
    pub fn pop_into(&mut self, into: &mut Message) -> Next {
        if self.near.is_empty() && self.far.as_mut().is_some_and(|far| far.pop_short(into)) {
            Next::Message
        } else {
            Next::of(self.pop(), into)
        }
    }

    fn pop_far(&mut self) -> Option<Traffic> {
        let far = self.far.as_mut()?;
        let traffic = far.pop();
        if far.len == 0 && !self.packs {
            self.far = None;
        }
        traffic
    }

    /// Moves all items of `other` to the end.
    pub fn append(&mut self, other: &mut TrafficQueue) {
        if !self.packs && self.far.is_none() && self.near.len() + other.near.len() <= NEAR {
            self.near.append(&mut other.near);
        } else {
            other.near.drain(..).for_each(|traffic| self.push(traffic));
        }
        match (&mut self.far, &mut other.far) {
            (Some(far), Some(more)) => far.append(more),
            (None, Some(_)) => std::mem::swap(&mut self.far, &mut other.far),
            (_, None) => {}
        }
        if !other.packs {
            other.far = None;
        }
    }

    /// Moves the items for which `wanted` returns true to the end of `taken`, in their order. It checks every item.
    pub fn extract(&mut self, wanted: impl Fn(&Traffic) -> bool, taken: &mut Vec<Traffic>) {
        let mut rest = Vec::new();
        self.by_ref()
            .for_each(|traffic| if wanted(&traffic) { &mut *taken } else { &mut rest }.push(traffic));
        rest.into_iter().for_each(|traffic| self.push(traffic));
    }

    /// Removes the last message for which `wanted` returns true, and returns it. It checks every item.
    pub fn take_last(&mut self, wanted: impl Fn(&Message) -> bool) -> Option<Message> {
        let is_wanted = |traffic: &Traffic| matches!(traffic, Traffic::Message(message) if wanted(message));
        let mut all: Vec<Traffic> = self.by_ref().collect();
        let taken = all.iter().rposition(is_wanted).map(|at| all.remove(at));
        all.into_iter().for_each(|traffic| self.push(traffic));
        taken.and_then(Traffic::into_message)
    }
}

/// The part of a long queue that is packed.
#[derive(Debug, Default)]
struct Packed {
    /// The chunk that `pop` reads.
    head: Chunk,
    between: VecDeque<Chunk>,
    /// The chunk that `push` writes to.
    tail: Chunk,
    len: usize,
    /// The whole items, in the order of their records: the section that `pop` reads. It is empty only if there is no
    /// other section.
    whole: VecDeque<Traffic>,
    /// The sections after `whole`.
    later: VecDeque<VecDeque<Traffic>>,
    /// An empty chunk, to be written to again.
    spare: Option<Chunk>,
}

#[derive(Debug, Default)]
struct Chunk {
    records: Vec<u8>,
    /// The number of bytes of `records` that are read.
    read: usize,
}

impl Packed {
    /// Adds an item at the end.
    fn push(&mut self, traffic: Traffic) {
        self.len += 1;
        self.make_room(2 + INLINE);
        if let Traffic::Message(message) = &traffic {
            if let Some((block, len)) = message.plain_block() {
                self.tail.push_block(block, len);
                // The message owns nothing, so the compiler need not generate code to drop it.
                std::mem::forget(traffic);
                return;
            }
        }
        self.tail.records.push(WHOLE);
        if self.later.is_empty() && self.whole.len() < MANY {
            self.whole.push_back(traffic);
        } else {
            self.push_later(traffic);
        }
    }

    /// Removes the first item and returns it.
    #[inline]
    fn pop(&mut self) -> Option<Traffic> {
        if self.len == 0 {
            return None;
        }
        self.len -= 1;
        if self.head.is_read() {
            self.leave_head();
        }
        let rest = self.head.unread();
        let Some((header, body)) = run::header(rest) else {
            self.head.read += 1;
            return self.pop_whole();
        };
        let frame = Frame::copy_prefix(rest.get(header..)?, body);
        self.head.read += header + body;
        Some(Traffic::Message(frame.into()))
    }

    fn push_run(&mut self, run: Run<'_>) {
        self.len += run.messages();
        self.make_room(run.bytes().len());
        self.tail.records.extend_from_slice(run.bytes());
    }

    #[inline]
    fn take_run(&mut self, take: impl FnOnce(&[u8]) -> (usize, usize)) -> usize {
        if self.len == 0 {
            return 0;
        }
        if self.head.is_read() {
            self.leave_head();
        }
        let (bytes, messages) = take(self.head.unread());
        self.head.read += bytes;
        self.len -= messages;
        messages
    }

    /// Removes the first item, if it is a short message, and puts it into `into`.
    #[inline]
    fn pop_short(&mut self, into: &mut Message) -> bool {
        let rest = self.head.unread();
        let Some((header, body)) = run::header(rest) else { return false };
        let Some(rest) = rest.get(header..) else { return false };
        into.set_prefix(rest, body);
        self.head.read += header + body;
        self.len -= 1;
        true
    }

    fn pop_whole(&mut self) -> Option<Traffic> {
        let traffic = self.whole.pop_front();
        if self.whole.is_empty() && self.later.capacity() > 0 {
            self.whole = self.later.pop_front().unwrap_or_default();
            if self.later.is_empty() {
                self.later = VecDeque::new();
            }
        }
        traffic
    }

    /// Moves all items of `other` to the end. At most half-empty chunks are copied.
    fn append(&mut self, other: &mut Packed) {
        self.len += std::mem::take(&mut other.len);
        other.head = self.append_chunk(std::mem::take(&mut other.head));
        for chunk in other.between.drain(..) {
            self.append_chunk(chunk);
        }
        other.tail = self.append_chunk(std::mem::take(&mut other.tail));
        self.append_section(&mut other.whole);
        for mut section in other.later.drain(..) {
            self.append_section(&mut section);
        }
    }

    /// Adds a whole item to the sections after the first.
    #[inline(never)]
    fn push_later(&mut self, traffic: Traffic) {
        match self.later.back_mut().filter(|last| last.len() < MANY) {
            Some(last) => last.push_back(traffic),
            None => self.later.push_back(VecDeque::from([traffic])),
        }
    }

    /// Appends a section: its items to the last section if they fit, else the section itself after the last.
    fn append_section(&mut self, section: &mut VecDeque<Traffic>) {
        let last = self.later.back_mut().unwrap_or(&mut self.whole);
        if last.len() + section.len() <= MANY {
            last.append(section);
        } else {
            self.later.push_back(std::mem::take(section));
        }
    }

    /// Makes room for more bytes of records.
    #[inline]
    fn make_room(&mut self, bytes: usize) {
        if self.tail.records.capacity() - self.tail.records.len() < bytes {
            self.find_room(bytes);
        }
    }

    /// Enlarges the tail if it is still small, else begins another chunk.
    #[cold]
    fn find_room(&mut self, bytes: usize) {
        if self.tail.records.len() + bytes <= CHUNK {
            return self.tail.grow(bytes);
        }
        let mut chunk = self.spare.take().unwrap_or_default();
        chunk.records.reserve_exact(bytes.max(CHUNK));
        if self.tail.is_read() {
            self.tail = chunk;
            return;
        }
        let full = std::mem::replace(&mut self.tail, chunk);
        self.between.push_back(full);
    }

    /// Replaces the head, which is read to its end, by the next chunk.
    #[cold]
    fn leave_head(&mut self) {
        self.head.clear();
        match self.between.pop_front() {
            Some(next) => {
                let read = std::mem::replace(&mut self.head, next);
                // A queue that is nearly empty keeps no more than the two chunks that it uses.
                self.spare = Some(read).filter(|_| !self.between.is_empty());
            }
            None => std::mem::swap(&mut self.head, &mut self.tail),
        }
        // The list of chunks of a long queue is freed with the last of them.
        if self.between.is_empty() && self.between.capacity() > FEW {
            self.between = VecDeque::new();
        }
    }

    /// Appends a chunk, or copies its records into the tail. Returns an empty chunk, with its memory if it is free to
    /// use again.
    fn append_chunk(&mut self, mut chunk: Chunk) -> Chunk {
        if self.tail.is_read() {
            std::mem::swap(&mut self.tail, &mut chunk);
        } else if self.tail.records.len() + chunk.records.len() <= CHUNK {
            self.tail.records.extend_from_slice(chunk.unread());
        } else {
            let full = std::mem::replace(&mut self.tail, chunk);
            self.between.push_back(full);
            return Chunk::default();
        }
        chunk.clear();
        chunk
    }
}

impl Iterator for TrafficQueue {
    type Item = Traffic;

    fn next(&mut self) -> Option<Traffic> {
        self.pop()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.len(), Some(self.len()))
    }
}

impl ExactSizeIterator for TrafficQueue {}

impl Chunk {
    /// Doubles the size of a small chunk, up to the size of all others, or makes room for so many bytes.
    fn grow(&mut self, bytes: usize) {
        let size = (2 * self.records.capacity()).clamp(FIRST, CHUNK);
        self.records.reserve_exact((size - self.records.len()).max(bytes));
    }

    /// Appends a record of a body that is not short.
    fn push_body(&mut self, body: &[u8]) {
        Framing::V2.write(Header::message(body.len(), false), &mut self.records);
        self.records.extend_from_slice(body);
    }

    /// Appends a record. The body is copied as a block of fixed size, which is faster, and the surplus is cut off.
    #[inline(always)]
    fn push_block(&mut self, block: &[u8; INLINE], len: u8) {
        let mut record = [0; 2 + INLINE];
        record[1] = len;
        record[2..].copy_from_slice(block);
        let end = self.records.len() + 2 + usize::from(len);
        self.records.extend_from_slice(&record);
        self.records.truncate(end);
    }

    #[inline]
    fn is_read(&self) -> bool {
        self.read == self.records.len()
    }

    /// Returns the records that are not read.
    #[inline]
    fn unread(&self) -> &[u8] {
        self.records.get(self.read..).unwrap_or_default()
    }

    /// Empties the chunk and keeps its memory.
    fn clear(&mut self) {
        self.records.clear();
        self.read = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(size: usize, n: usize) -> Traffic {
        Traffic::Message(Message::from(vec![n as u8; size]))
    }

    /// One of every kind, of a size that depends on its number.
    fn item(n: usize) -> Traffic {
        match n % 11 {
            0 => Traffic::Subscribe(Frame::from(&n.to_be_bytes())),
            1 => Traffic::Leave(Frame::new()),
            2 => Traffic::Message(Message::from([vec![1; n % 200], vec![2; 3]])),
            3 => Traffic::Message(Message::from("grouped").with_group("group")),
            4 => Traffic::Message(Message::new()),
            5 => message(n % 5000, n),
            _ => message(n % (INLINE + 2), n),
        }
    }

    fn popped(queue: &mut TrafficQueue) -> Vec<Traffic> {
        std::iter::from_fn(|| queue.pop()).collect()
    }

    #[test]
    fn it_is_first_in_first_out_whatever_is_in_it() {
        first_in_first_out(TrafficQueue::new());
        first_in_first_out(TrafficQueue::packed());
    }

    fn first_in_first_out(mut queue: TrafficQueue) {
        let mut model = VecDeque::new();
        for n in 0..if cfg!(miri) { 1500 } else { 20_000 } {
            match item(n) {
                Traffic::Message(message) if n % 5 == 0 && queue.push_copy(&message) => {}
                item => queue.push(item),
            }
            model.push_back(item(n));
            if n % 3 == 0 || n % 1000 > 900 {
                for _ in 0..=n % 4 {
                    assert_eq!(queue.pop(), model.pop_front());
                }
            }
            assert_eq!(queue.len(), model.len());
            assert_eq!(queue.is_empty(), model.is_empty());
        }
        assert_eq!(popped(&mut queue), Vec::from(model));
        assert_eq!(queue.pop(), None);
    }

    #[test]
    fn what_a_message_carries_beside_its_frames_is_kept() {
        let mut queue = TrafficQueue::new();
        queue.push(Traffic::Message(Message::from("a").with_group("g").with_routing_id(7)));
        let Some(Traffic::Message(message)) = queue.pop() else { panic!("it is a message") };
        assert_eq!((message.group(), message.routing_id()), (&b"g"[..], 7));
    }

    #[test]
    fn queues_append_in_order_at_any_fill() {
        for (a, b, read) in [(0, 5, 0), (5, 0, 0), (3, 900, 1), (900, 3, 700), (900, 900, 899), (1, 1, 1)] {
            let (mut left, mut right) = (TrafficQueue::new(), TrafficQueue::new());
            (0..a).for_each(|n| left.push(item(n)));
            (0..read).for_each(|_| drop(left.pop()));
            (0..=b).for_each(|n| right.push(item(n)));
            drop(right.pop());
            left.append(&mut right);
            assert!(right.is_empty() && right.pop().is_none());
            let expected: Vec<Traffic> = (read..a).chain(1..=b).map(item).collect();
            assert_eq!(left.len(), expected.len());
            assert_eq!(popped(&mut left), expected, "{a} {b} {read}");
            left.push(item(8));
            right.push(item(9));
            assert_eq!((left.pop(), right.pop()), (Some(item(8)), Some(item(9))));
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "thousands of messages, which take minutes")]
    fn many_small_appends_fill_chunks() {
        let mut queue = TrafficQueue::new();
        for n in 0..10_000 {
            let mut one = TrafficQueue::new();
            one.push(message(20, n));
            queue.append(&mut one);
        }
        let chunks = queue.far.unwrap().between.len();
        assert!(chunks < 2 * 10_000 * 21 / CHUNK, "{chunks} chunks");
    }

    #[test]
    fn the_last_of_the_wanted_is_taken_and_the_others_stay() {
        let mut queue = TrafficQueue::new();
        (0..1000).for_each(|n| queue.push(message(10, n % 10)));
        assert!(queue.take_last(|message| message[0][0] == 11).is_none());
        assert!(queue.take_last(|message| message[0][0] == 7).is_some());
        let rest: Vec<Traffic> = (0..1000).filter(|n| *n != 997).map(|n| message(10, n % 10)).collect();
        assert_eq!(popped(&mut queue), rest);
    }

    #[test]
    fn what_is_extracted_comes_in_order_and_the_rest_stays_in_order() {
        for mut queue in [TrafficQueue::new(), TrafficQueue::packed()] {
            (0..2000).for_each(|n| queue.push(item(n)));
            let messages: Vec<Traffic> = (0..2000).map(item).filter(Traffic::is_message).collect();
            let rest: Vec<Traffic> = (0..2000).map(item).filter(Traffic::is_control).collect();
            let mut taken = Vec::new();
            queue.extract(Traffic::is_control, &mut taken);
            assert_eq!(taken, rest);
            assert_eq!(popped(&mut queue), messages);
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "thousands of messages, which take minutes")]
    fn what_moves_in_whole_is_in_order_in_short_sections_which_are_freed() {
        let (mut queue, mut expected) = (TrafficQueue::new(), Vec::new());
        for count in [1, 700, 400, 1500, 5000, 2, 1] {
            let mut other = TrafficQueue::new();
            for n in 0..count {
                other.push(message(100 + n % 5, n));
                expected.push(message(100 + n % 5, n));
            }
            queue.append(&mut other);
            assert!(other.is_empty() && other.pop().is_none());
            queue.push(message(99, count));
            expected.push(message(99, count));
        }
        let far = queue.far.as_ref().unwrap();
        assert!(far.later.iter().all(|section| (1..=MANY).contains(&section.len())));
        assert!(far.later.len() > 4);
        assert_eq!(popped(&mut queue), expected);
        assert!(queue.far.is_none());
    }

    #[test]
    fn runs_come_out_as_they_went_in_and_end_before_what_is_stored_whole() {
        let mut queue = TrafficQueue::packed();
        let bodies = [0, 1, 64, 65, 255, 256, run::LONGEST, run::LONGEST + 1, 3];
        let sent: Vec<Message> = bodies.map(|size| Message::from(vec![7; size])).into();
        for message in &sent {
            assert_eq!(queue.push_copy(message), message.size() <= run::LONGEST);
            if message.size() > run::LONGEST {
                queue.push(message.clone().into());
            }
        }
        let mut wire = Vec::new();
        let mut take = |queue: &mut TrafficQueue| {
            queue.take_run(|bytes| {
                let (run, _) = Run::split(bytes, run::Room::new(usize::MAX, usize::MAX), |_| ());
                wire.extend_from_slice(run.bytes());
                (run.bytes().len(), run.messages())
            })
        };
        assert_eq!(take(&mut queue), 7);
        assert_eq!(take(&mut queue), 0, "the next is not part of a run");
        assert_eq!(queue.pop(), Some(sent[7].clone().into()));
        assert_eq!((take(&mut queue), take(&mut queue), queue.len()), (1, 0, 0));
        let (run, rest) = Run::split(&wire, run::Room::new(usize::MAX, usize::MAX), |_| ());
        let bodies: usize = sent.iter().map(Message::size).filter(|size| *size <= run::LONGEST).sum();
        assert_eq!((run.messages(), run.size(), rest.len()), (8, bodies, 0));
        queue.push_run(run);
        let expected = sent.iter().filter(|message| message.size() <= run::LONGEST).cloned();
        assert_eq!(popped(&mut queue), expected.map(Traffic::from).collect::<Vec<_>>());
    }

    #[test]
    fn a_packed_queue_copies_no_message_that_has_more_than_one_frame() {
        let mut queue = TrafficQueue::packed();
        assert!(!queue.push_copy(&("a", "b").into()) && !queue.push_copy(&Message::new()));
        assert!(!queue.push_copy(&Message::from("a").with_group("g")));
        assert!(!TrafficQueue::new().push_copy(&"a".into()));
        assert!(queue.is_empty());
    }

    #[test]
    fn it_is_filled_and_emptied_again_and_again() {
        let mut queue = TrafficQueue::new();
        for count in if cfg!(miri) { [1, 200, 3, 100, 300] } else { [1, 2000, 3, 1000, 5000] } {
            (0..count).for_each(|n| queue.push(item(n)));
            assert_eq!(popped(&mut queue), (0..count).map(item).collect::<Vec<_>>());
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "thousands of messages, which take minutes")]
    fn what_is_read_is_freed() {
        let mut queue = TrafficQueue::new();
        (0..100_000).for_each(|n| queue.push(message(64, n)));
        let chunks = |queue: &TrafficQueue| queue.far.as_ref().map_or(0, |far| far.between.len());
        assert!(chunks(&queue) > 300);
        assert_eq!(queue.by_ref().take(90_000).count(), 90_000);
        assert!(chunks(&queue) < 50);
        assert_eq!(popped(&mut queue).len(), 10_000);
        assert!(queue.far.is_none() && queue.near.capacity() <= 2 * NEAR);
    }

    #[test]
    fn what_is_not_much_is_kept_whole() {
        let mut queue = TrafficQueue::new();
        (0..NEAR).for_each(|n| queue.push(message(20, n)));
        assert!(queue.far.is_none());
        queue.push(message(20, 0));
        assert_eq!(queue.far.as_ref().unwrap().len, 1);
    }
}
