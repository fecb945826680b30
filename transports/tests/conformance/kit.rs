//! What the rules need: endpoints of each scheme, and connections that wait for readiness.

use std::io::{self, ErrorKind, IoSlice, Write};
use std::time::Duration;

use mio::{Events, Interest, Poll, Token};
use zeroxide_transports::resolve::resolve;
use zeroxide_transports::{Accepted, Endpoint, Listener, SocketOptions, Stream, dial};

/// No test takes this long. It only ends a test that would hang.
const FOREVER: Duration = Duration::from_secs(20);

/// One scheme under test.
pub(crate) struct Case {
    pub(crate) bind: String,
    pub(crate) options: SocketOptions,
    pub(crate) quantum: usize,
    /// The running test's name, as `--exact` takes it.
    pub(crate) test: &'static str,
    _directory: Option<Directory>,
}

impl Case {
    fn tcp(bind: &str, ipv6: bool) -> Option<Case> {
        let options = SocketOptions { ipv6, ..SocketOptions::default() };
        Some(Case { bind: bind.into(), options, quantum: 61_440, test: "", _directory: None })
    }

    #[cfg(unix)]
    fn ipc(bind: String, directory: Option<Directory>) -> Option<Case> {
        Some(Case {
            bind,
            options: SocketOptions::default(),
            quantum: 32_768,
            test: "",
            _directory: directory,
        })
    }

    pub(crate) fn listener(&self) -> Listener {
        Listener::bind(&bindable(&self.bind), &self.options).unwrap()
    }

    pub(crate) fn link(&self) -> Link {
        Link::new(self.listener(), &self.options)
    }
}

pub(crate) fn tcp_v4() -> Option<Case> {
    Case::tcp("tcp://127.0.0.1:*", false)
}

pub(crate) fn tcp_v6() -> Option<Case> {
    has_ipv6().then(|| Case::tcp("tcp://[::1]:*", true)).flatten()
}

pub(crate) fn tcp_localhost() -> Option<Case> {
    Case::tcp("tcp://localhost:*", true)
}

pub(crate) fn tcp_any() -> Option<Case> {
    Case::tcp("tcp://*:0", true)
}

#[cfg(unix)]
pub(crate) fn ipc_path() -> Option<Case> {
    let directory = Directory::new();
    Case::ipc(format!("ipc://{}", directory.file("socket").display()), Some(directory))
}

#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn ipc_abstract() -> Option<Case> {
    Case::ipc(format!("ipc://@zeroxide-{}-{}", std::process::id(), number()), None)
}

#[cfg(unix)]
pub(crate) fn ipc_wildcard() -> Option<Case> {
    Case::ipc("ipc://*".into(), None)
}

/// Reports on the real standard error if this machine has no IPv6.
pub(crate) fn has_ipv6() -> bool {
    let has = std::net::TcpListener::bind("[::1]:0").is_ok();
    if !has {
        skip("no IPv6 on this machine");
    }
    has
}

/// Reports on the real standard error that something was not tested.
pub(crate) fn skip(why: &str) {
    let test = std::thread::current().name().unwrap_or("?").to_owned();
    writeln!(io::stderr(), "SKIPPED {test}: {why}").unwrap();
}

pub(crate) fn bindable(text: &str) -> Endpoint {
    Endpoint::parse_bind(text).unwrap()
}

/// Returns the endpoint for a client of `listener`, parsed from its text as a user would copy it.
pub(crate) fn target(listener: &Listener) -> Endpoint {
    Endpoint::parse_connect(&listener.endpoint().connectable().to_string()).unwrap()
}

/// A directory for this test only.
pub(crate) struct Directory(std::path::PathBuf);

#[cfg(unix)]
impl Directory {
    pub(crate) fn new() -> Directory {
        let path = std::env::temp_dir().join(format!("zx-test-{}-{}", std::process::id(), number()));
        std::fs::create_dir_all(&path).unwrap();
        Directory(path)
    }

    pub(crate) fn file(&self, name: &str) -> std::path::PathBuf {
        self.0.join(name)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(unix)]
fn number() -> usize {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A poll, and the attempts that are repeated at each of its edges.
pub(crate) struct Waiter {
    pub(crate) poll: Poll,
    events: Events,
    next: usize,
}

impl Waiter {
    pub(crate) fn new() -> Waiter {
        Waiter { poll: Poll::new().unwrap(), events: Events::with_capacity(16), next: 0 }
    }

    pub(crate) fn add(&mut self, source: &mut impl mio::event::Source, interest: Interest) {
        self.poll.registry().register(source, Token(self.next), interest).unwrap();
        self.next += 1;
    }

    /// Repeats an attempt that would block at each edge.
    pub(crate) fn ready<T>(&mut self, mut attempt: impl FnMut() -> io::Result<T>) -> io::Result<T> {
        loop {
            match attempt() {
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.edge(),
                result => return result,
            }
        }
    }

    pub(crate) fn edge(&mut self) {
        #[expect(clippy::disallowed_methods, reason = "the kit waits for the event itself")]
        self.poll.poll(&mut self.events, Some(FOREVER)).unwrap();
        assert!(!self.events.is_empty(), "no edge in {FOREVER:?}");
    }

    /// Waits until a dialled stream is connected or has failed.
    pub(crate) fn connected(&mut self, stream: &mut Stream) -> io::Result<()> {
        self.ready(|| if stream.connected()? { Ok(()) } else { Err(ErrorKind::WouldBlock.into()) })
    }
}

/// Dials the addresses of an endpoint in turn, as a session does.
pub(crate) fn connect(waiter: &mut Waiter, to: &Endpoint, options: &SocketOptions) -> io::Result<Stream> {
    let mut last = Err(ErrorKind::NotFound.into());
    for address in resolve(to, options.ipv6)? {
        last = dial(&address, options).and_then(|mut stream| {
            waiter.add(&mut stream, Interest::READABLE | Interest::WRITABLE);
            waiter.connected(&mut stream).map(|()| stream)
        });
        if last.is_ok() {
            break;
        }
    }
    last
}

/// A connection with both ends on one poll.
pub(crate) struct Link {
    pub(crate) waiter: Waiter,
    pub(crate) listener: Listener,
    pub(crate) client: Stream,
    pub(crate) server: Stream,
    pub(crate) accepted: Accepted,
}

impl Link {
    pub(crate) fn new(listener: Listener, options: &SocketOptions) -> Link {
        let to = target(&listener);
        Link::to(listener, &to, options)
    }

    pub(crate) fn to(mut listener: Listener, to: &Endpoint, options: &SocketOptions) -> Link {
        let mut waiter = Waiter::new();
        waiter.add(&mut listener, Interest::READABLE);
        let client = connect(&mut waiter, to, options).unwrap();
        let (mut server, accepted) = waiter.ready(|| listener.accept()).unwrap();
        waiter.add(&mut server, Interest::READABLE | Interest::WRITABLE);
        Link { waiter, listener, client, server, accepted }
    }

    pub(crate) fn client_says(&mut self, bytes: &[u8]) {
        send_all(&mut self.waiter, &mut self.client, bytes);
    }

    pub(crate) fn server_says(&mut self, bytes: &[u8]) {
        send_all(&mut self.waiter, &mut self.server, bytes);
    }

    pub(crate) fn server_hears(&mut self, length: usize) -> Vec<u8> {
        read_exactly(&mut self.waiter, &mut self.server, length)
    }

    pub(crate) fn client_hears(&mut self, length: usize) -> Vec<u8> {
        read_exactly(&mut self.waiter, &mut self.client, length)
    }

    /// Proves that the two ends are connected to each other.
    pub(crate) fn talks(&mut self) {
        self.client_says(b"ping");
        assert_eq!(self.server_hears(4), b"ping");
        self.server_says(b"pong");
        assert_eq!(self.client_hears(4), b"pong");
    }
}

fn send_all(waiter: &mut Waiter, stream: &mut Stream, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        let sent = waiter.ready(|| stream.send(&[IoSlice::new(bytes)])).unwrap();
        bytes = &bytes[sent..];
    }
}

fn read_exactly(waiter: &mut Waiter, stream: &mut Stream, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    let mut filled = 0;
    while filled < length {
        let read = waiter.ready(|| stream.read(&mut bytes[filled..])).unwrap();
        assert_ne!(read, 0, "the stream ended after {filled} of {length} bytes");
        filled += read;
    }
    bytes
}
