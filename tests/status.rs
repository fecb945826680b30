//! What `status()`, the events and the counters tell of what happened to a socket.
#![allow(clippy::unwrap_used)] // a test's helpers

mod common;

use std::time::Duration;

use common::{LONG, RawPeer, Soon, assert_balanced, impatient, until, wait_for};
use zeroxide::{
    Cause, Context, DisconnectReason, Error, ErrorKind, EventKind, Options, RoutingId, SocketType, Turn, Why,
    opt,
};

#[test]
fn a_frame_beyond_maxmsgsize_is_told_to_the_receiver_and_to_the_sender() {
    const LIMIT: u64 = 1 << 20;
    let cx = Context::new();
    let pull = cx.socket_with(SocketType::Pull, &Options::new().set(opt::MAXMSGSIZE, Some(LIMIT))).unwrap();
    let endpoint = pull.bind("tcp://127.0.0.1:*").unwrap().to_string();
    let push = cx.socket_with(SocketType::Push, &impatient()).unwrap();
    push.connect_ready(&endpoint, LONG).unwrap();
    let (here, there) = (pull.monitor(), push.monitor());
    push.send(vec![7; 64 << 20]).unwrap();
    wait_for(&here, "of the fault", |kind| {
        matches!(kind, EventKind::Disconnected { why: DisconnectReason::Fault(_), .. })
    });
    wait_for(
        &there,
        "of the message cut",
        |kind| matches!(kind, EventKind::Disconnected { cut: Some(bytes), .. } if *bytes > 64 << 20),
    );
    assert_eq!(pull.stats().io.too_large, 1);
    let text = pull.status().to_string();
    let expected = format!("frame {} > MAXMSGSIZE {LIMIT}; raise opt::MAXMSGSIZE", 64 << 20);
    assert!(text.contains(&expected) && text.contains("127.0.0.1:") && text.contains(" s ago"), "{text}");
    until("the loss is counted", || push.stats().dropped.by(Cause::PeerLost) == 1);
    assert_balanced(&push.stats());
    let text = push.status().to_string();
    assert!(text.contains(" bytes was being sent; is that beyond the peer's MAXMSGSIZE?"), "{text}");
    // The next message finds a connection again.
    push.send("small").unwrap();
    assert_eq!(pull.recv_soon()[0], "small");
    assert_eq!((pull.stats().received.messages, push.stats().io.too_large), (1, 0));
}

#[test]
fn a_connection_that_this_side_ends_is_no_loss() {
    let cx = Context::new();
    let pull = cx.socket(SocketType::Pull).unwrap();
    let endpoint = pull.bind("tcp://127.0.0.1:*").unwrap().to_string();
    let push = cx.socket(SocketType::Push).unwrap();
    push.connect_ready(&endpoint, LONG).unwrap();
    pull.wait_for_peers(1, LONG).unwrap();
    push.disconnect(&endpoint).unwrap();
    until("it is gone", || pull.status().last_loss.is_some());
    assert_eq!(pull.status().last_loss.unwrap().why, DisconnectReason::PeerClosed);
    assert!(push.status().last_loss.is_none());
}

#[test]
fn a_subscriber_shows_its_first_topics() {
    let cx = Context::new();
    let sub = cx.socket(SocketType::Sub).unwrap();
    sub.subscribe("weather").unwrap();
    assert_eq!(sub.status().to_string(), r#"SUB: neither bound nor connected; 1 subscription ("weather")"#);
    (0..9u8).for_each(|n| sub.subscribe([n]).unwrap());
    let status = sub.status();
    assert_eq!((status.subscriptions, status.topics.len()), (Some(10), zeroxide::Status::TOPICS));
    assert!(status.to_string().contains(r#", …)"#), "{status}");
    let dish = cx.socket(SocketType::Dish).unwrap();
    dish.join("news").unwrap();
    assert!(dish.status().to_string().ends_with(r#"("news")"#), "{}", dish.status());
}

#[test]
fn a_req_and_a_rep_show_whose_turn_it_is() {
    let cx = Context::new();
    let (req, rep) = (cx.socket(SocketType::Req).unwrap(), cx.socket(SocketType::Rep).unwrap());
    req.connect(rep.bind("inproc://turns").unwrap()).unwrap();
    assert_eq!((req.status().turn, rep.status().turn), (Some(Turn::Send), Some(Turn::Recv)));
    req.send("x").unwrap();
    rep.recv_soon();
    assert_eq!((req.status().turn, rep.status().turn), (Some(Turn::Recv), Some(Turn::Send)));
    assert!(req.status().to_string().contains("; awaits a reply"), "{}", req.status());
    assert!(rep.status().to_string().contains("; owes a reply"), "{}", rep.status());
    assert_eq!(cx.socket(SocketType::Pair).unwrap().status().turn, None);
}

#[test]
fn a_closed_socket_says_so() {
    let cx = Context::new();
    let (push, pull) = (cx.socket(SocketType::Push).unwrap(), cx.socket(SocketType::Pull).unwrap());
    assert_eq!(push.status().end, None);
    push.clone().close().wait();
    assert_eq!(
        (push.status().end, push.status().to_string()),
        (Some(ErrorKind::Closed), "PUSH: closed".to_owned())
    );
    cx.shutdown();
    assert_eq!(pull.status().to_string(), "PULL: its context is shut down");
}

#[test]
fn a_full_queue_of_an_endpoint_without_a_connection_is_no_peer() {
    let cx = Context::new();
    let push = cx.socket_with(SocketType::Push, &Options::new().set(opt::SNDHWM, 2)).unwrap();
    push.connect("tcp://127.0.0.1:1").unwrap();
    (0..2).for_each(|_| push.send("x").unwrap());
    let refused = push.try_send("x").unwrap_err().error;
    assert!(matches!(refused, Error::WouldBlock(Why::NoPeer { .. })), "{refused}");
    assert!(
        refused.to_string().starts_with("PUSH connecting to tcp://127.0.0.1:1 has no peer yet"),
        "{refused}"
    );
}

#[test]
fn who_is_turned_away_is_counted_by_reason() {
    let cx = Context::new();
    let pair = cx.socket(SocketType::Pair).unwrap();
    let endpoint = pair.bind("tcp://127.0.0.1:*").unwrap().to_string();
    let first = cx.socket(SocketType::Pair).unwrap();
    first.connect_ready(&endpoint, LONG).unwrap();
    let second = cx.socket(SocketType::Pair).unwrap();
    second.connect_ready(&endpoint, Duration::from_secs(10)).unwrap_err();
    until("it is counted", || pair.status().turned_away.without_place > 0);
    second.close().wait();
    let stranger = RawPeer::connect(&endpoint);
    drop(stranger);
    until("it is counted", || pair.status().turned_away.failed > 0);
    let away = pair.status().turned_away;
    assert_eq!(away.total(), away.without_place + away.failed);
    let text = format!("turned away {} ({} without a place, ", away.total(), away.without_place);
    assert!(pair.status().to_string().contains(&text), "{}", pair.status());
}

#[test]
fn a_context_lists_its_open_sockets_and_how_each_fares() {
    let cx = Context::new();
    let (push, pull) = (cx.socket(SocketType::Push).unwrap(), cx.socket(SocketType::Pull).unwrap());
    let types = || cx.sockets().iter().map(|socket| socket.socket_type()).collect::<Vec<_>>();
    assert_eq!(types(), [SocketType::Push, SocketType::Pull]);
    cx.sockets()[1].bind("inproc://one").unwrap();
    push.connect("inproc://one").unwrap();
    push.send("x").unwrap();
    assert_eq!(pull.recv_soon()[0], "x", "it is the same socket");
    let text = cx.status().to_string();
    assert_eq!(text, "PUSH: connected inproc://one; 1 peer\nPULL inproc://one: 1 peer\n");
    push.close().wait();
    assert_eq!(types(), [SocketType::Pull]);
    drop(pull);
    until("the last handle is dropped", || types().is_empty());
}

#[test]
fn events_peers_and_counts_are_text_with_labels() {
    let cx = Context::new();
    let router = cx.socket(SocketType::Router).unwrap();
    let events = router.monitor();
    let endpoint = router.bind("tcp://127.0.0.1:*").unwrap().to_string();
    let options = Options::new().set(opt::ROUTING_ID, RoutingId::new("w7").unwrap());
    let dealer = cx.socket_with(SocketType::Dealer, &options).unwrap();
    dealer.connect(&endpoint).unwrap();
    let there = wait_for(&events, "of the peer", |kind| matches!(kind, EventKind::HandshakeSucceeded { .. }));
    let EventKind::HandshakeSucceeded { peer } = &there.kind else { unreachable!() };
    let line = format!(r#"#{} DEALER 127.0.0.1 ZMTP 3.1 id "w7""#, peer.connection);
    assert_eq!(peer.to_string(), line);
    assert!(there.to_string().ends_with(&format!(": peer is there: {line}")), "{there}");
    dealer.send("four").unwrap();
    router.recv_soon();
    let text = "sent: accepted 0, refused 0, unmatched 0, routed 0, written 0, queued 0, dropped 0; \
                received: 1 (4 bytes), delivered 1, waiting 0, dropped 0";
    assert_eq!(router.stats().to_string(), text);
    assert_eq!(
        zeroxide::ProxyStats::default().front.to_string().split(',').next(),
        Some("received 0 (0 bytes)")
    );
    router.set(opt::ROUTER_MANDATORY, false).unwrap();
    router.send_to(&RoutingId::new("nobody").unwrap(), "x").unwrap();
    assert_eq!(router.stats().dropped.to_string(), "1: 1 unroutable");
    assert_eq!(RoutingId::new("w7").unwrap().to_string(), r#""w7""#);
    assert_eq!(RoutingId::new(vec![1, 2]).unwrap().to_string(), "(hex 0102)");
}
