//! The test bench: connections on a virtual clock, and the first bytes of peers of every version.

use std::io::IoSlice;
use std::sync::Arc;
#[cfg(test)]
use std::time::Duration;
use std::time::Instant;

use crate::Config;
use crate::connection::{Connection, Established};
use crate::error::ProtocolError;
use crate::gate::{Credentials, Decision};
use crate::queue::TrafficQueue;
use crate::run::Room;
use crate::{Outbox, SocketType, Traffic, Version};

pub(crate) const VERSIONS: [Version; 4] = [Version::V1_0, Version::V2_0, Version::V3_0, Version::V3_1];

/// Parses bytes: hexadecimal digits, blanks ignored, `xx*n` for a repetition.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for word in text.split_whitespace() {
        let (digits, times) = word.split_once('*').unwrap_or((word, "1"));
        let run: Vec<u8> = (0..digits.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect("two hexadecimal digits"))
            .collect();
        bytes.extend(run.repeat(times.parse().expect("a number of times")));
    }
    bytes
}

/// Returns everything that a peer of `version` sends until its handshake is over.
pub(crate) fn opening(version: Version, socket_type: SocketType, id: &[u8]) -> Vec<u8> {
    let identity = |v2: bool| {
        let length = id.len() as u8;
        if v2 { [&[0, length], id].concat() } else { [&[length + 1, 0], id].concat() }
    };
    let greeting = |tail: &[u8]| [&hex("FF 00*8 7F")[..], tail].concat();
    match version {
        Version::V1_0 => identity(false),
        Version::V2_0 => [greeting(&[1, socket_type as u8]), identity(true)].concat(),
        Version::V3_0 | Version::V3_1 => {
            let minor = u8::from(version == Version::V3_1);
            let greeting = greeting(&[&[3, minor][..], &hex("4E554C4C 00*48")].concat());
            let mut properties = [b"\x0BSocket-Type\0\0\0", &[socket_type.name().len() as u8][..]].concat();
            properties.extend(socket_type.name().as_bytes());
            properties.extend([&b"\x08Identity\0\0\0"[..], &[id.len() as u8], id].concat());
            let ready = [b"\x05READY", &properties[..]].concat();
            [&greeting[..], &[4, ready.len() as u8], &ready].concat()
        }
    }
}

/// Returns a source of random bytes that are the same in every run.
#[cfg(feature = "curve")]
pub(crate) fn dice(seed: u64) -> crate::Entropy {
    let state = std::sync::atomic::AtomicU64::new(seed);
    crate::Entropy::new(move |bytes| {
        for byte in bytes {
            // SplitMix64's step and a part of its mixing.
            let mut word = state.fetch_add(0x9E37_79B9_7F4A_7C15, std::sync::atomic::Ordering::Relaxed);
            word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            *byte = (word >> 32) as u8;
        }
        Ok(())
    })
}

/// Writes everything in `outbox`. Returns the bytes and the number of completed messages.
pub(crate) fn drain(outbox: &mut Outbox) -> (Vec<u8>, usize) {
    let (mut bytes, mut messages) = (Vec::new(), 0);
    while !outbox.is_empty() {
        let mut slices = [IoSlice::new(&[]); 64];
        let filled = outbox.io_slices(&mut slices, usize::MAX);
        let before = bytes.len();
        slices[..filled].iter().for_each(|slice| bytes.extend_from_slice(slice));
        messages += outbox.advance(bytes.len() - before);
    }
    (bytes, messages)
}

/// One end.
#[derive(Debug)]
pub(crate) struct End {
    /// Short messages are decoded as runs.
    pub(crate) takes_runs: bool,
    pub(crate) connection: Connection,
    pub(crate) outbox: Outbox,
    pub(crate) established: Option<Established>,
    pub(crate) received: Vec<Traffic>,
}

impl End {
    pub(crate) fn new(config: impl Into<Arc<Config>>, now: Instant) -> End {
        End {
            takes_runs: false,
            connection: Connection::new(config, now),
            outbox: Outbox::new(),
            established: None,
            received: Vec::new(),
        }
    }

    /// Returns an open connection to a legal peer of `version`. What was sent so far is dropped.
    pub(crate) fn open(config: Config, version: Version, now: Instant) -> End {
        let peer = config.socket_type.peers().first().copied().unwrap_or(config.socket_type);
        let mut end = End::new(Config { min_version: Version::V1_0, ..config }, now);
        end.input(&opening(version, peer, b""), now).expect("a legal opening");
        end.output();
        end.received.clear();
        assert_eq!(end.established.as_ref().and_then(|told| told.version), Some(version));
        end
    }

    /// Returns what this end writes now.
    pub(crate) fn output(&mut self) -> Vec<u8> {
        self.connection.poll_transmit(&mut self.outbox);
        drain(&mut self.outbox).0
    }

    pub(crate) fn input(&mut self, mut input: &[u8], now: Instant) -> Result<(), ProtocolError> {
        loop {
            while self.takes_runs {
                let Some(run) = self.connection.decode_run(&mut input, Room::new(7, 900), now) else { break };
                let mut queue = TrafficQueue::packed();
                queue.push_run(run);
                assert_eq!(queue.len(), run.messages());
                self.received.extend(queue);
            }
            match self.connection.decode(&mut input, now)? {
                Some(traffic) => self.received.push(traffic),
                None => match self.connection.poll_ready() {
                    Some(established) => self.established = Some(established),
                    None => return Ok(()),
                },
            }
        }
    }

    /// Receives input in pieces of `cut` bytes.
    #[cfg(test)]
    pub(crate) fn input_cut(&mut self, input: &[u8], cut: usize, now: Instant) -> Result<(), ProtocolError> {
        input.chunks(cut).try_for_each(|piece| self.input(piece, now))
    }

    /// Takes a decision about the credentials that wait, if there are any. Returns the credentials.
    #[cfg_attr(not(feature = "curve"), allow(dead_code))]
    pub(crate) fn decide(&mut self, decision: Decision, now: Instant) -> Option<Credentials> {
        let question = self.connection.poll_credentials()?;
        // A refusal shows later.
        let _ = self.connection.decide(decision, now);
        self.established = self.established.take().or_else(|| self.connection.poll_ready());
        Some(question)
    }

    pub(crate) fn send(&mut self, traffic: impl Into<Traffic>) {
        self.connection.encode(traffic.into(), &mut self.outbox);
    }
}

/// Two ends and the time they share.
#[cfg(test)]
pub(crate) struct Pair {
    pub(crate) a: End,
    pub(crate) b: End,
    pub(crate) now: Instant,
}

#[cfg(test)]
impl Pair {
    pub(crate) fn new(a: Config, b: Config) -> Pair {
        let now = Instant::now();
        Pair { a: End::new(a, now), b: End::new(b, now), now }
    }

    /// Transfers bytes both ways until there are none, in pieces of `cut` bytes.
    pub(crate) fn run(&mut self, cut: usize) -> Result<(), ProtocolError> {
        loop {
            let (from_a, from_b) = (self.a.output(), self.b.output());
            if from_a.is_empty() && from_b.is_empty() {
                return Ok(());
            }
            self.b.input_cut(&from_a, cut, self.now)?;
            self.a.input_cut(&from_b, cut, self.now)?;
        }
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        self.now += time;
    }
}
