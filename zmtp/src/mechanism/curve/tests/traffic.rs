//! Traffic: exactly what was sent arrives.

use std::time::Duration;

use proptest::prelude::*;

use crate::Config;
use crate::error::{CommandKind, ProtocolError};
use crate::mechanism::curve::OVERHEAD;
use crate::mechanism::curve::bench::*;
use crate::mechanism::curve::boxes::BoxKey;
use crate::mechanism::curve::channel::{Channel, Role};
use crate::pair::{drain, hex};
use crate::{Frame, Message, Outbox, SocketType, Traffic, Version};

use SocketType::{Dealer, Pull, Push, Router, Sub, XPub};

/// Returns a PUSH and a PULL after their handshake, the PULL with limits.
fn limited(change: impl Fn(Config) -> Config) -> Handshake {
    Handshake::of(client_config(Push), change(server_config(Pull)), Version::V3_1)
}

fn channel(met: &mut Handshake) -> &mut Channel {
    met.client.connection.channel_mut()
}

/// Returns what a channel seals.
fn sealed(met: &mut Handshake, traffic: impl Into<Traffic>) -> Vec<u8> {
    met.client.send(traffic);
    met.client.output()
}

#[test]
fn hello_in_a_message_has_rfc_26s_layout() {
    let mut met = Handshake::done();
    let bytes = sealed(&mut met, Message::from("Hello"));
    assert_eq!((bytes.len(), &bytes[..10]), (40, &b"\x00\x26\x07MESSAGE"[..]));
    assert_eq!(bytes[10..18], 3_u64.to_be_bytes());
    met.server.send(Message::from("Hello"));
    let back = met.server.output();
    assert_eq!(back[10..18], 2_u64.to_be_bytes());
    assert_ne!(bytes[18..], back[18..]);
    // 222 bytes are the most in a short frame.
    assert_eq!(sealed(&mut met, Message::from(vec![0; 222]))[..2], [0, 255]);
    assert_eq!(sealed(&mut met, Message::from(vec![0; 223]))[..9], [2, 0, 0, 0, 0, 0, 0, 1, 0]);
}

#[test]
fn nothing_legible_leaves() {
    let mut met = Handshake::done();
    for size in [24, 100, 2048, 5000] {
        let body: Vec<u8> = b"attack at dawn! ".repeat(size / 16 + 1)[..size].to_vec();
        let bytes = sealed(&mut met, Message::from(vec![body.clone(), body]));
        assert!(!bytes.windows(8).any(|window| window == b" at dawn"), "{size}");
        met.server.input(&bytes, met.now).unwrap();
    }
    assert_eq!(met.server.received.len(), 4);
}

#[test]
fn a_replayed_or_reordered_message_ends_the_connection_and_a_gap_does_not() {
    let replayed = Err(ProtocolError::Replayed(CommandKind::Message));
    let mut met = Handshake::done();
    let [first, second, third] = ["1", "2", "3"].map(|text| sealed(&mut met, Message::from(text)));
    met.server.input(&first, met.now).unwrap();
    met.server.input(&third, met.now).unwrap();
    assert_eq!(met.server.received, [Message::from("1").into(), Message::from("3").into()]);
    assert_eq!(met.server.input(&second, met.now), replayed);
    assert_eq!(met.server.received.len(), 2);

    let mut met = Handshake::done();
    let first = sealed(&mut met, Message::from("1"));
    met.server.input(&first, met.now).unwrap();
    assert_eq!(met.server.input(&first, met.now), replayed);
    // Its own messages, sent back.
    let mut met = Handshake::done();
    let first = sealed(&mut met, Message::from("1"));
    assert_eq!(met.client.input(&first, met.now), Err(ProtocolError::Forged(CommandKind::Message)));
}

#[test]
fn every_bit_of_a_message_counts() {
    for size in [0, 5, 64, 65, 300] {
        let mut met = Handshake::done();
        let genuine = sealed(&mut met, Message::from(vec![7; size]));
        let header = if size < 223 { 2 } else { 9 };
        for bit in header * 8..genuine.len() * 8 {
            let mut bytes = genuine.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            // A flipped message ends the connection, so each flip gets a channel of its own.
            let outcome = reopen(&mut met, &bytes[header..]);
            assert!(outcome.is_err(), "{size} bytes, bit {bit}");
        }
        // None of them changed the nonce.
        met.server.input(&genuine, met.now).unwrap();
        assert_eq!(met.server.received, [Message::from(vec![7; size]).into()]);
    }
}

/// Opens a MESSAGE's body with the server's channel, without its connection.
fn reopen(met: &mut Handshake, body: &[u8]) -> Result<(), ProtocolError> {
    let channel = met.server.connection.channel_mut();
    channel.open_for_test(body).map(|_| ())
}

#[test]
fn a_message_is_not_shorter_than_its_overhead() {
    let mut met = Handshake::done();
    let genuine = sealed(&mut met, Message::from("Hello"));
    for length in 0..genuine.len() - 2 {
        let outcome = reopen(&mut met, &genuine[2..2 + length]);
        let fault = if length < OVERHEAD {
            ProtocolError::MalformedCommand(CommandKind::Message)
        } else {
            ProtocolError::Forged(CommandKind::Message)
        };
        assert_eq!(outcome, Err(fault), "{length}");
    }
    let mut longer = genuine[2..].to_vec();
    longer.push(0);
    assert_eq!(reopen(&mut met, &longer), Err(ProtocolError::Forged(CommandKind::Message)));
    reopen(&mut met, &genuine[2..]).unwrap();
}

#[test]
fn what_is_not_sealed_ends_the_connection() {
    let malformed = Err(ProtocolError::MalformedCommand(CommandKind::Message));
    for bytes in [
        "00 00",
        "00 02 4869",
        "04 07 04 50494E47 0064",
        "04 06 05 5245414459",
        "04 0A 05 4552524F52 03 343030",
        "00 21 08 4D455353414745 00*25",
        // MORE is a flag in the box.
        "01 21 07 4D455353414745 00*25",
    ] {
        let mut met = Handshake::done();
        assert_eq!(met.server.input(&hex(bytes), met.now), malformed, "{bytes}");
    }
}

/// RFC 37 specifies command frames. libzmq sends message frames and accepts both.
#[test]
fn the_outer_frame_may_be_a_command() {
    let mut met = Handshake::done();
    for size in [2, 300] {
        let mut bytes = sealed(&mut met, Message::from(vec![1; size]));
        bytes[0] |= 4;
        met.server.input(&bytes, met.now).unwrap();
    }
    assert_eq!(met.server.received.len(), 2);
}

#[test]
fn heartbeats_are_sealed() {
    let config = Config { heartbeat: Some(Duration::from_secs(1)), ..client_config(Dealer) };
    let mut met = Handshake::of(config, server_config(Router), Version::V3_1);
    met.now += Duration::from_secs(1);
    met.client.connection.handle_timeout(met.now).unwrap();
    let ping = met.client.output();
    assert_eq!((ping.len(), ping[0]), (2 + OVERHEAD + 7, 0));
    met.server.input(&ping, met.now).unwrap();
    let pong = met.server.output();
    assert_eq!((pong.len(), pong[0]), (2 + OVERHEAD + 5, 0));
    met.client.input(&pong, met.now).unwrap();
    assert!(met.client.received.is_empty() && met.server.received.is_empty());
}

#[test]
fn subscriptions_take_the_form_that_the_peers_version_knows() {
    for (version, sizes) in [(Version::V3_1, [10 + 1, 7 + 1]), (Version::V3_0, [2, 2])] {
        let mut met = Handshake::of(client_config(Sub), server_config(XPub), version);
        let sent = [Traffic::Subscribe("A".into()), Traffic::Cancel("A".into())];
        for (traffic, size) in sent.iter().zip(sizes) {
            let bytes = sealed(&mut met, traffic.clone());
            assert_eq!(bytes.len(), 2 + OVERHEAD + size);
            met.server.input(&bytes, met.now).unwrap();
        }
        assert_eq!(met.server.received, sent);
    }
}

#[test]
fn limits_hold_for_what_is_in_the_box() {
    let fault = |config: fn(Config) -> Config, frames: &[usize]| {
        let mut met = limited(config);
        let frames: Vec<Frame> = frames.iter().map(|size| Frame::from(vec![1; *size])).collect();
        let bytes = sealed(&mut met, Message::from(frames));
        met.server.input(&bytes, met.now).err()
    };
    let small = |config| Config { max_frame: Some(100_000), max_message: 250, max_parts: 3, ..config };
    // The limit of a frame is on the wire, where it covers the overhead, and again inside.
    assert_eq!(fault(small, &[100_000]), None);
    let (length, limit) = (100_001 + OVERHEAD as u64, 100_000 + OVERHEAD as u64);
    assert_eq!(fault(small, &[100_001]), Some(ProtocolError::FrameTooLong { length, limit }));
    let tiny = |config| Config { max_frame: Some(10), max_topic: 300, ..config };
    assert_eq!(fault(tiny, &[10]), None);
    assert_eq!(fault(tiny, &[11]), Some(ProtocolError::FrameTooLong { length: 11, limit: 10 }));
    assert_eq!(fault(small, &[100, 150]), None);
    assert_eq!(fault(small, &[100, 151]), Some(ProtocolError::MessageTooLong { limit: 250 }));
    assert_eq!(fault(small, &[0, 0, 0]), None);
    assert_eq!(fault(small, &[0, 0, 0, 0]), Some(ProtocolError::TooManyFrames { limit: 3 }));
    let none = |config| Config { max_frame: None, ..config };
    assert_eq!(fault(none, &[100_000]), None);

    let config = Config { max_topic: 3, ..server_config(XPub) };
    let mut met = Handshake::of(client_config(Sub), config, Version::V3_1);
    let bytes = sealed(&mut met, Traffic::Subscribe("abc".into()));
    met.server.input(&bytes, met.now).unwrap();
    let bytes = sealed(&mut met, Traffic::Subscribe("abcd".into()));
    assert_eq!(
        met.server.input(&bytes, met.now),
        Err(ProtocolError::CommandTooLong { length: 14, limit: 13 })
    );
}

#[test]
fn memory_follows_what_arrived() {
    let mut met = limited(|config| Config { max_frame: None, ..config });
    met.server.input(&hex("02 0000010000000000"), met.now).unwrap();
    assert!(met.server.connection.reserved() <= 64 * 1024);
    let mut arrived = 0;
    while arrived < 1 << 20 {
        met.server.input(&[7; 1000], met.now).unwrap();
        arrived += 1000;
        assert!(met.server.connection.reserved() <= arrived + (4 * arrived).max(64 * 1024));
    }
}

/// The engine reads a large body directly into the decoder's memory, where it is opened.
#[test]
fn a_body_that_is_read_in_place_is_opened_in_place() {
    let mut met = limited(|config| config);
    let body: Vec<u8> = (0..300_000_u32).map(|n| (n % 251) as u8).collect();
    let bytes = sealed(&mut met, Message::from(body.clone()));
    let (head, mut rest) = bytes.split_at(1000);
    met.server.input(head, met.now).unwrap();
    let mut in_place = 0;
    while !rest.is_empty() {
        let room = met.server.connection.arriving().map_or(0, |body| body.capacity() - body.len());
        let (next, after) = rest.split_at(rest.len().min(if room > 0 { room } else { 1000 }));
        match met.server.connection.arriving() {
            Some(body) => {
                body.extend_from_slice(next);
                in_place += next.len();
                met.server.input(&[], met.now).unwrap();
            }
            None => met.server.input(next, met.now).unwrap(),
        }
        rest = after;
    }
    assert!(in_place > 200_000);
    assert_eq!(met.server.received, [Message::from(body).into()]);
}

#[test]
fn half_a_message_shows() {
    let mut met = Handshake::done();
    let bytes = sealed(&mut met, Message::from(("a", "b")));
    let (first, second) = bytes.split_at(2 + OVERHEAD + 1);
    for (piece, partial) in [(&first[..5], true), (&first[5..], true), (second, false)] {
        met.server.input(piece, met.now).unwrap();
        assert_eq!(met.server.connection.partial(), partial);
    }
}

#[test]
fn the_last_nonce_is_used_once() {
    let key = || BoxKey::of([7; 32]);
    let mut channel = Channel::new(key(), Role::Client, u64::MAX - 1, 0);
    let mut out = Outbox::new();
    channel.seal(Some(Version::V3_1), Message::from("last").into(), &mut out).unwrap();
    let (bytes, messages) = drain(&mut out);
    assert_eq!(messages, 1);
    let exhausted = Err(ProtocolError::NoncesExhausted);
    assert_eq!(channel.seal(Some(Version::V3_1), Message::from("more").into(), &mut out), exhausted);
    assert_eq!(channel.seal_command(b"\x04PONG", &mut out), exhausted);
    assert!(out.is_empty());
    let mut peer = Channel::new(key(), Role::Server, 0, u64::MAX - 1);
    let (flags, frame) = peer.open_for_test(&bytes[2..]).unwrap();
    assert_eq!((flags, &frame[..]), (0, &b"last"[..]));
    assert!(peer.open_for_test(&bytes[2..]).is_err());
}

#[test]
fn a_connection_that_has_used_up_its_nonces_is_over() {
    let mut met = Handshake::done();
    *channel(&mut met) = Channel::new(BoxKey::of([7; 32]), Role::Client, u64::MAX, 0);
    met.client.send(Message::from("one too many"));
    assert_eq!(met.client.output(), b"");
    assert!(!met.client.connection.is_ready());
    assert_eq!(met.client.input(b"x", met.now), Err(ProtocolError::NoncesExhausted));
}

#[test]
fn shared_frames_come_back_to_be_dropped() {
    let mut met = Handshake::done();
    let frame = || Frame::from_owner(vec![1; 5000]);
    met.client.send(Message::from(vec![frame(), frame()]));
    met.client.output();
    assert_eq!(met.client.outbox.take_garbage().len(), 2);
}

fn body() -> impl Strategy<Value = Frame> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..80),
        prop::sample::select(vec![0, 1, 63, 64, 65, 222, 223, 255, 2038, 2047, 2048, 2049, 9000])
            .prop_map(|length| vec![7; length]),
    ]
    .prop_map(Frame::from)
}

fn traffic() -> impl Strategy<Value = Traffic> {
    prop_oneof![
        4 => prop::collection::vec(body(), 1..5).prop_map(|frames| Message::from(frames).into()),
        1 => body().prop_map(Traffic::Subscribe),
        1 => body().prop_map(Traffic::Cancel),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    /// All kinds of traffic both ways, with gaps between the nonces, wherever the stream is cut.
    #[test]
    fn what_is_sent_arrives(
        to_publisher in prop::collection::vec(traffic(), 0..12),
        to_subscriber in prop::collection::vec(traffic(), 0..12),
        newest: bool,
        cut in prop_oneof![1..100_usize, Just(1 << 20)],
    ) {
        let version = if newest { Version::V3_1 } else { Version::V3_0 };
        let mut met = Handshake::of(client_config(Sub), server_config(XPub), version);
        // One-frame messages that begin with 0 or 1 are subscriptions, which a SUB does not receive.
        let means_itself = |traffic: &Traffic| match traffic {
            Traffic::Message(message) => message.len() > 1 || !matches!(message[0].first(), Some(0 | 1)),
            _ => true,
        };
        let up: Vec<Traffic> = to_publisher.into_iter().filter(means_itself).collect();
        let down: Vec<Traffic> = to_subscriber.into_iter().filter(Traffic::is_message).collect();
        let ping = b"\x04PING\0\0context".as_slice();
        for traffic in &up {
            met.client.send(traffic.clone());
            channel(&mut met).seal_command(ping, &mut Outbox::new()).unwrap();
        }
        down.iter().for_each(|traffic| met.server.send(traffic.clone()));
        let bytes = met.client.output();
        met.server.input_cut(&bytes, cut, met.now).unwrap();
        let bytes = met.server.output();
        met.client.input_cut(&bytes, cut, met.now).unwrap();
        prop_assert_eq!(&met.server.received, &up);
        prop_assert_eq!(&met.client.received, &down);
        prop_assert_eq!(met.client.outbox.unwritten_messages() + met.server.outbox.unwritten_messages(), 0);
    }
}
