//! Types of option values with several switches.

/// The failures after which an endpoint is not dialled again ([`opt::RECONNECT_STOP`](crate::opt::RECONNECT_STOP)). All are off by
/// default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReconnectStop {
    /// No socket listens at the endpoint (libzmq `ZMQ_RECONNECT_STOP_CONN_REFUSED`, 1).
    pub conn_refused: bool,
    /// The handshake fails (libzmq `ZMQ_RECONNECT_STOP_HANDSHAKE_FAILED`, 2).
    pub handshake_failed: bool,
    /// No socket listens at the endpoint, which was disconnected but has unsent messages and LINGER is not over (libzmq
    /// `ZMQ_RECONNECT_STOP_AFTER_DISCONNECT`, 4).
    pub after_disconnect: bool,
}

/// When a ROUTER receives an empty message from a peer ([`opt::ROUTER_NOTIFY`](crate::opt::ROUTER_NOTIFY)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RouterNotify {
    /// The peer has completed its handshake (libzmq `ZMQ_NOTIFY_CONNECT`, 1).
    pub connect: bool,
    /// The peer is lost. The messages that it sent come first (libzmq `ZMQ_NOTIFY_DISCONNECT`, 2).
    pub disconnect: bool,
}
