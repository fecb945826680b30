//! Byte streams, one arm per scheme.

use std::io::{self, ErrorKind, IoSlice, Read};
use std::net::Shutdown;

use mio::event::Source;
use mio::net;
use mio::{Interest, Registry, Token};
use socket2::SockRef;

use crate::endpoint::Endpoint;
#[cfg(unix)]
use crate::ipc;
use crate::options::SocketOptions;
use crate::resolve::Resolved;
use crate::system;
use crate::tcp;

/// The system takes no more slices in one call (Linux UIO_MAXIOV, and the least that POSIX systems in use have).
const SLICES: usize = 1024;

/// A connection, or one that is being made.
#[derive(Debug)]
pub enum Stream {
    /// Over TCP.
    Tcp(net::TcpStream),
    /// Over a local socket.
    #[cfg(unix)]
    Ipc(net::UnixStream),
}

/// Starts a connection. Ask [`Stream::connected`] after its first writable edge.
///
/// # Errors
/// The attempt failed at once. Over ipc, `WouldBlock` means that the listener's backlog is full.
pub fn dial(target: &Resolved, options: &SocketOptions) -> io::Result<Stream> {
    match target {
        Resolved::Tcp { address, source } => tcp::dial(*address, *source, options).map(Stream::Tcp),
        #[cfg(unix)]
        Resolved::Ipc(address) => ipc::dial(address, options).map(Stream::Ipc),
        #[cfg(not(unix))]
        Resolved::Ipc(_) => Err(ErrorKind::Unsupported.into()),
    }
}

impl Stream {
    /// Whether a dialled connection stands. `false`: not yet, ask at the next writable edge.
    ///
    /// # Errors
    /// The attempt failed. Without error, the stream is as good as an accepted one once this is `true`.
    pub fn connected(&mut self) -> io::Result<bool> {
        let (error, peer) = match self {
            Stream::Tcp(stream) => (stream.take_error()?, stream.peer_addr().map(drop)),
            #[cfg(unix)]
            Stream::Ipc(stream) => (stream.take_error()?, stream.peer_addr().map(drop)),
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
        }
    }

    /// Reads what is there, up to the length of `buf`. `Ok(0)` for a `buf` that is not empty is the end.
    ///
    /// # Errors
    /// `WouldBlock`: nothing is there; an edge will tell.
    #[inline]
    pub fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.read(buf),
            #[cfg(unix)]
            Stream::Ipc(stream) => stream.read(buf),
        }
    }

    /// Reads what is there into the spare room of `body`, without a copy. As [`Stream::read`] otherwise.
    ///
    /// # Errors
    /// As [`Stream::read`].
    #[cfg(unix)]
    pub fn read_body(&mut self, body: &mut Vec<u8>) -> io::Result<usize> {
        use rustix::buffer::spare_capacity;
        use rustix::net::{RecvFlags, recv};
        let read = match self {
            Stream::Tcp(stream) => recv(&*stream, spare_capacity(body), RecvFlags::empty()),
            Stream::Ipc(stream) => recv(&*stream, spare_capacity(body), RecvFlags::empty()),
        };
        Ok(read?.0)
    }

    /// Reads what is there into the spare room of `body`. As [`Stream::read`] otherwise.
    ///
    /// # Errors
    /// As [`Stream::read`].
    #[cfg(not(unix))]
    pub fn read_body(&mut self, body: &mut Vec<u8>) -> io::Result<usize> {
        let old = body.len();
        body.resize(body.capacity(), 0);
        let read = self.read(&mut body[old..]);
        body.truncate(old + read.as_ref().map_or(0, |read| *read));
        read
    }

    /// Writes as many bytes of `bufs`, in order, as the system takes: one `sendmsg` that raises no SIGPIPE, which
    /// writev does.
    ///
    /// # Errors
    /// `WouldBlock`: none taken; an edge will tell. `BrokenPipe`, `ConnectionReset`: the peer is gone.
    #[inline]
    pub fn send(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        let bufs = &bufs[..bufs.len().min(SLICES)];
        match self {
            // try_io: on Windows mio arms the next edge only if it sees the WouldBlock.
            Stream::Tcp(stream) => {
                stream.try_io(|| SockRef::from(&*stream).send_vectored_with_flags(bufs, NO_SIGNAL))
            }
            #[cfg(unix)]
            Stream::Ipc(stream) => {
                stream.try_io(|| SockRef::from(&*stream).send_vectored_with_flags(bufs, NO_SIGNAL))
            }
        }
    }

    /// The most bytes to hand to one [`Stream::send`]: more lengthens the kernel's hold on a core and gains nothing.
    #[must_use]
    pub fn quantum(&self) -> usize {
        match self {
            Stream::Tcp(_) => 61_440,
            #[cfg(unix)]
            Stream::Ipc(_) => 32_768,
        }
    }

    /// How many of `pending` bytes, which may be more than a quantum, one [`Stream::send`] should be given: all, or one
    /// of several equal pieces. A runt behind a full piece would wake the receiver for a few bytes, and it can copy the
    /// first of two halves while the second is still on its way. The longest piece is for tcp what one more message may
    /// add to a quantum and still fit into one segment of the loopback interface; for ipc half of the usual send buffer,
    /// where the kernel cuts anyway.
    #[must_use]
    pub fn piece(&self, pending: usize) -> usize {
        let longest = match self {
            Stream::Tcp(_) => 65_483,
            #[cfg(unix)]
            Stream::Ipc(_) => 106_000,
        };
        pending.div_ceil(pending.div_ceil(longest).max(1))
    }

    /// This end as an endpoint text, for the monitor. `tcp://` or `ipc://` alone if it has no name.
    #[must_use]
    pub fn local(&self) -> String {
        match self {
            Stream::Tcp(stream) => tcp_text(stream.local_addr()),
            #[cfg(unix)]
            Stream::Ipc(stream) => ipc::text(stream.local_addr()),
        }
    }

    /// The other end as an endpoint text, for the monitor. `tcp://` or `ipc://` alone if it has no name.
    #[must_use]
    pub fn remote(&self) -> String {
        match self {
            Stream::Tcp(stream) => tcp_text(stream.peer_addr()),
            #[cfg(unix)]
            Stream::Ipc(stream) => ipc::text(stream.peer_addr()),
        }
    }

    /// The value of the property Peer-Address: an IP address without port, or `localhost:uid:gid:pid` for ipc on
    /// Linux, `localhost` for ipc elsewhere. Empty if the peer is gone.
    #[must_use]
    pub fn peer_address(&self) -> String {
        match self {
            Stream::Tcp(stream) => {
                stream.peer_addr().map(|address| address.ip().to_canonical().to_string()).unwrap_or_default()
            }
            #[cfg(unix)]
            Stream::Ipc(stream) => ipc::peer_address(ipc::credentials(stream)),
        }
    }

    /// Ends one direction or both.
    ///
    /// # Errors
    /// What the system says, such as `NotConnected`.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        match self {
            Stream::Tcp(stream) => stream.shutdown(how),
            #[cfg(unix)]
            Stream::Ipc(stream) => stream.shutdown(how),
        }
    }

    /// The descriptor or socket handle, as a number for monitor events.
    #[must_use]
    pub fn raw(&self) -> i64 {
        match self {
            Stream::Tcp(stream) => system::raw(stream),
            #[cfg(unix)]
            Stream::Ipc(stream) => system::raw(stream),
        }
    }

    fn source(&mut self) -> &mut dyn Source {
        match self {
            Stream::Tcp(stream) => stream,
            #[cfg(unix)]
            Stream::Ipc(stream) => stream,
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

// Apple has no such flag but a socket option, which is set on every socket; Windows has no SIGPIPE.
#[cfg(all(unix, not(target_vendor = "apple")))]
const NO_SIGNAL: i32 = rustix::net::SendFlags::NOSIGNAL.bits() as i32;
#[cfg(not(all(unix, not(target_vendor = "apple"))))]
const NO_SIGNAL: i32 = 0;
