//! XPUB and PUB: every message goes to the peers that have subscribed to a prefix of its first frame (RFC 29).
//!
//! A peer's subscriptions are applied as soon as they arrive, whatever the application does (behind a message of the same
//! peer that finds no room, when it does). An XPUB reports them
//! as messages, `01 topic` and `00 topic`; a PUB keeps them to itself. Sending never waits: a peer at its
//! high-water mark misses the message (XPUB_NODROP: everybody waits).

use bytes::Bytes;
use zeroxide_zmtp::{Frame, Message, ProtocolError, Traffic};

use super::requests::{self, Body, Inbox, Kind, Report};
use crate::chosen::drop_frame;
use crate::distributor::Distributor;
use crate::downstream::{Downstream, Source};
use crate::subscriptions::{Added, Removed, Subscriptions};
use crate::{Cause, Origin, Pattern, PatternOptions, PipeId, Pipes, Refusal};

/// The pattern of XPUB, and of PUB, which is an XPUB that cannot receive.
#[derive(Debug)]
pub(crate) struct XPub {
    receives: bool,
    options: PatternOptions,
    subscriptions: Subscriptions,
    /// In manual mode what the peers asked for, which the application may have answered with something else.
    asked: Subscriptions,
    distributor: Distributor,
    inbox: Inbox,
    downstream: Downstream,
    /// Who made the request that was received last: the one that `subscribe` is about in manual mode.
    asker: Option<Source>,
    /// With XPUB_MANUAL_LAST_VALUE, who was subscribed last: the next message is for that peer alone.
    newcomer: Option<Source>,
}

impl XPub {
    /// An XPUB, or a PUB when it does not receive. Nothing is hashed, so the seed is not needed.
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

    /// A PUB cannot receive the requests that it would have to answer, so there XPUB_MANUAL means nothing.
    fn is_manual(&self) -> bool {
        self.receives && (self.options.xpub_manual || self.options.xpub_manual_last_value)
    }

    fn reports_every_subscribe(&self) -> bool {
        self.options.xpub_verbose || self.options.xpub_verboser
    }

    /// Applies a peer's request and reports it if the application is to know.
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
        // libzmq also reports the end of a subscription that the peer does not hold.
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

    /// Ends the connection of a peer and forgets what it asked for. `false`: no limit holds for this peer.
    fn expel<P: Pipes>(&mut self, pipe: PipeId, fault: ProtocolError, pipes: &mut P) -> bool {
        let expelled = pipes.expel(pipe, fault);
        if expelled {
            self.forget(pipe, pipes);
            self.downstream.expel(pipe);
        }
        expelled
    }

    /// Ends all subscriptions of a peer, and reports that as its requests were reported. Another peer may speak next.
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

    /// Takes a message of a peer. Single frames that are requests have been told apart by the decoder; here a peer
    /// that sends several requests as the frames of one message gets what it asked for, as from libzmq.
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
            pipes.dropped(Some(pipe), Cause::Unwanted);
            pipes.discard(message);
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
        // The number may be taken by another pipe: requests of this one that are still unread must not name it.
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

    fn commit<P: Pipes>(&mut self, message: Message, pipes: &mut P) {
        self.newcomer = None;
        if self.distributor.is_idle() {
            pipes.unmatched();
        }
        self.distributor.commit(message, pipes);
    }

    fn rollback<P: Pipes>(&mut self, pipes: &mut P) {
        self.distributor.rollback(pipes);
    }

    fn recv<P: Pipes>(&mut self, pipes: &mut P) -> Result<Option<(PipeId, Message)>, Refusal> {
        if !self.receives {
            return Err(Refusal::NotSupported);
        }
        let Some((item, released)) = self.inbox.pop() else { return Ok(None) };
        if let Some(Source { pipe, .. }) = released.filter(|source| self.downstream.is_present(*source)) {
            self.downstream.hold_back(pipe, false);
            self.readable(pipe, pipes);
        }
        if matches!(item.body, Body::Request(_)) {
            self.asker = Some(item.source);
        }
        let pipe = if self.downstream.is_present(item.source) { item.source.pipe } else { PipeId::GONE };
        Ok(Some((pipe, item.body.into_message())))
    }

    fn has_in<P: Pipes>(&mut self, _pipes: &mut P) -> bool {
        !self.inbox.is_empty()
    }

    fn has_out<P: Pipes>(&mut self, _pipes: &mut P) -> bool {
        true
    }

    fn drops_when_full(&self) -> bool {
        !self.options.xpub_nodrop
    }

    /// In manual mode: answers the request received last, whose peer is subscribed to `prefix`. Nothing happens
    /// when that peer is gone (libzmq `ZMQ_XPUB_MANUAL`).
    fn subscribe<P: Pipes>(&mut self, prefix: &[u8], _pipes: &mut P) -> Result<(), Refusal> {
        if let Some(pipe) = self.answered()? {
            self.subscriptions.add(prefix, pipe);
            self.newcomer = self.asker.filter(|_| self.options.xpub_manual_last_value);
        }
        Ok(())
    }

    fn unsubscribe<P: Pipes>(&mut self, prefix: &[u8], _pipes: &mut P) -> Result<(), Refusal> {
        if let Some(pipe) = self.answered()? {
            self.subscriptions.remove(prefix, pipe);
        }
        Ok(())
    }

    fn subscribers(&self, topic: &[u8]) -> usize {
        let downstream = &self.downstream;
        let matching = self.subscriptions.matching(topic, |pipe| downstream.is_up(pipe));
        if self.options.invert_matching { downstream.count_up() - matching } else { matching }
    }

    fn topics(&self) -> usize {
        self.subscriptions.topics()
    }
}

impl XPub {
    /// The pipe that a manual answer is about, while it is still there.
    fn answered(&self) -> Result<Option<PipeId>, Refusal> {
        if !self.is_manual() {
            return Err(Refusal::NotSupported);
        }
        Ok(self.present(self.asker))
    }

    /// The pipe of a peer, while the peer is still there.
    fn present(&self, peer: Option<Source>) -> Option<PipeId> {
        let pipe = peer.filter(|peer| self.downstream.is_present(*peer))?.pipe;
        (!self.downstream.is_expelled(pipe)).then_some(pipe)
    }
}

#[cfg(test)]
#[path = "xpub_tests.rs"]
mod tests;
