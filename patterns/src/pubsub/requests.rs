//! Subscription requests as applications see them: messages that begin with 01 (subscribe) or 00 (cancel), which
//! XSUB sends and XPUB receives (RFC 29; libzmq `ZMQ_XPUB`, `ZMQ_XSUB`).

use std::collections::VecDeque;
use std::collections::btree_map::{BTreeMap, Entry};

use zeroxide_zmtp::{Frame, Message};

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

/// Reports that wait to be received in the order in which the requests came.
pub(super) const REPORTS: Bound = Bound { count: 5_000, bytes: 2 << 20 };

/// Messages of peers that wait likewise before the pipes they come from are no longer read.
pub(super) const MESSAGES: Bound = Bound { count: 10_000, bytes: 4 << 20 };

/// How much may wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bound {
    pub(super) count: usize,
    bytes: usize,
}

/// What waits, against its bound.
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
/// Both are bounded, and no report waits in a pipe. One that finds no room is *late*: per topic only the difference is
/// kept between what the application will have been told and what is so; what came and went meanwhile is not told. So late
/// reports are bounded by the subscriptions that there are, and by those of which the application was told. When a message
/// finds no room its pipe is held back, message in hand.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    items: VecDeque<Item>,
    reports: Load,
    messages: Load,
    late: BTreeMap<LateKey, Late>,
    held_back: VecDeque<(Source, Message)>,
}

/// A topic, and in manual mode, where the application answers each peer, also who asks.
type LateKey = (Box<[u8]>, Option<Source>);

/// Reports that are due: subscriptions if positive, ends if negative.
#[derive(Debug)]
struct Late {
    due: i64,
    source: Source,
}

/// A request that the application is to hear of.
pub(super) struct Report<'a> {
    pub(super) source: Source,
    pub(super) kind: Kind,
    pub(super) topic: &'a [u8],
    /// Whether something is otherwise than it was; else it is the same again, which is not told late.
    pub(super) changes: bool,
    /// Whether each peer's requests are told apart (manual mode).
    pub(super) of_peer: bool,
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
    /// Takes a report. Answers how many reports the application will not get because of it.
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
                *late.get_mut() = Late { due: before + step, source: report.source };
                if late.get().due == 0 {
                    late.remove();
                }
                // Two that cancel out are told neither.
                if before.signum() == step { 0 } else { 2 }
            }
        }
    }

    /// Takes a message of a peer. `false`: its pipe is held back until [`Inbox::pop`] names it.
    pub(super) fn message(&mut self, source: Source, message: Message) -> bool {
        if self.messages.is_at(MESSAGES) {
            self.held_back.push_back((source, message));
            return false;
        }
        self.push(Item { source, body: Body::Message(Box::new(message)) });
        true
    }

    /// Takes the next item out. With it may come a pipe that is held back no longer.
    pub(super) fn pop(&mut self) -> Option<(Item, Option<Source>)> {
        let item = self.items.pop_front()?;
        let load = item.load(self);
        load.count -= 1;
        load.bytes -= item.size();
        if self.items.capacity() > 64 && self.items.len() < self.items.capacity() / 4 {
            self.items.shrink_to(self.items.len() * 2);
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

    /// Moves one late report behind the others. `false`: there is none.
    fn push_late(&mut self) -> bool {
        let Some(mut first) = self.late.first_entry() else { return false };
        let late = first.get_mut();
        let (source, kind) = (late.source, if late.due > 0 { Kind::Subscribe } else { Kind::Cancel });
        late.due -= late.due.signum();
        let item = Item::request(source, kind, &first.key().0);
        if first.get().due == 0 {
            first.remove();
        }
        self.push(item);
        true
    }

    fn push(&mut self, item: Item) {
        let load = item.load(self);
        load.count += 1;
        load.bytes += item.size();
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
