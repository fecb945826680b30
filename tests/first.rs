//! The first messages over each transport.
#![allow(clippy::unwrap_used)] // a test's helpers

mod common;

use common::LONG;
use zeroxide::{Context, SocketType};

#[test]
fn push_pull_tcp() {
    let cx = Context::new();
    let pull = cx.socket(SocketType::Pull).unwrap();
    let ep = pull.bind("tcp://127.0.0.1:*").unwrap();
    let push = cx.socket(SocketType::Push).unwrap();
    push.connect(ep.to_string()).unwrap();
    std::thread::scope(|s| {
        s.spawn(|| {
            for n in 0..100_000u32 {
                push.send(&n.to_be_bytes()).unwrap();
            }
        });
        for n in 0..100_000u32 {
            let m = pull.recv_timeout(LONG).unwrap_or_else(|e| {
                panic!("{n}: {e}\n{}\n{}\n{:?}", push.status(), pull.status(), push.stats())
            });
            assert_eq!(m[0], &n.to_be_bytes()[..]);
        }
    });
    println!("{}\n{:?}\n{:?}", push.status(), push.stats(), pull.stats());
}
#[test]
fn push_pull_inproc() {
    let cx = Context::new();
    let pull = cx.socket(SocketType::Pull).unwrap();
    let push = cx.socket(SocketType::Push).unwrap();
    push.connect("inproc://a").unwrap();
    pull.bind("inproc://a").unwrap();
    std::thread::scope(|s| {
        s.spawn(|| {
            for n in 0..100_000u32 {
                push.send(&n.to_be_bytes()).unwrap();
            }
        });
        for n in 0..100_000u32 {
            assert_eq!(pull.recv_timeout(LONG).unwrap()[0], &n.to_be_bytes()[..]);
        }
    });
    println!("{}\n{:?}\n{:?}", push.status(), push.stats(), pull.stats());
}
#[test]
fn req_rep_ipc() {
    let cx = Context::new();
    let rep = cx.socket(SocketType::Rep).unwrap();
    let ep = rep.bind("ipc://*").unwrap();
    let req = cx.socket(SocketType::Req).unwrap();
    req.connect(ep.to_string()).unwrap();
    std::thread::scope(|s| {
        s.spawn(|| {
            for _ in 0..1000 {
                let m = rep.recv_timeout(LONG).unwrap();
                rep.send(m).unwrap();
            }
        });
        let t = std::time::Instant::now();
        for n in 0..1000u32 {
            req.send(&n.to_be_bytes()).unwrap();
            assert_eq!(req.recv_timeout(LONG).unwrap()[0], &n.to_be_bytes()[..]);
        }
        println!("{:?} per round trip", t.elapsed() / 1000);
    });
}
