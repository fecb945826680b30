//! TCP: listens at one address, or at both of `localhost`, and sets the options of every socket.
//!
//! TCP_NODELAY is always on, because pipes already batch (libzmq tcp.cpp does the same).

use std::io::{self, ErrorKind};
use std::net::SocketAddr;

use mio::event::Source;
use mio::{Interest, Registry, Token, net};
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};

use crate::endpoint::{Endpoint, Host, Port};
use crate::options::SocketOptions;
use crate::resolve;
use crate::system::{self, apply_buffers};

/// The most attempts to find a port that is free in both IPv4 and IPv6.
const PORT_ATTEMPTS: usize = 16;

/// A listening TCP endpoint: one socket, or two for `localhost` with IPv6.
#[derive(Debug)]
pub struct TcpListener {
    sockets: Vec<net::TcpListener>,
    endpoint: Endpoint,
    options: SocketOptions,
}

impl TcpListener {
    /// Listens at a host's address. Blocks if the host is a name that must be looked up.
    ///
    /// # Errors
    /// Returns the system's error, or `NotFound` for an unknown name.
    pub fn bind(host: &Host, port: Port, options: &SocketOptions) -> io::Result<TcpListener> {
        let addresses = resolve::listening(host, port, options.ipv6)?;
        let sockets = match host {
            Host::Name(_) => bind_all(&addresses, port, options)?,
            _ => vec![bind_first(&addresses, options)?],
        };
        let endpoint = match sockets.first() {
            Some(socket) => Endpoint::from(socket.local_addr()?),
            None => return Err(ErrorKind::AddrNotAvailable.into()),
        };
        Ok(TcpListener { sockets, endpoint, options: options.clone() })
    }

    /// Takes over a socket that is already listening (libzmq USE_FD).
    ///
    /// # Errors
    /// Returns `InvalidInput` if it is not a TCP socket.
    #[cfg(unix)]
    pub fn adopt(socket: std::os::fd::OwnedFd, options: &SocketOptions) -> io::Result<TcpListener> {
        let socket = Socket::from(socket);
        let address = socket.local_addr()?.as_socket().ok_or(ErrorKind::InvalidInput)?;
        socket.set_nonblocking(true)?;
        let sockets = vec![net::TcpListener::from_std(socket.into())];
        Ok(TcpListener { sockets, endpoint: Endpoint::from(address), options: options.clone() })
    }

    /// Returns the resolved endpoint. For `localhost` it is the IPv4 one if there is one.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Accepts one waiting connection.
    ///
    /// # Errors
    /// Returns `WouldBlock` if none waits. Other errors concern one connection or the process (descriptors), never the
    /// listener.
    pub fn accept(&self) -> io::Result<(net::TcpStream, SocketAddr)> {
        for socket in &self.sockets {
            match socket.accept() {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
                Ok((stream, peer)) => {
                    // These can fail if the peer is already gone. Then reading returns the error.
                    let _ = apply_all(SockRef::from(&stream), peer.is_ipv4(), &self.options);
                    return Ok((stream, peer));
                }
            }
        }
        Err(ErrorKind::WouldBlock.into())
    }

    pub(crate) fn sources(&mut self) -> impl Iterator<Item = &mut dyn Source> {
        self.sockets.iter_mut().map(|socket| socket as &mut dyn Source)
    }

    pub(crate) fn sockets(&self) -> &[net::TcpListener] {
        &self.sockets
    }
}

impl Source for TcpListener {
    fn register(&mut self, registry: &Registry, token: Token, interest: Interest) -> io::Result<()> {
        self.sources().try_for_each(|socket| socket.register(registry, token, interest))
    }

    fn reregister(&mut self, registry: &Registry, token: Token, interest: Interest) -> io::Result<()> {
        self.sources().try_for_each(|socket| socket.reregister(registry, token, interest))
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        self.sources().try_for_each(|socket| socket.deregister(registry))
    }
}

/// Starts a connection.
pub(crate) fn dial(
    address: SocketAddr,
    source: Option<SocketAddr>,
    options: &SocketOptions,
) -> io::Result<net::TcpStream> {
    let socket = new_socket(address, options)?;
    if let Some(source) = source {
        reuse_address(&socket)?;
        socket.bind(&source.into())?;
    }
    match socket.connect(&address.into()) {
        Err(error) if !system::in_progress(&error) => Err(error),
        _ => Ok(net::TcpStream::from_std(socket.into())),
    }
}

/// Takes over a connected socket.
pub(crate) fn inherit(socket: Socket, peer: SocketAddr, options: &SocketOptions) -> net::TcpStream {
    // This can fail if the peer is already gone. The error is ignored here, because a read returns it.
    let _ = apply_all(SockRef::from(&socket), peer.is_ipv4(), options);
    net::TcpStream::from_std(socket.into())
}

/// Returns whether the socket is connected to itself. TCP's simultaneous open causes that when a process dials a dead
/// port of its own machine again and again.
pub(crate) fn is_connected_to_itself(stream: &net::TcpStream) -> bool {
    matches!((stream.local_addr(), stream.peer_addr()), (Ok(local), Ok(peer)) if local == peer)
}

fn bind_first(addresses: &[SocketAddr], options: &SocketOptions) -> io::Result<net::TcpListener> {
    let mut result = Err(ErrorKind::AddrNotAvailable.into());
    for address in addresses {
        result = listen(*address, options);
        match &result {
            Err(error) if is_without_family(error) => {}
            _ => break,
        }
    }
    result
}

/// Listens at each address that this machine has, all with the same port.
fn bind_all(
    addresses: &[SocketAddr],
    port: Port,
    options: &SocketOptions,
) -> io::Result<Vec<net::TcpListener>> {
    let mut result = bind_each(addresses, port.number(), options);
    for _ in 1..PORT_ATTEMPTS {
        match &result {
            Err(error) if port == Port::ANY && error.kind() == ErrorKind::AddrInUse => {
                result = bind_each(addresses, port.number(), options);
            }
            _ => break,
        }
    }
    result
}

fn bind_each(
    addresses: &[SocketAddr],
    port: u16,
    options: &SocketOptions,
) -> io::Result<Vec<net::TcpListener>> {
    let (mut sockets, mut port, mut missing) = (Vec::new(), port, None);
    for address in addresses {
        match listen(SocketAddr::new(address.ip(), port), options) {
            Ok(socket) => {
                port = socket.local_addr()?.port();
                sockets.push(socket);
            }
            Err(error) if addresses.len() > 1 && is_without_family(&error) => missing = Some(error),
            Err(error) => return Err(error),
        }
    }
    match missing {
        Some(error) if sockets.is_empty() => Err(error),
        _ => Ok(sockets),
    }
}

/// Returns whether the machine has no IPv6, or no IPv6 address.
fn is_without_family(error: &io::Error) -> bool {
    error.kind() == ErrorKind::AddrNotAvailable || system::is_family_unsupported(error)
}

fn listen(address: SocketAddr, options: &SocketOptions) -> io::Result<net::TcpListener> {
    let socket = new_socket(address, options)?;
    reuse_address(&socket)?;
    socket.bind(&address.into())?;
    socket.listen(i32::try_from(options.backlog).unwrap_or(i32::MAX))?;
    Ok(net::TcpListener::from_std(socket.into()))
}

/// Creates a non-blocking socket with all options set, closed on exec, and without SIGPIPE where that is a property of
/// a socket.
fn new_socket(address: SocketAddr, options: &SocketOptions) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    apply_all(SockRef::from(&socket), address.is_ipv4(), options)?;
    Ok(socket)
}

/// Sets SO_REUSEADDR, but not on Windows. There it would let any process take the port, and a closed port is free at
/// once without it.
fn reuse_address(socket: &Socket) -> io::Result<()> {
    if cfg!(windows) { Ok(()) } else { socket.set_reuse_address(true) }
}

fn apply_all(socket: SockRef<'_>, v4: bool, options: &SocketOptions) -> io::Result<()> {
    socket.set_tcp_nodelay(true)?;
    #[cfg(target_vendor = "apple")]
    socket.set_nosigpipe(true)?;
    apply_buffers(&socket, options)?;
    apply_keepalive(&socket, options)?;
    if options.tos != 0 && v4 {
        socket.set_tos_v4(options.tos)?;
    }
    #[cfg(unix)]
    if options.tos != 0 && !v4 {
        socket.set_tclass_v6(options.tos)?;
    }
    // Must follow the TOS, from which Linux derives a priority.
    apply_linux(&socket, options)
}

fn apply_keepalive(socket: &SockRef<'_>, options: &SocketOptions) -> io::Result<()> {
    match options.keepalive {
        None => return Ok(()),
        Some(false) => return socket.set_keepalive(false),
        Some(true) => {}
    }
    let mut keepalive = TcpKeepalive::new();
    if let Some(idle) = options.keepalive_idle {
        keepalive = keepalive.with_time(idle);
    }
    if let Some(interval) = options.keepalive_intvl {
        keepalive = keepalive.with_interval(interval);
    }
    if let Some(count) = options.keepalive_cnt {
        keepalive = keepalive.with_retries(count);
    }
    socket.set_tcp_keepalive(&keepalive)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn apply_linux(socket: &SockRef<'_>, options: &SocketOptions) -> io::Result<()> {
    if options.priority != 0 {
        socket.set_priority(options.priority)?;
    }
    if options.maxrt.is_some() {
        socket.set_tcp_user_timeout(options.maxrt)?;
    }
    if let Some(device) = &options.bind_to_device {
        socket.bind_device(Some(device.as_bytes()))?;
    }
    #[cfg(target_os = "linux")]
    if let Some(microseconds) = options.busy_poll {
        socket.set_busy_poll(microseconds)?;
    }
    Ok(())
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn apply_linux(_: &SockRef<'_>, _: &SocketOptions) -> io::Result<()> {
    Ok(())
}
