#![doc = include_str!("overview.md")]
#![forbid(unsafe_code)]
// docs.rs shows what a feature brings.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(not(test), warn(clippy::expect_used, clippy::panic, clippy::unreachable))]
#![cfg_attr(not(test), warn(clippy::todo, clippy::unimplemented))]
#![cfg_attr(not(test), warn(clippy::dbg_macro, clippy::print_stderr, clippy::print_stdout))]

mod clock;
mod context;
mod endpoints;
#[cfg_attr(
    not(test),
    deny(
        clippy::indexing_slicing,
        clippy::string_slice,
        clippy::arithmetic_side_effects,
        clippy::cast_possible_truncation
    )
)]
mod engine;
mod error;
mod events;
#[cfg(feature = "face")]
#[doc(hidden)]
pub mod face;
mod history;
mod io;
#[cfg(feature = "metrics")]
mod metrics;
mod monitor;
mod options;
mod peers;
mod poller;
mod proxy;
mod random;
#[cfg(feature = "curve")]
mod secret_key;
mod security;
mod signal;
mod socket;
mod stats;
mod sync;
mod threads;
mod user_code;

// The README's programs are compiled, and run, as documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

pub use bytes::Bytes;
pub use context::{Context, ContextStatus};
pub use endpoints::{EndpointState, EndpointStatus};
pub use error::{
    Attachment, BindError, Denial, DialError, Error, ErrorKind, GroupError, HandshakeCause, HandshakeError,
    IoError, NotReady, Op, RequestError, RequestUnsent, Result, SecurityError, SendError, TooFew, Turn, Why,
};
pub use events::{Crowd, DisconnectReason, Event, EventKind, Filter};
pub use history::{Loss, TurnedAway};
#[cfg(simulate)]
#[doc(hidden)]
pub use io::simulated as simulation;
#[cfg(feature = "metrics")]
pub use metrics::Metrics;
pub use monitor::Monitor;
#[cfg(feature = "stream")]
pub use monitor::task::Events;
pub use monitor::task::NextEvent;
pub use options::{
    AtAttach, ContextOptions, Live, Opt, OptionError, OptionValue, Options, ReadOnly, ReconnectStop,
    RouterNotify, Writable, opt,
};
pub use peers::PeerTable;
pub use poller::task::PollerWait;
pub use poller::{PollEvent, PollItem, PollWaker, Poller, Ready, poll};
pub use proxy::task::ProxyRun;
pub use proxy::{Proxy, ProxyCount, ProxyHandle, ProxySide, ProxyStats};
#[cfg(feature = "curve")]
pub use secret_key::generate_secret_key;
pub use security::{
    AccessList, Authenticate, Credentials, Mechanism, Net, NetError, PublicKey, Role, SecretKey, Security,
    Verdict,
};
pub use socket::Socket;
#[cfg(feature = "stream")]
pub use socket::futures::{IntoMessages, MessageSink, Messages};
#[cfg(unix)]
pub use socket::ready_fd::ReadyFd;
pub use socket::{
    closing::Closing,
    closure::CloseReport,
    futures::{ConnectReady, PeersReady, Recv, RecvFrom, Request, Sending, SubscribersReady},
    iter::Iter,
};
pub use stats::{Dropped, IoStats, PipeStats, Received, SocketStats, Status};
pub use zeroxide_patterns::{Cause, RoutingId, RoutingIdError};
pub use zeroxide_transports::{
    Endpoint, EndpointError, EndpointText, OwnedStream, ResolveError, SocksError, SocksRefusal,
};
#[cfg(feature = "serde")]
pub use zeroxide_zmtp::Format;
pub use zeroxide_zmtp::mechanism::zap::Violation as ZapViolation;
pub use zeroxide_zmtp::mechanism::{Proof, Secret, Status as AuthStatus};
pub use zeroxide_zmtp::{
    ConnectionError, Frame, FrameCountError, Message, Peer, ProtocolError, SocketType, Stage,
    UnknownSocketType, Version,
};
