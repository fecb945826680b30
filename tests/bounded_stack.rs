//! The stack of a thread does not depend on what peers send: a peer that sends commands without pause is served by a
//! thread of 256 KiB, and so is its neighbour.
//!
//! The floods run in a child process whose threads have small stacks, as an overflow ends the process. How much each peer
//! sends is `ZEROXIDE_FLOOD_MB`, in megabytes. Run it with 1000 and optimised, three minutes, after a change of who drives.
//! PAIR and CHANNEL are left out: they have no second peer to be the neighbour.
#![allow(clippy::unwrap_used)] // a test's helpers

mod common;

use std::env;
use std::io::Write;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use common::{RawPeer, command, message};
use zeroxide::{Context, Message, Socket, SocketType};

/// Bytes of stack of each thread of the child.
const STACK: &str = "262144";

/// Longer than any part of a flood lasts.
const LONG: Duration = Duration::from_secs(60);

/// Bytes that a peer hands to the system at once.
const WRITE: usize = 500_000;

/// Exchanges with the good neighbour while a flood lasts, at equal distances.
const EXCHANGES: usize = 8;

/// A flood: the socket's type, the type of its peers, and what a bad one repeats.
struct Flood {
    socket: SocketType,
    peer: &'static str,
    commands: Vec<u8>,
}

impl Flood {
    fn new(socket: SocketType, peer: &'static str, commands: &[Vec<u8>]) -> Flood {
        Flood { socket, peer, commands: commands.concat() }
    }
}

fn floods() -> Vec<Flood> {
    let topic = [b't'; 30];
    let old = [b"\x01", b"\x00"].map(|kind| message(&[&[&kind[..], &topic].concat()]));
    let new = [&b"\x09SUBSCRIBE"[..], b"\x06CANCEL"].map(|name| command(&[name, &topic].concat()));
    let groups = [&b"\x04JOIN"[..], b"\x05LEAVE"].map(|name| command(&[name, b"group"].concat()));
    let ping = [command(b"\x04PING\x00\x00")];
    let mut floods = vec![
        Flood::new(SocketType::Pub, "SUB", &old),
        Flood::new(SocketType::Pub, "SUB", &new),
        Flood::new(SocketType::XPub, "SUB", &old),
        Flood::new(SocketType::XPub, "XSUB", &new),
        Flood::new(SocketType::Radio, "DISH", &groups),
    ];
    let pinged = [
        (SocketType::Pub, "SUB"),
        (SocketType::Sub, "PUB"),
        (SocketType::XPub, "XSUB"),
        (SocketType::XSub, "XPUB"),
        (SocketType::Req, "REP"),
        (SocketType::Rep, "REQ"),
        (SocketType::Dealer, "ROUTER"),
        (SocketType::Router, "DEALER"),
        (SocketType::Push, "PULL"),
        (SocketType::Pull, "PUSH"),
        (SocketType::Client, "SERVER"),
        (SocketType::Server, "CLIENT"),
        (SocketType::Radio, "DISH"),
        (SocketType::Dish, "RADIO"),
        (SocketType::Scatter, "GATHER"),
        (SocketType::Gather, "SCATTER"),
        (SocketType::Peer, "PEER"),
    ];
    floods.extend(pinged.map(|(socket, peer)| Flood::new(socket, peer, &ping)));
    floods
}

fn megabytes() -> usize {
    env::var("ZEROXIDE_FLOOD_MB").map_or(8, |text| text.parse().expect("ZEROXIDE_FLOOD_MB is a number"))
}

/// One exchange with the good neighbour, as its type allows: a message that it gets, or one that comes from it.
fn serve(socket: &Socket, neighbour: &mut RawPeer) {
    match socket.socket_type() {
        SocketType::Pub | SocketType::XPub => {
            socket.send("news").unwrap();
            assert_eq!(neighbour.read_message().unwrap(), [b"news"]);
        }
        SocketType::Radio => {
            socket.send(Message::from("news").with_group("g")).unwrap();
            let frame = loop {
                let frame = neighbour.read_frame().unwrap();
                if !frame.is_command() {
                    break frame;
                }
            };
            assert_eq!((frame.flags, &frame.body[..]), (1, &b"g"[..]));
            assert_eq!(neighbour.read_frame().unwrap().body, b"news");
        }
        // Its own PING is answered: its stream is read and written.
        _ => {
            neighbour.send_bytes(&command(b"\x04PING\x00\x00me"));
            assert_eq!(neighbour.read_command("PONG").unwrap(), b"me");
        }
    }
}

/// What the neighbour says first.
fn greet(socket: &Socket, neighbour: &mut RawPeer) {
    match socket.socket_type() {
        SocketType::Pub | SocketType::XPub => {
            neighbour.send(&[b"\x01news"]);
            socket.wait_for_subscribers("news", 1, LONG).unwrap();
        }
        SocketType::Radio => {
            neighbour.send_bytes(&command(b"\x04JOINg"));
            socket.wait_for_subscribers("g", 1, LONG).unwrap();
        }
        _ => {}
    }
}

/// Looks until it is so.
#[track_caller]
fn until(what: &str, mut so: impl FnMut() -> bool) {
    let deadline = Instant::now() + LONG;
    while !so() {
        assert!(Instant::now() < deadline, "never came true: {what}");
        thread::yield_now();
    }
}

fn run(flood: &Flood, bytes: usize) {
    let cx = Context::new();
    let socket = cx.socket(flood.socket).unwrap();
    let endpoint = socket.bind("tcp://127.0.0.1:*").unwrap().to_string();
    let mut neighbour = RawPeer::connect(&endpoint).shake_hands(flood.peer);
    greet(&socket, &mut neighbour);
    let mut bad = RawPeer::connect(&endpoint).shake_hands(flood.peer);
    bad.stream.set_write_timeout(Some(LONG)).unwrap();
    let mut answers = bad.stream.try_clone().unwrap();
    // Whoever is pinged answers, and nobody has promised to read on without being read.
    let reader = thread::spawn(move || std::io::copy(&mut answers, &mut std::io::sink()));
    let sent = Arc::new(AtomicUsize::new(0));
    let sender = {
        let (sent, commands) = (Arc::clone(&sent), flood.commands.repeat(WRITE / flood.commands.len()));
        thread::spawn(move || {
            while sent.load(Ordering::SeqCst) < bytes {
                bad.stream.write_all(&commands).unwrap();
                sent.fetch_add(commands.len(), Ordering::SeqCst);
            }
            bad.kill();
        })
    };
    let mut served = 0;
    while sent.load(Ordering::SeqCst) < bytes {
        // In between, the I/O thread is alone with the flood.
        let next = (served + 1) * bytes / EXCHANGES;
        until("the flood goes on", || {
            while socket.socket_type() == SocketType::XPub && socket.try_recv().is_ok() {}
            sent.load(Ordering::SeqCst) >= next.min(bytes)
        });
        serve(&socket, &mut neighbour);
        served += 1;
    }
    sender.join().unwrap();
    let _ = reader.join().unwrap();
    println!("{} under a flood of {} bytes: neighbour served {served} times", flood.socket, bytes);
}

#[test]
#[ignore = "runs in the child process of the test below"]
fn child() {
    if env::var("RUST_MIN_STACK").as_deref() == Ok(STACK) {
        floods().iter().for_each(|flood| run(flood, megabytes() * 1_000_000));
    }
}

#[test]
fn a_flood_of_commands_needs_no_more_than_256_kib_of_stack_and_the_neighbour_is_served() {
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", "child", "--ignored", "--nocapture"])
        .env("RUST_MIN_STACK", STACK)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let erred = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{}\n{said}\n{erred}", output.status);
    assert_eq!(said.matches("neighbour served").count(), floods().len(), "{said}");
    println!("{said}");
}

/// Sockets of one context in a ring: each has news for the next, and nothing but the ring itself would end that.
#[test]
fn news_goes_round_a_ring_of_inproc_sockets_on_a_small_stack() {
    let ring = || {
        let cx = Context::new();
        let sockets: Vec<Socket> = (0..500).map(|_| cx.socket(SocketType::Dealer).unwrap()).collect();
        for (n, socket) in sockets.iter().enumerate() {
            socket.connect(format!("inproc://ring-{}", (n + 1) % sockets.len())).unwrap();
        }
        // Each bind meets a connect that waits; each of both has news for the other.
        for (n, socket) in sockets.iter().enumerate() {
            socket.bind(format!("inproc://ring-{n}")).unwrap();
        }
        for (n, socket) in sockets.iter().enumerate() {
            socket.send(n.to_string()).unwrap();
            socket.send(n.to_string()).unwrap();
        }
        for socket in &sockets {
            for _ in 0..2 {
                socket.recv_timeout(LONG).unwrap();
            }
        }
        sockets.iter().rev().for_each(|socket| drop(socket.close()));
    };
    thread::Builder::new().stack_size(256 * 1024).spawn(ring).unwrap().join().unwrap();
}

/// A payload whose drop sends the next one to nobody, which drops it.
#[test]
fn a_payload_whose_drop_sends_another_to_nobody_needs_no_stack() {
    struct Chain(usize, Socket);
    impl AsRef<[u8]> for Chain {
        fn as_ref(&self) -> &[u8] {
            &[7; 100]
        }
    }
    impl Drop for Chain {
        fn drop(&mut self) {
            if self.0 > 0 {
                send(Chain(self.0 - 1, self.1.clone()));
            }
        }
    }
    fn send(chain: Chain) {
        let socket = chain.1.clone();
        socket.send(zeroxide::Bytes::from_owner(chain)).unwrap();
    }
    let chain = || {
        let cx = Context::new();
        let publisher = cx.socket(SocketType::Pub).unwrap();
        send(Chain(100_000, publisher.clone()));
        assert_eq!(publisher.stats().unmatched, 100_001);
    };
    thread::Builder::new().stack_size(256 * 1024).spawn(chain).unwrap().join().unwrap();
}
