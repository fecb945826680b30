//! Connections that come and go: nothing twice, nothing torn, nothing out of order, and lost only what the counters say.
#![allow(clippy::unwrap_used)] // a test's helpers

mod common;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use common::{LONG, RawPeer, Soon, address, assert_balanced, impatient, listen, no_linger, until, wait_for};
use zeroxide::{
    Cause, Context, EndpointState, Error, EventKind, Message, Monitor, Options, ReconnectStop, RoutingId,
    Socket, SocketType, Why, opt,
};

fn number(bytes: &[u8]) -> u32 {
    u32::from_be_bytes(bytes[..4].try_into().unwrap())
}

/// A message of three frames that tells whether it is whole.
fn numbered(n: u32) -> [Vec<u8>; 3] {
    [n.to_be_bytes().to_vec(), vec![n as u8; (n % 700) as usize], n.to_be_bytes().to_vec()]
}

#[track_caller]
fn number_of(frames: &[Vec<u8>]) -> u32 {
    let n = number(&frames[0]);
    assert_eq!(frames, numbered(n), "torn");
    n
}

/// A type that takes what one of `socket_type` sends.
fn taker_of(socket_type: SocketType) -> &'static str {
    if socket_type == SocketType::Push { "PULL" } else { "ROUTER" }
}

#[test]
fn a_server_that_restarts_in_mid_stream_gets_nothing_twice_torn_or_out_of_order() {
    let cx = Context::new();
    let (listener, endpoint) = listen();
    let push = cx.socket_with(SocketType::Push, &impatient()).unwrap();
    push.connect(&endpoint).unwrap();
    let count = 40_000;
    let mut got: Vec<u32> = Vec::new();
    thread::scope(|scope| {
        let sender = scope.spawn(|| (0..count).for_each(|n| push.send(numbered(n)).unwrap()));
        for restart in 0.. {
            let mut peer = RawPeer::accept(&listener).shake_hands("PULL");
            if sender.is_finished() {
                // This one stays: what comes last arrives.
                push.send(numbered(count)).unwrap();
                while got.last() != Some(&count) {
                    got.push(number_of(&peer.read_message().unwrap()));
                }
                return;
            }
            for _ in 0..100 + 37 * (restart % 30) {
                if sender.is_finished() && push.stats().queued == 0 {
                    break;
                }
                got.push(number_of(&peer.read_message().unwrap()));
            }
            peer.kill();
        }
    });
    assert!(got.windows(2).all(|two| two[0] < two[1]), "twice or out of order");
    // A message can be read before its writer has counted it.
    until("all is counted", || push.stats().queued == 0);
    let stats = push.stats();
    assert_balanced(&stats);
    // What was written to a connection that died may have died with it; all else arrived, or is counted.
    let lost = u64::from(count + 1) - got.len() as u64;
    assert!(lost >= stats.dropped.by(Cause::PeerLost));
    assert_eq!(stats.written + stats.dropped.by(Cause::PeerLost), u64::from(count + 1));
}

#[test]
fn messages_that_no_connection_has_taken_wait_for_the_next_one() {
    let cx = Context::new();
    let (listener, endpoint) = listen();
    let push = cx.socket_with(SocketType::Push, &impatient()).unwrap();
    push.connect(&endpoint).unwrap();
    let events = push.monitor();
    let mut next = 0u32;
    for _ in 0..20 {
        let mut peer = RawPeer::accept(&listener).shake_hands("PULL");
        for _ in 0..3 {
            push.send(&next.to_be_bytes()).unwrap();
            assert_eq!(number(&peer.read_message().unwrap()[0]), next);
            next += 1;
        }
        peer.kill();
        wait_for(&events, "of the loss", |kind| matches!(kind, EventKind::Disconnected { .. }));
        // Nobody is there now: this waits.
        push.send(&next.to_be_bytes()).unwrap();
        let mut peer = RawPeer::accept(&listener).shake_hands("PULL");
        assert_eq!(number(&peer.read_message().unwrap()[0]), next);
        next += 1;
        peer.kill();
        wait_for(&events, "of the loss", |kind| matches!(kind, EventKind::Disconnected { .. }));
    }
    assert_eq!((push.stats().written, push.stats().dropped.total()), (u64::from(next), 0));
}

#[test]
fn a_message_that_was_half_received_when_its_sender_died_is_never_seen() {
    for cut in 1..12 {
        let cx = Context::new();
        let pull = cx.socket(SocketType::Pull).unwrap();
        let endpoint = pull.bind("tcp://127.0.0.1:*").unwrap();
        let events = pull.monitor();
        let mut peer = RawPeer::connect(&endpoint).shake_hands("PUSH");
        let whole = common::message(&[b"one", b"two", b"three"]);
        peer.send_bytes(&whole);
        peer.send_bytes(&whole[..cut]);
        peer.kill();
        wait_for(&events, "of the loss", |kind| matches!(kind, EventKind::Disconnected { .. }));
        let mut peer = RawPeer::connect(&endpoint).shake_hands("PUSH");
        peer.send(&[b"next"]);
        let first = pull.recv_soon();
        assert_eq!((first.len(), &first[2]), (3, &"three".into()));
        assert_eq!(pull.recv_soon()[0], "next");
    }
}

#[test]
fn immediate_refuses_while_nobody_is_there_and_waits_for_a_handshake() {
    let cx = Context::new();
    let (listener, endpoint) = listen();
    let options = impatient().set(opt::IMMEDIATE, true);
    let push = cx.socket_with(SocketType::Push, &options).unwrap();
    push.connect(&endpoint).unwrap();
    assert!(matches!(push.try_send("x").unwrap_err().error, Error::WouldBlock(Why::NoPeer { .. })));
    // A connection without a handshake is nobody either.
    let stream = RawPeer::accept(&listener);
    assert!(matches!(push.try_send("x").unwrap_err().error, Error::WouldBlock(Why::NoPeer { .. })));
    thread::scope(|scope| {
        let sender = scope.spawn(|| push.send_timeout("waited", LONG));
        until("it waits", || push.status().senders_waiting == 1);
        let mut peer = stream.shake_hands("PULL");
        sender.join().unwrap().unwrap();
        assert_eq!(peer.read_message().unwrap(), [b"waited"]);
        let events = push.monitor();
        peer.kill();
        wait_for(&events, "of the loss", |kind| matches!(kind, EventKind::Disconnected { .. }));
    });
    until("nobody is there again", || push.try_send("x").is_err());
    let mut peer = RawPeer::accept(&listener).shake_hands("PULL");
    push.send("again").unwrap();
    loop {
        let message = peer.read_message().unwrap();
        if message == [b"again"] {
            break;
        }
        assert_eq!(message, [b"x"]);
    }
}

/// With IMMEDIATE each connection has a pipe of its own, and the last one's keeps the name until it is read.
#[test]
fn with_immediate_a_peer_keeps_its_name_when_it_comes_back_before_all_it_had_sent_is_received() {
    let given = impatient().set(opt::CONNECT_ROUTING_ID, RoutingId::new("desk").unwrap());
    for (options, announced) in [(given, ""), (impatient(), "desk")] {
        let cx = Context::new();
        let (listener, endpoint) = listen();
        let router = cx.socket_with(SocketType::Router, &impatient()).unwrap();
        let events = router.monitor();
        router.connect_with(&endpoint, &options.set(opt::IMMEDIATE, true)).unwrap();
        let shake_hands = || RawPeer::accept(&listener).shake_hands_as("DEALER", announced);
        let mut peer = shake_hands();
        peer.send(&[b"left"]);
        peer.kill();
        wait_for(&events, "of the loss", |kind| matches!(kind, EventKind::Disconnected { .. }));
        let mut peer = shake_hands();
        until("it can be sent to", || router.try_send(["desk", "back"]).is_ok());
        assert_eq!(peer.read_message().unwrap(), [b"back"]);
        let message = router.recv_soon();
        assert_eq!((&message[0], &message[1]), (&"desk".into(), &"left".into()));
    }
}

#[test]
fn what_a_router_sends_to_a_peer_never_reaches_another_one_that_took_its_address() {
    let cx = Context::new();
    let (listener, endpoint) = listen();
    let router = cx.socket_with(SocketType::Router, &impatient()).unwrap();
    let events = router.monitor();
    router.connect(&endpoint).unwrap();
    let mut alice = RawPeer::accept(&listener).shake_hands_as("DEALER", "alice");
    until("alice is known", || router.try_send(["alice", "1"]).is_ok());
    assert_eq!(alice.read_message().unwrap(), [b"1"]);
    alice.send(&[b"left unread"]);
    alice.kill();
    wait_for(&events, "of the loss", |kind| matches!(kind, EventKind::Disconnected { .. }));
    // She may come back: this waits for her.
    router.send(["alice", "2"]).unwrap();
    let mut bob = RawPeer::accept(&listener).shake_hands_as("DEALER", "bob");
    until("bob is known", || router.try_send(["bob", "3"]).is_ok());
    assert_eq!(bob.read_message().unwrap(), [b"3"]);
    let refused = router.try_send(["alice", "4"]).unwrap_err().error;
    assert!(matches!(refused, Error::Unroutable { .. }), "{refused:?}");
    bob.send(&[b"hello"]);
    for (name, text) in [("alice", "left unread"), ("bob", "hello")] {
        let message = router.recv_soon();
        assert_eq!((&message[0], &message[1]), (&name.into(), &text.into()));
    }
    let stats = router.stats();
    assert_balanced(&stats);
    assert_eq!((stats.dropped.by(Cause::PeerLost), stats.queued), (1, 0));
}

#[test]
fn what_waits_for_a_peer_of_a_router_reaches_it_when_it_comes_back() {
    let given = impatient().set(opt::CONNECT_ROUTING_ID, RoutingId::new("desk").unwrap());
    // With a name that the application gave the endpoint, whoever is there is meant.
    for (options, announced) in [(impatient(), ["desk", "desk"]), (given, ["alice", "bob"])] {
        let cx = Context::new();
        let (listener, endpoint) = listen();
        let router = cx.socket_with(SocketType::Router, &impatient()).unwrap();
        let events = router.monitor();
        router.connect_with(&endpoint, &options).unwrap();
        let peer = RawPeer::accept(&listener).shake_hands_as("DEALER", announced[0]);
        until("it is known", || router.try_send(["desk", "1"]).is_ok());
        peer.kill();
        wait_for(&events, "of the loss", |kind| matches!(kind, EventKind::Disconnected { .. }));
        router.send(["desk", "waits"]).unwrap();
        let mut peer = RawPeer::accept(&listener).shake_hands_as("DEALER", announced[1]);
        while peer.read_message().unwrap() != [b"waits"] {}
    }
}

#[test]
fn a_reply_never_reaches_another_peer_than_the_one_that_asked() {
    let cx = Context::new();
    let (listener, endpoint) = listen();
    let rep = cx.socket_with(SocketType::Rep, &impatient()).unwrap();
    let events = rep.monitor();
    rep.connect(&endpoint).unwrap();
    for id in ["", "desk"] {
        let mut gone = RawPeer::accept(&listener).shake_hands_as("REQ", id);
        gone.send(&[b"", b"old"]);
        assert_eq!(rep.recv_soon()[0], "old");
        // Two more, which are received when their sender is gone.
        gone.send(&[b"", b"old"]);
        gone.send(&[b"", b"old"]);
        gone.kill();
        wait_for(&events, "of the loss", |kind| matches!(kind, EventKind::Disconnected { .. }));
        let mut asks = RawPeer::accept(&listener).shake_hands_as("REQ", id);
        asks.send(&[b"", b"new"]);
        rep.wait_for_peers(1, LONG).unwrap();
        rep.send("reply to the old one").unwrap();
        loop {
            let question = rep.recv_soon();
            rep.send(question.clone()).unwrap();
            if question[0] == "new" {
                break;
            }
        }
        assert_eq!(asks.read_message().unwrap(), [&b""[..], b"new"]);
        asks.kill();
        wait_for(&events, "of the loss", |kind| matches!(kind, EventKind::Disconnected { .. }));
    }
    assert_balanced(&rep.stats());
}

#[test]
fn a_number_of_a_server_that_connects_belongs_to_one_connection() {
    let cx = Context::new();
    let (listener, endpoint) = listen();
    let server = cx.socket_with(SocketType::Server, &impatient()).unwrap();
    server.connect(&endpoint).unwrap();
    let mut gone = RawPeer::accept(&listener).shake_hands("CLIENT");
    gone.send(&[b"old"]);
    let question = server.recv_soon();
    gone.kill();
    let mut asks = RawPeer::accept(&listener).shake_hands("CLIENT");
    asks.send(&[b"new"]);
    let other = server.recv_soon();
    assert_ne!(question.routing_id(), other.routing_id());
    let refused =
        server.send(Message::from("late").with_routing_id(question.routing_id())).unwrap_err().error;
    assert!(matches!(refused, Error::Unroutable { .. }), "{refused:?}");
    server.send(Message::from("answer").with_routing_id(other.routing_id())).unwrap();
    assert_eq!(asks.read_message().unwrap(), [b"answer"]);
}

#[test]
fn bytes_for_one_connection_of_a_stream_never_go_to_the_next() {
    let given = impatient().set(opt::CONNECT_ROUTING_ID, RoutingId::new("desk").unwrap());
    for options in [impatient(), given] {
        let cx = Context::new();
        let (listener, endpoint) = listen();
        let stream = cx.socket(SocketType::Stream).unwrap();
        let events = stream.monitor();
        stream.connect_with(&endpoint, &options).unwrap();
        let (mut gone, _) = listener.accept().unwrap();
        let began = stream.recv_soon();
        gone.write_all(b"old").unwrap();
        drop(gone);
        wait_for(&events, "of the loss", |kind| matches!(kind, EventKind::Disconnected { .. }));
        until("it cannot be sent to", || stream.try_send([&began[0][..], b"late"]).is_err());
        let (mut next, _) = listener.accept().unwrap();
        next.write_all(b"new").unwrap();
        let told: Vec<Message> = (0..4).map(|_| stream.recv_soon()).collect();
        let bytes: Vec<&[u8]> = told.iter().map(|message| &message[1][..]).collect();
        assert_eq!(bytes, [&b"old"[..], b"", b"", b"new"], "the end of one, then the beginning of the next");
        assert_eq!((&told[0][0], &told[1][0]), (&began[0], &began[0]));
        stream.send([&told[3][0][..], b"answer"]).unwrap();
        let mut answer = [0; 6];
        next.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"answer");
    }
}

#[test]
fn with_immediate_messages_go_to_the_endpoint_that_is_alive_only() {
    for socket_type in [SocketType::Push, SocketType::Dealer] {
        let cx = Context::new();
        let (listener, endpoint) = listen();
        let socket = cx.socket_with(socket_type, &no_linger().set(opt::IMMEDIATE, true)).unwrap();
        socket.connect("tcp://127.0.0.1:1").unwrap();
        socket.connect(&endpoint).unwrap();
        let mut peer = RawPeer::accept(&listener).shake_hands(taker_of(socket_type));
        socket.wait_for_peers(1, LONG).unwrap();
        (0..100u32).for_each(|n| socket.send(&n.to_be_bytes()).unwrap());
        (0..100u32).for_each(|n| assert_eq!(number(&peer.read_message().unwrap()[0]), n));
    }
}

#[test]
fn without_immediate_a_dead_endpoint_gets_its_turns_up_to_its_mark() {
    for socket_type in [SocketType::Push, SocketType::Dealer] {
        let cx = Context::new();
        let (listener, endpoint) = listen();
        let socket = cx.socket_with(socket_type, &no_linger().set(opt::SNDHWM, 10)).unwrap();
        socket.connect("tcp://127.0.0.1:1").unwrap();
        socket.connect(&endpoint).unwrap();
        let mut peer = RawPeer::accept(&listener).shake_hands(taker_of(socket_type));
        socket.wait_for_peers(1, LONG).unwrap();
        (0..100u32).for_each(|n| socket.send(&n.to_be_bytes()).unwrap());
        let got: Vec<u32> = (0..90).map(|_| number(&peer.read_message().unwrap()[0])).collect();
        assert!(got.windows(2).all(|two| two[0] < two[1]));
        until("only the dead one's are left", || socket.stats().queued == 10);
    }
}

#[test]
fn two_sockets_of_ours_survive_the_restart_of_either() {
    let path = format!(
        "ipc://{}",
        std::env::temp_dir().join(format!("zeroxide-restart-{}", std::process::id())).display()
    );
    for bound in ["tcp://127.0.0.1:*", &path] {
        let cx = Context::new();
        let mut rep = cx.socket(SocketType::Rep).unwrap();
        let endpoint = rep.bind(bound).unwrap().to_string();
        let req = cx.socket_with(SocketType::Req, &impatient()).unwrap();
        req.connect(&endpoint).unwrap();
        for round in 0..30u32 {
            thread::scope(|scope| {
                scope.spawn(|| {
                    let question = rep.recv_soon();
                    rep.send(question).unwrap();
                });
                let answer = req.request(&round.to_be_bytes(), LONG).unwrap();
                assert_eq!(number(&answer[0]), round);
            });
            let events = req.monitor();
            rep.close().wait();
            wait_for(&events, "of the loss", |kind| matches!(kind, EventKind::Disconnected { .. }));
            rep = cx.socket(SocketType::Rep).unwrap();
            rep.bind(&endpoint).unwrap();
        }
    }
}

#[test]
fn a_subscriber_subscribes_again_on_every_connection() {
    let cx = Context::new();
    let (listener, endpoint) = listen();
    let subscriber = cx.socket_with(SocketType::Sub, &impatient()).unwrap();
    subscriber.subscribe("a").unwrap();
    subscriber.subscribe("b").unwrap();
    subscriber.connect(&endpoint).unwrap();
    for round in 0..10 {
        let mut peer = RawPeer::accept(&listener).shake_hands("PUB");
        let mut topics =
            vec![peer.read_command("SUBSCRIBE").unwrap(), peer.read_command("SUBSCRIBE").unwrap()];
        topics.sort();
        assert_eq!(topics, [b"a", if round < 5 { b"b" } else { b"c" }]);
        peer.send(&[b"unwanted"]);
        peer.send(&[b"a", b"wanted"]);
        assert_eq!(subscriber.recv_soon()[1], "wanted");
        let events = subscriber.monitor();
        peer.kill();
        wait_for(&events, "of the loss", |kind| matches!(kind, EventKind::Disconnected { .. }));
        if round == 4 {
            subscriber.unsubscribe("b").unwrap();
            subscriber.subscribe("c").unwrap();
        }
    }
}

#[test]
fn reconnect_stop_gives_up_when_nobody_listens() {
    let (cx, endpoint) = (Context::new(), deserted());
    let stop = ReconnectStop { conn_refused: true, ..ReconnectStop::default() };
    let push = cx.socket_with(SocketType::Push, &impatient().set(opt::RECONNECT_STOP, stop)).unwrap();
    let events = push.monitor();
    push.connect(&endpoint).unwrap();
    wait_for(&events, "of the refusal", |kind| matches!(kind, EventKind::ConnectFailed(_)));
    // Only another connect dials again: a listener meets nobody before that.
    let listener = TcpListener::bind(address(&endpoint)).unwrap();
    let more = events.recv_timeout(Duration::from_millis(60));
    assert!(matches!(more, Err(Error::TimedOut(_))), "{more:?}");
    assert!(push.endpoints().iter().all(|row| row.state != EndpointState::Dialling));
    drop(listener);
}

/// An endpoint where nobody listens.
fn deserted() -> String {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("tcp://{}", free.local_addr().unwrap())
}

/// A PUSH that lingers for ever, with three messages for an endpoint where its only attempt has failed: each way in which
/// the options forbid another one.
fn given_up(cx: &Context) -> Vec<(Socket, String)> {
    let refused = ReconnectStop { conn_refused: true, ..ReconnectStop::default() };
    let failed = ReconnectStop { handshake_failed: true, ..ReconnectStop::default() };
    let never = Options::new().set(opt::RECONNECT_IVL, None);
    let cases = [
        (never.clone(), false),
        (never, true),
        (impatient().set(opt::RECONNECT_STOP, refused), false),
        (impatient().set(opt::RECONNECT_STOP, failed), true),
    ];
    let given_up = cases.into_iter().map(|(options, listens)| {
        let push = cx.socket_with(SocketType::Push, &options.set(opt::LINGER, None)).unwrap();
        let listener = listen();
        let endpoint = if listens { listener.1 } else { deserted() };
        push.connect(&endpoint).unwrap();
        (0..3).for_each(|n| push.send(n.to_string()).unwrap());
        if listens {
            drop(RawPeer::accept(&listener.0));
        }
        until("it has given up", || push.endpoints()[0].to_string().contains("not dialled again"));
        assert_eq!(push.stats().queued, 3);
        (push, endpoint)
    });
    given_up.collect()
}

#[test]
fn an_endpoint_that_is_never_dialled_again_does_not_hold_up_the_close() {
    let cx = Context::new();
    for (push, endpoint) in given_up(&cx) {
        let report = push.close().wait_timeout(LONG).unwrap_or_else(|_| panic!("{endpoint} lingers"));
        assert_eq!((report.written, report.dropped), (0, 3));
    }
}

#[test]
fn an_endpoint_that_is_never_dialled_again_ends_when_it_is_disconnected() {
    let cx = Context::new();
    for (push, endpoint) in given_up(&cx) {
        push.disconnect(&endpoint).unwrap();
        until("it is dropped", || push.stats().queued == 0);
        let stats = push.stats();
        assert_eq!((stats.dropped.by(Cause::Linger), stats.dropped.total()), (3, 3), "{stats:?}");
        assert_balanced(&stats);
        assert!(push.close().wait_timeout(LONG).is_ok());
    }
}

#[test]
fn who_connects_again_to_an_endpoint_that_gave_up_sends_what_was_queued() {
    let cx = Context::new();
    for (push, endpoint) in given_up(&cx) {
        let pull = cx.socket(SocketType::Pull).unwrap();
        pull.bind(&endpoint).unwrap();
        push.connect(&endpoint).unwrap();
        for n in 0..3 {
            assert_eq!(pull.recv_soon()[0], *n.to_string());
        }
        assert_eq!(push.endpoints().len(), 1);
        assert!(!push.endpoints()[0].to_string().contains("not dialled again"));
    }
}

#[test]
fn of_two_connects_in_a_row_to_an_endpoint_that_gave_up_the_second_is_a_connection_of_its_own() {
    let cx = Context::new();
    // One whose peer was unfit is dialled again by both: that is told as a failure, not as a wait.
    for (push, endpoint) in given_up(&cx).into_iter().step_by(2) {
        let pull = cx.socket(SocketType::Pull).unwrap();
        pull.bind(&endpoint).unwrap();
        push.connect(&endpoint).unwrap();
        push.connect(&endpoint).unwrap();
        assert_eq!(push.endpoints().len(), 2);
        pull.wait_for_peers(2, LONG).unwrap();
    }
}

#[test]
fn who_connects_again_to_an_endpoint_that_gave_up_may_give_other_options() {
    let cx = Context::new();
    for (push, endpoint) in given_up(&cx) {
        let patient = impatient().set(opt::RECONNECT_STOP, ReconnectStop::default());
        push.connect_with(&endpoint, &patient).unwrap();
        until("it goes on", || push.endpoints()[0].attempts > 3);
        let pull = cx.socket(SocketType::Pull).unwrap();
        pull.bind(&endpoint).unwrap();
        assert_eq!(pull.recv_soon()[0], "0");
    }
}

#[test]
fn an_attempt_that_fails_while_the_socket_closes_is_the_last_where_no_other_may_follow() {
    let cx = Context::new();
    for disconnects in [false, true] {
        let (listener, endpoint) = listen();
        let options = Options::new().set(opt::RECONNECT_IVL, None).set(opt::LINGER, None);
        let push = cx.socket_with(SocketType::Push, &options).unwrap();
        push.connect(&endpoint).unwrap();
        push.send("never sent").unwrap();
        let peer = RawPeer::accept(&listener);
        if disconnects {
            push.disconnect(&endpoint).unwrap();
            assert_eq!(push.stats().queued, 1);
        }
        let closing = push.close();
        drop(peer);
        let report = closing.wait_timeout(LONG).expect("nothing to wait for");
        assert_eq!((report.written, report.dropped), (0, 1));
    }
}

#[test]
fn reconnect_stop_after_disconnect_ends_an_endpoint_where_nobody_listens_any_more() {
    let cx = Context::new();
    let stop = ReconnectStop { after_disconnect: true, ..ReconnectStop::default() };
    let options = impatient().set(opt::RECONNECT_STOP, stop).set(opt::LINGER, None);
    let push = cx.socket_with(SocketType::Push, &options).unwrap();
    let (events, endpoint) = (push.monitor(), deserted());
    push.connect(&endpoint).unwrap();
    push.send("never sent").unwrap();
    // Before that it is dialled again and again.
    for _ in 0..3 {
        wait_for(&events, "of another attempt", |kind| matches!(kind, EventKind::ConnectRetried { .. }));
    }
    push.disconnect(&endpoint).unwrap();
    until("it is dropped", || push.stats().queued == 0);
    let stats = push.stats();
    assert_eq!((stats.dropped.by(Cause::Linger), stats.dropped.total()), (1, 1), "{stats:?}");
    assert_balanced(&stats);
    assert!(push.close().wait_timeout(LONG).is_ok());
}

#[test]
fn a_side_says_that_it_redials_only_if_it_does() {
    let cx = Context::new();
    let stop = |stop| impatient().set(opt::RECONNECT_STOP, stop);
    let refused = ReconnectStop { conn_refused: true, ..ReconnectStop::default() };
    let failed = ReconnectStop { handshake_failed: true, ..ReconnectStop::default() };
    for (options, redials) in [
        (impatient(), true),
        (stop(refused), true),
        (stop(failed), false),
        (Options::new().set(opt::RECONNECT_IVL, None), false),
    ] {
        let pair = cx.socket_with(SocketType::Pair, &options).unwrap();
        let (listener, endpoint) = listen();
        pair.connect(endpoint).unwrap();
        let mut peer = RawPeer::accept(&listener);
        peer.send_bytes(&common::greeting());
        peer.stream.read_exact(&mut [0; 64]).unwrap();
        let ready = peer.read_frame().unwrap().body;
        assert_eq!(ready.windows(9).any(|word| word == b"X-Redials"), redials, "{options:?}");
    }
}

#[test]
fn closing_does_not_wait_for_a_connection_that_nothing_waits_for() {
    let cx = Context::new();
    let (_silent, endpoint) = listen();
    let options = Options::new().set(opt::LINGER, None);
    let socket = |_| -> Socket { cx.socket_with(SocketType::Push, &options).unwrap() };
    let [closed, disconnected] = [(), ()].map(socket);
    for socket in [&closed, &disconnected] {
        let events = socket.monitor();
        socket.connect(&endpoint).unwrap();
        wait_for(&events, "of the connection", |kind| matches!(kind, EventKind::Connected));
    }
    // The other side never greets.
    assert!(closed.close().wait_timeout(LONG).is_ok());
    disconnected.disconnect(&endpoint).unwrap();
    assert!(disconnected.close().wait_timeout(LONG).is_ok());
}

#[test]
fn who_is_turned_away_at_the_door_again_and_again_never_waits_longer_than_a_second() {
    let cx = Context::new();
    let (listener, endpoint) = listen();
    let push = cx.socket_with(SocketType::Push, &impatient()).unwrap();
    let events = push.monitor();
    push.connect(&endpoint).unwrap();
    for _ in 0..9 {
        drop(RawPeer::accept(&listener));
        let retried = |kind: &EventKind| matches!(kind, EventKind::ConnectRetried { .. });
        let EventKind::ConnectRetried { after, .. } = wait_for(&events, "of the wait", retried).kind else {
            unreachable!()
        };
        assert!(after <= Duration::from_secs(1), "{after:?}");
    }
    push.send("in at last").unwrap();
    let mut peer = RawPeer::accept(&listener).shake_hands("PULL");
    assert_eq!(peer.read_message().unwrap(), [b"in at last"]);
}

/// Binds a socket of this type that is given a listener. Returns it, and the number of the connection that `events` tells of.
#[cfg(unix)]
fn successor(socket_type: SocketType, listener: std::os::fd::OwnedFd, events: &Monitor) -> (Socket, u64) {
    let sender = Context::new().socket(socket_type).unwrap();
    sender.bind_listener(listener).unwrap();
    let up = wait_for(events, "a connection", |kind| matches!(kind, EventKind::HandshakeSucceeded { .. }));
    (sender, up.connection)
}

/// A receiver whose peer is replaced three times while nothing is received.
#[cfg(unix)]
fn names_each_sender(
    sends: SocketType,
    receives: SocketType,
    endpoint: &str,
    listener: &std::os::fd::OwnedFd,
) {
    for conflate in [false, receives == SocketType::Pull] {
        let mut options = impatient();
        if conflate {
            options = options.set(opt::CONFLATE, true);
        }
        let receiver = Context::new().socket_with(receives, &options).unwrap();
        let events = receiver.monitor();
        receiver.connect(endpoint).unwrap();
        if receives == SocketType::Sub {
            receiver.subscribe("").unwrap();
        }
        let mut sent = Vec::new();
        for n in 0..3 {
            let (sender, connection) = successor(sends, listener.try_clone().unwrap(), &events);
            if receives == SocketType::Sub {
                sender.wait_for_subscribers("", 1, LONG).unwrap();
            }
            for half in 0..2 {
                sender.send(format!("{n}.{half}")).unwrap();
                sent.push((format!("{n}.{half}"), connection));
                until("it has arrived", || receiver.stats().received.messages == sent.len() as u64);
            }
            sender.close().wait();
            wait_for(&events, "its end", |kind| matches!(kind, EventKind::Disconnected { .. }));
        }
        // While these messages wait, a fourth connection is up.
        let _sender = successor(sends, listener.try_clone().unwrap(), &events);
        if conflate {
            sent.drain(..sent.len() - 1);
        }
        let got = sent.iter().map(|_| receiver.recv_soon());
        let got = got.map(|m| (m[0].as_str().unwrap().to_owned(), m.peer().unwrap().connection));
        assert_eq!(got.collect::<Vec<_>>(), sent, "{endpoint}, {receives:?}, conflate {conflate}");
    }
}

#[cfg(unix)]
#[test]
fn an_unread_message_names_the_connection_that_it_came_from() {
    for (sends, receives) in [
        (SocketType::Push, SocketType::Pull),
        (SocketType::Dealer, SocketType::Dealer),
        (SocketType::Pair, SocketType::Pair),
        (SocketType::Pub, SocketType::Sub),
    ] {
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("tcp://{}", tcp.local_addr().unwrap());
        names_each_sender(sends, receives, &endpoint, &tcp.into());
        let path = std::env::temp_dir().join(format!("zeroxide-senders-{}", std::process::id()));
        let local = std::os::unix::net::UnixListener::bind(&path).unwrap();
        let endpoint = format!("ipc://{}", path.display());
        names_each_sender(sends, receives, &endpoint, &local.into());
        std::fs::remove_file(&path).unwrap();
    }
}
