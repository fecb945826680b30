//! Socket-level options, as a plain struct: the options table of the root crate fills it in.

use std::time::Duration;

/// What is set on listening, accepted and dialled sockets. `Default` leaves everything to the operating system.
///
/// An option that the platform does not have is passed over, as libzmq does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketOptions {
    /// `SO_SNDBUF` in bytes (libzmq SNDBUF); set before listening or connecting, where TCP chooses its window.
    pub sndbuf: Option<u32>,
    /// `SO_RCVBUF` in bytes (libzmq RCVBUF).
    pub rcvbuf: Option<u32>,
    /// `SO_KEEPALIVE` (libzmq TCP_KEEPALIVE). The next three count only if this is `Some(true)`.
    pub keepalive: Option<bool>,
    /// Unanswered probes until the connection is dead (libzmq TCP_KEEPALIVE_CNT).
    pub keepalive_cnt: Option<u32>,
    /// Silence until the first probe, in whole seconds (libzmq TCP_KEEPALIVE_IDLE).
    pub keepalive_idle: Option<Duration>,
    /// Time between probes, in whole seconds (libzmq TCP_KEEPALIVE_INTVL).
    pub keepalive_intvl: Option<Duration>,
    /// `IP_TOS` and `IPV6_TCLASS` (libzmq TOS); 0 leaves them alone.
    pub tos: u32,
    /// `SO_PRIORITY`, Linux (libzmq PRIORITY); 0 leaves it alone.
    pub priority: u32,
    /// `TCP_USER_TIMEOUT`, Linux (libzmq TCP_MAXRT).
    pub maxrt: Option<Duration>,
    /// `SO_BINDTODEVICE`, Linux (libzmq BINDTODEVICE).
    pub bind_to_device: Option<String>,
    /// `SO_BUSY_POLL` in microseconds, Linux (libzmq BUSY_POLL).
    pub busy_poll: Option<u32>,
    /// Connections that may wait for `accept` (libzmq BACKLOG, 100).
    pub backlog: u32,
    /// IPv6 besides IPv4 (libzmq IPV6): `*` is both, and names may answer with either.
    pub ipv6: bool,
    /// A path of ipc at which somebody listens is taken over, as libzmq does (IPC_TAKE_OVER).
    pub take_over: bool,
}

impl Default for SocketOptions {
    fn default() -> SocketOptions {
        SocketOptions {
            sndbuf: None,
            rcvbuf: None,
            keepalive: None,
            keepalive_cnt: None,
            keepalive_idle: None,
            keepalive_intvl: None,
            tos: 0,
            priority: 0,
            maxrt: None,
            bind_to_device: None,
            busy_poll: None,
            backlog: 100,
            ipv6: false,
            take_over: false,
        }
    }
}
