//! Life of sockets, endpoints and contexts: connecting, losing, lingering, closing, terminating.
#![allow(clippy::unwrap_used)] // a test's helpers

mod common;

use std::thread;
use std::time::{Duration, Instant};

use common::LONG;
use zeroxide::{Context, ContextOptions, EndpointState, Error, EventKind, Options, SocketType, opt};

const SHORT: Duration = Duration::from_millis(50);

#[test]
fn connect_ready_answers_the_peer() {
    let cx = Context::new();
    let rep = cx.socket(SocketType::Rep).unwrap();
    let endpoint = rep.bind("tcp://127.0.0.1:*").unwrap();
    let req = cx.socket(SocketType::Req).unwrap();
    let peer = req.connect_ready(endpoint.to_string(), LONG).unwrap();
    assert_eq!(peer.socket_type, Some(SocketType::Rep));
    rep.wait_for_peers(1, LONG).unwrap();
    assert_eq!(rep.peers()[0].socket_type, Some(SocketType::Req));
}

#[test]
fn connect_ready_tells_why_a_peer_of_the_wrong_type_is_none() {
    let cx = Context::new();
    let publisher = cx.socket(SocketType::Pub).unwrap();
    let endpoint = publisher.bind("tcp://127.0.0.1:*").unwrap().to_string();
    let req = cx.socket(SocketType::Req).unwrap();
    let error = req.connect_ready(&endpoint, LONG).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("{endpoint}: peer is PUB, we are REQ; a REQ talks to REP or ROUTER")
    );
    assert!(matches!(req.endpoints()[0].state, EndpointState::Failed(_)));
}

#[test]
fn connect_ready_tells_of_refusals_when_nobody_listens() {
    let cx = Context::new();
    let free = cx.socket(SocketType::Rep).unwrap();
    let endpoint = free.bind("tcp://127.0.0.1:*").unwrap().to_string();
    free.unbind(&endpoint).unwrap();
    let req = cx.socket(SocketType::Req).unwrap();
    let error = req.connect_ready(&endpoint, Duration::from_millis(250)).unwrap_err();
    assert!(matches!(error, Error::TimedOut(_)));
    let text = error.to_string();
    assert!(text.contains("not ready after 250 ms: connection refused"), "{text}");
    assert!(text.ends_with("is the server running?"), "{text}");
}

#[test]
fn unbind_leaves_the_port_free_when_it_returns() {
    let cx = Context::new();
    let pull = cx.socket(SocketType::Pull).unwrap();
    let endpoint = pull.bind("tcp://127.0.0.1:*").unwrap().to_string();
    for _ in 0..50 {
        pull.unbind(&endpoint).unwrap();
        pull.bind(&endpoint).unwrap();
    }
    assert!(matches!(pull.unbind("tcp://127.0.0.1:1"), Err(Error::NoSuchEndpoint(_))));
}

#[test]
fn an_endpoint_ends_by_the_text_that_it_was_asked_for_with() {
    let cx = Context::new();
    let pull = cx.socket(SocketType::Pull).unwrap();
    // Another program may take a port that was free a moment ago: then another one serves.
    let bound = (0..100).find_map(|_| {
        let free = pull.bind("tcp://127.0.0.1:*").unwrap().to_string();
        pull.unbind(&free).unwrap();
        let asked = free.replace("127.0.0.1", "localhost");
        pull.bind(&asked).ok().map(|resolved| (asked, resolved.to_string()))
    });
    let (asked, resolved) = bound.expect("a port that stays free");
    assert_ne!(resolved, asked);
    pull.unbind(&asked).unwrap();
    for gone in [&asked, &resolved] {
        assert!(matches!(pull.unbind(gone), Err(Error::NoSuchEndpoint(_))), "{gone}");
    }
    // What each bind resolves anew names nothing afterwards.
    pull.bind("tcp://localhost:*").unwrap();
    assert!(matches!(pull.unbind("tcp://localhost:*"), Err(Error::NoSuchEndpoint(_))));
}

#[test]
fn messages_queue_before_the_peer_exists_and_survive_its_restart() {
    let cx = Context::new();
    let pull = cx.socket(SocketType::Pull).unwrap();
    let endpoint = pull.bind("tcp://127.0.0.1:*").unwrap().to_string();
    pull.close().wait();
    let push = cx
        .socket_with(
            SocketType::Push,
            &Options::new().set(opt::RECONNECT_IVL, Some(Duration::from_millis(10))),
        )
        .unwrap();
    push.connect(&endpoint).unwrap();
    for round in 0..5u8 {
        push.send(&[round]).unwrap();
        push.send(&[round + 100]).unwrap();
        let pull = cx.socket(SocketType::Pull).unwrap();
        pull.bind(&endpoint).unwrap();
        assert_eq!(pull.recv_timeout(LONG).unwrap()[0], &[round][..]);
        assert_eq!(pull.recv_timeout(LONG).unwrap()[0], &[round + 100][..]);
        let events = push.monitor();
        pull.close().wait();
        while !matches!(events.recv_timeout(LONG).unwrap().kind, EventKind::Disconnected { .. }) {}
    }
}

#[test]
fn blocked_calls_end_with_closed_when_another_clone_closes() {
    let cx = Context::new();
    let pull = cx.socket(SocketType::Pull).unwrap();
    let push = cx.socket(SocketType::Push).unwrap();
    thread::scope(|scope| {
        let receiver = scope.spawn(|| pull.recv());
        let sender = scope.spawn(|| push.send("nobody"));
        while pull.status().receivers_waiting == 0 || push.status().senders_waiting == 0 {
            thread::yield_now();
        }
        pull.close().wait();
        push.close().wait();
        assert!(matches!(receiver.join().unwrap(), Err(Error::Closed)));
        let refused = sender.join().unwrap().unwrap_err();
        assert!(matches!(refused.error, Error::Closed));
        assert_eq!(refused.message[0], "nobody");
    });
}

#[test]
fn blocked_calls_end_with_terminated_when_the_context_shuts_down() {
    let cx = Context::new();
    let pull = cx.socket(SocketType::Pull).unwrap();
    pull.bind("tcp://127.0.0.1:*").unwrap();
    thread::scope(|scope| {
        let receiver = scope.spawn(|| pull.recv());
        while pull.status().receivers_waiting == 0 {
            thread::yield_now();
        }
        cx.shutdown();
        assert!(matches!(receiver.join().unwrap(), Err(Error::Terminated)));
    });
    assert!(matches!(cx.socket(SocketType::Pair), Err(Error::Terminated)));
    cx.term().wait();
}

#[test]
fn close_reports_what_linger_dropped_and_takes_no_longer() {
    let cx = Context::new();
    let options = Options::new().set(opt::LINGER, Some(SHORT));
    let push = cx.socket_with(SocketType::Push, &options).unwrap();
    push.connect("tcp://127.0.0.1:1").unwrap();
    for n in 0..10u8 {
        push.send(&[n]).unwrap();
    }
    let start = Instant::now();
    let report = push.close().wait();
    assert_eq!((report.written, report.dropped), (0, 10));
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn close_lingers_until_everything_is_written() {
    let cx = Context::new();
    let pull = cx.socket(SocketType::Pull).unwrap();
    let endpoint = pull.bind("ipc://*").unwrap().to_string();
    let options = Options::new().set(opt::LINGER, None).set(opt::SNDHWM, 0);
    let push = cx.socket_with(SocketType::Push, &options).unwrap();
    push.connect(&endpoint).unwrap();
    for n in 0..20_000u32 {
        push.send(&n.to_be_bytes()).unwrap();
    }
    let closing = push.close();
    for n in 0..20_000u32 {
        assert_eq!(pull.recv_timeout(LONG).unwrap()[0], &n.to_be_bytes()[..]);
    }
    assert_eq!(closing.wait().dropped, 0);
}

#[test]
fn dropping_the_last_handle_waits_for_unsent_messages_at_most_for_the_contexts_linger() {
    let cx = Context::with(ContextOptions::new().linger(Some(SHORT))).unwrap();
    let push = cx.socket_with(SocketType::Push, &Options::new().set(opt::LINGER, None)).unwrap();
    push.connect("tcp://127.0.0.1:1").unwrap();
    push.send("lost").unwrap();
    let start = Instant::now();
    drop(cx);
    drop(push);
    assert!(start.elapsed() >= SHORT && start.elapsed() < Duration::from_secs(5));
}

#[test]
fn the_high_water_mark_is_exact_over_inproc() {
    let cx = Context::new();
    let options = Options::new().set(opt::SNDHWM, 7).set(opt::RCVHWM, 5);
    let pull = cx.socket_with(SocketType::Pull, &options).unwrap();
    let push = cx.socket_with(SocketType::Push, &options).unwrap();
    pull.bind("inproc://hwm").unwrap();
    push.connect("inproc://hwm").unwrap();
    let fill = || (0..).take_while(|n: &u32| push.try_send(&n.to_be_bytes()).is_ok()).count();
    assert_eq!(fill(), 12);
    for _ in 0..12 {
        pull.try_recv().unwrap();
    }
    assert_eq!(fill(), 12);
}

#[test]
fn the_high_water_mark_is_exact_before_inproc_is_bound() {
    let cx = Context::new();
    let options = Options::new().set(opt::SNDHWM, 7).set(opt::RCVHWM, 5);
    let push = cx.socket_with(SocketType::Push, &options).unwrap();
    push.connect("inproc://late").unwrap();
    let fill = || (0..).take_while(|n: &u32| push.try_send(&n.to_be_bytes()).is_ok()).count();
    assert_eq!(fill(), 7);
    let pull = cx.socket_with(SocketType::Pull, &options).unwrap();
    pull.bind("inproc://late").unwrap();
    assert_eq!(fill(), 5);
    assert_eq!((0..).take_while(|_| pull.try_recv().is_ok()).count(), 12);
}

#[test]
fn the_high_water_mark_is_exact_towards_a_peer_that_is_not_there() {
    let cx = Context::new();
    let push = cx
        .socket_with(
            SocketType::Push,
            &Options::new().set(opt::SNDHWM, 9).set(opt::LINGER, Some(Duration::ZERO)),
        )
        .unwrap();
    push.connect("tcp://127.0.0.1:1").unwrap();
    assert_eq!((0..).take_while(|n: &u32| push.try_send(&n.to_be_bytes()).is_ok()).count(), 9);
    let stats = push.stats();
    assert_eq!((stats.accepted, stats.refused, stats.queued), (9, 1, 9));
}

#[test]
fn subscribers_are_waited_for_and_nothing_after_that_is_lost() {
    let cx = Context::new();
    let publisher = cx.socket(SocketType::Pub).unwrap();
    let endpoint = publisher.bind("tcp://127.0.0.1:*").unwrap().to_string();
    publisher.send("nobody hears this").unwrap();
    let subscribers: Vec<_> = (0..5)
        .map(|_| {
            let subscriber = cx.socket(SocketType::Sub).unwrap();
            subscriber.connect(&endpoint).unwrap();
            subscriber.subscribe("a").unwrap();
            subscriber
        })
        .collect();
    publisher.wait_for_subscribers("abc", 5, LONG).unwrap();
    for n in 0..100u8 {
        publisher.send(("a", &[n][..])).unwrap();
        publisher.send(("b", &[n][..])).unwrap();
    }
    for subscriber in &subscribers {
        for n in 0..100u8 {
            assert_eq!(subscriber.recv_timeout(LONG).unwrap()[1], &[n][..]);
        }
    }
    let stats = publisher.stats();
    assert_eq!((stats.accepted, stats.unmatched, stats.routed), (201, 101, 500));
}

#[test]
fn a_child_that_sends_and_returns_from_main_loses_nothing() {
    let cx = Context::new();
    let pull = cx.socket(SocketType::Pull).unwrap();
    let endpoint = pull.bind("tcp://127.0.0.1:*").unwrap().to_string();
    if let Some(endpoint) = common::parents_endpoint() {
        let push = cx.socket(SocketType::Push).unwrap();
        push.connect(&endpoint).unwrap();
        (0..1000u32).for_each(|n| push.send(&n.to_be_bytes()).unwrap());
        return;
    }
    let this = "a_child_that_sends_and_returns_from_main_loses_nothing";
    let mut child = common::child_process(this, &endpoint).spawn().unwrap();
    for n in 0..1000u32 {
        assert_eq!(pull.recv_timeout(LONG).unwrap()[0], &n.to_be_bytes()[..]);
    }
    assert!(child.wait().unwrap().success());
}
