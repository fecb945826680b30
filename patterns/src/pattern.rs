//! The contract of a socket type: what happens to it, what it decides, and why it refuses.

use bytes::Bytes;
use zeroxide_zmtp::{Frame, Message};

use crate::pipes::{PipeId, Pipes};
use crate::routing_ids::RoutingId;

/// Why a socket cannot do what was asked of it. Nothing has changed when one of these comes back. Small, since what a send
/// answers passes through every layer for each message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// No pipe at all: it would wait for a peer.
    NoPeer,
    /// Every pipe that could take the message (or the one addressed) is at its high-water mark.
    Full {
        /// How many pipes are full.
        pipes: usize,
    },
    /// No peer has this routing id (libzmq `EHOSTUNREACH`).
    Unroutable(Box<RoutingId>),
    /// Not this socket's turn (libzmq `EFSM`): a REQ awaits its reply, a REP has nothing to answer.
    WrongState,
    /// This socket type cannot do it (libzmq `ENOTSUP`).
    NotSupported,
    /// The message has no frame, or none beside its routing id.
    EmptyMessage,
    /// The name of the group is longer than 255 bytes, or has a zero in it (RADIO, DISH).
    InvalidGroup,
    /// This DISH is in the group already.
    Joined,
    /// This DISH is not in the group.
    NotJoined,
    /// An option's value clashes with the present state, such as a routing id that is taken.
    InUse(Box<RoutingId>),
}

/// The options that a pattern obeys, by libzmq's names. All of them may change on a live socket.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // documented in the options table of the root crate
pub struct PatternOptions {
    pub router_mandatory: bool,
    pub router_handover: bool,
    pub router_raw: bool,
    pub probe_router: bool,
    pub req_correlate: bool,
    pub req_relaxed: bool,
    pub xpub_verbose: bool,
    pub xpub_verboser: bool,
    pub xpub_manual: bool,
    pub xpub_manual_last_value: bool,
    pub xpub_nodrop: bool,
    pub xpub_welcome_msg: Option<Bytes>,
    pub max_subscriptions: u32,
    pub max_subscription_bytes: Option<u64>,
    pub xsub_verbose_unsubscribe: bool,
    pub only_first_subscribe: bool,
    pub invert_matching: bool,
    pub stream_notify: bool,
}

impl Default for PatternOptions {
    /// libzmq's defaults.
    fn default() -> PatternOptions {
        PatternOptions {
            router_mandatory: false,
            router_handover: false,
            router_raw: false,
            probe_router: false,
            req_correlate: false,
            req_relaxed: false,
            xpub_verbose: false,
            xpub_verboser: false,
            xpub_manual: false,
            xpub_manual_last_value: false,
            xpub_nodrop: false,
            xpub_welcome_msg: None,
            max_subscriptions: 0,
            max_subscription_bytes: None,
            xsub_verbose_unsubscribe: false,
            only_first_subscribe: false,
            invert_matching: false,
            stream_notify: true,
        }
    }
}

/// How a pipe came to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Whether this socket connected (else it accepted).
    pub connected: bool,
    /// The id that CONNECT_ROUTING_ID gave to the peer of this connect.
    pub routing_id: Option<RoutingId>,
}

/// The rules of one socket type. Every method runs under the socket's lock.
pub trait Pattern {
    /// Takes a change of options.
    fn configure(&mut self, options: &PatternOptions) {
        let _ = options;
    }

    /// A pipe joins.
    ///
    /// # Errors
    /// [`Refusal::InUse`] when CONNECT_ROUTING_ID names an id that is taken; the pipe is then not attached.
    fn attached<P: Pipes>(&mut self, pipe: PipeId, origin: &Origin, pipes: &mut P) -> Result<(), Refusal>;

    /// A connection of this pipe finished its handshake, with the routing id that the peer announced (empty for
    /// none). Comes again after each reconnection of a connecting endpoint.
    fn established<P: Pipes>(&mut self, pipe: PipeId, routing_id: &Bytes, pipes: &mut P) {
        let _ = (pipe, routing_id, pipes);
    }

    /// The connection of this pipe is lost; the pipe stays and another connection may follow.
    fn lost<P: Pipes>(&mut self, pipe: PipeId, pipes: &mut P) {
        let _ = (pipe, pipes);
    }

    /// The peer of this pipe is gone for good, and its input is not read yet. Not called where nothing is left to read:
    /// then `detached` follows at once.
    fn ended<P: Pipes>(&mut self, pipe: PipeId, pipes: &mut P) {
        let _ = (pipe, pipes);
    }

    /// The pipe is gone: its peer for good, and its input read. The id must be forgotten.
    fn detached<P: Pipes>(&mut self, pipe: PipeId, pipes: &mut P);

    /// Input arrived on a pipe whose `read` had given `None` (or that just attached).
    fn readable<P: Pipes>(&mut self, pipe: PipeId, pipes: &mut P);

    /// Room came back on a pipe whose `reserve` had not been granted.
    fn writable(&mut self, pipe: PipeId);

    /// First step of sending: chooses where a message that begins with `first` goes, and reserves room there.
    ///
    /// # Errors
    /// A [`Refusal`]; nothing has changed then.
    fn route<P: Pipes>(&mut self, first: &Frame, pipes: &mut P) -> Result<(), Refusal>;

    /// The next message that is routed goes to the peer with this number (SERVER, PEER).
    fn address(&mut self, number: u32) {
        let _ = number;
    }

    /// The next message that is routed is in this group (RADIO).
    fn group(&mut self, group: &[u8]) {
        let _ = group;
    }

    /// The number of this pipe's peer; 0 on types that have none (SERVER, PEER).
    fn number(&self, pipe: PipeId) -> u32 {
        let _ = pipe;
        0
    }

    /// Ends the connection of the peer with this number (SERVER, PEER).
    ///
    /// # Errors
    /// [`Refusal::Unroutable`]; [`Refusal::NotSupported`] on every other type.
    fn disconnect<P: Pipes>(&mut self, number: u32, pipes: &mut P) -> Result<(), Refusal> {
        let _ = (number, pipes);
        Err(Refusal::NotSupported)
    }

    /// Second step: moves the whole message, first frame included, to where `route` chose.
    fn commit<P: Pipes>(&mut self, message: Message, pipes: &mut P);

    /// Undoes `route`.
    fn rollback<P: Pipes>(&mut self, pipes: &mut P);

    /// Takes the next message for the application and the pipe it came from ([`PipeId::GONE`] for a report of a peer
    /// that left); `None` when there is none now.
    ///
    /// # Errors
    /// [`Refusal::WrongState`], [`Refusal::NotSupported`].
    fn recv<P: Pipes>(&mut self, pipes: &mut P) -> Result<Option<(PipeId, Message)>, Refusal>;

    /// The pipes that come before a new peer with this routing id, the first one first: the pipe that has the routing id
    /// (ROUTER), or that of the only peer (PAIR, CHANNEL), and then the pipes that wait for its place. Empty if the new
    /// peer gets a place at once.
    fn occupants(&self, routing_id: &[u8]) -> Vec<PipeId> {
        let _ = routing_id;
        Vec::new()
    }

    /// Whether the next request carries a number, so that only its own reply is taken, even without REQ_CORRELATE (REQ).
    fn number_request(&mut self, numbered: bool) {
        let _ = numbered;
    }

    /// Gives up the request under way: another may follow, and its late reply is thrown away if it was numbered
    /// (REQ). A numbered one that is still in its pipe's queue is taken back and returned, with that pipe.
    fn abandon_request<P: Pipes>(&mut self, pipes: &mut P) -> Option<(PipeId, Message)> {
        let _ = pipes;
        None
    }

    /// Whether `recv` would give a message now.
    fn has_in<P: Pipes>(&mut self, pipes: &mut P) -> bool;

    /// Whether `route` could succeed now (for ROUTER without MANDATORY: always).
    fn has_out<P: Pipes>(&mut self, pipes: &mut P) -> bool;

    /// Whether a message for a peer at its high-water mark is dropped, and not refused.
    fn drops_when_full(&self) -> bool {
        false
    }

    /// Subscribes to every topic that begins with `prefix` (SUB; XPUB in manual mode).
    ///
    /// # Errors
    /// [`Refusal::NotSupported`] on every other type.
    fn subscribe<P: Pipes>(&mut self, prefix: &[u8], pipes: &mut P) -> Result<(), Refusal> {
        let _ = (prefix, pipes);
        Err(Refusal::NotSupported)
    }

    /// Takes one such subscription back.
    ///
    /// # Errors
    /// [`Refusal::NotSupported`] on every other type.
    fn unsubscribe<P: Pipes>(&mut self, prefix: &[u8], pipes: &mut P) -> Result<(), Refusal> {
        let _ = (prefix, pipes);
        Err(Refusal::NotSupported)
    }

    /// Joins a group: its messages are received from now on (DISH).
    ///
    /// # Errors
    /// [`Refusal::InvalidGroup`], [`Refusal::Joined`]; [`Refusal::NotSupported`] on every other type.
    fn join<P: Pipes>(&mut self, group: &[u8], pipes: &mut P) -> Result<(), Refusal> {
        let _ = (group, pipes);
        Err(Refusal::NotSupported)
    }

    /// Leaves a group.
    ///
    /// # Errors
    /// [`Refusal::NotJoined`]; [`Refusal::NotSupported`] on every other type.
    fn leave<P: Pipes>(&mut self, group: &[u8], pipes: &mut P) -> Result<(), Refusal> {
        let _ = (group, pipes);
        Err(Refusal::NotSupported)
    }

    /// How many peers would be sent a message with this topic (in this group, on a RADIO); 0 on a type that does not publish.
    fn subscribers(&self, topic: &[u8]) -> usize {
        let _ = topic;
        0
    }

    /// The pipe of the peer that has this routing id (ROUTER, STREAM).
    fn find(&self, routing_id: &[u8]) -> Option<PipeId> {
        let _ = routing_id;
        None
    }

    /// The pipe that would lose its routing id to a pipe without one whose peer announces this (ROUTER with
    /// ROUTER_HANDOVER).
    fn displaced_by(&self, routing_id: &[u8]) -> Option<PipeId> {
        let _ = routing_id;
        None
    }

    /// The peer of this pipe is gone for good and another is about to join that may have the same routing id (ROUTER, STREAM):
    /// the next connection of its endpoint, or one of the same user that calls itself so. It is read behind this one.
    fn succeeded<P: Pipes>(&mut self, pipe: PipeId, pipes: &mut P) {
        let _ = (pipe, pipes);
    }

    /// The routing id of this pipe's peer (ROUTER, STREAM); `None` while the pipe is anonymous.
    fn routing_id(&self, pipe: PipeId) -> Option<&RoutingId> {
        let _ = pipe;
        None
    }

    /// How many distinct subscriptions or groups there are (own ones on SUB, XSUB and DISH, the peers' on PUB, XPUB and
    /// RADIO).
    fn topics(&self) -> usize {
        0
    }
}
