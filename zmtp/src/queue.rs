//! A queue of [`Traffic`] of which a long one takes little more memory than the bytes in it.
//!
//! The first 1000 items are stored whole, because that is fastest: a message between two threads of one process takes
//! half the time. All items after them are packed. The most common item, a message of one short frame, is stored there as a
//! record of its length and its bytes. The records follow each other in chunks of 16 KiB. Every other item is stored whole
//! in a separate list, and a record marks its place in the order.
//!
//! A long queue is never copied to become longer, and its memory is freed as it is read. For the same reason the list
//! of whole items is divided into sections of 1024.

use std::collections::VecDeque;

use crate::message::INLINE;
use crate::{Frame, Message, Traffic};

/// The most items that are kept whole: as many as a pipe holds by default. The rest is packed.
const NEAR: usize = 1000;

/// Bytes of a chunk.
const CHUNK: usize = 16 * 1024;

/// The first size of a queue's first chunk, in bytes. The chunk grows with its content, because many queues never hold
/// much.
const FIRST: usize = 256;

/// A queue of up to this many chunks is not long.
const FEW: usize = 16;

/// The most items in a section of whole items. (An append may join two sections only up to this length.)
const MANY: usize = 1024;

/// The record of an item that is stored whole. Any other first byte of a record is the length of a body.
const WHOLE: u8 = u8::MAX;

const _: () = assert!(INLINE < WHOLE as usize);

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
    /// The items after them. Never empty.
    far: Option<Box<Packed>>,
}

impl TrafficQueue {
    /// Creates an empty queue. It allocates nothing until it is used.
    #[must_use]
    pub fn new() -> TrafficQueue {
        TrafficQueue::default()
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
        self.near.is_empty() && self.far.is_none()
    }

    /// Adds an item at the end.
    #[inline]
    pub fn push(&mut self, traffic: Traffic) {
        if self.far.is_none() && self.near.len() < NEAR {
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

    fn pop_far(&mut self) -> Option<Traffic> {
        let far = self.far.as_mut()?;
        let traffic = far.pop();
        if far.len == 0 {
            self.far = None;
        }
        traffic
    }

    /// Moves all items of `other` to the end.
    pub fn append(&mut self, other: &mut TrafficQueue) {
        if self.far.is_none() && self.near.len() + other.near.len() <= NEAR {
            self.near.append(&mut other.near);
        } else {
            other.near.drain(..).for_each(|traffic| self.push(traffic));
        }
        if let Some(mut more) = other.far.take() {
            match &mut self.far {
                Some(far) => far.append(&mut more),
                None => self.far = Some(more),
            }
        }
    }

    /// Removes the last message for which `wanted` returns true, and returns it. It checks every item.
    pub fn take_last(&mut self, wanted: impl Fn(&Message) -> bool) -> Option<Message> {
        let is_wanted = |traffic: &Traffic| matches!(traffic, Traffic::Message(message) if wanted(message));
        let all: Vec<Traffic> = std::iter::from_fn(|| self.pop()).collect();
        let at = all.iter().rposition(is_wanted);
        let mut taken = None;
        for (n, traffic) in all.into_iter().enumerate() {
            match traffic {
                Traffic::Message(message) if Some(n) == at => taken = Some(message),
                other => self.push(other),
            }
        }
        taken
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
        if self.tail.is_tight() {
            self.make_room();
        }
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
        let (first, rest) = self.head.records.get(self.head.read..)?.split_first()?;
        self.head.read += 1;
        if *first == WHOLE {
            return self.pop_whole();
        }
        let len = usize::from(*first);
        self.head.read += len;
        Some(Traffic::Message(Frame::copy_prefix(rest, len).into()))
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

    /// Makes room for another record: enlarges the tail if it is still small, else begins another chunk.
    #[cold]
    fn make_room(&mut self) {
        if self.tail.records.capacity() < CHUNK {
            return self.tail.grow();
        }
        let chunk = self.spare.take().unwrap_or_else(|| Chunk::with_room(CHUNK));
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
                self.spare =
                    Some(read).filter(|chunk| chunk.records.capacity() >= CHUNK).or(self.spare.take());
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
    fn with_room(bytes: usize) -> Chunk {
        Chunk { records: Vec::with_capacity(bytes), read: 0 }
    }

    /// Returns whether the chunk may have no room for another record.
    #[inline]
    fn is_tight(&self) -> bool {
        self.records.capacity() - self.records.len() < 1 + INLINE
    }

    /// Doubles the size of a small chunk, up to the size of all others.
    fn grow(&mut self) {
        let size = (2 * self.records.capacity()).clamp(FIRST, CHUNK);
        self.records.reserve_exact(size - self.records.len());
    }

    /// Appends a record. The body is copied as a block of fixed size, which is faster, and the surplus is cut off.
    #[inline(always)]
    fn push_block(&mut self, block: &[u8; INLINE], len: u8) {
        let end = self.records.len() + 1 + usize::from(len);
        self.records.push(len);
        self.records.extend_from_slice(block);
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
        let (mut queue, mut model) = (TrafficQueue::new(), VecDeque::new());
        for n in 0..if cfg!(miri) { 1500 } else { 20_000 } {
            queue.push(item(n));
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
