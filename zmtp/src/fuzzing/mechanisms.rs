//! Fuzz targets for the handshakes of PLAIN and CURVE, the traffic after them, and the reply of a ZAP handler.
//!
//! For CURVE the other side has the keys. The fuzzer chooses the content of its boxes, so that it reaches the code
//! behind them, and which boxes are broken.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::assert_memory_follows;
use crate::Config;
use crate::command;
use crate::mechanism::curve::bench::{
    Impostor, Line, Stranger, client_config, framed, greeted, server_config,
};
use crate::mechanism::zap::Reply;
use crate::mechanism::{Decision, Secret, Settings, Status};
use crate::pair::{End, hex};
use crate::{Frame, Message, SocketType, Traffic, Version};

/// The fuzzer's input, taken from the front; zeros when it is used up.
struct Feed<'a>(&'a [u8]);

impl<'a> Feed<'a> {
    fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    /// Takes as many bytes as the next byte says.
    fn run(&mut self) -> &'a [u8] {
        let count = usize::from(self.byte());
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    fn decision(&mut self) -> Decision {
        match self.byte() {
            0xFF => Decision::Refuse(Status::AuthenticationFailure),
            0xFE => Decision::Refuse(Status::TemporaryError),
            _ => Decision::Accept { user_id: "anna".into(), metadata: Vec::new() },
        }
    }

    /// Changes some bytes of what is about to be sent; usually none.
    fn spoil(&mut self, bytes: &mut Vec<u8>) {
        match self.byte() {
            0xFF => {
                let at = usize::from(self.byte()) | usize::from(self.byte()) << 8;
                let change = self.byte();
                let length = bytes.len();
                bytes[at % length] ^= change;
            }
            0xFE => bytes.truncate(usize::from(self.byte())),
            0xFD => bytes.extend_from_slice(self.run()),
            _ => {}
        }
    }
}

/// One end under attack, and what must hold for it.
struct Target {
    end: End,
    now: Instant,
    /// It may be ready only after this was sent.
    asks: bool,
    accepted: bool,
    arrived: usize,
    over: bool,
}

impl Target {
    fn new(end: End, now: Instant, asks: bool) -> Target {
        Target { end, now, asks, accepted: false, arrived: 0, over: false }
    }

    /// Receives `bytes` in two pieces.
    fn hear(&mut self, bytes: &[u8], cut: u8) {
        let (first, second) = bytes.split_at(usize::from(cut).min(bytes.len()));
        for piece in [first, second] {
            self.arrived += piece.len();
            if self.end.input(piece, self.now).is_err() {
                self.over = true;
                assert!(!self.end.connection.is_ready(), "over, and ready");
            }
            assert_memory_follows(&self.end, self.arrived);
            self.check();
        }
    }

    fn decide(&mut self, decision: Decision) {
        let accept = matches!(decision, Decision::Accept { .. });
        if self.end.decide(decision, self.now).is_some() {
            assert!(self.asks && !self.accepted && !self.over, "a question out of place");
            self.accepted = accept;
            self.over = !accept;
        }
        self.check();
    }

    fn check(&self) {
        let inside = self.end.connection.is_ready() || self.end.established.is_some();
        assert!(!self.asks || !inside || self.accepted, "in, and nobody said yes");
    }

    /// Receives traffic of an attacker that has the keys, and checks the result.
    fn converse(&mut self, mut line: Line, feed: &mut Feed<'_>) {
        let mut last = Vec::new();
        while !feed.0.is_empty() && !self.over {
            match feed.byte() % 8 {
                0 => {
                    self.now += Duration::from_millis(u64::from(feed.byte()) * 10);
                    self.over |= self.end.connection.handle_timeout(self.now).is_err();
                }
                1 => {
                    self.end.send(Message::from((vec![1; usize::from(feed.byte())], vec![2; 3000])));
                    self.end.output();
                }
                2 => self.hear(feed.run(), feed.byte()),
                3 => self.hear(&last, 0),
                4 => {
                    last = line.message(feed.byte(), feed.run());
                    feed.spoil(&mut last);
                    self.hear(&last, feed.byte());
                }
                _ => {
                    let payload = feed.run();
                    let partial = self.end.connection.partial();
                    let before = self.end.received.len();
                    last = line.message(0, payload);
                    self.hear(&last, feed.byte());
                    if !partial && !self.over {
                        assert_eq!(self.end.received.len(), before + 1, "a message was lost");
                        let sent = Traffic::from(Message::from(Frame::copy_from(payload)));
                        assert_eq!(self.end.received.last(), Some(&sent));
                    }
                }
            }
        }
    }
}

fn small(config: Config) -> Config {
    Config {
        max_frame: Some(600),
        max_message: 2000,
        max_parts: 8,
        max_topic: 300,
        heartbeat: Some(Duration::from_secs(1)),
        heartbeat_timeout: Some(Duration::from_secs(2)),
        ..config
    }
}

/// Tests PLAIN in either role, with commands of the right names and with any others. Returns whether the handshake was
/// completed.
pub fn plain(data: &[u8]) -> bool {
    let mut feed = Feed(data);
    let is_server = feed.byte() & 1 == 0;
    let mechanism = if is_server {
        Settings::PlainServer
    } else {
        Settings::PlainClient { username: Bytes::from("u"), password: Secret::from("p") }
    };
    let config = Config { mechanism, authorise: true, ..small(Config::new(SocketType::Dealer)) };
    let now = Instant::now();
    let mut end = End::new(config, now);
    end.input(&hex("FF 00*8 7F 0301 504C41494E 00*15 00*32"), now).expect("a greeting");
    let mut target = Target::new(end, now, is_server);
    while !feed.0.is_empty() && !target.over {
        match feed.byte() % 8 {
            0 => target.hear(feed.run(), feed.byte()),
            1 => target.decide(feed.decision()),
            2 => {
                target.end.output();
            }
            verb => {
                let names = [&b"\x05HELLO"[..], b"\x07WELCOME", b"\x08INITIATE", b"\x05READY", b"\x05ERROR"];
                let mut command = framed(&[names[usize::from(verb) - 3], feed.run()].concat());
                feed.spoil(&mut command);
                target.hear(&command, feed.byte());
            }
        }
    }
    target.end.established.is_some()
}

/// Tests a CURVE server against a client that has the keys. Returns whether any traffic was accepted.
pub fn curve_server(data: &[u8]) -> bool {
    let mut feed = Feed(data);
    let now = Instant::now();
    let (end, _) = greeted(small(server_config(SocketType::Dealer)), Version::V3_1, now);
    let mut target = Target::new(end, now, true);
    let mut stranger = Stranger::new();
    stranger.hello_nonce = u64::from(feed.byte());
    let mut hello = stranger.hello();
    feed.spoil(&mut hello);
    target.hear(&hello, feed.byte());
    let welcome = target.end.output();
    if target.over || welcome.is_empty() {
        return false;
    }
    target.now += Duration::from_millis(u64::from(feed.byte()) * 250);
    let mut claims = stranger.claims();
    claims.nonce = u64::from(feed.byte());
    let nonce = claims.nonce;
    claims.metadata = feed.run().to_vec();
    let mut initiate = stranger.initiate(&welcome, &claims);
    feed.spoil(&mut initiate);
    target.hear(&initiate, feed.byte());
    if feed.byte() & 7 == 7 {
        target.hear(feed.run(), feed.byte());
    }
    target.decide(feed.decision());
    target.end.output();
    if target.end.connection.is_ready() {
        target.converse(stranger.line(&welcome, nonce), &mut feed);
    }
    !target.end.received.is_empty()
}

/// Tests a CURVE client against a server that has the right key. Returns whether any traffic was accepted.
pub fn curve_client(data: &[u8]) -> bool {
    let mut feed = Feed(data);
    let now = Instant::now();
    let (end, hello) = greeted(small(client_config(SocketType::Dealer)), Version::V3_1, now);
    let mut target = Target::new(end, now, false);
    let impostor = Impostor::new(&hello);
    let mut inside = impostor.transient.public().as_bytes().to_vec();
    inside.extend(feed.run().iter().copied().chain(std::iter::repeat(7)).take(96));
    feed.spoil(&mut inside);
    let mut welcome = impostor.welcome(&inside);
    feed.spoil(&mut welcome);
    target.hear(&welcome, feed.byte());
    let initiate = target.end.output();
    assert!(!target.end.connection.is_ready(), "ready before READY");
    if initiate.is_empty() {
        return false;
    }
    let nonce = u64::from(feed.byte());
    let mut ready = impostor.ready(nonce, feed.run());
    feed.spoil(&mut ready);
    target.hear(&ready, feed.byte());
    if target.end.connection.is_ready() {
        target.converse(impostor.line(nonce), &mut feed);
    }
    !target.end.received.is_empty()
}

/// Tests a reply of a ZAP handler to request `7`: it admits a peer only when every frame is valid. Returns whether it
/// did.
pub fn zap_reply(data: &[u8]) -> bool {
    let mut feed = Feed(data);
    let orderly = [&b""[..], b"1.0", b"7", b"200", b"OK", b"anna", b"\x01a\0\0\0\x01b"];
    let mut frames: Vec<&[u8]> = Vec::new();
    for place in 0..usize::from(feed.byte()).saturating_add(7) % 256 {
        frames.push(match feed.byte() {
            0xFF => feed.run(),
            _ => orderly.get(place).copied().unwrap_or_default(),
        });
    }
    let reply = Reply::from_message(&frames.iter().map(|frame| Frame::copy_from(frame)).collect(), "7");
    let Ok(Reply { decision: Decision::Accept { user_id, metadata }, text }) = reply else { return false };
    assert_eq!((frames.len(), &frames[..4]), (7, &orderly[..4]));
    assert!(user_id.as_bytes() == frames[5] && text.len() <= 3 * frames[4].len());
    let mut written = Vec::new();
    metadata.iter().for_each(|(name, value)| command::write_property(name, value, &mut written));
    assert_eq!(written, frames[6]);
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    /// Byte strings with their lengths in front, so that what follows them is reached.
    fn likely() -> impl Strategy<Value = Vec<u8>> {
        let run = prop_oneof![
            4 => Just(Vec::new()),
            3 => prop::collection::vec(any::<u8>(), 0..60),
            1 => Just(b"\x0BSocket-Type\0\0\0\x06DEALER".to_vec()),
            1 => Just(b"\x04PING\0\x01abc".to_vec()),
            1 => Just(b"\x09SUBSCRIBEtopic".to_vec()),
            1 => Just(b"\x01u\x01p".to_vec()),
        ];
        let piece = prop_oneof![
            any::<u8>().prop_map(|byte| vec![byte]),
            (0..8_u8).prop_map(|byte| vec![byte]),
            run.prop_map(|run| [&[run.len() as u8][..], &run].concat()),
        ];
        prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn plain(data in likely()) {
            super::plain(&data);
        }

        #[test]
        fn zap_reply(data in likely()) {
            super::zap_reply(&data);
        }

        #[test]
        fn curve_server(data in likely()) {
            super::curve_server(&data);
        }

        #[test]
        fn curve_client(data in likely()) {
            super::curve_client(&data);
        }
    }

    #[test]
    fn the_targets_get_behind_the_handshake() {
        let message = [5, 3, b'a', b'b', b'c', 0];
        assert!(super::plain(&[0, 3, 4, 1, b'u', 1, b'p', 0, 0, 1, 0, 5, 0, 0, 0]));
        assert!(super::plain(&[1, 4, 0, 0, 0, 6, 0, 0, 0]));
        assert!(super::curve_server(&[&[1, 0, 0, 0, 2, 0, 0, 0, 0, 0][..], &message].concat()));
        assert!(super::curve_client(&[&[0, 0, 0, 0, 1, 0, 0, 0][..], &message].concat()));
        assert!(super::zap_reply(&[]));
        // Refused are a nonce that does not rise, and a changed box.
        assert!(!super::plain(&[0, 3, 4, 1, b'u', 1, b'p', 0, 0, 1, 0xFF, 5, 0, 0, 0]));
        assert!(!super::curve_server(&[&[1, 0, 0, 0, 2, 0, 0, 0, 0, 0xFF][..], &message].concat()));
        assert!(!super::curve_server(&[&[1, 0, 0, 0, 1, 0, 0, 0, 0, 0][..], &message].concat()));
        assert!(!super::zap_reply(&[1]) && !super::zap_reply(&[0, 0, 0, 0, 0xFF, 3, b'4', b'0', b'0']));
        assert!(!super::curve_client(&[&[0, 0, 0, 0, 1, 0, 0xFF, 30, 0, 1, 0][..], &message].concat()));
    }
}
