//! Listeners, one arm per scheme.

use std::io;
use std::net::IpAddr;
use std::{error, fmt};

use mio::event::Source;
use mio::{Interest, Registry, Token};

use crate::credentials::Credentials;
use crate::endpoint::Endpoint;
#[cfg(unix)]
use crate::ipc::{self, IpcListener};
use crate::options::SocketOptions;
#[cfg(simulate)]
use crate::simulated::SimulatedListener;
use crate::stream::Stream;
use crate::system;
use crate::tcp::TcpListener;

/// A listening endpoint. Dropping it closes it and removes its files.
#[derive(Debug)]
pub enum Listener {
    /// Over TCP.
    Tcp(TcpListener),
    /// On a local socket.
    #[cfg(unix)]
    Ipc(IpcListener),
    /// In a simulation.
    #[cfg(simulate)]
    Simulated(SimulatedListener),
}

/// What is known of an accepted peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The peer's address, as [`Stream::peer_address`] returns it.
    pub address: String,
    /// The other end's endpoint text, as [`Stream::remote`] returns it.
    pub remote: String,
    /// The IP address of a tcp peer, for accept filters. IPv4 mapped into IPv6 is IPv4.
    pub ip: Option<IpAddr>,
    /// The process of an ipc peer, as the system reports it, on Linux and Android.
    pub credentials: Option<Credentials>,
}

/// Why a bind failed.
///
/// The kind of `source` is one of: `AddrInUse`; `AddrNotAvailable`, not an address of this machine; `NotFound`, no such
/// interface, host name or directory; `PermissionDenied`; `Unsupported` by this platform or with IPv6 off.
#[derive(Debug)]
pub struct BindError {
    /// The requested endpoint, not resolved.
    pub endpoint: Endpoint,
    /// The system's error.
    pub source: io::Error,
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot bind {}: {}", self.endpoint, self.source)
    }
}

impl error::Error for BindError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        Some(&self.source)
    }
}

impl Listener {
    /// Listens at an endpoint. Blocks only if a host name must be looked up.
    ///
    /// # Errors
    /// Returns a [`BindError`]. For an endpoint without byte streams, inproc, its kind is `Unsupported`.
    pub fn bind(endpoint: &Endpoint, options: &SocketOptions) -> Result<Listener, BindError> {
        #[cfg(simulate)]
        if !cfg!(test) {
            return SimulatedListener::bind(endpoint)
                .map(Listener::Simulated)
                .map_err(|source| BindError { endpoint: endpoint.clone(), source });
        }
        let listener = match endpoint {
            Endpoint::Tcp { host, port, .. } => TcpListener::bind(host, *port, options).map(Listener::Tcp),
            #[cfg(unix)]
            Endpoint::Ipc(address) => IpcListener::bind(address, options).map(Listener::Ipc),
            #[cfg(not(unix))]
            Endpoint::Ipc(_) => Err(io::ErrorKind::Unsupported.into()),
            Endpoint::Inproc(_) => Err(io::ErrorKind::Unsupported.into()),
        };
        listener.map_err(|source| BindError { endpoint: endpoint.clone(), source })
    }

    /// Takes over a socket that is already listening (libzmq USE_FD). Only the scheme of `endpoint` is used.
    ///
    /// # Errors
    /// Returns `InvalidInput` if the socket is of another scheme.
    #[cfg(unix)]
    pub fn adopt(
        endpoint: &Endpoint,
        socket: std::os::fd::OwnedFd,
        options: &SocketOptions,
    ) -> Result<Listener, BindError> {
        let listener = match endpoint {
            Endpoint::Tcp { .. } => TcpListener::adopt(socket, options).map(Listener::Tcp),
            Endpoint::Ipc(_) => IpcListener::adopt(socket, options).map(Listener::Ipc),
            Endpoint::Inproc(_) => Err(io::ErrorKind::Unsupported.into()),
        };
        listener.map_err(|source| BindError { endpoint: endpoint.clone(), source })
    }

    /// Takes over a TCP or local socket that is already listening, and sets its close-on-exec flag.
    ///
    /// # Errors
    /// Returns `InvalidInput` if it is not a TCP or local stream socket, or does not listen (noticed here on Linux and
    /// Android; elsewhere it accepts nothing), and the errors of the system.
    #[cfg(unix)]
    pub fn inherit(socket: std::os::fd::OwnedFd, options: &SocketOptions) -> io::Result<Listener> {
        let listening = socket2::SockRef::from(&socket);
        listening.set_cloexec(true)?;
        let is_local = listening.local_addr()?.is_unix();
        if listening.r#type()? != socket2::Type::STREAM {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the socket has no byte streams"));
        }
        #[cfg(any(target_os = "linux", target_os = "android"))]
        if !listening.is_listener()? {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the socket does not listen"));
        }
        if is_local {
            IpcListener::adopt(socket, options).map(Listener::Ipc)
        } else {
            TcpListener::adopt(socket, options).map(Listener::Tcp)
        }
    }

    /// Returns the endpoint at which it listens, with the real port and path.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        match self {
            Listener::Tcp(listener) => listener.endpoint(),
            #[cfg(unix)]
            Listener::Ipc(listener) => listener.endpoint(),
            #[cfg(simulate)]
            Listener::Simulated(listener) => listener.endpoint(),
        }
    }

    /// Accepts one waiting connection.
    ///
    /// # Errors
    /// Returns `WouldBlock` if none waits; an edge follows when one does. Every other error concerns one connection, or
    /// a limit of the process. The listener goes on, but there may be no new edge for connections that already wait.
    pub fn accept(&self) -> io::Result<(Stream, Accepted)> {
        match self {
            Listener::Tcp(listener) => {
                let (stream, peer) = listener.accept()?;
                let ip = peer.ip().to_canonical();
                let remote = Endpoint::from(peer).to_string();
                let accepted = Accepted { address: ip.to_string(), remote, ip: Some(ip), credentials: None };
                Ok((Stream::Tcp(stream), accepted))
            }
            #[cfg(unix)]
            Listener::Ipc(listener) => {
                let stream = listener.accept()?;
                let credentials = ipc::credentials(&stream);
                let (address, stream) = (ipc::peer_address(credentials), Stream::Ipc(stream));
                let accepted = Accepted { address, remote: stream.remote(), ip: None, credentials };
                Ok((stream, accepted))
            }
            #[cfg(simulate)]
            Listener::Simulated(listener) => {
                let (stream, remote, ip) = listener.accept()?;
                let address = stream.peer_address();
                Ok((Stream::Simulated(stream), Accepted { address, remote, ip, credentials: None }))
            }
        }
    }

    /// Returns the descriptor or socket handle, as a number for monitor events.
    #[must_use]
    pub fn raw(&self) -> i64 {
        match self {
            Listener::Tcp(listener) => listener.sockets().first().map_or(-1, system::raw),
            #[cfg(unix)]
            Listener::Ipc(listener) => system::raw(listener.socket()),
            #[cfg(simulate)]
            Listener::Simulated(_) => -1,
        }
    }

    fn source(&mut self) -> &mut dyn Source {
        match self {
            Listener::Tcp(listener) => listener,
            #[cfg(unix)]
            Listener::Ipc(listener) => listener.source(),
            #[cfg(simulate)]
            Listener::Simulated(listener) => listener,
        }
    }
}

impl Source for Listener {
    fn register(&mut self, registry: &Registry, token: Token, interest: Interest) -> io::Result<()> {
        self.source().register(registry, token, interest)
    }

    fn reregister(&mut self, registry: &Registry, token: Token, interest: Interest) -> io::Result<()> {
        self.source().reregister(registry, token, interest)
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        self.source().deregister(registry)
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use socket2::{Domain, SockAddr, Socket, Type};

    use super::*;

    #[test]
    fn a_listener_without_a_byte_stream_is_not_inherited() {
        let socket = Socket::new(Domain::UNIX, Type::SEQPACKET, None).unwrap();
        let name = format!("\0zeroxide-packets-{}", std::process::id());
        socket.bind(&SockAddr::unix(name).unwrap()).unwrap();
        socket.listen(1).unwrap();
        let refused = Listener::inherit(socket.into(), &SocketOptions::default()).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::InvalidInput);
    }
}
