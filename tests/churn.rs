//! Peers that come and go in the middle of a flood, on several I/O threads.

#![allow(clippy::unwrap_used)] // a test's helpers

mod common;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use common::{LONG, Soon, assert_balanced, impatient, no_linger, until};
use zeroxide::{Context, ContextOptions, Error, Options, RoutingId, SocketType, opt};

const ENDPOINTS: [&str; 3] = ["tcp://127.0.0.1:*", "ipc://*", "inproc://churn"];

fn context() -> Context {
    Context::with(ContextOptions::new().io_threads(3)).unwrap()
}

fn number(bytes: &[u8]) -> u32 {
    u32::from_be_bytes(bytes[..4].try_into().unwrap())
}

#[test]
fn subscribers_that_come_and_go_in_a_flood_hear_a_stretch_without_gaps() {
    for at in ENDPOINTS {
        let cx = context();
        let publisher = cx.socket_with(SocketType::Pub, &no_linger().set(opt::SNDHWM, 0)).unwrap();
        let endpoint = publisher.bind(at).unwrap().to_string();
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            let churners: Vec<_> = (0..3)
                .map(|_| {
                    scope.spawn(|| {
                        for round in 0..25 {
                            let subscriber =
                                cx.socket_with(SocketType::Sub, &no_linger().set(opt::RCVHWM, 0)).unwrap();
                            subscriber.subscribe("").unwrap();
                            subscriber.connect(&endpoint).unwrap();
                            let first = number(&subscriber.recv_soon()[0]);
                            for n in 1..20 + round {
                                assert_eq!(number(&subscriber.recv_soon()[0]), first + n);
                            }
                        }
                    })
                })
                .collect();
            scope.spawn(|| {
                let mut n = 0u32;
                while !done.load(Ordering::SeqCst) {
                    publisher.send(&n.to_be_bytes()).unwrap();
                    n += 1;
                    if n % 64 == 0 {
                        assert_balanced(&publisher.stats());
                        thread::yield_now();
                    }
                }
            });
            let results: Vec<_> = churners.into_iter().map(|churner| churner.join()).collect();
            done.store(true, Ordering::SeqCst);
            results.into_iter().for_each(|result| result.unwrap());
        });
        until("they are gone", || publisher.stats().pipes.is_empty());
        assert_balanced(&publisher.stats());
    }
}

#[test]
fn a_client_that_comes_back_under_its_id_is_served_each_time() {
    for at in ENDPOINTS {
        let cx = context();
        let options = no_linger().set(opt::ROUTER_HANDOVER, true).set(opt::ROUTER_MANDATORY, false);
        let router = cx.socket_with(SocketType::Router, &options).unwrap();
        let endpoint = router.bind(at).unwrap().to_string();
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::SeqCst) {
                    match router.recv_timeout(Duration::from_millis(20)) {
                        Ok(message) => router.send(message).unwrap(),
                        Err(Error::TimedOut(_)) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            });
            let clients: Vec<_> = (0..3)
                .map(|client| {
                    let (cx, endpoint) = (&cx, &endpoint);
                    scope.spawn(move || {
                        let id = RoutingId::new(format!("client{client}")).unwrap();
                        for round in 0..30u32 {
                            let options = no_linger().set(opt::ROUTING_ID, id.clone());
                            let dealer = cx.socket_with(SocketType::Dealer, &options).unwrap();
                            dealer.connect(endpoint).unwrap();
                            dealer.send(&round.to_be_bytes()).unwrap();
                            assert_eq!(number(&dealer.recv_soon()[0]), round);
                        }
                    })
                })
                .collect();
            let results: Vec<_> = clients.into_iter().map(|client| client.join()).collect();
            done.store(true, Ordering::SeqCst);
            results.into_iter().for_each(|result| result.unwrap());
        });
        until("they are gone", || router.stats().pipes.is_empty() && router.peers().is_empty());
        assert_balanced(&router.stats());
    }
}

#[test]
fn receivers_that_bind_anew_in_a_flood_lose_only_what_is_counted_or_was_on_its_way() {
    for at in ["tcp://127.0.0.1:*", "ipc://*"] {
        let cx = context();
        let count = 20_000u64;
        let first = cx.socket(SocketType::Pull).unwrap();
        let endpoint = first.bind(at).unwrap();
        let path = std::env::temp_dir().join(format!("zeroxide-churn-{}", std::process::id()));
        let endpoint = match endpoint.port() {
            Some(_) => endpoint.to_string(),
            None => format!("ipc://{}", path.display()),
        };
        first.close().wait();
        let push = cx.socket_with(SocketType::Push, &impatient()).unwrap();
        push.connect(&endpoint).unwrap();
        let received = AtomicU64::new(0);
        thread::scope(|scope| {
            let sender = scope.spawn(|| (0..count as u32).for_each(|n| push.send(&n.to_be_bytes()).unwrap()));
            let mut last = None;
            let mut restart = 0;
            loop {
                let pull = cx.socket(SocketType::Pull).unwrap();
                pull.bind(&endpoint).unwrap();
                let stays = sender.is_finished();
                if stays {
                    // Not into the connection to the one before, whose end may not have been noticed.
                    pull.wait_for_peers(1, LONG).unwrap();
                    push.send(&(count as u32).to_be_bytes()).unwrap();
                }
                restart += 1;
                let quota = if stays { u32::MAX } else { 300 + 50 * (restart % 7) };
                for _ in 0..quota {
                    let message = if stays {
                        pull.recv_soon()
                    } else {
                        // What was on its way to the one before may have been the last.
                        match pull.recv_timeout(Duration::from_millis(50)) {
                            Ok(message) => message,
                            Err(_) => break,
                        }
                    };
                    let n = number(&message[0]);
                    assert!(last < Some(n), "twice or out of order: {n} after {last:?}");
                    last = Some(n);
                    received.fetch_add(1, Ordering::SeqCst);
                    if n == count as u32 {
                        return;
                    }
                }
                if !stays {
                    pull.close().wait();
                }
            }
        });
        until("all is counted", || push.stats().queued == 0);
        let stats = push.stats();
        assert_balanced(&stats);
        assert!(received.load(Ordering::SeqCst) + stats.dropped.total() <= count + 1);
        assert_eq!(stats.accepted, count + 1);
    }
}

#[test]
fn a_mesh_of_sockets_on_several_threads_carries_every_message() {
    for at in ENDPOINTS {
        let cx = context();
        let (nodes, each) = (6usize, 300u32);
        let pulls: Vec<_> = (0..nodes).map(|_| cx.socket(SocketType::Pull).unwrap()).collect();
        let name =
            |n: usize| if at.starts_with("inproc") { format!("inproc://mesh{n}") } else { at.to_owned() };
        let endpoints: Vec<String> =
            pulls.iter().enumerate().map(|(n, pull)| pull.bind(name(n)).unwrap().to_string()).collect();
        thread::scope(|scope| {
            for pull in &pulls {
                scope.spawn(move || {
                    let mut sum = 0u64;
                    for _ in 0..nodes as u32 * each {
                        sum += u64::from(number(&pull.recv_soon()[0]));
                    }
                    assert_eq!(sum, nodes as u64 * u64::from(each) * u64::from(each - 1) / 2);
                });
            }
            for _ in 0..nodes {
                let (cx, endpoints) = (&cx, &endpoints);
                scope.spawn(move || {
                    let options = Options::new().set(opt::LINGER, Some(LONG));
                    let pushes: Vec<_> = endpoints
                        .iter()
                        .map(|endpoint| {
                            let push = cx.socket_with(SocketType::Push, &options).unwrap();
                            push.connect(endpoint).unwrap();
                            push
                        })
                        .collect();
                    for n in 0..each {
                        pushes.iter().for_each(|push| push.send(&n.to_be_bytes()).unwrap());
                    }
                });
            }
        });
    }
}
