//! What the layers below need of the options.

use std::time::Duration;

use bytes::Bytes;
use zeroxide_patterns::{PatternOptions, RoutingId};
use zeroxide_transports::socks::{Login, Socks, SocksError};
use zeroxide_transports::{Endpoint, EndpointError, SocketOptions};
use zeroxide_zmtp::{Config, Frame, Message, SocketType};

use super::row::Row;
use super::{Values, opt};

/// How long a SOCKS5 proxy may take where no option says: as long as Tor's SocksTimeout.
const LONGEST_DIALOGUE: Duration = Duration::from_secs(120);

impl Values {
    /// Returns whether a connect over inproc is refused that can come to nothing, and a peer that was connected to and has no place.
    /// The C library takes every one, as libzmq does; each waits for its place.
    pub(crate) fn refuses(&self) -> bool {
        !self.credit_in_lots
    }

    /// Returns what the socket's pattern obeys.
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

    /// Returns what the streams and listeners of an endpoint obey.
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

    /// Whom a connection to `endpoint` dials first: the peer, or for tcp the SOCKS5 proxy.
    ///
    /// # Errors
    /// SOCKS_PROXY names nobody, which only the C library lets in: the peer is not dialled directly then.
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

    /// Returns the dialogue that a connection to `endpoint` begins with, if there is a proxy.
    ///
    /// # Errors
    /// The endpoint's name is too long for it.
    pub(crate) fn socks(&self, endpoint: &Endpoint) -> Result<Option<Socks>, SocksError> {
        let (Endpoint::Tcp { host, port, .. }, Some(_)) = (endpoint, &self.socks_proxy) else {
            return Ok(None);
        };
        let username = self.socks_username.clone().filter(|username| !username.is_empty());
        let password = || self.socks_password.clone().unwrap_or_default();
        let login = username.map(|username| Login { username, password: password() });
        Socks::new(host, *port, login).map(Some)
    }

    /// Returns how long the dialogue with a SOCKS5 proxy may take once the proxy is reached: as long as a peer would have for its
    /// handshake. For a handshake that may last for ever as long as one attempt to connect, and the dialogue never for ever:
    /// nobody but this end would notice a proxy that says nothing.
    pub(crate) fn dialogue_limit(&self) -> Duration {
        self.handshake_ivl.or(self.connect_timeout).unwrap_or(LONGEST_DIALOGUE)
    }

    /// Returns the configuration of an accepted connection. The C library lets every peer in, as libzmq does: one that is turned away keeps what it has queued, and a zmq_ctx_term with LINGER -1
    /// would wait for it.
    pub(crate) fn accepted_config(&self, t: SocketType) -> Config {
        let selects = self.refuses() && (t.addresses() || t.has_one_peer());
        Config { signature_timeout: self.signature_ivl, selects, ..self.connection_config(t) }
    }

    /// Returns whether an endpoint is dialled again after a loss or a failure (RECONNECT_IVL neither -1 nor 0).
    pub(crate) fn redials(&self) -> bool {
        self.reconnect_ivl.is_some_and(|ivl| !ivl.is_zero())
    }

    /// Returns what a connection that was dialled obeys beside what every connection does. A socket that may find no place tells the
    /// peer whether it dials again when it is refused.
    pub(crate) fn dialled_config(&self, t: SocketType) -> Config {
        let needs_place = t.has_one_peer() || t.sends_identity() && self.routing_id.is_some();
        let dials_again = self.redials() && self.redial_after_fault && !self.reconnect_stop.handshake_failed;
        Config { redials: dials_again && needs_place, ..self.connection_config(t) }
    }

    /// Returns how many connections of one host may be in their handshake at once; 0 is no limit.
    pub(crate) fn handshakes_per_host(&self) -> u32 {
        let eighth = || if self.max_handshakes == 0 { 0 } else { (self.max_handshakes / 8).max(1) };
        self.max_handshakes_per_host.unwrap_or_else(eighth)
    }

    /// Returns what one connection of a socket of type `t` obeys.
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

    /// Returns what each peer of a socket of type `t` is sent ahead of everything else.
    pub(crate) fn hello(&self, t: SocketType) -> Option<Message> {
        self.words(opt::HELLO_MSG.row(), &self.hello_msg, t)
    }

    /// Returns what a socket of type `t` receives of a peer whose handshake is over.
    pub(crate) fn arrival_notice(&self, t: SocketType) -> Option<Message> {
        (self.router_notify.connect && self.notifies(t)).then(empty)
    }

    /// Returns what a socket of type `t` receives of a peer that is lost: one that it connected to, or else has accepted.
    pub(crate) fn loss_notices(&self, t: SocketType, connected: bool) -> impl Iterator<Item = Message> {
        let notice = (self.router_notify.disconnect && self.notifies(t)).then(empty);
        let words =
            if connected { self.words(opt::HICCUP_MSG.row(), &self.hiccup_msg, t) } else { self.farewell(t) };
        notice.into_iter().chain(words)
    }

    /// Returns what a socket of type `t` receives of a peer that it had accepted and that is gone.
    pub(crate) fn farewell(&self, t: SocketType) -> Option<Message> {
        self.words(opt::DISCONNECT_MSG.row(), &self.disconnect_msg, t)
    }

    /// Returns a message that an option holds. In C every type may set it; those that heed it stand in its row.
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

    /// Returns how long a peer may be silent after a PING; `None` for ever. HEARTBEAT_TIMEOUT is HEARTBEAT_IVL unless set,
    /// and 0 is for ever (libzmq stream_engine_base.cpp).
    fn silence_allowed(&self) -> Option<Duration> {
        self.heartbeat_timeout.or(self.heartbeat_ivl).filter(|timeout| !timeout.is_zero())
    }

    /// Returns the routing id to announce; empty for none.
    pub(crate) fn routing_id_bytes(&self) -> Bytes {
        self.routing_id.as_ref().map(RoutingId::to_frame).unwrap_or_default().into_bytes()
    }
}

fn empty() -> Message {
    Frame::new().into()
}
