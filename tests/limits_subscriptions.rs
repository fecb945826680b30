//! Limits on what a subscriber can make a publisher keep.
#![allow(clippy::unwrap_used)] // a test's helpers

mod common;

use common::{LONG, RawPeer, Soon, command, impatient, listen, until, wait_for};
use zeroxide::{Context, DisconnectReason, EventKind, Monitor, Options, SocketType, opt};
use zeroxide_zmtp::{ConnectionError, ProtocolError};

fn subscribe(topic: &str) -> Vec<u8> {
    command(&[b"\x09SUBSCRIBE", topic.as_bytes()].concat())
}

/// What the next peer that is gone did wrong.
fn next_fault(events: &Monitor) -> ProtocolError {
    let gone = |kind: &EventKind| matches!(kind, EventKind::Disconnected { .. });
    match wait_for(events, "of the end", gone).kind {
        EventKind::Disconnected {
            why: DisconnectReason::Fault(ConnectionError::Protocol(fault)), ..
        } => fault,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_subscriber_beyond_its_limits_is_closed_and_the_others_are_served() {
    let limits = [
        (Options::new().set(opt::MAX_SUBSCRIPTIONS, 3), ProtocolError::TooManySubscriptions { limit: 3 }),
        (
            Options::new().set(opt::MAX_SUBSCRIPTION_BYTES, Some(7)),
            ProtocolError::SubscriptionsTooLong { limit: 7 },
        ),
    ];
    for (options, fault) in limits {
        let cx = Context::new();
        let publisher = cx.socket_with(SocketType::Pub, &options).unwrap();
        let events = publisher.monitor();
        let endpoint = publisher.bind("tcp://127.0.0.1:*").unwrap();
        let mut good = RawPeer::connect(&endpoint).shake_hands("SUB");
        good.send_bytes(&subscribe("a"));
        publisher.wait_for_subscribers("a", 1, LONG).unwrap();
        let mut bad = RawPeer::connect(&endpoint).shake_hands("SUB");
        bad.send_bytes(&["a", "bb", "ccc", "a", "bb"].map(subscribe).concat());
        publisher.wait_for_subscribers("ccc", 1, LONG).unwrap();
        publisher.send("ccc").unwrap();
        assert_eq!(bad.read_message().unwrap(), [b"ccc"], "at its limit it is served");
        bad.send_bytes(&subscribe("dddd"));
        bad.expect_end();
        assert_eq!(next_fault(&events), fault);
        until("its topics are forgotten", || publisher.get(opt::TOPICS_COUNT).unwrap() == 1);
        publisher.send("a").unwrap();
        assert_eq!(good.read_message().unwrap(), [b"a"]);
    }
}

#[test]
fn a_publisher_that_connects_dials_a_subscriber_beyond_its_limit_again() {
    let cx = Context::new();
    let (listener, endpoint) = listen();
    let options = impatient().set(opt::MAX_SUBSCRIPTIONS, 1);
    let publisher = cx.socket_with(SocketType::Pub, &options).unwrap();
    let events = publisher.monitor();
    publisher.connect(&endpoint).unwrap();
    let mut bad = RawPeer::accept(&listener).shake_hands("SUB");
    bad.send_bytes(&["a", "b"].map(subscribe).concat());
    bad.expect_end();
    assert_eq!(next_fault(&events), ProtocolError::TooManySubscriptions { limit: 1 });
    let mut better = RawPeer::accept(&listener).shake_hands("SUB");
    better.send_bytes(&subscribe("c"));
    publisher.wait_for_subscribers("c", 1, LONG).unwrap();
    assert_eq!(publisher.get(opt::TOPICS_COUNT).unwrap(), 1);
    publisher.send("c").unwrap();
    assert_eq!(better.read_message().unwrap(), [b"c"]);
}

#[test]
fn a_subscriber_of_the_same_context_has_no_limit() {
    let cx = Context::new();
    let publisher = cx.socket_with(SocketType::Pub, &Options::new().set(opt::MAX_SUBSCRIPTIONS, 1)).unwrap();
    publisher.bind("inproc://no limit").unwrap();
    let subscriber = cx.socket(SocketType::Sub).unwrap();
    subscriber.connect("inproc://no limit").unwrap();
    ["a", "b", "c"].into_iter().for_each(|topic| subscriber.subscribe(topic).unwrap());
    publisher.wait_for_subscribers("c", 1, LONG).unwrap();
    publisher.send("a").unwrap();
    assert_eq!(subscriber.recv_timeout(LONG).unwrap()[0], "a");
}

#[test]
fn an_xpub_that_only_sends_serves_every_subscriber_and_keeps_few_reports() {
    for at in ["tcp://127.0.0.1:*", "ipc://*", "inproc://only sends"] {
        let cx = Context::new();
        let publisher = cx.socket(SocketType::XPub).unwrap();
        let endpoint = publisher.bind(at).unwrap().to_string();
        for round in 0..4 {
            let many = cx.socket(SocketType::Sub).unwrap();
            many.connect(&endpoint).unwrap();
            (0..8_000).for_each(|topic| many.subscribe(format!("{round} {topic}")).unwrap());
            publisher.wait_for_subscribers(format!("{round} 7999"), 1, LONG).unwrap();
            publisher.send(format!("{round} 7999")).unwrap();
            assert_eq!(many.recv_soon().len(), 1, "{at}");
            many.close().wait();
            until("it is gone", || publisher.get(opt::TOPICS_COUNT).unwrap() == 0);
        }
        let dropped = publisher.stats().io.reports_dropped;
        let told = std::iter::from_fn(|| publisher.try_recv().ok()).count() as u64;
        assert_eq!(told + dropped, 2 * 4 * 8_000, "every request is told or counted");
        assert!(told <= 10_000, "{told}");
        let last = cx.socket(SocketType::Sub).unwrap();
        last.connect(&endpoint).unwrap();
        last.subscribe("news").unwrap();
        assert_eq!(publisher.recv_soon()[0], "\u{1}news");
    }
}
