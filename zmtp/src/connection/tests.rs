//! The rules of handshakes, traffic and heartbeats, on a virtual clock.

use std::sync::{Mutex, PoisonError};

use super::*;
use crate::decoder::AT_ONCE;
use crate::error::{CommandKind, Excerpt};
use crate::memory::ALL_AHEAD;
use crate::pair::{End, Pair, VERSIONS, hex, opening};
use SocketType::{Dealer, Pub, Pull, Push, Rep, Req, Router, Stream, Sub, XPub};
use Version::{V1_0, V2_0, V3_0, V3_1};

const GREETING: &str = "FF 00*8 7F 0301 4E554C4C 00*48 ";

fn legacy(socket_type: SocketType) -> Config {
    Config { min_version: V1_0, ..Config::new(socket_type) }
}

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// Returns the result of bytes after `opened`'s handshake.
fn fault(mut end: End, bytes: &str) -> Option<ProtocolError> {
    let result = end.input(&hex(bytes), Instant::now());
    if let Err(fault) = &result {
        assert!(!end.connection.is_ready());
        assert_eq!(end.input(b"", Instant::now()).as_ref(), Err(fault), "a fault is for good");
    }
    result.err()
}

/// Returns the result of a peer that begins with these bytes.
fn first(config: Config, bytes: &str) -> Option<ProtocolError> {
    fault(End::new(config, Instant::now()), bytes)
}

/// Returns the result of these bytes on an open 3.1 connection.
fn open(config: Config, bytes: &str) -> Option<ProtocolError> {
    fault(End::open(config, V3_1, Instant::now()), bytes)
}

#[test]
fn push_and_pull_meet_and_talk_whatever_the_cut() {
    for cut in 1..80 {
        let mut pair = Pair::new(Config::new(Push), Config::new(Pull));
        pair.run(cut).unwrap();
        let established = pair.b.established.take().unwrap();
        assert_eq!(established.version, Some(V3_1));
        assert_eq!(established.socket_type, Some(Push));
        let sent = [Message::from("Hi"), Message::from(("a", "b")), Message::from(vec![7; 5000])];
        sent.iter().for_each(|message| pair.a.send(message.clone()));
        pair.run(cut).unwrap();
        assert_eq!(pair.b.received, sent.map(Traffic::Message));
    }
}

#[test]
fn every_legal_pair_of_types_meets_and_no_other() {
    let zmtp = |number| SocketType::from_number(number).filter(|socket_type| !socket_type.is_raw());
    for a in (0..=20).filter_map(zmtp) {
        for b in (0..=20).filter_map(zmtp) {
            let mut pair = Pair::new(Config::new(a), Config::new(b));
            let result = pair.run(64);
            if a.talks_to(b) {
                assert_eq!(pair.a.established.unwrap().socket_type, Some(b));
            } else {
                assert_eq!(result, Err(ProtocolError::SocketTypeMismatch { own: b, peer: Some(a) }));
            }
        }
    }
}

#[test]
fn properties_travel() {
    let mut a = Config::new(Dealer);
    a.routing_id = "w7".into();
    a.properties = vec![("X-Name".into(), "first".into()), ("X-Big".into(), vec![7; 400].into())];
    let mut pair = Pair::new(a.clone(), Config::new(Router));
    pair.run(1000).unwrap();
    let told = pair.b.established.unwrap();
    assert_eq!(told.routing_id, "w7");
    assert_eq!(told.properties, a.properties);
    assert_eq!(told.user_id, "");
    assert_eq!(pair.a.established.unwrap().properties, []);
}

#[test]
fn a_small_maxmsgsize_lets_a_ready_pass() {
    let mut pair =
        Pair::new(Config::new(Dealer), Config { max_frame: Some(1), max_topic: 0, ..Config::new(Router) });
    pair.run(7).unwrap();
    assert!(pair.b.connection.is_ready());
}

#[test]
fn old_versions_are_refused_by_default() {
    let refused = |spoken, minimum| Some(ProtocolError::VersionTooOld { spoken, minimum });
    assert_eq!(first(Config::new(Pull), "01 00"), refused(V1_0, V3_0));
    assert_eq!(first(Config::new(Pull), "04 00 616263"), refused(V1_0, V3_0));
    assert_eq!(first(Config::new(Pull), "FF 00*7 03 00"), refused(V1_0, V3_0));
    assert_eq!(first(Config::new(Pull), "FF 00*8 7F 00"), refused(V1_0, V3_0));
    assert_eq!(first(Config::new(Pull), "FF 00*8 7F 01"), refused(V2_0, V3_0));
    let newest = Config { min_version: V3_1, ..Config::new(Pull) };
    assert_eq!(first(newest, "FF 00*8 7F 0300 4E554C4C 00*48"), refused(V3_0, V3_1));
    let two = Config { min_version: V2_0, ..Config::new(Pull) };
    assert_eq!(first(two, "FF 00*8 7F 00"), refused(V1_0, V2_0));
}

#[test]
fn what_is_no_zmtp_is_reported_as_it_began() {
    for bytes in
        [&b"GET / HTTP/1.1\r\nHost: x"[..], b"\x16\x03\x01\x02\x00", b"SSH-2.0-x\r\n", b"\0", b"\r\n"]
    {
        let mut end = End::new(Config::new(Pull), Instant::now());
        let fault = end.input(bytes, Instant::now()).unwrap_err();
        assert_eq!(fault, ProtocolError::NotZmtp { first: Excerpt::of(bytes) });
    }
    // One byte alone may still become a version 1.0 identity.
    assert_eq!(first(Config::new(Pull), "47"), None);
    // Where 1.0 is accepted, anything may be an identity, as in libzmq.
    assert_eq!(first(legacy(Pull), "47 44 54 20"), None);
}

#[test]
fn the_mechanism_must_match_in_all_20_bytes() {
    let mut plain = [0; 20];
    plain[..5].copy_from_slice(b"PLAIN");
    let greeting = "FF 00*8 7F 0301 504C41494E 00*15 00*32";
    assert_eq!(first(Config::new(Pull), greeting), Some(ProtocolError::MechanismMismatch { peer: plain }));
    let mut padded = [0; 20];
    padded[..4].copy_from_slice(b"NULL");
    padded[19] = 1;
    let greeting = "FF 00*8 7F 0301 4E554C4C 00*15 01 00*32";
    assert_eq!(first(Config::new(Pull), greeting), Some(ProtocolError::MechanismMismatch { peer: padded }));
}

#[test]
fn the_padding_and_the_as_server_byte_are_not_read() {
    assert_eq!(first(Config::new(Pull), "FF 0102030405060708 7F 0301 4E554C4C 00*16 01 FF*31"), None);
}

#[test]
fn handshakes_go_wrong_in_these_ways() {
    let unexpected = |name: &[u8]| Some(ProtocolError::UnexpectedCommand { name: Excerpt::of(name) });
    let malformed = |kind| Some(ProtocolError::MalformedCommand(kind));
    let mismatch = |peer| Some(ProtocolError::SocketTypeMismatch { own: Pull, peer });
    let cases = [
        // a message, or a PING, before READY
        ("00 02 4869", Some(ProtocolError::TrafficBeforeReady)),
        ("04 07 04 50494E47 0000", unexpected(b"PING")),
        ("04 0A 09 535542534352494245", unexpected(b"SUBSCRIBE")),
        ("04 06 05 48454C4C4F", unexpected(b"HELLO")),
        // names and lengths
        ("04 00", malformed(CommandKind::Unnamed)),
        ("04 01 00", malformed(CommandKind::Unnamed)),
        ("04 03 05 5245", malformed(CommandKind::Unnamed)),
        ("05 06 05 5245414459", malformed(CommandKind::Unnamed)),
        ("04 06 05 4552524F52", malformed(CommandKind::Error)),
        ("04 08 05 4552524F52 02 34", malformed(CommandKind::Error)),
        ("04 07 05 4552524F52 00", Some(ProtocolError::Refused { reason: Bytes::new() })),
        // properties: cut, trailing, unnamed, not text
        ("04 07 05 5245414459 01", Some(ProtocolError::InvalidMetadata)),
        ("04 0C 05 5245414459 01 41 00000001", Some(ProtocolError::InvalidMetadata)),
        ("04 0B 05 5245414459 00 00000000", Some(ProtocolError::InvalidMetadata)),
        ("04 0C 05 5245414459 01 FF 00000000", Some(ProtocolError::InvalidMetadata)),
        // types
        ("04 1A 05 5245414459 0B 536F636B65742D54797065 00000004 50554C4C", mismatch(Some(Pull))),
        ("04 1A 05 5245414459 0B 536F636B65742D54797065 00000004 70757368", mismatch(None)),
        ("04 1A 05 5245414459 0B 534F434B45542D54595045 00000004 50555348", None),
        // lengths are checked before anything arrives
        ("06 0000000000002007", Some(ProtocolError::CommandTooLong { length: 8199, limit: 8198 })),
        ("06 FFFFFFFFFFFFFFFF", Some(ProtocolError::CommandTooLong { length: u64::MAX, limit: 8198 })),
        // a peer need not name its type, and may send READY only once
        ("04 06 05 5245414459", None),
        ("04 06 05 5245414459 04 06 05 5245414459", unexpected(b"READY")),
        ("04 06 05 5245414459 04 0A 05 4552524F52 03 343030", unexpected(b"ERROR")),
    ];
    for (bytes, expected) in cases {
        assert_eq!(first(Config::new(Pull), &format!("{GREETING}{bytes}")), expected, "{bytes}");
    }
}

#[test]
fn of_repeated_properties_the_first_counts_of_identity_the_last() {
    let mut end = End::new(Config::new(Router), Instant::now());
    let mut ready = b"\x05READY".to_vec();
    for (name, value) in [
        ("x-a", "1"),
        ("Identity", "one"),
        ("X-A", "2"),
        ("Socket-Type", "DEALER"),
        ("IDENTITY", "two"),
        ("Routing-Id", "three"),
    ] {
        crate::command::write_property(name, value.as_bytes(), &mut ready);
    }
    let bytes = [&hex(GREETING)[..], &[4, ready.len() as u8], &ready].concat();
    end.input(&bytes, Instant::now()).unwrap();
    let told = end.established.unwrap();
    assert_eq!(told.properties, [("x-a".to_owned(), Bytes::from("1"))]);
    assert_eq!(told.routing_id, "two");
    assert_eq!(told.socket_type, Some(Dealer));
}

#[test]
fn metadata_has_limits() {
    let ready = |properties: usize, name: usize, value: usize| {
        let mut ready = b"\x05READY".to_vec();
        (0..properties)
            .for_each(|_| crate::command::write_property(&"n".repeat(name), &vec![0; value], &mut ready));
        [&hex(GREETING)[..], &[6], &(ready.len() as u64).to_be_bytes(), &ready].concat()
    };
    let result = |bytes: &[u8]| End::new(Config::new(Pull), Instant::now()).input(bytes, Instant::now());
    assert_eq!(result(&ready(256, 1, 0)), Ok(()));
    assert_eq!(result(&ready(257, 1, 0)), Err(ProtocolError::InvalidMetadata));
    assert_eq!(result(&ready(1, 1, 8 * 1024 - 6)), Ok(()));
    assert_eq!(
        result(&ready(1, 1, 8 * 1024 - 5)),
        Err(ProtocolError::CommandTooLong { length: 8199, limit: 8198 })
    );
    let identity = |length: usize| {
        let mut ready = b"\x05READY".to_vec();
        crate::command::write_property("Identity", &vec![1; length], &mut ready);
        [&hex(GREETING)[..], &[6], &(ready.len() as u64).to_be_bytes(), &ready].concat()
    };
    assert_eq!(result(&identity(255)), Ok(()));
    assert_eq!(result(&identity(256)), Err(ProtocolError::InvalidMetadata));
}

#[test]
fn the_identity_frame_of_old_peers_has_limits() {
    let too_long = |length| Some(ProtocolError::MalformedIdentity { length });
    assert_eq!(first(legacy(Pull), "FF 0000000000000100 00 61*255"), None);
    assert_eq!(first(legacy(Pull), "FF 0000000000000101 00"), too_long(256));
    assert_eq!(first(legacy(Pull), "FF FFFFFFFFFFFFFFFF 00"), too_long(u64::MAX - 1));
    assert_eq!(first(legacy(Pull), "FF 0000000000000000 00"), Some(ProtocolError::EmptyFrameV1));
    assert_eq!(first(legacy(Pull), "00"), Some(ProtocolError::EmptyFrameV1));
    assert_eq!(first(legacy(Pull), "02 01 61"), too_long(1));
    assert_eq!(first(legacy(Pull), "FF 00*8 7F 01 08 02 0000000000000100"), too_long(256));
    assert_eq!(first(legacy(Pull), "FF 00*8 7F 01 08 04 00"), too_long(0));
}

#[test]
fn a_subscriber_without_greeting_is_subscribed_to_everything() {
    for (socket_type, traffic) in [
        (Pub, vec![Traffic::Subscribe(Frame::new())]),
        (XPub, vec![Traffic::Subscribe(Frame::new())]),
        (Push, vec![]),
    ] {
        let mut end = End::new(legacy(socket_type), Instant::now());
        end.input(&hex("01 00"), Instant::now()).unwrap();
        assert_eq!(end.received, traffic);
        assert!(end.established.is_some());
    }
    // With a greeting, version 1.0 is detected too.
    let mut end = End::new(legacy(Pub), Instant::now());
    end.input(&hex("FF 00*8 7F 00 02 01 00"), Instant::now()).unwrap();
    assert_eq!(end.received, []);
    assert!(end.established.is_some());
}

#[test]
fn nothing_is_decoded_before_ready_is_taken() {
    let now = Instant::now();
    let mut connection = Connection::new(Config::new(Pull), now);
    let bytes = [opening(V3_1, Push, b""), hex("00 02 4869")].concat();
    let mut input = &bytes[..];
    for _ in 0..3 {
        assert_eq!(connection.decode(&mut input, now), Ok(None));
        assert_eq!(input, hex("00 02 4869"));
    }
    assert!(connection.is_ready() && connection.poll_ready().is_some() && connection.poll_ready().is_none());
    assert_eq!(connection.decode(&mut input, now), Ok(Some(Message::from("Hi").into())));
    assert!(input.is_empty());
}

#[test]
fn what_is_sent_before_ready_is_thrown_away() {
    let mut end = End::new(Config::new(Push), Instant::now());
    end.send(Message::from("too early"));
    assert_eq!(end.output(), hex("FF 00*7 01 7F"));
    assert_eq!(end.outbox.unwritten_messages(), 0);
}

#[test]
fn a_publisher_hears_subscriptions_in_both_forms_from_anybody() {
    let now = Instant::now();
    for version in [V3_0, V3_1] {
        let mut end = End::open(Config::new(XPub), version, now);
        end.input(
            &hex("00 02 01 41  04 0B 09 535542534352494245 42  00 02 00 43  04 08 06 43414E43454C 44"),
            now,
        )
        .unwrap();
        let [a, b, c, d] = ["A", "B", "C", "D"].map(Frame::from);
        assert_eq!(
            end.received,
            [Traffic::Subscribe(a), Traffic::Subscribe(b), Traffic::Cancel(c), Traffic::Cancel(d)]
        );
    }
}

#[test]
fn other_messages_to_a_publisher_are_user_messages() {
    let now = Instant::now();
    let mut end = End::open(Config::new(XPub), V3_1, now);
    end.input(&hex("00 00  00 01 02  01 01 01 00 00"), now).unwrap();
    let expected = [Message::from(""), Message::from("\x02"), Message::from(("\x01", ""))];
    assert_eq!(end.received, expected.map(Traffic::Message));
}

#[test]
fn who_does_not_publish_takes_no_subscriptions() {
    let now = Instant::now();
    let mut end = End::open(Config::new(Dealer), V3_1, now);
    end.input(&hex("00 02 01 41  04 0B 09 535542534352494245 42  04 08 06 43414E43454C 44"), now).unwrap();
    assert_eq!(end.received, [Message::from("\x01A").into()]);
}

#[test]
fn topics_have_a_limit() {
    let config = Config { max_topic: 3, ..Config::new(Pub) };
    let too_long = |length| Some(ProtocolError::CommandTooLong { length, limit: 13 });
    assert_eq!(open(config.clone(), "04 0D 09 535542534352494245 41*3"), None);
    assert_eq!(open(config.clone(), "04 0E 09 535542534352494245 41*4"), too_long(14));
    assert_eq!(
        open(config.clone(), "04 0B 06 43414E43454C 41*4"),
        Some(ProtocolError::TopicTooLong { limit: 3 })
    );
    assert_eq!(open(config.clone(), "00 04 01 41*3"), None);
    assert_eq!(open(config, "00 05 01 41*4"), Some(ProtocolError::TopicTooLong { limit: 3 }));
}

#[test]
fn unknown_commands_are_dropped_after_the_handshake() {
    let now = Instant::now();
    let mut end = End::open(Config::new(Pull), V3_1, now);
    end.input(&hex("04 06 05 4655545552 04 05 04 504F4E47 00 02 4869"), now).unwrap();
    assert_eq!(end.received, [Message::from("Hi").into()]);
    assert_eq!(end.output(), b"");
}

#[test]
fn commands_are_dropped_in_2_0() {
    let now = Instant::now();
    let mut end = End::open(Config::new(Pub), V2_0, now);
    end.input(&hex("04 07 04 50494E47 0064  04 01 41  00 02 01 42"), now).unwrap();
    assert_eq!(end.received, [Traffic::Subscribe("B".into())]);
    assert_eq!(end.output(), b"");
}

#[test]
fn a_ping_between_two_frames_of_a_message_is_answered() {
    let now = Instant::now();
    let mut end = End::open(Config::new(Pull), V3_1, now);
    end.input(&hex("01 01 61  04 07 04 50494E47 0000"), now).unwrap();
    assert!(end.connection.partial());
    assert_eq!(end.output(), hex("04 05 04 504F4E47"));
    end.input(&hex("00 01 62"), now).unwrap();
    assert_eq!(end.received, [Message::from(("a", "b")).into()]);
    assert!(!end.connection.partial());
}

#[test]
fn malformed_commands_end_an_open_connection() {
    let malformed = |kind| Some(ProtocolError::MalformedCommand(kind));
    assert_eq!(open(Config::new(Pull), "04 06 04 50494E47 00"), malformed(CommandKind::Ping));
    assert_eq!(open(Config::new(Pull), "04 05 04 50494E47"), malformed(CommandKind::Ping));
    assert_eq!(open(Config::new(Pull), "04 00"), malformed(CommandKind::Unnamed));
    assert_eq!(open(Config::new(Pull), "04 02 05 41"), malformed(CommandKind::Unnamed));
    assert_eq!(open(Config::new(Pull), "05 05 04 504F4E47"), malformed(CommandKind::Unnamed));
}

#[test]
fn a_req_wants_its_envelope() {
    let now = Instant::now();
    for (legal, bytes) in [
        (true, "01 00 00 00"),
        (true, "01 00 01 01 61 00 00"),
        (true, "01 04 61*4 01 00 00 01 62"),
        (false, "00 01 61"),
        (false, "00 00"),
        (false, "01 01 61 00 00"),
        (false, "01 04 61*4 00 00"),
        (false, "01 04 61*4 01 01 61 00 00"),
        (false, "01 05 61*5 01 00 00 00"),
    ] {
        let mut end = End::open(Config::new(Req), V3_1, now);
        let result = end.input(&hex(bytes), now);
        assert_eq!(result, if legal { Ok(()) } else { Err(ProtocolError::BadReplyEnvelope) }, "{bytes}");
        assert_eq!(open(Config::new(Rep), bytes), None, "only a REQ looks: {bytes}");
    }
}

#[test]
fn frames_and_messages_have_limits_and_the_header_tells() {
    let config = Config { max_frame: Some(10), max_message: 25, max_parts: 3, ..Config::new(Pull) };
    let frame = |length| Some(ProtocolError::FrameTooLong { length, limit: 10 });
    assert_eq!(open(config.clone(), "00 0A 61*10"), None);
    assert_eq!(open(config.clone(), "00 0B"), frame(11));
    assert_eq!(open(config.clone(), "00 0B 61*11"), frame(11));
    assert_eq!(open(config.clone(), "02 FFFFFFFFFFFFFFFF"), frame(u64::MAX));
    let message = Some(ProtocolError::MessageTooLong { limit: 25 });
    assert_eq!(open(config.clone(), "01 0A 61*10 01 0A 61*10 00 05 61*5"), None);
    assert_eq!(open(config.clone(), "01 0A 61*10 01 0A 61*10 00 06"), message);
    let frames = Some(ProtocolError::TooManyFrames { limit: 3 });
    assert_eq!(open(config.clone(), "01 00 01 00 00 00"), None);
    assert_eq!(open(config, "01 00 01 00 01 00 01 00"), frames);
    let none = Config { max_frame: None, ..Config::new(Pull) };
    assert_eq!(
        open(none, "02 FFFFFFFFFFFFFFFF"),
        Some(ProtocolError::FrameTooLong { length: u64::MAX, limit: isize::MAX as u64 })
    );
}

#[test]
fn memory_follows_what_arrived() {
    let now = Instant::now();
    let config = Config { max_frame: None, ..Config::new(Pull) };
    let mut end = End::open(config, V3_1, now);
    end.input(&hex("02 0000010000000000"), now).unwrap();
    assert!(end.connection.reserved() <= 64 * 1024);
    let mut arrived = 0;
    while arrived < 1 << 20 {
        end.input(&[7; 1000], now).unwrap();
        arrived += 1000;
        assert!(end.connection.reserved() <= arrived + (4 * arrived).max(64 * 1024));
    }
}

/// Held by tests that reserve much of [`ALL_AHEAD`], which all connections share, so that they run one after the other.
static MUCH_AHEAD: Mutex<()> = Mutex::new(());

/// Opens a connection, and receives the header and the first byte of a frame of this length.
fn announced(length: u64) -> End {
    let now = Instant::now();
    let mut end = End::open(Config::new(Pull), V3_1, now);
    end.input(&[&[2][..], &length.to_be_bytes(), &[7]].concat(), now).unwrap();
    end
}

#[test]
fn the_body_of_a_peer_that_is_known_has_its_memory_at_once() {
    let _alone = MUCH_AHEAD.lock().unwrap_or_else(PoisonError::into_inner);
    let mut end = announced(1 << 20);
    assert_eq!(end.connection.reserved(), 1 << 20);
    end.input(&vec![7; (1 << 20) - 1], Instant::now()).unwrap();
    assert_eq!(end.received, [Message::from(vec![7; 1 << 20]).into()]);
    assert_eq!((end.connection.growths(), end.connection.reserved()), (1, 0));
    assert!(announced(AT_ONCE as u64 + 1).connection.reserved() <= 64 * 1024 + 1);
}

#[test]
fn what_is_announced_and_not_sent_holds_no_more_than_all_may_have_ahead() {
    let _alone = MUCH_AHEAD.lock().unwrap_or_else(PoisonError::into_inner);
    let count = 4 * ALL_AHEAD / AT_ONCE;
    let mut all: Vec<End> = (0..count).map(|_| announced(AT_ONCE as u64)).collect();
    let held = all.iter().map(|end| end.connection.reserved());
    assert!(held.clone().sum::<usize>() <= ALL_AHEAD + count * (64 * 1024 + 1));
    assert!(held.max() == Some(AT_ONCE), "the first have theirs");
    // The others are received all the same, with memory that follows what arrives.
    let last = all.last_mut().unwrap();
    assert!(last.connection.reserved() <= 64 * 1024 + 1);
    last.input(&vec![7; AT_ONCE - 1], Instant::now()).unwrap();
    assert_eq!(last.received, [Message::from(vec![7; AT_ONCE]).into()]);
    // A connection that ends, whether its body is complete or not, returns what it has reserved.
    all.clear();
    assert_eq!(announced(AT_ONCE as u64).connection.reserved(), AT_ONCE);
}

#[test]
fn without_memory_at_once_a_body_grows_as_it_arrives() {
    let now = Instant::now();
    crate::memory::GIVES.set(300_000);
    let mut end = announced(1 << 20);
    assert!(end.connection.reserved() <= 64 * 1024 + 1);
    crate::memory::GIVES.set(usize::MAX);
    end.input(&vec![7; (1 << 20) - 1], now).unwrap();
    assert_eq!(end.received, [Message::from(vec![7; 1 << 20]).into()]);
}

#[test]
fn without_memory_for_a_body_the_connection_is_over() {
    let now = Instant::now();
    let long = |flags: u8, size: u64| [&[flags][..], &size.to_be_bytes(), &vec![7; size as usize]].concat();
    let refused = |bytes: &[u8], gives: usize| {
        let mut end = End::open(Config::new(Pull), V3_1, now);
        crate::memory::GIVES.set(gives);
        // A whole body in one input, or pieces of one.
        let input = bytes.chunks(60_000).try_for_each(|piece| end.input(piece, now).map(drop));
        crate::memory::GIVES.set(usize::MAX);
        matches!(input, Err(ProtocolError::OutOfMemory { .. }))
    };
    for (size, enough) in [(5000, 5000), (200_000, 200_000)] {
        for flags in [2, 3] {
            assert!(!refused(&long(flags, size), enough), "{flags} {size}");
            assert!(refused(&long(flags, size), 4999), "{flags} {size}");
        }
    }
}

#[test]
fn a_frame_of_256_kib_grows_at_most_three_times_and_ends_exact() {
    let now = Instant::now();
    for first in [0, 1, 100, 65_527] {
        let mut end = End::open(Config::new(Pull), V3_1, now);
        let body = vec![7; 256 * 1024];
        let bytes = [&hex("02 0000000000040000")[..], &body].concat();
        let (head, rest) = bytes.split_at(9 + first);
        let mut capacities = Vec::new();
        for piece in std::iter::once(head).chain(rest.chunks(65_536)) {
            end.input(piece, now).unwrap();
            capacities.push(end.connection.reserved());
        }
        capacities.pop();
        capacities.retain(|capacity| *capacity > 0);
        capacities.dedup();
        assert!(capacities.len() <= 3, "{first}: {capacities:?}");
        assert!(capacities.iter().all(|capacity| *capacity <= body.len()));
        assert_eq!(end.received, [Message::from(body).into()]);
        assert_eq!(end.connection.reserved(), 0);
    }
}

#[test]
fn all_versions_both_ways_carry_the_same() {
    let now = Instant::now();
    let sizes = [0, 1, 63, 64, 65, 252, 253, 254, 255, 256, 2047, 2048, 2049, 70_000];
    for version in VERSIONS {
        for cut in [1, 3, 64, 8192, 1 << 20] {
            let (mut a, mut b) =
                (End::open(legacy(Dealer), version, now), End::open(legacy(Router), version, now));
            let mut sent = Vec::new();
            for size in sizes.into_iter().filter(|size| cut > 1 || *size < 3000) {
                sent.push(Traffic::from(Message::from(vec![size as u8; size])));
                sent.push(Message::from((vec![1; size], vec![], vec![2; size])).into());
            }
            sent.iter().for_each(|traffic| a.send(traffic.clone()));
            assert_eq!(a.outbox.unwritten_messages(), sent.len());
            b.input_cut(&a.output(), cut, now).unwrap();
            assert_eq!(b.received, sent);
            sent.iter().for_each(|traffic| b.send(traffic.clone()));
            a.input_cut(&b.output(), cut, now).unwrap();
            assert_eq!(a.received, sent);
        }
    }
}

#[test]
fn the_handshake_has_one_deadline() {
    let mut pair = Pair::new(Config::new(Push), Config { handshake_timeout: None, ..Config::new(Pull) });
    let deadline = pair.now + seconds(10);
    assert_eq!(pair.a.connection.poll_timeout(), Some(deadline));
    assert_eq!(pair.b.connection.poll_timeout(), None);
    // Input in small pieces does not move it.
    for byte in hex("FF 00 00") {
        pair.pass(seconds(3));
        pair.a.input(&[byte], pair.now).unwrap();
        pair.a.connection.handle_timeout(pair.now).unwrap();
        assert_eq!(pair.a.connection.poll_timeout(), Some(deadline));
    }
    pair.pass(seconds(1));
    assert_eq!(pair.a.connection.handle_timeout(pair.now), Err(ConnectionError::HandshakeTimeout));
    pair.b.connection.handle_timeout(pair.now + seconds(1000)).unwrap();
}

#[test]
fn the_signature_has_a_deadline_of_its_own_which_ends_with_its_tenth_byte() {
    let config = Config { signature_timeout: Some(seconds(2)), ..Config::new(Pull) };
    for (sent, result) in [(0, false), (9, false), (10, true)] {
        let now = Instant::now();
        let mut end = End::new(config.clone(), now);
        assert_eq!(end.connection.poll_timeout(), Some(now + seconds(2)));
        end.input(&hex(GREETING)[..sent], now).unwrap();
        let left = if result { seconds(10) } else { seconds(2) };
        assert_eq!(end.connection.poll_timeout(), Some(now + left));
        let late = if result { Ok(()) } else { Err(ConnectionError::SignatureTimeout) };
        assert_eq!(end.connection.handle_timeout(now + seconds(2)), late, "{sent} bytes");
    }
}

#[test]
fn a_handshake_in_time_ends_the_deadline() {
    let mut pair = Pair::new(Config::new(Push), Config::new(Pull));
    pair.run(64).unwrap();
    assert_eq!(pair.a.connection.poll_timeout(), None);
    pair.a.connection.handle_timeout(pair.now + seconds(1000)).unwrap();
}

fn beating(timeout: Option<u64>, ttl: u64) -> Config {
    Config {
        heartbeat: Some(seconds(1)),
        heartbeat_timeout: timeout.map(seconds),
        heartbeat_ttl: seconds(ttl),
        ..Config::new(Dealer)
    }
}

#[test]
fn heartbeats_keep_a_quiet_pair_alive() {
    let mut pair = Pair::new(beating(Some(1), 3), Config::new(Dealer));
    pair.run(64).unwrap();
    for _ in 0..100 {
        pair.now = pair.a.connection.poll_timeout().unwrap();
        pair.a.connection.handle_timeout(pair.now).unwrap();
        pair.run(64).unwrap();
        pair.b.connection.handle_timeout(pair.now).unwrap();
        assert_eq!(pair.b.connection.poll_timeout(), Some(pair.now + seconds(3)));
    }
}

#[test]
fn a_peer_that_does_not_answer_is_given_up() {
    let mut pair = Pair::new(beating(Some(4), 0), Config::new(Dealer));
    pair.run(64).unwrap();
    for _ in 0..4 {
        pair.pass(seconds(1));
        pair.a.connection.handle_timeout(pair.now).unwrap();
    }
    pair.pass(Duration::from_millis(999));
    pair.a.connection.handle_timeout(pair.now).unwrap();
    pair.pass(Duration::from_millis(1));
    assert_eq!(pair.a.connection.handle_timeout(pair.now), Err(ConnectionError::HeartbeatTimeout));
}

#[test]
fn any_input_counts_as_an_answer() {
    let mut pair = Pair::new(beating(Some(4), 0), Config::new(Dealer));
    pair.run(64).unwrap();
    pair.a.input(&hex("02 0000000000010000"), pair.now).unwrap();
    for _ in 0..50 {
        pair.pass(seconds(1));
        pair.a.connection.handle_timeout(pair.now).unwrap();
        pair.a.input(b"one byte of a frame that takes its time", pair.now).unwrap();
    }
}

#[test]
fn without_a_timeout_nobody_is_given_up() {
    let mut pair = Pair::new(beating(None, 0), Config::new(Dealer));
    pair.run(64).unwrap();
    for _ in 0..50 {
        pair.pass(seconds(100));
        pair.a.connection.handle_timeout(pair.now).unwrap();
    }
}

#[test]
fn a_time_to_live_beyond_65_seconds_does_not_wrap() {
    let now = Instant::now();
    let mut end = End::open(Config::new(Pull), V3_1, now);
    end.input(&hex("04 07 04 50494E47 FFFF"), now).unwrap();
    let expiry = now + Duration::from_millis(6_553_500);
    assert_eq!(end.connection.poll_timeout(), Some(expiry));
    end.connection.handle_timeout(expiry - Duration::from_millis(1)).unwrap();
    assert_eq!(end.connection.handle_timeout(expiry), Err(ConnectionError::HeartbeatTimeout));
}

#[test]
fn the_first_ping_goes_out_with_the_end_of_the_handshake() {
    let now = Instant::now();
    let mut end = End::new(beating(Some(1), 3), now);
    end.input(&opening(V3_1, Dealer, b""), now).unwrap();
    assert!(end.output().ends_with(&hex("04 07 04 50494E47 001E")), "before any message");
    assert_eq!(end.connection.poll_timeout(), Some(now + seconds(1)));
}

#[test]
fn while_input_waits_unread_a_peer_that_beats_gets_pongs_unasked() {
    let mut now = Instant::now();
    let mut end = End::open(Config::new(Pull), V3_1, now);
    end.input(&hex("04 07 04 50494E47 0000"), now).unwrap();
    end.output();
    assert_eq!(end.connection.poll_timeout(), None);
    end.connection.leave_unread(true, now);
    for _ in 0..100 {
        let next = end.connection.poll_timeout().unwrap();
        assert_eq!(next - now, Duration::from_millis(50));
        now = next;
        end.connection.leave_unread(true, now);
        end.connection.handle_timeout(now).unwrap();
        assert_eq!(end.output(), hex("04 05 04 504F4E47"));
    }
    end.connection.leave_unread(false, now);
    assert_eq!(end.connection.poll_timeout(), None);
}

#[test]
fn a_peer_that_does_not_beat_gets_no_pong() {
    let now = Instant::now();
    let mut end = End::open(Config::new(Pull), V3_1, now);
    end.connection.leave_unread(true, now);
    assert_eq!(end.connection.poll_timeout(), None);
}

#[test]
fn pings_that_arrive_together_are_each_answered_with_their_context() {
    let now = Instant::now();
    let mut end = End::open(Config::new(Pull), V3_1, now);
    end.input(&hex("04 08 04 50494E47 0000 61 04 07 04 50494E47 0000 04 08 04 50494E47 0000 62"), now)
        .unwrap();
    assert_eq!(end.output(), hex("04 06 04 504F4E47 61 04 05 04 504F4E47 04 06 04 504F4E47 62"));
    assert_eq!(end.output(), b"");
}

#[test]
fn of_a_flood_of_pings_the_newest_sixteen_are_answered() {
    let now = Instant::now();
    let mut end = End::open(Config::new(Pull), V3_1, now);
    for context in 0..=255u8 {
        end.input(&[&hex("04 08 04 50494E47 0000")[..], &[context]].concat(), now).unwrap();
    }
    let pong = |context: u8| [&hex("04 06 04 504F4E47")[..], &[context]].concat();
    assert_eq!(end.output(), (240..=255).flat_map(pong).collect::<Vec<u8>>());
    assert_eq!(end.output(), b"");
}

#[test]
fn answers_go_ahead_of_what_is_encoded_later() {
    let now = Instant::now();
    let mut end = End::open(Config::new(Dealer), V3_1, now);
    end.send(Message::from("a"));
    end.input(&hex("04 07 04 50494E47 0000"), now).unwrap();
    end.send(Message::from("b"));
    assert_eq!(end.output(), hex("00 01 61 04 05 04 504F4E47 00 01 62"));
}

#[test]
fn old_versions_have_no_heartbeats() {
    let now = Instant::now();
    for version in [V1_0, V2_0] {
        let end = End::open(beating(Some(1), 1), version, now);
        assert_eq!(end.connection.poll_timeout(), None);
    }
}

#[test]
fn durations_without_end_are_no_trouble() {
    let forever = Some(Duration::MAX);
    let config = Config {
        handshake_timeout: forever,
        heartbeat: forever,
        heartbeat_timeout: forever,
        heartbeat_ttl: Duration::MAX,
        ..Config::new(Dealer)
    };
    let mut pair = Pair::new(config.clone(), config);
    assert_eq!(pair.a.connection.poll_timeout(), None);
    pair.run(64).unwrap();
    // The longest time to live that a PING can carry.
    let ttl = Duration::from_millis(6_553_500);
    assert_eq!(pair.a.connection.poll_timeout(), Some(pair.now + ttl));
    pair.a.connection.handle_timeout(pair.now).unwrap();
}

#[test]
fn a_raw_connection_is_ready_at_once_and_carries_chunks() {
    let now = Instant::now();
    for config in [Config::new(Stream), Config { raw: true, ..Config::new(Router) }] {
        let mut end = End::new(config, now);
        assert_eq!(end.connection.poll_timeout(), None);
        assert_eq!(end.output(), b"");
        end.input(&[7; 20_000], now).unwrap();
        assert_eq!(end.established.take().unwrap().version, None);
        let sizes: Vec<usize> = end.received.iter().map(Traffic::size).collect();
        assert_eq!(sizes, [8192, 8192, 3616]);
        end.send(Message::from("GET /"));
        end.send(Message::from(vec![7; 3000]));
        end.send(Traffic::Subscribe("ignored".into()));
        assert_eq!(end.output(), [&b"GET /"[..], &[7; 3000]].concat());
    }
}

#[test]
fn half_a_message_shows() {
    let now = Instant::now();
    for (bytes, partial) in [
        ("", false),
        ("00", true),
        ("00 02 48", true),
        ("00 02 4869", false),
        ("01 00", true),
        ("01 00 00", true),
    ] {
        let mut end = End::open(Config::new(Pull), V3_1, now);
        end.input(&hex(bytes), now).unwrap();
        assert_eq!(end.connection.partial(), partial, "{bytes}");
    }
    assert!(!End::new(Config::new(Sub), now).connection.partial());
}

/// The engine reads a large body directly into the decoder's memory. The decoded messages are the same.
#[test]
fn a_body_that_is_read_in_place_arrives_like_any_other() {
    let now = Instant::now();
    for (size, piece) in [(100_000, 1), (100_000, 65_536), (300_000, 7_777), (1 << 20, 65_536)] {
        let mut end = End::open(Config::new(Pull), V3_1, now);
        let body: Vec<u8> = (0..size).map(|n| (n % 251) as u8).collect();
        let mut bytes = vec![2];
        bytes.extend_from_slice(&(size as u64).to_be_bytes());
        bytes.extend_from_slice(&body);
        bytes.extend_from_slice(&hex("00 02 4869"));
        let (mut at, mut in_place) = (0, 0);
        while at < bytes.len() {
            let room = end.connection.arriving().map_or(0, |body| body.capacity() - body.len());
            let next = &bytes[at..bytes.len().min(at + piece.max(10))];
            match end.connection.arriving() {
                Some(body) => {
                    let next = &next[..next.len().min(room)];
                    body.extend_from_slice(next);
                    (at, in_place) = (at + next.len(), in_place + next.len());
                    end.input(&[], now).unwrap();
                }
                None => {
                    end.input(next, now).unwrap();
                    at += next.len();
                }
            }
            assert!(end.connection.reserved() <= size);
        }
        assert!(in_place > 0, "{size} {piece}");
        assert_eq!(end.received, [Message::from(body).into(), Message::from("Hi").into()]);
    }
}
