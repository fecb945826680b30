//! The conformance kit of the three schemes, at the socket: what holds for tcp holds for ipc and inproc, to the word.

#![allow(clippy::unwrap_used)] // clippy sees a test only in the function itself

mod common;

use std::io::{self, Write};
use std::time::Duration;

use common::LONG;
use zeroxide::{Context, Error, Message, Options, Socket, SocketType, opt};

/// Runs a rule for each scheme, with an endpoint to bind that nobody else uses.
fn each_scheme(rule: &str, check: impl Fn(&Context, &str)) {
    let abstract_name = format!("ipc://@zeroxide-{}-{rule}", std::process::id());
    let path = std::env::temp_dir().join(format!("zeroxide-{}-{rule}", std::process::id()));
    let path = format!("ipc://{}", path.display());
    let mut endpoints = vec!["inproc://a", "tcp://127.0.0.1:*", "tcp://localhost:*"];
    if cfg!(unix) {
        endpoints.push(&path);
    } else {
        not_run(rule, "ipc is not supported on this system");
    }
    if cfg!(target_os = "linux") {
        endpoints.push(&abstract_name);
    }
    if std::net::TcpListener::bind("[::1]:0").is_ok() {
        endpoints.push("tcp://[::1]:*");
    } else {
        not_run(rule, "this machine has no IPv6");
    }
    for endpoint in endpoints {
        println!("{rule}: {endpoint}");
        check(&Context::new(), endpoint);
    }
}

/// Says so past the harness, which keeps to itself what a test that passes prints.
fn not_run(rule: &str, why: &str) {
    let _ = writeln!(io::stderr(), "NOT RUN: {rule}: {why}");
}

fn options() -> Options {
    Options::new().set(opt::IPV6, true).set(opt::RECONNECT_IVL, Some(Duration::from_millis(5)))
}

fn socket(context: &Context, socket_type: SocketType) -> Socket {
    context.socket_with(socket_type, &options()).unwrap()
}

/// Where to connect to reach what was bound.
fn bound(socket: &Socket, endpoint: &str) -> String {
    socket.bind(endpoint).unwrap().connectable().to_string()
}

#[test]
fn messages_of_every_size_and_shape_arrive_whole_and_in_order_both_ways() {
    each_scheme("shape", |context, endpoint| {
        let (a, b) = (socket(context, SocketType::Pair), socket(context, SocketType::Pair));
        b.connect(bound(&a, endpoint)).unwrap();
        let bodies: Vec<Vec<u8>> =
            [0, 1, 63, 64, 65, 255, 256, 2048, 2049, 8191, 8192, 65_535, 65_536, 1 << 20]
                .iter()
                .map(|size| (0..*size).map(|n| (n % 251) as u8).collect())
                .collect();
        let messages: Vec<Message> = bodies
            .iter()
            .map(|body| Message::from(&body[..]))
            .chain([Message::from(["", "", ""]), Message::from(bodies.clone())])
            .collect();
        for (from, to) in [(&a, &b), (&b, &a)] {
            std::thread::scope(|scope| {
                scope.spawn(|| messages.iter().for_each(|message| from.send(message.clone()).unwrap()));
                for message in &messages {
                    assert!(to.recv_timeout(LONG).unwrap() == *message);
                }
            });
        }
    });
}

#[test]
fn a_connect_may_come_before_its_bind() {
    each_scheme("early", |context, endpoint| {
        // Where the system chooses the address, it is known only once somebody was bound there.
        let first = socket(context, SocketType::Pull);
        let target = bound(&first, endpoint);
        first.unbind(first.endpoints()[0].endpoint.to_string()).unwrap();
        let push = socket(context, SocketType::Push);
        push.connect(&target).unwrap();
        push.send("early").unwrap();
        let pull = socket(context, SocketType::Pull);
        pull.bind(&target).unwrap();
        assert_eq!(pull.recv_timeout(LONG).unwrap()[0], "early");
    });
}

#[test]
fn what_is_bound_cannot_be_bound_again_until_it_is_unbound() {
    each_scheme("twice", |context, endpoint| {
        let (first, second) = (socket(context, SocketType::Pull), socket(context, SocketType::Pull));
        first.bind(endpoint).unwrap();
        let resolved = first.endpoints()[0].endpoint.to_string();
        let error = second.bind(&resolved).unwrap_err();
        assert!(matches!(&error, Error::Bind(e) if e.source.kind() == io::ErrorKind::AddrInUse), "{error}");
        first.unbind(&resolved).unwrap();
        second.bind(&resolved).unwrap();
        second.close().wait();
        first.bind(&resolved).unwrap();
    });
}

#[test]
fn each_of_many_connections_is_served() {
    each_scheme("many", |context, endpoint| {
        let router = socket(context, SocketType::Router);
        let target = bound(&router, endpoint);
        let dealers: Vec<Socket> = (0..50).map(|_| socket(context, SocketType::Dealer)).collect();
        dealers.iter().for_each(|dealer| drop(dealer.connect(&target).unwrap()));
        dealers.iter().for_each(|dealer| dealer.send("?").unwrap());
        for _ in &dealers {
            let (from, _) = router.recv_from().unwrap();
            router.send_to(&from, "!").unwrap();
        }
        dealers.iter().for_each(|dealer| assert_eq!(dealer.recv_timeout(LONG).unwrap()[0], "!"));
        router.wait_for_peers(50, LONG).unwrap();
    });
}

#[test]
fn what_was_sent_before_a_close_arrives_after_it() {
    each_scheme("close", |context, endpoint| {
        let pull = socket(context, SocketType::Pull);
        let push = socket(context, SocketType::Push);
        push.connect(bound(&pull, endpoint)).unwrap();
        (0..500u32).for_each(|n| push.send(&n.to_be_bytes()).unwrap());
        drop(push);
        (0..500u32).for_each(|n| assert_eq!(pull.recv_timeout(LONG).unwrap()[0], &n.to_be_bytes()[..]));
    });
}

#[test]
fn a_full_queue_refuses_and_loses_nothing() {
    each_scheme("full", |context, endpoint| {
        let few = options().set(opt::SNDHWM, 10).set(opt::RCVHWM, 10);
        let pull = context.socket_with(SocketType::Pull, &few).unwrap();
        let push = context.socket_with(SocketType::Push, &few).unwrap();
        push.connect(bound(&pull, endpoint)).unwrap();
        push.wait_for_peers(1, LONG).unwrap();
        let body = vec![7; 100_000];
        // A moment in which nothing more leaves: a blocked engine says so by refusing twice in a row with time between.
        let mut sent = 0;
        while push.send_timeout(&body[..], Duration::from_millis(200)).is_ok() {
            sent += 1;
            assert!(sent < 10_000, "no bound");
        }
        for _ in 0..sent {
            assert_eq!(pull.recv_timeout(LONG).unwrap()[0].len(), body.len());
        }
        assert!(matches!(pull.try_recv(), Err(Error::WouldBlock(_))));
        assert_eq!(push.stats().accepted, sent);
    });
}

#[test]
fn a_disconnected_endpoint_is_gone_at_both_ends() {
    each_scheme("gone", |context, endpoint| {
        let dealer = socket(context, SocketType::Dealer);
        let router = socket(context, SocketType::Router);
        let target = bound(&router, endpoint);
        dealer.connect(&target).unwrap();
        dealer.send("hello").unwrap();
        let (from, _) = router.recv_from().unwrap();
        dealer.disconnect(&target).unwrap();
        assert!(dealer.endpoints().is_empty());
        assert!(matches!(dealer.disconnect(&target), Err(Error::NoSuchEndpoint(_))));
        // The peer finds out by itself: until then its messages go nowhere.
        while router.send_to(&from, "anybody?").is_ok() {
            std::thread::yield_now();
        }
    });
}
