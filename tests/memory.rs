//! What a peer sends when there is no memory for it: its connection ends, and everybody else is served.
#![allow(clippy::unwrap_used)] // a test's helpers
#![cfg(target_os = "linux")]

mod common;

use std::io::{self, BufWriter, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use common::{RawPeer, Soon, command, until};
use zeroxide::{Context, DisconnectReason, EventKind, Message, Monitor, Options, Socket, SocketType, opt};

const MIB: u64 = 1024 * 1024;

/// Longer than it takes to use 600 MiB up, on a busy machine and without optimisation.
const LONG: Duration = Duration::from_secs(240);

/// A peer may send more than there is memory for.
fn without_budget() -> Options {
    Options::new().set(opt::RCVHWM_BYTES, 0).set(opt::RCVHWM_BYTES_TOTAL, 0)
}

/// Runs one test of this program with 600 MiB of address space; `true`: this is the process that has no more.
fn in_child(test: &str) -> bool {
    common::in_child("ulimit -v 614400", test)
}

/// Writes `count` things, or as many as the other side takes.
fn flood(
    mut peer: RawPeer,
    count: usize,
    write: impl Fn(usize, &mut BufWriter<&TcpStream>) -> io::Result<()> + Send + 'static,
) {
    std::thread::spawn(move || {
        let mut stream = BufWriter::with_capacity(64 * 1024, &peer.stream);
        (0..count).try_for_each(|n| write(n, &mut stream))?;
        stream.flush()?;
        drop(stream);
        // It stays until the other side has ended it.
        peer.expect_end();
        Ok::<(), io::Error>(())
    });
}

/// Waits until a connection was ended because there was no memory for what its peer sent.
#[track_caller]
fn wait_for_end(socket: &Socket, events: &Monitor) {
    let deadline = Instant::now() + LONG;
    let why = loop {
        let event = events.recv_timeout(deadline.saturating_duration_since(Instant::now()));
        if let EventKind::Disconnected { why, .. } = event.expect("an event of the end").kind {
            break why;
        }
    };
    let DisconnectReason::Fault(fault) = why else { panic!("{why:?}") };
    assert!(fault.to_string().contains("no memory for"), "{fault}");
    assert_eq!(socket.stats().io.out_of_memory, 1);
}

/// A bad peer sends more than there is memory for; a good one is served before, meanwhile and after.
fn serve_a_good_peer_beside(pull: &Socket, frames: usize, size: u64) {
    let events = pull.monitor();
    let endpoint = pull.bind("tcp://127.0.0.1:*").unwrap();
    let mut good = RawPeer::connect(&endpoint).shake_hands("PUSH");
    good.send(&[b"before"]);
    assert_eq!(pull.recv_soon()[0], "before");
    let piece = vec![0; size.min(MIB) as usize];
    flood(RawPeer::connect(&endpoint).shake_hands("PUSH"), frames, move |_, stream| {
        stream.write_all(&[&[2][..], &size.to_be_bytes()].concat())?;
        (0..size / piece.len() as u64).try_for_each(|_| stream.write_all(&piece))
    });
    wait_for_end(pull, &events);
    good.send(&[b"after"]);
    // What had arrived whole is received; the good peer's comes in its turn.
    while pull.recv_soon()[0] != *"after" {}
}

#[test]
fn eight_frames_of_60_mib_end_one_connection_and_its_neighbour_is_served() {
    if in_child("eight_frames_of_60_mib_end_one_connection_and_its_neighbour_is_served") {
        let pull = Context::new().socket_with(SocketType::Pull, &without_budget()).unwrap();
        serve_a_good_peer_beside(&pull, 12, 60 * MIB);
    }
}

#[test]
fn a_frame_of_2_gib_without_a_limit_ends_one_connection_and_its_neighbour_is_served() {
    if in_child("a_frame_of_2_gib_without_a_limit_ends_one_connection_and_its_neighbour_is_served") {
        let options = Options::new().set(opt::MAXMSGSIZE, None);
        let pull = Context::new().socket_with(SocketType::Pull, &options).unwrap();
        serve_a_good_peer_beside(&pull, 1, 2048 * MIB);
    }
}

#[test]
fn frames_of_5_mib_in_a_row_end_one_connection_and_its_neighbour_is_served() {
    if in_child("frames_of_5_mib_in_a_row_end_one_connection_and_its_neighbour_is_served") {
        let options = without_budget().set(opt::RCVHWM, 0);
        let pull = Context::new().socket_with(SocketType::Pull, &options).unwrap();
        serve_a_good_peer_beside(&pull, 200, 5 * MIB);
    }
}

/// A bad peer floods a socket that keeps everything with messages of one size.
fn serve_a_good_peer_beside_a_flood(size: u64) {
    let options = Options::with_libzmq_defaults().set(opt::RCVHWM, 0);
    let pull = Context::new().socket_with(SocketType::Pull, &options).unwrap();
    serve_a_good_peer_beside(&pull, 100_000_000, size);
}

#[test]
fn a_flood_of_1_kib_messages_ends_one_connection_and_its_neighbour_is_served() {
    if in_child("a_flood_of_1_kib_messages_ends_one_connection_and_its_neighbour_is_served") {
        serve_a_good_peer_beside_a_flood(1024);
    }
}

#[test]
fn a_flood_of_20_byte_messages_ends_one_connection_and_its_neighbour_is_served() {
    if in_child("a_flood_of_20_byte_messages_ends_one_connection_and_its_neighbour_is_served") {
        serve_a_good_peer_beside_a_flood(20);
    }
}

#[test]
fn a_flood_of_300_kib_messages_ends_one_connection_and_its_neighbour_is_served() {
    if in_child("a_flood_of_300_kib_messages_ends_one_connection_and_its_neighbour_is_served") {
        serve_a_good_peer_beside_a_flood(300 * 1024);
    }
}

/// A bad peer asks for more topics or groups than there is memory for; a good one is served before and after.
fn publish_to_a_good_peer_beside(publisher: &Socket, peer: &str, request: &'static str) {
    let events = publisher.monitor();
    let endpoint = publisher.bind("tcp://127.0.0.1:*").unwrap();
    let ask =
        move |name: &str| command(&[&[request.len() as u8], request.as_bytes(), name.as_bytes()].concat());
    let mut good = RawPeer::connect(&endpoint).shake_hands(peer);
    good.send_bytes(&ask("good"));
    if publisher.get(opt::XPUB_MANUAL).is_ok_and(|manual| manual) {
        assert_eq!(publisher.recv_timeout(LONG).unwrap()[0], "\u{1}good");
        publisher.subscribe("good").unwrap();
    }
    publisher.wait_for_subscribers("good", 1, LONG).unwrap();
    let mut publish = |body: &str| {
        publisher.send(Message::from(["good ", body].concat()).with_group("good")).unwrap();
        let frames = good.read_message().unwrap();
        assert!(frames.concat().ends_with(body.as_bytes()), "{frames:?}");
    };
    publish("before");
    flood(RawPeer::connect(&endpoint).shake_hands(peer), 100_000_000, move |n, stream| {
        stream.write_all(&ask(&format!("{n:010}{:190}", ' ')))
    });
    wait_for_end(publisher, &events);
    publish("after");
    // A RADIO does not count.
    until("its topics are forgotten", || publisher.get(opt::TOPICS_COUNT).unwrap_or(1) == 1);
}

#[test]
fn a_flood_of_subscriptions_ends_one_connection_and_its_neighbour_is_served() {
    if in_child("a_flood_of_subscriptions_ends_one_connection_and_its_neighbour_is_served") {
        let publisher =
            Context::new().socket_with(SocketType::Pub, &Options::with_libzmq_defaults()).unwrap();
        publish_to_a_good_peer_beside(&publisher, "SUB", "SUBSCRIBE");
    }
}

#[test]
fn a_flood_of_subscriptions_that_an_xpub_is_to_answer_ends_one_connection_and_its_neighbour_is_served() {
    if in_child(
        "a_flood_of_subscriptions_that_an_xpub_is_to_answer_ends_one_connection_and_its_neighbour_is_served",
    ) {
        let options = Options::with_libzmq_defaults().set(opt::XPUB_MANUAL, true);
        let publisher = Context::new().socket_with(SocketType::XPub, &options).unwrap();
        publish_to_a_good_peer_beside(&publisher, "SUB", "SUBSCRIBE");
    }
}

#[test]
fn a_flood_of_groups_ends_one_connection_and_its_neighbour_is_served() {
    if in_child("a_flood_of_groups_ends_one_connection_and_its_neighbour_is_served") {
        let publisher =
            Context::new().socket_with(SocketType::Radio, &Options::with_libzmq_defaults()).unwrap();
        publish_to_a_good_peer_beside(&publisher, "DISH", "JOIN");
    }
}
