//! A thread that waits for input reads its connections itself for a while (`ContextOptions::spin`), and nothing else changes.
#![allow(clippy::unwrap_used)]

use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use zeroxide::{Context, ContextOptions, Error, EventKind, Socket, SocketType};

/// More than anything takes.
const LONG: Duration = Duration::from_secs(60);
/// So long that what happens next happens during it.
const LONGEST_SPIN: Duration = Duration::from_millis(10);

fn context(spin: Duration) -> Context {
    Context::with(ContextOptions::new().spin(spin)).unwrap()
}

/// Two sockets that are connected, each in a context of its own.
fn pair(spin: Duration, binds: SocketType, connects: SocketType, endpoint: &str) -> (Socket, Socket) {
    let bound = context(spin).socket(binds).unwrap();
    let connected = context(spin).socket(connects).unwrap();
    let endpoint = bound.bind(endpoint).unwrap();
    connected.connect_ready(endpoint.to_string(), LONG).unwrap();
    bound.wait_for_peers(1, LONG).unwrap();
    (bound, connected)
}

fn endpoints() -> Vec<String> {
    let mut endpoints = vec!["tcp://127.0.0.1:*".to_owned()];
    if cfg!(unix) {
        endpoints.push("ipc://*".to_owned());
    }
    endpoints
}

/// Exchanges so many requests and replies, each checked.
fn exchange(rep: &Socket, req: &Socket, count: u32) {
    thread::scope(|scope| {
        scope.spawn(|| (0..count).for_each(|_| rep.send(rep.recv_timeout(LONG).unwrap()).unwrap()));
        for n in 0..count {
            req.send(&n.to_be_bytes()).unwrap();
            assert_eq!(req.recv_timeout(LONG).unwrap()[0], &n.to_be_bytes()[..]);
        }
    });
}

#[test]
fn round_trips_are_led_or_not_as_the_option_says() {
    for endpoint in endpoints() {
        for (spin, leads) in [(LONGEST_SPIN, true), (Duration::ZERO, false)] {
            let (rep, req) = pair(spin, SocketType::Rep, SocketType::Req, &endpoint);
            exchange(&rep, &req, 300);
            for socket in [rep, req] {
                assert_eq!(socket.stats().io.leads > 0, leads, "{endpoint}, {spin:?}: {}", socket.status());
                assert!(leads || socket.stats().io.polls == 0);
            }
        }
    }
}

#[test]
fn a_pause_between_messages_does_not_lose_the_next_one() {
    // The pause is longer than the lead, so the I/O thread is given the stream back each time, while a message arrives.
    let (pull, push) =
        pair(Duration::from_micros(50), SocketType::Pull, SocketType::Push, "tcp://127.0.0.1:*");
    let (taken, go_on) = channel();
    thread::scope(|scope| {
        scope.spawn(move || {
            for n in 0..2000_u32 {
                push.send(&n.to_be_bytes()).unwrap();
                go_on.recv_timeout(LONG).unwrap();
            }
        });
        for n in 0..2000_u32 {
            assert_eq!(pull.recv_timeout(LONG).unwrap()[0], &n.to_be_bytes()[..]);
            if n % 3 == 0 {
                let pause = std::time::Instant::now();
                while pause.elapsed() < Duration::from_micros(40) {
                    thread::yield_now();
                }
            }
            taken.send(()).unwrap();
        }
    });
}

#[test]
fn a_socket_that_is_closed_during_a_lead_ends_the_call() {
    for _ in 0..20 {
        let (pull, _push) = pair(LONGEST_SPIN, SocketType::Pull, SocketType::Push, "tcp://127.0.0.1:*");
        let waiting = pull.clone();
        let waits = thread::spawn(move || waiting.recv());
        while pull.stats().io.leads == 0 && pull.stats().io.waits == 0 {
            thread::yield_now();
        }
        let closing = pull.close();
        assert!(matches!(waits.join().unwrap(), Err(Error::Closed)));
        closing.wait();
    }
}

#[test]
fn a_peer_that_leaves_during_a_lead_is_reported() {
    for endpoint in endpoints() {
        let (pull, push) = pair(LONGEST_SPIN, SocketType::Pull, SocketType::Push, &endpoint);
        let monitor = pull.monitor();
        let waiting = pull.clone();
        let waits = thread::spawn(move || waiting.recv_timeout(LONG));
        while pull.stats().io.leads == 0 && pull.stats().io.waits == 0 {
            thread::yield_now();
        }
        push.send("last").unwrap();
        push.close().wait();
        assert_eq!(waits.join().unwrap().unwrap()[0], "last");
        let gone = |kind: &EventKind| matches!(kind, EventKind::Disconnected { .. });
        while !gone(&monitor.recv_timeout(LONG).unwrap().kind) {}
    }
}

#[test]
fn many_receivers_of_one_socket_get_each_message_once() {
    const EACH: usize = 500;
    let (pull, push) = pair(LONGEST_SPIN, SocketType::Pull, SocketType::Push, "tcp://127.0.0.1:*");
    let (tell, told) = channel();
    thread::scope(|scope| {
        for _ in 0..4 {
            let (pull, tell) = (&pull, tell.clone());
            scope.spawn(move || {
                for _ in 0..EACH {
                    let message = pull.recv_timeout(LONG).unwrap();
                    tell.send(u32::from_be_bytes(message[0][..].try_into().unwrap())).unwrap();
                }
            });
        }
        for n in 0..4 * EACH as u32 {
            push.send(&n.to_be_bytes()).unwrap();
        }
    });
    drop(tell);
    let mut numbers: Vec<u32> = told.iter().collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..4 * EACH as u32).collect::<Vec<_>>());
}

#[test]
fn a_spin_that_is_too_long_is_refused() {
    let error = ContextOptions::new().spin(Duration::from_secs(1)).check().unwrap_err();
    assert_eq!(error.to_string(), "spin = 1 s: allowed 0..10 ms");
}
