//! What one call changes for others that wait at the same socket: whose turn it is (REQ, REP), who is subscribed, which
//! options hold. Whoever could go on then is woken.
#![allow(clippy::unwrap_used)] // a test's helpers

mod common;

use std::thread;
use std::time::{Duration, Instant};

use common::task::{Parked, parked, poll, ready};
use common::{LONG, until};
use zeroxide::{
    Context, Error, Options, Poller, Ready, RoutingId, Socket, SocketType, SocketType::*, Turn, opt,
};

/// Two sockets over inproc; the first one has bound.
fn pair(cx: &Context, bound: (SocketType, Options), connected: (SocketType, Options)) -> (Socket, Socket) {
    let (one, two) =
        (cx.socket_with(bound.0, &bound.1).unwrap(), cx.socket_with(connected.0, &connected.1).unwrap());
    one.bind("inproc://turns").unwrap();
    two.connect("inproc://turns").unwrap();
    (one, two)
}

fn rep_and_req(cx: &Context) -> (Socket, Socket) {
    pair(cx, (Rep, Options::new()), (Req, Options::new()))
}

/// Waits as a task until a socket is ready, beside a call that must wake it.
#[track_caller]
fn woken_by(socket: &Socket, wanted: Ready, call: impl FnOnce()) {
    let (mut poller, mut events, wakes) = (Poller::new(), Vec::new(), parked());
    poller.add(socket, 1, wanted).unwrap();
    let mut wait = poller.wait_async(&mut events, Some(LONG));
    assert!(poll(&mut wait, &wakes).is_pending());
    let before = wakes.wakes();
    call();
    is_woken(&wakes, before);
    assert_eq!(ready(poll(&mut wait, &wakes)).unwrap(), 1);
    drop(wait);
    assert_eq!(events[0].ready, wanted);
}

#[track_caller]
fn is_woken(wakes: &Parked, before: usize) {
    assert!(wakes.wakes() > before, "nobody woke the task");
}

#[test]
fn a_task_that_receives_is_woken_when_another_call_takes_its_turn() {
    let cx = Context::new();
    let (rep, req) = rep_and_req(&cx);
    for (socket, other, next) in [(&rep, &req, Turn::Send), (&req, &rep, Turn::Send)] {
        let (one, two) = (parked(), parked());
        let (mut first, mut second) = (socket.recv_async(), socket.recv_async());
        assert!(poll(&mut first, &one).is_pending() && poll(&mut second, &two).is_pending());
        other.send("x").unwrap();
        assert_eq!((one.wakes(), two.wakes()), (1, 0), "one message wakes one");
        assert_eq!(ready(poll(&mut first, &one)).unwrap()[0], "x");
        is_woken(&two, 0);
        let error = ready(poll(&mut second, &two)).unwrap_err();
        assert!(matches!(error, Error::WrongState { next: turn, .. } if turn == next), "{error}");
    }
}

#[test]
fn a_thread_that_receives_is_woken_when_another_call_takes_its_turn() {
    let cx = Context::new();
    let (rep, req) = rep_and_req(&cx);
    for (socket, other) in [(&rep, &req), (&req, &rep)] {
        let start = Instant::now();
        let ended = thread::scope(|scope| {
            let calls = [(); 2].map(|()| scope.spawn(|| socket.recv_timeout(LONG)));
            until("both wait", || socket.status().receivers_waiting == 2);
            other.send("x").unwrap();
            calls.map(|call| call.join().unwrap())
        });
        assert!(start.elapsed() < LONG / 2, "nobody woke the other thread");
        assert_eq!(ended.iter().filter(|received| received.is_ok()).count(), 1);
        assert!(ended.iter().any(|received| matches!(received, Err(Error::WrongState { .. }))), "{ended:?}");
    }
}

#[test]
fn a_poller_is_woken_by_the_call_that_makes_it_the_sockets_turn() {
    let cx = Context::new();
    let (rep, one) = rep_and_req(&cx);
    let two = cx.socket(Req).unwrap();
    two.connect("inproc://turns").unwrap();
    one.send("1").unwrap();
    two.send("2").unwrap();
    woken_by(&rep, Ready::OUT, || drop(rep.recv().unwrap()));
    woken_by(&rep, Ready::IN, || rep.send("x").unwrap());
    woken_by(&one, Ready::OUT, || drop(one.recv().unwrap()));
}

#[cfg(unix)]
#[test]
fn a_descriptor_is_readable_after_the_call_that_makes_it_the_sockets_turn() {
    let cx = Context::new();
    let (rep, req) = rep_and_req(&cx);
    let (mut foreign, mut events) = (Poller::new(), Vec::new());
    let fd = rep.ready_fd(Ready::OUT).unwrap();
    foreign.add_fd(&fd, 1, Ready::IN).unwrap();
    req.send("x").unwrap();
    while !fd.ready().unwrap().is_none() {}
    assert_eq!(foreign.wait(&mut events, Some(Duration::ZERO)).unwrap(), 0);
    rep.recv().unwrap();
    assert_eq!(foreign.wait(&mut events, Some(Duration::ZERO)).unwrap(), 1);
    assert_eq!(fd.ready().unwrap(), Ready::OUT);
}

#[test]
fn a_request_that_is_given_up_wakes_who_waits_to_send_and_to_receive() {
    let cx = Context::new();
    let (_rep, req) = rep_and_req(&cx);
    let (one, two) = (parked(), parked());
    let (mut asks, mut receives) = (req.request_async("x", LONG), req.recv_async());
    assert!(poll(&mut asks, &one).is_pending() && poll(&mut receives, &two).is_pending());
    woken_by(&req, Ready::OUT, || drop(asks));
    is_woken(&two, 0);
    assert!(matches!(ready(poll(&mut receives, &two)), Err(Error::WrongState { .. })));
}

#[test]
fn who_waits_for_room_is_woken_when_another_call_takes_the_turn_to_send() {
    let cx = Context::new();
    let req = cx.socket(Req).unwrap();
    let (one, two) = (parked(), parked());
    let (mut first, mut second) = (req.send_async("1"), req.send_async("2"));
    assert!(poll(&mut first, &one).is_pending() && poll(&mut second, &two).is_pending());
    req.connect("inproc://later").unwrap();
    // It finds the room by itself, whether or not the others were woken for that.
    req.send("3").unwrap();
    for (sending, wakes) in [(&mut first, &one), (&mut second, &two)] {
        is_woken(wakes, 0);
        assert!(matches!(ready(poll(sending, wakes)).unwrap_err().error, Error::WrongState { .. }));
    }
}

#[test]
fn an_answer_of_a_manual_publisher_wakes_who_waits_for_subscribers() {
    let cx = Context::new();
    let (publisher, sub) =
        pair(&cx, (XPub, Options::new().set(opt::XPUB_MANUAL, true)), (Sub, Options::new()));
    sub.subscribe("asked").unwrap();
    let wakes = parked();
    let mut wait = publisher.wait_for_subscribers_async("given", 1, LONG);
    assert!(poll(&mut wait, &wakes).is_pending());
    assert_eq!(publisher.recv().unwrap()[0], &b"\x01asked"[..]);
    let before = wakes.wakes();
    publisher.subscribe("given").unwrap();
    is_woken(&wakes, before);
    ready(poll(&mut wait, &wakes)).unwrap();
}

#[test]
fn a_receive_that_makes_room_for_a_subscription_wakes_who_waits_for_it() {
    let cx = Context::new();
    let options = Options::new().set(opt::RCVHWM, 0);
    let (publisher, sub) = pair(&cx, (XPub, options.clone()), (XSub, options.set(opt::SNDHWM, 0)));
    // More than an XPUB keeps of the messages of its peers: what follows waits in its pipe.
    for _ in 0..20_000 {
        sub.send("no subscription").unwrap();
    }
    sub.send(&b"\x01topic"[..]).unwrap();
    let wakes = parked();
    let mut wait = publisher.wait_for_subscribers_async("topic", 1, LONG);
    while poll(&mut wait, &wakes).is_pending() {
        let before = wakes.wakes();
        while wakes.wakes() == before {
            publisher.try_recv().expect("the wait is woken before the last message is received");
        }
    }
}

#[test]
fn a_publisher_waits_no_longer_for_who_unsubscribes() {
    let cx = Context::new();
    let limited = |t| if t == Pub { opt::SNDHWM } else { opt::RCVHWM };
    let options = |t| Options::new().set(limited(t), 1);
    let (publisher, sub) = pair(&cx, (Pub, options(Pub).set(opt::XPUB_NODROP, true)), (Sub, options(Sub)));
    sub.subscribe("").unwrap();
    publisher.wait_for_subscribers("", 1, LONG).unwrap();
    while publisher.try_send("x").is_ok() {}
    let (wakes, mut sends) = (parked(), publisher.send_async("x"));
    assert!(poll(&mut sends, &wakes).is_pending());
    sub.unsubscribe("").unwrap();
    is_woken(&wakes, 0);
    ready(poll(&mut sends, &wakes)).unwrap();
}

#[test]
fn an_option_that_is_changed_wakes_who_can_go_on_by_it() {
    let cx = Context::new();
    let (router, dealer) = pair(
        &cx,
        (Router, Options::new().set(opt::SNDHWM, 1)),
        (Dealer, Options::new().set(opt::RCVHWM, 1).set(opt::ROUTING_ID, RoutingId::new("peer").unwrap())),
    );
    let id = RoutingId::new("peer").unwrap();
    router.wait_for_peers(1, LONG).unwrap();
    while router.try_send(["peer", "x"]).is_ok() {}
    let (wakes, mut sends) = (parked(), router.send_to_async(&id, "x"));
    assert!(poll(&mut sends, &wakes).is_pending());
    router.set(opt::ROUTER_MANDATORY, false).unwrap();
    is_woken(&wakes, 0);
    ready(poll(&mut sends, &wakes)).unwrap();
    drop(dealer);
    drop(router);

    let cx = Context::new();
    let (_rep, req) = rep_and_req(&cx);
    req.send("x").unwrap();
    woken_by(&req, Ready::OUT, || req.set(opt::REQ_RELAXED, true).unwrap());
}

#[test]
fn a_send_without_an_endpoint_is_woken_by_a_connect_that_gives_it_room() {
    let cx = Context::new();
    for endpoint in ["inproc://later", "tcp://127.0.0.1:9"] {
        let push = cx.socket(Push).unwrap();
        let (wakes, mut sends) = (parked(), push.send_async("x"));
        assert!(poll(&mut sends, &wakes).is_pending());
        push.connect(endpoint).unwrap();
        is_woken(&wakes, 0);
        ready(poll(&mut sends, &wakes)).unwrap();
    }
}
