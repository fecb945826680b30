//! High-water marks over real connections: what may queue is bounded both ways, and nothing that was accepted is lost.
#![allow(clippy::unwrap_used)] // a test's helpers

mod common;

use std::thread;

use common::{LONG, RawPeer, Soon, assert_balanced, listen, message, no_linger, until};
use zeroxide::{Context, Error, Options, Socket, SocketType, Why, opt};

/// Longer than two kernel buffers can hide many of.
const BODY: usize = 50_000;

fn body(n: u32) -> Vec<u8> {
    let mut body = vec![0; BODY];
    body[..4].copy_from_slice(&n.to_be_bytes());
    body
}

fn number(bytes: &[u8]) -> u32 {
    u32::from_be_bytes(bytes[..4].try_into().unwrap())
}

/// Sends until the pipe is full and stays so, until nothing more is written either; answers the last refusal.
fn fill(push: &Socket, next: &mut u32) -> Error {
    loop {
        while push.try_send(body(*next)).is_ok() {
            *next += 1;
        }
        let written = push.stats().written;
        let more = (0..1000).any(|_| {
            thread::yield_now();
            push.stats().written > written
        });
        if !more {
            match push.try_send(body(*next)) {
                Ok(()) => *next += 1,
                Err(refused) => return refused.error,
            }
        }
    }
}

#[test]
fn what_queues_for_a_peer_that_does_not_read_is_bounded_and_arrives_whole_and_in_order() {
    for endpoint in ["tcp://127.0.0.1:*", "ipc://*"] {
        let cx = Context::new();
        let options = Options::new().set(opt::SNDHWM, 10).set(opt::RCVHWM, 20);
        let pull = cx.socket_with(SocketType::Pull, &options).unwrap();
        let push = cx.socket_with(SocketType::Push, &options).unwrap();
        push.connect(pull.bind(endpoint).unwrap().to_string()).unwrap();
        pull.wait_for_peers(1, LONG).unwrap();
        let (mut next, mut expected) = (0, 0);
        for _ in 0..5 {
            let refusal = fill(&push, &mut next);
            assert!(matches!(refusal, Error::WouldBlock(Why::Full { hwm: 10, .. })), "{refusal}");
            let stats = push.stats();
            assert_balanced(&stats);
            assert!(stats.queued <= 10, "{stats:?}");
            // The rest is at the peer (its mark and one read buffer) and in two kernel buffers, which Linux bounds.
            let in_flight = (next - expected) as usize;
            assert!(in_flight * BODY < 64 << 20, "{in_flight} messages");
            while expected < next {
                assert_eq!(number(&pull.recv_soon()[0]), expected);
                expected += 1;
            }
        }
        assert_eq!(push.stats().dropped.total(), 0);
    }
}

#[test]
fn a_receiver_that_is_full_stops_reading_and_resumes_in_order() {
    let cx = Context::new();
    let pull = cx.socket_with(SocketType::Pull, &Options::new().set(opt::RCVHWM, 5)).unwrap();
    let endpoint = pull.bind("tcp://127.0.0.1:*").unwrap();
    let mut peer = RawPeer::connect(endpoint).shake_hands("PUSH");
    // One write with many messages: they come in one read, and most of them find no room.
    let flood: Vec<u8> = (0..3_000u32).flat_map(|n| message(&[&n.to_be_bytes()])).collect();
    thread::scope(|scope| {
        scope.spawn(move || {
            peer.send_bytes(&flood);
            peer.expect_end();
        });
        for n in 0..3_000 {
            assert_eq!(number(&pull.recv_soon()[0]), n);
        }
        pull.close().wait();
    });
}

#[test]
fn one_full_receiver_does_not_stop_its_neighbour() {
    let cx = Context::new();
    let options = Options::new().set(opt::RCVHWM, 2);
    let (full, free) =
        (cx.socket_with(SocketType::Pull, &options).unwrap(), cx.socket(SocketType::Pull).unwrap());
    let mut flooder = RawPeer::connect(full.bind("tcp://127.0.0.1:*").unwrap()).shake_hands("PUSH");
    let mut other = RawPeer::connect(free.bind("tcp://127.0.0.1:*").unwrap()).shake_hands("PUSH");
    for n in 0..200u8 {
        flooder.send(&[&[n]]);
    }
    for n in 0..200u8 {
        other.send(&[&[n]]);
        assert_eq!(free.recv_soon()[0], &[n][..]);
    }
    for n in 0..200u8 {
        assert_eq!(full.recv_soon()[0], &[n][..]);
    }
}

#[test]
fn raising_sndhwm_on_a_live_socket_makes_room_at_once() {
    for endpoint in ["tcp://127.0.0.1:1", "ipc:///nonexistent/socket"] {
        let cx = Context::new();
        let push = cx.socket_with(SocketType::Push, &no_linger().set(opt::SNDHWM, 5)).unwrap();
        push.connect(endpoint).unwrap();
        let fill = || (0..).take_while(|_| push.try_send("x").is_ok()).count();
        assert_eq!(fill(), 5);
        push.set(opt::SNDHWM, 8).unwrap();
        assert_eq!(fill(), 3);
        push.set(opt::SNDHWM, 2).unwrap();
        assert_eq!(fill(), 0);
        push.set(opt::SNDHWM, 0).unwrap();
        (0..100).for_each(|_| push.try_send("x").unwrap());
    }
}

#[test]
fn raising_sndhwm_wakes_a_sender_that_waits() {
    let cx = Context::new();
    let push = cx.socket_with(SocketType::Push, &no_linger().set(opt::SNDHWM, 5)).unwrap();
    push.connect("tcp://127.0.0.1:1").unwrap();
    while push.try_send("x").is_ok() {}
    thread::scope(|scope| {
        let sender = scope.spawn(|| push.send_timeout("y", LONG));
        until("it waits", || push.status().senders_waiting == 1);
        push.set(opt::SNDHWM, 6).unwrap();
        sender.join().unwrap().unwrap();
    });
}

#[test]
fn raising_rcvhwm_makes_a_stalled_connection_read_on() {
    let cx = Context::new();
    let pull = cx.socket_with(SocketType::Pull, &Options::new().set(opt::RCVHWM, 1)).unwrap();
    let (listener, endpoint) = listen();
    pull.connect(endpoint).unwrap();
    let mut peer = RawPeer::accept(&listener).shake_hands("PUSH");
    let flood: Vec<u8> = (0..200_000u32).flat_map(|n| message(&[&n.to_be_bytes()])).collect();
    peer.stream.set_nonblocking(true).unwrap();
    let mut sent = 0;
    let mut push = |sent: &mut usize| {
        while let Ok(n @ 1..) = std::io::Write::write(&mut peer.stream, &flood[*sent..]) {
            *sent += n;
        }
    };
    let mut before = usize::MAX;
    until("it is stalled", || {
        push(&mut sent);
        std::mem::replace(&mut before, sent) == sent
    });
    pull.set(opt::RCVHWM, 0).unwrap();
    let stalled = sent;
    until("it reads again", || {
        push(&mut sent);
        sent > stalled || sent == flood.len()
    });
}

#[test]
fn marks_of_one_endpoint_outlive_a_change_of_other_options() {
    let cx = Context::new();
    let push = cx.socket_with(SocketType::Push, &no_linger()).unwrap();
    push.connect_with("tcp://127.0.0.1:1", &Options::new().set(opt::SNDHWM, 3)).unwrap();
    push.set(opt::SNDTIMEO, None).unwrap();
    assert_eq!((0..).take_while(|_| push.try_send("x").is_ok()).count(), 3);
}

#[test]
fn a_mark_of_zero_is_no_mark() {
    let cx = Context::new();
    let options = no_linger().set(opt::SNDHWM, 0);
    let push = cx.socket_with(SocketType::Push, &options).unwrap();
    push.connect("tcp://127.0.0.1:1").unwrap();
    for n in 0..50_000u32 {
        push.try_send(&n.to_be_bytes()).unwrap();
    }
    assert_eq!(push.stats().queued, 50_000);
}

#[test]
fn nodrop_makes_a_publisher_wait_for_its_slowest_subscriber() {
    let cx = Context::new();
    let options = Options::new().set(opt::SNDHWM, 4).set(opt::RCVHWM, 4);
    let publisher = cx.socket_with(SocketType::XPub, &options.clone().set(opt::XPUB_NODROP, true)).unwrap();
    let endpoint = publisher.bind("tcp://127.0.0.1:*").unwrap().to_string();
    let subscribers: Vec<Socket> = (0..2)
        .map(|_| {
            let subscriber = cx.socket_with(SocketType::Sub, &options).unwrap();
            subscriber.connect(&endpoint).unwrap();
            subscriber.subscribe("").unwrap();
            subscriber
        })
        .collect();
    publisher.wait_for_subscribers("", 2, LONG).unwrap();
    let count = 500;
    thread::scope(|scope| {
        scope.spawn(|| (0..count).for_each(|n| publisher.send_timeout(body(n), LONG).unwrap()));
        for subscriber in &subscribers {
            scope.spawn(move || {
                (0..count).for_each(|n| assert_eq!(number(&subscriber.recv_soon()[0]), n));
            });
        }
    });
    assert_eq!(publisher.stats().dropped.total(), 0);
}
