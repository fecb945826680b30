//! A peer that speaks CURVE properly, up to the command that a case bends.

use std::io::{IoSlice, Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use zeroxide::{PublicKey, SecretKey, generate_secret_key};
use zeroxide_zmtp::entropy::NoEntropy;
use zeroxide_zmtp::mechanism::Settings;
use zeroxide_zmtp::{Config, Connection, Entropy, Outbox, Traffic};

use super::case::{After, Target};

/// What is done to the next proper command. Places and lengths are those of the command's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bend {
    /// It is not sent.
    Withheld,
    /// It is sent as it is, by a client whose key nobody knows.
    ByStranger,
    /// It is sent as it is, by a client that takes the server for another.
    Misled,
    /// One bit of it is flipped.
    Flipped(usize),
    /// It ends after so many bytes.
    Cut(usize),
    /// So many bytes follow it.
    Grown(usize),
    /// It comes twice.
    Twice,
}

/// The key of every CURVE server.
pub fn server_key() -> SecretKey {
    SecretKey::from_bytes([7; 32])
}

/// The key of the clients that may come in.
pub fn client_key() -> SecretKey {
    SecretKey::from_bytes([9; 32])
}

/// One end of a connection.
pub struct Honest {
    connection: Connection,
    written: usize,
    /// The command that is due.
    next: Vec<u8>,
}

impl Honest {
    /// Speaks with `target` over `stream` until the command that is due after `after`.
    pub fn meet(target: Target, after: After, bend: Bend, mut stream: &TcpStream) -> Honest {
        let mut config = Config::new(target.peer());
        config.entropy = Entropy::new(|bytes| bytes.chunks_mut(32).try_for_each(fill));
        config.mechanism = match target {
            Target::CurveServer => client(bend),
            _ => Settings::CurveServer(server_key()),
        };
        let connection = Connection::new(config, Instant::now());
        let mut honest = Honest { connection, written: 0, next: Vec::new() };
        let commands = match after {
            After::Connecting => return honest,
            After::Greeting => 0,
            After::Command => 1,
            After::Handshake => 2,
        };
        let mut sent = 0;
        loop {
            let bytes = honest.output();
            let greeting = bytes.len().min(64 - honest.written);
            let (greeting, command) = bytes.split_at(greeting);
            honest.written += greeting.len();
            stream.write_all(greeting).unwrap();
            if !command.is_empty() && sent == commands {
                honest.next = command.to_vec();
                return honest;
            }
            stream.write_all(command).unwrap();
            sent += usize::from(!command.is_empty());
            let ready = honest.connection.poll_ready().is_some();
            if ready && sent == commands {
                // The bent one must reach nobody; of two that are the same, the first does.
                honest.next = honest.seal(if bend == Bend::Twice { "legal" } else { "EVIL" }.as_bytes());
                return honest;
            }
            let mut input = [0; 1024];
            let read = stream.read(&mut input).unwrap();
            assert!(read > 0, "the connection ended before its handshake did");
            honest.connection.decode(&mut &input[..read], Instant::now()).unwrap();
        }
    }

    /// The command that is due, bent.
    pub fn bent(&self, bend: Bend) -> Vec<u8> {
        let header = if self.next.first().is_some_and(|flags| flags & 2 != 0) { 9 } else { 2 };
        let mut body = self.next.get(header..).unwrap_or_default().to_vec();
        let flags = self.next.first().copied().unwrap_or_default() & !2;
        match bend {
            Bend::Withheld => return Vec::new(),
            Bend::ByStranger | Bend::Misled => return self.next.clone(),
            Bend::Twice => return self.next.repeat(2),
            Bend::Flipped(bit) => body[bit / 8] ^= 1 << (bit % 8),
            Bend::Cut(length) => body.truncate(length),
            Bend::Grown(bytes) => body.resize(body.len() + bytes, 0),
        }
        super::case::long(flags, body.len() as u64, &body)
    }

    /// A message of one frame, sealed.
    pub fn seal(&mut self, body: &[u8]) -> Vec<u8> {
        let mut out = Outbox::new();
        self.connection.encode(Traffic::from(zeroxide::Message::from(body)), &mut out);
        bytes(&out)
    }

    fn output(&mut self) -> Vec<u8> {
        let mut out = Outbox::new();
        self.connection.poll_transmit(&mut out);
        bytes(&out)
    }
}

fn client(bend: Bend) -> Settings {
    let server: PublicKey = if bend == Bend::Misled { client_key() } else { server_key() }.public();
    let secret = if bend == Bend::ByStranger { SecretKey::from_bytes([1; 32]) } else { client_key() };
    Settings::CurveClient { server, secret }
}

fn fill(bytes: &mut [u8]) -> Result<(), NoEntropy> {
    let random = generate_secret_key().map_err(|_| NoEntropy)?;
    bytes.copy_from_slice(&random.expose()[..bytes.len()]);
    Ok(())
}

fn bytes(out: &Outbox) -> Vec<u8> {
    let mut slices = [IoSlice::new(&[]); 16];
    let filled = out.io_slices(&mut slices, usize::MAX);
    slices[..filled].iter().flat_map(|slice| slice.to_vec()).collect()
}
