//! Subscription requests in the form for applications: messages that begin with 01 (subscribe) or 00 (cancel). XSUB
//! sends them and XPUB receives them (RFC 29; libzmq `ZMQ_XPUB`, `ZMQ_XSUB`).

use std::collections::VecDeque;
use std::collections::btree_map::{BTreeMap, Entry};

use zeroxide_zmtp::{Frame, Message};

use crate::downstream::Source;

/// Parses a frame. Returns the request, or `None` if the frame is not one.
pub(super) fn parse(frame: &[u8]) -> Option<(Kind, &[u8])> {
    match frame.split_first()? {
        (0, topic) => Some((Kind::Cancel, topic)),
        (1, topic) => Some((Kind::Subscribe, topic)),
        _ => None,
    }
}

/// Returns whether a message has requests among its frames. With ONLY_FIRST_SUBSCRIBE, a message whose first frame is
/// not a request is user data throughout.
pub(super) fn inspects(message: &Message, only_first: bool) -> bool {
    let frames = if only_first { 1 } else { message.len() };
    message.iter().take(frames).any(|frame| parse(frame).is_some())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Cancel,
    Subscribe,
}

/// The bound on the reports that wait to be received, in the order of the requests.
pub(super) const REPORTS: Bound = Bound { count: 5_000, bytes: 2 << 20 };

/// The bound on the messages of peers that wait to be received. Beyond it, their pipes are no longer read.
pub(super) const MESSAGES: Bound = Bound { count: 10_000, bytes: 4 << 20 };

/// The most that may wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bound {
    pub(super) count: usize,
    bytes: usize,
}

/// What waits now.
#[derive(Debug, Default)]
struct Load {
    count: usize,
    bytes: usize,
}

impl Load {
    fn is_at(&self, bound: Bound) -> bool {
        self.count >= bound.count || self.bytes >= bound.bytes
    }
}

/// What an XPUB has for its application: reports of requests, and messages of its peers, in order.
///
/// Both are bounded, and no report waits in a pipe. A report for which there is no room is *late*. For each topic only
/// one number is kept: the difference between what the application will have been told and the present state. Changes
/// that cancel out are not reported. So the number of late reports is bounded by the existing subscriptions and by
/// those that were reported. A message for which there is no room is kept, and its pipe is not read meanwhile.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    items: VecDeque<Item>,
    reports: Load,
    messages: Load,
    late: BTreeMap<LateKey, Late>,
    held_back: VecDeque<(Source, Message)>,
}

/// A topic, and in manual mode also the peer, because the application answers each peer there.
type LateKey = (Box<[u8]>, Option<Source>);

/// The number of reports that are due: positive for subscriptions, negative for ends.
#[derive(Debug)]
struct Late {
    due: i64,
    source: Source,
}

/// A request that is to be reported to the application.
pub(super) struct Report<'a> {
    pub(super) source: Source,
    pub(super) kind: Kind,
    pub(super) topic: &'a [u8],
    /// Whether the request changes something. One that changes nothing is not reported late.
    pub(super) changes: bool,
    /// Whether each peer's requests are reported separately (manual mode).
    pub(super) of_peer: bool,
}

#[derive(Debug)]
pub(super) struct Item {
    /// The pipe that it came from.
    pub(super) source: Source,
    pub(super) body: Body,
}

#[derive(Debug)]
pub(super) enum Body {
    /// The request in the form for the application, with its first byte. It is not a `Frame`, which is three times as
    /// large: a peer that leaves may cause a million of these.
    Request(Box<[u8]>),
    Message(Box<Message>),
}

impl Inbox {
    /// Adds a report. Returns how many reports the application will not get because of it.
    pub(super) fn report(&mut self, report: &Report) -> u64 {
        if self.late.is_empty() && !self.reports.is_at(REPORTS) {
            self.push(Item::request(report.source, report.kind, report.topic));
            return 0;
        }
        if !report.changes {
            return 1;
        }
        let key = (report.topic.into(), report.of_peer.then_some(report.source));
        let step = match report.kind {
            Kind::Subscribe => 1,
            Kind::Cancel => -1,
        };
        match self.late.entry(key) {
            Entry::Vacant(place) => {
                place.insert(Late { due: step, source: report.source });
                0
            }
            Entry::Occupied(mut late) => {
                let before = late.get().due;
                *late.get_mut() = Late { due: before.saturating_add(step), source: report.source };
                if late.get().due == 0 {
                    late.remove();
                }
                // Of two requests that cancel out, neither is reported.
                if before.signum() == step { 0 } else { 2 }
            }
        }
    }

    /// Adds a message of a peer. Returns `false` if its pipe must not be read until [`Inbox::pop`] returns it.
    pub(super) fn message(&mut self, source: Source, message: Message) -> bool {
        if self.messages.is_at(MESSAGES) {
            self.held_back.push_back((source, message));
            return false;
        }
        self.push(Item { source, body: Body::Message(Box::new(message)) });
        true
    }

    /// Takes the next item. Also returns a pipe that may be read again, if there is one.
    pub(super) fn pop(&mut self) -> Option<(Item, Option<Source>)> {
        let item = self.items.pop_front()?;
        let load = item.load(self);
        load.count = load.count.saturating_sub(1);
        load.bytes = load.bytes.saturating_sub(item.size());
        if self.items.capacity() > 64 && self.items.len() < self.items.capacity() / 4 {
            self.items.shrink_to(self.items.len().saturating_mul(2));
        }
        while !self.reports.is_at(REPORTS) && self.push_late() {}
        let mut released = None;
        if !self.messages.is_at(MESSAGES) {
            if let Some((source, message)) = self.held_back.pop_front() {
                self.push(Item { source, body: Body::Message(Box::new(message)) });
                released = Some(source);
            }
        }
        Some((item, released))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Returns where each message came from that waits here.
    pub(super) fn sources_of_messages(&self) -> impl Iterator<Item = Source> {
        let queued = self.items.iter().filter(|item| matches!(item.body, Body::Message(_)));
        queued.map(|item| item.source).chain(self.held_back.iter().map(|(source, _)| *source))
    }

    /// Moves one late report to the end of the queue. Returns `false` if there is none.
    fn push_late(&mut self) -> bool {
        let Some(mut first) = self.late.first_entry() else { return false };
        let late = first.get_mut();
        let (source, kind) = (late.source, if late.due > 0 { Kind::Subscribe } else { Kind::Cancel });
        late.due = late.due.saturating_sub(late.due.signum());
        let item = Item::request(source, kind, &first.key().0);
        if first.get().due == 0 {
            first.remove();
        }
        self.push(item);
        true
    }

    fn push(&mut self, item: Item) {
        let load = item.load(self);
        load.count = load.count.saturating_add(1);
        load.bytes = load.bytes.saturating_add(item.size());
        self.items.push_back(item);
    }
}

impl Item {
    fn request(source: Source, kind: Kind, topic: &[u8]) -> Item {
        Item { source, body: Body::Request([&[kind as u8], topic].concat().into_boxed_slice()) }
    }

    fn load<'a>(&self, inbox: &'a mut Inbox) -> &'a mut Load {
        match &self.body {
            Body::Request(_) => &mut inbox.reports,
            Body::Message(_) => &mut inbox.messages,
        }
    }

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
