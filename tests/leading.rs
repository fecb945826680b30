//! A thread that waits for input reads its connections itself for a while (`ContextOptions::spin`), and nothing else changes.
#![allow(clippy::unwrap_used)]

use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use zeroxide::{Context, ContextOptions, Error, EventKind, Poller, Ready, Socket, SocketType};

/// More than anything takes.
const LONG: Duration = Duration::from_secs(60);
/// The longest that may be set.
const LONGEST_SPIN: Duration = Duration::from_millis(1);

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
fn messages_that_come_around_the_end_of_a_lead_are_received() {
    for endpoint in endpoints() {
        let (pull, push) = pair(LONGEST_SPIN, SocketType::Pull, SocketType::Push, &endpoint);
        const COUNT: u32 = 3000;
        thread::scope(|scope| {
            scope.spawn(|| {
                for n in 0..COUNT {
                    // From none to longer than a lead, by turns.
                    let pause = Duration::from_micros(u64::from(n % 150));
                    let begin = Instant::now();
                    while begin.elapsed() < pause {
                        thread::yield_now();
                    }
                    push.send(&n.to_be_bytes()).unwrap();
                }
            });
            for n in 0..COUNT {
                assert_eq!(pull.recv_timeout(LONG).unwrap()[0], &n.to_be_bytes()[..]);
            }
        });
    }
}

#[test]
fn a_poller_is_told_of_a_busy_socket_and_of_an_idle_one() {
    let [busy, idle] =
        [(); 2].map(|()| pair(LONGEST_SPIN, SocketType::Rep, SocketType::Req, "tcp://127.0.0.1:*"));
    let mut poller = Poller::new();
    poller.add(&idle.0, 1, Ready::IN).unwrap();
    poller.add(&busy.0, 2, Ready::IN).unwrap();
    let ask = |req: &Socket, n: u32| {
        req.send(&n.to_be_bytes()).unwrap();
        assert_eq!(req.recv_timeout(LONG).unwrap()[0], &n.to_be_bytes()[..]);
    };
    const COUNT: u32 = 500;
    thread::scope(|scope| {
        scope.spawn(|| (0..COUNT).for_each(|n| ask(&busy.1, n)));
        scope.spawn(|| (0..5).for_each(|n| ask(&idle.1, n)));
        let (mut events, mut left) = (Vec::new(), COUNT + 5);
        while left > 0 {
            assert!(poller.wait(&mut events, Some(LONG)).unwrap() > 0);
            for event in &events {
                let rep = if event.key == 1 { &idle.0 } else { &busy.0 };
                rep.send(rep.try_recv().unwrap()).unwrap();
                left -= 1;
            }
        }
    });
}

#[test]
fn a_context_that_ends_during_a_lead_ends_the_call() {
    for _ in 0..20 {
        let (pull, push) = pair(LONGEST_SPIN, SocketType::Pull, SocketType::Push, "tcp://127.0.0.1:*");
        let (context, waiting) = (pull.context(), pull.clone());
        push.send("one").unwrap();
        let waits = thread::spawn(move || [waiting.recv_timeout(LONG), waiting.recv()]);
        while pull.stats().received.delivered == 0 {
            thread::yield_now();
        }
        context.shutdown();
        assert!(matches!(waits.join().unwrap(), [Ok(_), Err(Error::Terminated)]));
    }
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
    assert_eq!(error.to_string(), "spin = 1 s: allowed 0..1 ms");
}
