//! The errors of an endpoint, one variant per cause. Each text says what is wrong, where, and what to write instead.

use std::{error, fmt};

use crate::scheme::{IPC_PATH_LIMIT, Scheme};

/// The error for an invalid endpoint. The strings are the caller's own text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndpointError {
    /// It does not begin with `transport://`.
    NoTransport(String),
    /// The transport is not one of [`Scheme::ALL`].
    UnknownTransport {
        /// The whole endpoint.
        endpoint: String,
        /// The part before `://`.
        transport: String,
    },
    /// Nothing follows `transport://`.
    NoAddress(String),
    /// A tcp endpoint for bind has no port.
    NoPortToBind(String),
    /// A tcp endpoint for connect has no port.
    NoPortToConnect(String),
    /// The port is not a number in 1..65535.
    Port {
        /// The whole endpoint.
        endpoint: String,
        /// The port part.
        port: String,
    },
    /// The host is not an address, an interface name or a host name.
    Host {
        /// The whole endpoint.
        endpoint: String,
        /// The host part.
        host: String,
    },
    /// An IPv6 address is not in brackets, so that its end cannot be distinguished from the port.
    NoBrackets {
        /// The whole endpoint.
        endpoint: String,
        /// The address part.
        host: String,
    },
    /// The host to connect to is `*`.
    WildcardHost(String),
    /// The port to connect to is `*` or `0`.
    WildcardPort(String),
    /// The path to connect to is `ipc://*`.
    WildcardPath(String),
    /// An endpoint for bind has the form `source;host`.
    SourceToBind(String),
    /// An ipc path does not fit into a socket address.
    PathTooLong(String),
    /// An ipc path contains a NUL.
    PathWithNul(String),
    /// The name after `ipc://@` is empty.
    NoAbstractName(String),
    /// The platform has no abstract ipc names.
    AbstractUnsupported(String),
    /// The platform has no usable local sockets (Windows).
    IpcUnsupported(String),
}

impl fmt::Display for EndpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EndpointError::NoTransport(text) => {
                let suggestion = suggestion(text);
                write!(f, "{text:?}: no transport; write {suggestion:?} (known: {})", Known)
            }
            EndpointError::UnknownTransport { endpoint, transport } => {
                write!(f, "{endpoint:?}: ")?;
                match scheme_like(transport) {
                    Some(scheme) => {
                        let address = endpoint.strip_prefix(&**transport).unwrap_or_default();
                        write!(f, "a transport is in lower case; write \"{}{address}\"", scheme.name())
                    }
                    None if NOT_YET.contains(&transport.to_ascii_lowercase().as_str()) => {
                        write!(f, "the transport {transport:?} is not there yet (known: {})", Known)
                    }
                    None => write!(f, "unknown transport {transport:?} (known: {})", Known),
                }
            }
            EndpointError::NoAddress(text) => write!(f, "{text:?}: no address after \"://\""),
            EndpointError::NoPortToBind(text) => {
                write!(f, "{text:?}: no port; add \":5555\", or \":*\" to let the system choose")
            }
            EndpointError::NoPortToConnect(text) => write!(f, "{text:?}: no port; add \":5555\""),
            EndpointError::Port { endpoint, port } => {
                write!(f, "{endpoint:?}: port {port:?} is not in 1..65535")
            }
            EndpointError::Host { endpoint, host } => {
                write!(f, "{endpoint:?}: {host:?} is not an address, an interface or a host name")
            }
            EndpointError::NoBrackets { endpoint, host } => {
                write!(f, "{endpoint:?}: IPv6 addresses are written in brackets: \"[{host}]\"")
            }
            EndpointError::WildcardHost(text) => {
                write!(f, "{text:?}: \"*\" is for bind; connect needs a host such as 127.0.0.1")
            }
            EndpointError::WildcardPort(text) => {
                write!(f, "{text:?}: port \"*\" or 0 is for bind; connect needs a port such as 5555")
            }
            EndpointError::WildcardPath(text) => {
                write!(f, "{text:?}: \"*\" is for bind; connect needs the path that bind returned")
            }
            EndpointError::SourceToBind(text) => {
                write!(f, "{text:?}: a source address before \";\" is for connect; bind takes one address")
            }
            EndpointError::PathTooLong(text) => {
                write!(
                    f,
                    "{text:?}: longer than the {IPC_PATH_LIMIT} bytes that a local socket's name may have"
                )
            }
            EndpointError::PathWithNul(text) => write!(f, "{text:?}: a path cannot hold a NUL"),
            EndpointError::NoAbstractName(text) => write!(f, "{text:?}: no name after \"@\""),
            EndpointError::AbstractUnsupported(text) => {
                write!(f, "{text:?}: abstract names are for Linux and Android; use a path")
            }
            EndpointError::IpcUnsupported(text) => {
                write!(f, "{text:?}: ipc is not supported on this platform; use \"tcp://127.0.0.1:5555\"")
            }
        }
    }
}

impl error::Error for EndpointError {}

/// The transports of ZeroMQ that are not implemented.
const NOT_YET: [&str; 10] = ["ws", "wss", "udp", "pgm", "epgm", "norm", "tipc", "vmci", "vsock", "hyperv"];

/// Returns the transport with this name, in upper or lower case.
fn scheme_like(name: &str) -> Option<Scheme> {
    Scheme::ALL.into_iter().find(|scheme| scheme.name().eq_ignore_ascii_case(name))
}

/// Returns a corrected endpoint, to be suggested to the caller.
fn suggestion(text: &str) -> String {
    // "tcp:host", and "tcp//host" without its colon.
    let parts =
        text.split_once(':').filter(|(scheme, _)| scheme_like(scheme).is_some()).or(text.split_once("//"));
    if let Some((scheme, address)) = parts.and_then(|(scheme, rest)| Some((scheme_like(scheme)?, rest))) {
        // In "ipc:/tmp/x" the slash belongs to the path.
        let address = if scheme == Scheme::Ipc { address } else { address.trim_start_matches('/') };
        if !address.is_empty() {
            return format!("{}://{address}", scheme.name());
        }
    }
    let address = text.trim_start_matches("://");
    let scheme = if address.starts_with(['/', '.', '@']) { Scheme::Ipc } else { Scheme::Tcp };
    format!("{}://{}", scheme.name(), if address.is_empty() { "127.0.0.1:5555" } else { address })
}

struct Known;

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Scheme::ALL.iter().enumerate().try_for_each(|(position, scheme)| {
            f.write_str(if position == 0 { "" } else { ", " })?;
            f.write_str(scheme.name())
        })
    }
}
