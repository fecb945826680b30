//! inproc: joining in any order, closing at any moment, and nothing left behind.

#![allow(clippy::unwrap_used)] // a test's helpers

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use common::{LONG, Soon, no_linger, until};
use zeroxide::{
    Context, ContextOptions, EndpointState, Error, Frame, Message, Options, Socket, SocketType, opt,
};

fn push_pull(cx: &Context, options: &Options) -> (Socket, Socket) {
    (cx.socket_with(SocketType::Push, options).unwrap(), cx.socket_with(SocketType::Pull, options).unwrap())
}

fn fill(push: &Socket) -> usize {
    (0..).take_while(|_| push.try_send("x").is_ok()).count()
}

#[test]
fn a_connect_that_closed_before_the_bind_still_delivers_and_leaves_no_ghost() {
    let cx = Context::new();
    for round in 0..20u8 {
        let (push, pull) = push_pull(&cx, &Options::new());
        push.connect("inproc://late").unwrap();
        (0..5).for_each(|n| push.send(&[round, n]).unwrap());
        push.close().wait();
        pull.bind("inproc://late").unwrap();
        (0..5).for_each(|n| assert_eq!(pull.recv_soon()[0], &[round, n][..]));
        assert!(pull.try_recv().is_err());
        assert_eq!(pull.status().peers, 0);
        pull.close().wait();
    }
}

#[test]
fn a_binder_sends_nothing_to_a_connect_that_has_closed() {
    let cx = Context::new();
    let (push, pull) = push_pull(&cx, &Options::new());
    pull.connect("inproc://gone").unwrap();
    pull.close().wait();
    push.bind("inproc://gone").unwrap();
    assert!(matches!(push.try_send("x").unwrap_err().error, Error::WouldBlock(_)));
}

#[test]
fn many_connects_wait_for_one_bind_and_are_heard_in_turn() {
    let cx = Context::new();
    let pushes: Vec<Socket> = (0..50u8)
        .map(|n| {
            let push = cx.socket(SocketType::Push).unwrap();
            push.connect("inproc://many").unwrap();
            push.send(&[n]).unwrap();
            push
        })
        .collect();
    let pull = cx.socket(SocketType::Pull).unwrap();
    assert_eq!(pushes[0].endpoints()[0].state, EndpointState::NotBound);
    pull.bind("inproc://many").unwrap();
    (0..50u8).for_each(|n| assert_eq!(pull.recv_soon()[0], &[n][..]));
    assert!(matches!(pushes[0].endpoints()[0].state, EndpointState::Connected { .. }));
}

#[test]
fn a_name_is_taken_once_and_free_again_after_unbind_or_close() {
    let cx = Context::new();
    let (one, two) = push_pull(&cx, &Options::new());
    for _ in 0..20 {
        one.bind("inproc://name").unwrap();
        assert!(matches!(two.bind("inproc://name"), Err(Error::Bind(_))));
        one.unbind("inproc://name").unwrap();
        two.bind("inproc://name").unwrap();
        two.unbind("inproc://name").unwrap();
    }
    assert!(matches!(one.unbind("inproc://name"), Err(Error::NoSuchEndpoint(_))));
    one.bind("inproc://name").unwrap();
    one.close().wait();
    two.bind("inproc://name").unwrap();
}

#[test]
fn unbind_keeps_those_who_are_connected() {
    let cx = Context::new();
    let (push, pull) = push_pull(&cx, &Options::new());
    pull.bind("inproc://kept").unwrap();
    push.connect("inproc://kept").unwrap();
    pull.unbind("inproc://kept").unwrap();
    push.send("x").unwrap();
    assert_eq!(pull.recv_soon()[0], "x");
}

#[test]
fn disconnecting_before_the_bind_takes_the_connect_back() {
    let cx = Context::new();
    let (push, pull) = push_pull(&cx, &no_linger());
    push.connect("inproc://never").unwrap();
    push.send("x").unwrap();
    push.disconnect("inproc://never").unwrap();
    pull.bind("inproc://never").unwrap();
    assert!(pull.try_recv().is_err());
    assert_eq!((push.status().peers, pull.status().peers), (0, 0));
}

#[test]
fn what_was_sent_before_a_disconnect_or_close_is_read_after_it() {
    for closes in [true, false] {
        let cx = Context::new();
        let (push, pull) = push_pull(&cx, &Options::new());
        pull.bind("inproc://rest").unwrap();
        push.connect("inproc://rest").unwrap();
        (0..100u8).for_each(|n| push.send(&[n]).unwrap());
        if closes {
            push.close().wait();
        } else {
            push.disconnect("inproc://rest").unwrap();
        }
        (0..100u8).for_each(|n| assert_eq!(pull.recv_soon()[0], &[n][..]));
        assert!(pull.try_recv().is_err());
        assert_eq!(pull.status().peers, 0);
    }
}

#[test]
fn a_sender_that_waits_is_refused_when_its_only_peer_closes() {
    let cx = Context::new();
    let (push, pull) = push_pull(&cx, &Options::new().set(opt::SNDHWM, 1).set(opt::RCVHWM, 1));
    push.bind("inproc://leaves").unwrap();
    pull.connect("inproc://leaves").unwrap();
    assert_eq!(fill(&push), 2);
    thread::scope(|scope| {
        let sender = scope.spawn(|| push.send_timeout("waits", LONG));
        until("it waits", || push.status().senders_waiting == 1);
        pull.close().wait();
        until("the peer is gone", || push.status().peers == 0);
        let next = cx.socket(SocketType::Pull).unwrap();
        next.connect("inproc://leaves").unwrap();
        sender.join().unwrap().unwrap();
        assert_eq!(next.recv_soon()[0], "waits");
    });
}

#[test]
fn changing_a_mark_of_either_side_acts_on_the_living_pipe() {
    let cx = Context::new();
    let (push, pull) = push_pull(&cx, &Options::new().set(opt::SNDHWM, 2).set(opt::RCVHWM, 3));
    pull.bind("inproc://marks").unwrap();
    push.connect("inproc://marks").unwrap();
    assert_eq!(fill(&push), 5);
    push.set(opt::SNDHWM, 4).unwrap();
    assert_eq!(fill(&push), 2);
    pull.set(opt::RCVHWM, 10).unwrap();
    assert_eq!(fill(&push), 7);
    pull.set(opt::RCVHWM, 0).unwrap();
    (0..100).for_each(|_| push.try_send("x").unwrap());
}

#[test]
fn inproc_needs_no_io_threads() {
    let cx = Context::with(ContextOptions::new().io_threads(0)).unwrap();
    let (push, pull) = push_pull(&cx, &Options::new());
    push.connect("inproc://alone").unwrap();
    (0..100u8).for_each(|n| push.send(&[n]).unwrap());
    pull.bind("inproc://alone").unwrap();
    (0..100u8).for_each(|n| assert_eq!(pull.recv_soon()[0], &[n][..]));
    assert!(matches!(pull.bind("tcp://127.0.0.1:*"), Err(Error::NoIoThread)));
}

#[test]
fn a_flood_before_the_first_io_thread_does_not_stop_what_is_sent_by_tcp_later() {
    let cx = Context::new();
    let push = cx.socket_with(SocketType::Push, &no_linger()).unwrap();
    push.connect("inproc://nobody").unwrap();
    (0..100).for_each(|_| push.send("for nobody").unwrap());
    let pull = cx.socket(SocketType::Pull).unwrap();
    push.connect(pull.bind("tcp://127.0.0.1:*").unwrap().to_string()).unwrap();
    for _ in 0..50 {
        push.send("by turns").unwrap();
    }
    (0..25).for_each(|_| assert_eq!(pull.recv_soon()[0], "by turns"));
}

#[test]
fn sockets_that_meet_in_many_threads_all_meet() {
    let cx = Context::new();
    let count = 40;
    thread::scope(|scope| {
        for n in 0..count {
            let cx = &cx;
            scope.spawn(move || {
                let pair = cx.socket(SocketType::Pair).unwrap();
                pair.bind(format!("inproc://meet{n}")).unwrap();
                assert_eq!(pair.recv_soon()[0], &[n][..]);
                pair.send(&[n]).unwrap();
                assert_eq!(pair.recv_soon()[0], "end");
            });
            scope.spawn(move || {
                let pair = cx.socket(SocketType::Pair).unwrap();
                pair.connect(format!("inproc://meet{n}")).unwrap();
                pair.send(&[n]).unwrap();
                assert_eq!(pair.recv_soon()[0], &[n][..]);
                pair.send("end").unwrap();
            });
        }
    });
}

/// A payload that counts how many of it live.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn message(living: &Arc<AtomicUsize>) -> Message {
        living.fetch_add(1, Ordering::SeqCst);
        Frame::from_owner(Counted(Arc::clone(living))).into()
    }
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &[7; 4096]
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[test]
fn no_message_outlives_its_context() {
    let living = Arc::new(AtomicUsize::new(0));
    let cx = Context::with(ContextOptions::new().linger(Some(std::time::Duration::ZERO))).unwrap();
    let message = || Counted::message(&living);
    // Never bound; bound and never read; connected to nobody by tcp; half of a pattern's own queues.
    let (push, pull) = push_pull(&cx, &no_linger());
    push.connect("inproc://never bound").unwrap();
    push.send(message()).unwrap();
    let (push2, pull2) = push_pull(&cx, &no_linger());
    pull2.bind("inproc://never read").unwrap();
    push2.connect("inproc://never read").unwrap();
    push2.connect("tcp://127.0.0.1:1").unwrap();
    (0..4).for_each(|_| push2.send(message()).unwrap());
    pull.bind("tcp://127.0.0.1:*").unwrap();
    let closed = cx.socket(SocketType::Push).unwrap();
    closed.connect("inproc://closed before anybody came").unwrap();
    closed.send(message()).unwrap();
    closed.close().wait();
    assert_eq!(living.load(Ordering::SeqCst), 6);
    drop((push, pull, push2, pull2, closed));
    drop(cx);
    until("all are released", || living.load(Ordering::SeqCst) == 0);
}

#[test]
fn a_payload_whose_release_uses_the_socket_does_not_deadlock() {
    struct Reentrant(Socket);
    impl AsRef<[u8]> for Reentrant {
        fn as_ref(&self) -> &[u8] {
            &[1; 100]
        }
    }
    impl Drop for Reentrant {
        fn drop(&mut self) {
            let _ = self.0.try_send("released");
            let _ = self.0.stats();
        }
    }
    let cx = Context::new();
    let (push, pull) = push_pull(&cx, &no_linger());
    let (witness, seen) = push_pull(&cx, &no_linger());
    seen.bind("inproc://witness").unwrap();
    witness.connect("inproc://witness").unwrap();
    let endpoint = pull.bind("tcp://127.0.0.1:*").unwrap().to_string();
    push.connect(&endpoint).unwrap();
    push.connect("tcp://127.0.0.1:1").unwrap();
    for socket in [&push, &witness, &push, &witness] {
        push.send(Frame::from_owner(Reentrant(socket.clone()))).unwrap();
    }
    (0..2).for_each(|_| drop(pull.recv_soon()));
    push.disconnect("tcp://127.0.0.1:1").unwrap();
    seen.recv_soon();
    push.close().wait();
}

#[test]
fn a_connect_to_a_socket_that_closed_says_so_and_connects_anew_when_asked() {
    let context = Context::new();
    let dealer = context.socket(SocketType::Dealer).unwrap();
    for _ in 0..2 {
        let rep = context.socket(SocketType::Rep).unwrap();
        rep.bind("inproc://again").unwrap();
        dealer.connect("inproc://again").unwrap();
        dealer.send(("", "?")).unwrap();
        assert_eq!(rep.recv_timeout(LONG).unwrap()[0], "?");
        rep.close().wait();
        until("the dealer knows", || dealer.endpoints()[0].state == EndpointState::Gone);
        assert_eq!(dealer.endpoints().len(), 1);
    }
}
