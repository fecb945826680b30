//! Endpoints: `transport://address`, parsed once. After that, an invalid endpoint cannot be represented.
//!
//! Invariant: printing an endpoint and parsing the text returns the same endpoint.

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::error::EndpointError;
use crate::scheme::{self, Scheme};

/// An endpoint to bind or connect. `Display` and `Debug` print the canonical text.
///
/// ```
/// # extern crate zeroxide_transports as zeroxide;
/// use zeroxide::Endpoint;
///
/// let endpoint = Endpoint::parse_bind("tcp://0.0.0.0:5555").unwrap();
/// assert_eq!(endpoint.port(), Some(5555));
/// assert_eq!(endpoint.connectable().to_string(), "tcp://127.0.0.1:5555");
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// `tcp://[source;]host:port`
    Tcp {
        /// The local address to connect from.
        source: Option<Source>,
        /// The host to listen at or to dial.
        host: Host,
        /// The port; [`Port::ANY`] only for bind.
        port: Port,
    },
    /// `ipc://path`, `ipc://@name`, `ipc://*`
    Ipc(IpcAddress),
    /// `inproc://name`
    Inproc(String),
}

/// The local address of a tcp socket that connects.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Source {
    /// An address or interface of this machine, or any.
    pub host: Host,
    /// The local port, or any.
    pub port: Port,
}

/// The host part of a tcp endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// `*`: every address of this machine.
    Any,
    /// An IPv4 address.
    V4(Ipv4Addr),
    /// An IPv6 address, in brackets.
    V6 {
        /// The address itself.
        address: Ipv6Addr,
        /// The name or number of the interface of a link-local address, after `%`.
        zone: Option<String>,
    },
    /// The name of an interface or of a host.
    Name(String),
}

/// A TCP port, or any.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Port(u16);

impl Port {
    /// The system chooses the port: `*` or `0`.
    pub const ANY: Port = Port(0);

    /// Returns the port with this number; 0 is [`Port::ANY`].
    #[must_use]
    pub fn new(number: u16) -> Port {
        Port(number)
    }

    /// Returns the number; 0 for [`Port::ANY`].
    #[must_use]
    pub fn number(self) -> u16 {
        self.0
    }
}

/// The address part of an ipc endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum IpcAddress {
    /// A path, relative or absolute.
    Path(PathBuf),
    /// `@name`, Linux and Android: a name outside the file system.
    Abstract(Vec<u8>),
    /// `*`: bind creates a private directory.
    Wildcard,
}

impl Endpoint {
    /// Parses an endpoint for bind.
    ///
    /// # Errors
    /// Returns an [`EndpointError`], whose text says what to write instead.
    pub fn parse_bind(text: &str) -> Result<Endpoint, EndpointError> {
        match split(text)? {
            (Scheme::Tcp, address) if address.contains(';') => Err(EndpointError::SourceToBind(text.into())),
            (Scheme::Tcp, address) => {
                let no_port = || EndpointError::NoPortToBind(text.into());
                let (host, port) = host_and_port(text, address, no_port)?;
                Ok(Endpoint::Tcp { source: None, host, port })
            }
            (Scheme::Ipc, address) => Ok(Endpoint::Ipc(ipc_address(text, address)?)),
            (Scheme::Inproc, name) => Ok(Endpoint::Inproc(name.into())),
        }
    }

    /// Parses an endpoint for connect. Names are not looked up here.
    ///
    /// # Errors
    /// Returns an [`EndpointError`], whose text says what to write instead.
    pub fn parse_connect(text: &str) -> Result<Endpoint, EndpointError> {
        match split(text)? {
            (Scheme::Tcp, address) => parse_dialled(text, address),
            (Scheme::Ipc, address) => match ipc_address(text, address)? {
                IpcAddress::Wildcard => Err(EndpointError::WildcardPath(text.into())),
                address => Ok(Endpoint::Ipc(address)),
            },
            (Scheme::Inproc, name) => Ok(Endpoint::Inproc(name.into())),
        }
    }

    /// Returns the transport.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        match self {
            Endpoint::Tcp { .. } => Scheme::Tcp,
            Endpoint::Ipc(_) => Scheme::Ipc,
            Endpoint::Inproc(_) => Scheme::Inproc,
        }
    }

    /// Returns the TCP port, if this is a tcp endpoint and the port is known.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        match self {
            Endpoint::Tcp { port, .. } if *port != Port::ANY => Some(port.number()),
            _ => None,
        }
    }

    /// Returns the endpoint with which to connect to a bound one: `*` and `0.0.0.0` become `127.0.0.1`, `[::]` becomes
    /// `[::1]`.
    #[must_use]
    pub fn connectable(&self) -> Endpoint {
        let mut endpoint = self.clone();
        if let Endpoint::Tcp { host, .. } = &mut endpoint {
            match host {
                Host::Any => *host = Host::V4(Ipv4Addr::LOCALHOST),
                Host::V4(address) if address.is_unspecified() => *address = Ipv4Addr::LOCALHOST,
                Host::V6 { address, .. } if address.is_unspecified() => *address = Ipv6Addr::LOCALHOST,
                _ => {}
            }
        }
        endpoint
    }
}

/// An argument that names an endpoint: its text, or the endpoint that an earlier call returned.
pub trait EndpointText {
    /// Returns the text, such as `tcp://127.0.0.1:5555`.
    fn text(&self) -> Cow<'_, str>;
}

impl<T: AsRef<str> + ?Sized> EndpointText for T {
    fn text(&self) -> Cow<'_, str> {
        self.as_ref().into()
    }
}

impl EndpointText for Endpoint {
    fn text(&self) -> Cow<'_, str> {
        self.to_string().into()
    }
}

impl EndpointText for &Endpoint {
    fn text(&self) -> Cow<'_, str> {
        self.to_string().into()
    }
}

/// Parses an endpoint for bind or for connect: `tcp://*:5555` and `tcp://eth0;server:5555` are both accepted. Bind and
/// connect check whether it suits them; [`Endpoint::parse_bind`] and [`Endpoint::parse_connect`] check it while
/// parsing.
///
/// ```
/// # extern crate zeroxide_transports as zeroxide;
/// use zeroxide::Endpoint;
/// let endpoint: Endpoint = "tcp://server:5555".parse().unwrap();
/// assert_eq!(endpoint.port(), Some(5555));
/// assert!("server:5555".parse::<Endpoint>().is_err());
/// ```
impl FromStr for Endpoint {
    type Err = EndpointError;

    /// # Errors
    /// Returns an [`EndpointError`], whose text says what to write instead.
    fn from_str(text: &str) -> Result<Endpoint, EndpointError> {
        Endpoint::parse_connect(text).or_else(|error| Endpoint::parse_bind(text).map_err(|_| error))
    }
}

impl From<SocketAddr> for Endpoint {
    /// Converts an address. An IPv4 address mapped into IPv6 becomes an IPv4 address.
    fn from(address: SocketAddr) -> Endpoint {
        let host = match address {
            SocketAddr::V4(v4) => Host::V4(*v4.ip()),
            SocketAddr::V6(v6) => match address.ip().to_canonical() {
                IpAddr::V4(ip) => Host::V4(ip),
                IpAddr::V6(address) => {
                    let zone = (v6.scope_id() != 0).then(|| v6.scope_id().to_string());
                    Host::V6 { address, zone }
                }
            },
        };
        Endpoint::Tcp { source: None, host, port: Port(address.port()) }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.scheme().name())?;
        match self {
            Endpoint::Tcp { source, host, port } => {
                if let Some(Source { host, port }) = source {
                    write!(f, "{host}:{port};")?;
                }
                write!(f, "{host}:{port}")
            }
            Endpoint::Ipc(address) => address.fmt(f),
            Endpoint::Inproc(name) => f.write_str(name),
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Any => f.write_str("*"),
            Host::V4(address) => address.fmt(f),
            Host::V6 { address, zone: None } => write!(f, "[{address}]"),
            Host::V6 { address, zone: Some(zone) } => write!(f, "[{address}%{zone}]"),
            Host::Name(name) => f.write_str(name),
        }
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Port::ANY { f.write_str("*") } else { self.0.fmt(f) }
    }
}

impl fmt::Display for IpcAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            IpcAddress::Path(path) => path.display().fmt(f),
            IpcAddress::Abstract(name) => write!(f, "@{}", String::from_utf8_lossy(name)),
            IpcAddress::Wildcard => f.write_str("*"),
        }
    }
}

fn split(text: &str) -> Result<(Scheme, &str), EndpointError> {
    let (transport, address) = match text.split_once("://") {
        None | Some(("", _)) => return Err(EndpointError::NoTransport(text.into())),
        Some(parts) => parts,
    };
    let Some(scheme) = Scheme::ALL.into_iter().find(|scheme| scheme.name() == transport) else {
        let transport = transport.into();
        return Err(EndpointError::UnknownTransport { endpoint: text.into(), transport });
    };
    if address.is_empty() {
        return Err(EndpointError::NoAddress(text.into()));
    }
    Ok((scheme, address))
}

fn parse_dialled(text: &str, address: &str) -> Result<Endpoint, EndpointError> {
    let no_port = || EndpointError::NoPortToConnect(text.into());
    let (source, target) = match address.split_once(';') {
        Some((source, target)) => {
            let (host, port) = host_and_port(text, source, no_port)?;
            (Some(Source { host, port }), target)
        }
        None => (None, address),
    };
    match host_and_port(text, target, no_port)? {
        (Host::Any, _) => Err(EndpointError::WildcardHost(text.into())),
        (_, Port::ANY) => Err(EndpointError::WildcardPort(text.into())),
        (host, port) => Ok(Endpoint::Tcp { source, host, port }),
    }
}

fn host_and_port(
    text: &str,
    address: &str,
    no_port: impl Fn() -> EndpointError,
) -> Result<(Host, Port), EndpointError> {
    // A colon inside brackets belongs to the address.
    let parts = address.rsplit_once(':').filter(|(_, port)| !port.is_empty() && !port.contains(']'));
    let (host, port) = parts.ok_or_else(no_port)?;
    Ok((parse_host(text, host)?, parse_port(text, port)?))
}

fn parse_port(text: &str, port: &str) -> Result<Port, EndpointError> {
    if port == "*" || port == "0" {
        return Ok(Port::ANY);
    }
    // The parser of u16 accepts "+1". libzmq's parser accepts "5555x", and turns 70000 into 4464.
    let number = if port.bytes().all(|byte| byte.is_ascii_digit()) { port.parse().unwrap_or(0) } else { 0 };
    match number {
        0 => Err(EndpointError::Port { endpoint: text.into(), port: port.into() }),
        number => Ok(Port(number)),
    }
}

fn parse_host(text: &str, host: &str) -> Result<Host, EndpointError> {
    let wrong = || EndpointError::Host { endpoint: text.into(), host: host.into() };
    if host == "*" {
        return Ok(Host::Any);
    }
    if let Some(inside) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let (address, zone) = match inside.split_once('%') {
            Some((address, zone)) if is_name(zone) => (address, Some(zone.into())),
            Some(_) => return Err(wrong()),
            None => (inside, None),
        };
        return Ok(Host::V6 { address: address.parse().map_err(|_| wrong())?, zone });
    }
    if let Ok(address) = host.parse() {
        return Ok(Host::V4(address));
    }
    let unscoped = host.split_once('%').map_or(host, |(address, _)| address);
    if unscoped.parse::<Ipv6Addr>().is_ok() {
        return Err(EndpointError::NoBrackets { endpoint: text.into(), host: host.into() });
    }
    if is_name(host) { Ok(Host::Name(host.into())) } else { Err(wrong()) }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

fn ipc_address(text: &str, address: &str) -> Result<IpcAddress, EndpointError> {
    if !scheme::IPC_SUPPORTED {
        return Err(EndpointError::IpcUnsupported(text.into()));
    }
    // Any path that starts with "*", as in libzmq.
    if address.starts_with('*') {
        return Ok(IpcAddress::Wildcard);
    }
    if address.contains('\0') {
        return Err(EndpointError::PathWithNul(text.into()));
    }
    // In the socket address, an abstract name has a NUL in place of its "@", and a path has a NUL at its end.
    if address.strip_prefix('@').unwrap_or(address).len() > scheme::IPC_PATH_LIMIT {
        return Err(EndpointError::PathTooLong(text.into()));
    }
    match address.strip_prefix('@') {
        Some("") => Err(EndpointError::NoAbstractName(text.into())),
        Some(_) if !scheme::IPC_ABSTRACT_SUPPORTED => Err(EndpointError::AbstractUnsupported(text.into())),
        Some(name) => Ok(IpcAddress::Abstract(name.into())),
        None => Ok(IpcAddress::Path(Path::new(address).into())),
    }
}
