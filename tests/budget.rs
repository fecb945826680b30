//! The byte budgets RCVHWM_BYTES and RCVHWM_BYTES_TOTAL: who sends more than is taken is not read, and nothing is lost.
#![allow(clippy::unwrap_used)] // a test's helpers

mod common;

use std::thread;

use common::{LONG, RawPeer, Soon, message, no_linger, until};
use zeroxide::{Context, Message, Options, Socket, SocketType, opt};

/// Larger than what two kernel buffers and a quantum hide, when there are hundreds.
const BODY: usize = 100_000;

const MIB: u64 = 1 << 20;

fn body(n: u32) -> Vec<u8> {
    let mut body = vec![0; BODY];
    body[..4].copy_from_slice(&n.to_be_bytes());
    body
}

fn number(message: &Message) -> u32 {
    u32::from_be_bytes(message.iter().last().unwrap()[..4].try_into().unwrap())
}

/// No limit but those of bytes.
fn unlimited() -> Options {
    Options::new().set(opt::RCVHWM, 0)
}

/// With small buffers, so that a peer that is not read notices soon. A `send` ends some time: a test that has failed
/// waits for its threads.
fn sender() -> Options {
    no_linger().set(opt::SNDHWM, 1).set(opt::SNDBUF, Some(64 << 10)).set(opt::SNDTIMEO, Some(2 * LONG))
}

fn waiting(socket: &Socket) -> u64 {
    socket.stats().waiting_bytes
}

/// Waits until a blocked `send` shows that nothing of `from` is read any more.
fn wait_until_held_back(from: &Socket) {
    until("the peer is held back", || from.status().senders_waiting == 1 && from.stats().queued == 1);
}

#[test]
fn a_peer_is_not_read_beyond_its_bytes_and_is_read_on_when_they_are_taken() {
    const COUNT: u32 = 1000;
    for endpoint in ["tcp://127.0.0.1:*", "ipc://*"] {
        for (from, to) in [
            (SocketType::Push, SocketType::Pull),
            (SocketType::Dealer, SocketType::Router),
            (SocketType::Pair, SocketType::Pair),
        ] {
            let cx = Context::new();
            let to = cx.socket_with(to, &unlimited().set(opt::RCVHWM_BYTES, 2 * MIB)).unwrap();
            let from = cx.socket_with(from, &sender()).unwrap();
            from.connect(to.bind(endpoint).unwrap().to_string()).unwrap();
            thread::scope(|scope| {
                scope.spawn(|| (0..COUNT).for_each(|n| from.send(body(n)).unwrap()));
                until("it fills", || waiting(&to) >= 2 * MIB);
                wait_until_held_back(&from);
                let most = 2 * MIB + 2 * BODY as u64;
                for n in 0..COUNT {
                    let stats = to.stats();
                    assert!(stats.waiting_bytes <= most, "{stats:?}");
                    assert_eq!(stats.waiting_bytes, stats.pipes[0].waiting_bytes);
                    assert_eq!(number(&to.recv_soon()), n);
                }
            });
            assert!(to.try_recv().is_err());
            assert_eq!(waiting(&to), 0);
            assert_eq!((to.stats().dropped.total(), from.stats().dropped.total()), (0, 0));
        }
    }
}

#[test]
fn a_message_larger_than_both_budgets_arrives_whole_or_in_parts_and_so_does_the_next() {
    for endpoint in ["tcp://127.0.0.1:*", "ipc://*"] {
        let cx = Context::new();
        let options = Options::new().set(opt::RCVHWM_BYTES, 1).set(opt::RCVHWM_BYTES_TOTAL, 1);
        let pull = cx.socket_with(SocketType::Pull, &options).unwrap();
        let push = cx.socket(SocketType::Push).unwrap();
        push.connect(pull.bind(endpoint).unwrap().to_string()).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                for n in 0..30 {
                    match n % 3 {
                        0 => push.send(vec![7; 5_000_000]).unwrap(),
                        1 => push.send(vec![vec![7; 1_000_000]; 5]).unwrap(),
                        _ => push.send("").unwrap(),
                    }
                }
            });
            for n in 0..30 {
                let message = pull.recv_soon();
                let expected = [(1, 5_000_000), (5, 5_000_000), (1, 0)][n % 3];
                assert_eq!((message.len(), message.size()), expected);
            }
        });
    }
}

#[test]
fn fifty_peers_share_the_sum_and_each_has_its_turn() {
    const PEERS: u8 = 50;
    const EACH: u32 = 40;
    for endpoint in ["tcp://127.0.0.1:*", "ipc://*"] {
        let cx = Context::new();
        let options = unlimited().set(opt::RCVHWM_BYTES_TOTAL, 4 * MIB);
        let router = cx.socket_with(SocketType::Router, &options).unwrap();
        let bound = router.bind(endpoint).unwrap().to_string();
        let peers: Vec<Socket> =
            (0..PEERS).map(|_| cx.socket_with(SocketType::Dealer, &sender()).unwrap()).collect();
        peers.iter().for_each(|peer| drop(peer.connect_ready(&bound, LONG).unwrap()));
        thread::scope(|scope| {
            for (peer, n) in peers.iter().zip(0..) {
                scope.spawn(move || (0..EACH).for_each(|at| peer.send([vec![n], body(at)]).unwrap()));
            }
            until("it fills", || waiting(&router) >= 4 * MIB);
            peers.iter().for_each(wait_until_held_back);
            // Each has a message in the queue, and those who came first have more.
            let most = 4 * MIB + (u64::from(PEERS) + 2) * BODY as u64;
            let (mut next, mut taken) = ([0; PEERS as usize], 0);
            while taken < u32::from(PEERS) * EACH {
                assert!(waiting(&router) <= most, "{:?}", router.stats());
                let message = router.recv_soon();
                let peer = usize::from(message[1][0]);
                assert_eq!(number(&message), next[peer], "peer {peer}");
                next[peer] += 1;
                taken += 1;
                if taken == 8 * u32::from(PEERS) {
                    assert!(next.iter().all(|n| *n > 0), "somebody waits while others are served: {next:?}");
                }
            }
        });
        assert_eq!(waiting(&router), 0);
    }
}

#[test]
fn a_subscriber_that_does_not_take_is_not_served_beyond_its_bytes_and_its_neighbour_is() {
    for endpoint in ["tcp://127.0.0.1:*", "ipc://*"] {
        let cx = Context::new();
        let publisher = cx.socket_with(SocketType::Pub, &no_linger().set(opt::SNDHWM, 10)).unwrap();
        let bound = publisher.bind(endpoint).unwrap().to_string();
        let subscriber = |options: &Options| {
            let sub = cx.socket_with(SocketType::Sub, options).unwrap();
            sub.subscribe("").unwrap();
            sub.connect_ready(&bound, LONG).unwrap();
            sub
        };
        let slow = subscriber(&unlimited().set(opt::RCVHWM_BYTES, MIB));
        let quick = subscriber(&unlimited());
        publisher.wait_for_subscribers("", 2, LONG).unwrap();
        for n in 0..1000 {
            publisher.send(body(n)).unwrap();
            assert_eq!(number(&quick.recv_soon()), n);
            assert!(waiting(&slow) <= MIB + 2 * BODY as u64);
        }
        let dropped = publisher.stats().dropped.total();
        assert!(dropped > 0, "the publisher drops what the slow one has no room for");
        for n in 0..10 {
            assert_eq!(number(&slow.recv_soon()), n, "what fitted is whole and in order");
        }
    }
}

#[test]
fn higher_limits_let_a_peer_that_is_held_back_go_on() {
    let raised: [fn(&Socket); 2] = [
        |pull| pull.set(opt::RCVHWM_BYTES, 0).unwrap(),
        |pull| pull.set(opt::RCVHWM_BYTES_TOTAL, 200 * MIB).unwrap(),
    ];
    let low = [
        unlimited().set(opt::RCVHWM_BYTES, MIB),
        unlimited().set(opt::RCVHWM_BYTES, 0).set(opt::RCVHWM_BYTES_TOTAL, MIB),
    ];
    for (raise, low) in raised.iter().zip(low) {
        let cx = Context::new();
        let pull = cx.socket_with(SocketType::Pull, &low).unwrap();
        let push = cx.socket_with(SocketType::Push, &sender()).unwrap();
        push.connect(pull.bind("tcp://127.0.0.1:*").unwrap().to_string()).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| (0..500).for_each(|n| push.send(body(n)).unwrap()));
            until("it fills", || waiting(&pull) >= MIB);
            wait_until_held_back(&push);
            raise(&pull);
            until("everything has come", || waiting(&pull) == 500 * (BODY as u64 + 2));
        });
        (0..500).for_each(|n| assert_eq!(number(&pull.recv_soon()), n));
    }
}

#[test]
fn a_crowd_that_leaves_messages_and_goes_is_not_read_beyond_the_sum_until_they_are_taken() {
    const CROWD: u32 = 60;
    const EACH: usize = 160;
    let cx = Context::new();
    let pull = cx.socket_with(SocketType::Pull, &unlimited().set(opt::RCVHWM_BYTES_TOTAL, MIB)).unwrap();
    let endpoint = pull.bind("tcp://127.0.0.1:*").unwrap();
    for n in 0..CROWD {
        let mut peer = RawPeer::connect(endpoint.clone()).shake_hands("PUSH");
        peer.send_bytes(&message(&[&body(n)[..250]]).repeat(EACH));
    }
    // Each leaves 40 kB, of which the sum holds 26; and one message each may be there of those who came before it was full.
    until("it fills", || waiting(&pull) >= MIB);
    let mut seen = vec![0; CROWD as usize];
    for _ in 0..CROWD as usize * EACH {
        assert!(waiting(&pull) <= 2 * MIB + u64::from(CROWD) * 252, "{}", waiting(&pull));
        seen[number(&pull.recv_soon()) as usize] += 1;
    }
    assert!(seen.iter().all(|seen| *seen == EACH), "{seen:?}");
    until("nothing waits", || pull.try_recv().is_err() && waiting(&pull) == 0);
}

#[test]
fn what_is_thrown_away_with_its_endpoint_makes_room_for_others() {
    let cx = Context::new();
    let options = unlimited().set(opt::RCVHWM_BYTES_TOTAL, 2 * MIB);
    let pull = cx.socket_with(SocketType::Pull, &options).unwrap();
    let listening = |n: u32| {
        let push = cx.socket_with(SocketType::Push, &sender()).unwrap();
        let bound = push.bind("tcp://127.0.0.1:*").unwrap().to_string();
        pull.connect_ready(&bound, LONG).unwrap();
        (push, bound, n)
    };
    let (first, second) = (listening(1), listening(2));
    thread::scope(|scope| {
        scope.spawn(|| while first.0.send(body(1)).is_ok() {});
        until("it fills", || waiting(&pull) >= 2 * MIB);
        wait_until_held_back(&first.0);
        scope.spawn(|| (0..200).for_each(|_| second.0.send(body(2)).unwrap()));
        wait_until_held_back(&second.0);
        pull.disconnect(first.1.clone()).unwrap();
        drop(first.0.close());
        until("the other is read on", || waiting(&pull) >= 2 * MIB);
        (0..200).for_each(|_| assert_eq!(number(&pull.recv_soon()), 2));
    });
}

/// The queue of inproc is the sender's own: its high-water mark bounds it, in messages.
#[test]
fn over_inproc_bytes_are_not_counted_and_the_high_water_marks_hold() {
    let cx = Context::new();
    let options =
        Options::new().set(opt::RCVHWM, 3).set(opt::RCVHWM_BYTES, 1).set(opt::RCVHWM_BYTES_TOTAL, 1);
    let pull = cx.socket_with(SocketType::Pull, &options).unwrap();
    let push = cx.socket_with(SocketType::Push, &Options::new().set(opt::SNDHWM, 2)).unwrap();
    pull.bind("inproc://bytes").unwrap();
    push.connect("inproc://bytes").unwrap();
    let sent = (0..).take_while(|n| push.try_send(body(*n)).is_ok()).count();
    assert_eq!((sent, waiting(&pull)), (5, 0));
    (0..5).for_each(|n| assert_eq!(number(&pull.recv_soon()), n));
}

#[test]
fn with_the_defaults_of_libzmq_bytes_are_counted_and_not_limited() {
    let cx = Context::new();
    let pull = cx.socket_with(SocketType::Pull, &Options::with_libzmq_defaults()).unwrap();
    let push = cx.socket_with(SocketType::Push, &sender()).unwrap();
    push.connect(pull.bind("tcp://127.0.0.1:*").unwrap().to_string()).unwrap();
    (0..900).for_each(|n| push.send(body(n)).unwrap());
    until("everything has come", || waiting(&pull) == 900 * (BODY as u64 + 2));
}
