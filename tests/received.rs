//! What is received is counted: messages = delivered + dropped + waiting, for every pipe and in sum, to the message.
#![allow(clippy::unwrap_used)] // a test's helpers

mod common;

use std::time::{Duration, Instant};

use common::{LONG, RawPeer, Soon, assert_balanced, impatient, until};
use zeroxide::{Cause, Context, Message, Options, PollItem, Ready, Received, Socket, SocketType, opt, poll};

const EVERYWHERE: [&str; 3] = ["tcp://127.0.0.1:*", "ipc://*", "inproc://received"];

/// The counts, after a check of all equations.
#[track_caller]
fn received(socket: &Socket) -> Received {
    let stats = socket.stats();
    assert_balanced(&stats);
    stats.received
}

/// Two connected sockets.
fn pair(at: &str, from: SocketType, to: SocketType, options: &Options) -> (Socket, Socket) {
    let cx = Context::new();
    let to = cx.socket_with(to, options).unwrap();
    let endpoint = to.bind(at).unwrap().to_string();
    let from = cx.socket(from).unwrap();
    from.connect(&endpoint).unwrap();
    from.wait_for_peers(1, LONG).unwrap();
    to.wait_for_peers(1, LONG).unwrap();
    (from, to)
}

#[test]
fn messages_and_their_bytes_are_counted_for_the_socket_and_for_each_peer() {
    for at in EVERYWHERE {
        let (push, pull) = pair(at, SocketType::Push, SocketType::Pull, &Options::new());
        let begin = Instant::now();
        let messages = [Message::from("one"), ["two", "frames"].into(), Message::from(vec![7; 100_000])];
        messages.clone().into_iter().for_each(|message| push.send(message).unwrap());
        until("all came", || received(&pull).messages == 3);
        let before = received(&pull);
        let bytes = messages.iter().map(|message| message.size() as u64).sum();
        let bytes = if at.starts_with("inproc") { 0 } else { bytes };
        assert_eq!((before.bytes, before.delivered, before.waiting), (bytes, 0, 3), "{at}");
        drop(pull.recv_soon());
        let after = received(&pull);
        assert_eq!((after.messages, after.delivered, after.waiting), (3, 1, 2), "{at}");
        assert_eq!(pull.stats().pipes[0].received, after, "{at}");
        assert_eq!(received(&push), Received::default(), "{at}");
        match after.last {
            Some(last) => assert!(begin <= last && last <= Instant::now()),
            None => assert!(at.starts_with("inproc"), "only there no clock is read"),
        }
    }
}

#[test]
fn bytes_are_exact_for_bodies_of_every_size() {
    let sizes = [0, 1, 64, 65, 255, 256, 1000, 2048, 2049, 70_000];
    for at in ["tcp://127.0.0.1:*", "ipc://*"] {
        let (push, pull) = pair(at, SocketType::Push, SocketType::Pull, &Options::new());
        for size in sizes.into_iter().cycle().take(200) {
            push.send(vec![7; size]).unwrap();
        }
        until("all came", || received(&pull).messages == 200);
        let bytes = sizes.into_iter().sum::<usize>() as u64 * 20;
        assert_eq!(received(&pull).bytes, bytes, "{at}");
        assert!((0..200).all(|_| !pull.recv_soon().is_empty()));
        assert_eq!((received(&pull).bytes, received(&pull).waiting), (bytes, 0), "{at}");
    }
}

#[test]
fn a_conflating_subscriber_that_received_one_of_a_hundred_shows_ninety_nine() {
    for at in EVERYWHERE {
        let cx = Context::new();
        let publisher = cx.socket(SocketType::Pub).unwrap();
        let endpoint = publisher.bind(at).unwrap().to_string();
        let sub = cx.socket_with(SocketType::Sub, &Options::new().set(opt::CONFLATE, true)).unwrap();
        sub.subscribe("").unwrap();
        sub.connect(&endpoint).unwrap();
        publisher.wait_for_subscribers("", 1, LONG).unwrap();
        (0..100u8).for_each(|n| publisher.send(&[n]).unwrap());
        until("all came", || received(&sub).messages == 100);
        assert_eq!(sub.recv_soon()[0], [99][..]);
        let counts = received(&sub);
        assert_eq!(
            (counts.delivered, counts.dropped.by(Cause::Conflated), counts.waiting),
            (1, 99, 0),
            "{at}"
        );
        assert_eq!(counts.bytes, if at.starts_with("inproc") { 0 } else { 100 });
    }
}

#[test]
fn a_message_that_a_look_has_found_waits_until_it_is_received() {
    for at in EVERYWHERE {
        let (push, pull) = pair(at, SocketType::Push, SocketType::Pull, &Options::new());
        push.send("x").unwrap();
        assert!(poll(&mut [PollItem::new(&pull, Ready::IN)], Some(LONG)).is_ok());
        assert_eq!((received(&pull).delivered, received(&pull).waiting), (0, 1), "{at}");
        pull.recv_soon();
        assert_eq!((received(&pull).delivered, received(&pull).waiting), (1, 0), "{at}");
    }
}

#[test]
fn what_nobody_has_received_when_a_pipe_or_the_socket_ends_is_unread() {
    for at in EVERYWHERE {
        let (pull, push) = pair(at, SocketType::Pull, SocketType::Push, &Options::new());
        (0..5).for_each(|_| push.send("x").unwrap());
        pull.recv_soon();
        until("all came", || received(&pull).messages == 5);
        let endpoint = pull.endpoints()[0].endpoint.to_string();
        pull.disconnect(&endpoint).unwrap();
        let counts = received(&pull);
        assert_eq!((counts.delivered, counts.dropped.by(Cause::Unread), counts.waiting), (1, 4, 0), "{at}");

        let (push, pull) = pair(at, SocketType::Push, SocketType::Pull, &Options::new());
        (0..5).for_each(|_| push.send("x").unwrap());
        until("all came", || received(&pull).messages == 5);
        pull.clone().close().wait();
        let counts = received(&pull);
        assert_eq!((counts.delivered, counts.dropped.by(Cause::Unread), counts.waiting), (0, 5, 0), "{at}");
    }
}

#[test]
fn what_a_peer_that_is_gone_has_left_can_be_received_and_counts_so() {
    let cx = Context::new();
    let pull = cx.socket(SocketType::Pull).unwrap();
    let endpoint = pull.bind("tcp://127.0.0.1:*").unwrap();
    let mut peer = RawPeer::connect(endpoint).shake_hands("PUSH");
    (0..3).for_each(|_| peer.send(&[b"left"]));
    until("all came", || received(&pull).messages == 3);
    drop(peer);
    until("it is gone", || pull.peers().is_empty());
    assert_eq!(received(&pull).waiting, 3);
    (0..3).for_each(|_| drop(pull.recv_soon()));
    until("its pipe is gone", || pull.try_recv().is_err() && pull.stats().pipes.is_empty());
    let counts = received(&pull);
    assert_eq!((counts.messages, counts.delivered, counts.bytes), (3, 3, 12));
    assert!(counts.last.is_some());
}

#[test]
fn what_the_rules_of_a_type_drop_is_unwanted() {
    let cx = Context::new();
    let sub = cx.socket_with(SocketType::Sub, &impatient()).unwrap();
    sub.subscribe("a").unwrap();
    let endpoint = sub.bind("tcp://127.0.0.1:*").unwrap();
    let mut publisher = RawPeer::connect(endpoint).shake_hands("PUB");
    ["b", "a", "b"].iter().for_each(|topic| publisher.send(&[topic.as_bytes()]));
    assert_eq!(sub.recv_soon()[0], "a");
    until("the last one is dropped", || sub.try_recv().is_err() && received(&sub).messages == 3);
    until("the last one is dropped", || sub.try_recv().is_err() && received(&sub).waiting == 0);
    let counts = received(&sub);
    assert_eq!((counts.delivered, counts.dropped.by(Cause::Unwanted)), (1, 2));
    assert_eq!(sub.stats().dropped.total(), 0, "it was not to be sent");

    // A PUSH receives nothing, whatever a peer sends.
    let push = cx.socket(SocketType::Push).unwrap();
    let mut peer = RawPeer::connect(push.bind("tcp://127.0.0.1:*").unwrap()).shake_hands("PULL");
    peer.send(&[b"why"]);
    until("it is dropped", || received(&push).dropped.by(Cause::Unwanted) == 1);
}

#[test]
fn an_xpub_counts_messages_of_subscribers_and_not_its_own_reports() {
    for at in EVERYWHERE {
        let (xsub, xpub) = pair(at, SocketType::XSub, SocketType::XPub, &Options::new());
        xsub.send(b"\x01topic").unwrap();
        xsub.send("a word").unwrap();
        until("both came", || received(&xpub).messages == 1 && received(&xpub).waiting == 1);
        assert_eq!(xpub.recv_soon()[0], b"\x01topic"[..]);
        assert_eq!((received(&xpub).delivered, received(&xpub).waiting), (0, 1), "{at}");
        assert_eq!(xpub.recv_soon()[0], "a word");
        let counts = received(&xpub);
        assert_eq!((counts.delivered, counts.waiting), (1, 0), "{at}");
    }
}

#[test]
fn a_late_reply_that_a_req_does_not_want_is_unwanted() {
    for at in EVERYWHERE {
        let cx = Context::new();
        let rep = cx.socket(SocketType::Rep).unwrap();
        let endpoint = rep.bind(at).unwrap().to_string();
        let req = cx.socket(SocketType::Req).unwrap();
        req.connect(&endpoint).unwrap();
        let refused = req.request("first", Duration::from_millis(1)).unwrap_err();
        assert!(refused.unsent.is_some() || rep.recv_soon()[0] == "first");
        if refused.unsent.is_none() {
            rep.send("late").unwrap();
            until("it came", || received(&req).messages == 1);
        }
        let answer = std::thread::scope(|scope| {
            scope.spawn(|| {
                rep.recv_soon();
                rep.send("answer").unwrap();
            });
            req.request("second", LONG).unwrap()
        });
        assert_eq!(answer[0], "answer");
        let counts = received(&req);
        assert_eq!(counts.dropped.by(Cause::Unwanted), u64::from(refused.unsent.is_none()), "{at}");
        assert_eq!(counts.delivered, 1);
    }
}

#[test]
fn a_hello_is_received_and_was_not_routed_whatever_the_transport() {
    for at in EVERYWHERE {
        let cx = Context::new();
        let hello = Options::new().set(opt::HELLO_MSG, Some("hello".into()));
        let router = cx.socket_with(SocketType::Router, &hello).unwrap();
        let endpoint = router.bind(at).unwrap().to_string();
        let dealer = cx.socket_with(SocketType::Dealer, &hello).unwrap();
        dealer.connect(&endpoint).unwrap();
        assert_eq!(dealer.recv_soon()[0], "hello");
        let (id, greeting) = router.recv_from().unwrap();
        assert_eq!(greeting[0], "hello");
        dealer.send("x").unwrap();
        assert_eq!(router.recv_soon()[1], "x");
        router.send_to(&id, "y").unwrap();
        assert_eq!(dealer.recv_soon()[0], "y");
        for socket in [&router, &dealer] {
            until("it is written", || socket.stats().queued == 0);
            let stats = socket.stats();
            assert_balanced(&stats);
            assert_eq!((stats.accepted, stats.routed, stats.written), (1, 1, 1), "{at}");
            assert_eq!((stats.received.messages, stats.received.delivered), (2, 2), "{at}");
        }
    }
}
