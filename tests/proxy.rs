//! Proxies: what they forward, hold, drop and count, and how they are steered.
#![allow(clippy::unwrap_used)] // tests

mod common;

use std::thread;
use std::time::{Duration, Instant};

use common::LONG;
use zeroxide::{
    Context, Error, Message, Options, Proxy, ProxyHandle, ProxyStats, RoutingId, Socket, SocketType, opt,
};

/// Waits until the counts of a proxy are as wanted.
fn until(proxy: &ProxyHandle, wanted: impl Fn(&ProxyStats) -> bool) -> ProxyStats {
    let deadline = Instant::now() + LONG;
    loop {
        let stats = proxy.stats();
        if wanted(&stats) {
            return stats;
        }
        assert!(Instant::now() < deadline, "{stats:?}");
        thread::yield_now();
    }
}

fn bound(cx: &Context, socket_type: SocketType, name: &str) -> Socket {
    let socket = cx.socket(socket_type).unwrap();
    socket.bind(name).unwrap();
    socket
}

fn connected(cx: &Context, socket_type: SocketType, name: &str) -> Socket {
    let socket = cx.socket(socket_type).unwrap();
    socket.connect(name).unwrap();
    socket
}

fn with_hwm(cx: &Context, socket_type: SocketType, send: u32, receive: u32) -> Socket {
    let options = Options::new().set(opt::SNDHWM, send).set(opt::RCVHWM, receive);
    cx.socket_with(socket_type, &options).unwrap()
}

/// A proxy PULL to PUSH over inproc, its source and its sink.
struct Line {
    cx: Context,
    source: Socket,
    sink: Socket,
    front: Socket,
    back: Socket,
}

impl Line {
    fn new() -> Line {
        let cx = Context::new();
        let (front, back) =
            (bound(&cx, SocketType::Pull, "inproc://in"), bound(&cx, SocketType::Push, "inproc://out"));
        let (source, sink) = (
            connected(&cx, SocketType::Push, "inproc://in"),
            connected(&cx, SocketType::Pull, "inproc://out"),
        );
        Line { cx, source, sink, front, back }
    }

    fn proxy(&self) -> Proxy {
        Proxy::new(&self.front, &self.back)
    }

    fn passes(&self, text: &str) {
        self.source.send(text).unwrap();
        assert_eq!(self.sink.recv_timeout(LONG).unwrap()[0], text);
    }
}

/// A pair of sockets to steer a proxy by: the user's and the proxy's.
fn controls(cx: &Context, user: SocketType, proxy: SocketType) -> (Socket, Socket) {
    let theirs = bound(cx, proxy, "inproc://control");
    let ours = connected(cx, user, "inproc://control");
    (ours, theirs)
}

#[test]
fn requests_and_replies_pass_both_ways() {
    let cx = Context::new();
    let front = cx.socket(SocketType::Router).unwrap();
    let back = cx.socket(SocketType::Dealer).unwrap();
    let clients = front.bind("tcp://127.0.0.1:*").unwrap().to_string();
    let workers = back.bind("tcp://127.0.0.1:*").unwrap().to_string();
    let proxy = Proxy::new(&front, &back).spawn().unwrap();
    thread::scope(|scope| {
        for _ in 0..2 {
            let rep = connected(&cx, SocketType::Rep, &workers);
            scope.spawn(move || {
                loop {
                    let request = rep.recv_timeout(LONG).unwrap();
                    if request[0] == "end" {
                        return rep.send("bye").unwrap();
                    }
                    rep.send(request).unwrap();
                }
            });
        }
        for client in 0..3u32 {
            let req = connected(&cx, SocketType::Req, &clients);
            scope.spawn(move || {
                for n in 0..100u32 {
                    req.send([client.to_be_bytes().to_vec(), n.to_be_bytes().to_vec()]).unwrap();
                    let reply = req.recv_timeout(LONG).unwrap();
                    assert_eq!([&reply[0][..], &reply[1][..]], [client.to_be_bytes(), n.to_be_bytes()]);
                }
            });
        }
        until(&proxy, |stats| stats.front.sent.messages == 300);
        // A DEALER takes turns, so that each of the two workers gets one.
        let req = connected(&cx, SocketType::Req, &clients);
        for _ in 0..2 {
            req.send("end").unwrap();
            assert_eq!(req.recv_timeout(LONG).unwrap()[0], "bye");
        }
    });
    let stats = proxy.stop().unwrap();
    assert_eq!((stats.front.received.messages, stats.back.sent.messages), (302, 302));
    assert_eq!((stats.back.received.messages, stats.front.sent.messages), (302, 302));
    assert_eq!(stats.front.dropped() + stats.back.dropped(), 0);
}

#[test]
fn subscriptions_pass_one_way_and_messages_the_other() {
    let cx = Context::new();
    let front = cx.socket(SocketType::XSub).unwrap();
    let back = cx.socket(SocketType::XPub).unwrap();
    let publishers = front.bind("tcp://127.0.0.1:*").unwrap().to_string();
    let subscribers = back.bind("tcp://127.0.0.1:*").unwrap().to_string();
    let proxy = Proxy::new(&front, &back).spawn().unwrap();
    let publisher = connected(&cx, SocketType::Pub, &publishers);
    let subscriber = connected(&cx, SocketType::Sub, &subscribers);
    subscriber.subscribe("A").unwrap();
    publisher.wait_for_subscribers("A", 1, LONG).unwrap();
    publisher.send(("B", "unasked")).unwrap();
    publisher.send(("A", "asked")).unwrap();
    assert_eq!(subscriber.recv_timeout(LONG).unwrap()[1], "asked");
    subscriber.unsubscribe("A").unwrap();
    subscriber.subscribe("B").unwrap();
    publisher.wait_for_subscribers("B", 1, LONG).unwrap();
    assert!(publisher.wait_for_subscribers("A", 1, Duration::ZERO).is_err());
    let stats = proxy.stop().unwrap();
    assert_eq!(stats.front.received.messages, 1, "what nobody asked for never comes");
    assert_eq!(stats.back.received.messages, 3, "subscribe, cancel, subscribe");
}

#[test]
fn both_sides_may_be_one_socket() {
    let cx = Context::new();
    let echo = bound(&cx, SocketType::Dealer, "inproc://echo");
    let user = connected(&cx, SocketType::Dealer, "inproc://echo");
    let proxy = Proxy::new(&echo, &echo).spawn().unwrap();
    user.send(["to", "and fro"]).unwrap();
    assert_eq!(user.recv_timeout(LONG).unwrap(), Message::from(["to", "and fro"]));
    let stats = proxy.stop().unwrap();
    assert_eq!((stats.front.received.frames, stats.back.sent.frames), (2, 2));
}

#[test]
fn stats_count_messages_frames_and_bytes_each_way() {
    let line = Line::new();
    let proxy = line.proxy().spawn().unwrap();
    for n in 0..1500u32 {
        line.source.send([&n.to_be_bytes()[..], b"two"]).unwrap();
        assert_eq!(line.sink.recv_timeout(LONG).unwrap()[0], &n.to_be_bytes()[..]);
    }
    let stats = proxy.stop().unwrap();
    let count = stats.front.received;
    assert_eq!((count.messages, count.frames, count.bytes), (1500, 3000, 1500 * 7));
    assert_eq!(stats.back.sent, count);
    assert_eq!((stats.back.received.messages, stats.front.sent.messages), (0, 0));
}

#[test]
fn a_pause_holds_data_and_a_resume_lets_it_go() {
    let line = Line::new();
    let proxy = line.proxy().spawn().unwrap();
    line.passes("before");
    proxy.pause();
    for n in 0..10u8 {
        line.source.send(&[n]).unwrap();
    }
    proxy.pause();
    assert!(line.sink.try_recv().is_err());
    assert_eq!(proxy.stats().front.received.messages, 1, "it stays queued");
    proxy.resume();
    for n in 0..10u8 {
        assert_eq!(line.sink.recv_timeout(LONG).unwrap()[0], &[n][..]);
    }
    assert_eq!(proxy.stop().unwrap().back.sent.messages, 11);
}

#[test]
fn a_paused_proxy_can_be_stopped_and_leaves_what_is_queued() {
    let line = Line::new();
    let proxy = line.proxy().spawn().unwrap();
    proxy.pause();
    line.source.send("waits").unwrap();
    assert_eq!(proxy.stop().unwrap().front.received.messages, 0);
    assert_eq!(line.front.recv_timeout(LONG).unwrap()[0], "waits");
}

#[test]
fn commands_pause_resume_and_terminate() {
    let line = Line::new();
    let (user, control) = controls(&line.cx, SocketType::Pair, SocketType::Pair);
    let proxy = line.proxy().control(&control).spawn().unwrap();
    line.passes("before");
    // Commands are obeyed in order, before any message: the answer to STATISTICS tells that PAUSE is in force.
    user.send("PAUSE").unwrap();
    user.send("STATISTICS").unwrap();
    user.recv_timeout(LONG).unwrap();
    line.source.send("held").unwrap();
    user.send("STATISTICS").unwrap();
    user.recv_timeout(LONG).unwrap();
    assert!(line.sink.try_recv().is_err());
    user.send("RESUME").unwrap();
    assert_eq!(line.sink.recv_timeout(LONG).unwrap()[0], "held");
    user.send("TERMINATE").unwrap();
    assert_eq!(proxy.join().unwrap().back.sent.messages, 2);
    assert!(user.try_recv().is_err(), "a PAIR gets no other answers");
}

#[test]
fn statistics_are_eight_numbers_that_equal_the_counts() {
    let line = Line::new();
    let (user, control) = controls(&line.cx, SocketType::Req, SocketType::Rep);
    let proxy = line.proxy().control(&control).spawn().unwrap();
    for _ in 0..3 {
        line.source.send(["four", "five5"]).unwrap();
        line.sink.recv_timeout(LONG).unwrap();
    }
    until(&proxy, |stats| stats.back.sent.messages == 3);
    user.send("STATISTICS").unwrap();
    let numbers: Vec<u64> = user
        .recv_timeout(LONG)
        .unwrap()
        .iter()
        .map(|frame| u64::from_ne_bytes(frame[..].try_into().unwrap()))
        .collect();
    assert_eq!(numbers, [6, 27, 0, 0, 0, 0, 6, 27], "frames, as libzmq counts");
    let stats = proxy.stop().unwrap();
    assert_eq!((stats.front.received.messages, stats.front.received.frames), (3, 6));
}

#[test]
fn a_rep_answers_every_command_even_unknown_ones() {
    let line = Line::new();
    let (user, control) = controls(&line.cx, SocketType::Req, SocketType::Rep);
    let proxy = line.proxy().control(&control).spawn().unwrap();
    for command in ["PAUSE", "RESUME", "pause", "", "TERMINATE"] {
        user.send(command).unwrap();
        assert_eq!(user.recv_timeout(LONG).unwrap(), Message::from(""), "{command}");
    }
    proxy.join().unwrap();
}

#[test]
fn a_pull_or_a_sub_steers_without_answers() {
    let line = Line::new();
    let (user, control) = controls(&line.cx, SocketType::Push, SocketType::Pull);
    let proxy = line.proxy().control(&control).spawn().unwrap();
    for command in ["STATISTICS", "TERMINATE"] {
        user.send(command).unwrap();
    }
    proxy.join().unwrap();

    let control = line.cx.socket(SocketType::Sub).unwrap();
    control.subscribe("").unwrap();
    let user = bound(&line.cx, SocketType::Pub, "inproc://orders");
    control.connect("inproc://orders").unwrap();
    user.wait_for_subscribers("TERMINATE", 1, LONG).unwrap();
    let proxy = line.proxy().control(&control).spawn().unwrap();
    line.passes("steered by a SUB");
    user.send("TERMINATE").unwrap();
    proxy.join().unwrap();
}

#[test]
fn a_command_has_one_frame() {
    let line = Line::new();
    let (user, control) = controls(&line.cx, SocketType::Pair, SocketType::Pair);
    let proxy = line.proxy().control(&control).spawn().unwrap();
    user.send(["TERMINATE", ""]).unwrap();
    user.send("TERMINATE\0").unwrap();
    line.passes("still there");
    proxy.stop().unwrap();
}

#[test]
fn commands_after_terminate_stay_unread() {
    let line = Line::new();
    let (user, control) = controls(&line.cx, SocketType::Pair, SocketType::Pair);
    user.send("TERMINATE").unwrap();
    user.send("PAUSE").unwrap();
    assert_eq!(line.proxy().control(&control).run().unwrap(), ProxyStats::default());
    assert_eq!(control.recv_timeout(LONG).unwrap()[0], "PAUSE");
}

#[test]
fn a_full_back_holds_the_front_and_nothing_is_lost() {
    let cx = Context::new();
    let (front, back) = (with_hwm(&cx, SocketType::Pull, 5, 5), with_hwm(&cx, SocketType::Push, 5, 5));
    let (source, sink) = (with_hwm(&cx, SocketType::Push, 5, 5), with_hwm(&cx, SocketType::Pull, 5, 5));
    front.bind("inproc://in").unwrap();
    back.bind("inproc://out").unwrap();
    source.connect("inproc://in").unwrap();
    let proxy = Proxy::new(&front, &back).spawn().unwrap();
    // Nobody is there: nothing is read.
    while source.try_send("early").is_ok() {}
    proxy.pause();
    proxy.resume();
    assert_eq!(proxy.stats(), ProxyStats::default());
    sink.connect("inproc://out").unwrap();
    thread::scope(|scope| {
        scope.spawn(|| (0..1000u32).for_each(|n| source.send(&n.to_be_bytes()).unwrap()));
        // Both pipes are full: 10 there, nothing more.
        let stats = until(&proxy, |stats| stats.back.sent.messages == 10);
        assert_eq!(stats.front.received.messages, 10);
        let mut early = 0;
        for n in 0..1000u32 {
            let mut message = sink.recv_timeout(LONG).unwrap();
            while message[0] == "early" {
                early += 1;
                message = sink.recv_timeout(LONG).unwrap();
            }
            assert_eq!(message[0], &n.to_be_bytes()[..]);
        }
        assert_eq!(early, 10);
    });
    let stats = proxy.stop().unwrap();
    assert_eq!((stats.front.received, stats.back.dropped()), (stats.back.sent, 0));
    assert_eq!(stats.back.sent.messages, 1010);
}

/// Source, front, a NODROP back with room for three messages, and a sink with as much.
fn before_a_slow_sink(cx: &Context) -> [Socket; 4] {
    let nodrop = Options::new().set(opt::XPUB_NODROP, true).set(opt::SNDHWM, 3);
    let (front, back) =
        (cx.socket(SocketType::Pull).unwrap(), cx.socket_with(SocketType::XPub, &nodrop).unwrap());
    front.bind("inproc://in").unwrap();
    back.bind("inproc://out").unwrap();
    let source = connected(cx, SocketType::Push, "inproc://in");
    let sink = with_hwm(cx, SocketType::Sub, 3, 3);
    sink.subscribe("").unwrap();
    sink.connect("inproc://out").unwrap();
    back.wait_for_subscribers("", 1, LONG).unwrap();
    [source, front, back, sink]
}

#[test]
fn a_nodrop_back_holds_one_message_which_is_not_lost() {
    let cx = Context::new();
    let [source, front, back, sink] = before_a_slow_sink(&cx);
    let proxy = Proxy::new(&front, &back).spawn().unwrap();
    for n in 0..20u8 {
        source.send(&[n]).unwrap();
    }
    let stats = until(&proxy, |stats| stats.back.held == 1);
    assert_eq!(stats.front.received.messages, stats.back.sent.messages + 1);
    for n in 0..20u8 {
        assert_eq!(sink.recv_timeout(LONG).unwrap()[0], &[n][..]);
    }
    let stats = proxy.stop().unwrap();
    assert_eq!((stats.back.sent.messages, stats.back.dropped(), stats.back.held), (20, 0, 0));
}

#[test]
fn a_message_that_is_held_at_the_end_is_counted() {
    let cx = Context::new();
    let [source, front, back, _sink] = before_a_slow_sink(&cx);
    let proxy = Proxy::new(&front, &back).spawn().unwrap();
    (0..20u8).for_each(|n| source.send(&[n]).unwrap());
    until(&proxy, |stats| stats.back.held == 1);
    let stats = proxy.stop().unwrap();
    assert_eq!((stats.back.unsent, stats.back.held), (1, 0));
    assert_eq!(stats.front.received.messages, stats.back.sent.messages + stats.back.dropped());
}

#[test]
fn what_is_for_an_unknown_peer_of_a_router_is_dropped_and_counted() {
    let cx = Context::new();
    let (front, back) = (
        bound(&cx, SocketType::Router, "inproc://clients"),
        bound(&cx, SocketType::Dealer, "inproc://workers"),
    );
    let worker = connected(&cx, SocketType::Dealer, "inproc://workers");
    let proxy = Proxy::new(&front, &back).spawn().unwrap();
    worker.send(["nobody", "hears this"]).unwrap();
    worker.send(["nobody", "nor this"]).unwrap();
    let stats = until(&proxy, |stats| stats.front.unroutable == 2);
    assert_eq!((stats.back.received.messages, stats.front.sent.messages), (2, 0));
    let named = Options::new().set(opt::ROUTING_ID, RoutingId::new("w7").unwrap());
    let client = cx.socket_with(SocketType::Dealer, &named).unwrap();
    client.connect("inproc://clients").unwrap();
    client.send("hello").unwrap();
    assert_eq!(worker.recv_timeout(LONG).unwrap(), Message::from(["w7", "hello"]));
    worker.send(["w7", "and back"]).unwrap();
    assert_eq!(client.recv_timeout(LONG).unwrap()[0], "and back");
    proxy.stop().unwrap();
}

#[test]
fn a_full_peer_of_a_router_is_a_counted_drop_and_does_not_stop_the_others() {
    let cx = Context::new();
    let front = with_hwm(&cx, SocketType::Router, 2, 1000);
    front.bind("inproc://clients").unwrap();
    let back = bound(&cx, SocketType::Dealer, "inproc://workers");
    let worker = connected(&cx, SocketType::Dealer, "inproc://workers");
    let client = |name: &str| {
        let options = Options::new().set(opt::ROUTING_ID, RoutingId::new(name).unwrap()).set(opt::RCVHWM, 2);
        let client = cx.socket_with(SocketType::Dealer, &options).unwrap();
        client.connect("inproc://clients").unwrap();
        client
    };
    let (slow, quick) = (client("slow"), client("quick"));
    front.wait_for_peers(2, LONG).unwrap();
    let proxy = Proxy::new(&front, &back).spawn().unwrap();
    for _ in 0..10 {
        worker.send(["slow", "x"]).unwrap();
    }
    worker.send(["quick", "passes"]).unwrap();
    assert_eq!(quick.recv_timeout(LONG).unwrap()[0], "passes");
    let stats = proxy.stop().unwrap();
    assert_eq!((stats.front.sent.messages, stats.front.full), (5, 6), "SNDHWM + RCVHWM fit");
    assert_eq!(stats.back.received.messages, stats.front.sent.messages + stats.front.dropped());
    drop(slow);
}

#[test]
fn capture_gets_every_message_of_both_ways() {
    let cx = Context::new();
    let (front, back) = (
        bound(&cx, SocketType::Router, "inproc://clients"),
        bound(&cx, SocketType::Dealer, "inproc://workers"),
    );
    let capture = bound(&cx, SocketType::Push, "inproc://tap");
    let tap = connected(&cx, SocketType::Pull, "inproc://tap");
    let proxy = Proxy::new(&front, &back).capture(&capture).spawn().unwrap();
    let req = connected(&cx, SocketType::Req, "inproc://clients");
    let rep = connected(&cx, SocketType::Rep, "inproc://workers");
    for _ in 0..50 {
        req.send(vec![7; 100]).unwrap();
        let request = rep.recv_timeout(LONG).unwrap();
        rep.send(request).unwrap();
        let reply = req.recv_timeout(LONG).unwrap();
        for _ in 0..2 {
            let copy = tap.recv_timeout(LONG).unwrap();
            assert_eq!((copy.len(), &copy[2]), (3, &reply[0]), "id, delimiter, body");
        }
    }
    let stats = proxy.stop().unwrap();
    assert_eq!((stats.captured.messages, stats.capture_dropped), (100, 0));
    assert_eq!(stats.captured.bytes, stats.front.received.bytes + stats.back.received.bytes);
}

#[test]
fn a_full_capture_is_a_counted_drop() {
    let line = Line::new();
    let capture = with_hwm(&line.cx, SocketType::Push, 2, 2);
    capture.bind("inproc://tap").unwrap();
    let tap = with_hwm(&line.cx, SocketType::Pull, 2, 2);
    tap.connect("inproc://tap").unwrap();
    let proxy = line.proxy().capture(&capture).spawn().unwrap();
    for _ in 0..10 {
        line.passes("x");
    }
    let stats = proxy.stop().unwrap();
    assert_eq!((stats.captured.messages, stats.capture_dropped), (4, 6));
    assert_eq!(stats.back.sent.messages, 10);
}

#[test]
fn a_socket_that_is_closed_ends_the_proxy() {
    for end in 0..4 {
        let line = Line::new();
        let (_user, control) = controls(&line.cx, SocketType::Pair, SocketType::Pair);
        let capture = line.cx.socket(SocketType::Pub).unwrap();
        let proxy = line.proxy().control(&control).capture(&capture).spawn().unwrap();
        line.passes("before");
        [&line.front, &line.back, &control, &capture][end].close().wait();
        assert!(matches!(proxy.join(), Err(Error::Closed)), "socket {end}");
    }
}

#[test]
fn the_end_of_the_context_ends_the_proxy() {
    let line = Line::new();
    let proxy = line.proxy().spawn().unwrap();
    proxy.pause();
    line.cx.shutdown();
    assert!(matches!(proxy.join(), Err(Error::Terminated)));
}

#[test]
fn a_handle_of_a_proxy_that_has_ended_does_not_wait() {
    let line = Line::new();
    let proxy = line.proxy().spawn().unwrap();
    line.passes("one");
    line.cx.shutdown();
    proxy.pause();
    proxy.resume();
    assert_eq!(proxy.stats().back.sent.messages, 1);
    assert!(proxy.stop().is_err());
}

#[test]
fn pairs_between_which_nothing_can_flow_are_refused() {
    let cx = Context::new();
    let of = |socket_type| cx.socket(socket_type).unwrap();
    let (push, pull, publisher) = (of(SocketType::Push), of(SocketType::Pull), of(SocketType::Pub));
    for (front, back) in [(&push, &push), (&pull, &pull), (&push, &publisher)] {
        let refused = Proxy::new(front, back).run().unwrap_err();
        assert!(matches!(refused, Error::NotSupported { .. }), "{refused}");
    }
    assert!(Proxy::new(&pull, &push).capture(&pull).spawn().is_err());
    assert!(Proxy::new(&pull, &push).control(&push).spawn().is_err());
}

#[test]
fn a_flood_passes_whole_and_in_order_over_tcp() {
    let cx = Context::new();
    let (front, back) = (cx.socket(SocketType::Pull).unwrap(), cx.socket(SocketType::Push).unwrap());
    let (inlet, outlet) =
        [&front, &back].map(|socket| socket.bind("tcp://127.0.0.1:*").unwrap().to_string()).into();
    let proxy = Proxy::new(&front, &back).spawn().unwrap();
    let source = connected(&cx, SocketType::Push, &inlet);
    let sink = connected(&cx, SocketType::Pull, &outlet);
    thread::scope(|scope| {
        scope.spawn(|| (0..50_000u32).for_each(|n| source.send(&n.to_be_bytes()).unwrap()));
        for n in 0..50_000u32 {
            assert_eq!(sink.recv_timeout(LONG).unwrap()[0], &n.to_be_bytes()[..]);
        }
    });
    assert_eq!(proxy.stop().unwrap().back.sent.messages, 50_000);
}
