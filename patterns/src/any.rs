//! The pattern of any socket type. In the library, only this module and the socket-type table name the types, apart
//! from tests and fuzz targets. (The C library names a few, as zmq.h does.)

use bytes::Bytes;
use zeroxide_zmtp::{Frame, Message, SocketType};

use crate::dish::Dish;
use crate::pair::Pair;
use crate::pipeline::{Pull, Push};
use crate::pubsub::{XPub, XSub};
use crate::radio::Radio;
use crate::reqrep::{Dealer, Rep, Req, Router};
use crate::server::Server;
use crate::stream::Stream;
use crate::{Origin, Pattern, PatternOptions, PipeId, Pipes, Refusal, RoutingId};

/// The pattern of one socket.
#[derive(Debug)]
pub struct AnyPattern {
    kind: Kind,
    seed: u64,
}

#[derive(Debug)]
enum Kind {
    Pair(Pair),
    Pull(Pull),
    Push(Push),
    Dealer(Dealer),
    XPub(XPub),
    XSub(XSub),
    Req(Req),
    Rep(Rep),
    Router(Router),
    Server(Server),
    Radio(Radio),
    Dish(Dish),
    Stream(Stream),
}

impl AnyPattern {
    /// Creates the pattern of a new socket of type `socket_type`. Returns `None` for a type that is not implemented.
    ///
    /// `seed` determines everything that a peer must not guess: hash seeds, the first request id and the first routing
    /// id. It is random in production, and fixed in tests so that a run can be repeated exactly.
    ///
    /// ```
    /// use zeroxide_patterns::AnyPattern;
    /// use zeroxide_zmtp::SocketType;
    /// assert!(AnyPattern::new(SocketType::Push, 7).is_some());
    /// assert!(AnyPattern::new(SocketType::Dgram, 7).is_none());
    /// ```
    #[must_use]
    pub fn new(socket_type: SocketType, seed: u64) -> Option<AnyPattern> {
        let kind = match socket_type {
            SocketType::Pair => Kind::Pair(Pair::default()),
            SocketType::Pull => Kind::Pull(Pull::default()),
            SocketType::Push => Kind::Push(Push::default()),
            SocketType::Dealer => Kind::Dealer(Dealer::default()),
            SocketType::Req => Kind::Req(Req::new(seed)),
            SocketType::Rep => Kind::Rep(Rep::default()),
            SocketType::Router => Kind::Router(Router::new(seed)),
            SocketType::Stream => Kind::Stream(Stream::new(seed)),
            SocketType::Pub => Kind::XPub(XPub::new(false, seed)),
            SocketType::Sub => Kind::XSub(XSub::new(true, seed)),
            SocketType::XPub => Kind::XPub(XPub::new(true, seed)),
            SocketType::XSub => Kind::XSub(XSub::new(false, seed)),
            SocketType::Channel => Kind::Pair(Pair::channel()),
            SocketType::Scatter => Kind::Push(Push::default()),
            SocketType::Gather => Kind::Pull(Pull::gather()),
            SocketType::Client => Kind::Dealer(Dealer::client()),
            SocketType::Server | SocketType::Peer => Kind::Server(Server::new(seed)),
            SocketType::Radio => Kind::Radio(Radio::new()),
            SocketType::Dish => Kind::Dish(Dish::new()),
            _ => return None,
        };
        Some(AnyPattern { kind, seed })
    }
}

/// Calls the same method on any type of pattern.
macro_rules! each {
    ($any:expr, $pattern:ident => $call:expr) => {
        match $any {
            Kind::Pair($pattern) => $call,
            Kind::Pull($pattern) => $call,
            Kind::Push($pattern) => $call,
            Kind::Dealer($pattern) => $call,
            Kind::XPub($pattern) => $call,
            Kind::XSub($pattern) => $call,
            Kind::Req($pattern) => $call,
            Kind::Rep($pattern) => $call,
            Kind::Router($pattern) => $call,
            Kind::Server($pattern) => $call,
            Kind::Radio($pattern) => $call,
            Kind::Dish($pattern) => $call,
            Kind::Stream($pattern) => $call,
        }
    };
}

impl Pattern for AnyPattern {
    fn configure(&mut self, options: &PatternOptions) {
        // ROUTER_RAW replaces the pattern of a ROUTER that has had no peer yet.
        if options.router_raw && matches!(&self.kind, Kind::Router(router) if router.is_unused()) {
            self.kind = Kind::Stream(Stream::router_raw(self.seed));
        }
        each!(&mut self.kind, it => it.configure(options));
    }

    fn attached<P: Pipes>(&mut self, pipe: PipeId, origin: &Origin, pipes: &mut P) -> Result<(), Refusal> {
        each!(&mut self.kind, it => it.attached(pipe, origin, pipes))
    }

    fn established<P: Pipes>(&mut self, pipe: PipeId, routing_id: &Bytes, pipes: &mut P) {
        each!(&mut self.kind, it => it.established(pipe, routing_id, pipes));
    }

    fn lost<P: Pipes>(&mut self, pipe: PipeId, pipes: &mut P) {
        each!(&mut self.kind, it => it.lost(pipe, pipes));
    }

    fn ended<P: Pipes>(&mut self, pipe: PipeId, pipes: &mut P) {
        each!(&mut self.kind, it => it.ended(pipe, pipes));
    }

    fn detached<P: Pipes>(&mut self, pipe: PipeId, pipes: &mut P) {
        each!(&mut self.kind, it => it.detached(pipe, pipes));
    }

    #[inline]
    fn readable<P: Pipes>(&mut self, pipe: PipeId, pipes: &mut P) {
        each!(&mut self.kind, it => it.readable(pipe, pipes));
    }

    #[inline]
    fn writable(&mut self, pipe: PipeId) {
        each!(&mut self.kind, it => it.writable(pipe));
    }

    #[inline]
    fn route<P: Pipes>(&mut self, first: &Frame, pipes: &mut P) -> Result<(), Refusal> {
        each!(&mut self.kind, it => it.route(first, pipes))
    }

    #[inline]
    fn commit<P: Pipes>(&mut self, message: &mut Message, pipes: &mut P) {
        each!(&mut self.kind, it => it.commit(message, pipes));
    }

    #[inline]
    fn recv<P: Pipes>(&mut self, pipes: &mut P, into: &mut Message) -> Result<Option<PipeId>, Refusal> {
        each!(&mut self.kind, it => it.recv(pipes, into))
    }

    fn address(&mut self, number: u32) {
        each!(&mut self.kind, it => it.address(number));
    }

    fn group(&mut self, group: &[u8]) {
        each!(&mut self.kind, it => it.group(group));
    }

    fn number(&self, pipe: PipeId) -> u32 {
        each!(&self.kind, it => it.number(pipe))
    }

    fn disconnect<P: Pipes>(&mut self, number: u32, pipes: &mut P) -> Result<(), Refusal> {
        each!(&mut self.kind, it => it.disconnect(number, pipes))
    }

    fn number_request(&mut self, numbered: bool) {
        each!(&mut self.kind, it => it.number_request(numbered));
    }

    fn abandon_request<P: Pipes>(&mut self, pipes: &mut P) -> Option<(PipeId, Message)> {
        each!(&mut self.kind, it => it.abandon_request(pipes))
    }

    fn held(&self) -> Vec<PipeId> {
        each!(&self.kind, it => it.held())
    }

    fn has_in<P: Pipes>(&mut self, pipes: &mut P) -> bool {
        each!(&mut self.kind, it => it.has_in(pipes))
    }

    fn has_out<P: Pipes>(&mut self, pipes: &mut P) -> bool {
        each!(&mut self.kind, it => it.has_out(pipes))
    }

    fn drops_when_full(&self) -> bool {
        each!(&self.kind, it => it.drops_when_full())
    }

    fn subscribe<P: Pipes>(&mut self, prefix: &[u8], pipes: &mut P) -> Result<(), Refusal> {
        each!(&mut self.kind, it => it.subscribe(prefix, pipes))
    }

    fn unsubscribe<P: Pipes>(&mut self, prefix: &[u8], pipes: &mut P) -> Result<(), Refusal> {
        each!(&mut self.kind, it => it.unsubscribe(prefix, pipes))
    }

    fn join<P: Pipes>(&mut self, group: &[u8], pipes: &mut P) -> Result<(), Refusal> {
        each!(&mut self.kind, it => it.join(group, pipes))
    }

    fn leave<P: Pipes>(&mut self, group: &[u8], pipes: &mut P) -> Result<(), Refusal> {
        each!(&mut self.kind, it => it.leave(group, pipes))
    }

    fn subscribers(&self, topic: &[u8]) -> usize {
        each!(&self.kind, it => it.subscribers(topic))
    }

    fn find(&self, routing_id: &[u8]) -> Option<PipeId> {
        each!(&self.kind, it => it.find(routing_id))
    }

    fn occupants(&self, routing_id: &[u8]) -> Vec<PipeId> {
        each!(&self.kind, it => it.occupants(routing_id))
    }

    fn displaced_by(&self, routing_id: &[u8]) -> Option<PipeId> {
        each!(&self.kind, it => it.displaced_by(routing_id))
    }

    fn succeeded<P: Pipes>(&mut self, pipe: PipeId, pipes: &mut P) {
        each!(&mut self.kind, it => it.succeeded(pipe, pipes));
    }

    fn routing_id(&self, pipe: PipeId) -> Option<&RoutingId> {
        each!(&self.kind, it => it.routing_id(pipe))
    }

    fn may_send(&self) -> Option<bool> {
        each!(&self.kind, it => it.may_send())
    }

    fn first_topics(&self, most: usize) -> Vec<Bytes> {
        each!(&self.kind, it => it.first_topics(most))
    }

    fn topics(&self) -> usize {
        each!(&self.kind, it => it.topics())
    }
}
