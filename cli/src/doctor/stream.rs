//! A plain stream to an endpoint, with time limits.

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::time::Duration;

use zeroxide::Endpoint;

use super::found::Found;
use crate::exit::{End, Outcome};

/// Where to connect.
pub(super) enum Address {
    Tcp(SocketAddr),
    #[cfg(unix)]
    Ipc(String),
}

/// A connection.
pub(super) enum Stream {
    Tcp(TcpStream),
    #[cfg(unix)]
    Ipc(UnixStream),
}

/// Returns the addresses of an endpoint.
pub(super) fn addresses(endpoint: &Endpoint) -> Outcome<Found<Vec<Address>>> {
    let text = endpoint.to_string();
    match endpoint {
        Endpoint::Tcp { .. } => {
            // After the source address, which does not matter here.
            let host = text.trim_start_matches("tcp://").rsplit(';').next().unwrap_or_default().to_owned();
            let found = host.to_socket_addrs().map_err(|error| {
                End::failed(format!("{host}: {error}; is the name right, and the name server running?"))
            })?;
            let found: Vec<SocketAddr> = found.collect();
            let texts: Vec<String> = found.iter().map(ToString::to_string).collect();
            Ok(Found::new(texts.join(", "), found.into_iter().map(Address::Tcp).collect()))
        }
        #[cfg(unix)]
        Endpoint::Ipc(_) => {
            let path = text.trim_start_matches("ipc://").to_owned();
            Ok(Found::new(path.clone(), vec![Address::Ipc(path)]))
        }
        _ => Err(End::failed(format!("{text}: only tcp and ipc can be looked at from another process"))),
    }
}

impl Stream {
    pub(super) fn connect(address: &Address, limit: Duration) -> Outcome<Stream> {
        let connected = match address {
            Address::Tcp(address) => TcpStream::connect_timeout(address, limit).map(Stream::Tcp),
            #[cfg(unix)]
            Address::Ipc(path) => match path.strip_prefix('@') {
                Some(name) => abstract_name(name).map(Stream::Ipc),
                None => UnixStream::connect(path).map(Stream::Ipc),
            },
        };
        let stream = connected.map_err(|error| refused(address, &error, limit))?;
        stream.prepare(limit).map_err(End::failed)?;
        Ok(stream)
    }

    fn prepare(&self, limit: Duration) -> io::Result<()> {
        match self {
            Stream::Tcp(stream) => {
                // A small command is not to wait for the acknowledgement of the one before.
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(limit))
            }
            #[cfg(unix)]
            Stream::Ipc(stream) => stream.set_read_timeout(Some(limit)),
        }
    }
}

#[cfg(target_os = "linux")]
fn abstract_name(name: &str) -> io::Result<UnixStream> {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::SocketAddr;
    UnixStream::connect_addr(&SocketAddr::from_abstract_name(name)?)
}

#[cfg(all(unix, not(target_os = "linux")))]
fn abstract_name(_name: &str) -> io::Result<UnixStream> {
    Err(io::Error::other("names with @ exist only on Linux"))
}

/// Returns what a failed connect means.
fn refused(address: &Address, error: &io::Error, limit: Duration) -> End {
    match error.kind() {
        ErrorKind::ConnectionRefused => End::failed(format!(
            "{address}: connection refused: no program listens there; is the server running?"
        )),
        ErrorKind::NotFound => {
            End::failed(format!("{address}: no such file; is the path right, and the server running?"))
        }
        ErrorKind::TimedOut | ErrorKind::WouldBlock => End::TimedOut(format!(
            "{address}: no answer in {limit:?}: the machine is off, or a firewall drops what is sent"
        )),
        _ => End::failed(format!("{address}: {error}")),
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Tcp(address) => address.fmt(f),
            #[cfg(unix)]
            Address::Ipc(path) => f.write_str(path),
        }
    }
}

impl Read for Stream {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.read(bytes),
            #[cfg(unix)]
            Stream::Ipc(stream) => stream.read(bytes),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.write(bytes),
            #[cfg(unix)]
            Stream::Ipc(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
