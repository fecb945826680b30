//! `request()` that gets no reply: what was not written comes back, and nobody receives it later.
#![allow(clippy::unwrap_used)] // a test's helpers

mod common;

use std::thread;
use std::time::Duration;

use common::{LONG, RawPeer, Soon, assert_balanced, impatient, listen, until};
use zeroxide::{Context, Error, Message, Socket, SocketType, Why};

const SHORT: Duration = Duration::from_millis(100);

/// An endpoint of each scheme that nobody is bound to, and that can be bound later.
fn free_endpoints(cx: &Context) -> Vec<String> {
    let rep = cx.socket(SocketType::Rep).unwrap();
    let tcp = rep.bind("tcp://127.0.0.1:*").unwrap().to_string();
    let _ = rep.close().wait();
    let path = std::env::temp_dir().join(format!("zeroxide-requests-{}", std::process::id()));
    let ipc = cfg!(unix).then(|| format!("ipc://{}", path.display()));
    [tcp, "inproc://later".to_owned()].into_iter().chain(ipc).collect()
}

/// Requests something that nobody takes, and checks that it comes back whole, with the reason.
#[track_caller]
fn request_in_vain(req: &Socket, text: &str, reason: &str) {
    let before = req.stats();
    let failed = req.request([text, "of two frames"], SHORT).unwrap_err();
    assert_eq!(failed.unsent, Some(Message::from([text, "of two frames"])), "{failed}");
    assert!(matches!(failed.error, Error::TimedOut(Why::RequestUnsent(_))), "{:?}", failed.error);
    assert!(failed.to_string().contains(reason), "{failed}");
    let stats = req.stats();
    assert_balanced(&stats);
    assert_eq!((stats.routed, stats.queued), (before.routed, before.queued), "it counts as never sent");
    assert_eq!((stats.accepted, stats.refused), (before.accepted, before.refused + 1));
    assert_eq!(stats.dropped.total(), before.dropped.total());
}

#[test]
fn a_request_in_vain_comes_back_and_never_arrives_while_nobody_is_connected() {
    let cx = Context::new();
    for endpoint in free_endpoints(&cx) {
        let req = cx.socket_with(SocketType::Req, &impatient()).unwrap();
        req.connect(&endpoint).unwrap();
        for n in 0..3 {
            request_in_vain(&req, &format!("{n}"), &format!("connecting to {endpoint} has no peer yet"));
        }
        let rep = cx.socket(SocketType::Rep).unwrap();
        rep.bind(&endpoint).unwrap();
        thread::scope(|scope| {
            let asked = scope.spawn(|| req.request("last", LONG).unwrap());
            assert_eq!(rep.recv_soon(), Message::from("last"), "{endpoint}");
            rep.send("reply").unwrap();
            assert_eq!(asked.join().unwrap(), Message::from("reply"));
        });
        until("all that was routed is written", || req.stats().queued == 0);
        let stats = req.stats();
        assert_balanced(&stats);
        assert_eq!((stats.accepted, stats.routed, stats.written), (1, 1, 1), "{endpoint}");
    }
}

#[test]
fn a_request_in_vain_comes_back_after_the_connection_was_lost() {
    let cx = Context::new();
    let (listener, endpoint) = listen();
    let req = cx.socket_with(SocketType::Req, &impatient()).unwrap();
    req.connect(&endpoint).unwrap();
    let peer = RawPeer::accept(&listener).shake_hands("REP");
    req.wait_for_peers(1, LONG).unwrap();
    // Without a listener nobody takes the place of the lost one.
    drop(listener);
    peer.kill();
    until("the peer is gone", || req.status().peers == 0);
    request_in_vain(&req, "unsent", "has no peer yet");
}

#[test]
fn a_request_behind_a_full_stream_comes_back_and_never_arrives() {
    let cx = Context::new();
    let (listener, endpoint) = listen();
    let req = cx.socket(SocketType::Req).unwrap();
    req.connect(&endpoint).unwrap();
    let mut peer = RawPeer::accept(&listener).shake_hands("REP");
    let large = vec![7; 32 << 20];
    let failed = req.request(&*large, SHORT).unwrap_err();
    assert_eq!(failed.unsent, None, "a part of it is written");
    assert!(failed.to_string().contains("may have arrived"), "{failed}");
    for n in 0..3 {
        request_in_vain(&req, &format!("{n}"), "the peer takes nothing in");
    }
    thread::scope(|scope| {
        let asked = scope.spawn(|| req.request("last", LONG).unwrap());
        let frames = peer.read_message().unwrap();
        assert!(frames[2] == large, "the first request is whole");
        let frames = peer.read_message().unwrap();
        assert_eq!(frames[2], b"last", "nothing between them");
        peer.send(&[&frames[0], b"", b"reply"]);
        assert_eq!(asked.join().unwrap(), Message::from("reply"));
    });
    let stats = req.stats();
    assert_balanced(&stats);
    assert_eq!((stats.accepted, stats.written, stats.queued), (2, 2, 0));
}

#[test]
fn a_request_that_a_bound_socket_holds_for_nobody_is_not_sent_at_all() {
    let cx = Context::new();
    let req = cx.socket(SocketType::Req).unwrap();
    req.bind("tcp://127.0.0.1:*").unwrap();
    let failed = req.request("unsent", SHORT).unwrap_err();
    assert_eq!(failed.unsent, Some(Message::from("unsent")));
    assert!(matches!(failed.error, Error::TimedOut(Why::NoPeer { .. })), "{failed}");
}

#[test]
fn a_request_that_arrived_is_not_called_unsent() {
    let cx = Context::new();
    for endpoint in ["tcp://127.0.0.1:*", "inproc://silent"] {
        let (rep, req) = (cx.socket(SocketType::Rep).unwrap(), cx.socket(SocketType::Req).unwrap());
        let bound = rep.bind(endpoint).unwrap();
        req.connect(bound.to_string()).unwrap();
        req.wait_for_peers(1, LONG).unwrap();
        let failed = req.request("taken", SHORT).unwrap_err();
        assert_eq!(failed.unsent, None, "{endpoint}");
        assert!(failed.to_string().contains("may have arrived"), "{failed}");
        assert_eq!(rep.recv_soon(), Message::from("taken"));
    }
}
