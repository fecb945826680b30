//! The stack of a thread does not depend on how many things follow one another. What peers send without pause is thrown at
//! sockets by `hostile storms`, whose victims have threads of 256 KiB.
#![allow(clippy::unwrap_used)] // a test's helpers

use std::thread;
use std::time::Duration;

use zeroxide::{Context, Socket, SocketType};

/// Longer than anything here lasts.
const LONG: Duration = Duration::from_secs(60);

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
