//! Subscription requests as applications see them: messages that begin with 01 (subscribe) or 00 (cancel), which
//! XSUB sends and XPUB receives (RFC 29; libzmq `ZMQ_XPUB`, `ZMQ_XSUB`).

use std::collections::VecDeque;

use zeroxide_zmtp::{Frame, Message};

use crate::PipeId;
use crate::downstream::Source;

/// What a frame asks for, when it is a request.
pub(super) fn parse(frame: &[u8]) -> Option<(Kind, &[u8])> {
    match frame.split_first()? {
        (0, topic) => Some((Kind::Cancel, topic)),
        (1, topic) => Some((Kind::Subscribe, topic)),
        _ => None,
    }
}

/// Whether a message has requests among its frames. With ONLY_FIRST_SUBSCRIBE a message whose first frame is none
/// is user data throughout.
pub(super) fn inspects(message: &Message, only_first: bool) -> bool {
    let frames = if only_first { 1 } else { message.len() };
    message.iter().take(frames).any(|frame| parse(frame).is_some())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Cancel,
    Subscribe,
}

/// Requests that may wait to be received before the pipes they come from are no longer read.
pub(super) const WAITING: usize = 10_000;

/// The bytes of requests and messages that may wait likewise.
pub(super) const WAITING_BYTES: usize = 4 << 20;

/// What an XPUB has for its application: requests to report, and messages of its peers, in order.
///
/// Bounded: while it is full, pipes are put off instead of read. Only the end of a peer adds to a full one; that
/// costs less than the subscriptions which ended with it.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    items: VecDeque<Item>,
    bytes: usize,
    put_off: VecDeque<PipeId>,
}

#[derive(Debug)]
pub(super) struct Item {
    /// Where it came from.
    pub(super) source: Source,
    pub(super) body: Body,
}

#[derive(Debug)]
pub(super) enum Body {
    /// The request as the application sees it, its first byte included. Not a `Frame`, which is three times as
    /// large: a departing peer may leave a million of them.
    Request(Box<[u8]>),
    Message(Box<Message>),
}

impl Inbox {
    pub(super) fn push_request(&mut self, source: Source, kind: Kind, topic: &[u8]) {
        let bytes = [&[kind as u8], topic].concat().into_boxed_slice();
        self.push(Item { source, body: Body::Request(bytes) });
    }

    pub(super) fn push_message(&mut self, source: Source, message: Message) {
        self.push(Item { source, body: Body::Message(Box::new(message)) });
    }

    pub(super) fn pop(&mut self) -> Option<Item> {
        let item = self.items.pop_front()?;
        self.bytes -= item.size();
        if self.items.capacity() > 64 && self.items.len() < self.items.capacity() / 4 {
            self.items.shrink_to(self.items.len() * 2);
        }
        Some(item)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.items.len() >= WAITING || self.bytes >= WAITING_BYTES
    }

    /// Remembers a pipe that was not read because the inbox is full.
    pub(super) fn put_off(&mut self, pipe: PipeId) {
        if !self.put_off.contains(&pipe) {
            self.put_off.push_back(pipe);
        }
    }

    /// The pipes to read now that were put off: some once the inbox is half empty.
    pub(super) fn resume(&mut self) -> VecDeque<PipeId> {
        if self.items.len() <= WAITING / 2 && self.bytes <= WAITING_BYTES / 2 {
            return std::mem::take(&mut self.put_off);
        }
        VecDeque::new()
    }

    /// Forgets that a pipe was put off.
    pub(super) fn forget(&mut self, pipe: PipeId) {
        self.put_off.retain(|put_off| *put_off != pipe);
    }

    fn push(&mut self, item: Item) {
        self.bytes += item.size();
        self.items.push_back(item);
    }
}

impl Item {
    fn size(&self) -> usize {
        match &self.body {
            Body::Request(bytes) => bytes.len(),
            Body::Message(message) => message.size(),
        }
    }
}

impl Body {
    pub(super) fn into_message(self) -> Message {
        match self {
            Body::Request(bytes) => Message::from(Frame::from(bytes)),
            Body::Message(message) => *message,
        }
    }
}
