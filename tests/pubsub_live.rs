//! The main rules of publish-subscribe and of STREAM, end to end.
#![allow(clippy::unwrap_used)] // a test's helpers

mod common;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use common::{LONG, RawPeer, Soon, address, command, impatient, listen, until, wait_for};
use zeroxide::{Context, Error, EventKind, Message, Options, Socket, SocketType, Why, opt};

const ENDPOINTS: [&str; 3] = ["tcp://127.0.0.1:*", "ipc://*", "inproc://live"];

fn recv(socket: &Socket) -> Message {
    socket.recv_soon()
}

fn nothing(socket: &Socket) -> bool {
    matches!(socket.try_recv(), Err(Error::WouldBlock(_)))
}

#[test]
fn a_subscriber_gets_what_begins_with_one_of_its_prefixes_once() {
    for at in ENDPOINTS {
        let cx = Context::new();
        let publisher = cx.socket(SocketType::Pub).unwrap();
        let subscriber = cx.socket(SocketType::Sub).unwrap();
        subscriber.connect(publisher.bind(at).unwrap().to_string()).unwrap();
        for prefix in ["ab", "a", "x", "x"] {
            subscriber.subscribe(prefix).unwrap();
        }
        publisher.wait_for_subscribers("abc", 1, LONG).unwrap();
        publisher.wait_for_subscribers("x", 1, LONG).unwrap();
        for topic in ["abc", "b", "a", "", "x", "end of a"] {
            publisher.send((topic, "body")).unwrap();
        }
        publisher.send("abend").unwrap();
        for topic in ["abc", "a", "x"] {
            let message = recv(&subscriber);
            assert_eq!((&message[0], message.len()), (&topic.into(), 2));
        }
        assert_eq!(recv(&subscriber)[0], "abend");
        // Subscribed twice takes unsubscribing twice.
        subscriber.unsubscribe("x").unwrap();
        subscriber.unsubscribe("a").unwrap();
        subscriber.unsubscribe("never subscribed").unwrap();
        until("the publisher heard", || {
            publisher.wait_for_subscribers("a", 1, std::time::Duration::ZERO).is_err()
        });
        for topic in ["a", "ab", "x"] {
            publisher.send(topic).unwrap();
        }
        assert_eq!((&recv(&subscriber)[0], &recv(&subscriber)[0]), (&"ab".into(), &"x".into()));
        assert!(nothing(&subscriber));
    }
}

#[test]
fn a_subscriber_that_is_bound_tells_the_publishers_that_come() {
    for at in ENDPOINTS {
        let cx = Context::new();
        let subscriber = cx.socket(SocketType::Sub).unwrap();
        subscriber.subscribe("a").unwrap();
        let endpoint = subscriber.bind(at).unwrap().to_string();
        for _ in 0..3 {
            let publisher = cx.socket(SocketType::Pub).unwrap();
            publisher.connect(&endpoint).unwrap();
            publisher.wait_for_subscribers("a", 1, LONG).unwrap();
            publisher.send("a").unwrap();
            assert_eq!(recv(&subscriber)[0], "a");
        }
    }
}

#[test]
fn an_xpub_reports_the_first_subscription_and_the_last_end_to_each_topic() {
    for at in ENDPOINTS {
        let cx = Context::new();
        let xpub = cx.socket(SocketType::XPub).unwrap();
        let endpoint = xpub.bind(at).unwrap().to_string();
        let [one, two] = [(), ()].map(|()| cx.socket(SocketType::Sub).unwrap());
        one.connect(&endpoint).unwrap();
        one.subscribe("a").unwrap();
        assert_eq!(recv(&xpub)[0], "\u{1}a");
        two.connect(&endpoint).unwrap();
        two.subscribe("a").unwrap();
        two.subscribe("b").unwrap();
        assert_eq!(recv(&xpub)[0], "\u{1}b");
        one.unsubscribe("a").unwrap();
        two.unsubscribe("b").unwrap();
        assert_eq!(recv(&xpub)[0], "\0b");
        two.close().wait();
        assert_eq!(recv(&xpub)[0], "\0a");
        assert!(nothing(&xpub));
    }
}

#[test]
fn a_verbose_xpub_reports_every_subscription() {
    for at in ENDPOINTS {
        let cx = Context::new();
        let xpub = cx.socket_with(SocketType::XPub, &Options::new().set(opt::XPUB_VERBOSE, true)).unwrap();
        let endpoint = xpub.bind(at).unwrap().to_string();
        let subscribers = [(), (), ()].map(|()| cx.socket(SocketType::Sub).unwrap());
        for subscriber in &subscribers {
            subscriber.connect(&endpoint).unwrap();
            subscriber.subscribe("a").unwrap();
            assert_eq!(recv(&xpub)[0], "\u{1}a");
        }
    }
}

#[test]
fn a_manual_xpub_decides_what_its_subscribers_get() {
    for at in ENDPOINTS {
        let cx = Context::new();
        let xpub = cx.socket_with(SocketType::XPub, &Options::new().set(opt::XPUB_MANUAL, true)).unwrap();
        let xsub = cx.socket(SocketType::XSub).unwrap();
        xsub.connect(xpub.bind(at).unwrap().to_string()).unwrap();
        xsub.send("\u{1}asked").unwrap();
        assert_eq!(recv(&xpub)[0], "\u{1}asked");
        xpub.subscribe("given").unwrap();
        xpub.send("asked").unwrap();
        xpub.send("given").unwrap();
        assert_eq!(recv(&xsub)[0], "given");
        assert_eq!((xpub.stats().accepted, xpub.stats().unmatched), (2, 1));
    }
}

#[test]
fn an_xsub_speaks_to_its_publishers() {
    for at in ENDPOINTS {
        let cx = Context::new();
        let xpub = cx.socket(SocketType::XPub).unwrap();
        let xsub = cx.socket(SocketType::XSub).unwrap();
        xsub.connect(xpub.bind(at).unwrap().to_string()).unwrap();
        xsub.wait_for_peers(1, LONG).unwrap();
        xsub.send("\u{1}a").unwrap();
        xsub.send(("upstream", "message")).unwrap();
        assert_eq!(recv(&xpub)[0], "\u{1}a");
        assert_eq!(recv(&xpub)[1], "message");
        xpub.send("a").unwrap();
        assert_eq!(recv(&xsub)[0], "a");
        xsub.send("\0a").unwrap();
        assert_eq!(recv(&xpub)[0], "\0a");
    }
}

#[test]
fn a_welcome_message_greets_each_subscriber_of_its_topic() {
    for at in ENDPOINTS {
        let cx = Context::new();
        let options = Options::new().set(opt::XPUB_WELCOME_MSG, Some("welcome".into()));
        let xpub = cx.socket_with(SocketType::XPub, &options).unwrap();
        let endpoint = xpub.bind(at).unwrap().to_string();
        for _ in 0..3 {
            let subscriber = cx.socket(SocketType::Sub).unwrap();
            subscriber.subscribe("w").unwrap();
            subscriber.connect(&endpoint).unwrap();
            assert_eq!(recv(&subscriber)[0], "welcome");
        }
    }
}

#[test]
fn a_publisher_that_connects_keeps_messages_for_the_subscriber_it_knows() {
    let cx = Context::new();
    let (listener, endpoint) = listen();
    let publisher = cx.socket_with(SocketType::Pub, &impatient()).unwrap();
    publisher.connect(&endpoint).unwrap();
    let mut subscriber = RawPeer::accept(&listener).shake_hands("SUB");
    subscriber.send_bytes(&common::command(b"\x09SUBSCRIBEa"));
    publisher.wait_for_subscribers("a", 1, LONG).unwrap();
    let events = publisher.monitor();
    subscriber.kill();
    wait_for(&events, "of the loss", |kind| matches!(kind, EventKind::Disconnected { .. }));
    publisher.send("a while away").unwrap();
    let mut subscriber = RawPeer::accept(&listener).shake_hands("SUB");
    assert_eq!(subscriber.read_message().unwrap(), [b"a while away"]);
}

#[test]
fn conflation_keeps_the_newest_message_of_a_publisher() {
    for at in ["tcp://127.0.0.1:*", "inproc://conflate"] {
        let cx = Context::new();
        let options = Options::new().set(opt::CONFLATE, true);
        let publisher = cx.socket_with(SocketType::Pub, &options).unwrap();
        let subscriber = cx.socket_with(SocketType::Sub, &options).unwrap();
        subscriber.subscribe("").unwrap();
        subscriber.connect(publisher.bind(at).unwrap().to_string()).unwrap();
        publisher.wait_for_subscribers("", 1, LONG).unwrap();
        let body = |n: u32| [&n.to_be_bytes()[..], &[0; 100_000]].concat();
        for n in 0..300 {
            publisher.send(body(n)).unwrap();
        }
        until("all but what is under way is written or replaced", || publisher.stats().queued == 0);
        let mut last = None;
        let mut count = 0;
        while last != Some(299) {
            let message = recv(&subscriber);
            let n = u32::from_be_bytes(message[0][..4].try_into().unwrap());
            assert!(last < Some(n), "never an older one after a newer");
            last = Some(n);
            count += 1;
        }
        assert!(count < 300, "nothing was replaced");
        assert!(nothing(&subscriber));
    }
}

#[test]
fn a_stream_talks_to_a_plain_tcp_socket() {
    let cx = Context::new();
    let patient = Options::new().set(opt::RCVTIMEO, Some(LONG));
    let stream = cx.socket_with(SocketType::Stream, &patient).unwrap();
    let endpoint = stream.bind("tcp://127.0.0.1:*").unwrap();
    let mut plain = TcpStream::connect(address(&endpoint)).unwrap();
    plain.set_read_timeout(Some(LONG)).unwrap();
    let (id, hello) = stream.recv_from().unwrap();
    assert_eq!((id.as_bytes().len(), hello.len(), hello[0].len()), (5, 1, 0));
    plain.write_all(b"GET /").unwrap();
    let (from, bytes) = stream.recv_from().unwrap();
    assert_eq!((&from, &bytes[0]), (&id, &"GET /".into()));
    stream.send_to(&id, "200 OK").unwrap();
    let mut answer = [0; 6];
    plain.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"200 OK");
    // An empty chunk closes, after what was sent before.
    let body = vec![7; 1 << 20];
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut all = Vec::new();
            plain.read_to_end(&mut all).unwrap();
            all
        });
        stream.send_to(&id, body.clone()).unwrap();
        stream.send_to(&id, "").unwrap();
        assert_eq!(reader.join().unwrap().len(), body.len());
    });
    until("it is forgotten", || {
        matches!(stream.send_to(&id, "x").unwrap_err().error, Error::Unroutable { .. })
    });
}

#[test]
fn a_stream_is_told_that_a_plain_peer_went_away() {
    let cx = Context::new();
    let patient = Options::new().set(opt::RCVTIMEO, Some(LONG));
    let stream = cx.socket_with(SocketType::Stream, &patient).unwrap();
    let (listener, endpoint) = listen();
    stream.connect(&endpoint).unwrap();
    let (mut plain, _) = listener.accept().unwrap();
    let (id, hello) = stream.recv_from().unwrap();
    assert!(hello[0].is_empty());
    plain.write_all(b"last words").unwrap();
    drop(plain);
    let mut words = Vec::new();
    loop {
        let (from, chunk) = stream.recv_from().unwrap();
        assert_eq!(from, id);
        if chunk[0].is_empty() {
            break;
        }
        words.extend_from_slice(&chunk[0]);
    }
    assert_eq!(words, b"last words");
}

#[test]
fn who_forgot_to_subscribe_is_told() {
    let cx = Context::new();
    let subscriber = cx.socket(SocketType::Sub).unwrap();
    assert!(matches!(subscriber.try_recv(), Err(Error::WouldBlock(Why::NoSubscription { .. }))));
    subscriber.subscribe("").unwrap();
    assert!(matches!(subscriber.try_recv(), Err(Error::WouldBlock(Why::NoMessage { .. }))));
}

/// What a subscriber of a type that may follow `publisher` sends to hear of `topic`.
fn asking(publisher: SocketType, topic: &str) -> (&'static str, Vec<u8>) {
    let (name, verb) = match publisher {
        SocketType::Radio => ("DISH", &b"\x04JOIN"[..]),
        _ => ("SUB", &b"\x09SUBSCRIBE"[..]),
    };
    (name, command(&[verb, topic.as_bytes()].concat()))
}

/// A message that `topic` selects.
fn about(publisher: SocketType, topic: &str) -> Message {
    match publisher {
        SocketType::Radio => Message::from("body").with_group(topic),
        _ => Message::from((topic, "body")),
    }
}

const PUBLISHERS: [SocketType; 3] = [SocketType::Pub, SocketType::XPub, SocketType::Radio];

#[test]
fn a_publisher_that_connects_forgets_what_a_peer_that_is_gone_had_subscribed_to() {
    for publishes in PUBLISHERS {
        let cx = Context::new();
        let (listener, endpoint) = listen();
        // One too many, if anything of the peers before were kept.
        let options = impatient().set(opt::MAX_SUBSCRIPTIONS, 2);
        let publisher = cx.socket_with(publishes, &options).unwrap();
        let events = publisher.monitor();
        publisher.connect(&endpoint).unwrap();
        for round in 0..10 {
            let topics = [format!("t{round}"), format!("u{round}")];
            let [first, second] = topics.each_ref().map(|topic| asking(publishes, topic));
            let mut peer = RawPeer::accept(&listener).shake_hands(first.0);
            wait_for(&events, "of the peer", |kind| matches!(kind, EventKind::HandshakeSucceeded { .. }));
            if round > 0 {
                publisher.send(about(publishes, &format!("t{}", round - 1))).unwrap();
            }
            peer.send_bytes(&[first.1, second.1].concat());
            publisher.wait_for_subscribers(&topics[1], 1, LONG).unwrap();
            if publishes != SocketType::Radio {
                assert_eq!(publisher.get(opt::TOPICS_COUNT).unwrap(), 2, "{publishes}");
            }
            publisher.send(about(publishes, &topics[0])).unwrap();
            let got = peer.read_message().unwrap();
            assert_eq!(got, [topics[0].as_bytes(), b"body"], "{publishes}: what another had asked for");
            peer.kill();
            wait_for(&events, "of the loss", |kind| matches!(kind, EventKind::Disconnected { .. }));
            let counted = publisher.wait_for_subscribers(&topics[0], 1, Duration::ZERO);
            assert!(counted.is_err(), "a peer that is gone counts");
        }
    }
}

#[test]
fn a_publisher_that_connects_serves_a_subscriber_that_is_bound_anew() {
    let path = std::env::temp_dir().join(format!("zeroxide-bound-anew-{}", std::process::id()));
    let path = format!("ipc://{}", path.display());
    for at in ["tcp://127.0.0.1:*", &path, "inproc://anew"] {
        let cx = Context::new();
        let publisher = cx.socket_with(SocketType::Pub, &impatient()).unwrap();
        let mut endpoint = at.to_owned();
        for round in 0..5 {
            let subscriber = cx.socket(SocketType::Sub).unwrap();
            let topic = format!("{round}");
            subscriber.subscribe(&topic).unwrap();
            endpoint = subscriber.bind(&endpoint).unwrap().to_string();
            publisher.connect(&endpoint).unwrap();
            publisher.wait_for_subscribers(&topic, 1, LONG).unwrap();
            assert_eq!(publisher.get(opt::TOPICS_COUNT).unwrap(), 1);
            publisher.send(&topic).unwrap();
            assert_eq!(recv(&subscriber)[0], *topic.as_bytes());
            subscriber.close().wait();
            let gone = || publisher.wait_for_subscribers(&topic, 1, Duration::ZERO).is_err();
            until("it does not count", gone);
        }
    }
}
