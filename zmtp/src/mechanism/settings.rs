//! The mechanism that a socket requires, with its credentials.

#[cfg(feature = "plain")]
use bytes::Bytes;

#[cfg(feature = "plain")]
use super::Secret;
#[cfg(feature = "curve")]
use super::curve::{PublicKey, SecretKey};

/// The mechanism that a socket requires, with its credentials.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Settings {
    /// NULL: no authentication, no secrecy (RFC 23 "NULL").
    #[default]
    Null,
    /// PLAIN, the side that receives a name and a password (RFC 24; `ZMQ_PLAIN_SERVER`).
    #[cfg(feature = "plain")]
    PlainServer,
    /// PLAIN, the side that sends them, at most 255 bytes each (RFC 24; `ZMQ_PLAIN_USERNAME`, `ZMQ_PLAIN_PASSWORD`).
    #[cfg(feature = "plain")]
    PlainClient {
        /// The name.
        username: Bytes,
        /// The password.
        password: Secret,
    },
    /// CURVE, the side whose key the clients know (RFC 25; `ZMQ_CURVE_SERVER`, `ZMQ_CURVE_SECRETKEY`).
    #[cfg(feature = "curve")]
    CurveServer(SecretKey),
    /// CURVE, the side that knows the server's key (RFC 25; `ZMQ_CURVE_SERVERKEY`, `ZMQ_CURVE_SECRETKEY`).
    #[cfg(feature = "curve")]
    CurveClient {
        /// The server's public key. A server with another key is refused.
        server: PublicKey,
        /// Our own key.
        secret: SecretKey,
    },
}

impl Settings {
    /// Returns the mechanism's name, as the greeting carries it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Settings::Null => "NULL",
            #[cfg(feature = "plain")]
            Settings::PlainServer | Settings::PlainClient { .. } => "PLAIN",
            #[cfg(feature = "curve")]
            Settings::CurveServer(_) | Settings::CurveClient { .. } => "CURVE",
        }
    }

    /// Returns whether this side admits peers, and so may require a decision about them. A client does not.
    #[must_use]
    pub fn admits(&self) -> bool {
        match self {
            Settings::Null => true,
            #[cfg(feature = "plain")]
            Settings::PlainServer => true,
            #[cfg(feature = "plain")]
            Settings::PlainClient { .. } => false,
            #[cfg(feature = "curve")]
            Settings::CurveServer(_) => true,
            #[cfg(feature = "curve")]
            Settings::CurveClient { .. } => false,
        }
    }

    /// Returns the greeting's mechanism field: the name, padded with NUL.
    pub(crate) fn field(&self) -> [u8; 20] {
        let mut field = [0; 20];
        field.iter_mut().zip(self.name().bytes()).for_each(|(place, byte)| *place = byte);
        field
    }

    /// Returns whether peers below 3.0 may connect. They have no mechanism, so with anything but NULL they would
    /// connect without authentication (libzmq session_base.cpp `zap_enabled`).
    pub(crate) fn permits_legacy(&self) -> bool {
        matches!(self, Settings::Null)
    }
}
