//! Futures on a socket: on every executor, beside threads, and dropped at any time, no message is lost or comes twice.
#![allow(clippy::unwrap_used)] // a test's helpers

mod common;

use std::task::Poll;
use std::time::{Duration, Instant};

use common::task::{parked, poll, ready, woken};
use common::{LONG, Soon};
use zeroxide::{Cause, Context, ContextOptions, Error, Options, Socket, SocketType, opt};

fn pipeline(cx: &Context, endpoint: &str) -> (Socket, Socket) {
    let (pull, push) = (cx.socket(SocketType::Pull).unwrap(), cx.socket(SocketType::Push).unwrap());
    push.connect(pull.bind(endpoint).unwrap()).unwrap();
    push.wait_for_peers(1, LONG).unwrap();
    (pull, push)
}

#[test]
fn a_receive_that_is_pending_is_woken_by_a_message() {
    for endpoint in ["tcp://127.0.0.1:*", "ipc://*", "inproc://woken"] {
        let cx = Context::new();
        let (pull, push) = pipeline(&cx, endpoint);
        let (wakes, mut recv) = (parked(), pull.recv_async());
        assert!(poll(&mut recv, &wakes).is_pending());
        push.send("hello").unwrap();
        // The arrival of its peer may wake it, too.
        let received = (1..).find_map(|wake| {
            woken(&wakes, wake);
            match poll(&mut recv, &wakes) {
                Poll::Ready(message) => Some(message.unwrap()),
                Poll::Pending => None,
            }
        });
        assert_eq!(received.unwrap()[0], "hello");
    }
}

#[test]
fn a_receive_that_is_dropped_takes_nothing_and_hands_its_wake_on() {
    let cx = Context::new();
    let (pull, push) = pipeline(&cx, "inproc://handed-on");
    let (first, second) = (parked(), parked());
    let (mut dropped, mut waits) = (pull.recv_async(), pull.recv_async());
    assert!(poll(&mut dropped, &first).is_pending());
    assert!(poll(&mut waits, &second).is_pending());
    push.send("one").unwrap();
    assert_eq!((first.wakes(), second.wakes()), (1, 0), "one message wakes one");
    drop(dropped);
    assert_eq!(second.wakes(), 1, "its wake goes to the next");
    assert_eq!(ready(poll(&mut waits, &second)).unwrap()[0], "one");
}

#[test]
fn a_send_is_all_or_nothing_and_gives_its_message_back() {
    let cx = Context::new();
    let options = Options::new().set(opt::SNDHWM, 1);
    let pull = cx.socket_with(SocketType::Pull, &Options::new().set(opt::RCVHWM, 1)).unwrap();
    let push = cx.socket_with(SocketType::Push, &options).unwrap();
    pull.bind("inproc://full").unwrap();
    push.connect("inproc://full").unwrap();
    while push.try_send("fills").is_ok() {}
    let wakes = parked();
    let mut kept = push.send_async(["two", "frames"]);
    assert!(poll(&mut kept, &wakes).is_pending());
    let message = kept.cancel().expect("it is not sent");
    assert_eq!((message.len(), &message[1][..]), (2, &b"frames"[..]));
    let mut sending = push.send_async("later");
    assert!(poll(&mut sending, &wakes).is_pending());
    let before = wakes.wakes();
    assert_eq!(pull.recv_soon()[0], "fills");
    woken(&wakes, before + 1);
    ready(poll(&mut sending, &wakes)).unwrap();
    assert!(sending.cancel().is_none(), "it is sent");
    while pull.recv_soon()[0] != *"later" {}
}

#[test]
fn the_time_outs_of_the_socket_hold_without_a_runtime() {
    let cx = Context::new();
    let brief = Duration::from_millis(30);
    for endpoint in ["inproc://brief", "tcp://127.0.0.1:*"] {
        let options = Options::new().set(opt::RCVTIMEO, Some(brief)).set(opt::SNDTIMEO, Some(brief));
        let pair = cx.socket_with(SocketType::Pair, &options).unwrap();
        pair.bind(endpoint).unwrap();
        let (wakes, start) = (parked(), Instant::now());
        let (mut recv, mut send) = (pair.recv_async(), pair.send_async("nobody"));
        assert!(poll(&mut recv, &wakes).is_pending() && poll(&mut send, &wakes).is_pending());
        woken(&wakes, 2);
        assert!(start.elapsed() >= brief);
        let late = ready(poll(&mut recv, &wakes)).unwrap_err();
        assert!(matches!(late, Error::TimedOut(_)) && late.to_string().contains("in 30 ms"), "{late}");
        let refused = ready(poll(&mut send, &wakes)).unwrap_err();
        assert!(matches!(refused.error, Error::TimedOut(_)) && refused.message[0] == *"nobody");
    }
}

#[test]
fn a_future_outlives_its_socket_and_ends_with_closed() {
    let cx = Context::new();
    let pull = cx.socket(SocketType::Pull).unwrap();
    let (wakes, mut recv) = (parked(), pull.recv_async());
    assert!(poll(&mut recv, &wakes).is_pending());
    drop(pull);
    assert_eq!(wakes.wakes(), 1);
    assert!(matches!(ready(poll(&mut recv, &wakes)), Err(Error::Closed)));
}

#[test]
fn a_loop_that_is_always_ready_yields_now_and_then() {
    let cx = Context::new();
    let (pull, push) = pipeline(&cx, "inproc://always");
    for _ in 0..1000 {
        push.send("x").unwrap();
    }
    let (wakes, mut yields) = (parked(), 0);
    for _ in 0..1000 {
        let mut recv = pull.recv_async();
        let before = wakes.wakes();
        if poll(&mut recv, &wakes).is_pending() {
            yields += 1;
            assert_eq!(wakes.wakes(), before + 1, "it is polled again at once");
            assert!(poll(&mut recv, &wakes).is_ready());
        }
    }
    assert!((5..20).contains(&yields), "{yields}");
}

#[test]
fn a_request_that_is_dropped_is_recalled_or_its_reply_is_dropped_and_the_socket_goes_on() {
    let cx = Context::new();
    let (rep, req) = (cx.socket(SocketType::Rep).unwrap(), cx.socket(SocketType::Req).unwrap());
    req.connect("inproc://oracle").unwrap();
    let wakes = parked();
    let mut unsent = req.request_async("never read", LONG);
    assert!(poll(&mut unsent, &wakes).is_pending());
    drop(unsent);
    rep.bind("inproc://oracle").unwrap();
    let mut asked = req.request_async("first", LONG);
    assert!(poll(&mut asked, &wakes).is_pending());
    assert_eq!(rep.recv_soon()[0], "first", "the one before was taken back");
    drop(asked);
    rep.send("too late").unwrap();
    let mut asked = req.request_async("second", LONG);
    assert!(poll(&mut asked, &wakes).is_pending());
    assert_eq!(rep.recv_soon()[0], "second");
    rep.send("in time").unwrap();
    assert_eq!(ready(poll(&mut asked, &wakes)).unwrap()[0], "in time");
    assert_eq!(req.stats().received.dropped.by(Cause::Unwanted), 1, "the late reply");
}

#[test]
fn requests_of_tasks_take_turns() {
    let cx = Context::new();
    let (rep, req) = (cx.socket(SocketType::Rep).unwrap(), cx.socket(SocketType::Req).unwrap());
    rep.bind("inproc://turns").unwrap();
    req.connect("inproc://turns").unwrap();
    let (one, two) = (parked(), parked());
    let (mut first, mut second) = (req.request_async("1", LONG), req.request_async("2", LONG));
    assert!(poll(&mut first, &one).is_pending() && poll(&mut second, &two).is_pending());
    let question = rep.recv_soon();
    rep.send(question).unwrap();
    woken(&one, 1);
    assert_eq!(ready(poll(&mut first, &one)).unwrap()[0], "1");
    woken(&two, 1);
    assert!(poll(&mut second, &two).is_pending());
    let question = rep.recv_soon();
    rep.send(question).unwrap();
    woken(&two, 2);
    assert_eq!(ready(poll(&mut second, &two)).unwrap()[0], "2");
}

#[test]
fn a_receive_that_has_failed_keeps_no_wake() {
    let cx = Context::with(ContextOptions::new().io_threads(0)).unwrap();
    let (pull, push) = pipeline(&cx, "inproc://failed");
    pull.set(opt::RCVTIMEO, Some(LONG)).unwrap();
    let (one, two) = (parked(), parked());
    let mut failed = pull.recv_async();
    assert!(
        matches!(ready(poll(&mut failed, &one)), Err(Error::NoIoThread)),
        "there is no thread to keep its time"
    );
    pull.set(opt::RCVTIMEO, None).unwrap();
    let mut waits = pull.recv_async();
    assert!(poll(&mut waits, &two).is_pending());
    push.send("one").unwrap();
    assert_eq!((one.wakes(), two.wakes()), (0, 1), "the one that waits is woken");
    assert_eq!(ready(poll(&mut waits, &two)).unwrap()[0], "one");
}

#[test]
fn a_loop_yields_although_another_future_of_its_task_is_pending() {
    let cx = Context::new();
    let (pull, push) = pipeline(&cx, "inproc://busy");
    let (idle, _nobody) = pipeline(&cx, "inproc://idle");
    for _ in 0..1000 {
        push.send("x").unwrap();
    }
    let (wakes, mut yields, mut received) = (parked(), 0, 0);
    while received < 1000 {
        // As a `select!` that looks at the idle one first.
        assert!(poll(&mut idle.recv_async(), &wakes).is_pending());
        match poll(&mut pull.recv_async(), &wakes) {
            Poll::Ready(message) => received += message.unwrap().len(),
            Poll::Pending => yields += 1,
        }
    }
    assert!((5..20).contains(&yields), "{yields}");
}

#[test]
fn a_request_that_waits_for_its_turn_ends_with_its_socket() {
    let cx = Context::new();
    let req = cx.socket(SocketType::Req).unwrap();
    let (one, two) = (parked(), parked());
    let (mut first, mut second) = (req.request_async("1", LONG), req.request_async("2", LONG));
    assert!(poll(&mut first, &one).is_pending() && poll(&mut second, &two).is_pending());
    drop(req);
    assert_eq!(two.wakes(), 1, "although the first one has the turn and is not polled");
    let failed = ready(poll(&mut second, &two)).unwrap_err();
    assert!(matches!(failed.error, Error::Closed), "{failed}");
    assert_eq!(failed.unsent.unwrap()[0], "2");
}

#[test]
fn a_send_that_has_failed_does_not_succeed_when_it_is_polled_again() {
    let cx = Context::new();
    let push =
        cx.socket_with(SocketType::Push, &Options::new().set(opt::SNDTIMEO, Some(Duration::ZERO))).unwrap();
    let (wakes, mut sending) = (parked(), push.send_async("nobody"));
    assert!(matches!(ready(poll(&mut sending, &wakes)).unwrap_err().error, Error::WouldBlock(_)));
    assert!(poll(&mut sending, &wakes).is_pending());
}
