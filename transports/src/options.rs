//! Socket-level options, as a plain struct. The options table of the root crate fills it.

use std::time::Duration;

/// The options of listening, accepted and dialled sockets. `Default` leaves everything to the operating system.
///
/// An option that the platform does not have is ignored, as in libzmq.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketOptions {
    /// `SO_SNDBUF` in bytes (libzmq SNDBUF). It is set before listening or connecting, when TCP chooses its window.
    pub sndbuf: Option<u32>,
    /// `SO_RCVBUF` in bytes (libzmq RCVBUF).
    pub rcvbuf: Option<u32>,
    /// `SO_KEEPALIVE` (libzmq TCP_KEEPALIVE). The next three count only if this is `Some(true)`.
    pub keepalive: Option<bool>,
    /// The number of unanswered probes after which the connection is dead (libzmq TCP_KEEPALIVE_CNT).
    pub keepalive_cnt: Option<u32>,
    /// The time without input before the first probe, in whole seconds (libzmq TCP_KEEPALIVE_IDLE).
    pub keepalive_idle: Option<Duration>,
    /// The time between probes, in whole seconds (libzmq TCP_KEEPALIVE_INTVL).
    pub keepalive_intvl: Option<Duration>,
    /// `IP_TOS` and `IPV6_TCLASS` (libzmq TOS); 0 leaves them unchanged.
    pub tos: u32,
    /// `SO_PRIORITY`, Linux (libzmq PRIORITY); 0 leaves it unchanged.
    pub priority: u32,
    /// `TCP_USER_TIMEOUT`, Linux (libzmq TCP_MAXRT).
    pub maxrt: Option<Duration>,
    /// `SO_BINDTODEVICE`, Linux (libzmq BINDTODEVICE).
    pub bind_to_device: Option<String>,
    /// `SO_BUSY_POLL` in microseconds, Linux (libzmq BUSY_POLL).
    pub busy_poll: Option<u32>,
    /// The most connections that may wait for `accept` (libzmq BACKLOG, 100).
    pub backlog: u32,
    /// Whether IPv6 is used besides IPv4 (libzmq IPV6): `*` means both, and a name may have addresses of both.
    pub ipv6: bool,
    /// Whether bind takes over an ipc path of a live listener, as libzmq does (IPC_TAKE_OVER).
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
