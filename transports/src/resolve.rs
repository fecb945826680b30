//! Resolves names to addresses.
//!
//! `localhost` needs no lookup: it is 127.0.0.1 and, with IPv6 on, ::1 (RFC 6761 §6.3). Other host names need the
//! system's resolver, which blocks; [`needs_lookup`] returns whether that is so. Interface names need only a local
//! system call.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, ToSocketAddrs};
use std::sync::Arc;
use std::{error, fmt};

use crate::endpoint::{Endpoint, Host, IpcAddress, Port, Source};

/// The most addresses of one name that are tried. A name server could return thousands.
const ADDRESSES: usize = 32;

/// One address to [`dial`](crate::dial).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolved {
    /// Over TCP.
    Tcp {
        /// The peer.
        address: SocketAddr,
        /// The local address to connect from, of the same family.
        source: Option<SocketAddr>,
    },
    /// Over a local socket.
    Ipc(IpcAddress),
}

/// Why an endpoint has no address. It is the source of the [`io::Error`] from [`resolve`] or a bind.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResolveError {
    /// The system's resolver found nothing: there is no such host, or no name server was reached. This is its message.
    UnknownHost(Arc<str>),
    /// The name exists and has no address.
    NoAddress,
    /// There are only IPv6 addresses, but the option IPV6 is off.
    Ipv6Off,
    /// This machine has no interface of this name.
    NoInterface,
    /// The source is of another IP family than all addresses of the target.
    MixedFamilies,
    /// The endpoint cannot be dialled, such as inproc.
    NotDialled,
}

impl ResolveError {
    fn kind(&self) -> ErrorKind {
        match self {
            ResolveError::UnknownHost(_) | ResolveError::NoAddress | ResolveError::NoInterface => {
                ErrorKind::NotFound
            }
            ResolveError::Ipv6Off | ResolveError::MixedFamilies | ResolveError::NotDialled => {
                ErrorKind::Unsupported
            }
        }
    }
}

impl fmt::Display for ResolveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ResolveError::UnknownHost(said) => return write!(f, "unknown host: {said}"),
            ResolveError::NoAddress => "the name has no address",
            ResolveError::Ipv6Off => "an IPv6 address, and the option IPV6 is off",
            ResolveError::NoInterface => "no interface of this name",
            ResolveError::MixedFamilies => "source and target are of different IP families",
            ResolveError::NotDialled => "nothing to dial",
        })
    }
}

impl error::Error for ResolveError {}

impl From<ResolveError> for io::Error {
    fn from(error: ResolveError) -> io::Error {
        io::Error::new(error.kind(), error)
    }
}

/// Returns whether [`resolve`] would call the system's resolver, and so may block for seconds.
#[must_use]
pub fn needs_lookup(endpoint: &Endpoint) -> bool {
    let asks = |host: &Host| matches!(host, Host::Name(name) if !is_localhost(name));
    match endpoint {
        // The host of a source is an address or interface of this machine, so it needs no lookup.
        Endpoint::Tcp { host, .. } => asks(host),
        Endpoint::Ipc(_) | Endpoint::Inproc(_) => false,
    }
}

/// Returns the addresses of an endpoint to connect to. They are to be tried in this order.
///
/// Includes IPv6 addresses only with `ipv6`.
///
/// # Errors
/// Returns an error with a [`ResolveError`] as its source, or the system's error.
pub fn resolve(endpoint: &Endpoint, ipv6: bool) -> io::Result<Vec<Resolved>> {
    match endpoint {
        Endpoint::Tcp { source, host, port } => {
            let addresses = with_port(peers(host, ipv6)?, *port);
            let Some(source) = source else {
                let resolved = |address| Resolved::Tcp { address, source: None };
                return Ok(addresses.into_iter().map(resolved).collect());
            };
            from_source(source, addresses, ipv6)
        }
        Endpoint::Ipc(IpcAddress::Wildcard) | Endpoint::Inproc(_) => Err(ResolveError::NotDialled.into()),
        Endpoint::Ipc(address) => Ok(vec![Resolved::Ipc(address.clone())]),
    }
}

/// Returns the addresses to listen at. There is more than one for `localhost`, and for `*`, where the second replaces
/// the first on a machine without IPv6.
pub(crate) fn listening(host: &Host, port: Port, ipv6: bool) -> io::Result<Vec<SocketAddr>> {
    let ips = match host {
        Host::Name(name) if !is_localhost(name) => match interface(name, ipv6)? {
            Some(ip) => vec![ip],
            None => lookup(name, ipv6)?.into_iter().take(1).collect(),
        },
        _ => peers(host, ipv6)?,
    };
    Ok(with_port(ips, port))
}

/// An IP address, and the scope of a link-local one.
type Ip = (IpAddr, u32);

fn with_port(ips: Vec<Ip>, port: Port) -> Vec<SocketAddr> {
    ips.into_iter().map(|ip| socket_address(ip, port)).collect()
}

fn socket_address((ip, scope): Ip, port: Port) -> SocketAddr {
    match ip {
        IpAddr::V4(_) => SocketAddr::new(ip, port.number()),
        IpAddr::V6(ip) => SocketAddrV6::new(ip, port.number(), 0, scope).into(),
    }
}

fn peers(host: &Host, ipv6: bool) -> io::Result<Vec<Ip>> {
    match host {
        Host::Any if ipv6 => Ok(vec![(Ipv6Addr::UNSPECIFIED.into(), 0), (Ipv4Addr::UNSPECIFIED.into(), 0)]),
        Host::Any => Ok(vec![(Ipv4Addr::UNSPECIFIED.into(), 0)]),
        Host::V4(address) => Ok(vec![((*address).into(), 0)]),
        // A mapped IPv4 address (`::ffff:127.0.0.1`) is used as an IPv4 address, as in libzmq.
        Host::V6 { address, .. } if !ipv6 => {
            let address = address.to_ipv4_mapped().ok_or(ResolveError::Ipv6Off)?;
            Ok(vec![(address.into(), 0)])
        }
        Host::V6 { address, zone } => Ok(vec![((*address).into(), scope(zone.as_deref())?)]),
        Host::Name(name) if is_localhost(name) => {
            let mut ips = vec![(Ipv4Addr::LOCALHOST.into(), 0)];
            ips.extend(ipv6.then_some((Ipv6Addr::LOCALHOST.into(), 0)));
            Ok(ips)
        }
        Host::Name(name) => lookup(name, ipv6),
    }
}

fn is_localhost(name: &str) -> bool {
    name.eq_ignore_ascii_case("localhost")
}

fn lookup(name: &str, ipv6: bool) -> io::Result<Vec<Ip>> {
    let found = (name, 0).to_socket_addrs().map_err(|error| match error.raw_os_error() {
        // getaddrinfo's own errors have no number. Most often the name does not exist.
        None => ResolveError::UnknownHost(words(&error).into()).into(),
        Some(_) => error,
    })?;
    let all: Vec<Ip> = found
        .map(|address| match address {
            SocketAddr::V4(v4) => ((*v4.ip()).into(), 0),
            SocketAddr::V6(v6) => ((*v6.ip()).into(), v6.scope_id()),
        })
        .collect();
    if all.is_empty() {
        return Err(ResolveError::NoAddress.into());
    }
    let usable: Vec<Ip> = all.into_iter().filter(|(ip, _)| ipv6 || ip.is_ipv4()).take(ADDRESSES).collect();
    if usable.is_empty() { Err(ResolveError::Ipv6Off.into()) } else { Ok(usable) }
}

/// Returns the message of getaddrinfo without std's prefix.
fn words(error: &io::Error) -> String {
    let text = error.to_string();
    text.strip_prefix("failed to lookup address information: ").map_or(text.clone(), str::to_owned)
}

/// Returns an interface's first address, IPv4 before IPv6.
fn interface(name: &str, ipv6: bool) -> io::Result<Option<Ip>> {
    let interfaces = if_addrs::get_if_addrs()?;
    let of_family = |v4: bool| {
        let mut ours = interfaces.iter().filter(|interface| interface.name == name);
        let found = ours.find(|interface| interface.ip().is_ipv4() == v4)?;
        let scope = if found.is_link_local() { found.index.unwrap_or(0) } else { 0 };
        Some((found.ip(), scope))
    };
    Ok(of_family(true).or_else(|| if ipv6 { of_family(false) } else { None }))
}

/// Returns the number of a zone, which may be given as a number or as an interface name (RFC 4007 §11).
fn scope(zone: Option<&str>) -> io::Result<u32> {
    let Some(zone) = zone else { return Ok(0) };
    if let Ok(number) = zone.parse() {
        return Ok(number);
    }
    let interfaces = if_addrs::get_if_addrs()?;
    let named = interfaces.iter().find(|interface| interface.name == zone);
    named.and_then(|interface| interface.index).ok_or_else(|| ResolveError::NoInterface.into())
}

/// Pairs each address with the source of its family, and drops addresses without one.
fn from_source(source: &Source, addresses: Vec<SocketAddr>, ipv6: bool) -> io::Result<Vec<Resolved>> {
    let ips = match &source.host {
        Host::Name(name) if !is_localhost(name) => {
            vec![interface(name, ipv6)?.ok_or(ResolveError::NoInterface)?]
        }
        host => peers(host, ipv6)?,
    };
    let sources = with_port(ips, source.port);
    let resolved: Vec<Resolved> = addresses
        .into_iter()
        .filter_map(|address| {
            let source = *sources.iter().find(|source| source.is_ipv4() == address.is_ipv4())?;
            Some(Resolved::Tcp { address, source: Some(source) })
        })
        .collect();
    if resolved.is_empty() {
        return Err(ResolveError::MixedFamilies.into());
    }
    Ok(resolved)
}
