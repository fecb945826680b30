//! Runs cases against a socket of ours, bound or connecting, with a good neighbour served between any two.

use std::collections::{HashMap, HashSet};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::Duration;

use zeroxide::{
    Context, DisconnectReason, EventKind, HandshakeCause, Message, Monitor, Options, Socket, Version, opt,
};
use zeroxide_zmtp::ConnectionError;

#[cfg(any(feature = "plain", feature = "curve"))]
use zeroxide::{AccessList, Security};

#[cfg(feature = "plain")]
use super::case::USER;
use super::case::{After, Case, End, Target};
use super::common::{LONG, RawPeer, Soon, listen, until};
#[cfg(feature = "curve")]
use super::honest::{Honest, client_key, server_key};

/// Connections that are made at once.
const AT_ONCE: usize = 100;

/// How bytes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// In one piece.
    Whole,
    /// The first of them one by one.
    Trickled,
}

/// A socket of ours, and what is known of those who attack it.
pub struct Ours {
    target: Target,
    pub socket: Socket,
    events: Monitor,
    /// A peer that does everything right; none of a REQ, which would have to speak first.
    neighbour: Option<Socket>,
    sent: u64,
    /// How connections ended, by the address of their other end.
    told: HashMap<String, Result<End, String>>,
    /// The names of the cases whose message arrived.
    alive: HashSet<String>,
    /// What came to another end than it must.
    wrong: Vec<String>,
}

impl Ours {
    /// A socket that is attacked, neither bound nor connected.
    pub fn new(cx: &Context, target: Target) -> Ours {
        let socket = cx.socket_with(target.socket_type(), &options(target)).unwrap();
        let events = socket.monitor();
        let (told, alive, wrong) = (HashMap::new(), HashSet::new(), Vec::new());
        Ours { target, socket, events, neighbour: None, sent: 0, told, alive, wrong }
    }

    /// Runs the cases against the socket, bound to an endpoint.
    pub fn attack_bound(mut self, cx: &Context, cases: &[Case], pace: Pace) {
        let endpoint = self.bind(cx);
        self.exchange();
        for batch in cases.chunks(AT_ONCE) {
            let attack = |case| {
                let peer = RawPeer::connect(&endpoint);
                let name = format!("tcp://{}", peer.stream.local_addr().unwrap());
                write(case, &peer.stream, pace);
                self.exchange();
                (case, peer, name)
            };
            let peers: Vec<(&Case, RawPeer, String)> = batch.iter().map(attack).collect();
            for (case, _, name) in &peers {
                self.expect(case, name, &case.end);
            }
            for (case, _, name) in &peers {
                let ended = self.told.contains_key(name);
                assert!(case.end != End::Served || !ended, "{}: {:?}", case.name, self.told[name]);
            }
            drop(peers);
            let good = usize::from(self.neighbour.is_some());
            until("the bad are gone", || self.socket.peers().len() == good);
            self.told.clear();
        }
        self.finish();
    }

    /// Runs the cases, one after the other, from a malicious server to which the socket connects again and again.
    pub fn attack_connecting(mut self, cx: &Context, cases: &[Case], pace: Pace) {
        let (listener, endpoint) = listen();
        listener.set_nonblocking(true).unwrap();
        if self.target != Target::Req {
            let neighbour = good_peer(cx, self.target);
            let good = neighbour.bind("tcp://127.0.0.1:*").unwrap();
            self.socket.connect(good.to_string()).unwrap();
            neighbour.wait_for_peers(1, LONG).unwrap();
            self.neighbour = Some(neighbour);
        }
        self.exchange();
        self.socket.connect(&endpoint).unwrap();
        for case in cases {
            let stream = accept(&listener);
            write(case, &stream, pace);
            // A server that was chosen is not hurried to sign.
            let end = if case.end == End::NoSignature { &End::TimedOut } else { &case.end };
            self.expect(case, &endpoint, end);
            self.exchange();
            drop(stream);
            if case.end == End::Served {
                let closed = self.event(&endpoint);
                assert_eq!(closed, Ok(End::PeerClosed), "{}", case.name);
            }
            self.told.clear();
        }
        self.finish();
    }

    /// Binds the socket; the neighbour connects.
    pub fn bind(&mut self, cx: &Context) -> String {
        let endpoint = self.socket.bind("tcp://127.0.0.1:*").unwrap().to_string();
        if self.target != Target::Req {
            let neighbour = good_peer(cx, self.target);
            neighbour.connect(&endpoint).unwrap();
            self.neighbour = Some(neighbour);
        }
        endpoint
    }

    /// Sends a message from the good neighbour, and receives until it is here.
    pub fn exchange(&mut self) {
        let Some(neighbour) = &self.neighbour else { return };
        let text = format!("neighbour {}", self.sent);
        self.sent += 1;
        neighbour.send(text.as_bytes()).unwrap();
        loop {
            let message = self.socket.recv_soon();
            let neighbours = message.iter().find(|frame| frame.starts_with(b"neighbour"));
            if let Some(frame) = neighbours {
                assert_eq!(
                    &frame[..],
                    text.as_bytes(),
                    "the neighbour's messages come in order, and all of them"
                );
                return;
            }
            self.received(&message);
        }
    }

    /// Waits for the end of a case and holds it against what it must be.
    fn expect(&mut self, case: &Case, name: &str, end: &End) {
        if *end == End::Served {
            while !self.alive.remove(&case.name) {
                let message = self.socket.recv_timeout(LONG);
                let message = message.unwrap_or_else(|error| panic!("{}: {error}", case.name));
                self.received(&message);
            }
            return;
        }
        let bytes = [self.target.opening(case.after).concat(), case.bytes.clone()].concat();
        let told = self.event(name);
        if !told.as_ref().is_ok_and(|told| end.is(told, &bytes)) {
            self.wrong.push(format!("{}: {told:?}, not {end:?}", case.name));
        }
    }

    /// Nothing was wrong, and the neighbour is served as ever.
    pub fn finish(&mut self) {
        (0..10).for_each(|_| self.exchange());
        assert!(self.wrong.is_empty(), "{:?}: {:#?}", self.target, self.wrong);
    }

    /// How the connection with this other end came to its own.
    pub fn event(&mut self, name: &str) -> Result<End, String> {
        loop {
            if let Some(told) = self.told.get(name) {
                return told.clone();
            }
            let event = self.events.recv_timeout(LONG);
            let event = event.unwrap_or_else(|error| panic!("no end of {name}: {error}; {:?}", self.told));
            if let Some(end) = end(&event.kind) {
                self.told.insert(event.remote, end);
            }
        }
    }

    /// A message that is not the neighbour's: nothing that is evil, maybe one that a case ends with.
    fn received(&mut self, message: &Message) {
        for frame in message.iter() {
            let evil = frame.windows(4).any(|bytes| bytes == b"EVIL");
            assert!(!evil, "bytes of a bad peer reached the application: {message:?}");
            if let Some(name) = frame.strip_prefix(b"alive: ") {
                self.alive.insert(String::from_utf8(name.to_vec()).unwrap());
            }
        }
    }
}

/// A context in which there is one user.
pub fn context() -> Context {
    let cx = Context::new();
    #[cfg(any(feature = "plain", feature = "curve"))]
    {
        let users = AccessList::new();
        #[cfg(feature = "plain")]
        let users = users.plain_user(USER.0, USER.1);
        #[cfg(feature = "curve")]
        let users = users.curve_key(client_key().public());
        cx.authenticator("", users).unwrap();
    }
    cx
}

#[cfg(feature = "plain")]
fn plain_client() -> Security {
    Security::PlainClient { user: USER.0.to_owned(), password: USER.1.into() }
}

#[cfg(feature = "curve")]
fn curve_client() -> Security {
    Security::CurveClient { server: server_key().public(), me: client_key() }
}

/// A peer for a target that does everything right.
fn good_peer(cx: &Context, target: Target) -> Socket {
    let options = match target {
        #[cfg(feature = "plain")]
        Target::PlainServer => Options::new().security(plain_client()),
        #[cfg(feature = "plain")]
        Target::PlainClient => Options::new().security(Security::PlainServer),
        #[cfg(feature = "curve")]
        Target::CurveServer => Options::new().security(curve_client()),
        #[cfg(feature = "curve")]
        Target::CurveClient => Options::new().security(Security::CurveServer(server_key())),
        _ => Options::new(),
    };
    cx.socket_with(target.peer(), &options).unwrap()
}

fn options(target: Target) -> Options {
    let quick = Some(Duration::from_millis(1));
    let options = Options::new()
        .set(opt::LINGER, Some(Duration::ZERO))
        .set(opt::MAX_HANDSHAKES_PER_HOST, Some(0))
        .set(opt::RECONNECT_IVL, quick)
        .set(opt::RECONNECT_IVL_MAX, quick);
    match target {
        Target::Pull | Target::XPub | Target::Router | Target::Req => options,
        Target::Hasty => options
            .set(opt::SIGNATURE_IVL, Some(Duration::from_millis(200)))
            .set(opt::HANDSHAKE_IVL, Some(Duration::from_millis(400))),
        Target::OldPull | Target::OldXPub => options.set(opt::MIN_VERSION, Version::V1_0),
        Target::SmallPull => options
            .set(opt::MAXMSGSIZE, Some(1000))
            .set(opt::MAX_MULTIPART, Some(1500))
            .set(opt::MAX_FRAMES, 3),
        #[cfg(feature = "plain")]
        Target::PlainServer => options.set(opt::MIN_VERSION, Version::V1_0).security(Security::PlainServer),
        #[cfg(feature = "plain")]
        Target::PlainClient => options.set(opt::MIN_VERSION, Version::V1_0).security(plain_client()),
        #[cfg(feature = "curve")]
        Target::CurveServer => {
            options.set(opt::MIN_VERSION, Version::V1_0).security(Security::CurveServer(server_key()))
        }
        #[cfg(feature = "curve")]
        Target::CurveClient => options.set(opt::MIN_VERSION, Version::V1_0).security(curve_client()),
        Target::Unlimited => {
            options.set(opt::MAXMSGSIZE, None).set(opt::MAX_MULTIPART, None).set(opt::MAX_FRAMES, 0)
        }
    }
}

/// Writes a case, and behind a legal one a message that names it. The other side may close at any byte.
fn write(case: &Case, mut stream: &TcpStream, pace: Pace) {
    let bytes = last_bytes(case, stream);
    let singles = if pace == Pace::Trickled { bytes.len().min(160) } else { 0 };
    let (first, rest) = bytes.split_at(singles);
    let result = first.chunks(1).chain([rest]).try_for_each(|chunk| stream.write_all(chunk));
    if result.is_ok() && case.closes {
        stream.shutdown(Shutdown::Write).unwrap();
    }
}

/// Does what a case does properly, and answers what it sends then.
fn last_bytes(case: &Case, mut stream: &TcpStream) -> Vec<u8> {
    let alive = format!("alive: {}", case.name).into_bytes();
    #[cfg(feature = "curve")]
    if let Target::CurveServer | Target::CurveClient = case.target {
        let mut honest = Honest::meet(case.target, case.after, case.bend, stream);
        let alive = if case.end == End::Served { honest.seal(&alive) } else { Vec::new() };
        return [honest.bent(case.bend), case.bytes.clone(), alive].concat();
    }
    let mut pieces = case.target.opening(case.after);
    let mut bytes = pieces.pop().unwrap();
    for (n, piece) in pieces.iter().enumerate() {
        stream.write_all(piece).unwrap();
        answer(stream, if n == 0 { 64 } else { 0 });
    }
    bytes.extend(&case.bytes);
    if case.end == End::Served {
        let length = u8::try_from(alive.len()).unwrap();
        let header = if speaks_v1(case) { [length + 1, 0] } else { [0, length] };
        bytes.extend([&header[..], &alive].concat());
    }
    bytes
}

/// Reads so many bytes and a short frame.
fn answer(mut stream: &TcpStream, bytes: usize) {
    let mut head = vec![0; bytes + 2];
    stream.read_exact(&mut head).unwrap();
    stream.read_exact(&mut vec![0; usize::from(head[bytes + 1])]).unwrap();
}

/// Whether the peer of a legal case speaks ZMTP 1.0, with a greeting or without.
fn speaks_v1(case: &Case) -> bool {
    let old = matches!(case.target, Target::OldPull | Target::OldXPub) && case.after == After::Connecting;
    old && (case.bytes[0] != 0xFF || case.bytes[10] == 0)
}

/// What an event tells of an end.
fn end(kind: &EventKind) -> Option<Result<End, String>> {
    match kind {
        EventKind::HandshakeFailed(error) => Some(match &error.cause {
            HandshakeCause::Protocol(fault) => Ok(End::Fault(fault.clone())),
            HandshakeCause::Denied(denial) => Ok(End::Denied(denial.status())),
            HandshakeCause::NoSignature => Ok(End::NoSignature),
            HandshakeCause::TimedOut => Ok(End::TimedOut),
            HandshakeCause::PeerClosed => Ok(End::PeerClosed),
            other => Err(format!("{other:?}")),
        }),
        EventKind::Disconnected { why, .. } => Some(match why {
            DisconnectReason::Fault(ConnectionError::Protocol(fault)) => Ok(End::Fault(fault.clone())),
            DisconnectReason::PeerClosed => Ok(End::PeerClosed),
            DisconnectReason::Io(error) if error.kind() == ErrorKind::ConnectionReset => Ok(End::PeerClosed),
            other => Err(format!("{other:?}")),
        }),
        _ => None,
    }
}

/// The next connection of a listener that does not block.
fn accept(listener: &TcpListener) -> TcpStream {
    let mut stream = None;
    until("our socket dials again", || match listener.accept() {
        Ok((accepted, _)) => {
            accepted.set_nonblocking(false).unwrap();
            accepted.set_nodelay(true).unwrap();
            accepted.set_read_timeout(Some(LONG)).unwrap();
            stream = Some(accepted);
            true
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::WouldBlock);
            false
        }
    });
    stream.unwrap()
}
