//! A network in memory, for a simulation that runs whole contexts on one thread (`--cfg simulate`).
//!
//! It stands in for the system under [`dial`](crate::dial) and [`Listener::bind`](crate::Listener::bind). Each thread has its
//! own. Nothing moves by itself: the simulation asks what could happen ([`moves`]) and chooses ([`make`]). Streams behave as
//! those of Linux do, with edges, short writes, resets and half-closed directions:
//!
//! - bytes are *in flight* until they are delivered, and *arrived* until they are read; both together fill the buffers;
//! - an edge comes with every delivery and, after a short write, when a third of the buffers is free again;
//! - closing a TCP stream that has unread input resets it, and so does what comes after the close. A reset destroys what is in
//!   flight; what has arrived can still be read (RFC 2525 §2.17). Over ipc nothing is in flight for the peer of a close.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::io::{self, ErrorKind, IoSlice};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use mio::event::Source;
use mio::{Interest, Registry, Token};

use crate::endpoint::{Endpoint, IpcAddress};
use crate::resolve::{self, Resolved};
use crate::scheme::Scheme;

/// The buffers of a new connection, each way.
const ROOM: usize = 64 << 10;

/// Connections that may wait at a listener.
const BACKLOG: usize = 100;

/// The first port that is given out.
const FIRST_PORT: u16 = 1025;

/// What a stream or listener has to report since its I/O thread asked last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Edges {
    /// The number under which it is registered.
    pub token: u64,
    /// There is something to read, or an end.
    pub readable: bool,
    /// There is room to write.
    pub writable: bool,
    /// The peer has closed its direction, or the stream has failed.
    pub hung_up: bool,
}

/// Something that could happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// A dialled connection reaches its listener, or is refused.
    Connect(u64),
    /// Bytes that side 0 or 1 has sent arrive; so many are in flight.
    Deliver(u64, usize, usize),
    /// The end of what side 0 or 1 sends arrives.
    End(u64, usize),
}

/// One end of a connection.
#[derive(Debug)]
pub struct SimulatedStream {
    link: u64,
    side: usize,
}

/// A listening endpoint.
#[derive(Debug)]
pub struct SimulatedListener {
    endpoint: Endpoint,
    name: String,
}

#[derive(Debug, Default)]
struct Network {
    links: BTreeMap<u64, Link>,
    listeners: BTreeMap<String, Listening>,
    edges: BTreeMap<(u64, u64), Edges>,
    /// The I/O thread that runs, to which what is registered belongs.
    poller: u64,
    next_link: u64,
    next_port: u16,
    room: Option<usize>,
    /// The next accept, or the next dial, fails with this.
    accept_fails: Option<i32>,
    dial_fails: Option<i32>,
}

#[derive(Debug)]
struct Listening {
    registered: Option<(u64, u64)>,
    waiting: VecDeque<u64>,
}

#[derive(Debug)]
struct Link {
    scheme: Scheme,
    /// Where it was dialled, and from where.
    to: String,
    from: String,
    ip: IpAddr,
    connected: bool,
    /// Side 0 dialled, side 1 accepted.
    ends: [End; 2],
    /// What each side sends.
    ways: [Way; 2],
}

#[derive(Debug, Default)]
struct End {
    closed: bool,
    registered: Option<(u64, u64)>,
    /// The I/O thread in whose poll it was registered first. After a lead, the application thread registers it there
    /// again.
    home: Option<u64>,
    /// Whether it is registered for output as well as for input.
    for_output: bool,
    /// What the next call reports.
    error: Option<ErrorKind>,
    /// It was reset.
    dead: bool,
}

#[derive(Debug)]
struct Way {
    flight: VecDeque<u8>,
    arrived: VecDeque<u8>,
    room: usize,
    /// The sender has closed this direction, and the receiver has it from the network.
    shut: bool,
    ended: bool,
    /// A write found too little room.
    blocked: bool,
}

impl Way {
    fn free(&self) -> usize {
        self.room.saturating_sub(self.flight.len() + self.arrived.len())
    }
}

thread_local! {
    static NETWORK: RefCell<Network> = RefCell::default();
}

fn with<T>(act: impl FnOnce(&mut Network) -> T) -> T {
    NETWORK.with_borrow_mut(act)
}

/// Begins anew: every connection and listener of this thread is forgotten.
pub fn reset() {
    with(|network| *network = Network::default());
}

/// Names the I/O thread that runs: what is registered now belongs to it.
pub fn set_poller(poller: u64) {
    with(|network| network.poller = poller);
}

/// Returns whether an I/O thread has edges to take.
#[must_use]
pub fn has_edges(poller: u64) -> bool {
    with(|network| network.edges.range((poller, 0)..=(poller, u64::MAX)).next().is_some())
}

/// Takes the edges of an I/O thread.
#[must_use]
pub fn take_edges(poller: u64) -> Vec<Edges> {
    with(|network| {
        let taken: Vec<Edges> =
            network.edges.range((poller, 0)..=(poller, u64::MAX)).map(|(_, edges)| *edges).collect();
        network.edges.retain(|key, _| key.0 != poller);
        taken
    })
}

/// Sets the size of the buffers of each connection from now on, in bytes each way.
pub fn set_room(room: usize) {
    with(|network| network.room = Some(room.max(1)));
}

/// Lets the next accept fail with an error of the system, such as EMFILE.
pub fn fail_accept(errno: i32) {
    with(|network| network.accept_fails = Some(errno));
}

/// Lets the next dial fail with an error of the system.
pub fn fail_dial(errno: i32) {
    with(|network| network.dial_fails = Some(errno));
}

/// Returns everything that could happen next.
#[must_use]
pub fn moves() -> Vec<Move> {
    with(|network| {
        let mut moves = Vec::new();
        for (id, link) in &network.links {
            if !link.connected {
                if link.ends[0].error.is_none() && !link.ends[0].closed {
                    moves.push(Move::Connect(*id));
                }
                continue;
            }
            for (side, way) in link.ways.iter().enumerate() {
                if !way.flight.is_empty() {
                    moves.push(Move::Deliver(*id, side, way.flight.len()));
                } else if way.shut && !way.ended {
                    moves.push(Move::End(*id, side));
                }
            }
        }
        moves
    })
}

/// Lets something happen; of a delivery, at most `bytes`.
pub fn make(which: Move, bytes: usize) {
    with(|network| match which {
        Move::Connect(id) => network.reach(id),
        Move::Deliver(id, side, _) => network.deliver(id, side, bytes),
        Move::End(id, side) => network.end(id, side),
    });
}

/// Returns how many connections were dialled.
#[must_use]
pub fn dialled() -> u64 {
    with(|network| network.next_link)
}

/// Returns the numbers of all connections.
#[must_use]
pub fn links() -> Vec<u64> {
    with(|network| network.links.keys().copied().collect())
}

/// Resets a connection at both ends: what is in flight is lost.
pub fn cut(id: u64) {
    with(|network| {
        network.reset(id, 0);
        network.reset(id, 1);
    });
}

/// Dials as a host of this address.
///
/// # Errors
/// Returns the error that was asked for by [`fail_dial`].
pub fn dial(target: &Resolved, ip: IpAddr) -> io::Result<SimulatedStream> {
    let (scheme, to) = match target {
        Resolved::Tcp { address, .. } => (Scheme::Tcp, Endpoint::from(*address).to_string()),
        Resolved::Ipc(address) => (Scheme::Ipc, Endpoint::Ipc(address.clone()).to_string()),
    };
    with(|network| {
        if let Some(errno) = network.dial_fails.take() {
            return Err(io::Error::from_raw_os_error(errno));
        }
        network.next_link += 1;
        let (id, room) = (network.next_link, network.room.unwrap_or(ROOM));
        let from = match scheme {
            Scheme::Tcp => {
                let port = u16::try_from(32_768 + id % 32_000).unwrap_or(u16::MAX);
                Endpoint::from(SocketAddr::new(ip, port)).to_string()
            }
            _ => "ipc://".to_owned(),
        };
        let way = || Way {
            flight: VecDeque::new(),
            arrived: VecDeque::new(),
            room,
            shut: false,
            ended: false,
            blocked: false,
        };
        let link =
            Link { scheme, to, from, ip, connected: false, ends: <_>::default(), ways: [way(), way()] };
        network.links.insert(id, link);
        Ok(SimulatedStream { link: id, side: 0 })
    })
}

impl Network {
    fn note(&mut self, registered: Option<(u64, u64)>, readable: bool, writable: bool, hung_up: bool) {
        let Some(key) = registered else { return };
        let edges = self.edges.entry(key).or_insert(Edges { token: key.1, ..Edges::default() });
        edges.readable |= readable;
        edges.writable |= writable;
        edges.hung_up |= hung_up;
    }

    fn reach(&mut self, id: u64) {
        let Some(link) = self.links.get_mut(&id) else { return };
        let end = link.ends[0].registered;
        match self.listeners.get_mut(&link.to).filter(|listening| listening.waiting.len() < BACKLOG) {
            Some(listening) => {
                link.connected = true;
                listening.waiting.push_back(id);
                let listener = listening.registered;
                self.note(end, false, true, false);
                self.note(listener, true, false, false);
            }
            None => {
                link.ends[0].error = Some(ErrorKind::ConnectionRefused);
                self.note(end, true, true, true);
            }
        }
    }

    fn deliver(&mut self, id: u64, side: usize, bytes: usize) {
        let Some(link) = self.links.get_mut(&id) else { return };
        if link.ends[1 - side].closed {
            return self.reset(id, side);
        }
        let way = &mut link.ways[side];
        let count = bytes.clamp(1, way.flight.len().max(1)).min(way.flight.len());
        way.arrived.extend(way.flight.drain(..count));
        let registered = link.ends[1 - side].registered;
        self.note(registered, true, false, false);
    }

    fn end(&mut self, id: u64, side: usize) {
        let Some(link) = self.links.get_mut(&id) else { return };
        link.ways[side].ended = true;
        let registered = link.ends[1 - side].registered;
        self.note(registered, true, false, true);
    }

    /// One side learns that the connection is no more.
    fn reset(&mut self, id: u64, side: usize) {
        let Some(link) = self.links.get_mut(&id) else { return };
        link.ways.iter_mut().for_each(|way| way.flight.clear());
        let end = &mut link.ends[side];
        if end.closed {
            return;
        }
        (end.error, end.dead) = (Some(ErrorKind::ConnectionReset), true);
        let registered = end.registered;
        self.note(registered, true, true, true);
    }

    fn close(&mut self, id: u64, side: usize) {
        let Some(link) = self.links.get_mut(&id) else { return };
        link.ends[side].closed = true;
        if let Some(key) = link.ends[side].registered.take() {
            self.edges.remove(&key);
        }
        let gone = !link.connected || link.ends[1 - side].closed;
        if gone {
            self.links.remove(&id);
            return;
        }
        link.ways[side].shut = true;
        let unread = &link.ways[1 - side];
        let is_unread = !unread.arrived.is_empty() || !unread.flight.is_empty();
        let resets = is_unread && link.scheme == Scheme::Tcp;
        if link.scheme == Scheme::Ipc {
            // A local socket has no network: what was sent is with the peer already, and so is the end.
            let way = &mut link.ways[side];
            way.arrived.extend(std::mem::take(&mut way.flight));
            way.ended = true;
            let (registered, failed) = (link.ends[1 - side].registered, is_unread);
            if failed {
                link.ends[1 - side].error = Some(ErrorKind::ConnectionReset);
            }
            self.note(registered, true, failed, true);
        } else if resets {
            self.reset(id, 1 - side);
        }
    }
}

impl SimulatedStream {
    fn link<T>(&self, act: impl FnOnce(&mut Link) -> T) -> io::Result<T> {
        with(|network| network.links.get_mut(&self.link).map(act)).ok_or(ErrorKind::NotConnected.into())
    }

    pub(crate) fn scheme(&self) -> Scheme {
        self.link(|link| link.scheme).unwrap_or(Scheme::Tcp)
    }

    /// Returns whether a dialled connection is complete.
    ///
    /// # Errors
    /// Returns an error if it was refused.
    pub fn connected(&self) -> io::Result<bool> {
        self.link(|link| match link.ends[self.side].error.take() {
            Some(error) => Err(error.into()),
            None => Ok(link.connected),
        })?
    }

    /// Reads what has arrived.
    ///
    /// # Errors
    /// Returns `WouldBlock` if there is nothing.
    pub fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        with(|network| {
            let gone = io::Error::from(ErrorKind::NotConnected);
            let link = network.links.get_mut(&self.link).ok_or(gone)?;
            let (way, end) = (&mut link.ways[1 - self.side], &mut link.ends[self.side]);
            if way.arrived.is_empty() {
                return match end.error.take() {
                    Some(error) => Err(error.into()),
                    None if way.ended || end.dead || buf.is_empty() => Ok(0),
                    None => Err(ErrorKind::WouldBlock.into()),
                };
            }
            let count = buf.len().min(way.arrived.len());
            for (to, from) in buf.iter_mut().zip(way.arrived.drain(..count)) {
                *to = from;
            }
            if way.blocked && way.free() * 3 >= way.room {
                way.blocked = false;
                let writer = &link.ends[1 - self.side];
                let registered = writer.registered.filter(|_| writer.for_output);
                network.note(registered, false, true, false);
            }
            Ok(count)
        })
    }

    /// Reads what has arrived into the spare room of `body`.
    ///
    /// # Errors
    /// Returns `WouldBlock` if there is nothing.
    pub(crate) fn read_body(&mut self, body: &mut Vec<u8>) -> io::Result<usize> {
        let old = body.len();
        body.resize(body.capacity(), 0);
        let read = self.read(&mut body[old..]);
        body.truncate(old + read.as_ref().map_or(0, |read| *read));
        read
    }

    pub(crate) fn quantum(&self) -> usize {
        if self.scheme() == Scheme::Tcp { 61_440 } else { 32_768 }
    }

    /// Sends as much as there is room for.
    ///
    /// # Errors
    /// Returns `WouldBlock` without room, `BrokenPipe` or `ConnectionReset` if the peer is gone.
    pub fn send(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.link(|link| {
            let (way, end) = (&mut link.ways[self.side], &mut link.ends[self.side]);
            if let Some(error) = end.error.take() {
                return Err(error.into());
            }
            let dead = end.dead || link.ends[1 - self.side].closed && link.scheme == Scheme::Ipc;
            if way.shut || dead {
                return Err(ErrorKind::BrokenPipe.into());
            }
            let wanted: usize = bufs.iter().map(|buf| buf.len()).sum();
            let count = wanted.min(way.free());
            way.blocked |= count < wanted;
            if count == 0 && wanted > 0 {
                return Err(ErrorKind::WouldBlock.into());
            }
            way.flight.extend(bufs.iter().flat_map(|buf| buf.iter().copied()).take(count));
            Ok(count)
        })?
    }

    /// Closes this side's direction.
    ///
    /// # Errors
    /// Returns `NotConnected` if the connection is gone.
    pub fn shut_down(&self) -> io::Result<()> {
        self.link(|link| link.ways[self.side].shut = true)
    }

    fn note_token(&self, token: u64, for_output: bool) {
        with(|network| {
            let running = network.poller;
            let Some(link) = network.links.get_mut(&self.link) else { return };
            let end = &mut link.ends[self.side];
            let key = (*end.home.get_or_insert(running), token);
            (end.registered, end.for_output) = (Some(key), for_output);
            let (end, input) = (&link.ends[self.side], &link.ways[1 - self.side]);
            let failed = end.error.is_some();
            let readable = failed || input.ended || !input.arrived.is_empty();
            let writable = failed || for_output && link.connected && link.ways[self.side].free() > 0;
            if readable || writable {
                let hung_up = failed || input.ended;
                network.note(Some(key), readable, writable, hung_up);
            }
        });
    }

    fn forget_token(&self) {
        with(|network| {
            let Some(link) = network.links.get_mut(&self.link) else { return };
            if let Some(key) = link.ends[self.side].registered.take() {
                network.edges.remove(&key);
            }
        });
    }

    fn text(&self, side: usize) -> String {
        self.link(|link| if side == 0 { link.from.clone() } else { link.to.clone() }).unwrap_or_default()
    }

    /// This end's endpoint.
    pub(crate) fn local(&self) -> String {
        self.text(self.side)
    }

    /// The other end's endpoint.
    pub(crate) fn remote(&self) -> String {
        self.text(1 - self.side)
    }

    pub(crate) fn peer_address(&self) -> String {
        self.link(|link| match link.scheme {
            Scheme::Tcp => link.ip.to_string(),
            _ => "localhost".to_owned(),
        })
        .unwrap_or_default()
    }

    pub(crate) fn raw(&self) -> i64 {
        i64::try_from(self.link * 2).unwrap_or(i64::MAX) + i64::from(self.side == 1)
    }
}

impl Drop for SimulatedStream {
    fn drop(&mut self) {
        let _ = NETWORK.try_with(|network| network.borrow_mut().close(self.link, self.side));
    }
}

impl SimulatedListener {
    /// Listens at an endpoint of tcp or ipc.
    ///
    /// # Errors
    /// Returns `AddrInUse` if somebody listens there.
    pub fn bind(endpoint: &Endpoint) -> io::Result<SimulatedListener> {
        with(|network| {
            let endpoint = match endpoint {
                Endpoint::Tcp { host, port, .. } => {
                    let mut address = resolve::listening(host, *port, false)?.remove(0);
                    if address.port() == 0 {
                        network.next_port += 1;
                        address.set_port(FIRST_PORT + network.next_port);
                    }
                    Endpoint::from(address)
                }
                Endpoint::Ipc(IpcAddress::Wildcard) | Endpoint::Inproc(_) => {
                    return Err(ErrorKind::Unsupported.into());
                }
                Endpoint::Ipc(_) => endpoint.clone(),
            };
            let name = endpoint.to_string();
            if network.listeners.contains_key(&name) {
                return Err(ErrorKind::AddrInUse.into());
            }
            let listening = Listening { registered: None, waiting: VecDeque::new() };
            network.listeners.insert(name.clone(), listening);
            Ok(SimulatedListener { endpoint, name })
        })
    }

    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Accepts the connection that has waited longest; returns its peer's endpoint and, over tcp, address, too.
    ///
    /// # Errors
    /// Returns `WouldBlock` if none waits, or the error that was asked for by [`fail_accept`].
    pub fn accept(&self) -> io::Result<(SimulatedStream, String, Option<IpAddr>)> {
        with(|network| {
            let gone = io::Error::from(ErrorKind::NotConnected);
            let listening = network.listeners.get_mut(&self.name).ok_or(gone)?;
            if !listening.waiting.is_empty() {
                if let Some(errno) = network.accept_fails.take() {
                    return Err(io::Error::from_raw_os_error(errno));
                }
            }
            let id = listening.waiting.pop_front().ok_or(ErrorKind::WouldBlock)?;
            // It was closed while it waited.
            let link = network.links.get(&id).ok_or(ErrorKind::ConnectionAborted)?;
            let ip = (link.scheme == Scheme::Tcp).then_some(link.ip);
            Ok((SimulatedStream { link: id, side: 1 }, link.from.clone(), ip))
        })
    }

    fn note_token(&self, token: u64, _for_output: bool) {
        with(|network| {
            let key = (network.poller, token);
            let Some(listening) = network.listeners.get_mut(&self.name) else { return };
            listening.registered = Some(key);
            if !listening.waiting.is_empty() {
                network.note(Some(key), true, false, false);
            }
        });
    }

    fn forget_token(&self) {
        with(|network| {
            if let Some(listening) = network.listeners.get_mut(&self.name) {
                if let Some(key) = listening.registered.take() {
                    network.edges.remove(&key);
                }
            }
        });
    }
}

impl Drop for SimulatedListener {
    fn drop(&mut self) {
        let _ = NETWORK.try_with(|network| {
            let mut network = network.borrow_mut();
            let Some(listening) = network.listeners.remove(&self.name) else { return };
            for id in listening.waiting {
                network.reset(id, 0);
                network.close(id, 1);
            }
        });
    }
}

/// The registry of the I/O thread's poll is not used: [`set_poller`] names the thread.
macro_rules! source {
    ($($kind:ty),+) => {
        $(impl Source for $kind {
            fn register(&mut self, _: &Registry, token: Token, interest: Interest) -> io::Result<()> {
                self.note_token(token.0 as u64, interest.is_writable());
                Ok(())
            }

            fn reregister(&mut self, registry: &Registry, token: Token, interest: Interest) -> io::Result<()> {
                self.register(registry, token, interest)
            }

            fn deregister(&mut self, _: &Registry) -> io::Result<()> {
                self.forget_token();
                Ok(())
            }
        })+
    };
}

source!(SimulatedStream, SimulatedListener);

/// The address of an ordinary peer.
pub const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
