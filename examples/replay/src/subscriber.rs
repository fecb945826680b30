//! The side that looks for gaps, and asks.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use zeroxide::{Error, Frame, Message, Poller, Ready, Result, Socket};

use crate::wire::{END, GAP, MESSAGE, Mark, split};

/// The most messages of a topic that wait for an earlier one. Those beyond are dropped here, and asked for later.
const MOST_AHEAD: usize = 10_000;

/// What a [`Subscriber`] receives. For each topic the numbers of messages and gaps follow each other without a hole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The next message of a topic.
    Message {
        /// Its topic.
        topic: Frame,
        /// Its number.
        number: u64,
        /// Its frames.
        message: Message,
    },
    /// The publisher no longer has these messages: they are lost.
    Gap {
        /// Their topic.
        topic: Frame,
        /// The number of the first one.
        first: u64,
        /// The number of the message that comes next.
        next: u64,
    },
    /// The publisher began anew, and counts from 0 again. Messages of its earlier run from `next` on, if there were any, are lost.
    Restarted {
        /// The topic.
        topic: Frame,
        /// The number of the message that was to come next.
        next: u64,
    },
}

/// Receives each message of its topics once and in order, or the report of what is lost.
#[derive(Debug)]
pub struct Subscriber {
    live: Socket,
    replay: Socket,
    poller: Poller,
    topics: Vec<Topic>,
    check: Duration,
    events: VecDeque<Event>,
}

#[derive(Debug)]
struct Topic {
    name: Frame,
    /// The run of the publisher, once something came from it.
    run: Option<u64>,
    /// The number of the next message.
    next: u64,
    /// Later messages.
    ahead: BTreeMap<u64, Message>,
    /// When something came from the publisher, or a question was asked.
    heard: Instant,
    /// A question is not answered yet.
    asking: bool,
}

impl Subscriber {
    /// Subscribes to these topics, each with all that the publisher still has. `live` is a SUB and `replay` a DEALER; both are
    /// connected by the caller. While nothing comes for the time `check`, it asks whether something was lost.
    ///
    /// # Errors
    /// Returns the errors of [`Socket::subscribe`] and [`Poller::add`].
    pub fn new<T: Into<Frame>>(
        live: Socket,
        replay: Socket,
        topics: impl IntoIterator<Item = T>,
        check: Duration,
    ) -> Result<Subscriber> {
        let mut poller = Poller::new();
        poller.add(&live, 0, Ready::IN)?;
        poller.add(&replay, 1, Ready::IN)?;
        let mut all = Vec::new();
        for name in topics.into_iter().map(Into::into) {
            live.subscribe(&name)?;
            all.push(Topic::new(name));
        }
        let mut subscriber = Subscriber { live, replay, poller, topics: all, check, events: VecDeque::new() };
        subscriber.topics.iter_mut().for_each(|topic| topic.ask(&subscriber.replay));
        Ok(subscriber)
    }

    /// Returns the next event; waits for it at most for `limit`, and returns `None` then.
    ///
    /// # Errors
    /// Returns the errors of [`Socket::recv`].
    pub fn recv(&mut self, limit: Duration) -> Result<Option<Event>> {
        let end = Instant::now() + limit;
        loop {
            while let Some(message) = received(&self.live)? {
                self.take_live(message);
            }
            while let Some(answer) = received(&self.replay)? {
                self.take_answer(answer);
            }
            let now = Instant::now();
            if !self.events.is_empty() || now >= end {
                return Ok(self.events.pop_front());
            }
            for topic in &mut self.topics {
                if now.saturating_duration_since(topic.heard) >= self.check {
                    topic.ask(&self.replay);
                }
            }
            self.poller.wait(&mut Vec::new(), Some((end - now).min(self.check)))?;
        }
    }

    fn take_live(&mut self, message: Message) {
        // A subscription brings longer topics, too.
        let Some((name, mark, message)) = split(message) else { return };
        let Some(topic) = self.topics.iter_mut().find(|topic| topic.name == name) else { return };
        topic.take(mark, message, &mut self.events);
        if topic.misses() && !topic.asking {
            topic.ask(&self.replay);
        }
    }

    fn take_answer(&mut self, mut answer: Message) {
        let Some(kind) = answer.pop_front() else { return };
        let Some((name, mark, message)) = split(answer) else { return };
        let Some(topic) = self.topics.iter_mut().find(|topic| topic.name == name) else { return };
        if kind == MESSAGE {
            topic.take(mark, message, &mut self.events);
        } else if topic.is_of_this_run(mark.run, &mut self.events) {
            if kind == GAP {
                topic.give_up(mark.number, &mut self.events);
            }
            topic.asking = kind != END;
            // An answer may be a part of what is missing.
            if kind == END && topic.next < mark.number {
                topic.ask(&self.replay);
            }
        }
    }
}

/// Returns the next message if there is one now.
fn received(socket: &Socket) -> Result<Option<Message>> {
    match socket.try_recv() {
        Err(Error::WouldBlock(_)) => Ok(None),
        received => received.map(Some),
    }
}

impl Topic {
    fn new(name: Frame) -> Topic {
        let heard = Instant::now();
        Topic { name, run: None, next: 0, ahead: BTreeMap::new(), heard, asking: false }
    }

    /// Asks for everything from the next message on. If nobody takes the question, it is asked again later.
    fn ask(&mut self, replay: &Socket) {
        self.heard = Instant::now();
        self.asking = replay.try_send((self.name.clone(), Frame::from(&self.next.to_be_bytes()))).is_ok();
    }

    /// Takes a message, and hands out all that follow each other now.
    fn take(&mut self, mark: Mark, message: Message, events: &mut VecDeque<Event>) {
        if !self.is_of_this_run(mark.run, events) || mark.number < self.next {
            return;
        }
        self.ahead.insert(mark.number, message);
        self.hand_out(events);
        while self.ahead.len() > MOST_AHEAD {
            self.ahead.pop_last();
        }
    }

    /// Notes who publishes, and returns whether this is the present run of the publisher or a new one. Runs are numbered by time.
    fn is_of_this_run(&mut self, run: u64, events: &mut VecDeque<Event>) -> bool {
        self.heard = Instant::now();
        if self.run.is_some_and(|present| present < run) {
            events.push_back(Event::Restarted { topic: self.name.clone(), next: self.next });
            self.next = 0;
            self.asking = false;
            self.ahead.clear();
        }
        let present = *self.run.insert(self.run.unwrap_or(run).max(run));
        present == run
    }

    fn misses(&self) -> bool {
        !self.ahead.is_empty()
    }

    fn hand_out(&mut self, events: &mut VecDeque<Event>) {
        while let Some(message) = self.ahead.remove(&self.next) {
            events.push_back(Event::Message { topic: self.name.clone(), number: self.next, message });
            self.next += 1;
        }
    }

    /// The publisher has nothing before message `oldest` any more: reports what is missing before it.
    fn give_up(&mut self, oldest: u64, events: &mut VecDeque<Event>) {
        while self.next < oldest {
            let next = self.ahead.keys().next().map_or(oldest, |first| *first.min(&oldest));
            events.push_back(Event::Gap { topic: self.name.clone(), first: self.next, next });
            self.next = next;
            self.hand_out(events);
        }
    }
}
