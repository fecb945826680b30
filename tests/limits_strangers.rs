//! Limits on peers that have not proved to be any: what a stranger can take of a socket before its handshake is over.
#![allow(clippy::unwrap_used)] // a test's helpers

mod common;

use std::io::Write;
use std::time::Duration;

use common::{LONG, RawPeer, Soon, impatient, listen, wait_for};
use zeroxide::{Context, Crowd, EventKind, HandshakeCause, Monitor, Options, Socket, SocketType, opt};

/// Short for a test, and long enough for ten bytes to arrive on a busy machine.
const SOON: Duration = Duration::from_secs(1);

/// A bound PULL with these options, its endpoint and its events.
fn bound(cx: &Context, options: &Options) -> (Socket, String, Monitor) {
    let pull = cx.socket_with(SocketType::Pull, options).unwrap();
    let events = pull.monitor();
    let endpoint = pull.bind("tcp://127.0.0.1:*").unwrap().to_string();
    (pull, endpoint, events)
}

/// Why the next handshake failed.
fn next_failure(events: &Monitor) -> HandshakeCause {
    let failed = |kind: &EventKind| matches!(kind, EventKind::HandshakeFailed(_));
    let EventKind::HandshakeFailed(error) = wait_for(events, "of the failure", failed).kind else {
        unreachable!()
    };
    error.cause.clone()
}

#[cfg(target_os = "linux")] // where all of 127/8 is this machine
#[test]
fn one_host_has_no_more_than_its_share_of_the_handshakes_and_others_have_theirs() {
    let cx = Context::new();
    let (pull, endpoint, events) = bound(&cx, &Options::new().set(opt::MAX_HANDSHAKES, 24));
    let mut strangers: Vec<RawPeer> = (0..3).map(|_| RawPeer::connect(&endpoint)).collect();
    for _ in 0..3 {
        wait_for(&events, "of a stranger", |kind| matches!(kind, EventKind::Accepted));
    }
    RawPeer::connect(&endpoint).expect_end();
    let turned_away = |kind: &EventKind| matches!(kind, EventKind::TurnedAway(Crowd::OfHost));
    assert!(wait_for(&events, "of the fourth", turned_away).remote.starts_with("tcp://127.0.0.1:"));
    // Another host is not held responsible.
    let push = cx.socket(SocketType::Push).unwrap();
    push.connect(format!("tcp://127.0.0.2:0;{}", common::address(&endpoint))).unwrap();
    push.send("from elsewhere").unwrap();
    assert_eq!(pull.recv_soon()[0], "from elsewhere");
    // Whose handshake is over takes no place.
    let mut peer = strangers.pop().unwrap().shake_hands("PUSH");
    // The peer has our READY before we have looked at its own.
    pull.wait_for_peers(2, LONG).unwrap();
    let mut next = RawPeer::connect(&endpoint).shake_hands("PUSH");
    for peer in [&mut peer, &mut next] {
        peer.send(&[b"from here"]);
        assert_eq!(pull.recv_soon()[0], "from here");
    }
}

#[cfg(unix)]
#[test]
fn peers_of_ipc_share_all_places_and_have_no_host() {
    let cx = Context::new();
    let options = Options::new().set(opt::MAX_HANDSHAKES_PER_HOST, Some(1));
    let pull = cx.socket_with(SocketType::Pull, &options).unwrap();
    let events = pull.monitor();
    let endpoint = pull.bind("ipc://*").unwrap().to_string();
    let path = endpoint.trim_start_matches("ipc://");
    let strangers = [(); 3].map(|()| std::os::unix::net::UnixStream::connect(path).unwrap());
    for _ in &strangers {
        wait_for(&events, "of a stranger", |kind| matches!(kind, EventKind::Accepted));
    }
    let push = cx.socket(SocketType::Push).unwrap();
    push.connect(&endpoint).unwrap();
    push.send("x").unwrap();
    assert_eq!(pull.recv_soon()[0], "x");
}

#[test]
fn a_peer_whose_ten_first_bytes_are_late_is_closed_long_before_handshake_ivl() {
    let cx = Context::new();
    let (pull, endpoint, events) = bound(&cx, &Options::new().set(opt::SIGNATURE_IVL, Some(SOON)));
    let mut slow = RawPeer::connect(&endpoint);
    slow.send_bytes(&common::greeting()[..10]);
    let mut silent = RawPeer::connect(&endpoint);
    let mut slower = RawPeer::connect(&endpoint);
    slower.send_bytes(&common::greeting()[..9]);
    assert_eq!(
        [(); 2].map(|()| next_failure(&events)),
        [HandshakeCause::NoSignature, HandshakeCause::NoSignature]
    );
    silent.expect_end();
    slower.expect_end();
    // The one that signed has until HANDSHAKE_IVL.
    slow.send_bytes(&[&common::greeting()[10..], &common::ready("PUSH", "")[..]].concat());
    slow.send(&[b"x"]);
    assert_eq!(pull.recv_soon()[0], "x");
}

#[test]
fn a_server_that_was_dialled_has_handshake_ivl_for_its_signature_too() {
    let cx = Context::new();
    let (listener, endpoint) = listen();
    let options = impatient()
        .set(opt::SIGNATURE_IVL, Some(Duration::from_millis(1)))
        .set(opt::HANDSHAKE_IVL, Some(SOON));
    let push = cx.socket_with(SocketType::Push, &options).unwrap();
    let events = push.monitor();
    push.connect(&endpoint).unwrap();
    let mut silent = RawPeer::accept(&listener);
    assert_eq!(next_failure(&events), HandshakeCause::TimedOut);
    silent.expect_end();
}

#[test]
fn of_a_stranger_no_more_than_handshake_buffer_is_read_at_once() {
    for size in [64, 4096] {
        let cx = Context::new();
        let (pull, endpoint, events) = bound(&cx, &Options::new().set(opt::HANDSHAKE_BUFFER, size));
        let mut flood = RawPeer::connect(&endpoint);
        let _ = flood.stream.write_all(&vec![b'G'; 1 << 20]);
        assert!(matches!(next_failure(&events), HandshakeCause::Protocol(_)));
        flood.expect_end();
        assert!(
            (1..=u64::from(size)).contains(&pull.stats().io.bytes_read),
            "{}",
            pull.stats().io.bytes_read
        );
    }
}

#[test]
fn what_follows_a_handshake_at_once_is_received_whole_however_small_handshake_buffer_is() {
    let cx = Context::new();
    let (pull, endpoint, _events) = bound(&cx, &Options::new().set(opt::HANDSHAKE_BUFFER, 64));
    let mut bytes = [&common::greeting()[..], &common::ready("PUSH", "")[..]].concat();
    (0..=255_u8).for_each(|n| bytes.extend(common::message(&[&[n; 200], &[n]])));
    RawPeer::connect(&endpoint).send_bytes(&bytes);
    for n in 0..=255_u8 {
        let message = pull.recv_timeout(LONG).unwrap();
        assert_eq!((&message[0][..], &message[1][..]), (&[n; 200][..], &[n][..]));
    }
}
