//! Errors of options.

use std::fmt;

use zeroxide_patterns::RoutingId;
use zeroxide_zmtp::SocketType;

/// Why an option cannot be set or read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OptionError {
    /// The value is outside its limits.
    OutOfRange {
        /// Name of the option.
        option: &'static str,
        /// The value, as text with its unit; `***` for a secret.
        value: String,
        /// The limits, as text with their unit.
        allowed: String,
    },
    /// The text is no value of the option.
    Malformed {
        /// Name of the option.
        option: &'static str,
        /// The text; `***` for a secret.
        text: String,
        /// What to write.
        form: &'static str,
        /// The word for an absent value, if the option may have none.
        none: Option<&'static str>,
    },
    /// The option can only be read.
    ReadOnly {
        /// Name of the option.
        option: &'static str,
    },
    /// The option exists only in the C interface.
    COnly {
        /// Name of the option.
        option: &'static str,
        /// What does the same in Rust.
        instead: &'static str,
    },
    /// Sockets of this type do not have the option.
    NotForType {
        /// Name of the option.
        option: &'static str,
        /// The socket's type.
        socket: SocketType,
        /// Names of the types that have it.
        types: &'static [&'static str],
    },
    /// The option belongs to a whole socket, not to one of its endpoints.
    NotForEndpoint {
        /// Name of the option.
        option: &'static str,
    },
    /// The option needs a feature that does not exist yet.
    NotYet {
        /// Name of the option.
        option: &'static str,
        /// Name of the feature.
        needs: &'static str,
    },
    /// The option needs a cargo feature that is off.
    NotBuilt {
        /// Name of the option.
        option: &'static str,
        /// Name of the feature.
        feature: &'static str,
    },
    /// The option was never set and has no default.
    Unset {
        /// Name of the option.
        option: &'static str,
    },
    /// Another peer of the socket has the routing id in CONNECT_ROUTING_ID.
    RoutingIdInUse(Box<RoutingId>),
}

impl OptionError {
    /// Returns the name of the option.
    #[must_use]
    pub fn option(&self) -> &'static str {
        match self {
            OptionError::OutOfRange { option, .. }
            | OptionError::Malformed { option, .. }
            | OptionError::ReadOnly { option }
            | OptionError::COnly { option, .. }
            | OptionError::NotForType { option, .. }
            | OptionError::NotForEndpoint { option }
            | OptionError::NotYet { option, .. }
            | OptionError::NotBuilt { option, .. }
            | OptionError::Unset { option } => option,
            OptionError::RoutingIdInUse(_) => "CONNECT_ROUTING_ID",
        }
    }
}

impl fmt::Display for OptionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OptionError::OutOfRange { option, value, allowed } => {
                write!(f, "{option} = {value}: allowed {allowed}")
            }
            OptionError::Malformed { option, text, form, none } => {
                write!(f, "{option} = {text:?}: write {form}")?;
                none.map_or(Ok(()), |word| write!(f, ", or {word:?}"))
            }
            OptionError::ReadOnly { option } => write!(f, "{option}: can only be read"),
            OptionError::COnly { option, instead } => {
                write!(f, "{option}: exists only in the C interface; in Rust {instead}")
            }
            OptionError::NotForType { option, socket, types } => {
                write!(f, "{option}: {socket} sockets do not have it, only {}", types.join(", "))
            }
            OptionError::NotForEndpoint { option } => write!(
                f,
                "{option}: belongs to the whole socket, not to one endpoint; give it to socket_with()"
            ),
            OptionError::NotYet { option, needs } => {
                write!(f, "{option}: not supported yet (needs {needs})")
            }
            OptionError::NotBuilt { option, feature } => {
                write!(f, "{option}: not built in; enable the feature {feature:?} of zeroxide in Cargo.toml")
            }
            OptionError::Unset { option } => write!(f, "{option}: not set, and it has no default"),
            OptionError::RoutingIdInUse(id) => {
                write!(f, "CONNECT_ROUTING_ID = {id}: another peer of this socket has this routing id")
            }
        }
    }
}

impl std::error::Error for OptionError {}
