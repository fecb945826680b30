//! XSUB and SUB: subscribe at every publisher, and receive from the publishers in turn (RFC 29).
//!
//! The socket stores its subscriptions, and sends them to each new publisher and again after each reconnection. A SUB
//! also filters received messages by its own subscriptions. An XSUB accepts every message, and its application
//! subscribes with messages, `01 topic` and `00 topic`.

use bytes::Bytes;
use zeroxide_zmtp::{Frame, Message, Traffic};

use super::requests::{self, Kind};
use crate::chosen::drop_frame;
use crate::distributor::Distributor;
use crate::fair_queue::FairQueue;
use crate::subscriptions::Topics;
use crate::upstream::Upstream;
use crate::{Cause, Origin, Pattern, PatternOptions, PipeId, Pipes, Refusal};

/// The pattern of XSUB, and of SUB, which is an XSUB that filters and cannot send.
#[derive(Debug)]
pub(crate) struct XSub {
    filters: bool,
    options: PatternOptions,
    topics: Topics,
    distributor: Distributor,
    queue: FairQueue,
    publishers: Upstream,
}

impl XSub {
    /// Creates an XSUB, or a SUB if it filters. Nothing is hashed, so the seed is not needed.
    #[must_use]
    pub(crate) fn new(filters: bool, _seed: u64) -> XSub {
        XSub {
            filters,
            options: PatternOptions::default(),
            topics: Topics::new(),
            distributor: Distributor::new(),
            queue: FairQueue::default(),
            publishers: Upstream::default(),
        }
    }

    /// Applies a request of the application, and forwards it to the publishers if that is required.
    fn request<P: Pipes>(&mut self, kind: Kind, topic: &[u8], pipes: &mut P) {
        let forward = match kind {
            // Duplicates are forwarded too, because a proxy's XPUB with XPUB_VERBOSE requires them.
            Kind::Subscribe => {
                self.topics.add(topic);
                true
            }
            Kind::Cancel => self.topics.remove(topic) || self.options.xsub_verbose_unsubscribe,
        };
        if !forward {
            return;
        }
        let mut frame = Frame::from(topic);
        frame.share();
        let say = match kind {
            Kind::Subscribe => Traffic::Subscribe,
            Kind::Cancel => Traffic::Cancel,
        };
        self.publishers.hearing().for_each(|publisher| pipes.signal(publisher, say(frame.clone())));
    }

    /// Sends every distinct topic to one publisher.
    fn tell_all<P: Pipes>(&self, pipe: PipeId, pipes: &mut P) {
        self.topics.for_each(|topic| pipes.signal(pipe, Traffic::Subscribe(Frame::from(topic))));
    }

    fn distribute<P: Pipes>(&mut self, message: &mut Message, pipes: &mut P) {
        if self.distributor.is_idle() {
            pipes.dropped(None, Cause::NoPeer);
        }
        self.distributor.commit(message, pipes);
    }
}

impl Pattern for XSub {
    fn configure(&mut self, options: &PatternOptions) {
        self.options = options.clone();
    }

    fn attached<P: Pipes>(&mut self, pipe: PipeId, _origin: &Origin, pipes: &mut P) -> Result<(), Refusal> {
        self.publishers.attach(pipe);
        self.distributor.attach(pipe);
        self.queue.attach(pipe);
        self.tell_all(pipe, pipes);
        Ok(())
    }

    fn established<P: Pipes>(&mut self, pipe: PipeId, _routing_id: &Bytes, pipes: &mut P) {
        if self.publishers.connect(pipe) {
            self.tell_all(pipe, pipes);
        }
    }

    fn lost<P: Pipes>(&mut self, pipe: PipeId, _pipes: &mut P) {
        self.publishers.lose(pipe);
    }

    fn detached<P: Pipes>(&mut self, pipe: PipeId, _pipes: &mut P) {
        self.publishers.detach(pipe);
        self.distributor.detach(pipe);
        self.queue.detach(pipe);
    }

    fn readable<P: Pipes>(&mut self, pipe: PipeId, _pipes: &mut P) {
        self.queue.readable(pipe);
    }

    fn writable(&mut self, pipe: PipeId) {
        self.distributor.writable(pipe);
    }

    /// Reserves room on every publisher, also for a request: whether it is one is known only with the last frame.
    fn route<P: Pipes>(&mut self, _first: &Frame, pipes: &mut P) -> Result<(), Refusal> {
        if self.filters {
            return Err(Refusal::NotSupported);
        }
        self.distributor.begin();
        self.distributor.choose_all();
        self.distributor.reserve(false, pipes)
    }

    fn commit<P: Pipes>(&mut self, message: &mut Message, pipes: &mut P) {
        if !requests::inspects(message, self.options.only_first_subscribe) {
            return self.distribute(message, pipes);
        }
        let mut rest = Message::new();
        for frame in std::mem::take(message) {
            match requests::parse(&frame) {
                Some((kind, topic)) => {
                    self.request(kind, topic, pipes);
                    drop_frame(frame, pipes);
                }
                None => rest.push_back(frame),
            }
        }
        *message = rest;
        if message.is_empty() {
            self.distributor.release(pipes);
        } else {
            self.distribute(message, pipes);
        }
    }

    fn recv<P: Pipes>(&mut self, pipes: &mut P, into: &mut Message) -> Result<Option<PipeId>, Refusal> {
        let filter = Filter::of(&self.topics, self.filters, &self.options);
        Ok(self.queue.recv(pipes, into, |_, message| filter.passes(message)))
    }

    fn held(&self) -> Vec<PipeId> {
        self.queue.held()
    }

    fn has_in<P: Pipes>(&mut self, pipes: &mut P) -> bool {
        let filter = Filter::of(&self.topics, self.filters, &self.options);
        self.queue.has_in(pipes, |_, message| filter.passes(message))
    }

    fn has_out<P: Pipes>(&mut self, _pipes: &mut P) -> bool {
        !self.filters
    }

    fn subscribe<P: Pipes>(&mut self, prefix: &[u8], pipes: &mut P) -> Result<(), Refusal> {
        if !self.filters {
            return Err(Refusal::NotSupported);
        }
        self.request(Kind::Subscribe, prefix, pipes);
        Ok(())
    }

    fn unsubscribe<P: Pipes>(&mut self, prefix: &[u8], pipes: &mut P) -> Result<(), Refusal> {
        if !self.filters {
            return Err(Refusal::NotSupported);
        }
        self.request(Kind::Cancel, prefix, pipes);
        Ok(())
    }

    fn first_topics(&self, most: usize) -> Vec<Bytes> {
        let mut first = Vec::new();
        self.topics.for_each_of(most, |topic| first.push(Bytes::copy_from_slice(topic)));
        first
    }

    fn topics(&self) -> usize {
        self.topics.len()
    }
}

/// The filter of a SUB. A publisher may send unsubscribed messages just after a subscription has ended, and over a
/// transport without subscriptions.
#[derive(Clone, Copy)]
struct Filter<'a> {
    topics: Option<&'a Topics>,
    invert: bool,
}

impl<'a> Filter<'a> {
    fn of(topics: &'a Topics, filters: bool, options: &PatternOptions) -> Filter<'a> {
        Filter { topics: filters.then_some(topics), invert: options.invert_matching }
    }

    #[inline]
    fn passes(self, message: &Message) -> bool {
        let Some(topics) = self.topics else { return true };
        topics.matches(message.first().map_or(&[], |topic| topic)) != self.invert
    }
}

#[cfg(test)]
#[path = "xsub_tests.rs"]
mod tests;
