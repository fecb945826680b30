//! The text of a failed handshake: what happened, and the likely cause. Where the cause cannot be known, the text says so.

#[cfg(feature = "curve")]
use zeroxide_zmtp::error::CommandKind;
use zeroxide_zmtp::mechanism::Status;
use zeroxide_zmtp::{ProtocolError, SocketType, Stage};

use super::{HandshakeCause, HandshakeError, article, either};
use crate::security::{Mechanism, Role};

impl HandshakeError {
    /// Returns the text without the endpoint.
    pub(crate) fn what(&self) -> String {
        match &self.cause {
            HandshakeCause::Protocol(fault) => self.protocol(fault),
            HandshakeCause::Denied(denial) => match (&self.claim, self.security.mechanism) {
                (Some(key), Mechanism::Curve) => format!("{denial} (key {key})"),
                (Some(name), _) => format!("{denial} (user {name:?})"),
                (None, _) => denial.to_string(),
            },
            HandshakeCause::NoSignature => {
                "peer sent no ZMTP signature within SIGNATURE_IVL; does it speak ZMTP?".to_owned()
            }
            HandshakeCause::TimedOut => self.timed_out(),
            HandshakeCause::PeerClosed => self.closed().to_owned(),
            HandshakeCause::Io(error) => format!("connection lost during the handshake: {error}"),
        }
    }

    fn timed_out(&self) -> String {
        match (self.stage, self.security) {
            (Some(Stage::Greeting), _) => {
                "peer sent no greeting within HANDSHAKE_IVL; does it speak ZMTP?".to_owned()
            }
            (Some(Stage::Authorising), _) => {
                "no decision about the peer within HANDSHAKE_IVL, or no answer of the peer to it".to_owned()
            }
            (_, Role { mechanism, server: true }) => format!(
                "peer did not show who it is within HANDSHAKE_IVL; is it a {mechanism} server like us?"
            ),
            _ => "peer did not end its handshake within HANDSHAKE_IVL".to_owned(),
        }
    }

    /// The peer closed: a server that refuses need not say why.
    fn closed(&self) -> &'static str {
        match (self.stage, self.security) {
            (Some(Stage::Greeting), _) => {
                "peer closed before its greeting; is it full, or filtering addresses?"
            }
            (_, Role { mechanism: Mechanism::Curve, server: false }) => {
                "peer closed after our HELLO: most often the server key is not this server's (it did not say)"
            }
            (_, Role { mechanism: Mechanism::Plain, server: false }) => {
                "peer closed after our HELLO: it wants us later, or has nobody who decides (it did not say)"
            }
            _ => "peer closed during the handshake; its log may say why",
        }
    }

    fn protocol(&self, fault: &ProtocolError) -> String {
        let (own, security) = (self.socket, self.security);
        match fault {
            ProtocolError::SocketTypeMismatch { peer, .. } => {
                let peer = peer.map_or("of no known type", SocketType::name);
                let legal = either(own.peers());
                format!("peer is {peer}, we are {own}; {} {own} talks to {legal}", article(own))
            }
            ProtocolError::NotZmtp { first } => {
                // Enough to know HTTP, TLS or SSH by.
                let first = first.as_bytes();
                let first = first[..first.len().min(8)].escape_ascii();
                format!("peer does not speak ZMTP (first bytes \"{first}\")")
            }
            ProtocolError::VersionTooOld { spoken, minimum } => {
                let why = match security.mechanism {
                    Mechanism::Null => "MIN_VERSION can allow it".to_owned(),
                    mechanism => format!("{mechanism} needs it"),
                };
                format!("peer speaks ZMTP {spoken}, we demand {minimum}; {why}")
            }
            ProtocolError::MechanismMismatch { peer } => {
                let name = peer.split(|b| *b == 0).next().unwrap_or_default().escape_ascii().to_string();
                self.mismatch(&name)
            }
            ProtocolError::UnexpectedCommand { name }
                if security.is_client() && name.as_bytes() == b"HELLO" =>
            {
                format!("peer is {security} like us; one side must be the server")
            }
            #[cfg(feature = "curve")]
            ProtocolError::Forged(CommandKind::Hello) => {
                "peer's HELLO does not open; most often it has another key for this server".to_owned()
            }
            ProtocolError::Refused { reason } => self.refused(reason),
            other => other.to_string(),
        }
    }

    fn mismatch(&self, peer: &str) -> String {
        match (self.security.mechanism, peer) {
            (Mechanism::Null, "PLAIN") => self.offers_null(peer, "PlainClient", "PlainServer"),
            (Mechanism::Null, "CURVE") => self.offers_null(peer, "CurveClient", "CurveServer"),
            (Mechanism::Null, _) => format!("peer demands {peer}, which we do not know"),
            (mechanism, "NULL") => {
                let part = if self.security.server { "client" } else { "server" };
                format!("peer offers NULL, we demand {mechanism}; it must be a {mechanism} {part}")
            }
            (mechanism, _) => format!("peer wants {peer}, we want {mechanism}; both must want the same"),
        }
    }

    fn offers_null(&self, peer: &str, client: &str, server: &str) -> String {
        let part = if self.connecting { client } else { server };
        let fields = if part == "PlainServer" {
            ""
        } else if part == "CurveServer" {
            "(..)"
        } else {
            "{..}"
        };
        format!("peer demands {peer}, we offer NULL; set Options::security({part}{fields})")
    }

    /// ERROR comes in clear text, and whoever can write to the connection may have sent it.
    fn refused(&self, reason: &[u8]) -> String {
        let Some(status) = Status::from_reason(reason) else {
            return format!("peer refused us: \"{}\"", reason.escape_ascii());
        };
        let why = match (status, self.security.mechanism) {
            (Status::TemporaryError, _) => "it may let us in later",
            (Status::InternalError, _) => "whoever decides there has failed, and its own monitor says how",
            (_, Mechanism::Null) => "it does not want our address",
            (_, Mechanism::Plain) => "it knows no such user with this password, or does not want our address",
            (_, Mechanism::Curve) => "it does not know our public key, or does not want our address",
        };
        format!("peer refused us with status {status}; {why}")
    }
}
