//! One side decodes what the other encodes, in every version and wherever the stream is cut.

use std::time::Instant;

use proptest::prelude::*;

use crate::Config;
use crate::pair::{End, VERSIONS};
use crate::{Frame, Message, SocketType, Traffic, Version};

fn body() -> impl Strategy<Value = Frame> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..80),
        prop::sample::select(vec![0, 1, 64, 65, 252, 253, 254, 255, 256, 2048, 2049, 9000])
            .prop_map(|length| vec![7; length]),
    ]
    .prop_map(Frame::from)
}

fn message() -> impl Strategy<Value = Traffic> {
    prop::collection::vec(body(), 1..5).prop_map(|frames| Message::from(frames).into())
}

fn subscription() -> impl Strategy<Value = Traffic> {
    (any::<bool>(), body()).prop_map(|(is_subscribe, topic)| {
        if is_subscribe { Traffic::Subscribe(topic) } else { Traffic::Cancel(topic) }
    })
}

fn version() -> impl Strategy<Value = Version> {
    prop::sample::select(VERSIONS.to_vec())
}

/// Sends `traffic` from one end to the other. Returns what arrived.
fn carry(
    from: SocketType,
    to: SocketType,
    version: Version,
    traffic: &[Traffic],
    cuts: &[usize],
) -> Vec<Traffic> {
    let now = Instant::now();
    let mut sender = End::open(Config::new(from), version, now);
    let mut receiver = End::open(Config::new(to), version, now);
    traffic.iter().for_each(|traffic| sender.send(traffic.clone()));
    let bytes = sender.output();
    let mut rest = &bytes[..];
    for cut in cuts.iter().cycle() {
        let (piece, after) = rest.split_at((*cut).min(rest.len()));
        receiver.input(piece, now).expect("what we encode is legal");
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    assert!(!receiver.connection.partial());
    receiver.received
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn messages(
        version in version(),
        traffic in prop::collection::vec(message(), 0..20),
        cuts in prop::collection::vec(1..3000_usize, 1..20),
    ) {
        let received = carry(SocketType::Dealer, SocketType::Router, version, &traffic, &cuts);
        prop_assert_eq!(received, traffic);
    }

    #[test]
    fn subscriptions(
        version in version(),
        traffic in prop::collection::vec(subscription(), 0..20),
        cuts in prop::collection::vec(1..300_usize, 1..20),
    ) {
        let received = carry(SocketType::Sub, SocketType::XPub, version, &traffic, &cuts);
        prop_assert_eq!(received, traffic);
    }
}
