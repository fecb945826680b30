//! The contract of a socket type: its events, its decisions and its refusals.

use bytes::Bytes;
use zeroxide_zmtp::{Frame, Message};

use crate::pipes::{PipeId, Pipes};
use crate::routing_ids::RoutingId;

/// Why a socket refuses an operation. A refused operation has changed nothing. The type is small, because the result of
/// a send is returned through every layer for each message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// There is no pipe: the operation would wait for a peer.
    NoPeer,
    /// Every pipe that could take the message (or the addressed one) is at its high-water mark.
    Full {
        /// The number of full pipes.
        pipes: usize,
    },
    /// No peer has this routing id (libzmq `EHOSTUNREACH`).
    Unroutable(Box<RoutingId>),
    /// The operation is not allowed in this state (libzmq `EFSM`): a REQ waits for its reply, or a REP has no request
    /// to answer.
    WrongState,
    /// This socket type does not support the operation (libzmq `ENOTSUP`).
    NotSupported,
    /// The message has no frame, or only its routing id.
    EmptyMessage,
    /// The name of the group is longer than 255 bytes, or contains a zero (RADIO, DISH).
    InvalidGroup,
    /// This DISH is already in the group.
    Joined,
    /// This DISH is not in the group.
    NotJoined,
    /// An option's value conflicts with the present state, such as a routing id that is taken.
    InUse(Box<RoutingId>),
}

/// The options of a pattern, with libzmq's names. All of them may change on a live socket.
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
    /// Returns libzmq's defaults.
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

/// How a pipe was created.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Whether this socket connected (else it accepted).
    pub connected: bool,
    /// The routing id that CONNECT_ROUTING_ID gives to the peer of this connect.
    pub routing_id: Option<RoutingId>,
}

/// The rules of one socket type. Every method runs under the socket's lock.
pub trait Pattern {
    /// Sets the options.
    fn configure(&mut self, options: &PatternOptions) {
        let _ = options;
    }

    /// Adds a pipe.
    ///
    /// # Errors
    /// Returns [`Refusal::InUse`] if the id from CONNECT_ROUTING_ID is taken. Then the pipe is not attached.
    fn attached<P: Pipes>(&mut self, pipe: PipeId, origin: &Origin, pipes: &mut P) -> Result<(), Refusal>;

    /// A connection of this pipe has completed its handshake, with the routing id that the peer announced (empty for
    /// none). This is called again after each reconnection of a connecting endpoint.
    fn established<P: Pipes>(&mut self, pipe: PipeId, routing_id: &Bytes, pipes: &mut P) {
        let _ = (pipe, routing_id, pipes);
    }

    /// The connection of this pipe is lost. The pipe stays, and another connection may follow.
    fn lost<P: Pipes>(&mut self, pipe: PipeId, pipes: &mut P) {
        let _ = (pipe, pipes);
    }

    /// The peer of this pipe is gone for good, and some of its input is not read yet. This is not called if all is
    /// read; then `detached` follows at once.
    fn ended<P: Pipes>(&mut self, pipe: PipeId, pipes: &mut P) {
        let _ = (pipe, pipes);
    }

    /// The pipe is gone: its peer is gone for good, and its input is read. The pattern must forget its id.
    fn detached<P: Pipes>(&mut self, pipe: PipeId, pipes: &mut P);

    /// Input has arrived on a pipe whose `read` had returned `None` (or that was just attached).
    fn readable<P: Pipes>(&mut self, pipe: PipeId, pipes: &mut P);

    /// There is room again on a pipe whose `reserve` was not granted.
    fn writable(&mut self, pipe: PipeId);

    /// The first step of sending: chooses the pipes for a message that begins with `first`, and reserves room there.
    /// After `Ok`, `commit` must follow before the next `route`.
    ///
    /// # Errors
    /// Returns a [`Refusal`]; then nothing has changed.
    fn route<P: Pipes>(&mut self, first: &Frame, pipes: &mut P) -> Result<(), Refusal>;

    /// Addresses the next routed message to the peer with this number (SERVER, PEER).
    fn address(&mut self, number: u32) {
        let _ = number;
    }

    /// Sets the group of the next routed message (RADIO).
    fn group(&mut self, group: &[u8]) {
        let _ = group;
    }

    /// Returns the number of this pipe's peer (SERVER, PEER); 0 on every other type.
    fn number(&self, pipe: PipeId) -> u32 {
        let _ = pipe;
        0
    }

    /// Ends the connection of the peer with this number (SERVER, PEER).
    ///
    /// # Errors
    /// Returns [`Refusal::Unroutable`] if there is no such peer, and [`Refusal::NotSupported`] on every other type.
    fn disconnect<P: Pipes>(&mut self, number: u32, pipes: &mut P) -> Result<(), Refusal> {
        let _ = (number, pipes);
        Err(Refusal::NotSupported)
    }

    /// The second step of sending: moves the whole message, with its first frame, to the chosen pipes. What is left in
    /// `message` means nothing.
    fn commit<P: Pipes>(&mut self, message: &mut Message, pipes: &mut P);

    /// Puts the next message for the application into `into`. Returns the pipe that it came from ([`PipeId::GONE`] for a
    /// report of a peer that is gone), or `None` if there is none now.
    ///
    /// # Errors
    /// Returns [`Refusal::WrongState`] or [`Refusal::NotSupported`].
    fn recv<P: Pipes>(&mut self, pipes: &mut P, into: &mut Message) -> Result<Option<PipeId>, Refusal>;

    /// Returns the pipes that come before a new peer with this routing id, in order: the pipe that has the routing id
    /// (ROUTER) or is the only peer's (PAIR, CHANNEL), and then the pipes that wait for its place. The list is empty if
    /// the new peer gets a place at once.
    fn occupants(&self, routing_id: &[u8]) -> Vec<PipeId> {
        let _ = routing_id;
        Vec::new()
    }

    /// Sets whether the next request carries a number even without REQ_CORRELATE, so that only its own reply is
    /// accepted (REQ).
    fn number_request(&mut self, numbered: bool) {
        let _ = numbered;
    }

    /// Abandons the present request, so that another may follow (REQ). If it was numbered, its late reply is dropped.
    /// If a numbered request is still in its pipe's queue, it is taken back and returned, with that pipe.
    fn abandon_request<P: Pipes>(&mut self, pipes: &mut P) -> Option<(PipeId, Message)> {
        let _ = pipes;
        None
    }

    /// Returns the pipe of each message that was read from a pipe and that `recv` has not returned yet.
    fn held(&self) -> Vec<PipeId> {
        Vec::new()
    }

    /// Returns whether `recv` would return a message now.
    fn has_in<P: Pipes>(&mut self, pipes: &mut P) -> bool;

    /// Returns whether `route` could succeed now (on a ROUTER without MANDATORY always).
    fn has_out<P: Pipes>(&mut self, pipes: &mut P) -> bool;

    /// Returns whether a message for a peer at its high-water mark is dropped instead of refused.
    fn drops_when_full(&self) -> bool {
        false
    }

    /// Subscribes to every topic that begins with `prefix` (SUB; XPUB in manual mode).
    ///
    /// # Errors
    /// Returns [`Refusal::NotSupported`] on every other type.
    fn subscribe<P: Pipes>(&mut self, prefix: &[u8], pipes: &mut P) -> Result<(), Refusal> {
        let _ = (prefix, pipes);
        Err(Refusal::NotSupported)
    }

    /// Removes one such subscription.
    ///
    /// # Errors
    /// Returns [`Refusal::NotSupported`] on every other type.
    fn unsubscribe<P: Pipes>(&mut self, prefix: &[u8], pipes: &mut P) -> Result<(), Refusal> {
        let _ = (prefix, pipes);
        Err(Refusal::NotSupported)
    }

    /// Joins a group, whose messages are received from now on (DISH).
    ///
    /// # Errors
    /// Returns [`Refusal::InvalidGroup`] or [`Refusal::Joined`], and [`Refusal::NotSupported`] on every other type.
    fn join<P: Pipes>(&mut self, group: &[u8], pipes: &mut P) -> Result<(), Refusal> {
        let _ = (group, pipes);
        Err(Refusal::NotSupported)
    }

    /// Leaves a group.
    ///
    /// # Errors
    /// Returns [`Refusal::NotJoined`], and [`Refusal::NotSupported`] on every other type.
    fn leave<P: Pipes>(&mut self, group: &[u8], pipes: &mut P) -> Result<(), Refusal> {
        let _ = (group, pipes);
        Err(Refusal::NotSupported)
    }

    /// Returns the number of peers that would get a message with this topic (on a RADIO, in this group); 0 on a type
    /// that does not publish.
    fn subscribers(&self, topic: &[u8]) -> usize {
        let _ = topic;
        0
    }

    /// Returns the pipe of the peer that has this routing id (ROUTER, STREAM).
    fn find(&self, routing_id: &[u8]) -> Option<PipeId> {
        let _ = routing_id;
        None
    }

    /// Returns the pipe that would lose its routing id to a new peer that announces it (ROUTER with ROUTER_HANDOVER).
    fn displaced_by(&self, routing_id: &[u8]) -> Option<PipeId> {
        let _ = routing_id;
        None
    }

    /// The peer of this pipe is gone for good, and a successor that may have the same routing id is about to join
    /// (ROUTER, STREAM). The successor is the next connection of the endpoint, or a peer of the same user that
    /// announces the same routing id. Its input is read after the input of this pipe.
    fn succeeded<P: Pipes>(&mut self, pipe: PipeId, pipes: &mut P) {
        let _ = (pipe, pipes);
    }

    /// Returns the routing id of this pipe's peer (ROUTER, STREAM), or `None` while the pipe is anonymous.
    fn routing_id(&self, pipe: PipeId) -> Option<&RoutingId> {
        let _ = pipe;
        None
    }

    /// Returns whether it is this socket's turn to send, for the types that send and receive by turns (REQ, REP).
    fn may_send(&self) -> Option<bool> {
        None
    }

    /// Returns at most `most` of its own subscriptions (SUB, XSUB) or groups (DISH).
    fn first_topics(&self, most: usize) -> Vec<Bytes> {
        let _ = most;
        Vec::new()
    }

    /// Returns the number of distinct subscriptions or groups: its own on SUB, XSUB and DISH, those of its peers on
    /// PUB, XPUB and RADIO.
    fn topics(&self) -> usize {
        0
    }
}
