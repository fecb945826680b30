//! XPUB and PUB: send every message to the peers that have subscribed to a prefix of its first frame (RFC 29).
//!
//! A peer's subscriptions are applied as soon as they arrive, whatever the application does. (If an earlier message of
//! the same peer waits for room, they wait too.) An XPUB reports them as messages, `01 topic` and `00 topic`; a PUB
//! does not. A send does not wait: a peer at its high-water mark misses the message. With XPUB_NODROP, the send waits
//! for room instead.

use bytes::Bytes;
use zeroxide_zmtp::{Frame, Message, ProtocolError, Traffic};

use super::requests::{self, Body, Inbox, Kind, Report};
use crate::chosen::drop_frame;
use crate::distributor::Distributor;
use crate::downstream::{Downstream, Source};
use crate::subscriptions::{Added, Removed, Subscriptions};
use crate::{Origin, Pattern, PatternOptions, PipeId, Pipes, Refusal};

/// The pattern of XPUB, and of PUB, which is an XPUB that cannot receive.
#[derive(Debug)]
pub(crate) struct XPub {
    receives: bool,
    options: PatternOptions,
    subscriptions: Subscriptions,
    /// In manual mode, the subscriptions that the peers requested; `subscriptions` has those that the application set
    /// for them.
    asked: Subscriptions,
    distributor: Distributor,
    inbox: Inbox,
    downstream: Downstream,
    /// The peer of the request that was received last. In manual mode `subscribe` applies to it.
    asker: Option<Source>,
    /// With XPUB_MANUAL_LAST_VALUE, the peer that was subscribed last. The next message goes to that peer only.
    newcomer: Option<Source>,
}

impl XPub {
    /// Creates an XPUB, or a PUB if `receives` is false. Nothing is hashed, so the seed is not needed.
    #[must_use]
    pub(crate) fn new(receives: bool, _seed: u64) -> XPub {
        XPub {
            receives,
            options: PatternOptions::default(),
            subscriptions: Subscriptions::new(),
            asked: Subscriptions::new(),
            distributor: Distributor::new(),
            inbox: Inbox::default(),
            downstream: Downstream::default(),
            asker: None,
            newcomer: None,
        }
    }

    /// Returns whether manual mode is on. A PUB cannot receive requests to answer, so XPUB_MANUAL has no effect on it.
    fn is_manual(&self) -> bool {
        self.receives && (self.options.xpub_manual || self.options.xpub_manual_last_value)
    }

    fn reports_every_subscribe(&self) -> bool {
        self.options.xpub_verbose || self.options.xpub_verboser
    }

    /// Applies a peer's request (in manual mode, only records it), and reports it to the application if that is
    /// required.
    fn request<P: Pipes>(&mut self, pipe: PipeId, kind: Kind, topic: &[u8], pipes: &mut P) {
        if self.downstream.is_expelled(pipe) {
            return;
        }
        let (manual, verboser) = (self.is_manual(), self.options.xpub_verboser);
        let requests = if manual { &mut self.asked } else { &mut self.subscriptions };
        let room = requests.make_room(topic, pipe);
        if room.is_err_and(|fault| self.expel(pipe, fault, pipes)) {
            return;
        }
        let requests = if manual { &mut self.asked } else { &mut self.subscriptions };
        // As in libzmq, the end of a subscription that the peer does not hold is reported too.
        let (reports, changes) = match kind {
            Kind::Subscribe => match requests.add(topic, pipe) {
                Added::First => (true, true),
                Added::Another => (manual || self.reports_every_subscribe(), manual || verboser),
                Added::Again => (manual || self.reports_every_subscribe(), false),
            },
            Kind::Cancel => match requests.remove(topic, pipe) {
                Removed::Last => (true, true),
                Removed::OthersRemain => (manual || verboser, true),
                Removed::NotHeld => (true, false),
            },
        };
        if reports && self.receives {
            let source = self.downstream.source(pipe);
            pipes.unreported(self.inbox.report(&Report { source, kind, topic, changes, of_peer: manual }));
        }
        if kind == Kind::Subscribe {
            let requests = if self.is_manual() { &self.asked } else { &self.subscriptions };
            if let Some(fault) = requests.excess(pipe, &self.options) {
                self.expel(pipe, fault, pipes);
            }
        }
    }

    /// Ends the connection of a peer and its subscriptions. Returns `false` over inproc, where no limit applies.
    fn expel<P: Pipes>(&mut self, pipe: PipeId, fault: ProtocolError, pipes: &mut P) -> bool {
        let expelled = pipes.expel(pipe, fault);
        if expelled {
            self.forget(pipe, pipes);
            self.downstream.expel(pipe);
        }
        expelled
    }

    /// Ends all subscriptions of a peer, and reports that in the same way as its requests. Further requests of the pipe
    /// are accepted, even if the peer was expelled, because they may come from another peer.
    fn forget<P: Pipes>(&mut self, pipe: PipeId, pipes: &mut P) {
        self.downstream.readmit(pipe);
        let (source, manual) = (self.downstream.source(pipe), self.is_manual());
        let (receives, every) = (self.receives, self.options.xpub_verboser);
        let mut report = |topic: &[u8]| {
            let (kind, changes) = (Kind::Cancel, true);
            pipes.unreported(self.inbox.report(&Report { source, kind, topic, changes, of_peer: manual }));
        };
        self.subscriptions.remove_pipe(pipe, |topic, last| {
            if receives && !manual && (last || every) {
                report(topic);
            }
        });
        self.asked.remove_pipe(pipe, |topic, _| {
            if manual {
                report(topic);
            }
        });
    }

    /// Handles a message of a peer. The decoder has already recognised requests in messages of one frame. This function
    /// also handles several requests as the frames of one message, as libzmq does.
    fn user_message<P: Pipes>(&mut self, pipe: PipeId, mut message: Message, pipes: &mut P) {
        if message.len() > 1 && requests::inspects(&message, self.options.only_first_subscribe) {
            let mut rest = Message::new();
            rest.set_peer(message.peer().cloned());
            for frame in message {
                match requests::parse(&frame) {
                    Some((kind, topic)) => {
                        self.request(pipe, kind, topic, pipes);
                        drop_frame(frame, pipes);
                    }
                    None => rest.push_back(frame),
                }
            }
            if rest.is_empty() {
                return;
            }
            message = rest;
        }
        if self.receives {
            let has_room = self.inbox.message(self.downstream.source(pipe), message);
            self.downstream.hold_back(pipe, !has_room);
        } else {
            pipes.reject(pipe, message);
        }
    }
}

impl Pattern for XPub {
    fn configure(&mut self, options: &PatternOptions) {
        self.options = options.clone();
        self.newcomer = self.newcomer.filter(|_| options.xpub_manual_last_value);
    }

    fn attached<P: Pipes>(&mut self, pipe: PipeId, _origin: &Origin, pipes: &mut P) -> Result<(), Refusal> {
        self.distributor.attach(pipe);
        if let Some(welcome) = self.options.xpub_welcome_msg.clone().filter(|welcome| !welcome.is_empty()) {
            pipes.signal(pipe, Traffic::Message(Message::from(Frame::from(welcome))));
        }
        Ok(())
    }

    fn established<P: Pipes>(&mut self, pipe: PipeId, _routing_id: &Bytes, _pipes: &mut P) {
        self.downstream.up(pipe);
    }

    fn lost<P: Pipes>(&mut self, pipe: PipeId, _pipes: &mut P) {
        self.downstream.down(pipe);
    }

    fn ended<P: Pipes>(&mut self, pipe: PipeId, pipes: &mut P) {
        self.forget(pipe, pipes);
        self.downstream.down(pipe);
        self.downstream.expel(pipe);
    }

    fn detached<P: Pipes>(&mut self, pipe: PipeId, pipes: &mut P) {
        self.forget(pipe, pipes);
        // Another pipe may get the number. Unread requests of this one must not refer to that pipe.
        self.downstream.detach(pipe);
        self.distributor.detach(pipe);
    }

    fn readable<P: Pipes>(&mut self, pipe: PipeId, pipes: &mut P) {
        while !self.downstream.is_held_back(pipe) {
            let Some(traffic) = pipes.read(pipe) else { return };
            match traffic {
                Traffic::Subscribe(topic) => self.request(pipe, Kind::Subscribe, &topic, pipes),
                Traffic::Cancel(topic) => self.request(pipe, Kind::Cancel, &topic, pipes),
                Traffic::Message(message) => self.user_message(pipe, message, pipes),
                Traffic::NextConnection => self.forget(pipe, pipes),
                Traffic::Join(_) | Traffic::Leave(_) => {}
            }
        }
    }

    fn writable(&mut self, pipe: PipeId) {
        self.distributor.writable(pipe);
    }

    fn route<P: Pipes>(&mut self, first: &Frame, pipes: &mut P) -> Result<(), Refusal> {
        let newcomer = self.present(self.newcomer);
        let distributor = &mut self.distributor;
        distributor.begin();
        self.subscriptions.for_each_match(first, |pipe| distributor.choose(pipe));
        if self.options.invert_matching {
            distributor.invert();
        }
        if let Some(pipe) = newcomer {
            distributor.keep_only(pipe);
        }
        distributor.reserve(self.options.xpub_nodrop, pipes)
    }

    fn commit<P: Pipes>(&mut self, message: &mut Message, pipes: &mut P) {
        self.newcomer = None;
        if self.distributor.is_idle() {
            pipes.unmatched();
        }
        self.distributor.commit(message, pipes);
    }

    fn recv<P: Pipes>(&mut self, pipes: &mut P, into: &mut Message) -> Result<Option<PipeId>, Refusal> {
        if !self.receives {
            return Err(Refusal::NotSupported);
        }
        let Some((item, released)) = self.inbox.pop() else { return Ok(None) };
        if let Some(Source { pipe, .. }) = released.filter(|source| self.downstream.is_present(*source)) {
            self.downstream.hold_back(pipe, false);
            self.readable(pipe, pipes);
            pipes.changed();
        }
        if matches!(item.body, Body::Request(_)) {
            self.asker = Some(item.source);
        }
        let pipe = if self.downstream.is_present(item.source) { item.source.pipe } else { PipeId::GONE };
        *into = item.body.into_message();
        Ok(Some(pipe))
    }

    fn has_in<P: Pipes>(&mut self, _pipes: &mut P) -> bool {
        !self.inbox.is_empty()
    }

    fn held(&self) -> Vec<PipeId> {
        let pipe =
            |source: Source| if self.downstream.is_present(source) { source.pipe } else { PipeId::GONE };
        self.inbox.sources_of_messages().map(pipe).collect()
    }

    fn has_out<P: Pipes>(&mut self, _pipes: &mut P) -> bool {
        true
    }

    fn drops_when_full(&self) -> bool {
        !self.options.xpub_nodrop
    }

    /// In manual mode, subscribes the peer of the last received request to `prefix`. Does nothing if that peer is gone
    /// (libzmq `ZMQ_XPUB_MANUAL`).
    fn subscribe<P: Pipes>(&mut self, prefix: &[u8], pipes: &mut P) -> Result<(), Refusal> {
        if let Some(pipe) = self.answered()? {
            self.subscriptions.add(prefix, pipe);
            pipes.changed();
            self.newcomer = self.asker.filter(|_| self.options.xpub_manual_last_value);
        }
        Ok(())
    }

    fn unsubscribe<P: Pipes>(&mut self, prefix: &[u8], pipes: &mut P) -> Result<(), Refusal> {
        if let Some(pipe) = self.answered()? {
            self.subscriptions.remove(prefix, pipe);
            pipes.changed();
        }
        Ok(())
    }

    fn subscribers(&self, topic: &[u8]) -> usize {
        let downstream = &self.downstream;
        let matching = self.subscriptions.matching(topic, |pipe| downstream.is_up(pipe));
        if self.options.invert_matching { downstream.count_up().saturating_sub(matching) } else { matching }
    }

    fn topics(&self) -> usize {
        self.subscriptions.topics()
    }
}

impl XPub {
    /// Returns the pipe of the peer that `subscribe` and `unsubscribe` apply to in manual mode, or `None` if it is
    /// gone.
    ///
    /// # Errors
    /// Returns [`Refusal::NotSupported`] if manual mode is off.
    fn answered(&self) -> Result<Option<PipeId>, Refusal> {
        if !self.is_manual() {
            return Err(Refusal::NotSupported);
        }
        Ok(self.present(self.asker))
    }

    /// Returns the pipe of a peer, if the peer still exists.
    fn present(&self, peer: Option<Source>) -> Option<PipeId> {
        let pipe = peer.filter(|peer| self.downstream.is_present(*peer))?.pipe;
        (!self.downstream.is_expelled(pipe)).then_some(pipe)
    }
}

#[cfg(test)]
#[path = "xpub_tests.rs"]
mod tests;
