//! HELLO_MSG, DISCONNECT_MSG, HICCUP_MSG and ROUTER_NOTIFY: messages that come with a peer, or in its place when it goes.
#![allow(clippy::unwrap_used)] // a test's helpers

mod common;

use bytes::Bytes;
use common::{
    LONG, RawPeer, Soon, assert_balanced, greeting, impatient, listen, message, no_linger, ready, until,
    wait_for,
};
use zeroxide::{Context, EventKind, Message, Options, RouterNotify, RoutingId, Socket, SocketType, opt};

const ENDPOINTS: [&str; 3] = ["tcp://127.0.0.1:*", "ipc://*", "inproc://notices"];

fn words(text: &'static str) -> Option<Bytes> {
    Some(Bytes::from_static(text.as_bytes()))
}

fn named(options: Options, text: &str) -> Options {
    options.set(opt::ROUTING_ID, RoutingId::new(text).unwrap())
}

fn notify(connect: bool, disconnect: bool) -> Options {
    no_linger().set(opt::ROUTER_NOTIFY, RouterNotify { connect, disconnect })
}

#[track_caller]
fn expect(socket: &Socket, frames: &[&str]) {
    let message: Message = socket.recv_soon();
    let got: Vec<&str> = message.iter().map(|frame| frame.as_str().unwrap()).collect();
    assert_eq!(got, frames);
}

/// The last peer is gone, and nothing is left of it.
#[track_caller]
fn expect_nothing_more(socket: &Socket) {
    until("the pipe is gone", || {
        assert!(socket.try_recv().is_err(), "one message too many");
        socket.stats().pipes.is_empty()
    });
}

#[test]
fn each_side_hears_the_hello_of_the_other_first() {
    for at in ENDPOINTS {
        let cx = Context::new();
        let hello = |text| no_linger().set(opt::HELLO_MSG, words(text));
        let router = cx.socket_with(SocketType::Router, &hello("from the router")).unwrap();
        let dealer = cx.socket_with(SocketType::Dealer, &named(hello("from the dealer"), "d")).unwrap();
        dealer.connect(router.bind(at).unwrap().to_string()).unwrap();
        dealer.send("message").unwrap();
        expect(&router, &["d", "from the dealer"]);
        expect(&router, &["d", "message"]);
        router.send(("d", "answer")).unwrap();
        expect(&dealer, &["from the router"]);
        expect(&dealer, &["answer"]);
    }
}

#[test]
fn a_hello_overtakes_what_waited_for_the_connection_and_comes_with_each_one() {
    let cx = Context::new();
    let (listener, endpoint) = listen();
    let dealer =
        cx.socket_with(SocketType::Dealer, &impatient().set(opt::HELLO_MSG, words("hello"))).unwrap();
    let events = dealer.monitor();
    dealer.connect(&endpoint).unwrap();
    for round in ["first", "second"] {
        dealer.send(round).unwrap();
        let mut peer = RawPeer::accept(&listener).shake_hands("ROUTER");
        assert_eq!(peer.read_message().unwrap(), [b"hello"]);
        assert_eq!(peer.read_message().unwrap(), [round.as_bytes()]);
        peer.kill();
        wait_for(&events, "of the loss", |kind| matches!(kind, EventKind::Disconnected { .. }));
    }
    // Only what was sent is counted as sent.
    until("all is counted", || dealer.stats().written == 2);
    assert_balanced(&dealer.stats());
    assert_eq!((dealer.stats().accepted, dealer.stats().dropped.total()), (2, 0));
}

#[test]
#[cfg(feature = "curve")]
fn a_hello_is_sealed_like_any_message_and_counted_as_none() {
    use zeroxide::{AccessList, Security, generate_secret_key};
    let cx = Context::new();
    cx.authenticator("", AccessList::new().allow_any_curve_key()).unwrap();
    let (ours, me) = (generate_secret_key().unwrap(), generate_secret_key().unwrap());
    let server = ours.public();
    let pair = [Security::CurveServer(ours), Security::CurveClient { server, me }];
    let [server, client] = pair.map(|security| no_linger().security(security));
    let server = cx.socket_with(SocketType::Server, &server).unwrap();
    let client = cx.socket_with(SocketType::Client, &client.set(opt::HELLO_MSG, words("hello"))).unwrap();
    client.connect(server.bind("tcp://127.0.0.1:*").unwrap().to_string()).unwrap();
    client.send("message").unwrap();
    expect(&server, &["hello"]);
    expect(&server, &["message"]);
    until("all is counted", || client.stats().written == 1);
    assert_balanced(&client.stats());
}

#[test]
fn over_inproc_a_hello_waits_for_a_late_bind() {
    let cx = Context::new();
    let hello = |text| Options::new().set(opt::HELLO_MSG, words(text));
    let client = cx.socket_with(SocketType::Client, &hello("H")).unwrap();
    client.connect("inproc://late").unwrap();
    let server = cx.socket_with(SocketType::Server, &hello("W")).unwrap();
    server.bind("inproc://late").unwrap();
    expect(&server, &["H"]);
    expect(&client, &["W"]);
}

#[test]
fn a_disconnect_message_stands_behind_all_that_an_accepted_peer_sent() {
    for at in ENDPOINTS {
        let cx = Context::new();
        let router =
            cx.socket_with(SocketType::Router, &no_linger().set(opt::DISCONNECT_MSG, words("gone"))).unwrap();
        let endpoint = router.bind(at).unwrap().to_string();
        let dealer = cx.socket_with(SocketType::Dealer, &named(Options::new(), "d")).unwrap();
        dealer.connect(&endpoint).unwrap();
        for part in ["1", "2", "3"] {
            dealer.send(part).unwrap();
        }
        dealer.close().wait();
        for part in ["1", "2", "3", "gone"] {
            expect(&router, &["d", part]);
        }
        expect_nothing_more(&router);
    }
}

#[test]
fn who_ends_a_connection_gets_no_disconnect_message_for_it() {
    for at in ENDPOINTS {
        let cx = Context::new();
        let server =
            cx.socket_with(SocketType::Server, &no_linger().set(opt::DISCONNECT_MSG, words("gone"))).unwrap();
        let client = cx.socket_with(SocketType::Client, &no_linger()).unwrap();
        client.connect(server.bind(at).unwrap().to_string()).unwrap();
        client.send("hello").unwrap();
        let number = server.recv_soon().routing_id();
        server.disconnect_peer(number).unwrap();
        expect_nothing_more(&server);
    }
}

#[test]
fn a_hiccup_message_stands_behind_all_that_the_lost_peer_sent() {
    let cx = Context::new();
    let (listener, endpoint) = listen();
    let options = impatient().set(opt::HICCUP_MSG, words("hiccup"));
    let dealer = cx.socket_with(SocketType::Dealer, &options).unwrap();
    let events = dealer.monitor();
    dealer.connect(&endpoint).unwrap();
    for round in ["first", "second"] {
        let mut peer = RawPeer::accept(&listener).shake_hands("ROUTER");
        peer.send(&[round.as_bytes()]);
        peer.kill();
        wait_for(&events, "of the loss", |kind| matches!(kind, EventKind::Disconnected { .. }));
        expect(&dealer, &[round]);
        expect(&dealer, &["hiccup"]);
    }
    assert!(dealer.try_recv().is_err());
}

#[test]
fn a_router_is_told_of_the_coming_and_the_going_of_a_peer_in_their_places() {
    let cx = Context::new();
    for (connect, disconnect) in [(true, false), (false, true), (true, true)] {
        let router = cx.socket_with(SocketType::Router, &notify(connect, disconnect)).unwrap();
        let endpoint = router.bind("tcp://127.0.0.1:*").unwrap();
        let mut peer = RawPeer::connect(&endpoint).shake_hands_as("DEALER", "X");
        peer.send(&[b"message"]);
        peer.kill();
        if connect {
            expect(&router, &["X", ""]);
        }
        expect(&router, &["X", "message"]);
        if disconnect {
            expect(&router, &["X", ""]);
        }
        expect_nothing_more(&router);
    }
}

#[test]
fn a_router_that_connects_is_told_of_each_connection() {
    let cx = Context::new();
    let (listener, endpoint) = listen();
    let options = notify(true, true).set(opt::RECONNECT_IVL, impatient().get(opt::RECONNECT_IVL).unwrap());
    let router = cx.socket_with(SocketType::Router, &options).unwrap();
    router.connect(&endpoint).unwrap();
    for _ in 0..2 {
        let peer = RawPeer::accept(&listener).shake_hands_as("DEALER", "X");
        expect(&router, &["X", ""]);
        peer.kill();
        expect(&router, &["X", ""]);
    }
}

#[test]
fn strangers_are_told_of_by_nothing() {
    let cx = Context::new();
    let options = notify(true, true).set(opt::DISCONNECT_MSG, words("gone"));
    let router = cx.socket_with(SocketType::Router, &options).unwrap();
    let events = router.monitor();
    let endpoint = router.bind("tcp://127.0.0.1:*").unwrap();
    let mut stranger = std::net::TcpStream::connect(common::address(&endpoint)).unwrap();
    std::io::Write::write_all(&mut stranger, b"not-a-handshake").unwrap();
    wait_for(&events, "of the failure", |kind| matches!(kind, EventKind::HandshakeFailed(_)));
    assert!(router.try_recv().is_err());
}

#[test]
fn a_peer_that_breaks_the_protocol_right_behind_its_handshake_had_come() {
    let cx = Context::new();
    let options = notify(true, true).set(opt::MAXMSGSIZE, Some(64)).set(opt::DISCONNECT_MSG, words("gone"));
    let router = cx.socket_with(SocketType::Router, &options).unwrap();
    let events = router.monitor();
    let endpoint = router.bind("tcp://127.0.0.1:*").unwrap();
    let mut peer = RawPeer::connect(&endpoint);
    // In one write: a whole message, half of another and a frame that is too long.
    let mut bytes = [&greeting()[..], &ready("DEALER", "X"), &message(&[b"whole"])].concat();
    bytes.extend([1, 1, b'h', 0, 127]);
    peer.send_bytes(&bytes);
    for part in ["", "whole", "", "gone"] {
        expect(&router, &["X", part]);
    }
    wait_for(&events, "of the fault", |kind| matches!(kind, EventKind::Disconnected { .. }));
    peer.expect_end();
}

#[test]
fn options_of_an_endpoint_hold_for_its_peers_alone() {
    let cx = Context::new();
    let router = cx.socket_with(SocketType::Router, &no_linger()).unwrap();
    let quiet = router.bind("tcp://127.0.0.1:*").unwrap();
    let telling = Options::new().set(opt::HELLO_MSG, words("hello"));
    let telling = router.bind_with("tcp://127.0.0.1:*", &telling).unwrap();
    let mut peer = RawPeer::connect(&quiet).shake_hands_as("DEALER", "q");
    router.wait_for_peers(1, LONG).unwrap();
    router.send(("q", "first")).unwrap();
    assert_eq!(peer.read_message().unwrap(), [b"first"]);
    let mut peer = RawPeer::connect(&telling).shake_hands("DEALER");
    assert_eq!(peer.read_message().unwrap(), [b"hello"]);
}
