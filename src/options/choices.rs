//! Values of options that are more than a number, a text or a time.

/// When RECONNECT_STOP gives up on an endpoint instead of dialling again; all off by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReconnectStop {
    /// When nobody listens there (libzmq `ZMQ_RECONNECT_STOP_CONN_REFUSED`, 1).
    pub conn_refused: bool,
    /// When the handshake fails (libzmq `ZMQ_RECONNECT_STOP_HANDSHAKE_FAILED`, 2).
    pub handshake_failed: bool,
    /// When nobody listens there and the endpoint was disconnected, but still has something to send within LINGER (libzmq
    /// `ZMQ_RECONNECT_STOP_AFTER_DISCONNECT`, 4).
    pub after_disconnect: bool,
}

/// What a ROUTER is told of the comings and goings of its peers, as empty messages from them ([`opt::ROUTER_NOTIFY`](crate::opt::ROUTER_NOTIFY)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RouterNotify {
    /// A peer's handshake is over (libzmq `ZMQ_NOTIFY_CONNECT`, 1).
    pub connect: bool,
    /// A peer is lost; its own messages come first (libzmq `ZMQ_NOTIFY_DISCONNECT`, 2).
    pub disconnect: bool,
}
