//! The mechanisms, and a side's part in one.

use std::fmt;

/// A security mechanism (RFC 37 §3.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mechanism {
    /// No proof, no secrecy.
    #[default]
    Null = 0,
    /// A name and a password in clear text.
    Plain = 1,
    /// Keys, and encryption of everything.
    Curve = 2,
}

impl Mechanism {
    /// Returns its name on the wire.
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

impl Role {
    /// Returns whether this side shows the proof that the other demands.
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
