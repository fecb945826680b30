//! What a peer is told that may not come in, and the last messages of a socket that closes: they arrive, however much of
//! the peer's own is unread by then.
#![allow(clippy::unwrap_used)] // a test's helpers

mod common;

use std::io::{ErrorKind, Read, Write};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use common::{LONG, RawPeer, in_child, no_linger, until, wait_for};
use zeroxide::{
    Authenticate, Context, Credentials, Crowd, EventKind, Monitor, Options, Socket, SocketType, Verdict, opt,
};

/// Denies, each time after it was told to.
struct Denies(Mutex<Receiver<()>>);

impl Authenticate for Denies {
    fn check(&self, _who: &Credentials) -> Verdict {
        let _ = self.0.lock().unwrap().recv();
        Verdict::Deny
    }
}

/// A PULL that lets nobody in, and what makes it say so.
fn refusing(options: Options) -> (Context, Socket, String, Monitor, Sender<()>) {
    let cx = Context::new();
    let (go, gate) = channel();
    cx.authenticator("lab", Denies(Mutex::new(gate))).unwrap();
    let pull = cx.socket_with(SocketType::Pull, &options.set(opt::ZAP_DOMAIN, "lab".to_owned())).unwrap();
    let events = pull.monitor();
    let endpoint = pull.bind("tcp://127.0.0.1:*").unwrap().to_string();
    (cx, pull, endpoint, events, go)
}

/// Greets, and waits for the greeting of the other side.
fn greeted(endpoint: &str) -> RawPeer {
    let mut peer = RawPeer::connect(endpoint);
    peer.send_bytes(&common::greeting());
    peer.stream.read_exact(&mut [0; 64]).unwrap();
    peer
}

/// Reads the refusal and nothing else.
#[track_caller]
fn expect_400(peer: &mut RawPeer) {
    let refusal = peer.read_frame().unwrap();
    assert!(refusal.is_command() && refusal.name() == b"ERROR", "{refusal:?}");
    assert!(refusal.body.ends_with(b"400"), "{refusal:?}");
}

/// More than the kernel's buffers take, or as much as is thrown away at most.
fn stuff(peer: &mut RawPeer) {
    let junk = [0; 16 * 1024];
    peer.stream.set_nonblocking(true).unwrap();
    for _ in 0..40 {
        match peer.stream.write(&junk) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) => panic!("{error}"),
        }
    }
    peer.stream.set_nonblocking(false).unwrap();
}

#[test]
fn error_400_arrives_and_then_an_orderly_end_whatever_the_peer_goes_on_to_send() {
    // Those who are gone may have left much to be read, and hold their places until it is.
    let options = no_linger().set(opt::RCVBUF, Some(8192)).set(opt::MAX_HANDSHAKES, 0);
    let (_cx, _pull, endpoint, events, go) = refusing(options);
    for _ in 0..200 {
        let mut peer = greeted(&endpoint);
        go.send(()).unwrap();
        wait_for(&events, "of the refusal", |kind| matches!(kind, EventKind::HandshakeFailed(_)));
        // The rest of a handshake that was refused at its beginning, and what is not even that.
        peer.send_bytes(&common::ready("PUSH", ""));
        stuff(&mut peer);
        expect_400(&mut peer);
        // A reset would be an error here, and could have come instead of the refusal.
        assert_eq!(peer.stream.read(&mut [0]).unwrap(), 0);
    }
}

#[test]
fn a_peer_that_does_not_go_keeps_its_place_among_the_handshakes_until_their_deadline() {
    // The crowd has to be found before it is over, on a busy machine too.
    let ivl = Duration::from_secs(2);
    let options = no_linger().set(opt::HANDSHAKE_IVL, Some(ivl)).set(opt::MAX_HANDSHAKES, 1);
    let (_cx, _pull, endpoint, events, go) = refusing(options);
    let mut stays = greeted(&endpoint);
    go.send(()).unwrap();
    expect_400(&mut stays);
    wait_for(&events, "of the refusal", |kind| matches!(kind, EventKind::HandshakeFailed(_)));
    RawPeer::connect(&endpoint).expect_end();
    wait_for(&events, "of the crowd", |kind| matches!(kind, EventKind::TurnedAway(Crowd::OfListener)));
    // Its time over, the next has the place.
    until("there is room", || {
        let mut next = RawPeer::connect(&endpoint);
        let _ = next.stream.write_all(&common::greeting());
        go.send(()).unwrap();
        next.stream.read_exact(&mut [0; 64]).is_ok() && next.read_frame().is_ok()
    });
}

#[test]
fn one_that_goes_gives_its_place_back_at_once() {
    let options = no_linger().set(opt::HANDSHAKE_IVL, Some(LONG * 10)).set(opt::MAX_HANDSHAKES, 1);
    let (_cx, _pull, endpoint, events, go) = refusing(options);
    for _ in 0..3 {
        let mut peer = None;
        until("there is room", || {
            let mut next = RawPeer::connect(&endpoint);
            let _ = next.stream.write_all(&common::greeting());
            let here = next.stream.read_exact(&mut [0; 64]).is_ok();
            peer = here.then_some(next);
            here
        });
        go.send(()).unwrap();
        expect_400(peer.as_mut().unwrap());
        wait_for(&events, "of the refusal", |kind| matches!(kind, EventKind::HandshakeFailed(_)));
    }
}

#[test]
fn of_a_peer_that_goes_on_and_on_no_more_than_so_much_is_thrown_away() {
    let (_cx, _pull, endpoint, _events, go) = refusing(no_linger().set(opt::HANDSHAKE_IVL, Some(LONG * 10)));
    let mut peer = greeted(&endpoint);
    go.send(()).unwrap();
    expect_400(&mut peer);
    let (junk, mut sent) = ([0; 64 * 1024], 0);
    loop {
        match peer.stream.write(&junk) {
            Ok(written) => sent += written,
            Err(error) => {
                assert!(
                    matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe),
                    "{error} after {sent} bytes"
                );
                break;
            }
        }
        assert!(sent < 64 << 20, "everything was taken");
    }
    assert!(sent >= 1 << 20, "closed after {sent} bytes");
}

#[test]
fn a_closed_socket_waits_for_nobody_whom_it_refused() {
    let (cx, pull, endpoint, _events, go) = refusing(no_linger().set(opt::HANDSHAKE_IVL, Some(LONG * 10)));
    let mut peer = greeted(&endpoint);
    go.send(()).unwrap();
    expect_400(&mut peer);
    pull.close().wait();
    assert_eq!(peer.stream.read(&mut [0]).unwrap(), 0);
    until("it is closed for writing too", || peer.stream.write_all(&[0; 1024]).is_err());
    assert_eq!(cx.term().wait(), Default::default());
}

/// Options of a sender whose kernel takes all of the last messages, and can send but a part before the peer reads.
fn roomy() -> Options {
    Options::new().set(opt::SNDBUF, Some(4 << 20)).set(opt::LINGER, Some(LONG))
}

/// Sends the last messages.
fn send_the_last(socket: &Socket) {
    let body = vec![7; 32 << 10];
    (0..60u8).for_each(|n| socket.send([&[n][..], &body]).unwrap());
}

/// Receives the last messages and an end in order; before each the peer does something.
#[track_caller]
fn expect_the_last(mut peer: RawPeer, mut before: impl FnMut(&mut RawPeer)) {
    for n in 0..60u8 {
        before(&mut peer);
        assert_eq!(peer.read_message().unwrap(), [&[n][..], &[7; 32 << 10]]);
    }
    assert_eq!(peer.stream.read(&mut [0]).unwrap(), 0);
}

/// A PONG, a request, a subscription: the peer does not know yet that the other side is closed.
fn speak(peer: &mut RawPeer) {
    peer.send_bytes(&common::command(b"\x04PONG"));
}

#[test]
fn the_last_messages_arrive_although_the_peer_speaks_after_the_close() {
    let cx = Context::new();
    for whole_context in [false, true] {
        let own = Context::new();
        let of = if whole_context { &own } else { &cx };
        let push = of.socket_with(SocketType::Push, &roomy()).unwrap();
        let peer = RawPeer::connect(push.bind("tcp://127.0.0.1:*").unwrap()).shake_hands("PULL");
        send_the_last(&push);
        assert_eq!(push.close().wait().dropped, 0);
        let ending = whole_context.then(|| own.term());
        expect_the_last(peer, speak);
        ending.map(|ending| ending.wait());
    }
}

#[test]
fn the_last_messages_arrive_however_much_the_peer_has_sent() {
    let cx = Context::new();
    let few = roomy().set(opt::RCVHWM, 1).set(opt::RCVBUF, Some(64 << 10));
    for before_the_close in [true, false] {
        let dealer = cx.socket_with(SocketType::Dealer, &few).unwrap();
        let peer = RawPeer::connect(dealer.bind("tcp://127.0.0.1:*").unwrap()).shake_hands("DEALER");
        let mut flood = peer.stream.try_clone().unwrap();
        let flood = || flood.write_all(&common::message(&[&[0; 255]]).repeat(16 << 10));
        send_the_last(&dealer);
        std::thread::scope(|scope| {
            if before_the_close {
                let flooding = scope.spawn(flood);
                until("some of it is read", || dealer.stats().io.bytes_read > 1024);
                dealer.close().wait();
                expect_the_last(peer, |_| ());
                flooding.join().unwrap().unwrap();
            } else {
                dealer.close().wait();
                let flooding = scope.spawn(flood);
                expect_the_last(peer, |_| ());
                flooding.join().unwrap().unwrap();
            }
        });
    }
}

#[test]
fn the_last_messages_of_a_program_that_ends_without_term_arrive() {
    if let Some(endpoint) = common::parents_endpoint() {
        let cx = Context::new();
        let push = cx.socket_with(SocketType::Push, &roomy()).unwrap();
        push.connect(&endpoint).unwrap();
        send_the_last(&push);
        drop((push, cx));
        std::process::exit(0);
    }
    let (listener, endpoint) = common::listen();
    let this = "the_last_messages_of_a_program_that_ends_without_term_arrive";
    let mut child = common::child_process(this, &endpoint).spawn().unwrap();
    let peer = RawPeer::accept(&listener).shake_hands("PULL");
    let deadline = Instant::now() + Duration::from_millis(500);
    while Instant::now() < deadline {
        assert_eq!(child.try_wait().unwrap(), None, "it ended before the last message was read");
        std::thread::yield_now();
    }
    expect_the_last(peer, speak);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_peer_that_never_reads_does_not_hold_up_the_end_of_a_context() {
    let cx = Context::new();
    let push = cx.socket_with(SocketType::Push, &Options::new().set(opt::LINGER, None)).unwrap();
    let endpoint = push.bind("tcp://127.0.0.1:*").unwrap();
    let _peer = RawPeer::connect(endpoint).shake_hands("PULL");
    push.send("unread").unwrap();
    drop(push);
    cx.term().wait_timeout(LONG).unwrap();
}

/// Streams that only wait for the end of their peers give their descriptors to new connections, the oldest first.
#[cfg(target_os = "linux")]
#[test]
fn without_descriptors_a_half_closed_stream_makes_way_for_an_accept_and_for_a_dial() {
    if !in_child(
        "ulimit -n 64",
        "without_descriptors_a_half_closed_stream_makes_way_for_an_accept_and_for_a_dial",
    ) {
        return;
    }
    let cx = Context::new();
    let push = cx.socket(SocketType::Push).unwrap();
    let gone = push.bind("tcp://127.0.0.1:*").unwrap();
    let mut peers: Vec<RawPeer> = (0..8).map(|_| RawPeer::connect(&gone).shake_hands("PULL")).collect();
    push.wait_for_peers(8, LONG).unwrap();
    let pull = cx.socket(SocketType::Pull).unwrap();
    let endpoint = pull.bind("tcp://127.0.0.1:*").unwrap();
    let (listener, other) = common::listen();
    push.unbind(gone.to_string()).unwrap();
    // This side has shut its direction down, and waits for the peers.
    for peer in &mut peers {
        assert_eq!(peer.stream.read(&mut [0]).unwrap(), 0);
    }
    let mut hoard = Vec::new();
    while let Ok(file) = std::fs::File::open("/dev/null") {
        hoard.push(file);
    }
    // For the peer's own ends of the two connections.
    hoard.truncate(hoard.len() - 1);
    let (accepts, dials) = (pull.monitor(), push.monitor());
    let mut accepted = RawPeer::connect(&endpoint).shake_hands("PUSH");
    accepted.send(&[b"x"]);
    assert_eq!(pull.recv_timeout(LONG).unwrap()[0], "x");
    push.connect(&other).unwrap();
    wait_for(&dials, "of the dial", |kind| matches!(kind, EventKind::Connected));
    hoard.pop();
    let _peer = RawPeer::accept(&listener).shake_hands("PULL");
    push.wait_for_peers(1, LONG).unwrap();
    let failed = |kind: &EventKind| matches!(kind, EventKind::AcceptFailed(_) | EventKind::ConnectFailed(_));
    for events in [accepts, dials] {
        while let Ok(event) = events.try_recv() {
            assert!(!failed(&event.kind), "{event:?}");
        }
    }
    // The youngest wait still.
    let alive =
        |peer: &mut RawPeer| peer.stream.write_all(b"x").is_ok() && peer.stream.write_all(b"x").is_ok();
    assert!(alive(peers.last_mut().unwrap()));
}
