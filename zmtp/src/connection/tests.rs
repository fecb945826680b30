//! Two connections on a virtual clock.

use std::io::IoSlice;
use std::time::{Duration, Instant};

use super::*;

/// Takes everything out of `outbox`.
pub(crate) fn drain(outbox: &mut Outbox) -> Vec<u8> {
    let mut bytes = Vec::new();
    while !outbox.is_empty() {
        let mut slices = [IoSlice::new(&[]); 64];
        let filled = outbox.io_slices(&mut slices, usize::MAX);
        let before = bytes.len();
        slices[..filled].iter().for_each(|slice| bytes.extend_from_slice(slice));
        outbox.advance(bytes.len() - before);
    }
    bytes
}

/// One end of a pair.
pub(crate) struct End {
    pub(crate) connection: Connection,
    pub(crate) outbox: Outbox,
    pub(crate) established: Option<Established>,
    pub(crate) received: Vec<Traffic>,
}

impl End {
    pub(crate) fn new(config: Config, now: Instant) -> End {
        End {
            connection: Connection::new(config, now),
            outbox: Outbox::new(),
            established: None,
            received: Vec::new(),
        }
    }

    /// What this end writes now.
    pub(crate) fn output(&mut self) -> Vec<u8> {
        self.connection.poll_transmit(&mut self.outbox);
        drain(&mut self.outbox)
    }

    pub(crate) fn input(&mut self, mut input: &[u8], now: Instant) -> Result<(), ProtocolError> {
        loop {
            match self.connection.decode(&mut input, now)? {
                Some(traffic) => self.received.push(traffic),
                None => match self.connection.poll_ready() {
                    Some(established) => self.established = Some(established),
                    None => return Ok(()),
                },
            }
        }
    }

    pub(crate) fn send(&mut self, traffic: Traffic) {
        self.connection.encode(traffic, &mut self.outbox);
    }
}

/// Two ends and the time they share.
pub(crate) struct Pair {
    pub(crate) a: End,
    pub(crate) b: End,
    pub(crate) now: Instant,
}

impl Pair {
    pub(crate) fn new(a: Config, b: Config) -> Pair {
        let now = Instant::now();
        Pair { a: End::new(a, now), b: End::new(b, now), now }
    }

    /// Carries bytes both ways until there are none, in pieces of `cut` bytes.
    pub(crate) fn run(&mut self, cut: usize) -> Result<(), ProtocolError> {
        loop {
            let (from_a, from_b) = (self.a.output(), self.b.output());
            if from_a.is_empty() && from_b.is_empty() {
                return Ok(());
            }
            for piece in from_a.chunks(cut) {
                self.b.input(piece, self.now)?;
            }
            for piece in from_b.chunks(cut) {
                self.a.input(piece, self.now)?;
            }
        }
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        self.now += time;
    }
}

#[test]
fn push_and_pull_meet_and_talk_whatever_the_cut() {
    for cut in 1..80 {
        let mut pair = Pair::new(Config::new(SocketType::Push), Config::new(SocketType::Pull));
        pair.run(cut).unwrap();
        let established = pair.b.established.take().unwrap();
        assert_eq!(established.version, Some(Version::V3_1));
        assert_eq!(established.socket_type, Some(SocketType::Push));
        let sent = [Message::from("Hi"), Message::from(("a", "b")), Message::from(vec![7; 5000])];
        sent.iter().for_each(|message| pair.a.send(Traffic::Message(message.clone())));
        pair.run(cut).unwrap();
        assert_eq!(pair.b.received, sent.map(Traffic::Message));
        pair.pass(Duration::from_secs(1));
    }
}
