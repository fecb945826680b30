//! The main rules of request-reply, pipeline and pair, end to end over every transport.
#![allow(clippy::unwrap_used)] // a test's helpers

mod common;

use std::thread;
use std::time::Duration;

use common::{LONG, Soon, impatient, until, wait_for};
use zeroxide::{Context, Error, EventKind, Message, Options, RoutingId, Socket, SocketType, Why, opt};

const ENDPOINTS: [&str; 3] = ["tcp://127.0.0.1:*", "ipc://*", "inproc://live"];

fn id(text: &str) -> RoutingId {
    RoutingId::new(text).unwrap()
}

fn named(text: &str) -> Options {
    Options::new().set(opt::ROUTING_ID, id(text))
}

/// A bound and a connected socket.
fn joined(
    cx: &Context,
    bound: SocketType,
    connected: SocketType,
    at: &str,
    options: &Options,
) -> (Socket, Socket) {
    let bound = cx.socket(bound).unwrap();
    let connected = cx.socket_with(connected, options).unwrap();
    connected.connect(bound.bind(at).unwrap().to_string()).unwrap();
    bound.wait_for_peers(1, LONG).unwrap();
    connected.wait_for_peers(1, LONG).unwrap();
    (bound, connected)
}

fn recv(socket: &Socket) -> Message {
    socket.recv_soon()
}

#[track_caller]
fn assert_message(message: &Message, frames: &[&str]) {
    assert_eq!(message.len(), frames.len(), "{message:?}");
    for (frame, wanted) in message.iter().zip(frames) {
        assert_eq!(frame, wanted);
    }
}

#[test]
fn a_router_knows_its_dealers_by_the_ids_they_chose() {
    for at in ENDPOINTS {
        let cx = Context::new();
        let router = cx.socket(SocketType::Router).unwrap();
        let endpoint = router.bind(at).unwrap().to_string();
        let dealers = ["a", "b"].map(|name| cx.socket_with(SocketType::Dealer, &named(name)).unwrap());
        for dealer in &dealers {
            dealer.connect(&endpoint).unwrap();
            dealer.send("hello").unwrap();
        }
        let mut seen: Vec<RoutingId> = (0..2).map(|_| router.recv_from().unwrap().0).collect();
        seen.sort_by_key(|id| id.as_bytes().to_vec());
        assert_eq!(seen, [id("a"), id("b")]);
        router.send_to(&id("b"), ("for", "b")).unwrap();
        router.send(("a", "for", "a")).unwrap();
        assert_message(&recv(&dealers[0]), &["for", "a"]);
        assert_message(&recv(&dealers[1]), &["for", "b"]);
    }
}

#[test]
fn a_dealer_without_an_id_gets_one_that_begins_with_zero() {
    for at in ENDPOINTS {
        let cx = Context::new();
        let (router, dealer) = joined(&cx, SocketType::Router, SocketType::Dealer, at, &Options::new());
        dealer.send("hello").unwrap();
        let (from, message) = router.recv_from().unwrap();
        assert_eq!((from.as_bytes().len(), from.as_bytes()[0]), (5, 0));
        router.send_to(&from, message).unwrap();
        assert_message(&recv(&dealer), &["hello"]);
    }
}

#[test]
fn a_router_refuses_the_unknown_and_gives_the_message_back() {
    for at in ENDPOINTS {
        let cx = Context::new();
        let (router, _dealer) = joined(&cx, SocketType::Router, SocketType::Dealer, at, &named("a"));
        let refused = router.send_to(&id("z"), "x").unwrap_err();
        assert!(matches!(&refused.error, Error::Unroutable { id: who, known: 1 } if **who == id("z")));
        assert_message(&refused.message, &["x"]);
        assert!(matches!(router.try_send(("z", "x")).unwrap_err().error, Error::Unroutable { .. }));
    }
}

#[test]
fn a_full_peer_makes_try_send_refuse_and_send_wait() {
    for at in ENDPOINTS {
        let cx = Context::new();
        let options = Options::new().set(opt::SNDHWM, 3).set(opt::RCVHWM, 3);
        let router = cx.socket_with(SocketType::Router, &options).unwrap();
        let dealer = cx.socket_with(SocketType::Dealer, &options.set(opt::ROUTING_ID, id("a"))).unwrap();
        dealer.connect(router.bind(at).unwrap().to_string()).unwrap();
        router.wait_for_peers(1, LONG).unwrap();
        let body = vec![0; 200_000];
        let mut sent = 0;
        let refused = loop {
            match router.send_timeout(("a", body.clone()), Duration::from_millis(30)) {
                Ok(()) => sent += 1,
                // Room may still come from the kernel: full is what is full now.
                Err(_) => match router.try_send(("a", body.clone())) {
                    Ok(()) => sent += 1,
                    Err(refused) => break refused,
                },
            }
        };
        assert!(matches!(refused.error, Error::WouldBlock(Why::Full { .. })), "{}", refused.error);
        assert_eq!(refused.message.len(), 2);
        thread::scope(|scope| {
            let sender = scope.spawn(|| router.send_timeout(("a", "last"), LONG));
            until("it waits", || router.status().senders_waiting == 1 || sender.is_finished());
            (0..sent).for_each(|_| assert_eq!(recv(&dealer)[0].len(), 200_000));
            sender.join().unwrap().unwrap();
        });
        assert_message(&recv(&dealer), &["last"]);
    }
}

#[test]
fn a_second_peer_with_the_same_id_is_turned_away_without_handover() {
    let cx = Context::new();
    let (router, first) =
        joined(&cx, SocketType::Router, SocketType::Dealer, "tcp://127.0.0.1:*", &named("a"));
    let events = router.monitor();
    let second = cx.socket_with(SocketType::Dealer, &named("a")).unwrap();
    second.connect(router.endpoints()[0].endpoint.to_string()).unwrap();
    wait_for(&events, "of its end", |kind| matches!(kind, EventKind::HandshakeFailed(_)));
    router.send(("a", "x")).unwrap();
    assert_message(&recv(&first), &["x"]);
}

#[test]
fn with_handover_the_newer_peer_takes_the_id() {
    for at in ENDPOINTS {
        let cx = Context::new();
        let router =
            cx.socket_with(SocketType::Router, &Options::new().set(opt::ROUTER_HANDOVER, true)).unwrap();
        let endpoint = router.bind(at).unwrap().to_string();
        let [first, second] = [(), ()].map(|()| cx.socket_with(SocketType::Dealer, &named("a")).unwrap());
        first.connect(&endpoint).unwrap();
        first.send("from the first").unwrap();
        assert_message(&recv(&router), &["a", "from the first"]);
        second.connect(&endpoint).unwrap();
        second.send("from the second").unwrap();
        assert_message(&recv(&router), &["a", "from the second"]);
        router.send(("a", "for the second")).unwrap();
        assert_message(&recv(&second), &["for the second"]);
        first.close().wait();
    }
}

/// What has arrived when a peer is replaced is delivered: a peer that closes in order loses nothing.
#[test]
fn with_handover_nothing_is_lost_of_a_peer_that_is_opened_anew_three_hundred_times() {
    for at in ENDPOINTS {
        let cx = Context::new();
        // A connect that finds the system's queue full is tried again after a second.
        let options = Options::new().set(opt::ROUTER_HANDOVER, true).set(opt::BACKLOG, 400);
        let router = cx.socket_with(SocketType::Router, &options).unwrap();
        let endpoint = router.bind(at).unwrap().to_string();
        for n in 0..300 {
            let options = named("a").set(opt::LINGER, None);
            let dealer = cx.socket_with(SocketType::Dealer, &options).unwrap();
            dealer.connect(&endpoint).unwrap();
            dealer.send(n.to_string()).unwrap();
            drop(dealer.close());
        }
        let mut texts: Vec<usize> =
            (0..300).map(|_| recv(&router)[1].as_str().unwrap().parse().unwrap()).collect();
        texts.sort_unstable();
        assert!(texts.into_iter().eq(0..300), "{at}");
    }
}

/// A replaced peer has a second to close. What has come of it is read, however long the application takes.
#[test]
fn with_handover_a_peer_that_has_closed_is_read_to_its_end() {
    // The end of 100 is behind what the system does not even take in.
    for (at, count) in [(ENDPOINTS[0], 30), (ENDPOINTS[1], 30), (ENDPOINTS[0], 100), (ENDPOINTS[1], 100)] {
        let cx = Context::new();
        let large = Some(200_000);
        let options =
            Options::new().set(opt::ROUTER_HANDOVER, true).set(opt::RCVHWM, 1).set(opt::RCVBUF, large);
        let router = cx.socket_with(SocketType::Router, &options).unwrap();
        let endpoint = router.bind(at).unwrap().to_string();
        let named = named("a").set(opt::LINGER, Some(LONG)).set(opt::SNDBUF, large);
        let olds = Context::new();
        let [old, new] = [&olds, &cx].map(|cx| cx.socket_with(SocketType::Dealer, &named).unwrap());
        old.connect_ready(&endpoint, LONG).unwrap();
        let body = vec![7; 1000];
        for n in 0..count {
            old.send((n.to_string(), body.clone())).unwrap();
        }
        // When its context has ended, its connection is closed.
        assert_eq!(olds.term().wait().dropped, 0, "the system takes it all");
        new.connect_ready(&endpoint, LONG).unwrap();
        let events = router.monitor();
        new.send("new").unwrap();
        let ended = events.recv_timeout(Duration::from_millis(1500));
        assert!(ended.is_err(), "{ended:?}");
        let texts: Vec<Message> = (0..=count).map(|_| recv(&router)).collect();
        let texts: Vec<&str> = texts.iter().map(|message| message[1].as_str().unwrap()).collect();
        let olds: Vec<String> = (0..count).map(|n| n.to_string()).collect();
        assert!(texts.iter().filter(|text| **text != "new").eq(&olds), "{texts:?}");
    }
}

#[test]
fn a_probe_tells_a_router_of_a_peer_that_has_nothing_to_say() {
    for at in ENDPOINTS {
        let cx = Context::new();
        let options = named("a").set(opt::PROBE_ROUTER, true);
        let (router, dealer) = joined(&cx, SocketType::Router, SocketType::Dealer, at, &options);
        assert_message(&recv(&router), &["a", ""]);
        router.send(("a", "x")).unwrap();
        assert_message(&recv(&dealer), &["x"]);
    }
}

#[test]
fn two_routers_talk_by_the_id_that_one_gave_to_the_other() {
    for at in ENDPOINTS {
        let cx = Context::new();
        let bound = cx.socket_with(SocketType::Router, &named("bound")).unwrap();
        let endpoint = bound.bind(at).unwrap().to_string();
        let options = named("connected").set(opt::CONNECT_ROUTING_ID, id("server"));
        let connected = cx.socket_with(SocketType::Router, &options).unwrap();
        connected.connect(&endpoint).unwrap();
        connected.send(("server", "hello")).unwrap();
        assert_message(&recv(&bound), &["connected", "hello"]);
        bound.send(("connected", "hello yourself")).unwrap();
        assert_message(&recv(&connected), &["server", "hello yourself"]);
        // The id is used up and taken.
        let taken = Options::new().set(opt::CONNECT_ROUTING_ID, id("server"));
        assert!(matches!(connected.connect_with(&endpoint, &taken), Err(Error::Option(_))));
    }
}

#[test]
fn req_and_rep_take_turns() {
    for at in ENDPOINTS {
        let cx = Context::new();
        let (rep, req) = joined(&cx, SocketType::Rep, SocketType::Req, at, &Options::new());
        assert!(matches!(rep.send("x").unwrap_err().error, Error::WrongState { .. }));
        assert!(matches!(req.recv(), Err(Error::WrongState { .. })));
        for _ in 0..10 {
            req.send(("a", "question")).unwrap();
            assert!(matches!(req.send("x").unwrap_err().error, Error::WrongState { .. }));
            assert_message(&recv(&rep), &["a", "question"]);
            assert!(matches!(rep.recv(), Err(Error::WrongState { .. })));
            rep.send(("an", "answer")).unwrap();
            assert_message(&recv(&req), &["an", "answer"]);
        }
    }
}

#[test]
fn a_rep_answers_each_of_many_by_the_way_the_question_came() {
    for at in ENDPOINTS {
        let cx = Context::new();
        let rep = cx.socket(SocketType::Rep).unwrap();
        let endpoint = rep.bind(at).unwrap().to_string();
        let reqs: Vec<Socket> = (0..8).map(|_| cx.socket(SocketType::Req).unwrap()).collect();
        for (n, req) in reqs.iter().enumerate() {
            req.connect(&endpoint).unwrap();
            req.send(&[n as u8]).unwrap();
        }
        for _ in &reqs {
            let question = recv(&rep);
            rep.send(question).unwrap();
        }
        for (n, req) in reqs.iter().enumerate() {
            assert_eq!(recv(req)[0], &[n as u8][..]);
        }
    }
}

#[test]
fn a_dealer_may_ask_a_rep_and_a_router_may_answer_a_req_with_the_empty_frame() {
    for at in ENDPOINTS {
        let cx = Context::new();
        let (rep, dealer) = joined(&cx, SocketType::Rep, SocketType::Dealer, at, &Options::new());
        dealer.send(("tag", "", "one")).unwrap();
        dealer.send(("no envelope", "two")).unwrap();
        dealer.send(("", "three")).unwrap();
        for (question, answer) in [("one", &["tag", "", "one"][..]), ("three", &["", "three"])] {
            let message = recv(&rep);
            assert_message(&message, &[question]);
            rep.send(message).unwrap();
            assert_message(&recv(&dealer), answer);
        }
        let cx = Context::new();
        let (router, req) = joined(&cx, SocketType::Router, SocketType::Req, at, &named("r"));
        req.send("question").unwrap();
        assert_message(&recv(&router), &["r", "", "question"]);
        if at.starts_with("inproc") {
            // Over a connection the peer that breaks the envelope is cut off instead, as libzmq does.
            router.send(("r", "not an answer")).unwrap();
        }
        router.send(("r", "", "answer")).unwrap();
        assert_message(&recv(&req), &["answer"]);
    }
}

#[test]
fn pushers_are_heard_in_turn_and_pullers_served_in_turn() {
    for at in ENDPOINTS {
        let cx = Context::new();
        let pushers: Vec<Socket> = (0..3).map(|_| cx.socket(SocketType::Push).unwrap()).collect();
        let pullers: Vec<Socket> = (0..3).map(|_| cx.socket(SocketType::Pull).unwrap()).collect();
        let push = &pushers[0];
        let endpoint = push.bind(at).unwrap().to_string();
        pullers.iter().for_each(|pull| drop(pull.connect(&endpoint).unwrap()));
        push.wait_for_peers(3, LONG).unwrap();
        (0..30u8).for_each(|n| push.send(&[n]).unwrap());
        for pull in &pullers {
            let got: Vec<u8> = (0..10).map(|_| recv(pull)[0][0]).collect();
            assert!(got.windows(2).all(|two| two[1] == two[0] + 3), "{got:?}");
        }
    }
}

#[test]
fn who_connected_first_is_served_first() {
    for at in ENDPOINTS {
        for _ in 0..10 {
            let cx = Context::new();
            let push = cx.socket(SocketType::Push).unwrap();
            let endpoint = push.bind(at).unwrap().to_string();
            let pullers: Vec<Socket> = (0..6).map(|_| cx.socket(SocketType::Pull).unwrap()).collect();
            pullers.iter().for_each(|pull| drop(pull.connect(&endpoint).unwrap()));
            push.wait_for_peers(6, LONG).unwrap();
            (0..6u8).for_each(|n| push.send(&[n]).unwrap());
            let got: Vec<u8> = pullers.iter().map(|pull| recv(pull)[0][0]).collect();
            assert_eq!(got, [0, 1, 2, 3, 4, 5], "{at}");
        }
    }
}

#[test]
fn a_pair_has_one_peer_and_takes_another_when_that_is_gone() {
    for at in ["tcp://127.0.0.1:*", "ipc://*"] {
        let cx = Context::new();
        let (bound, first) = joined(&cx, SocketType::Pair, SocketType::Pair, at, &Options::new());
        let events = bound.monitor();
        let second = cx.socket_with(SocketType::Pair, &impatient()).unwrap();
        second.connect(bound.endpoints()[0].endpoint.to_string()).unwrap();
        wait_for(&events, "of the second's end", |kind| matches!(kind, EventKind::HandshakeFailed(_)));
        first.send("from the first").unwrap();
        bound.send("for the first").unwrap();
        assert_message(&recv(&bound), &["from the first"]);
        assert_message(&recv(&first), &["for the first"]);
        let connection_of =
            |pair: &Socket| pair.stats().pipes.first().map(|pipe| pipe.peer.as_ref().unwrap().connection);
        let old = connection_of(&bound);
        first.close().wait();
        // The second keeps knocking, and is let in.
        until("it is in", || connection_of(&bound).is_some_and(|new| Some(new) != old));
        second.send("from the second").unwrap();
        assert_message(&recv(&bound), &["from the second"]);
        bound.send("for the second").unwrap();
        assert_message(&recv(&second), &["for the second"]);
    }
}

#[test]
fn a_server_answers_its_clients_by_number() {
    for at in ENDPOINTS {
        let cx = Context::new();
        let (server, client) = joined(&cx, SocketType::Server, SocketType::Client, at, &Options::new());
        client.send("question").unwrap();
        let number = recv(&server).routing_id();
        assert_ne!(number, 0);
        server.send(Message::from("answer").with_routing_id(number)).unwrap();
        let answer = recv(&client);
        assert_eq!((&answer[0][..], answer.routing_id()), (&b"answer"[..], 0), "{at}");
        let refused = server.send(Message::from("lost").with_routing_id(number.wrapping_add(1))).unwrap_err();
        assert!(matches!(refused.error, Error::Unroutable { .. }));
    }
}

#[test]
fn types_of_single_frames_refuse_more_and_carry_one() {
    let pairs = [
        (SocketType::Gather, SocketType::Scatter),
        (SocketType::Channel, SocketType::Channel),
        (SocketType::Server, SocketType::Client),
    ];
    for at in ENDPOINTS {
        for (bound, connected) in pairs {
            let cx = Context::new();
            let (bound, connected) = joined(&cx, bound, connected, at, &Options::new());
            let refused = connected.send(["two", "frames"]).unwrap_err();
            assert_eq!(
                (refused.error.errno(), refused.message.len()),
                (22, 2),
                "EINVAL, and the message back"
            );
            connected.send("one").unwrap();
            assert_message(&recv(&bound), &["one"]);
        }
    }
}

#[test]
fn every_size_arrives_whole() {
    for at in ENDPOINTS {
        let cx = Context::new();
        let (pull, push) = joined(&cx, SocketType::Pull, SocketType::Push, at, &Options::new());
        let sizes = [0, 1, 63, 64, 65, 255, 256, 2047, 2048, 8192, 65_535, 65_536, 1 << 20, (4 << 20) + 1];
        thread::scope(|scope| {
            scope.spawn(|| {
                for size in sizes {
                    push.send([vec![size as u8; size], Vec::new(), vec![1; size / 2]]).unwrap();
                }
            });
            for size in sizes {
                let message = recv(&pull);
                assert_eq!(message.len(), 3);
                assert_eq!((message[0].len(), message[1].len(), message[2].len()), (size, 0, size / 2));
                assert!(
                    message[0].iter().all(|byte| *byte == size as u8) && message[2].iter().all(|b| *b == 1)
                );
            }
        });
    }
}

#[test]
fn a_sender_that_is_killed_in_the_middle_leaves_only_whole_messages() {
    const NAME: &str = "a_sender_that_is_killed_in_the_middle_leaves_only_whole_messages";
    let cx = Context::new();
    if let Some(endpoint) = common::parents_endpoint() {
        let push = cx.socket(SocketType::Push).unwrap();
        push.connect(&endpoint).unwrap();
        for n in 0.. {
            push.send([vec![n as u8; 30_000], vec![n as u8; 30_000], vec![n as u8; 30_000]]).unwrap();
        }
    }
    let pull = cx.socket(SocketType::Pull).unwrap();
    let endpoint = pull.bind("tcp://127.0.0.1:*").unwrap().to_string();
    for _ in 0..3 {
        let events = pull.monitor();
        let mut child = common::child_process(NAME, &endpoint).spawn().unwrap();
        let mut expected = 0u8;
        let mut check = |message: Message| {
            assert_eq!(message.len(), 3);
            assert!(message.iter().all(|f| f.len() == 30_000 && f.iter().all(|b| *b == expected)));
            expected = expected.wrapping_add(1);
        };
        (0..20).for_each(|_| check(recv(&pull)));
        child.kill().unwrap();
        child.wait().unwrap();
        until("all that arrived is read", || {
            while let Ok(message) = pull.try_recv() {
                check(message);
            }
            pull.peers().is_empty() && pull.stats().pipes.is_empty()
        });
        wait_for(&events, "of the loss", |kind| matches!(kind, EventKind::Disconnected { .. }));
    }
}

#[test]
fn a_send_to_a_peer_that_is_full_does_not_wait_longer_than_it_may() {
    let cx = Context::new();
    let limited = |hwm| Options::new().set(opt::SNDHWM, hwm).set(opt::RCVHWM, hwm);
    let router = cx.socket_with(SocketType::Router, &limited(1)).unwrap();
    let dealer = cx.socket_with(SocketType::Dealer, &limited(1)).unwrap();
    dealer.connect(router.bind("inproc://full").unwrap()).unwrap();
    dealer.send("hello").unwrap();
    let (peer, _) = router.recv_from().unwrap();
    let mut sent = 0;
    let refused = loop {
        match router.try_send_to(&peer, ["a", "b"]) {
            Ok(()) => sent += 1,
            Err(refused) => break refused,
        }
    };
    assert!((1..=4).contains(&sent), "{sent}");
    assert!(matches!(refused.error, Error::WouldBlock(Why::Full { .. })), "{}", refused.error);
    assert_eq!(refused.message, Message::from(["a", "b"]), "without the routing id");
    let refused = router.send_to_timeout(&peer, "c", Duration::from_millis(5)).unwrap_err();
    assert!(matches!(refused.error, Error::TimedOut(Why::Full { .. })), "{}", refused.error);
    dealer.recv_soon();
    until("there is room", || router.try_send_to(&peer, "d").is_ok());
    let unknown = router.try_send_to(&id("nobody"), "e").unwrap_err();
    assert!(matches!(unknown.error, Error::Unroutable { .. }), "{}", unknown.error);
    assert!(matches!(dealer.try_send_to(&peer, "f").unwrap_err().error, Error::NotSupported { .. }));
}
