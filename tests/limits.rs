//! Limits: of a handshake's time, of silence, of sizes, of descriptors, and many connections that come and go.
#![allow(clippy::unwrap_used)] // a test's helpers

mod common;

use std::io::Write;
use std::time::{Duration, Instant};

use common::{LONG, RawPeer, Soon, address, command, impatient, in_child, listen, message, until, wait_for};
use zeroxide::{
    Context, ContextOptions, Crowd, DialError, DisconnectReason, Error, EventKind, HandshakeCause, IoError,
    Options, SocketType, opt,
};

const SOON: Duration = Duration::from_millis(100);
/// Short for a test, and long enough for the handshake of a good peer on a busy machine.
const SHORT: Duration = Duration::from_secs(1);

#[test]
fn a_peer_that_never_greets_is_closed_after_handshake_ivl_and_its_neighbour_is_served() {
    let cx = Context::new();
    let options = Options::new().set(opt::HANDSHAKE_IVL, Some(SHORT));
    let pull = cx.socket_with(SocketType::Pull, &options).unwrap();
    let endpoint = pull.bind("tcp://127.0.0.1:*").unwrap();
    let events = pull.monitor();
    let start = Instant::now();
    let mut silent = RawPeer::connect(&endpoint);
    let mut slow = RawPeer::connect(&endpoint);
    slow.send_bytes(&common::greeting());
    let mut good = RawPeer::connect(&endpoint).shake_hands("PUSH");
    good.send(&[b"hello"]);
    assert_eq!(pull.recv_soon()[0], "hello");
    for _ in 0..2 {
        let event = wait_for(&events, "of the timeout", |kind| matches!(kind, EventKind::HandshakeFailed(_)));
        let EventKind::HandshakeFailed(error) = event.kind else { unreachable!() };
        assert_eq!(error.cause, HandshakeCause::TimedOut);
    }
    assert!(start.elapsed() >= SHORT);
    silent.expect_end();
    slow.expect_end();
    good.send(&[b"still here"]);
    assert_eq!(pull.recv_soon()[0], "still here");
    assert_eq!(pull.peers().len(), 1);
}

#[test]
fn a_server_that_never_greets_is_dialled_again() {
    let cx = Context::new();
    let (listener, endpoint) = listen();
    let push = cx.socket_with(SocketType::Push, &impatient().set(opt::HANDSHAKE_IVL, Some(SHORT))).unwrap();
    push.connect(&endpoint).unwrap();
    let mut silent = RawPeer::accept(&listener);
    let mut peer = RawPeer::accept(&listener).shake_hands("PULL");
    silent.expect_end();
    push.send("x").unwrap();
    assert_eq!(peer.read_message().unwrap(), [b"x"]);
}

#[test]
fn garbage_ends_the_connection_and_nothing_else() {
    let cx = Context::new();
    let pull = cx.socket(SocketType::Pull).unwrap();
    let endpoint = pull.bind("tcp://127.0.0.1:*").unwrap();
    let mut good = RawPeer::connect(&endpoint).shake_hands("PUSH");
    let shaken = |bytes: &[u8]| [&common::greeting()[..], &common::ready("PUSH", "")[..], bytes].concat();
    let garbage: Vec<Vec<u8>> = vec![
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        vec![0; 100],
        vec![0xFF; 200],
        [&common::greeting()[..], &[0x04, 0xFF][..], &[0; 255][..]].concat(),
        [&common::greeting()[..], &common::ready("SUB", "")[..]].concat(),
        [&common::greeting()[..], &message(&[b"traffic before READY"])[..]].concat(),
        shaken(&[2, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0]),
        shaken(&[2, 0, 0, 0, 0, 0xFF, 0, 0, 0, 0]),
        shaken(&command(b"\xFFnonsense")),
        shaken(&command(b"\x04PING")),
        shaken(&[5, 1, 0]),
    ];
    for bytes in garbage {
        println!("{}", bytes.escape_ascii()); // shown if it fails
        let mut bad = RawPeer::connect(&endpoint);
        let _ = bad.stream.write_all(&bytes);
        bad.expect_end();
        good.send(&[b"hello"]);
        assert_eq!(pull.recv_soon()[0], "hello");
    }
    until("the bad are forgotten", || pull.peers().len() == 1);
}

#[test]
fn a_frame_beyond_maxmsgsize_ends_its_connection_before_its_bytes_arrive() {
    let cx = Context::new();
    let pull = cx.socket_with(SocketType::Pull, &Options::new().set(opt::MAXMSGSIZE, Some(1000))).unwrap();
    let endpoint = pull.bind("tcp://127.0.0.1:*").unwrap();
    let mut peer = RawPeer::connect(&endpoint).shake_hands("PUSH");
    peer.send(&[b"short"]);
    peer.send_bytes(&[2, 0, 0, 0, 0, 0, 0, 3, 0xE9]);
    peer.expect_end();
    assert_eq!(pull.recv_soon()[0], "short");
}

#[test]
fn a_peer_that_stops_answering_pings_is_dropped_and_dialled_again() {
    let cx = Context::new();
    let (listener, endpoint) = listen();
    let options = impatient().set(opt::HEARTBEAT_IVL, Some(SOON)).set(opt::HEARTBEAT_TIMEOUT, Some(SOON));
    let dealer = cx.socket_with(SocketType::Dealer, &options).unwrap();
    let events = dealer.monitor();
    let start = Instant::now();
    dealer.connect(&endpoint).unwrap();
    let mut peer = RawPeer::accept(&listener).shake_hands("ROUTER");
    let event = wait_for(&events, "of the silence", |kind| matches!(kind, EventKind::Disconnected { .. }));
    let EventKind::Disconnected { why, .. } = event.kind else { unreachable!() };
    assert!(
        matches!(why, DisconnectReason::Fault(zeroxide_zmtp::ConnectionError::HeartbeatTimeout)),
        "{why:?}"
    );
    assert!(start.elapsed() >= SOON && start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    assert_eq!(peer.read_command("PING").unwrap(), [0, 0]);
    peer.expect_end();
    let mut next = RawPeer::accept(&listener).shake_hands("ROUTER");
    dealer.send("x").unwrap();
    assert_eq!(next.read_message().unwrap(), [b"x"]);
}

#[test]
fn a_peer_that_answers_pings_is_kept() {
    let cx = Context::new();
    let (listener, endpoint) = listen();
    let options = Options::new()
        .set(opt::HEARTBEAT_IVL, Some(Duration::from_millis(20)))
        .set(opt::HEARTBEAT_TIMEOUT, Some(LONG));
    let dealer = cx.socket_with(SocketType::Dealer, &options).unwrap();
    let events = dealer.monitor();
    dealer.connect(&endpoint).unwrap();
    let mut peer = RawPeer::accept(&listener).shake_hands("ROUTER");
    for _ in 0..20 {
        peer.read_command("PING").unwrap();
        peer.send_bytes(&command(b"\x04PONG"));
    }
    while let Ok(event) = events.try_recv() {
        assert!(!matches!(event.kind, EventKind::Disconnected { .. }), "{event:?}");
    }
}

#[test]
fn a_peer_whose_messages_wait_at_a_full_socket_is_not_taken_for_dead() {
    let cx = Context::new();
    let options = Options::new()
        .set(opt::RCVHWM, 1)
        .set(opt::HEARTBEAT_IVL, Some(SOON))
        .set(opt::HEARTBEAT_TIMEOUT, Some(SOON * 5));
    let dealer = cx.socket_with(SocketType::Dealer, &options).unwrap();
    let endpoint = dealer.bind("tcp://127.0.0.1:*").unwrap();
    let events = dealer.monitor();
    let mut peer = RawPeer::connect(&endpoint).shake_hands("ROUTER");
    (0..10u8).for_each(|n| peer.send(&[&[n]]));
    // Its PONGs stand behind the messages that nobody takes.
    for _ in 0..12 {
        peer.read_command("PING").unwrap();
        peer.send_bytes(&command(b"\x04PONG"));
    }
    (0..10u8).for_each(|n| assert_eq!(dealer.recv_soon()[0], &[n][..]));
    while let Ok(event) = events.try_recv() {
        assert!(!matches!(event.kind, EventKind::Disconnected { .. }), "{event:?}");
    }
}

#[test]
fn the_time_to_live_of_a_peers_ping_closes_its_silent_connection() {
    let cx = Context::new();
    let dealer = cx.socket(SocketType::Dealer).unwrap();
    let endpoint = dealer.bind("tcp://127.0.0.1:*").unwrap();
    let mut peer = RawPeer::connect(&endpoint).shake_hands("ROUTER");
    let start = Instant::now();
    peer.send_bytes(&command(b"\x04PING\x00\x02context"));
    assert_eq!(peer.read_command("PONG").unwrap(), b"context");
    peer.expect_end();
    assert!(start.elapsed() >= Duration::from_millis(150), "{:?}", start.elapsed());
}

#[test]
fn strangers_beyond_max_handshakes_are_turned_away() {
    let cx = Context::new();
    let three = Options::new().set(opt::MAX_HANDSHAKES, 3).set(opt::MAX_HANDSHAKES_PER_HOST, Some(0));
    let pull = cx.socket_with(SocketType::Pull, &three).unwrap();
    let endpoint = pull.bind("tcp://127.0.0.1:*").unwrap();
    let events = pull.monitor();
    let strangers: Vec<RawPeer> = (0..3).map(|_| RawPeer::connect(&endpoint)).collect();
    for _ in 0..3 {
        wait_for(&events, "of a stranger", |kind| matches!(kind, EventKind::Accepted));
    }
    RawPeer::connect(&endpoint).expect_end();
    let turned_away = |kind: &EventKind| matches!(kind, EventKind::TurnedAway(Crowd::OfListener));
    assert!(!wait_for(&events, "of the one too many", turned_away).remote.is_empty());
    drop(strangers);
    for _ in 0..3 {
        wait_for(&events, "of their end", |kind| matches!(kind, EventKind::HandshakeFailed(_)));
    }
    let mut peer = RawPeer::connect(&endpoint).shake_hands("PUSH");
    peer.send(&[b"x"]);
    assert_eq!(pull.recv_soon()[0], "x");
}

#[test]
fn a_context_counts_its_sockets() {
    let cx = Context::with(ContextOptions::new().max_sockets(2)).unwrap();
    let one = cx.socket(SocketType::Pair).unwrap();
    let _two = cx.socket(SocketType::Pair).unwrap();
    assert!(matches!(cx.socket(SocketType::Pair), Err(Error::Limit(_))));
    one.close().wait();
    cx.socket(SocketType::Pair).unwrap();
}

#[cfg(target_os = "linux")]
fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// The number of descriptors, once it has not changed for a while.
#[cfg(target_os = "linux")]
fn descriptors_at_rest() -> usize {
    let (mut last, mut since) = (descriptors(), 0);
    until("the descriptors stay as many", || {
        since = if descriptors() == last { since + 1 } else { 0 };
        last = descriptors();
        since > 1000
    });
    last
}

#[cfg(target_os = "linux")]
#[test]
fn a_thousand_connections_come_and_go_and_leave_nothing_behind() {
    if !in_child("ulimit -n 1024", "a_thousand_connections_come_and_go_and_leave_nothing_behind") {
        return;
    }
    let cx = Context::new();
    let pull = cx.socket(SocketType::Pull).unwrap();
    let endpoint = pull.bind("tcp://127.0.0.1:*").unwrap().to_string();
    drop(cx.socket(SocketType::Push).unwrap().connect_ready(&endpoint, LONG).unwrap());
    until("the first is gone", || pull.peers().is_empty());
    let mut baseline = usize::MAX;
    for round in 0..21 {
        let pushes: Vec<_> = (0..50).map(|_| cx.socket(SocketType::Push).unwrap()).collect();
        for push in &pushes {
            push.connect(&endpoint).unwrap();
        }
        for push in &pushes {
            push.send("x").unwrap();
        }
        (0..50).for_each(|_| drop(pull.recv_soon()));
        match round % 2 {
            0 => drop(pushes),
            _ => pushes.iter().for_each(|push| push.disconnect(&endpoint).unwrap()),
        }
        until("they are gone", || pull.peers().is_empty() && pull.stats().pipes.is_empty());
        // The first round is to make what is made only once.
        baseline = if round == 0 { descriptors_at_rest() } else { baseline };
    }
    until("descriptors are back", || descriptors() == baseline);
    // Closing on the binder's side, and raw connections that come to nothing.
    for _ in 0..50 {
        let bound = cx.socket(SocketType::Pull).unwrap();
        let endpoint = bound.bind("tcp://127.0.0.1:*").unwrap();
        let _strangers: Vec<RawPeer> = (0..5).map(|_| RawPeer::connect(&endpoint)).collect();
        bound.close().wait();
    }
    until("descriptors are back again", || descriptors() == baseline);
    assert_eq!(pull.endpoints().len(), 1);
}

#[cfg(target_os = "linux")]
#[test]
fn without_descriptors_accepting_waits_and_goes_on_when_there_are_some() {
    if !in_child("ulimit -n 64", "without_descriptors_accepting_waits_and_goes_on_when_there_are_some") {
        return;
    }
    use std::net::SocketAddr;

    use rustix::process::{Resource, Rlimit, setrlimit};

    let cx = Context::new();
    let options = Options::new().set(opt::ACCEPT_BACKOFF, Duration::from_millis(70));
    let pull = cx.socket_with(SocketType::Pull, &options).unwrap();
    let endpoint = pull.bind("tcp://127.0.0.1:*").unwrap();
    let events = pull.monitor();
    let client = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    // From here on nobody gets a descriptor. Opening files until none is left would not do: a descriptor that another
    // thread has for a moment would be free afterwards.
    let allow = |descriptors| {
        let limit = Rlimit { current: Some(descriptors), maximum: Some(64) };
        setrlimit(Resource::Nofile, limit).unwrap();
    };
    allow(0);
    client.connect(&address(&endpoint).parse::<SocketAddr>().unwrap().into()).unwrap();
    let peer = RawPeer::over(client.into());
    let emfile = 24;
    let none_left =
        |error: &IoError| error.raw_os_error() == Some(emfile) && error.to_string().contains("open files");
    let is_failure = |kind: &EventKind| matches!(kind, EventKind::AcceptFailed(error) if none_left(error));
    let failed = || wait_for(&events, "of the failure", is_failure).at;
    let (first, _, _, fourth) = (failed(), failed(), failed(), failed());
    // Four failures, three waits between them: accepting does not spin.
    assert!(fourth - first >= Duration::from_millis(200), "{:?}", fourth - first);
    // Everything else that needs a descriptor says so, and nothing panics.
    assert!(matches!(pull.bind("tcp://127.0.0.1:*"), Err(Error::Limit(_))));
    assert!(matches!(pull.bind("ipc://*"), Err(Error::Limit(_))));
    let push = cx.socket(SocketType::Push).unwrap();
    let failures = push.monitor();
    push.connect(endpoint.to_string()).unwrap();
    let cause =
        |kind: &EventKind| matches!(kind, EventKind::ConnectFailed(DialError::Io(error)) if none_left(error));
    wait_for(&failures, "of the dial", cause);
    let status = push.status().to_string();
    assert!(status.contains("last: Too many open files"), "{status}");
    let other = Context::new();
    assert!(matches!(
        other.socket(SocketType::Pull).unwrap().bind("tcp://127.0.0.1:*"),
        Err(Error::Limit(_))
    ));
    let (a, b) = (other.socket(SocketType::Pair).unwrap(), other.socket(SocketType::Pair).unwrap());
    a.bind("inproc://needs none").unwrap();
    b.connect("inproc://needs none").unwrap();
    b.send("x").unwrap();
    assert_eq!(a.recv_soon()[0], "x");
    allow(64);
    let mut peer = peer.shake_hands("PUSH");
    peer.send(&[b"at last"]);
    assert_eq!(pull.recv_soon()[0], "at last");
    push.send("from ours").unwrap();
    assert_eq!(pull.recv_soon()[0], "from ours");
}

#[test]
fn a_backlog_of_connections_made_before_anyone_looks_is_served() {
    let cx = Context::new();
    let pull = cx.socket(SocketType::Pull).unwrap();
    let endpoint = pull.bind("tcp://127.0.0.1:*").unwrap();
    let peers: Vec<_> = (0..90).map(|_| std::net::TcpStream::connect(address(&endpoint)).unwrap()).collect();
    let bytes = [&common::greeting()[..], &common::ready("PUSH", "")[..], &message(&[b"x"])[..]].concat();
    for mut peer in &peers {
        peer.write_all(&bytes).unwrap();
    }
    (0..90).for_each(|_| assert_eq!(pull.recv_soon()[0], "x"));
}

#[test]
fn a_receiver_that_has_no_room_is_not_taken_for_a_dead_one_by_a_sender_that_beats() {
    for at in ["tcp://127.0.0.1:*", "ipc://*"] {
        let cx = Context::new();
        let pull = cx.socket_with(SocketType::Pull, &Options::new().set(opt::RCVHWM, 10)).unwrap();
        let beat = Options::new().set(opt::HEARTBEAT_IVL, Some(Duration::from_millis(200)));
        let push = cx.socket_with(SocketType::Push, &beat).unwrap();
        let events = push.monitor();
        push.connect(pull.bind(at).unwrap().to_string()).unwrap();
        // The first PING stands behind them, for those that find no room are not read.
        (0..500u32).for_each(|n| push.send(n.to_be_bytes().to_vec()).unwrap());
        wait_for(&events, "of the peer", |kind| matches!(kind, EventKind::HandshakeSucceeded { .. }));
        for n in 0..500u32 {
            if n % 250 == 0 {
                // Five beats long nothing is received.
                let event = events.recv_timeout(Duration::from_secs(1));
                assert!(matches!(event, Err(Error::TimedOut(_))), "{at} {event:?}");
            }
            assert_eq!(pull.recv_soon()[0], n.to_be_bytes()[..]);
        }
    }
}
