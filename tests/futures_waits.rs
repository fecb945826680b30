//! Waits of a task for peers, events and several sockets at once; a proxy as a task; a socket in a foreign event loop.
#![allow(clippy::unwrap_used)] // a test's helpers

mod common;

use std::time::Duration;

use common::task::{block_on, parked, poll, ready};
use common::{LONG, Soon};
use zeroxide::{Context, Error, EventKind, Options, Poller, Proxy, Ready, SocketType, Why, opt};

const BRIEF: Duration = Duration::from_millis(20);

#[test]
fn a_connection_is_waited_for_and_its_lack_is_explained() {
    let cx = Context::new();
    let (rep, req) = (cx.socket(SocketType::Rep).unwrap(), cx.socket(SocketType::Req).unwrap());
    let endpoint = rep.bind("tcp://127.0.0.1:*").unwrap();
    let peer = block_on(req.connect_ready_async(endpoint, LONG)).unwrap();
    assert_eq!(peer.socket_type, Some(SocketType::Rep));
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let late = block_on(req.connect_ready_async(format!("tcp://{closed}"), BRIEF)).unwrap_err();
    assert!(matches!(late, Error::TimedOut(Why::NotReady(_))), "{late}");
    let wrong = block_on(req.connect_ready_async("tcp://", LONG)).unwrap_err();
    assert!(matches!(wrong, Error::Endpoint(_)), "{wrong:?}");
}

#[test]
fn peers_and_subscribers_are_waited_for() {
    let cx = Context::new();
    let (publisher, sub) = (cx.socket(SocketType::Pub).unwrap(), cx.socket(SocketType::Sub).unwrap());
    let endpoint = publisher.bind("tcp://127.0.0.1:*").unwrap();
    let few = block_on(publisher.wait_for_peers_async(1, BRIEF)).unwrap_err();
    assert!(
        matches!(&few, Error::TimedOut(Why::FewerPeers(few)) if few.wanted == 1 && few.have == 0),
        "{few}"
    );
    let wakes = parked();
    let mut subscribed = publisher.wait_for_subscribers_async("a", 1, LONG);
    assert!(poll(&mut subscribed, &wakes).is_pending());
    sub.connect(endpoint).unwrap();
    sub.subscribe("a").unwrap();
    block_on(subscribed).unwrap();
    block_on(publisher.wait_for_peers_async(1, LONG)).unwrap();
    let none = block_on(publisher.wait_for_subscribers_async("b", 1, BRIEF)).unwrap_err();
    assert!(
        matches!(&none, Error::TimedOut(Why::FewerSubscribers(few)) if few.wanted == 1 && few.have == 0),
        "{none}"
    );
    assert!(matches!(
        block_on(sub.wait_for_subscribers_async("b", 1, LONG)),
        Err(Error::NotSupported { .. })
    ));
}

#[test]
fn a_wait_that_is_dropped_or_closed_ends() {
    let cx = Context::new();
    let pull = cx.socket(SocketType::Pull).unwrap();
    let wakes = parked();
    let (mut dropped, mut kept) = (pull.wait_for_peers_async(1, LONG), pull.wait_for_peers_async(1, LONG));
    assert!(poll(&mut dropped, &wakes).is_pending() && poll(&mut kept, &wakes).is_pending());
    drop(dropped);
    drop(pull.close());
    assert!(matches!(ready(poll(&mut kept, &wakes)), Err(Error::Closed)));
}

#[test]
fn events_are_received_by_a_task() {
    let cx = Context::new();
    let pull = cx.socket(SocketType::Pull).unwrap();
    let monitor = pull.monitor();
    let (wakes, mut next) = (parked(), monitor.recv_async());
    assert!(poll(&mut next, &wakes).is_pending());
    pull.bind("tcp://127.0.0.1:*").unwrap();
    let event = block_on(next).unwrap();
    assert!(matches!(event.kind, EventKind::Listening), "{event:?}");
    drop(pull.close());
    while let Ok(event) = block_on(monitor.recv_async()) {
        assert!(!matches!(event.kind, EventKind::Listening));
    }
}

#[test]
fn a_task_waits_for_several_sockets() {
    let cx = Context::new();
    let (left, right) = (cx.socket(SocketType::Pull).unwrap(), cx.socket(SocketType::Pull).unwrap());
    let push = cx.socket(SocketType::Push).unwrap();
    push.connect(right.bind("tcp://127.0.0.1:*").unwrap()).unwrap();
    let (mut poller, mut events) = (Poller::new(), Vec::new());
    poller.add(&left, 1, Ready::IN).unwrap();
    poller.add(&right, 2, Ready::IN).unwrap();
    assert_eq!(block_on(poller.wait_async(&mut events, Some(Duration::ZERO))).unwrap(), 0);
    assert_eq!(block_on(poller.wait_async(&mut events, Some(BRIEF))).unwrap(), 0, "its time is over");
    push.send("x").unwrap();
    assert_eq!(block_on(poller.wait_async(&mut events, Some(LONG))).unwrap(), 1);
    assert_eq!(events[0].key, 2);
    assert_eq!(right.recv_soon()[0], "x");
    poller.waker().wake();
    assert_eq!(block_on(poller.wait_async(&mut events, None)).unwrap(), 0, "a waker ended it");
    drop(left.close());
    assert_eq!(block_on(poller.wait_async(&mut events, None)).unwrap(), 1);
    assert_eq!((events[0].key, events[0].ready), (1, Ready::CLOSED));
}

#[test]
fn a_poller_without_a_socket_has_nobody_to_keep_its_time() {
    let (mut poller, mut events) = (Poller::new(), Vec::new());
    assert!(matches!(block_on(poller.wait_async(&mut events, Some(BRIEF))), Err(Error::NoIoThread)));
    #[cfg(unix)]
    {
        poller.add_fd(&std::io::stdin(), 1, Ready::IN).unwrap();
        let refused = block_on(poller.wait_async(&mut events, None)).unwrap_err();
        assert!(matches!(&refused, Error::Io(error) if error.kind() == std::io::ErrorKind::Unsupported));
    }
}

#[test]
fn a_proxy_runs_as_a_task() {
    let cx = Context::new();
    let types = [SocketType::Router, SocketType::Dealer, SocketType::Req, SocketType::Rep, SocketType::Pair];
    let [front, back, req, rep, control] = types.map(|socket_type| cx.socket(socket_type).unwrap());
    req.connect(front.bind("tcp://127.0.0.1:*").unwrap()).unwrap();
    rep.connect(back.bind("inproc://back").unwrap()).unwrap();
    let order = cx.socket(SocketType::Pair).unwrap();
    order.connect(control.bind("inproc://control").unwrap()).unwrap();
    let mut proxy = Proxy::new(&front, &back).control(&control).run_async();
    let serve = std::thread::spawn(move || {
        for _ in 0..100 {
            let question = rep.recv_soon();
            rep.send(question).unwrap();
        }
    });
    let ask = std::thread::spawn(move || {
        for n in 0..100u32 {
            assert_eq!(req.request(&n.to_be_bytes(), LONG).unwrap()[0], n.to_be_bytes()[..]);
        }
        order.send("TERMINATE").unwrap();
        order
    });
    let stats = block_on(&mut proxy).unwrap();
    assert_eq!((stats.front.received.messages, stats.front.sent.messages), (100, 100));
    assert_eq!(proxy.stats(), stats);
    serve.join().unwrap();
    ask.join().unwrap();
    let pull = cx.socket(SocketType::Pull).unwrap();
    assert!(matches!(block_on(Proxy::new(&pull, &pull).run_async()), Err(Error::NotSupported { .. })));
    let proxy = Proxy::new(&front, &back).run_async();
    drop(front.close());
    assert!(matches!(block_on(proxy), Err(Error::Closed)));
}

#[cfg(unix)]
#[test]
fn a_descriptor_stays_readable_while_its_socket_is_ready() {
    let cx = Context::new();
    let pull = cx.socket(SocketType::Pull).unwrap();
    let push = cx.socket_with(SocketType::Push, &Options::new().set(opt::LINGER, None)).unwrap();
    push.connect(pull.bind("tcp://127.0.0.1:*").unwrap()).unwrap();
    let fd = pull.ready_fd(Ready::IN).unwrap();
    let (mut foreign, mut events) = (Poller::new(), Vec::new());
    foreign.add_fd(&fd, 1, Ready::IN).unwrap();
    let mut readable = |limit| foreign.wait(&mut events, Some(limit)).unwrap() == 1;
    while fd.ready().unwrap().is_in() {}
    push.send("one").unwrap();
    push.send("two").unwrap();
    for text in ["one", "two"] {
        // The arrival of its peer may make it readable, too.
        while !fd.ready().unwrap().is_in() {
            assert!(readable(LONG), "{text}");
        }
        assert!(readable(Duration::ZERO), "{text} is there");
        assert_eq!(pull.recv_soon()[0], text);
    }
    assert!(readable(Duration::ZERO), "it does not know yet that there is nothing more");
    assert!(fd.ready().unwrap().is_none());
    drop(pull.close());
    assert!(readable(LONG));
    assert_eq!(fd.ready().unwrap(), Ready::CLOSED);
}

#[cfg(feature = "stream")]
#[test]
fn sockets_and_monitors_are_streams_and_sinks() {
    use futures_util::{SinkExt, StreamExt, stream};
    use zeroxide::Message;

    let cx = Context::new();
    let (pull, push) = (cx.socket(SocketType::Pull).unwrap(), cx.socket(SocketType::Push).unwrap());
    let events = pull.monitor().events();
    push.connect(pull.bind("tcp://127.0.0.1:*").unwrap()).unwrap();
    let received = block_on(async {
        let mut sink = push.sink();
        let numbers = (0..100u8).map(|n| Ok(Message::from(&[n])));
        sink.send_all(&mut stream::iter(numbers)).await.unwrap();
        assert!(sink.cancel().is_none());
        pull.messages().take(100).map(|message| message.unwrap()[0][0]).collect::<Vec<u8>>().await
    });
    assert_eq!(received, (0..100).collect::<Vec<u8>>());
    drop(pull.close());
    assert!(block_on(pull.messages().next()).is_none(), "the stream of a closed socket ends");
    let kinds = block_on(events.map(|event| event.kind).collect::<Vec<_>>());
    assert!(matches!(kinds.first(), Some(EventKind::Listening)), "{kinds:?}");
    let mut refused = pull.sink();
    assert_eq!(block_on(refused.send(Message::from("back"))).unwrap_err().message[0], "back");
}

#[cfg(feature = "stream")]
#[test]
fn a_sink_that_is_not_ready_returns_the_next_message() {
    use std::pin::Pin;

    use futures_util::Sink;
    use zeroxide::Message;

    let cx = Context::new();
    let push = cx.socket(SocketType::Push).unwrap();
    let mut sink = push.sink();
    Pin::new(&mut sink).start_send(Message::from("first")).unwrap();
    let refused = Pin::new(&mut sink).start_send(Message::from("second")).unwrap_err();
    assert!(matches!(refused.error, Error::WouldBlock(_)), "{refused}");
    assert_eq!(refused.message[0], "second");
    assert_eq!(sink.cancel().expect("it is kept")[0], "first");
}

#[test]
fn a_loop_over_a_poller_that_is_always_ready_yields_now_and_then() {
    let cx = Context::new();
    let (pull, push) = (cx.socket(SocketType::Pull).unwrap(), cx.socket(SocketType::Push).unwrap());
    push.connect(pull.bind("inproc://always").unwrap()).unwrap();
    push.send("stays").unwrap();
    let (mut poller, mut events) = (Poller::new(), Vec::new());
    poller.add(&pull, 1, Ready::IN).unwrap();
    let (wakes, mut yields) = (parked(), 0);
    for _ in 0..1000 {
        let before = wakes.wakes();
        let mut wait = poller.wait_async(&mut events, None);
        if poll(&mut wait, &wakes).is_pending() {
            yields += 1;
            assert_eq!(wakes.wakes(), before + 1, "it is polled again at once");
            assert!(poll(&mut wait, &wakes).is_ready());
        }
    }
    assert!((5..20).contains(&yields), "{yields}");
}
