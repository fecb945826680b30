//! Over tcp and ipc: a peer that there is no place for is refused within its handshake, keeps what it has queued, and comes
//! in when the place is free. Over inproc: `inproc_refused`.
#![allow(clippy::unwrap_used)] // a test's helpers

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};

use common::{LONG, RawPeer, Soon, assert_balanced, impatient, until, wait_for};
use zeroxide::{
    Authenticate, Cause, Context, Credentials, EndpointState, Error, Event, EventKind, HandshakeCause,
    Monitor, Options, ProtocolError, RoutingId, Socket, SocketType, Verdict, opt,
};

#[cfg(unix)]
const ENDPOINTS: [&str; 2] = ["tcp://127.0.0.1:*", "ipc://*"];
#[cfg(not(unix))]
const ENDPOINTS: [&str; 1] = ["tcp://127.0.0.1:*"];

fn named(name: &str) -> Options {
    impatient().set(opt::ROUTING_ID, RoutingId::new(name).unwrap()).set(opt::LINGER, Some(LONG))
}

fn dealer(cx: &Context, name: &str) -> Socket {
    cx.socket_with(SocketType::Dealer, &named(name)).unwrap()
}

/// A ROUTER that is bound, and a DEALER that has the routing id "x" there.
fn taken(at: &str) -> (Context, Socket, String, Socket) {
    let cx = Context::new();
    let router = cx.socket(SocketType::Router).unwrap();
    let endpoint = router.bind(at).unwrap().to_string();
    let first = dealer(&cx, "x");
    first.connect_ready(&endpoint, LONG).unwrap();
    (cx, router, endpoint, first)
}

/// Why the only endpoint of the socket has failed.
fn failure(socket: &Socket) -> Option<HandshakeCause> {
    match &socket.endpoints()[0].state {
        EndpointState::Failed(error) => Some(error.cause.clone()),
        _ => None,
    }
}

#[track_caller]
fn assert_fails(socket: &Socket, fault: &ProtocolError) {
    let mut cause = None;
    until("the endpoint has failed", || {
        cause = failure(socket);
        cause.is_some()
    });
    assert_eq!(cause, Some(HandshakeCause::Protocol(fault.clone())));
}

#[track_caller]
fn assert_tells(events: &Monitor, fault: &ProtocolError) {
    let Event { kind, .. } =
        wait_for(events, "of the refusal", |kind| matches!(kind, EventKind::HandshakeFailed(_)));
    let EventKind::HandshakeFailed(error) = kind else { unreachable!() };
    assert_eq!(error.cause, HandshakeCause::Protocol(fault.clone()), "{error}");
}

/// `second` has found no place: it has all that it sent, and knows why. When `first` is gone `bound` gets everything.
fn keeps_all_until_there_is_place(bound: &Socket, first: Socket, second: &Socket, fault: &ProtocolError) {
    assert_fails(second, fault);
    for n in 0..150 {
        second.send(n.to_string()).unwrap();
    }
    let stats = second.stats();
    assert_eq!((stats.queued, stats.written, stats.dropped.total()), (150, 0, 0), "{stats:?}");
    drop(first.close());
    for n in 0..150 {
        assert_eq!(*bound.recv_soon().iter().last().unwrap(), *n.to_string());
    }
    until("all is written", || second.stats().written == 150);
    assert_balanced(&second.stats());
}

#[test]
fn a_peer_with_a_routing_id_in_use_is_refused_and_keeps_its_queue() {
    for at in ENDPOINTS {
        let (cx, router, endpoint, first) = taken(at);
        let (events, second) = (router.monitor(), dealer(&cx, "x"));
        let seconds = second.monitor();
        let error = second.connect_ready(&endpoint, LONG).unwrap_err();
        assert!(matches!(&error, Error::Handshake(_)), "{error:?}");
        assert!(error.to_string().contains("another peer has this routing id"), "{error}");
        for events in [&events, &seconds] {
            assert_tells(events, &ProtocolError::RoutingIdInUse);
        }
        keeps_all_until_there_is_place(&router, first, &second, &ProtocolError::RoutingIdInUse);
    }
}

#[test]
fn who_is_refused_and_never_dials_again_gives_its_queue_up_when_it_closes_or_disconnects() {
    for at in ENDPOINTS {
        for disconnects in [false, true] {
            let (cx, _router, endpoint, _first) = taken(at);
            let options = named("x").set(opt::RECONNECT_IVL, None).set(opt::LINGER, None);
            let second = cx.socket_with(SocketType::Dealer, &options).unwrap();
            second.connect(&endpoint).unwrap();
            second.send("never sent").unwrap();
            until("the endpoint has failed", || failure(&second).is_some());
            assert_eq!(second.stats().queued, 1);
            if disconnects {
                second.disconnect(&endpoint).unwrap();
                until("it is dropped", || second.stats().queued == 0);
                assert_eq!(second.stats().dropped.by(Cause::Linger), 1);
                assert_balanced(&second.stats());
            }
            let report = second.close().wait_timeout(LONG).expect("nothing to wait for");
            assert_eq!((report.written, report.dropped), (0, u64::from(!disconnects)));
        }
    }
}

#[test]
fn what_was_sent_before_the_refusal_is_kept_too() {
    for at in ENDPOINTS {
        let (cx, router, endpoint, first) = taken(at);
        let second = dealer(&cx, "x");
        second.connect(&endpoint).unwrap();
        for n in 0..150 {
            second.send(n.to_string()).unwrap();
        }
        assert_fails(&second, &ProtocolError::RoutingIdInUse);
        let stats = second.stats();
        assert_eq!((stats.queued, stats.written, stats.dropped.total()), (150, 0, 0), "{stats:?}");
        drop(first.close());
        for n in 0..150 {
            assert_eq!(router.recv_soon()[1], *n.to_string());
        }
    }
}

#[test]
fn a_second_peer_of_a_pair_or_a_channel_is_refused_and_keeps_its_queue() {
    for at in ENDPOINTS {
        for socket_type in [SocketType::Pair, SocketType::Channel] {
            let cx = Context::new();
            let [bound, first, second] = [(); 3].map(|()| cx.socket_with(socket_type, &impatient()).unwrap());
            let endpoint = bound.bind(at).unwrap().to_string();
            first.connect_ready(&endpoint, LONG).unwrap();
            let events = bound.monitor();
            second.connect(&endpoint).unwrap();
            assert_tells(&events, &ProtocolError::HasItsPeer);
            keeps_all_until_there_is_place(&bound, first, &second, &ProtocolError::HasItsPeer);
        }
    }
}

/// `first` leaves a message and is gone, and `second` waits until that is read: `third` is refused.
fn refuses_a_third(bound: &Socket, endpoint: &str, peers: [Socket; 3], fault: &ProtocolError) {
    let [first, second, third] = peers;
    let events = bound.monitor();
    first.connect_ready(endpoint, LONG).unwrap();
    first.send("last words").unwrap();
    first.close().wait();
    wait_for(&events, "of the end", |kind| matches!(kind, EventKind::Disconnected { .. }));
    second.connect_ready(endpoint, LONG).unwrap();
    second.send("from the second").unwrap();
    third.connect(endpoint).unwrap();
    assert_tells(&events, fault);
    assert_fails(&third, fault);
    for text in ["last words", "from the second"] {
        assert_eq!(*bound.recv_soon().iter().last().unwrap(), *text);
    }
    keeps_all_until_there_is_place(bound, second, &third, fault);
}

#[test]
fn who_finds_one_waiting_for_the_place_of_a_pair_or_a_channel_is_refused_and_keeps_its_queue() {
    for at in ENDPOINTS {
        for socket_type in [SocketType::Pair, SocketType::Channel] {
            let cx = Context::new();
            let bound = cx.socket_with(socket_type, &impatient()).unwrap();
            let endpoint = bound.bind(at).unwrap().to_string();
            let options = impatient().set(opt::LINGER, Some(LONG));
            let peers = [(); 3].map(|()| cx.socket_with(socket_type, &options).unwrap());
            refuses_a_third(&bound, &endpoint, peers, &ProtocolError::HasItsPeer);
        }
    }
}

/// Names every peer as another user.
struct Strangers(AtomicUsize);

impl Authenticate for Strangers {
    fn check(&self, _: &Credentials) -> Verdict {
        Verdict::allow(self.0.fetch_add(1, Ordering::SeqCst).to_string())
    }
}

#[test]
fn who_finds_one_waiting_for_a_routing_id_is_refused_and_keeps_its_queue() {
    for at in ENDPOINTS {
        let cx = Context::new();
        cx.authenticator("lab", Strangers(AtomicUsize::new(0))).unwrap();
        let options = Options::new().set(opt::ZAP_DOMAIN, "lab".to_owned());
        let router = cx.socket_with(SocketType::Router, &options).unwrap();
        let endpoint = router.bind(at).unwrap().to_string();
        let peers = [(); 3].map(|()| dealer(&cx, "x"));
        refuses_a_third(&router, &endpoint, peers, &ProtocolError::RoutingIdInUse);
    }
}

#[test]
fn a_request_of_a_refused_req_is_answered_when_its_routing_id_is_free() {
    for at in ENDPOINTS {
        let (cx, router, endpoint, first) = taken(at);
        let req = cx.socket_with(SocketType::Req, &named("x")).unwrap();
        req.connect(&endpoint).unwrap();
        req.send("question").unwrap();
        assert_fails(&req, &ProtocolError::RoutingIdInUse);
        drop(first.close());
        assert_eq!(router.recv_soon()[2], "question");
        router.send(["x", "", "answer"]).unwrap();
        assert_eq!(req.recv_soon()[0], "answer");
    }
}

#[test]
fn who_follows_a_peer_that_left_messages_comes_in_at_once_and_is_heard_after_them() {
    for at in ENDPOINTS {
        let cx = Context::new();
        let options = Options::new().set(opt::BACKLOG, 400);
        let router = cx.socket_with(SocketType::Router, &options).unwrap();
        let events = router.monitor();
        let endpoint = router.bind(at).unwrap().to_string();
        for n in 0..20 {
            let dealer = dealer(&cx, "x");
            dealer.connect_ready(&endpoint, LONG).unwrap();
            dealer.send(n.to_string()).unwrap();
            dealer.close().wait();
            wait_for(&events, "of the end", |kind| matches!(kind, EventKind::Disconnected { .. }));
        }
        let last = dealer(&cx, "x");
        last.connect_ready(&endpoint, LONG).unwrap();
        router.send(["x", "hello"]).unwrap();
        assert_eq!(last.recv_soon()[0], "hello");
        for n in 0..20 {
            let message = router.recv_soon();
            assert_eq!((&message[0], &message[1]), (&b"x"[..].into(), &n.to_string().as_bytes().into()));
        }
        last.send("last").unwrap();
        assert_eq!(router.recv_soon()[1], "last");
    }
}

#[test]
fn a_pair_whose_peer_left_messages_takes_the_next_one() {
    for at in ENDPOINTS {
        let cx = Context::new();
        let [bound, first, second] = [(); 3].map(|()| cx.socket(SocketType::Pair).unwrap());
        let events = bound.monitor();
        let endpoint = bound.bind(at).unwrap().to_string();
        first.connect_ready(&endpoint, LONG).unwrap();
        first.send("last words").unwrap();
        first.close().wait();
        wait_for(&events, "of the end", |kind| matches!(kind, EventKind::Disconnected { .. }));
        second.connect_ready(&endpoint, LONG).unwrap();
        second.send("hello").unwrap();
        bound.send("welcome").unwrap();
        assert_eq!(second.recv_soon()[0], "welcome");
        assert_eq!(bound.recv_soon()[0], "last words");
        assert_eq!(bound.recv_soon()[0], "hello");
    }
}

#[test]
fn a_router_that_finds_one_routing_id_at_two_endpoints_dials_the_second_until_it_is_free() {
    for at in ENDPOINTS {
        for immediate in [false, true] {
            let cx = Context::new();
            let options = impatient().set(opt::IMMEDIATE, immediate);
            let router = cx.socket_with(SocketType::Router, &options).unwrap();
            let [first, second] = [(); 2].map(|()| dealer(&cx, "x"));
            let [one, two] = [&first, &second].map(|dealer| dealer.bind(at).unwrap().to_string());
            router.connect_ready(&one, LONG).unwrap();
            let events = router.monitor();
            router.connect(&two).unwrap();
            for _ in 0..2 {
                assert_tells(&events, &ProtocolError::RoutingIdInUse);
            }
            first.send("first").unwrap();
            assert_eq!(router.recv_soon()[1], "first");
            first.close().wait();
            router.disconnect(&one).unwrap();
            until("the second is there", || {
                router.endpoints().iter().any(|row| matches!(row.state, EndpointState::Connected { .. }))
            });
            second.send("second").unwrap();
            assert_eq!(router.recv_soon()[1], "second");
            router.send(["x", "answer"]).unwrap();
            assert_eq!(second.recv_soon()[0], "answer");
        }
    }
}

#[test]
fn a_name_that_connect_routing_id_gave_is_refused_to_others() {
    for at in ENDPOINTS {
        let cx = Context::new();
        let router = cx.socket(SocketType::Router).unwrap();
        let endpoint = router.bind(at).unwrap().to_string();
        let first = dealer(&cx, "anything");
        let firsts = first.bind(at).unwrap().to_string();
        let given = Options::new().set(opt::CONNECT_ROUTING_ID, RoutingId::new("x").unwrap());
        router.connect_with(&firsts, &given).unwrap();
        router.wait_for_peers(1, LONG).unwrap();
        let second = dealer(&cx, "x");
        second.connect(&endpoint).unwrap();
        assert_fails(&second, &ProtocolError::RoutingIdInUse);
    }
}

/// After an ERROR libzmq gives up for good and loses its queue; after an end without a word it dials again.
#[test]
fn a_peer_that_may_not_dial_again_after_an_error_is_refused_without_a_word() {
    let cx = Context::new();
    let router = cx.socket(SocketType::Router).unwrap();
    let endpoint = router.bind(ENDPOINTS[0]).unwrap().to_string();
    let first = RawPeer::connect(&endpoint).shake_hands_as("DEALER", "x");
    router.wait_for_peers(1, LONG).unwrap();
    let mut second = RawPeer::connect(&endpoint);
    let hello = [common::greeting(), common::ready("DEALER", "x")].concat();
    std::io::Write::write_all(&mut second.stream, &hello).unwrap();
    let mut heard = Vec::new();
    std::io::Read::read_to_end(&mut second.stream, &mut heard).unwrap();
    assert_eq!(heard.len(), 64, "a greeting and no more: {heard:?}");
    drop(first);
}

#[test]
fn a_pair_or_a_channel_that_has_its_peer_refuses_to_connect_to_another() {
    for at in ENDPOINTS.into_iter().chain(["inproc://second"]) {
        for socket_type in [SocketType::Pair, SocketType::Channel] {
            let cx = Context::new();
            let [one, two, pair] = [(); 3].map(|()| cx.socket(socket_type).unwrap());
            let first = one.bind(at).unwrap().to_string();
            let second =
                two.bind(if at.starts_with("inproc") { "inproc://third" } else { at }).unwrap().to_string();
            pair.connect(&first).unwrap();
            let Err(Error::Handshake(error)) = pair.connect(&second) else { panic!("connected to both") };
            assert_eq!(error.cause, HandshakeCause::Protocol(ProtocolError::HasItsPeer));
            pair.disconnect(&first).unwrap();
            pair.connect(&second).unwrap();
            pair.send("hello").unwrap();
            assert_eq!(two.recv_soon()[0], "hello");
        }
    }
}
