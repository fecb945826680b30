//! Byte streams, one arm per scheme.

use std::io::{self, ErrorKind, IoSlice, Read};
use std::net::Shutdown;

use mio::event::Source;
use mio::net;
use mio::{Interest, Registry, Token};
use socket2::{SockRef, Socket, Type};

use crate::endpoint::Endpoint;
#[cfg(unix)]
use crate::ipc;
use crate::options::SocketOptions;
use crate::resolve::Resolved;
#[cfg(simulate)]
use crate::scheme::Scheme;
#[cfg(simulate)]
use crate::simulated::{self, SimulatedStream};
use crate::system;
use crate::tcp;

/// The system's handle of an open connection that the application hands over.
#[cfg(unix)]
pub type OwnedStream = std::os::fd::OwnedFd;
/// The system's handle of an open connection that the application hands over.
#[cfg(windows)]
pub type OwnedStream = std::os::windows::io::OwnedSocket;

/// The most slices that the system accepts in one call (Linux UIO_MAXIOV; no POSIX system in use has a lower limit).
const SLICES: usize = 1024;

/// A connection that is complete or being made.
#[derive(Debug)]
pub enum Stream {
    /// Over TCP.
    Tcp(net::TcpStream),
    /// Over a local socket.
    #[cfg(unix)]
    Ipc(net::UnixStream),
    /// In a simulation.
    #[cfg(simulate)]
    Simulated(SimulatedStream),
}

/// Starts a connection. Call [`Stream::connected`] after its first writable edge.
///
/// # Errors
/// Returns an error if the attempt failed at once. Over ipc, `WouldBlock` means that the listener's backlog is full.
pub fn dial(target: &Resolved, options: &SocketOptions) -> io::Result<Stream> {
    #[cfg(simulate)]
    if !cfg!(test) {
        return simulated::dial(target, simulated::LOCALHOST).map(Stream::Simulated);
    }
    match target {
        Resolved::Tcp { address, source } => tcp::dial(*address, *source, options).map(Stream::Tcp),
        #[cfg(unix)]
        Resolved::Ipc(address) => ipc::dial(address, options).map(Stream::Ipc),
        #[cfg(not(unix))]
        Resolved::Ipc(_) => Err(ErrorKind::Unsupported.into()),
    }
}

impl Stream {
    /// Takes over an open TCP or local connection. On Unix, sets its close-on-exec flag. Also returns the endpoint of
    /// the other end. If that end is local and has no name, returns the name of this end, or an empty path if it has
    /// none either.
    ///
    /// # Errors
    /// Returns `InvalidInput` if the socket is not a TCP or local stream socket, `NotConnected` if it is not connected,
    /// and the errors of the system.
    pub fn inherit(socket: OwnedStream, options: &SocketOptions) -> io::Result<(Stream, Endpoint)> {
        let socket = Socket::from(socket);
        if socket.r#type()? != Type::STREAM {
            return Err(io::Error::new(ErrorKind::InvalidInput, "the socket has no byte streams"));
        }
        let peer = socket.peer_addr()?;
        socket.set_nonblocking(true)?;
        #[cfg(unix)]
        socket.set_cloexec(true)?;
        #[cfg(unix)]
        if peer.is_unix() {
            return ipc::inherit(socket, options).map(|(stream, endpoint)| (Stream::Ipc(stream), endpoint));
        }
        let address = peer.as_socket();
        let address = address
            .ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "the socket is of another kind"))?;
        Ok((Stream::Tcp(tcp::inherit(socket, address, options)), Endpoint::from(address)))
    }

    /// Returns whether a dialled connection is complete. After `false`, call it again at the next writable edge.
    ///
    /// # Errors
    /// Returns an error if the attempt failed.
    pub fn connected(&mut self) -> io::Result<bool> {
        let (error, peer) = match self {
            Stream::Tcp(stream) => (stream.take_error()?, stream.peer_addr().map(drop)),
            #[cfg(unix)]
            Stream::Ipc(stream) => (stream.take_error()?, stream.peer_addr().map(drop)),
            #[cfg(simulate)]
            Stream::Simulated(stream) => return stream.connected(),
        };
        match (error, peer) {
            (Some(error), _) => Err(error),
            (None, Ok(())) if self.is_own_peer() => Err(ErrorKind::ConnectionRefused.into()),
            (None, Ok(())) => Ok(true),
            (None, Err(error)) if error.kind() == ErrorKind::NotConnected => Ok(false),
            (None, Err(error)) => Err(error),
        }
    }

    fn is_own_peer(&self) -> bool {
        match self {
            Stream::Tcp(stream) => tcp::is_connected_to_itself(stream),
            #[cfg(unix)]
            Stream::Ipc(_) => false,
            #[cfg(simulate)]
            Stream::Simulated(_) => false,
        }
    }

    /// Reads the available bytes, up to the length of `buf`. For a `buf` that is not empty, `Ok(0)` is the end of the
    /// stream.
    ///
    /// # Errors
    /// Returns `WouldBlock` if there are no bytes; an edge follows when there are.
    #[inline]
    pub fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.read(buf),
            #[cfg(unix)]
            Stream::Ipc(stream) => stream.read(buf),
            #[cfg(simulate)]
            Stream::Simulated(stream) => stream.read(buf),
        }
    }

    /// Reads the available bytes into the spare room of `body`, without a copy. Otherwise like [`Stream::read`].
    ///
    /// # Errors
    /// Returns the same errors as [`Stream::read`].
    #[cfg(unix)]
    pub fn read_body(&mut self, body: &mut Vec<u8>) -> io::Result<usize> {
        use rustix::buffer::spare_capacity;
        use rustix::net::{RecvFlags, recv};
        let read = match self {
            Stream::Tcp(stream) => recv(&*stream, spare_capacity(body), RecvFlags::empty()),
            Stream::Ipc(stream) => recv(&*stream, spare_capacity(body), RecvFlags::empty()),
            #[cfg(simulate)]
            Stream::Simulated(stream) => return stream.read_body(body),
        };
        Ok(read?.0)
    }

    /// Reads the available bytes into the spare room of `body`. Otherwise like [`Stream::read`].
    ///
    /// # Errors
    /// Returns the same errors as [`Stream::read`].
    #[cfg(not(unix))]
    pub fn read_body(&mut self, body: &mut Vec<u8>) -> io::Result<usize> {
        let old = body.len();
        body.resize(body.capacity(), 0);
        let (_, room) = body.split_at_mut(old);
        let read = self.read(room);
        body.truncate(old.saturating_add(read.as_ref().map_or(0, |read| *read)));
        read
    }

    /// Writes as many bytes of `bufs`, in order, as the system accepts. This is one `sendmsg`, which can suppress
    /// SIGPIPE; writev cannot.
    ///
    /// # Errors
    /// Returns `WouldBlock` if the system accepts no bytes; an edge follows when it does. Returns `BrokenPipe` or
    /// `ConnectionReset` if the peer is gone.
    #[inline]
    pub fn send(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        let bufs = bufs.get(..SLICES).unwrap_or(bufs);
        match self {
            // Through try_io: on Windows, mio arms the next edge only if it sees the WouldBlock.
            Stream::Tcp(stream) => {
                stream.try_io(|| SockRef::from(&*stream).send_vectored_with_flags(bufs, NO_SIGNAL))
            }
            #[cfg(unix)]
            Stream::Ipc(stream) => {
                stream.try_io(|| SockRef::from(&*stream).send_vectored_with_flags(bufs, NO_SIGNAL))
            }
            #[cfg(simulate)]
            Stream::Simulated(stream) => stream.send(bufs),
        }
    }

    /// Returns the most bytes to pass to one [`Stream::send`]. More would keep the kernel longer on a core and gain
    /// nothing.
    #[must_use]
    pub fn quantum(&self) -> usize {
        match self {
            Stream::Tcp(_) => 61_440,
            #[cfg(unix)]
            Stream::Ipc(_) => 32_768,
            #[cfg(simulate)]
            Stream::Simulated(stream) => stream.quantum(),
        }
    }

    /// Returns how many of `pending` bytes to pass to one [`Stream::send`]: all, or one of several equal pieces.
    /// `pending` may be more than a quantum.
    ///
    /// Equal pieces are better than full pieces with a short rest: the rest would wake the receiver for a few bytes.
    /// With two halves, the receiver copies the first while the second is still being sent.
    ///
    /// The longest piece for tcp is a quantum and one more message, as long as that fits into one segment of the
    /// loopback interface. For ipc it is half of the usual send buffer, where the kernel splits anyway.
    #[must_use]
    pub fn piece(&self, pending: usize) -> usize {
        let longest = match self {
            Stream::Tcp(_) => 65_483,
            #[cfg(unix)]
            Stream::Ipc(_) => 106_000,
            #[cfg(simulate)]
            Stream::Simulated(stream) => stream.quantum(),
        };
        pending.div_ceil(pending.div_ceil(longest).max(1))
    }

    /// Returns this end as an endpoint text, for the monitor. It is only `tcp://` or `ipc://` if the end has no name.
    #[must_use]
    pub fn local(&self) -> String {
        match self {
            Stream::Tcp(stream) => tcp_text(stream.local_addr()),
            #[cfg(unix)]
            Stream::Ipc(stream) => ipc::text(stream.local_addr()),
            #[cfg(simulate)]
            Stream::Simulated(stream) => stream.local(),
        }
    }

    /// Returns the other end as an endpoint text, for the monitor. It is only `tcp://` or `ipc://` if the end has no
    /// name.
    #[must_use]
    pub fn remote(&self) -> String {
        match self {
            Stream::Tcp(stream) => tcp_text(stream.peer_addr()),
            #[cfg(unix)]
            Stream::Ipc(stream) => ipc::text(stream.peer_addr()),
            #[cfg(simulate)]
            Stream::Simulated(stream) => stream.remote(),
        }
    }

    /// Returns the property Peer-Address: an IP address without port for tcp, `localhost:uid:gid:pid` for ipc on Linux,
    /// `localhost` for ipc elsewhere. It is empty if the peer is gone.
    #[must_use]
    pub fn peer_address(&self) -> String {
        match self {
            Stream::Tcp(stream) => {
                stream.peer_addr().map(|address| address.ip().to_canonical().to_string()).unwrap_or_default()
            }
            #[cfg(unix)]
            Stream::Ipc(stream) => ipc::peer_address(ipc::credentials(stream)),
            #[cfg(simulate)]
            Stream::Simulated(stream) => stream.peer_address(),
        }
    }

    /// Returns whether closing it resets the connection while something that the peer sent is unread.
    #[must_use]
    pub fn is_reset_by_close(&self) -> bool {
        match self {
            Stream::Tcp(_) => true,
            #[cfg(unix)]
            Stream::Ipc(_) => false,
            #[cfg(simulate)]
            Stream::Simulated(stream) => stream.scheme() == Scheme::Tcp,
        }
    }

    /// Shuts down one direction or both.
    ///
    /// # Errors
    /// Returns the system's error, such as `NotConnected`.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        match self {
            Stream::Tcp(stream) => stream.shutdown(how),
            #[cfg(unix)]
            Stream::Ipc(stream) => stream.shutdown(how),
            #[cfg(simulate)]
            Stream::Simulated(stream) => stream.shut_down(),
        }
    }

    /// Returns the descriptor or socket handle, as a number for monitor events.
    #[must_use]
    pub fn raw(&self) -> i64 {
        match self {
            Stream::Tcp(stream) => system::raw(stream),
            #[cfg(unix)]
            Stream::Ipc(stream) => system::raw(stream),
            #[cfg(simulate)]
            Stream::Simulated(stream) => stream.raw(),
        }
    }

    fn source(&mut self) -> &mut dyn Source {
        match self {
            Stream::Tcp(stream) => stream,
            #[cfg(unix)]
            Stream::Ipc(stream) => stream,
            #[cfg(simulate)]
            Stream::Simulated(stream) => stream,
        }
    }
}

impl Source for Stream {
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

fn tcp_text(address: io::Result<std::net::SocketAddr>) -> String {
    address.map_or_else(|_| "tcp://".into(), |address| Endpoint::from(address).to_string())
}

// Apple systems have a socket option instead of this flag, and it is set on every socket. Windows has no SIGPIPE.
#[cfg(all(unix, not(target_vendor = "apple")))]
const NO_SIGNAL: i32 = rustix::net::SendFlags::NOSIGNAL.bits() as i32;
#[cfg(not(all(unix, not(target_vendor = "apple"))))]
const NO_SIGNAL: i32 = 0;
