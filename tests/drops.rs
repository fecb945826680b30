//! The drop of a payload is code of the application: it may wait for another thread, and it may panic.

#![allow(clippy::unwrap_used)] // a test's helpers

mod common;

use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use common::{Soon, impatient, until};
use zeroxide::{Context, Error, Frame, Message, Options, Socket, SocketType, opt};

/// Longer than anything takes that does not hang.
const LONG: Duration = Duration::from_secs(60);

/// So many exchanges that the other thread is asleep in some.
const EXCHANGES: usize = 100;

/// A payload of the application, and what its drop does.
struct Payload<F: FnMut() + Send>(F);

impl<F: FnMut() + Send> AsRef<[u8]> for Payload<F> {
    fn as_ref(&self) -> &[u8] {
        &[7; 4096]
    }
}

impl<F: FnMut() + Send> Drop for Payload<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

fn payload(on_drop: impl FnMut() + Send + 'static) -> Frame {
    Frame::from(Bytes::from_owner(Payload(on_drop)))
}

/// Short enough to be copied into a connection's queue (`run::LONGEST`).
struct Short<F: FnMut() + Send>(Payload<F>);

impl<F: FnMut() + Send> AsRef<[u8]> for Short<F> {
    fn as_ref(&self) -> &[u8] {
        &self.0.as_ref()[..1000]
    }
}

fn panics() -> Frame {
    payload(|| panic!("of the application"))
}

/// A PUSH with this SNDHWM whose peer is not there yet, and what makes the peer appear.
fn early(cx: &Context, sndhwm: u32) -> (Socket, impl FnOnce() -> Socket) {
    let pull = cx.socket(SocketType::Pull).unwrap();
    let endpoint = pull.bind("tcp://127.0.0.1:*").unwrap().to_string();
    pull.unbind(&endpoint).unwrap();
    let push = cx.socket_with(SocketType::Push, &impatient().set(opt::SNDHWM, sndhwm)).unwrap();
    push.connect(&endpoint).unwrap();
    let appear = move || {
        pull.bind(&endpoint).unwrap();
        pull
    };
    (push, appear)
}

/// A ROUTER and a DEALER over inproc, called "d", and how many messages the pipe between them holds: two.
fn router_and_dealer(cx: &Context) -> (Socket, Socket) {
    let narrow = || Options::new().set(opt::SNDHWM, 1).set(opt::RCVHWM, 1);
    let router = cx.socket_with(SocketType::Router, &narrow()).unwrap();
    router.bind("inproc://narrow").unwrap();
    let dealer = cx.socket_with(SocketType::Dealer, &narrow().set(opt::ROUTING_ID, "d")).unwrap();
    dealer.connect("inproc://narrow").unwrap();
    router.wait_for_peers(1, LONG).unwrap();
    (router, dealer)
}

fn to_dealer(frame: impl Into<Frame>) -> Message {
    Message::from_iter([Frame::from("d"), frame.into()])
}

/// A thread that is about to sleep in `send` when this returns.
fn blocked_sender(socket: &Socket, message: Message) -> thread::JoinHandle<Result<(), Error>> {
    let sender = socket.clone();
    let thread = thread::spawn(move || sender.send_timeout(message, LONG).map_err(|refused| refused.error));
    until("a sender waits", || socket.status().senders_waiting == 1);
    thread
}

/// Sends a payload whose drop talks with a thread that waits by `wait` before it receives.
fn talk(wait: impl Fn(&Socket) + Send + 'static, by_io_thread: bool) {
    let cx = Context::new();
    let (push, pull) = (cx.socket(SocketType::Push).unwrap(), cx.socket(SocketType::Pull).unwrap());
    pull.bind("inproc://worker").unwrap();
    push.connect("inproc://worker").unwrap();
    let (answer, answers) = channel();
    let worker = thread::spawn(move || {
        for _ in 0..EXCHANGES {
            wait(&pull);
            if pull.recv_timeout(LONG).is_err() || answer.send(()).is_err() {
                return;
            }
        }
    });
    let (result, came) = channel();
    let frame = payload(move || {
        let exchange = |_| push.send("x").is_ok() && answers.recv_timeout(LONG).is_ok();
        result.send((0..EXCHANGES).all(exchange)).unwrap();
    });
    let _sockets = if by_io_thread {
        let (push, appear) = early(&cx, 10);
        push.send(frame).unwrap();
        (push, appear())
    } else {
        // Nobody has subscribed: `send` frees it.
        let publisher = cx.socket(SocketType::Pub).unwrap();
        publisher.send(frame).unwrap();
        (publisher.clone(), publisher)
    };
    assert!(came.recv().unwrap(), "the other thread was woken, by the I/O thread: {by_io_thread}");
    worker.join().unwrap();
}

#[test]
fn a_drop_may_wait_for_a_thread_that_sleeps_in_recv() {
    [false, true].into_iter().for_each(|by_io_thread| talk(|_| {}, by_io_thread));
}

#[cfg(unix)]
#[test]
fn a_drop_may_wait_for_a_thread_that_sleeps_in_a_poller_with_or_without_a_descriptor() {
    use std::os::unix::net::UnixStream;
    use zeroxide::{Poller, Ready};

    for descriptor in [false, true] {
        let wait = move |pull: &Socket| {
            let mut poller = Poller::new();
            poller.add(pull, 0, Ready::IN).unwrap();
            let (silent, _other) = UnixStream::pair().unwrap();
            if descriptor {
                poller.add_fd(&silent, 1, Ready::IN).unwrap();
            }
            poller.wait(&mut Vec::new(), Some(LONG)).unwrap();
        };
        [false, true].into_iter().for_each(|by_io_thread| talk(wait, by_io_thread));
    }
}

#[test]
fn drops_that_panic_on_an_io_thread_cost_nobody_anything() {
    let cx = Context::new();
    let (push, appear) = early(&cx, 2);
    push.send(panics()).unwrap();
    push.send(Message::from_iter([panics(), panics()])).unwrap();
    let sender = blocked_sender(&push, Message::from("third"));
    let pull = appear();
    sender.join().unwrap().unwrap();
    assert_eq!([1, 2, 1], [(); 3].map(|()| pull.recv_soon().len()));
    push.send("the I/O thread goes on").unwrap();
    assert_eq!(pull.recv_soon()[0], "the I/O thread goes on");
    assert_eq!(push.stats().written, 4);
}

#[test]
fn drops_that_panic_in_a_close_leave_it_whole() {
    let cx = Context::new();
    let (router, dealer) = router_and_dealer(&cx);
    router.send(to_dealer(panics())).unwrap();
    router.send(to_dealer(panics())).unwrap();
    let sender = blocked_sender(&router, to_dealer("too many"));
    let closing = dealer.close();
    assert!(matches!(sender.join().unwrap(), Err(Error::Unroutable { .. })));
    assert!(closing.wait_timeout(LONG).is_ok());
}

#[test]
fn a_drop_that_panics_in_a_send_does_not_lose_the_call() {
    let cx = Context::new();
    let publisher = cx.socket(SocketType::Pub).unwrap();
    publisher.send(panics()).unwrap();
    assert_eq!(publisher.stats().accepted, 1);
}

#[test]
fn a_body_that_was_copied_is_dropped_when_its_socket_is_free_again() {
    let cx = Context::new();
    let types = [
        (SocketType::Push, SocketType::Pull, None),
        (SocketType::Pub, SocketType::Sub, None),
        (SocketType::XSub, SocketType::XPub, Some("\x01topic")),
        (SocketType::Router, SocketType::Dealer, Some("peer")),
    ];
    for (from, to, first) in types {
        let named = || Options::new().set(opt::ROUTING_ID, "peer");
        let options = if to == SocketType::Dealer { named() } else { Options::new() };
        let receiver = cx.socket_with(to, &options).unwrap();
        let sender = cx.socket(from).unwrap();
        if to == SocketType::Sub {
            receiver.subscribe("").unwrap();
        }
        receiver.connect(sender.bind("tcp://127.0.0.1:*").unwrap()).unwrap();
        sender.wait_for_peers(1, LONG).unwrap();
        if to == SocketType::Sub {
            sender.wait_for_subscribers("", 1, LONG).unwrap();
        }
        let (dropped, drops) = channel();
        let socket = sender.clone();
        let body = Short(Payload(move || {
            // It takes the socket's lock.
            drop(socket.stats());
            dropped.send(()).unwrap();
        }));
        let frames = first.map(Frame::from).into_iter().chain([Frame::from(Bytes::from_owner(body))]);
        let message = Message::from_iter(frames);
        // In a thread, because one that waits for itself waits for ever.
        let sending = thread::spawn(move || sender.send(message).is_ok());
        drops
            .recv_timeout(LONG)
            .unwrap_or_else(|_| panic!("{from}: it was dropped under the lock, or not at all"));
        assert!(sending.join().unwrap());
        let is_body = |message: Message| message.iter().any(|frame| frame[..] == [7; 1000]);
        assert!(is_body(receiver.recv_soon()) || is_body(receiver.recv_soon()), "{from}");
    }
}
