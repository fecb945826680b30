//! The first hour: what a newcomer gets wrong, and what he is told. Each text says what, where, and what to do.

#![allow(clippy::unwrap_used)] // a test's helpers

mod common;

use std::io::Write;
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use common::{LONG, RawPeer, listen, no_linger, until};
use zeroxide::{Context, Error, ErrorKind, Options, RoutingId, Socket, SocketType, opt};

fn socket(cx: &Context, socket_type: SocketType) -> Socket {
    cx.socket_with(socket_type, &no_linger()).unwrap()
}

#[track_caller]
fn assert_error<T: std::fmt::Debug>(result: Result<T, impl Into<Error>>, kind: ErrorKind, text: &str) {
    let error: Error = result.unwrap_err().into();
    assert_eq!((error.kind(), error.to_string().as_str()), (kind, text));
}

/// A tcp endpoint where nobody listens.
fn nobody() -> String {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("tcp://{}", free.local_addr().unwrap())
}

#[test]
fn endpoints_that_are_no_endpoints() {
    let cx = Context::new();
    let s = socket(&cx, SocketType::Pub);
    assert_error(
        s.bind("localhost:5555"),
        ErrorKind::Endpoint,
        r#""localhost:5555": no transport; write "tcp://localhost:5555" (known: tcp, ipc, inproc)"#,
    );
    assert_error(
        s.bind("tcp://127.0.0.1"),
        ErrorKind::Endpoint,
        r#""tcp://127.0.0.1": no port; add ":5555", or ":*" to let the system choose"#,
    );
    let error = s.bind("tcp://127.0.0.1:70000").unwrap_err().to_string();
    assert!(error.contains(r#"port "70000" is not in 1..65535"#), "{error}");
    assert_error(
        s.connect("tcp://*:5555"),
        ErrorKind::Endpoint,
        r#""tcp://*:5555": "*" is for bind; connect needs a host such as 127.0.0.1"#,
    );
}

#[test]
fn binding_where_one_cannot() {
    let cx = Context::new();
    let (one, two) = (socket(&cx, SocketType::Pub), socket(&cx, SocketType::Pub));
    let taken = one.bind("tcp://127.0.0.1:*").unwrap().to_string();
    assert_error(
        two.bind(&taken),
        ErrorKind::Bind,
        &format!("cannot bind {taken} (PUB): address in use; another socket or process listens there"),
    );
    // RFC 5737: addresses that are nobody's.
    assert_error(
        one.bind("tcp://192.0.2.9:5555"),
        ErrorKind::Bind,
        "cannot bind tcp://192.0.2.9:5555: not an address of this machine; did you mean connect?",
    );
}

#[test]
fn connecting_to_the_wrong_peer() {
    let cx = Context::new();
    let publisher = socket(&cx, SocketType::Pub);
    let endpoint = publisher.bind("tcp://127.0.0.1:*").unwrap().to_string();
    let req = socket(&cx, SocketType::Req);
    let text = format!("{endpoint}: peer is PUB, we are REQ; a REQ talks to REP or ROUTER");
    assert_error(req.connect_ready(&endpoint, LONG), ErrorKind::Handshake, &text);
    assert!(req.status().to_string().starts_with("REQ: failed tcp://"), "{}", req.status());
}

#[test]
fn connecting_to_something_that_is_no_zeromq() {
    let cx = Context::new();
    let (listener, endpoint) = listen();
    let req = socket(&cx, SocketType::Req);
    thread::scope(|scope| {
        scope.spawn(|| {
            RawPeer::accept(&listener).stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap()
        });
        assert_error(
            req.connect_ready(&endpoint, LONG),
            ErrorKind::Handshake,
            &format!(r#"{endpoint}: peer does not speak ZMTP (first bytes "HTTP/1.1")"#),
        );
    });
}

#[test]
fn connecting_where_nobody_listens() {
    let cx = Context::new();
    let endpoint = nobody();
    let req = socket(&cx, SocketType::Req);
    let error = req.connect_ready(&endpoint, Duration::from_millis(300)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    let text = error.to_string();
    let attempts = text
        .strip_prefix(&format!("{endpoint} not ready after 300 ms: connection refused, "))
        .and_then(|rest| rest.strip_suffix("; is the server running?"))
        .unwrap_or_else(|| panic!("{text}"));
    let number: u32 = attempts.trim_end_matches('s').trim_end_matches(" attempt").parse().unwrap();
    assert!((1..10).contains(&number), "{text}");
}

#[test]
fn calls_that_the_type_does_not_have_or_not_now() {
    let cx = Context::new();
    assert_error(
        socket(&cx, SocketType::Sub).send("x"),
        ErrorKind::NotSupported,
        "a SUB socket cannot send; it receives from PUB or XPUB. To subscribe call subscribe()",
    );
    let (req, rep) = (socket(&cx, SocketType::Req), socket(&cx, SocketType::Rep));
    rep.bind("inproc://turns").unwrap();
    req.connect("inproc://turns").unwrap();
    req.send("x").unwrap();
    let text = "this REQ awaits a reply: call recv() first, or use request()";
    assert_error(req.send("x"), ErrorKind::WrongState, text);
    let text = "this REP has no request to answer: call recv() first";
    assert_error(rep.send("x"), ErrorKind::WrongState, text);
}

#[test]
fn sending_to_nobody_or_to_the_slow() {
    let cx = Context::new();
    let push = socket(&cx, SocketType::Push);
    let endpoint = push.bind("tcp://127.0.0.1:*").unwrap().to_string();
    let text = format!("PUSH bound to {endpoint} has no peer yet; message returned");
    assert_error(push.try_send("x"), ErrorKind::WouldBlock, &text);
    let _peers = [(), ()].map(|()| RawPeer::connect(&endpoint).shake_hands("PULL"));
    push.wait_for_peers(2, LONG).unwrap();
    let body = vec![0; 10_000];
    while push.try_send(body.clone()).is_ok() {}
    let text = "all 2 peers of this PUSH are at their high-water mark (1000); message returned";
    until("both are full", || push.try_send(body.clone()).is_err_and(|refused| refused.to_string() == text));
}

#[test]
fn receiving_without_a_subscription() {
    let cx = Context::new();
    let subscriber = socket(&cx, SocketType::Sub);
    assert_error(
        subscriber.recv_timeout(Duration::from_millis(10)),
        ErrorKind::TimedOut,
        "no message in 10 ms: this SUB has no subscription; call subscribe(\"\") for everything",
    );
}

#[test]
fn addressing_a_stranger() {
    let cx = Context::new();
    let router = socket(&cx, SocketType::Router);
    router.bind("inproc://strangers").unwrap();
    let dealers = [(); 3].map(|()| socket(&cx, SocketType::Dealer));
    dealers.iter().for_each(|dealer| drop(dealer.connect("inproc://strangers").unwrap()));
    let text = "no peer with routing id \"w7\"; 3 peers known, see peers()";
    assert_error(router.send(("w7", "x")), ErrorKind::Unroutable, text);
}

#[test]
fn an_option_out_of_range() {
    let cx = Context::new();
    let options = Options::new().set(opt::HEARTBEAT_TTL, Duration::from_secs(7000));
    let text = "HEARTBEAT_TTL = 7000 s: allowed 0..6553.5 s";
    assert_error(cx.socket_with(SocketType::Pub, &options), ErrorKind::Option, text);
}

#[test]
fn the_status_of_a_slow_joiner() {
    let cx = Context::new();
    let publisher = socket(&cx, SocketType::Pub);
    let endpoint = publisher.bind("tcp://127.0.0.1:*").unwrap().to_string();
    assert_eq!(publisher.status().to_string(), format!("PUB {endpoint}: 0 subscribers"));
    (0..412).for_each(|_| publisher.send("too early").unwrap());
    let subscribers = [(); 3].map(|()| socket(&cx, SocketType::Sub));
    for subscriber in &subscribers {
        subscriber.subscribe("").unwrap();
        subscriber.connect(&endpoint).unwrap();
    }
    publisher.wait_for_subscribers("", 3, LONG).unwrap();
    assert_eq!(
        publisher.status().to_string(),
        format!(
            "PUB {endpoint}: 3 subscribers; 412 sent before the first subscription (unmatched); see wait_for_subscribers"
        )
    );
    assert_eq!(
        subscribers[0].status().to_string(),
        format!("SUB: connected {endpoint}; 1 subscription (\"\"); 1 peer")
    );
}

#[test]
fn the_status_of_a_publisher_that_nobody_listens_to() {
    let cx = Context::new();
    let (publisher, subscriber) = (socket(&cx, SocketType::Pub), socket(&cx, SocketType::Sub));
    publisher.bind("inproc://p").unwrap();
    subscriber.connect("inproc://p").unwrap();
    subscriber.subscribe("a").unwrap();
    publisher.send("b").unwrap();
    let text = "PUB inproc://p: 1 subscriber; 1 sent without a matching subscription (unmatched); see wait_for_subscribers";
    assert_eq!(publisher.status().to_string(), text);
}

#[test]
fn the_status_of_a_connect_to_a_name_that_nobody_bound() {
    let cx = Context::new();
    let pair = socket(&cx, SocketType::Pair);
    assert_eq!(pair.status().to_string(), "PAIR: neither bound nor connected");
    pair.connect("inproc://a").unwrap();
    let text =
        "PAIR: connecting inproc://a: not bound in this context; inproc joins sockets of one Context only";
    assert_eq!(pair.status().to_string(), text);
}

#[test]
fn the_status_of_a_hang() {
    let cx = Context::new();
    let endpoint = nobody();
    let options = no_linger()
        .set(opt::ROUTING_ID, RoutingId::new("w1").unwrap())
        .set(opt::IMMEDIATE, true)
        .set(opt::RECONNECT_IVL, Some(Duration::from_millis(20)));
    let dealer = cx.socket_with(SocketType::Dealer, &options).unwrap();
    dealer.connect(&endpoint).unwrap();
    thread::scope(|scope| {
        let sender = scope.spawn(|| dealer.send("x"));
        until("it was refused, and waits for some time", || {
            let status = dealer.status();
            status.endpoints[0].attempts > 3 && status.longest_wait >= Some(Duration::from_millis(60))
        });
        let (status, text) = (dealer.status(), dealer.status().to_string());
        let wait = text
            .strip_prefix(&format!("DEALER \"w1\": connecting {endpoint}, attempt "))
            .and_then(|rest| rest.split_once(", last: connection refused; 1 sender waiting "))
            .and_then(|(attempts, rest)| attempts.parse::<u32>().ok().map(|_| rest))
            .and_then(|rest| rest.strip_suffix(" s (no peer); queued 0"))
            .unwrap_or_else(|| panic!("{text}"));
        assert!(wait.parse::<f32>().unwrap() >= 0.0 && status.senders_waiting == 1, "{text}");
        dealer.close().wait();
        assert_error(sender.join().unwrap(), ErrorKind::Closed, "the socket is closed");
    });
    assert_eq!(dealer.status().senders_waiting, 0);
}

#[test]
fn the_status_of_a_flood() {
    let cx = Context::new();
    let push = cx.socket_with(SocketType::Push, &no_linger().set(opt::SNDHWM, 7)).unwrap();
    push.connect(nobody()).unwrap();
    while push.try_send("x").is_ok() {}
    assert!(push.status().to_string().ends_with("; queued 7"), "{}", push.status());
}
