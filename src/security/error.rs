//! What is wrong with how a socket or a context is secured.

use std::fmt;
use std::sync::Arc;

use zeroxide_zmtp::SocketType;

use super::keys::PublicKey;
use super::role::{Mechanism, Role};

/// What is wrong with how a socket or a context is secured.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecurityError {
    /// The domain has an authenticator already.
    DomainInUse {
        /// The domain.
        domain: Box<str>,
    },
    /// The mechanism belongs to a cargo feature that is off.
    NotBuilt {
        /// The mechanism.
        mechanism: Mechanism,
    },
    /// The mechanism lacks something.
    Incomplete {
        /// The mechanism.
        security: Role,
        /// The option that is not set.
        option: &'static str,
    },
    /// CURVE_PUBLICKEY is not the public key of CURVE_SECRETKEY.
    KeysDiffer {
        /// The public key.
        public: PublicKey,
    },
    /// The operating system gave no random bytes.
    NoEntropy,
    /// A socket without ZMTP (STREAM, ROUTER_RAW) has a mechanism or a ZAP_DOMAIN, and it would use neither.
    Raw {
        /// The socket's type.
        socket: SocketType,
    },
    /// The socket demands that somebody decides about its peers, and there is nobody: neither an authenticator for its
    /// domain nor a ZAP handler.
    NobodyToAsk {
        /// The endpoint, as asked for.
        endpoint: Arc<str>,
        /// The socket's type.
        socket: SocketType,
        /// Its mechanism.
        security: Role,
        /// Its ZAP_DOMAIN; empty for none.
        domain: Box<str>,
    },
}

impl fmt::Display for SecurityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SecurityError::DomainInUse { domain } => {
                write!(
                    f,
                    "domain {domain:?} is in use: it has an authenticator; remove_authenticator() frees it"
                )
            }
            SecurityError::NotBuilt { mechanism } => {
                let feature = mechanism.name().to_ascii_lowercase();
                write!(
                    f,
                    "{mechanism} is not built in; enable the feature {feature:?} of zeroxide in Cargo.toml"
                )
            }
            SecurityError::Incomplete { security, option } => {
                write!(f, "{security} needs {option}; Options::security() sets all that belongs together")
            }
            SecurityError::KeysDiffer { public } => write!(
                f,
                "CURVE_PUBLICKEY {public} is not the public key of CURVE_SECRETKEY; it need not be set at all"
            ),
            SecurityError::NoEntropy => f.write_str("the operating system gave no random bytes"),
            SecurityError::Raw { socket } => {
                write!(
                    f,
                    "a raw {socket} speaks no ZMTP, so it can use neither a mechanism nor a ZAP_DOMAIN; set neither"
                )
            }
            SecurityError::NobodyToAsk { endpoint, socket, security, domain } => {
                write!(f, "{endpoint} ({socket}): nobody decides who may connect to ")?;
                match security.mechanism {
                    Mechanism::Null => write!(f, "ZAP domain {domain:?}")?,
                    _ => write!(f, "{security}")?,
                }
                let any = match security.mechanism {
                    Mechanism::Curve => ".allow_any_curve_key()",
                    _ => "...",
                };
                write!(
                    f,
                    "; call context.authenticator({domain:?}, AccessList::new(){any}) before, or bind() a ZAP \
                     handler to \"inproc://zeromq.zap.01\""
                )
            }
        }
    }
}

impl std::error::Error for SecurityError {}
