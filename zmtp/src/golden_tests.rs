//! The bytes of every command, frame and greeting, from the RFCs' layouts and from traces of libzmq.

use std::time::{Duration, Instant};

use crate::Config;
use crate::error::ProtocolError;
use crate::pair::{End, hex};
use crate::{Message, SocketType, Traffic, Version};

use SocketType::{Dealer, Pub, Pull, Push, Req, Router, Sub, XPub, XSub};
use Version::{V1_0, V2_0, V3_0, V3_1};

const GREETING: &str = "FF 00*7 01 7F";
const REST: &str = "01 4E554C4C 00*16 00*32";
const DEALER_READY: &str = "04 29 05 5245414459 0B 536F636B65742D54797065 00000006 4445414C4552 08 \
                            4964656E74697479 00000000";
const SUB_READY: &str = "04 19 05 5245414459 0B 536F636B65742D54797065 00000003 535542";

fn legacy(socket_type: SocketType) -> Config {
    Config { min_version: V1_0, ..Config::new(socket_type) }
}

/// One handshake: what arrives, and what must be sent in return.
struct Script {
    name: &'static str,
    config: Config,
    steps: &'static [(&'static str, &'static str)],
    /// The version at the end, and the peer's routing id.
    end: (Version, &'static str),
}

fn modern_scripts() -> Vec<Script> {
    vec![
        Script {
            name: "3.1, the peer in pieces",
            config: Config::new(Dealer),
            steps: &[
                ("", GREETING),
                ("FF 00*8", ""),
                ("7F", "03"),
                ("03", REST),
                ("01 4E554C4C 00*16 00*31", ""),
                ("00", DEALER_READY),
                (DEALER_READY, ""),
            ],
            end: (V3_1, ""),
        },
        Script {
            name: "3.0, the greeting at once",
            config: Config::new(Sub),
            steps: &[
                ("", GREETING),
                (
                    "FF 00*8 7F 0300 4E554C4C 00*48",
                    "03 01 4E554C4C 00*16 00*32 \
                     04 19 05 5245414459 0B 536F636B65742D54797065 00000003 535542",
                ),
                ("04 19 05 5245414459 0B 536F636B65742D54797065 00000003 505542", ""),
            ],
            end: (V3_0, ""),
        },
        Script {
            name: "3.1 for revision 2, and any odd tenth byte",
            config: Config::new(Pub),
            steps: &[
                ("", GREETING),
                ("FF 00*8 01", "03"),
                ("02", REST),
                ("00 4E554C4C 00*48", "04 19 05 5245414459 0B 536F636B65742D54797065 00000003 505542"),
                (SUB_READY, ""),
            ],
            end: (V3_1, ""),
        },
        Script {
            name: "3.1, both with a routing id",
            config: Config { routing_id: "id".into(), ..Config::new(Router) },
            steps: &[
                ("", "FF 00*7 03 7F"),
                (
                    "FF 00*8 7F 0301 4E554C4C 00*48",
                    "03 01 4E554C4C 00*16 00*32 \
                    04 2B 05 5245414459 0B 536F636B65742D54797065 00000006 524F55544552 08 4964656E74697479 00000002 6964",
                ),
                (
                    "04 2B 05 5245414459 0B 536F636B65742D54797065 00000006 4445414C4552 08 4964656E74697479 00000002 7731",
                    "",
                ),
            ],
            end: (V3_1, "w1"),
        },
    ]
}

fn legacy_scripts() -> Vec<Script> {
    let with_id = |socket_type| Config { routing_id: "id".into(), ..legacy(socket_type) };
    vec![
        Script {
            name: "2.0",
            config: with_id(Push),
            steps: &[
                ("", "FF 00*7 03 7F"),
                ("FF 00*8 7F", "03"),
                ("01", "08"),
                ("07", "00 02 6964"),
                ("00 02 7731", ""),
            ],
            end: (V2_0, "w1"),
        },
        Script {
            name: "1.0 with a greeting",
            config: with_id(Push),
            steps: &[
                ("", "FF 00*7 03 7F"),
                ("FF 00*8 7F", "03"),
                ("00", "08"),
                ("07", "03 00 6964"),
                ("03 00 7731", ""),
            ],
            end: (V1_0, "w1"),
        },
        Script {
            name: "1.0 without a greeting",
            config: with_id(Push),
            steps: &[("", "FF 00*7 03 7F"), ("03", "6964"), ("00 7731", "")],
            end: (V1_0, "w1"),
        },
        Script {
            name: "1.0 without a greeting, long identity header",
            config: legacy(Push),
            steps: &[("", GREETING), ("FF 00*7 03", ""), ("00", ""), ("7731", "")],
            end: (V1_0, "w1"),
        },
        Script {
            name: "1.0 without a greeting, empty identity in a long header",
            config: legacy(Push),
            steps: &[("", GREETING), ("FF 00*7 01 00", "")],
            end: (V1_0, ""),
        },
    ]
}

#[test]
fn handshakes() {
    for Script { name, config, steps, end: (version, routing_id) } in
        modern_scripts().into_iter().chain(legacy_scripts())
    {
        let now = Instant::now();
        let mut end = End::new(config, now);
        for (nth, (input, output)) in steps.iter().enumerate() {
            assert!(end.established.is_none(), "{name}: ready before step {nth}");
            end.input(&hex(input), now).unwrap();
            assert_eq!(end.output(), hex(output), "{name}: step {nth}");
        }
        let established = end.established.unwrap_or_else(|| panic!("{name}: not ready"));
        assert_eq!(established.version, Some(version), "{name}");
        assert_eq!(established.routing_id, routing_id, "{name}");
        assert!(end.connection.is_ready(), "{name}");
    }
}

fn subscribe(topic: &str) -> Traffic {
    Traffic::Subscribe(topic.into())
}

fn cancel(topic: &str) -> Traffic {
    Traffic::Cancel(topic.into())
}

fn long(byte: u8, length: usize) -> Traffic {
    Message::from(vec![byte; length]).into()
}

/// The sender, the receiver, the version, the traffic, and its bytes.
fn frames() -> Vec<(SocketType, SocketType, Version, Traffic, &'static str)> {
    let hi = || Traffic::from(Message::from("Hi"));
    let parts = |parts: &[&str]| Traffic::from(Message::from(parts.to_vec()));
    vec![
        (Push, Pull, V3_1, hi(), "00 02 4869"),
        (Push, Pull, V3_0, hi(), "00 02 4869"),
        (Push, Pull, V2_0, hi(), "00 02 4869"),
        (Push, Pull, V1_0, hi(), "03 00 4869"),
        (Push, Pull, V3_1, parts(&["Hi", ""]), "01 02 4869 00 00"),
        (Push, Pull, V1_0, parts(&["Hi", ""]), "03 01 4869 01 00"),
        (Push, Pull, V3_1, long(7, 255), "00 FF 07*255"),
        (Push, Pull, V3_1, long(7, 256), "02 0000000000000100 07*256"),
        (Push, Pull, V3_1, long(7, 300), "02 000000000000012C 07*300"),
        (Push, Pull, V3_1, long(7, 3000), "02 0000000000000BB8 07*3000"),
        (Push, Pull, V1_0, long(7, 253), "FE 00 07*253"),
        (Push, Pull, V1_0, long(7, 254), "FF 00000000000000FF 00 07*254"),
        (Push, Pull, V1_0, long(7, 255), "FF 0000000000000100 00 07*255"),
        (Router, Req, V3_1, parts(&["", "Hi"]), "01 00 00 02 4869"),
        (Router, Req, V3_1, parts(&["\x44\x33\x22\x11", "", "Hi"]), "01 04 44332211 01 00 00 02 4869"),
        (Sub, Pub, V3_1, subscribe("A"), "04 0B 09 535542534352494245 41*1"),
        (XSub, XPub, V3_1, subscribe("A"), "04 0B 09 535542534352494245 41"),
        (Sub, XPub, V3_1, cancel("A"), "04 08 06 43414E43454C 41"),
        (Sub, Pub, V3_0, subscribe("A"), "00 02 01 41"),
        (Sub, Pub, V3_0, cancel("A"), "00 02 00 41"),
        (Sub, Pub, V2_0, subscribe("A"), "00 02 01 41"),
        (Sub, Pub, V1_0, subscribe("A"), "03 00 01 41"),
        (Sub, Pub, V1_0, cancel("A"), "03 00 00 41"),
        (Sub, Pub, V3_1, subscribe(""), "04 0A 09 535542534352494245"),
        (Sub, Pub, V3_0, subscribe(""), "00 01 01"),
    ]
}

#[test]
fn frames_both_ways() {
    let now = Instant::now();
    for (from, to, version, traffic, bytes) in frames() {
        let mut sender = End::open(legacy(from), version, now);
        sender.send(traffic.clone());
        assert_eq!(sender.output(), hex(bytes), "{from} sends {traffic:?} in {version}");
        for cut in if cfg!(miri) { 5..=5 } else { 1..=12 } {
            let mut receiver = End::open(legacy(to), version, now);
            receiver.input_cut(&hex(bytes), cut, now).unwrap();
            assert_eq!(
                receiver.received,
                std::slice::from_ref(&traffic),
                "{to} receives {bytes} in {version}"
            );
            assert!(!receiver.connection.partial());
        }
    }
}

/// libzmq sends a topic of 255 bytes to older peers with an 8-byte length but without its flag.
#[test]
fn a_topic_of_255_bytes_is_framed_right() {
    let topic = "t".repeat(255);
    for (version, bytes) in [
        (V3_1, "06 0000000000000109 09 535542534352494245 74*255"),
        (V3_0, "02 0000000000000100 01 74*255"),
        (V1_0, "FF 0000000000000101 00 01 74*255"),
    ] {
        let mut end = End::open(legacy(Sub), version, Instant::now());
        end.send(subscribe(&topic));
        assert_eq!(end.output(), hex(bytes));
    }
}

#[test]
fn ping_and_pong() {
    let mut now = Instant::now();
    let config = Config {
        heartbeat: Some(Duration::from_secs(1)),
        heartbeat_ttl: Duration::from_millis(10_099),
        ..Config::new(Push)
    };
    for version in [V3_0, V3_1] {
        let mut end = End::open(config.clone(), version, now);
        now += Duration::from_secs(1);
        end.connection.handle_timeout(now).unwrap();
        assert_eq!(end.output(), hex("04 07 04 50494E47 0064"));
        for (ping, pong) in [
            ("04 07 04 50494E47 0064", "04 05 04 504F4E47"),
            ("04 09 04 50494E47 0000 6162", "04 07 04 504F4E47 6162"),
            ("04 17 04 50494E47 0000 61*16", "04 15 04 504F4E47 61*16"),
            // libzmq echoes 16 bytes of a longer context.
            ("04 19 04 50494E47 0000 61*18", "04 15 04 504F4E47 61*16"),
            ("06 0000000000000007 04 50494E47 0064", "04 05 04 504F4E47"),
        ] {
            end.input(&hex(ping), now).unwrap();
            assert_eq!(end.output(), hex(pong), "{ping}");
        }
    }
}

#[test]
fn error_refuses_with_its_reason() {
    let now = Instant::now();
    let mut end = End::new(Config::new(Dealer), now);
    end.input(&hex("FF 00*8 7F 0301 4E554C4C 00*48"), now).unwrap();
    let fault = end.input(&hex("04 0A 05 4552524F52 03 343030"), now).unwrap_err();
    assert_eq!(fault, ProtocolError::Refused { reason: "400".into() });
}
