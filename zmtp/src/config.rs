//! The settings of a connection: socket type, limits, times, mechanism.

use std::time::Duration;

use bytes::Bytes;

use crate::decoder::Limits;
use crate::groups::MAX_GROUP;
use crate::mechanism::Settings;
#[cfg(feature = "curve")]
use crate::mechanism::curve::OVERHEAD;
use crate::{Entropy, SocketType, Version};

/// The settings of one side of a connection.
#[derive(Clone, Debug)]
pub struct Config {
    /// Our socket type.
    pub socket_type: SocketType,
    /// The routing id that this side announces, at most 255 bytes; empty for none (`ZMQ_ROUTING_ID`).
    pub routing_id: Bytes,
    /// The oldest version accepted. It is at least 3.0 with a mechanism other than NULL, and with
    /// [`Config::authorise`].
    pub min_version: Version,
    /// The longest frame accepted, in bytes of the application (`ZMQ_MAXMSGSIZE`); `None` for no limit. Commands have
    /// their own limits.
    pub max_frame: Option<u64>,
    /// The most bytes accepted in all frames of one multipart message.
    pub max_message: u64,
    /// The most frames accepted in one message.
    pub max_parts: u32,
    /// The longest topic accepted from a subscriber, in bytes.
    pub max_topic: usize,
    /// The longest time for greeting and handshake together (`ZMQ_HANDSHAKE_IVL`); `None` for no limit.
    pub handshake_timeout: Option<Duration>,
    /// The longest time for the ten bytes of the peer's signature; `None` for as long as the whole handshake. It is
    /// meant for a side that accepts, which does not choose its peers. A side that connects sets `None`.
    pub signature_timeout: Option<Duration>,
    /// The time between PINGs (`ZMQ_HEARTBEAT_IVL`); with `None` this side sends no PINGs.
    pub heartbeat: Option<Duration>,
    /// The longest time without input after a PING (`ZMQ_HEARTBEAT_TIMEOUT`); `None` for no limit.
    pub heartbeat_timeout: Option<Duration>,
    /// The time to live in our PINGs (`ZMQ_HEARTBEAT_TTL`): whole tenths of a second, at most 6553.5 s. With zero the
    /// PINGs set none.
    pub heartbeat_ttl: Duration,
    /// Properties of the application for our READY. Their names begin with `X-` (`ZMQ_METADATA`).
    pub properties: Vec<(String, Bytes)>,
    /// Whether the connection carries raw bytes instead of ZMTP (`ZMQ_ROUTER_RAW`): each chunk that arrives is a
    /// message, and each frame is written as it is. A STREAM is always raw, whatever this field says.
    pub raw: bool,
    /// The security mechanism.
    pub mechanism: Settings,
    /// Whether the handshake waits for [`Connection::decide`](super::Connection::decide) before it admits the peer. It
    /// has no effect on a client of PLAIN or CURVE, which admits no peers.
    pub authorise: bool,
    /// Whether an admitted peer waits for our READY until [`Connection::welcome`](super::Connection::welcome). Until
    /// then the owner can still turn it away because of its routing id. It is meant for a side that accepts: two sides
    /// that select would wait for each other. It has no effect where the peer sends the last READY (a client of PLAIN
    /// or CURVE) or there is no READY (below 3.0).
    pub selects: bool,
    /// Whether our READY says that this side dials again after an ERROR. A peer that turns this side away then sends
    /// the reason.
    pub redials: bool,
    /// The source of random bytes for CURVE.
    pub entropy: Entropy,
}

impl Config {
    /// Returns libzmq's default values with Zeroxide's own limits.
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

    /// Returns the oldest version that may connect. Versions below 3.0 have no mechanism: with them a peer would bypass
    /// any mechanism but NULL, and there would be no credentials to decide about (libzmq session_base.cpp
    /// `zap_enabled`).
    pub(crate) fn minimum_version(&self) -> Version {
        if self.mechanism.permits_legacy() && !self.authorise {
            self.min_version
        } else {
            self.min_version.max(Version::V3_0)
        }
    }

    /// Returns whether the handshake waits for a decision about the peer.
    pub(super) fn asks(&self) -> bool {
        self.authorise && self.mechanism.admits()
    }

    /// Returns the limits on traffic.
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

    /// Returns the limits on the boxes that carry traffic under CURVE. The kind and the size of the content are known
    /// only after a box is opened.
    #[cfg(feature = "curve")]
    pub(super) fn sealed_limits(&self) -> Limits {
        let Limits { frame, command, .. } = self.open_limits();
        let longest = frame.max(command).saturating_add(OVERHEAD as u64);
        Limits { frame: longest, command: longest, message: u64::MAX, frames: u32::MAX }
    }
}
