//! What the owner of a socket says about its connections: type, limits, times, mechanism.

use std::time::Duration;

use bytes::Bytes;

use crate::decoder::Limits;
use crate::groups::MAX_GROUP;
use crate::mechanism::Settings;
#[cfg(feature = "curve")]
use crate::mechanism::curve::OVERHEAD;
use crate::{Entropy, SocketType, Version};

/// What one side brings to a connection.
#[derive(Clone, Debug)]
pub struct Config {
    /// Our socket type.
    pub socket_type: SocketType,
    /// The routing id that we announce, at most 255 bytes; empty for none (`ZMQ_ROUTING_ID`).
    pub routing_id: Bytes,
    /// The oldest version accepted. A mechanism other than NULL accepts none below 3.0 anyway, nor does a
    /// connection that asks whether its peer may come in.
    pub min_version: Version,
    /// The longest frame accepted, in bytes of the application (`ZMQ_MAXMSGSIZE`); `None` for no limit. Commands
    /// have limits of their own.
    pub max_frame: Option<u64>,
    /// The most bytes accepted in all frames of one multipart message.
    pub max_message: u64,
    /// The most frames accepted in one message.
    pub max_parts: u32,
    /// The longest topic accepted from a subscriber, in bytes.
    pub max_topic: usize,
    /// How long greeting and handshake together may take (`ZMQ_HANDSHAKE_IVL`); `None` for ever.
    pub handshake_timeout: Option<Duration>,
    /// How long the ten bytes of the peer's signature may take, for a side that accepts strangers; `None` is as long as
    /// the whole handshake. A side that connects has chosen its peer, and does not hurry it.
    pub signature_timeout: Option<Duration>,
    /// Time between PINGs (`ZMQ_HEARTBEAT_IVL`); `None` sends none.
    pub heartbeat: Option<Duration>,
    /// How long after a PING something must arrive (`ZMQ_HEARTBEAT_TIMEOUT`); `None` for ever.
    pub heartbeat_timeout: Option<Duration>,
    /// The time to live that our PINGs ask of the peer (`ZMQ_HEARTBEAT_TTL`): whole tenths of a second, at most
    /// 6553.5 s; zero asks nothing.
    pub heartbeat_ttl: Duration,
    /// Properties of the application for our READY, names beginning with `X-` (`ZMQ_METADATA`).
    pub properties: Vec<(String, Bytes)>,
    /// No ZMTP at all: each chunk that arrives is a message, each frame goes out as it is (`ZMQ_ROUTER_RAW`). True
    /// of a STREAM whatever stands here.
    pub raw: bool,
    /// The security mechanism.
    pub mechanism: Settings,
    /// Whether the peer waits for [`Connection::decide`](super::Connection::decide) before it is told that it may come in. A client of PLAIN or
    /// CURVE admits nobody and does not ask.
    pub authorise: bool,
    /// Whether a peer that may come in waits for our READY until [`Connection::welcome`](super::Connection::welcome), so
    /// that it can still be turned away for what it calls itself. For a side that accepts: two such sides would both
    /// wait. It has no effect where the peer has the last word (a client of PLAIN or CURVE) or there is none (below 3.0).
    pub selects: bool,
    /// Whether we tell the peer that we dial again after an ERROR, so that it need not be silent when it turns us away.
    pub redials: bool,
    /// Where CURVE takes random bytes from.
    pub entropy: Entropy,
}

impl Config {
    /// libzmq's values and the native limits.
    #[must_use]
    pub fn new(socket_type: SocketType) -> Config {
        Config {
            socket_type,
            routing_id: Bytes::new(),
            min_version: Version::V3_0,
            max_frame: Some(64 << 20),
            max_message: 256 << 20,
            max_parts: 65_536,
            max_topic: 64 << 10,
            handshake_timeout: Some(Duration::from_secs(10)),
            signature_timeout: None,
            heartbeat: None,
            heartbeat_timeout: None,
            heartbeat_ttl: Duration::ZERO,
            properties: Vec::new(),
            raw: false,
            mechanism: Settings::Null,
            authorise: false,
            selects: false,
            redials: false,
            entropy: Entropy::none(),
        }
    }

    /// The oldest version that may connect. Below 3.0 there is no mechanism, so anything but NULL would be bypassed,
    /// and nobody to be asked about (libzmq session_base.cpp `zap_enabled`).
    pub(crate) fn minimum_version(&self) -> Version {
        if self.mechanism.permits_legacy() && !self.authorise {
            self.min_version
        } else {
            self.min_version.max(Version::V3_0)
        }
    }

    /// Whether somebody decides about the peer.
    pub(super) fn asks(&self) -> bool {
        self.authorise && self.mechanism.admits()
    }

    /// The limits on what travels.
    pub(super) fn open_limits(&self) -> Limits {
        Limits {
            frame: self.max_frame.unwrap_or(u64::MAX),
            // The longest command of an open connection is a SUBSCRIBE or a JOIN.
            command: (self.max_topic.max(if self.socket_type.has_groups() { MAX_GROUP } else { 0 }) as u64)
                .saturating_add(10),
            message: self.max_message,
            frames: self.max_parts,
        }
    }

    /// The limits on the boxes in which it travels. What is in a box shows when it is open.
    #[cfg(feature = "curve")]
    pub(super) fn sealed_limits(&self) -> Limits {
        let Limits { frame, command, .. } = self.open_limits();
        let longest = frame.max(command).saturating_add(OVERHEAD as u64);
        Limits { frame: longest, command: longest, message: u64::MAX, frames: u32::MAX }
    }
}
