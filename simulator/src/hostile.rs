//! A hostile peer: it dials a socket and speaks from a grammar of valid, nearly valid and rude moves.

use std::io::{ErrorKind, IoSlice};
use std::net::{IpAddr, Ipv4Addr};

use zeroxide::SocketType;
use zeroxide_transports::simulated::{self, SimulatedListener, SimulatedStream};
use zeroxide_transports::{Endpoint, resolve};

use crate::choices::Choices;

/// Most bytes that it keeps to be sent.
const BACKLOG: usize = 1 << 20;

/// A connection of a hostile peer.
#[derive(Debug)]
pub(crate) struct Hostile {
    target: Endpoint,
    /// The type of the socket that it attacks.
    victim: SocketType,
    /// The mechanism of that: NULL (0), PLAIN (1) or CURVE.
    mechanism: u8,
    /// It waits for its victims instead of dialling them.
    listener: Option<SimulatedListener>,
    stream: Option<SimulatedStream>,
    /// What the network has not taken yet.
    pending: Vec<u8>,
    greeted: bool,
    ready: bool,
    reads: bool,
    /// It has shown a routing id that a good peer may have.
    pub(crate) has_taken_id: bool,
    /// Moves that are left to it.
    pub(crate) moves: u32,
}

/// One frame of ZMTP 2 or 3.
fn frame(flags: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(body.len() + 9);
    match u8::try_from(body.len()) {
        Ok(length) => bytes.extend([flags, length]),
        Err(_) => {
            bytes.push(flags | 2);
            bytes.extend((body.len() as u64).to_be_bytes());
        }
    }
    bytes.extend(body);
    bytes
}

fn command(name: &str, rest: &[u8]) -> Vec<u8> {
    let mut body = vec![name.len() as u8];
    body.extend(name.as_bytes());
    body.extend(rest);
    frame(4, &body)
}

fn property(name: &str, value: &[u8]) -> Vec<u8> {
    let mut bytes = vec![name.len() as u8];
    bytes.extend(name.as_bytes());
    bytes.extend((value.len() as u32).to_be_bytes());
    bytes.extend(value);
    bytes
}

impl Hostile {
    pub(crate) fn new(target: Endpoint, victim: SocketType, mechanism: u8, moves: u32) -> Hostile {
        Hostile {
            target,
            victim,
            mechanism,
            listener: None,
            stream: None,
            pending: Vec::new(),
            greeted: false,
            ready: false,
            reads: true,
            has_taken_id: false,
            moves,
        }
    }

    /// One that listens at an endpoint.
    pub(crate) fn listening(at: Endpoint, victim: SocketType, mechanism: u8, moves: u32) -> Hostile {
        let listener = SimulatedListener::bind(&at).ok();
        Hostile { listener, ..Hostile::new(at, victim, mechanism, moves) }
    }

    /// Whether it has something left to do.
    pub(crate) fn is_active(&self) -> bool {
        self.moves > 0
    }

    /// Ends its connection.
    pub(crate) fn leave(&mut self) {
        (self.stream, self.listener, self.has_taken_id) = (None, None, false);
        self.moves = 0;
    }

    /// Does something; returns what, for a trace.
    pub(crate) fn act(&mut self, choices: &mut Choices) -> String {
        self.moves = self.moves.saturating_sub(1);
        if self.stream.is_none() {
            return self.dial(choices);
        }
        if self.reads {
            self.read();
        }
        if !self.pending.is_empty() {
            self.write(&[]);
        }
        if self.pending.len() > BACKLOG {
            return "a hostile peer waits for room".into();
        }
        if !self.greeted {
            return self.greet(choices);
        }
        if !self.ready {
            return self.shake_hands(choices);
        }
        self.speak(choices)
    }

    fn dial(&mut self, choices: &mut Choices) -> String {
        (self.greeted, self.ready, self.reads) = (false, false, true);
        self.pending.clear();
        if let Some(listener) = &self.listener {
            self.stream = listener.accept().ok().map(|(stream, ..)| stream);
            return format!("a hostile peer accepts at {}", self.target);
        }
        let Ok(mut addresses) = resolve::resolve(&self.target, false) else { return String::new() };
        let host = Ipv4Addr::new(127, 0, 0, 1 + choices.below(3) as u8);
        self.stream = simulated::dial(&addresses.remove(0), IpAddr::V4(host)).ok();
        format!("a hostile peer dials {}", self.target)
    }

    fn greet(&mut self, choices: &mut Choices) -> String {
        self.greeted = true;
        let mut greeting = vec![0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 3, 1];
        greeting.extend([&b"NULL"[..], b"PLAIN", b"CURVE"][usize::from(self.mechanism)]);
        greeting.resize(64, 0);
        // As a server, where it was dialled.
        greeting[32] = u8::from(self.listener.is_some());
        let (what, bytes): (&str, Vec<u8>) = match choices.below(9) {
            0..=3 => ("greets", greeting),
            4 => {
                greeting[12..16].copy_from_slice(&[*b"PLAIN", *b"CURVE", *b"GSSAP"][choices.below(3)][..4]);
                ("greets with another mechanism", greeting)
            }
            5 => (
                "greets as ZMTP 2.0",
                vec![0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 1, choices.below(12) as u8, 0, 0],
            ),
            6 => ("speaks ZMTP 1.0", vec![1, 0, 6, 0, b'h', b'e', b'l', b'l', b'o']),
            7 => ("speaks HTTP", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec()),
            _ => {
                let at = choices.below(greeting.len());
                greeting[at] ^= 1 << choices.below(8);
                greeting.truncate(1 + choices.below(64));
                ("greets in part", greeting)
            }
        };
        self.write(&bytes);
        format!("a hostile peer {what}")
    }

    fn shake_hands(&mut self, choices: &mut Choices) -> String {
        if self.mechanism > 0 {
            return self.introduce_itself(choices);
        }
        self.ready = true;
        let peers = self.victim.peers();
        let name = match choices.below(8) {
            7 => SocketType::from_number(choices.below(21) as i32).map_or("NONE", SocketType::name),
            _ => peers.get(choices.below(peers.len().max(1))).map_or("DEALER", |t| t.name()),
        };
        let mut body = property("Socket-Type", name.as_bytes());
        match choices.below(6) {
            // A routing id that a good peer has.
            5 => {
                body.extend(property("Identity", format!("client-{}", choices.below(3)).as_bytes()));
                self.has_taken_id = true;
            }
            4 => body.extend(property("Identity", &[0, 1, 2])),
            3 => body.extend(property("X-Long", &vec![7; choices.below(9000)])),
            _ => {}
        }
        if choices.one_in(12) {
            body.truncate(choices.below(body.len()));
        }
        self.write(&command("READY", &body));
        format!("a hostile peer is ready as {name}")
    }

    /// Its part of PLAIN (RFC 24) or CURVE (RFC 26), which may be right, too long, too early, or nonsense.
    fn introduce_itself(&mut self, choices: &mut Choices) -> String {
        let noise = |choices: &mut Choices, length: usize| {
            let seed = choices.below(256);
            (0..length).map(|n| (n * 7 + seed) as u8).collect::<Vec<u8>>()
        };
        let user = [&b"\x04user\x08password"[..], b"\x04user\x03bad", b"\xFFuser", b""];
        let what = choices.below(10);
        let bytes = match (self.mechanism, what) {
            (1, 0..=3) => command("HELLO", user[what.saturating_sub(1)]),
            (1, 4) => command("WELCOME", b""),
            (1, 5 | 6) => {
                command("INITIATE", &property("Socket-Type", self.victim.peers()[0].name().as_bytes()))
            }
            (2, 0..=2) => {
                // Its version, padding, a key, a nonce, and a box that nobody can open.
                command("HELLO", &[&[1, 0][..], &[0; 72], &noise(choices, 120)].concat())
            }
            (2, 3) => command("WELCOME", &noise(choices, 160)),
            (2, 4..=6) => command("INITIATE", &noise(choices, 249 + what * 16)),
            (_, 7) => {
                let length = choices.below(600);
                command(["HELLO", "INITIATE", "MESSAGE"][choices.below(3)], &noise(choices, length))
            }
            (_, 8) => command("ERROR", b"\x03400"),
            _ => {
                self.ready = true;
                command("READY", &property("Socket-Type", self.victim.peers()[0].name().as_bytes()))
            }
        };
        self.write(&bytes);
        format!("a hostile peer speaks its mechanism: {what}")
    }

    fn speak(&mut self, choices: &mut Choices) -> String {
        let many = 1 + choices.below(200);
        let (what, bytes): (&str, Vec<u8>) = match choices.below(21) {
            0 => ("sends a message", frame(0, b"hostile")),
            1 => ("sends many messages", frame(0, b"hostile").repeat(many)),
            2 => ("sends MORE without end", frame(1, b"part").repeat(many)),
            3 => ("sends empty frames", frame(choices.below(2) as u8, b"").repeat(many)),
            4 => {
                let topics = [command("SUBSCRIBE", b"ttt"), command("CANCEL", b"ttt")].concat();
                ("subscribes and cancels", topics.repeat(many))
            }
            5 => {
                let topics = (0..many).flat_map(|n| command("SUBSCRIBE", format!("t{n}").as_bytes()));
                ("subscribes to much", topics.collect())
            }
            6 => ("subscribes as before 3.1", [frame(0, b"\x01A"), frame(0, b"\0A")].concat().repeat(many)),
            7 => {
                let groups = [command("JOIN", b"A"), command("LEAVE", b"A")].concat();
                ("joins and leaves", groups.repeat(many))
            }
            8 => ("pings", command("PING", b"\0\x01context").repeat(many)),
            9 => ("pings too short", command("PING", &b"\0\x01"[..choices.below(3)])),
            10 => ("sends PONG", command("PONG", b"context").repeat(many)),
            11 => ("sends ERROR", command("ERROR", b"\x03no!")),
            12 => ("sends an unknown command", command("WHATEVER", b"")),
            13 => (
                "declares a size",
                [&[2][..], &choices.pick(&[1u64 << 63, u64::MAX, 1 << 40, 70_000]).to_be_bytes()].concat(),
            ),
            14 => ("sends reserved flags", frame(0xF8, b"x")),
            15 => {
                self.reads = !self.reads;
                return format!("a hostile peer reads: {}", self.reads);
            }
            16 => {
                if let Some(stream) = &self.stream {
                    let _ = stream.shut_down();
                }
                return "a hostile peer closes its direction".into();
            }
            17 => {
                self.stream = None;
                return "a hostile peer is gone".into();
            }
            18 => ("replies unasked", [frame(1, b""), frame(0, b"hostile")].concat().repeat(1 + many / 50)),
            19 => ("subscribes to all", [command("SUBSCRIBE", b""), command("JOIN", b"A")].concat()),
            _ => ("sends the beginning of a frame", frame(0, &[9; 200])[..1 + choices.below(100)].to_vec()),
        };
        self.write(&bytes);
        format!("a hostile peer {what}")
    }

    fn read(&mut self) {
        let mut buffer = [0; 4096];
        let Some(stream) = &mut self.stream else { return };
        match stream.read(&mut buffer) {
            Ok(0) => self.stream = None,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => self.stream = None,
        }
    }

    fn write(&mut self, bytes: &[u8]) {
        self.pending.extend(bytes);
        let Some(stream) = &mut self.stream else { return };
        match stream.send(&[IoSlice::new(&self.pending)]) {
            Ok(written) => drop(self.pending.drain(..written)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => self.stream = None,
        }
    }
}
