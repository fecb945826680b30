//! What is shown of the system's descriptors, and of what waits behind them.
#![allow(clippy::unwrap_used)] // a test's helpers

mod common;

use common::{RawPeer, Soon, until, wait_for};
use zeroxide::{Context, EventKind, SocketType};

#[test]
fn the_events_of_one_stream_and_its_peer_name_one_descriptor() {
    let cx = Context::new();
    let pull = cx.socket(SocketType::Pull).unwrap();
    let events = pull.monitor();
    let endpoint = pull.bind("tcp://127.0.0.1:*").unwrap();
    let listening = wait_for(&events, "of the bind", |kind| matches!(kind, EventKind::Listening));
    let mut peer = RawPeer::connect(&endpoint).shake_hands("PUSH");
    let accepted = wait_for(&events, "of the peer", |kind| matches!(kind, EventKind::Accepted));
    let known = wait_for(&events, "of the peer", |kind| matches!(kind, EventKind::HandshakeSucceeded { .. }));
    peer.send(&[b"x"]);
    let from = pull.recv_soon().peer().unwrap().descriptor;
    peer.kill();
    let gone = wait_for(&events, "of the loss", |kind| matches!(kind, EventKind::Disconnected { .. }));
    pull.unbind(endpoint.to_string()).unwrap();
    let closed = wait_for(&events, "of the unbind", |kind| matches!(kind, EventKind::ListenerClosed));

    assert!(from.is_some_and(|descriptor| descriptor > 2), "{from:?}");
    assert_eq!([accepted.descriptor, known.descriptor, gone.descriptor], [from; 3]);
    assert!(listening.descriptor.is_some() && listening.descriptor != from);
    assert_eq!(closed.descriptor, listening.descriptor);
}

#[test]
fn who_connects_is_told_of_the_descriptor_once_there_is_a_connection() {
    let cx = Context::new();
    let (listener, endpoint) = common::listen();
    let push = cx.socket(SocketType::Push).unwrap();
    let events = push.monitor();
    push.connect(&endpoint).unwrap();
    let _peer = RawPeer::accept(&listener).shake_hands("PULL");
    let delayed = wait_for(&events, "of the connect", |kind| matches!(kind, EventKind::ConnectDelayed));
    let connected = wait_for(&events, "of the connection", |kind| matches!(kind, EventKind::Connected));
    assert_eq!(delayed.descriptor, None);
    assert!(connected.descriptor.is_some());
    until("the peer is known", || push.peers().len() == 1);
    assert_eq!(push.peers()[0].descriptor, connected.descriptor);
}

#[test]
fn what_nobody_has_received_yet_is_counted_for_each_pipe() {
    let cx = Context::new();
    let pull = cx.socket(SocketType::Pull).unwrap();
    let endpoint = pull.bind("tcp://127.0.0.1:*").unwrap();
    let mut peer = RawPeer::connect(&endpoint).shake_hands("PUSH");
    (0..3).for_each(|_| peer.send(&[b"x"]));
    let waiting = || pull.stats().pipes.iter().map(|pipe| pipe.received.waiting).sum::<u64>();
    until("all have come", || waiting() == 3);
    pull.recv_soon();
    assert_eq!(waiting(), 2);
}

#[test]
#[cfg(unix)]
fn whoever_connects_before_a_listener_closes_is_told_as_accepted_before_that() {
    let cx = Context::new();
    for endpoint in ["tcp://127.0.0.1:*", "ipc://*"] {
        for closes in [false, true].repeat(50) {
            let pull = cx.socket(SocketType::Pull).unwrap();
            let events = pull.monitor();
            let bound = pull.bind(endpoint).unwrap().to_string();
            wait_for(&events, "of the bind", |kind| matches!(kind, EventKind::Listening));
            let (_tcp, _ipc) = match bound.split_once("://").unwrap() {
                ("ipc", path) => (None, Some(std::os::unix::net::UnixStream::connect(path).unwrap())),
                (_, address) => (Some(std::net::TcpStream::connect(address).unwrap()), None),
            };
            if closes {
                drop(pull.close())
            } else {
                pull.unbind(&bound).unwrap()
            }
            let first = |kind: &EventKind| matches!(kind, EventKind::Accepted | EventKind::ListenerClosed);
            let first = wait_for(&events, "of the peer", first);
            assert!(matches!(first.kind, EventKind::Accepted), "{endpoint}: {first:?}");
            wait_for(&events, "of the end", |kind| matches!(kind, EventKind::ListenerClosed));
        }
    }
}
