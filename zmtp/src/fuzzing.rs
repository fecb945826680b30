//! The bodies of the fuzz targets, which also run as property tests.
//!
//! Each takes any bytes and panics when a rule is broken: cutting the input into pieces changes nothing; decoding,
//! encoding and decoding again returns the same; memory stays in proportion to what arrived; timers do not fire without
//! end.

#[cfg(all(feature = "plain", feature = "curve"))]
pub mod mechanisms;

use std::mem::discriminant;
use std::time::{Duration, Instant};

use crate::Config;
use crate::command::{self, Command};
use crate::decoder::AT_ONCE;
use crate::error::ProtocolError;
use crate::frame::Framing;
#[cfg(feature = "curve")]
use crate::mechanism::z85::{self, Z85Error};
use crate::pair::{End, VERSIONS, drain};
use crate::{Message, SocketType, Traffic, Version};

const TYPES: [SocketType; 16] = [
    SocketType::Pull,
    SocketType::XPub,
    SocketType::Req,
    SocketType::Router,
    SocketType::Dealer,
    SocketType::Sub,
    SocketType::Pub,
    SocketType::Pair,
    SocketType::Radio,
    SocketType::Dish,
    SocketType::Server,
    SocketType::Client,
    SocketType::Gather,
    SocketType::Push,
    SocketType::Rep,
    SocketType::XSub,
];

/// Tests greeting and handshake, under any configuration.
pub fn greeting(data: &[u8]) {
    let Some(([select, ids], data)) = data.split_first_chunk() else { return };
    let config = Config {
        min_version: VERSIONS[usize::from(*select & 3)],
        routing_id: vec![7; usize::from(*ids)].into(),
        ..small(*select >> 2)
    };
    let now = Instant::now();
    same_whatever_the_cut(&|| End::new(config.clone(), now), data, now);
}

/// Tests frames, messages and commands on an open connection of any version.
pub fn frames(data: &[u8]) {
    let Some((select, data)) = data.split_first() else { return };
    open_connection(VERSIONS[usize::from(*select & 3)], *select >> 2, data);
}

/// Tests the headers of ZMTP 1.0, and what follows them on an open connection.
pub fn v1_frames(data: &[u8]) {
    let Some((select, data)) = data.split_first() else { return };
    headers(Framing::V1, data);
    open_connection(Version::V1_0, *select, data);
}

/// Tests the headers of ZMTP 2.0 and later, and what follows them on an open connection of ZMTP 2.0.
pub fn v2_frames(data: &[u8]) {
    let Some((select, data)) = data.split_first() else { return };
    headers(Framing::V2, data);
    open_connection(Version::V2_0, *select, data);
}

/// Tests that Z85 is undone by its inverse, in both directions.
#[cfg(feature = "curve")]
pub fn z85(data: &[u8]) {
    match z85::encode(data) {
        Ok(text) => assert_eq!(z85::decode(&text).as_deref(), Ok(data)),
        Err(fault) => assert_eq!(fault, Z85Error::Length { length: data.len() }),
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    match z85::decode(text) {
        Ok(bytes) => assert_eq!(z85::encode(&bytes).as_deref(), Ok(text)),
        Err(Z85Error::Length { length }) => assert!(length == text.len() && length % 5 != 0),
        Err(Z85Error::Character { at }) => assert!(at < text.len()),
    }
}

/// Parses the headers of frames one behind the other, and writes each again.
fn headers(framing: Framing, mut data: &[u8]) {
    while let Ok(Some((header, rest))) = framing.parse(data) {
        let size = data.len() - rest.len();
        for cut in 0..size {
            assert_eq!(
                framing.parse(&data[..cut]),
                Ok(None),
                "a part of a header is no header, and no fault"
            );
        }
        let mut written = Vec::new();
        framing.write(header, &mut written);
        // A short length may have been sent in the long form.
        assert!(written.len() <= size);
        assert_eq!(framing.parse(&written), Ok(Some((header, &[][..]))));
        data = usize::try_from(header.length).ok().and_then(|body| rest.get(body..)).unwrap_or_default();
    }
}

fn open_connection(version: Version, select: u8, data: &[u8]) {
    let config = small(select);
    let own = config.socket_type;
    let now = Instant::now();
    let open = || End::open(config.clone(), version, now);
    let mut received = same_whatever_the_cut(&open, data, now);
    let mut again = open();
    // A RADIO receives and drops any message, and sends none without a group.
    received.retain(|traffic| !(traffic.is_message() && own.has_groups() && own.sends()));
    received.iter().for_each(|traffic| again.send(traffic.clone()));
    let (bytes, messages) = drain(&mut again.outbox);
    assert_eq!(messages, received.iter().filter(|traffic| traffic.is_message()).count());
    again.input(&bytes, now).expect("what was decoded is legal");
    assert_eq!(again.received, received);
}

/// Tests bodies of commands and property lists.
pub fn commands(data: &[u8]) {
    if let Ok(command) = Command::parse(data) {
        assert!(!command.name().as_bytes().is_empty());
        if let Command::Ping { context, .. } = command {
            assert!(context.len() <= command::MAX_CONTEXT);
        }
    }
    if let Ok(properties) = command::properties(data) {
        let mut written = Vec::new();
        properties.iter().for_each(|(name, value)| command::write_property(name, value, &mut written));
        assert_eq!(written, data);
    }
}

/// Tests input, output and time in any order.
pub fn connection(data: &[u8]) {
    let Some(([select, beats], mut data)) = data.split_first_chunk() else { return };
    let config = Config {
        heartbeat: Some(Duration::from_millis(u64::from(*beats & 15) * 100)),
        heartbeat_timeout: Some(Duration::from_millis(u64::from(*beats >> 4) * 100)),
        min_version: Version::V1_0,
        ..small(*select >> 3)
    };
    let mut now = Instant::now();
    let mut end = match *select & 7 {
        version @ 0..4 => End::open(config, VERSIONS[usize::from(version)], now),
        _ => End::new(config, now),
    };
    let (mut sent, mut completed, mut arrived) = (0, 0, 0);
    while let Some(([verb, amount], rest)) = data.split_first_chunk() {
        let amount = usize::from(*amount);
        data = rest;
        match verb % 4 {
            0 => {
                let (piece, rest) = data.split_at(amount.min(data.len()));
                data = rest;
                if end.input(piece, now).is_err() {
                    assert!(!end.connection.is_ready() && end.connection.poll_timeout().is_none());
                }
                arrived += piece.len();
                assert_memory_follows(&end, arrived);
            }
            1 => {
                now += Duration::from_millis(amount as u64 * 7);
                if end.connection.handle_timeout(now).is_err() {
                    return;
                }
                assert!(end.connection.poll_timeout().is_none_or(|next| next > now), "a timer that spins");
            }
            2 => {
                sent += usize::from(end.connection.is_ready());
                end.send(Message::from((vec![1; amount], vec![2; amount * 20])));
            }
            _ => {
                end.connection.poll_transmit(&mut end.outbox);
                completed += end.outbox.advance((amount * 50).min(end.outbox.len()));
            }
        }
        assert_eq!(sent - completed, end.outbox.unwritten_messages());
    }
    completed += drain(&mut end.outbox).1;
    assert_eq!(sent, completed);
}

/// Returns limits so small that a fuzzer reaches them.
fn small(select: u8) -> Config {
    Config {
        max_frame: (select & 8 != 0).then_some(600),
        max_message: 2000,
        max_parts: 8,
        max_topic: 300,
        ..Config::new(TYPES[usize::from(select & 7 | (select & 16) >> 1)])
    }
}

/// Feeds the same bytes whole, byte by byte, and in odd pieces, with and without runs. Returns the result.
fn same_whatever_the_cut(make: &dyn Fn() -> End, data: &[u8], now: Instant) -> Vec<Traffic> {
    let mut whole = make();
    let result = whole.input(data, now);
    assert_memory_follows(&whole, data.len());
    let output = whole.output();
    for (cut, takes_runs) in [(1, false), (7, false), (7, true), (usize::MAX, true)] {
        let mut end = End { takes_runs, ..make() };
        let mut outcome = Ok(());
        for piece in data.chunks(cut) {
            outcome = end.input(piece, now);
            assert_memory_follows(&end, data.len());
            if outcome.is_err() {
                break;
            }
        }
        assert_same_fault(&result, &outcome);
        assert_eq!(end.received, whole.received);
        assert_eq!(end.established, whole.established);
        assert_eq!(end.connection.partial(), whole.connection.partial());
        assert_eq!(end.output(), output);
    }
    whole.received
}

/// Removes the excerpt from a fault, because it depends on how much had arrived.
fn assert_same_fault(a: &Result<(), ProtocolError>, b: &Result<(), ProtocolError>) {
    match (a, b) {
        (Err(ProtocolError::NotZmtp { .. }), Err(other)) => {
            assert_eq!(discriminant(other), discriminant(a.as_ref().expect_err("just matched")));
        }
        _ => assert_eq!(a, b),
    }
}

fn assert_memory_follows(end: &End, arrived: usize) {
    assert!(end.connection.reserved() <= arrived + (4 * arrived).max(AT_ONCE));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::pair::opening;

    /// Bytes with more structure than random ones: flags, short lengths, names.
    fn likely() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            any::<u8>().prop_map(|byte| vec![byte]),
            (0..8_u8, 0..40_u8).prop_map(|(flags, length)| vec![flags, length]),
            (0..8_u8, any::<u64>())
                .prop_map(|(flags, length)| [&[flags][..], &length.to_be_bytes()].concat()),
            prop::sample::select(vec![
                &b"\x04PING\0\x01"[..],
                b"\x04\x07\x04PING\0\x01",
                b"\x04\x0A\x09SUBSCRIBE",
                b"\x04\x0B\x09SUBSCRIBEA",
                b"\x05READY",
                b"\x06CANCEL",
                b"\x04\x07\x04JOINtv",
                b"\x04\x08\x05LEAVEtv",
                b"\x04JOIN",
                b"\x05LEAVE",
                b"\x01\x02tv\0\x01x",
                b"\x05ERROR\x03400",
                b"\x0BSocket-Type\0\0\0\x03SUB",
                b"\x08Identity\0\0\0\0",
            ])
            .prop_map(<[u8]>::to_vec),
            prop::sample::select(crate::pair::VERSIONS.to_vec()).prop_map(|version| opening(
                version,
                crate::SocketType::Sub,
                b"id"
            )),
        ];
        prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn greeting(select: [u8; 2], data in likely()) {
            super::greeting(&[&select[..], &data].concat());
        }

        #[test]
        fn frames(select: u8, data in likely()) {
            super::frames(&[&[select][..], &data].concat());
        }

        #[test]
        fn v1_frames(select: u8, data in likely()) {
            super::v1_frames(&[&[select][..], &data].concat());
        }

        #[test]
        fn v2_frames(select: u8, data in likely()) {
            super::v2_frames(&[&[select][..], &data].concat());
        }

        #[test]
        #[cfg(feature = "curve")]
        fn z85(data in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..40),
            "[0-9a-zA-Z.:+=^!/*?&<>(){}@%$#-]{0,20}".prop_map(String::into_bytes),
        ]) {
            super::z85(&data);
        }

        #[test]
        fn commands(data in likely()) {
            super::commands(&data);
        }

        #[test]
        fn connection(select: [u8; 2], data in likely()) {
            super::connection(&[&select[..], &data].concat());
        }
    }
}
