//! Conversion of option values into what the layers below use.

use std::time::Duration;

use bytes::Bytes;
use zeroxide_patterns::{PatternOptions, RoutingId};
use zeroxide_transports::socks::{Login, Socks, SocksError};
use zeroxide_transports::{Endpoint, EndpointError, SocketOptions};
use zeroxide_zmtp::{Config, Frame, Message, SocketType};

use super::row::Row;
use super::{Values, opt};

/// The time limit for a SOCKS5 proxy if no option sets one: Tor's SocksTimeout.
const LONGEST_DIALOGUE: Duration = Duration::from_secs(120);

impl Values {
    /// Returns whether peers without a place are refused: an inproc connect that cannot succeed, and a peer that this socket
    /// has connected to. The C library refuses none, as libzmq; each waits for its place.
    pub(crate) fn refuses(&self) -> bool {
        !self.credit_in_lots
    }

    /// Returns the options of the socket's pattern.
    pub(crate) fn pattern_options(&self) -> PatternOptions {
        PatternOptions {
            router_mandatory: self.router_mandatory,
            router_handover: self.router_handover,
            router_raw: self.router_raw,
            probe_router: self.probe_router,
            req_correlate: self.req_correlate,
            req_relaxed: self.req_relaxed,
            xpub_verbose: self.xpub_verbose,
            xpub_verboser: self.xpub_verboser,
            xpub_manual: self.xpub_manual,
            xpub_manual_last_value: self.xpub_manual_last_value,
            xpub_nodrop: self.xpub_nodrop,
            xpub_welcome_msg: self.xpub_welcome_msg.clone(),
            max_subscriptions: self.max_subscriptions,
            max_subscription_bytes: self.max_subscription_bytes,
            xsub_verbose_unsubscribe: self.xsub_verbose_unsubscribe,
            only_first_subscribe: self.only_first_subscribe,
            invert_matching: self.invert_matching,
            stream_notify: self.stream_notify,
        }
    }

    /// Returns the options of the streams and listeners of an endpoint.
    pub(crate) fn socket_options(&self) -> SocketOptions {
        SocketOptions {
            sndbuf: self.sndbuf,
            rcvbuf: self.rcvbuf,
            keepalive: self.tcp_keepalive,
            keepalive_cnt: self.tcp_keepalive_cnt,
            keepalive_idle: self.tcp_keepalive_idle,
            keepalive_intvl: self.tcp_keepalive_intvl,
            tos: self.tos,
            priority: self.priority,
            maxrt: self.tcp_maxrt,
            bind_to_device: self.bindtodevice.clone(),
            busy_poll: (self.busy_poll > 0).then_some(self.busy_poll),
            backlog: self.backlog,
            ipv6: self.ipv6,
            take_over: self.ipc_take_over,
        }
    }

    /// Returns the endpoint that a connection to `endpoint` dials: its own, or for tcp that of the SOCKS5 proxy.
    ///
    /// # Errors
    /// Returns an error if SOCKS_PROXY is no address, which only the C library allows. The peer is not dialled directly then.
    pub(crate) fn first_hop(&self, endpoint: &Endpoint) -> Result<Endpoint, EndpointError> {
        let (Endpoint::Tcp { source: own, .. }, Some(proxy)) = (endpoint, &self.socks_proxy) else {
            return Ok(endpoint.clone());
        };
        let mut hop = Endpoint::parse_connect(&format!("tcp://{}", String::from_utf8_lossy(proxy)))?;
        if let Endpoint::Tcp { source: source @ None, .. } = &mut hop {
            source.clone_from(own);
        }
        Ok(hop)
    }

    /// Returns the dialogue with the proxy that a connection to `endpoint` begins with, or `None` without a proxy.
    ///
    /// # Errors
    /// Returns an error if the host name of the endpoint is too long for SOCKS5.
    pub(crate) fn socks(&self, endpoint: &Endpoint) -> Result<Option<Socks>, SocksError> {
        let (Endpoint::Tcp { host, port, .. }, Some(_)) = (endpoint, &self.socks_proxy) else {
            return Ok(None);
        };
        let username = self.socks_username.clone().filter(|username| !username.is_empty());
        let password = || self.socks_password.clone().unwrap_or_default();
        let login = username.map(|username| Login { username, password: password() });
        Socks::new(host, *port, login).map(Some)
    }

    /// Returns how long the dialogue with a SOCKS5 proxy may take after the proxy is reached: HANDSHAKE_IVL, or without one
    /// CONNECT_TIMEOUT. There is always a limit, because only this end can notice a proxy that sends nothing.
    pub(crate) fn dialogue_limit(&self) -> Duration {
        self.handshake_ivl.or(self.connect_timeout).unwrap_or(LONGEST_DIALOGUE)
    }

    /// Returns the configuration of an accepted connection. The C library turns no peer away, as libzmq: such a peer would keep
    /// its queue, and its zmq_ctx_term with LINGER -1 would wait for ever.
    pub(crate) fn accepted_config(&self, t: SocketType) -> Config {
        let selects = self.refuses() && (t.addresses() || t.has_one_peer());
        Config { signature_timeout: self.signature_ivl, selects, ..self.connection_config(t) }
    }

    /// Returns whether an endpoint is dialled again after a loss or a failure (RECONNECT_IVL is neither -1 nor 0).
    pub(crate) fn redials(&self) -> bool {
        self.reconnect_ivl.is_some_and(|ivl| !ivl.is_zero())
    }

    /// Returns the configuration of a dialled connection. If the peer may have no place for this socket, the connection tells it
    /// whether this socket dials again.
    pub(crate) fn dialled_config(&self, t: SocketType) -> Config {
        let needs_place = t.has_one_peer() || t.sends_identity() && self.routing_id.is_some();
        let dials_again = self.redials() && self.redial_after_fault && !self.reconnect_stop.handshake_failed;
        Config { redials: dials_again && needs_place, ..self.connection_config(t) }
    }

    /// Returns how many connections of one host may be in their handshake at the same time; 0 is no limit.
    pub(crate) fn handshakes_per_host(&self) -> u32 {
        let eighth = || if self.max_handshakes == 0 { 0 } else { (self.max_handshakes / 8).max(1) };
        self.max_handshakes_per_host.unwrap_or_else(eighth)
    }

    /// Returns the configuration of a connection of a socket of type `t`.
    pub(crate) fn connection_config(&self, t: SocketType) -> Config {
        Config {
            routing_id: self.routing_id_bytes(),
            min_version: self.min_version,
            max_frame: self.maxmsgsize,
            max_message: self.max_multipart.unwrap_or(u64::MAX),
            max_parts: if self.max_frames == 0 { u32::MAX } else { self.max_frames },
            max_topic: if self.max_topic == 0 { usize::MAX } else { self.max_topic as usize },
            handshake_timeout: self.handshake_ivl,
            heartbeat: self.heartbeat_ivl,
            heartbeat_timeout: self.silence_allowed(),
            heartbeat_ttl: self.heartbeat_ttl,
            properties: self.metadata.clone(),
            raw: self.is_raw(t),
            ..Config::new(t)
        }
    }

    /// Returns the HELLO_MSG of a socket of type `t`, which each connection sends first.
    pub(crate) fn hello(&self, t: SocketType) -> Option<Message> {
        self.words(opt::HELLO_MSG.row(), &self.hello_msg, t)
    }

    /// Returns the message that a socket of type `t` receives when a peer has completed its handshake (ROUTER_NOTIFY).
    pub(crate) fn arrival_notice(&self, t: SocketType) -> Option<Message> {
        (self.router_notify.connect && self.notifies(t)).then(empty)
    }

    /// Returns the messages that a socket of type `t` receives when a peer is lost, which it has connected to or accepted
    /// (ROUTER_NOTIFY, HICCUP_MSG, DISCONNECT_MSG).
    pub(crate) fn loss_notices(&self, t: SocketType, connected: bool) -> impl Iterator<Item = Message> {
        let notice = (self.router_notify.disconnect && self.notifies(t)).then(empty);
        let words = if connected {
            self.words(opt::HICCUP_MSG.row(), &self.hiccup_msg, t)
        } else {
            self.disconnect_notice(t)
        };
        notice.into_iter().chain(words)
    }

    /// Returns the DISCONNECT_MSG of a socket of type `t`.
    pub(crate) fn disconnect_notice(&self, t: SocketType) -> Option<Message> {
        self.words(opt::DISCONNECT_MSG.row(), &self.disconnect_msg, t)
    }

    /// Returns the message in an option, if the option applies to the type. In C every type may set it.
    fn words(&self, row: &Row, words: &Option<Bytes>, t: SocketType) -> Option<Message> {
        let words = words.as_ref().filter(|_| row.applies_to(t) && !self.is_raw(t))?;
        Some(Frame::from(words.clone()).into())
    }

    fn notifies(&self, t: SocketType) -> bool {
        opt::ROUTER_NOTIFY.row().applies_to(t) && !self.is_raw(t)
    }

    /// Returns whether connections speak no ZMTP.
    pub(crate) fn is_raw(&self, t: SocketType) -> bool {
        self.router_raw || t.is_raw()
    }

    /// Returns how long a peer may be silent after a PING; `None` is for ever. If HEARTBEAT_TIMEOUT is not set it is
    /// HEARTBEAT_IVL, and 0 is for ever (libzmq stream_engine_base.cpp).
    fn silence_allowed(&self) -> Option<Duration> {
        self.heartbeat_timeout.or(self.heartbeat_ivl).filter(|timeout| !timeout.is_zero())
    }

    /// Returns the routing id to announce to peers; empty for none.
    pub(crate) fn routing_id_bytes(&self) -> Bytes {
        self.routing_id.as_ref().map(RoutingId::to_frame).unwrap_or_default().into_bytes()
    }
}

fn empty() -> Message {
    Frame::new().into()
}
