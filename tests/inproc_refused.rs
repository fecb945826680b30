//! Over inproc: who is refused as a peer, and who waits for a place, and that nobody waits for ever.
#![allow(clippy::unwrap_used)] // a test's helpers

mod common;

use common::{LONG, Soon, until};
use zeroxide::{
    Context, EndpointState, Error, HandshakeCause, Options, ProtocolError, RoutingId, Socket, SocketType, opt,
};

fn named(cx: &Context, name: &str) -> Socket {
    let options = Options::new().set(opt::ROUTING_ID, RoutingId::new(name).unwrap());
    cx.socket_with(SocketType::Dealer, &options).unwrap()
}

#[track_caller]
fn refused(connected: Result<impl Sized, Error>) -> ProtocolError {
    match connected.err().expect("refused") {
        Error::Handshake(error) => match &error.cause {
            HandshakeCause::Protocol(fault) => fault.clone(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_routing_id_in_use_is_refused_at_connect_and_free_again_when_its_peer_is_gone() {
    let cx = Context::new();
    let router = cx.socket(SocketType::Router).unwrap();
    router.bind("inproc://names").unwrap();
    let first = named(&cx, "x");
    first.connect("inproc://names").unwrap();
    let second = named(&cx, "x");
    assert_eq!(refused(second.connect("inproc://names")), ProtocolError::RoutingIdInUse);
    assert!(second.endpoints().is_empty() && second.try_send("to nobody").is_err());
    drop(first.close());
    second.connect("inproc://names").unwrap();
    second.send("hello").unwrap();
    assert_eq!(router.recv_soon()[1], "hello");
}

#[test]
fn who_follows_a_peer_that_left_messages_sends_at_once_and_is_heard_after_them() {
    let cx = Context::new();
    let router = cx.socket(SocketType::Router).unwrap();
    router.bind("inproc://follow").unwrap();
    let mut texts = Vec::new();
    for n in 0..20 {
        let dealer = named(&cx, "x");
        dealer.connect("inproc://follow").unwrap();
        dealer.send_timeout(n.to_string(), LONG).unwrap();
        texts.push(n.to_string());
        drop(dealer.close());
    }
    for text in texts {
        let message = router.recv_soon();
        assert_eq!((&message[0], &message[1]), (&b"x"[..].into(), &text.as_bytes().into()));
    }
}

#[test]
fn connects_that_wait_for_the_name_take_turns_at_a_routing_id() {
    let cx = Context::new();
    let dealers = [named(&cx, "x"), named(&cx, "x")];
    for (dealer, text) in dealers.iter().zip(["first", "second"]) {
        dealer.connect("inproc://late names").unwrap();
        dealer.send_timeout(text, LONG).unwrap();
    }
    let router = cx.socket(SocketType::Router).unwrap();
    router.bind("inproc://late names").unwrap();
    assert_eq!(router.recv_soon()[1], "first");
    assert!(router.try_recv().is_err(), "the name is in use");
    dealers[1].send_timeout("goes on", LONG).unwrap();
    let [first, second] = dealers;
    drop(first.close());
    assert_eq!(router.recv_soon()[1], "second");
    assert_eq!(router.recv_soon()[1], "goes on");
    router.send(["x", "answer"]).unwrap();
    assert_eq!(second.recv_soon()[0], "answer");
}

#[test]
fn a_pair_or_a_channel_that_has_its_peer_refuses_a_second_one_until_the_first_is_gone() {
    for socket_type in [SocketType::Pair, SocketType::Channel] {
        let cx = Context::new();
        let [bound, first, second] = [(); 3].map(|()| cx.socket(socket_type).unwrap());
        bound.bind("inproc://place").unwrap();
        first.connect("inproc://place").unwrap();
        assert_eq!(refused(second.connect("inproc://place")), ProtocolError::HasItsPeer);
        drop(first.close());
        second.connect("inproc://place").unwrap();
        second.send("hello").unwrap();
        assert_eq!(bound.recv_soon()[0], "hello");
    }
}

#[test]
fn who_finds_one_waiting_for_the_place_of_a_pair_or_a_channel_is_refused() {
    for socket_type in [SocketType::Pair, SocketType::Channel] {
        let cx = Context::new();
        let [bound, first, second, third] = [(); 4].map(|()| cx.socket(socket_type).unwrap());
        bound.bind("inproc://line").unwrap();
        first.connect("inproc://line").unwrap();
        first.send("last words").unwrap();
        drop(first.close());
        second.connect("inproc://line").unwrap();
        second.send("from the second").unwrap();
        assert_eq!(refused(third.connect("inproc://line")), ProtocolError::HasItsPeer);
        for text in ["last words", "from the second"] {
            assert_eq!(bound.recv_soon()[0], *text);
        }
        drop(second.close());
        third.connect("inproc://line").unwrap();
        third.send("from the third").unwrap();
        assert_eq!(bound.recv_soon()[0], "from the third");
    }
}

#[test]
fn of_two_pairs_that_wait_for_a_name_the_second_has_the_place_when_the_first_is_gone() {
    let cx = Context::new();
    let [bound, first, second] = [(); 3].map(|()| cx.socket(SocketType::Pair).unwrap());
    for (pair, text) in [(&first, "first"), (&second, "second")] {
        pair.connect("inproc://late place").unwrap();
        pair.send_timeout(text, LONG).unwrap();
    }
    bound.bind("inproc://late place").unwrap();
    assert_eq!(bound.recv_soon()[0], "first");
    drop(first.close());
    assert_eq!(bound.recv_soon()[0], "second");
    bound.send("answer").unwrap();
    assert_eq!(second.recv_soon()[0], "answer");
}

#[test]
fn a_type_that_does_not_fit_is_refused_with_its_cause() {
    let cx = Context::new();
    let (publisher, pull) = (cx.socket(SocketType::Pub).unwrap(), cx.socket(SocketType::Pull).unwrap());
    let fault = |own, peer| ProtocolError::SocketTypeMismatch { own, peer: Some(peer) };
    pull.bind("inproc://pull").unwrap();
    assert_eq!(refused(publisher.connect("inproc://pull")), fault(SocketType::Pub, SocketType::Pull));
    assert!(publisher.endpoints().is_empty());
    // Before the bind nobody can know.
    publisher.connect("inproc://later").unwrap();
    pull.bind("inproc://later").unwrap();
    until("it is refused", || matches!(publisher.endpoints()[0].state, EndpointState::Failed(_)));
    assert!(publisher.status().to_string().contains("peer is PULL, we are PUB"), "{}", publisher.status());
    assert_eq!(publisher.stats().pipes.len(), 0);
    pull.unbind("inproc://later").unwrap();
    let sub = cx.socket(SocketType::Sub).unwrap();
    sub.bind("inproc://later").unwrap();
    publisher.connect("inproc://later").unwrap();
    publisher.wait_for_peers(1, LONG).unwrap();
}
