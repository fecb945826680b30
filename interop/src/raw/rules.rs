//! The socket types: whom a message goes to, and what is put before it (RFC 28 to 31; RFC 13 for publishers that
//! cannot be told what is wanted). No I/O, no threads.

use std::collections::VecDeque;

use super::frames::Framing;
use super::{Kind, Message, Version, greeting};

/// What may be set.
#[derive(Clone, Debug)]
pub struct Options {
    /// Told to whom we connect, and to whom connects.
    pub routing_id: Vec<u8>,
    /// Messages kept for each connection; `usize::MAX` for no limit.
    pub send_limit: usize,
    /// Messages kept for the application.
    pub receive_limit: usize,
    /// A ROUTER refuses what it cannot deliver.
    pub mandatory: bool,
    /// A ROUTER gives a name to whoever comes with it last.
    pub handover: bool,
}

/// Why a socket does not do what it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Nobody has this name.
    Unroutable,
    /// Not in turn.
    State,
    /// The type cannot do it.
    Unsupported,
}

/// What becomes of a connection that has greeted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joined {
    /// It is one more.
    New,
    /// It takes the name, and the place, of this one.
    InsteadOf(u64),
    /// The socket does not want it.
    Unwanted,
}

/// One socket, without its connections' streams.
#[derive(Debug)]
pub struct Rules {
    kind: Kind,
    version: Version,
    framing: Framing,
    /// What was set.
    pub options: Options,
    lines: Vec<Line>,
    /// Counts the messages that went out in turns.
    turns: usize,
    inbox: VecDeque<Arrived>,
    /// What a SUB wants, as often as it said so.
    topics: Vec<Vec<u8>>,
    /// The connection that a REQ asked, or that a REP is asked by, with what stood before the question.
    asked: Option<(u64, Message)>,
}

/// An open connection.
#[derive(Debug)]
struct Line {
    number: u64,
    /// What a ROUTER calls it.
    name: Vec<u8>,
    /// Messages as bytes.
    outbox: VecDeque<Vec<u8>>,
    /// What the subscriber at the other end wants.
    topics: Vec<Vec<u8>>,
}

#[derive(Debug)]
struct Arrived {
    number: u64,
    name: Vec<u8>,
    message: Message,
}

impl Rules {
    /// A socket without connections.
    #[must_use]
    pub fn new(version: Version, kind: Kind) -> Rules {
        let options = Options {
            routing_id: Vec::new(),
            send_limit: 1000,
            receive_limit: 1000,
            mandatory: false,
            handover: false,
        };
        let (lines, inbox) = (Vec::new(), VecDeque::new());
        let framing = greeting::framing(version);
        Rules { kind, version, framing, options, lines, turns: 0, inbox, topics: Vec::new(), asked: None }
    }

    /// A connection has greeted; its name is the one given here, or what the peer says.
    pub fn join(&mut self, number: u64, given: Option<Vec<u8>>, identity: Vec<u8>) -> Joined {
        if self.kind == Kind::Pair && !self.lines.is_empty() {
            return Joined::Unwanted;
        }
        let mut name = given.unwrap_or(identity);
        if name.is_empty() {
            // Names that begin with zero are ours to give (RFC 28).
            name = [&[0], &(number as u32).to_be_bytes()[..]].concat();
        }
        let mut joined = Joined::New;
        let same = self.lines.iter().find(|line| line.name == name).map(|line| line.number);
        if let (Kind::Router, Some(old)) = (self.kind, same) {
            if !self.options.handover {
                return Joined::Unwanted;
            }
            self.leave(old);
            joined = Joined::InsteadOf(old);
        }
        let outbox = self.topics.iter().map(|topic| self.subscription(1, topic)).collect();
        self.lines.push(Line { number, name, outbox, topics: Vec::new() });
        joined
    }

    /// A connection is gone, and what was kept for it.
    pub fn leave(&mut self, number: u64) {
        self.lines.retain(|line| line.number != number);
    }

    /// Whether a connection is there.
    #[must_use]
    pub fn is_there(&self, number: u64) -> bool {
        self.lines.iter().any(|line| line.number == number)
    }

    /// The bytes that wait for a connection, all of them.
    pub fn take_outbox(&mut self, number: u64) -> Vec<u8> {
        let line = self.lines.iter_mut().find(|line| line.number == number);
        line.map(|line| line.outbox.drain(..).collect::<Vec<_>>().concat()).unwrap_or_default()
    }

    /// Whether nothing waits for any connection.
    #[must_use]
    pub fn is_flushed(&self) -> bool {
        self.lines.iter().all(|line| line.outbox.is_empty())
    }

    /// Whether there is no room for what arrives.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.inbox.len() >= self.options.receive_limit
    }

    /// A message has arrived.
    pub fn deliver(&mut self, number: u64, message: Message) {
        let Some(line) = self.lines.iter_mut().find(|line| line.number == number) else { return };
        match self.kind {
            Kind::Push => {}
            // Publishers of version 1.0 are told nothing (RFC 13: "a subscriber SHALL NOT send any content").
            Kind::Pub if self.version == Version::One => {}
            Kind::Pub => match message.first().and_then(|frame| frame.split_first()) {
                // A set for each peer. RFC 23 would count; but libzmq's subscribers count themselves, and send one end for
                // any number of beginnings.
                Some((1, topic)) if !line.topics.iter().any(|held| held == topic) => {
                    line.topics.push(topic.to_vec());
                }
                Some((0, topic)) => remove_one(&mut line.topics, topic),
                _ => {}
            },
            Kind::Sub if !wants(&self.topics, &message) => {}
            _ => {
                let name = line.name.clone();
                self.inbox.push_back(Arrived { number, name, message });
            }
        }
    }

    /// Sends a message; `false` when there is no room now.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn send(&mut self, mut message: Message) -> Result<bool, Refusal> {
        match self.kind {
            Kind::Sub | Kind::Pull => Err(Refusal::Unsupported),
            Kind::Pair | Kind::Push | Kind::Dealer => Ok(self.send_in_turn(&message).is_some()),
            Kind::Req if self.asked.is_some() => Err(Refusal::State),
            Kind::Req => {
                message.insert(0, Vec::new());
                self.asked = self.send_in_turn(&message).map(|number| (number, Message::new()));
                Ok(self.asked.is_some())
            }
            Kind::Rep => {
                let (number, envelope) = self.asked.take().ok_or(Refusal::State)?;
                let bytes = self.framing.message(&[envelope, message].concat());
                // Whoever asked and is gone wants no answer.
                if let Some(line) = self.lines.iter_mut().find(|line| line.number == number) {
                    line.outbox.push_back(bytes);
                }
                Ok(true)
            }
            Kind::Pub => {
                let bytes = self.framing.message(&message);
                for line in &mut self.lines {
                    let wanted = self.version == Version::One || wants(&line.topics, &message);
                    if wanted && line.outbox.len() < self.options.send_limit {
                        line.outbox.push_back(bytes.clone());
                    }
                }
                Ok(true)
            }
            Kind::Router => self.send_by_name(&message),
        }
    }

    fn send_by_name(&mut self, message: &[Vec<u8>]) -> Result<bool, Refusal> {
        let Some((name, rest)) = message.split_first() else { return Ok(true) };
        let Options { send_limit, mandatory, .. } = self.options;
        match self.lines.iter_mut().find(|line| line.name == *name) {
            None if mandatory => Err(Refusal::Unroutable),
            Some(line) if line.outbox.len() < send_limit => {
                line.outbox.push_back(self.framing.message(rest));
                Ok(true)
            }
            // Room is waited for only by who insists; else the message is dropped (RFC 28).
            Some(_) => Ok(!mandatory),
            None => Ok(true),
        }
    }

    /// The next connection in turn that has room gets the message; its number.
    fn send_in_turn(&mut self, message: &[Vec<u8>]) -> Option<u64> {
        let count = self.lines.len();
        let first = self.turns;
        let nth = (0..count).map(|n| (first + n) % count);
        let limit = self.options.send_limit;
        let nth = nth.into_iter().find(|nth| self.lines[*nth].outbox.len() < limit)?;
        self.turns = nth + 1;
        self.lines[nth].outbox.push_back(self.framing.message(message));
        Some(self.lines[nth].number)
    }

    /// Receives a message, if one is there.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn recv(&mut self) -> Result<Option<Message>, Refusal> {
        match (self.kind, &self.asked) {
            (Kind::Push | Kind::Pub, _) => return Err(Refusal::Unsupported),
            (Kind::Req, None) | (Kind::Rep, Some(_)) => return Err(Refusal::State),
            _ => {}
        }
        while let Some(Arrived { number, name, mut message }) = self.inbox.pop_front() {
            match self.kind {
                Kind::Router => message.insert(0, name),
                Kind::Rep => {
                    // What has no delimiter is no question, and discarded (RFC 28).
                    let Some(end) = message.iter().position(Vec::is_empty) else { continue };
                    let question = message.split_off(end + 1);
                    self.asked = Some((number, message));
                    message = question;
                }
                Kind::Req => {
                    let due = self.asked.as_ref().is_some_and(|(asked, _)| *asked == number);
                    if !due || !message.first().is_some_and(Vec::is_empty) {
                        continue;
                    }
                    message.remove(0);
                    self.asked = None;
                }
                _ => {}
            }
            return Ok(Some(message));
        }
        Ok(None)
    }

    /// A SUB wants what begins with this.
    ///
    /// # Errors
    /// [`Refusal::Unsupported`] by any other type.
    pub fn subscribe(&mut self, topic: &[u8]) -> Result<(), Refusal> {
        self.tell_topic(1, topic)?;
        self.topics.push(topic.to_vec());
        Ok(())
    }

    /// A SUB takes one such wish back; publishers hear of the last only, because a set does not count.
    ///
    /// # Errors
    /// As [`Rules::subscribe`].
    pub fn unsubscribe(&mut self, topic: &[u8]) -> Result<(), Refusal> {
        remove_one(&mut self.topics, topic);
        if self.topics.iter().any(|held| held == topic) { Ok(()) } else { self.tell_topic(0, topic) }
    }

    fn tell_topic(&mut self, mark: u8, topic: &[u8]) -> Result<(), Refusal> {
        if self.kind != Kind::Sub {
            return Err(Refusal::Unsupported);
        }
        let bytes = self.subscription(mark, topic);
        for line in &mut self.lines {
            line.outbox.push_back(bytes.clone());
        }
        Ok(())
    }

    /// The message that tells a publisher about a topic (RFC 15, 23); nothing in version 1.0.
    fn subscription(&self, mark: u8, topic: &[u8]) -> Vec<u8> {
        match self.version {
            Version::One => Vec::new(),
            Version::Two | Version::Three => self.framing.message(&[[&[mark], topic].concat()]),
        }
    }
}

fn wants(topics: &[Vec<u8>], message: &[Vec<u8>]) -> bool {
    let first = message.first().map_or(&[][..], |frame| &frame[..]);
    topics.iter().any(|topic| first.starts_with(topic))
}

/// Subscriptions count where they are made: each is taken back once (RFC 23).
fn remove_one(topics: &mut Vec<Vec<u8>>, topic: &[u8]) {
    if let Some(at) = topics.iter().position(|held| held == topic) {
        topics.remove(at);
    }
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
