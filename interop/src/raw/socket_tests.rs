//! Two sockets of each version, over tcp.

use super::*;

const LIMIT: Duration = Duration::from_secs(10);
const VERSIONS: [Version; 3] = [Version::One, Version::Two, Version::Three];

fn two(version: Version, bound: Kind, connected: Kind) -> (Socket, Socket, String) {
    let (bound, connected) = (Socket::new(version, bound), Socket::new(version, connected));
    let endpoint = bound.bind("tcp://127.0.0.1:*").unwrap();
    connected.connect(&endpoint, None).unwrap();
    (bound, connected, endpoint)
}

fn message(text: &str) -> Message {
    text.split(' ').map(|frame| frame.as_bytes().to_vec()).collect()
}

#[test]
fn messages_pass_in_order_beyond_what_is_kept() {
    for version in VERSIONS {
        let (pull, push, _) = two(version, Kind::Pull, Kind::Push);
        let sender = thread::spawn(move || {
            (0..5000).for_each(|n| push.send(&message(&format!("{n} more")), LIMIT).unwrap());
            push
        });
        for n in 0..5000 {
            assert_eq!(pull.recv(LIMIT).unwrap(), message(&format!("{n} more")));
        }
        sender.join().unwrap();
    }
}

#[test]
fn questions_are_answered() {
    for version in VERSIONS {
        let (rep, req, _) = two(version, Kind::Rep, Kind::Req);
        for _ in 0..3 {
            req.send(&message("question"), LIMIT).unwrap();
            assert_eq!(rep.recv(LIMIT).unwrap(), message("question"));
            rep.send(&message("an answer"), LIMIT).unwrap();
            assert_eq!(req.recv(LIMIT).unwrap(), message("an answer"));
        }
    }
}

#[test]
fn a_router_knows_its_peer_by_the_identity_it_tells() {
    for version in VERSIONS {
        let router = Socket::new(version, Kind::Router);
        let dealer = Socket::new(version, Kind::Dealer);
        dealer.set(|options, _| options.routing_id = b"me".to_vec());
        dealer.connect(&router.bind("tcp://127.0.0.1:*").unwrap(), None).unwrap();
        dealer.send(&message("hi"), LIMIT).unwrap();
        assert_eq!(router.recv(LIMIT).unwrap(), message("me hi"));
        router.send(&message("me ho"), LIMIT).unwrap();
        assert_eq!(dealer.recv(LIMIT).unwrap(), message("ho"));
    }
}

#[test]
fn a_peer_that_comes_back_is_connected_to_again() {
    let (pull, push, endpoint) = two(Version::Two, Kind::Pull, Kind::Push);
    push.set(|_, timing| timing.reconnect = Duration::from_millis(1));
    push.send(&message("before"), LIMIT).unwrap();
    assert_eq!(pull.recv(LIMIT).unwrap(), message("before"));
    drop(pull);
    let pull = Socket::new(Version::Two, Kind::Pull);
    let end = Instant::now() + LIMIT;
    // The old listener's thread may still be on its way out.
    while pull.bind(&endpoint).is_err() {
        assert!(Instant::now() < end);
    }
    // What was sent into the old connection before its end was noticed is lost.
    while pull.recv(Duration::from_millis(10)).is_err() {
        assert!(Instant::now() < end);
        push.send(&message("after"), LIMIT).unwrap();
    }
}

#[test]
fn a_close_lingers_until_all_is_written() {
    let (pull, push, _) = two(Version::Two, Kind::Pull, Kind::Push);
    push.set(|_, timing| timing.linger = LIMIT);
    for n in 0..100 {
        push.send(&message(&n.to_string()), LIMIT).unwrap();
    }
    drop(push);
    for n in 0..100 {
        assert_eq!(pull.recv(LIMIT).unwrap(), message(&n.to_string()));
    }
}

#[test]
fn a_send_without_a_peer_and_a_recv_without_a_message_end_in_time() {
    let push = Socket::new(Version::Two, Kind::Push);
    assert!(matches!(push.send(&message("x"), Duration::from_millis(1)), Err(Failure::Again)));
    let pull = Socket::new(Version::Two, Kind::Pull);
    assert!(matches!(pull.recv(Duration::from_millis(1)), Err(Failure::Again)));
}

#[test]
fn an_endpoint_that_was_detached_is_there_no_more() {
    let (pull, push, endpoint) = two(Version::Two, Kind::Pull, Kind::Push);
    push.send(&message("x"), LIMIT).unwrap();
    pull.recv(LIMIT).unwrap();
    push.detach(&endpoint).unwrap();
    assert!(push.detach(&endpoint).is_err());
    pull.detach(&endpoint).unwrap();
    assert!(pull.connect("ipc://x", None).is_err());
}
