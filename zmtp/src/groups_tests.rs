//! RFC 48 on the wire, as libzmq 4.3.5 with drafts writes and reads it.

use std::time::Instant;

use proptest::prelude::*;

use super::*;
use crate::Config;
use crate::error::CommandKind;
use crate::pair::{End, hex};
use crate::{Frame, SocketType, Traffic, Version};

const VERSIONS: [Version; 2] = [Version::V3_0, Version::V3_1];

fn open(socket_type: SocketType, version: Version) -> End {
    End::open(Config::new(socket_type), version, Instant::now())
}

/// Returns a message's group and its frames.
fn whole(traffic: &Traffic) -> (Vec<u8>, Vec<Vec<u8>>) {
    let Traffic::Message(message) = traffic else { panic!("{traffic:?}") };
    (message.group().to_vec(), message.iter().map(|frame| frame.to_vec()).collect())
}

#[test]
fn a_message_is_its_group_and_its_body() {
    for (group, body, bytes) in [
        ("tv", "x", "01 02 7476 00 01 78"),
        ("", "x", "01 00 00 01 78"),
        ("tv", "", "01 02 7476 00 00"),
        (&"g".repeat(255), "x", "01 FF 67*255 00 01 78"),
    ] {
        for version in VERSIONS {
            let mut radio = open(SocketType::Radio, version);
            radio.send(Message::from(body).with_group(group));
            assert_eq!(radio.output(), hex(bytes), "{group} in {version}");
            for cut in [1, 2, 3, 300] {
                let mut dish = open(SocketType::Dish, version);
                dish.input_cut(&hex(bytes), cut, Instant::now()).unwrap();
                let received: Vec<_> = dish.received.iter().map(whole).collect();
                assert_eq!(received, [(group.into(), vec![body.into()])], "{group} in {version}");
            }
        }
    }
}

#[test]
fn join_and_leave_are_commands_of_every_version_that_has_commands() {
    let long = Frame::from(vec![b'g'; 255]);
    for (traffic, bytes) in [
        (Traffic::Join("tv".into()), "04 07 04 4A4F494E 7476"),
        (Traffic::Leave("tv".into()), "04 08 05 4C45415645 7476"),
        (Traffic::Join("".into()), "04 05 04 4A4F494E"),
        (Traffic::Join(long), "06 0000000000000104 04 4A4F494E 67*255"),
    ] {
        for version in VERSIONS {
            let mut dish = open(SocketType::Dish, version);
            dish.send(traffic.clone());
            assert_eq!(dish.output(), hex(bytes), "{traffic:?} in {version}");
            let mut radio = open(SocketType::Radio, version);
            radio.input(&hex(bytes), Instant::now()).unwrap();
            assert_eq!(radio.received, std::slice::from_ref(&traffic), "in {version}");
        }
        let config = Config { min_version: Version::V2_0, ..Config::new(SocketType::Dish) };
        let mut old = End::open(config, Version::V2_0, Instant::now());
        old.send(traffic);
        assert_eq!(old.output(), b"", "2.0 has no commands");
    }
}

#[test]
fn a_message_to_a_dish_is_a_group_and_one_frame() {
    for bytes in [
        "00 01 78",
        "00 00",
        "01 02 7476 01 01 78 00 01 79",
        "03 0000000000000100 67*256 00 01 78",
        "01 03 610062 00 01 78",
    ] {
        let fault = open(SocketType::Dish, Version::V3_1).input(&hex(bytes), Instant::now());
        assert_eq!(fault, Err(ProtocolError::BadGroup), "{bytes}");
    }
}

#[test]
fn the_name_of_a_group_has_at_most_255_bytes_and_no_zero() {
    let max_topic = 4096;
    for (bytes, command) in [
        ("06 0000000000000105 04 4A4F494E 67*256", CommandKind::Join),
        ("06 0000000000000106 05 4C45415645 67*256", CommandKind::Leave),
        ("04 08 04 4A4F494E 610062", CommandKind::Join),
    ] {
        let config = Config { max_topic, ..Config::new(SocketType::Radio) };
        let mut radio = End::open(config, Version::V3_1, Instant::now());
        let fault = radio.input(&hex(bytes), Instant::now());
        assert_eq!(fault, Err(ProtocolError::MalformedCommand(command)), "{bytes}");
    }
}

#[test]
fn a_limit_on_topics_leaves_room_for_every_group() {
    let config = Config { max_topic: 4, ..Config::new(SocketType::Radio) };
    let mut radio = End::open(config, Version::V3_1, Instant::now());
    radio.input(&hex("06 0000000000000105 05 4C45415645 67*255"), Instant::now()).unwrap();
    assert_eq!(radio.received, [Traffic::Leave(Frame::from(vec![b'g'; 255]))]);
    let fault = radio.input(&hex("06 0000000000001000"), Instant::now()).unwrap_err();
    assert!(matches!(fault, ProtocolError::CommandTooLong { .. }), "{fault:?}");
}

#[test]
fn topics_mean_nothing_to_a_radio_and_groups_nothing_to_a_pub() {
    let (join, subscribe) = ("04 07 04 4A4F494E 7476", "04 0C 09 535542534352494245 7476");
    for (publisher, bytes) in
        [(SocketType::Radio, subscribe), (SocketType::Pub, join), (SocketType::Pull, join)]
    {
        let mut end = open(publisher, Version::V3_1);
        end.input(&hex(bytes), Instant::now()).unwrap();
        assert_eq!(end.received, [], "{publisher}");
    }
    let mut radio = open(SocketType::Radio, Version::V3_0);
    radio.input(&hex("00 03 01 7476"), Instant::now()).unwrap();
    assert_eq!(radio.received, [Message::from("\x01tv").into()], "a message, and no subscription");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_a_radio_sends_a_dish_receives(
        messages in prop::collection::vec(("[a-z]{0,255}", prop::collection::vec(any::<u8>(), 0..3000)), 0..10),
        cut in 1..3000_usize,
    ) {
        let (mut radio, mut dish) = (open(SocketType::Radio, Version::V3_1), open(SocketType::Dish, Version::V3_1));
        for (group, body) in &messages {
            radio.send(Message::from(body.clone()).with_group(group));
        }
        dish.input_cut(&radio.output(), cut, Instant::now()).unwrap();
        let received: Vec<_> = dish.received.iter().map(whole).collect();
        let sent: Vec<_> = messages.into_iter().map(|(group, body)| (group.into_bytes(), vec![body])).collect();
        prop_assert_eq!(received, sent);
    }
}
