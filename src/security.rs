//! Who may come in, and how peers prove who they are.
//!
//! | file | holds |
//! |---|---|
//! | `authenticate` | [`Authenticate`], what decides about a peer; [`Credentials`], [`Verdict`] |
//! | `access_list` | [`AccessList`], the ready-made one |
//! | `keys` | keys, and where random bytes come from |
//! | `net`, `users` | [`Net`], networks of addresses; names and passwords |
//! | `names` | to whom a routing id and the pipe of a session belong |
//! | `filters` | who may connect to a bound endpoint at all, before any handshake |
//! | `authorities` | who decides for which domain, and the threads on which they do |
//!
//! The question itself travels through `io/authorise` (who is asked) and `io/zap` (a handler socket is).

mod access_list;
mod authenticate;
pub(crate) mod authorities;
pub(crate) mod filters;
mod keys;
mod names;
mod net;
#[cfg(feature = "plain")]
mod users;

pub use authenticate::{Authenticate, Credentials, Verdict};
pub use net::{Net, NetError};

use std::fmt;

pub(crate) use keys::entropy;
#[cfg(feature = "curve")]
pub use keys::generate_secret_key;
pub use keys::{PublicKey, SecretKey};
use zeroxide_zmtp::mechanism::Secret;

pub use access_list::AccessList;

/// A security mechanism (RFC 37 §3.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mechanism {
    /// No proof, no secrecy.
    #[default]
    Null,
    /// A name and a password in clear text.
    Plain,
    /// Keys, and encryption of everything.
    Curve,
}

impl Mechanism {
    /// Its name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Mechanism::Null => "NULL",
            Mechanism::Plain => "PLAIN",
            Mechanism::Curve => "CURVE",
        }
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a socket demands and shows: the mechanism, this side's part in it, and the credentials.
///
/// It has nothing to do with who binds and who connects. Give it to [`Options::security`](crate::Options::security).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Security {
    /// NULL: no proof, no secrecy. With a ZAP_DOMAIN, peers are still judged by their address.
    Null,
    /// PLAIN, the side that demands a name and a password; an authenticator or a ZAP handler judges them. They travel
    /// in clear text, and so does everything after. Needs the feature `plain`.
    PlainServer,
    /// PLAIN, the side that shows a name and a password, of 1 to 255 bytes each. Needs the feature `plain`.
    PlainClient {
        /// The name.
        user: String,
        /// The password.
        password: Secret,
    },
    /// CURVE, the side whose public key the others know; an authenticator or a ZAP handler judges theirs.
    #[cfg(feature = "curve")]
    CurveServer(SecretKey),
    /// CURVE, the side that knows the key of the server: no other server can take its place. A fresh key of one's own
    /// will do where the server admits any.
    #[cfg(feature = "curve")]
    CurveClient {
        /// The server's public key.
        server: PublicKey,
        /// This side's own key.
        me: SecretKey,
    },
}

/// A mechanism, and this side's part in it. It has nothing to do with who binds and who connects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Role {
    /// The mechanism.
    pub mechanism: Mechanism,
    /// Whether this side demands the proof. With NULL both sides are alike, and it is `false`.
    pub server: bool,
}

impl Role {
    /// Whether this side shows the proof that the other demands.
    pub(crate) fn is_client(self) -> bool {
        self.mechanism != Mechanism::Null && !self.server
    }
}

/// `a CURVE server`, `NULL`.
impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.mechanism, self.server) {
            (Mechanism::Null, _) => f.write_str("NULL"),
            (mechanism, true) => write!(f, "a {mechanism} server"),
            (mechanism, false) => write!(f, "a {mechanism} client"),
        }
    }
}
