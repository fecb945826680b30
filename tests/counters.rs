//! The equations of the counters hold whatever happens: routed = written + dropped + queued, for every pipe and in sum,
//! and accepted is where it must be. What is received is in `tests/received.rs`.
#![allow(clippy::unwrap_used)] // a test's helpers

mod common;

use std::thread;
use std::time::Duration;

use common::{LONG, RawPeer, Soon, assert_balanced, impatient, listen, no_linger, unrouted, until, wait_for};
use zeroxide::{Cause, Context, Error, EventKind, Message, Options, RoutingId, Socket, SocketType, opt};

/// A socket whose messages each go to one peer.
#[track_caller]
fn assert_all_accounted_for(socket: &Socket) {
    let stats = socket.stats();
    assert_balanced(&stats);
    assert_eq!(stats.accepted, stats.routed + unrouted(&stats.dropped), "{stats:?}");
}

#[test]
fn under_load_every_look_at_the_counters_finds_them_balanced() {
    for endpoint in ["tcp://127.0.0.1:*", "ipc://*", "inproc://load"] {
        let cx = Context::new();
        let (pull, push) = (cx.socket(SocketType::Pull).unwrap(), cx.socket(SocketType::Push).unwrap());
        let endpoint = pull.bind(endpoint).unwrap().to_string();
        push.connect(&endpoint).unwrap();
        let count = 20_000u32;
        thread::scope(|scope| {
            let sender = scope.spawn(|| (0..count).for_each(|n| push.send(&n.to_be_bytes()).unwrap()));
            scope.spawn(|| (0..count).for_each(|_| drop(pull.recv_soon())));
            while !sender.is_finished() {
                assert_all_accounted_for(&push);
            }
        });
        until("all is written", || push.stats().written == u64::from(count));
        let stats = push.stats();
        assert_eq!((stats.accepted, stats.routed, stats.queued), (count.into(), count.into(), 0));
        assert_eq!(stats.dropped.total(), 0);
        assert_eq!(pull.stats().routed, 0);
    }
}

#[test]
fn connections_killed_in_mid_flood_cost_what_peer_lost_says() {
    let cx = Context::new();
    let (listener, endpoint) = listen();
    let push = cx.socket_with(SocketType::Push, &impatient()).unwrap();
    push.connect(&endpoint).unwrap();
    let mut arrived = 0u64;
    thread::scope(|scope| {
        let sender = scope.spawn(|| (0..30_000u32).for_each(|n| push.send(vec![n as u8; 200]).unwrap()));
        while !sender.is_finished() {
            let mut peer = RawPeer::accept(&listener).shake_hands("PULL");
            for _ in 0..700 {
                match peer.read_message() {
                    Ok(message) => assert_eq!(message[0].len(), 200),
                    Err(_) => break,
                }
                arrived += 1;
                if sender.is_finished() {
                    break;
                }
            }
            peer.kill();
            assert_all_accounted_for(&push);
        }
    });
    // What is left goes to a last peer that takes everything.
    let mut last = RawPeer::accept(&listener).shake_hands("PULL");
    until("the rest is written", || {
        while last.stream.set_nonblocking(true).is_ok() && last.stream.peek(&mut [0]).is_ok() {
            last.stream.set_nonblocking(false).unwrap();
            last.read_message().unwrap();
            arrived += 1;
        }
        push.stats().queued == 0
    });
    assert_all_accounted_for(&push);
    let stats = push.stats();
    assert_eq!(stats.accepted, 30_000);
    assert!(arrived <= stats.written, "{arrived} arrived, {stats:?}");
}

#[test]
fn an_accepted_connection_that_is_lost_takes_its_queue_along_and_counts_it() {
    let cx = Context::new();
    let push = cx.socket(SocketType::Push).unwrap();
    let endpoint = push.bind("tcp://127.0.0.1:*").unwrap();
    let peer = RawPeer::connect(endpoint).shake_hands("PULL");
    push.wait_for_peers(1, LONG).unwrap();
    let events = push.monitor();
    let body = vec![0; 10_000];
    while push.try_send(body.clone()).is_ok() {}
    let queued = push.stats().queued;
    assert!(queued > 0, "a peer that does not read fills the pipe");
    peer.kill();
    wait_for(&events, "of the loss", |kind| matches!(kind, EventKind::Disconnected { .. }));
    until("the pipe is gone", || push.stats().pipes.is_empty());
    let stats = push.stats();
    assert_balanced(&stats);
    assert_eq!((stats.queued, stats.dropped.by(Cause::PeerLost)), (0, stats.accepted - stats.written));
    assert!(stats.dropped.by(Cause::PeerLost) > 0);
    assert_eq!(stats.refused, 1);
}

#[test]
fn a_publisher_counts_what_each_slow_subscriber_misses() {
    let cx = Context::new();
    let publisher = cx.socket_with(SocketType::Pub, &Options::new().set(opt::SNDHWM, 10)).unwrap();
    let endpoint = publisher.bind("tcp://127.0.0.1:*").unwrap().to_string();
    let mut stuck = RawPeer::connect(&endpoint).shake_hands("SUB");
    stuck.send_bytes(&common::command(b"\x09SUBSCRIBEa"));
    let reader = cx.socket_with(SocketType::Sub, &Options::new().set(opt::RCVHWM, 0)).unwrap();
    reader.connect(&endpoint).unwrap();
    reader.subscribe("a").unwrap();
    publisher.wait_for_subscribers("a", 2, LONG).unwrap();
    let (count, body) = (2_000u64, vec![b'a'; 10_000]);
    for n in 0..count {
        publisher.send(body.clone()).unwrap();
        // The reader keeps up; the other one never reads.
        reader.recv_soon();
        assert_eq!(publisher.stats().accepted, n + 1);
    }
    publisher.send("b").unwrap();
    let stats = publisher.stats();
    assert_balanced(&stats);
    assert_eq!((stats.accepted, stats.unmatched, stats.routed), (count + 1, 1, 2 * count));
    assert_eq!(stats.refused, 0);
    let mut per_pipe: Vec<u64> = stats.pipes.iter().map(|pipe| pipe.dropped.by(Cause::Hwm)).collect();
    per_pipe.sort_unstable();
    assert_eq!(per_pipe[0], 0, "one slow subscriber is no other's loss");
    assert_eq!(per_pipe[1], stats.dropped.by(Cause::Hwm));
    assert!(per_pipe[1] > 0 && stats.pipes.iter().all(|pipe| pipe.queued <= 10));
}

#[test]
fn what_linger_drops_is_in_the_report_and_in_the_counters() {
    let cx = Context::new();
    let push = cx
        .socket_with(SocketType::Push, &Options::new().set(opt::LINGER, Some(Duration::from_millis(10))))
        .unwrap();
    let endpoint = push.bind("tcp://127.0.0.1:*").unwrap();
    let _peer = RawPeer::connect(endpoint).shake_hands("PULL");
    push.wait_for_peers(1, LONG).unwrap();
    let body = vec![0; 10_000];
    while push.try_send(body.clone()).is_ok() {}
    let before = push.stats();
    let report = push.clone().close().wait();
    let stats = push.stats();
    assert_balanced(&stats);
    assert!(stats.pipes.is_empty());
    assert_eq!(stats.accepted, before.accepted);
    assert_eq!((stats.routed, stats.queued), (stats.accepted, 0));
    assert_eq!(report.dropped, stats.dropped.routed());
    assert!(report.dropped > 0 && stats.written + report.dropped == stats.accepted);
}

#[test]
fn what_is_lost_by_disconnecting_counts_as_lingered() {
    let cx = Context::new();
    let push = cx.socket_with(SocketType::Push, &no_linger()).unwrap();
    push.connect("tcp://127.0.0.1:1").unwrap();
    (0..5).for_each(|_| push.send("x").unwrap());
    push.disconnect("tcp://127.0.0.1:1").unwrap();
    until("the pipe is gone", || push.stats().queued == 0);
    let stats = push.stats();
    assert_balanced(&stats);
    assert_eq!((stats.accepted, stats.routed, stats.dropped.by(Cause::Linger)), (5, 5, 5));
}

#[test]
fn what_lingers_after_a_disconnect_is_waited_for_and_reported_by_close() {
    let cx = Context::new();
    let (listener, endpoint) = listen();
    let push = cx.socket_with(SocketType::Push, &Options::new().set(opt::LINGER, None)).unwrap();
    push.connect(&endpoint).unwrap();
    (0..5).for_each(|_| push.send("x").unwrap());
    push.disconnect(&endpoint).unwrap();
    let closing = push.close();
    let mut peer = RawPeer::accept(&listener).shake_hands("PULL");
    (0..5).for_each(|_| assert_eq!(peer.read_message().unwrap(), [b"x"]));
    let report = closing.wait();
    assert_eq!(report.dropped, 0);
    assert_balanced(&push.stats());
    assert_eq!((push.stats().written, push.stats().queued), (5, 0));
}

#[test]
fn conflation_counts_what_was_replaced() {
    for bound in ["tcp://127.0.0.1:*", "inproc://conflate"] {
        let cx = Context::new();
        let options = Options::new().set(opt::CONFLATE, true);
        let pull = cx.socket_with(SocketType::Pull, &options).unwrap();
        let push = cx.socket_with(SocketType::Push, &options.set(opt::LINGER, Some(Duration::ZERO))).unwrap();
        let endpoint = pull.bind(bound).unwrap().to_string();
        push.connect(&endpoint).unwrap();
        for n in 0..1000u32 {
            push.send(&n.to_be_bytes()).unwrap();
            assert_all_accounted_for(&push);
        }
        until("the newest came", || pull.recv_soon()[0] == 999u32.to_be_bytes()[..]);
        push.disconnect(&endpoint).unwrap();
        until("the pipe is gone", || push.stats().queued == 0 && push.stats().pipes.is_empty());
        assert_all_accounted_for(&push);
        assert_eq!(push.stats().routed, 1000);
    }
}

#[test]
fn a_reply_to_a_requester_that_is_gone_is_a_counted_loss() {
    let cx = Context::new();
    let rep = cx.socket(SocketType::Rep).unwrap();
    let endpoint = rep.bind("tcp://127.0.0.1:*").unwrap();
    let events = rep.monitor();
    let mut peer = RawPeer::connect(endpoint).shake_hands("REQ");
    peer.send(&[b"", b"question"]);
    assert_eq!(rep.recv_soon()[0], "question");
    peer.kill();
    wait_for(&events, "of the loss", |kind| matches!(kind, EventKind::Disconnected { .. }));
    until("the pipe is gone", || rep.stats().pipes.is_empty());
    rep.send("answer").unwrap();
    assert_all_accounted_for(&rep);
    assert_eq!(rep.stats().dropped.by(Cause::PeerLost), 1);
}

#[test]
fn what_a_socket_receives_and_throws_away_is_not_routed() {
    let cx = Context::new();
    let rep = cx.socket(SocketType::Rep).unwrap();
    let endpoint = rep.bind("tcp://127.0.0.1:*").unwrap();
    let mut peer = RawPeer::connect(endpoint).shake_hands("DEALER");
    peer.send(&[b"no envelope"]);
    peer.send(&[b"", b"question"]);
    assert_eq!(rep.recv_soon()[0], "question");
    let stats = rep.stats();
    assert_balanced(&stats);
    assert_eq!((stats.routed, stats.received.dropped.by(Cause::Unwanted)), (0, 1));
}

#[test]
fn refused_and_unroutable_messages_are_told_apart() {
    let cx = Context::new();
    let router = cx.socket(SocketType::Router).unwrap();
    router.bind("inproc://r").unwrap();
    let nobody = RoutingId::new("nobody").unwrap();
    assert!(matches!(router.send_to(&nobody, "x").unwrap_err().error, Error::Unroutable { .. }));
    router.set(opt::ROUTER_MANDATORY, false).unwrap();
    router.send_to(&nobody, "x").unwrap();
    let stats = router.stats();
    assert_eq!((stats.accepted, stats.routed, stats.dropped.by(Cause::Unroutable)), (1, 0, 1));
    assert_all_accounted_for(&router);

    let push = cx.socket(SocketType::Push).unwrap();
    assert!(matches!(push.try_send("x").unwrap_err().error, Error::WouldBlock(_)));
    assert_eq!((push.stats().accepted, push.stats().refused), (0, 1));
}

/// One message for the peer at the other end, which `first` names where the type needs that.
fn addressed(sender: SocketType, first: &Message) -> Message {
    let body = vec![7; 1 << 20];
    match sender {
        SocketType::Router => Message::from([first[0].to_vec(), body]),
        SocketType::Server | SocketType::Peer => Message::from(body).with_routing_id(first.routing_id()),
        _ => Message::from(body),
    }
}

#[test]
fn what_waits_for_a_peer_that_is_gone_is_lost_though_the_last_of_its_own_messages_is_unread() {
    use SocketType::{Channel, Client, Dealer, Pair, Router, Server};
    let pairs = [
        (Dealer, Dealer),
        (Pair, Pair),
        (Router, Dealer),
        (Server, Client),
        (Channel, Channel),
        (Client, Server),
    ];
    for (ours, theirs) in pairs {
        for at in ["tcp://127.0.0.1:*", "ipc://*"] {
            let cx = Context::new();
            let socket = cx.socket_with(ours, &no_linger().set(opt::SNDHWM, 50)).unwrap();
            let endpoint = socket.bind(at).unwrap().to_string();
            let peer = cx.socket_with(theirs, &Options::new().set(opt::RCVHWM, 1)).unwrap();
            peer.connect(&endpoint).unwrap();
            let mut last = Message::from("left");
            if theirs == Server {
                socket.send("who").unwrap();
                last = last.with_routing_id(peer.recv_soon().routing_id());
            }
            peer.send(last.clone()).unwrap();
            let first = socket.recv_soon();
            while socket.try_send(addressed(ours, &first)).is_ok() {}
            peer.send(last).unwrap();
            until("it has come", || socket.stats().pipes[0].received.waiting == 1);
            assert!(socket.stats().queued > 0);
            peer.set(opt::LINGER, Some(Duration::ZERO)).unwrap();
            peer.close().wait();
            until("the peer is gone", || socket.peers().is_empty());
            let stats = socket.stats();
            assert_balanced(&stats);
            assert_eq!(stats.queued, 0, "{ours} {at}");
            assert!(stats.dropped.by(Cause::PeerLost) > 0);
            assert_eq!(stats.pipes.len(), 1, "its last message is still to be received");
            let report = socket.clone().close().wait();
            assert_eq!(report.dropped, 0, "it was lost before");
            let closed = socket.stats();
            assert_eq!((closed.queued, closed.dropped), (0, stats.dropped));
        }
    }
}
