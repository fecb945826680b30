//! Who may come in, and how peers prove who they are.
//!
//! | file | holds |
//! |---|---|
//! | `authenticate` | [`Authenticate`], what decides about a peer; [`Credentials`], [`Verdict`] |
//! | `access_list` | [`AccessList`], the ready-made one |
//! | `net` | networks of addresses |
//! | `authorities` | who decides for which domain, and the thread on which it does |
//!
//! The question itself travels through `io/authorise` (who is asked) and `io/zap` (a handler socket is).

mod access_list;
mod authenticate;
pub(crate) mod authorities;
mod net;

pub use authenticate::{Authenticate, Credentials, Verdict};
pub use net::NetError;

use std::fmt;

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

/// A mechanism, and this side's part in it. It has nothing to do with who binds and who connects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Role {
    /// The mechanism.
    pub mechanism: Mechanism,
    /// Whether this side demands the proof. With NULL both sides are alike, and it is `false`.
    pub server: bool,
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
