//! Waiting on several sockets and descriptors.
#![allow(clippy::unwrap_used)] // tests

mod common;

use std::thread;
use std::time::{Duration, Instant};

use common::LONG;
use zeroxide::{Context, Error, Options, PollEvent, PollItem, Poller, Ready, Socket, SocketType, opt, poll};

const SHORT: Duration = Duration::from_millis(20);
const NOW: Duration = Duration::ZERO;

/// A PUSH connected to a PULL over `transport`.
fn push_pull(cx: &Context, transport: &str) -> (Socket, Socket) {
    let (push, pull) = (cx.socket(SocketType::Push).unwrap(), cx.socket(SocketType::Pull).unwrap());
    let endpoint = pull.bind(transport).unwrap();
    push.connect(endpoint.to_string()).unwrap();
    push.wait_for_peers(1, LONG).unwrap();
    (push, pull)
}

fn wait(poller: &mut Poller, limit: Duration) -> Vec<(usize, Ready)> {
    let mut events = Vec::new();
    let count = poller.wait(&mut events, Some(limit)).unwrap();
    assert_eq!(count, events.len());
    events.iter().map(|event: &PollEvent| (event.key, event.ready)).collect()
}

#[test]
fn level_triggered_a_socket_is_reported_until_it_is_read() {
    for transport in ["inproc://level", "tcp://127.0.0.1:*"] {
        let cx = Context::new();
        let (push, pull) = push_pull(&cx, transport);
        let mut poller = Poller::new();
        poller.add(&pull, 7, Ready::IN).unwrap();
        assert_eq!(wait(&mut poller, NOW), []);
        push.send("one").unwrap();
        push.send("two").unwrap();
        for text in ["one", "two"] {
            for _ in 0..3 {
                assert_eq!(wait(&mut poller, LONG), [(7, Ready::IN)]);
            }
            assert_eq!(pull.recv_timeout(LONG).unwrap()[0], text);
        }
        assert_eq!(wait(&mut poller, NOW), []);
    }
}

#[test]
fn only_what_is_wanted_is_reported() {
    let cx = Context::new();
    let (left, right) = (cx.socket(SocketType::Pair).unwrap(), cx.socket(SocketType::Pair).unwrap());
    left.bind("inproc://wanted").unwrap();
    right.connect("inproc://wanted").unwrap();
    left.send("hello").unwrap();
    let mut poller = Poller::new();
    poller.add(&right, 1, Ready::OUT).unwrap();
    assert_eq!(wait(&mut poller, LONG), [(1, Ready::OUT)]);
    poller.modify(1, Ready::IN | Ready::OUT).unwrap();
    assert_eq!(wait(&mut poller, LONG), [(1, Ready::IN | Ready::OUT)]);
    poller.modify(1, Ready::NONE).unwrap();
    assert_eq!(wait(&mut poller, NOW), []);
    poller.remove(1).unwrap();
    assert_eq!(wait(&mut poller, NOW), []);
}

#[test]
fn out_follows_room_and_peers() {
    let cx = Context::new();
    let two = Options::new().set(opt::SNDHWM, 2);
    let push = cx.socket_with(SocketType::Push, &two).unwrap();
    let mut poller = Poller::new();
    poller.add(&push, 1, Ready::OUT).unwrap();
    assert_eq!(wait(&mut poller, NOW), [], "nobody is there");
    push.bind("inproc://room").unwrap();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| wait(&mut poller, LONG));
        let pull = cx.socket_with(SocketType::Pull, &Options::new().set(opt::RCVHWM, 2)).unwrap();
        pull.connect("inproc://room").unwrap();
        assert_eq!(waiting.join().unwrap(), [(1, Ready::OUT)]);
        while push.try_send("x").is_ok() {}
        let mut poller = Poller::new();
        poller.add(&push, 1, Ready::OUT).unwrap();
        assert_eq!(wait(&mut poller, NOW), [], "it is full");
        let waiting = scope.spawn(move || wait(&mut poller, LONG));
        while pull.try_recv().is_ok() {}
        assert_eq!(waiting.join().unwrap(), [(1, Ready::OUT)]);
    });
}

#[test]
fn every_ready_socket_is_reported_in_the_order_of_adding() {
    let cx = Context::new();
    let (a_push, a) = push_pull(&cx, "inproc://a");
    let (_b_push, b) = push_pull(&cx, "inproc://b");
    let (c_push, c) = push_pull(&cx, "inproc://c");
    let mut poller = Poller::new();
    for (key, socket) in [(3, &c), (2, &b), (1, &a)] {
        poller.add(socket, key, Ready::IN).unwrap();
    }
    a_push.send("").unwrap();
    c_push.send("").unwrap();
    assert_eq!(wait(&mut poller, LONG), [(3, Ready::IN), (1, Ready::IN)]);
}

#[test]
fn nothing_ready_waits_for_the_whole_limit() {
    let cx = Context::new();
    let (_push, pull) = push_pull(&cx, "inproc://limit");
    let mut poller = Poller::new();
    poller.add(&pull, 1, Ready::IN).unwrap();
    let start = Instant::now();
    assert_eq!(wait(&mut poller, SHORT), []);
    assert!(start.elapsed() >= SHORT);
}

#[test]
fn no_wake_is_lost_in_ten_thousand_turns() {
    let cx = Context::new();
    let (left, right) = (cx.socket(SocketType::Pair).unwrap(), cx.socket(SocketType::Pair).unwrap());
    let endpoint = left.bind("tcp://127.0.0.1:*").unwrap();
    right.connect(endpoint.to_string()).unwrap();
    let turns = |socket: &Socket| {
        let mut poller = Poller::new();
        poller.add(socket, 1, Ready::IN).unwrap();
        for _ in 0..10_000 {
            assert_eq!(wait(&mut poller, LONG), [(1, Ready::IN)]);
            let message = socket.try_recv().unwrap();
            socket.send(message).unwrap();
        }
    };
    thread::scope(|scope| {
        scope.spawn(|| turns(&right));
        left.send("ball").unwrap();
        turns(&left);
    });
}

#[test]
fn input_that_waits_for_room_is_read_when_asked_for() {
    let cx = Context::new();
    let pull = cx.socket_with(SocketType::Pull, &Options::new().set(opt::RCVHWM, 1)).unwrap();
    let endpoint = pull.bind("tcp://127.0.0.1:*").unwrap();
    let push = cx.socket(SocketType::Push).unwrap();
    push.connect(endpoint.to_string()).unwrap();
    let mut poller = Poller::new();
    poller.add(&pull, 1, Ready::IN).unwrap();
    for n in 0..200u32 {
        push.send(&n.to_be_bytes()).unwrap();
    }
    for n in 0..200u32 {
        assert_eq!(wait(&mut poller, LONG), [(1, Ready::IN)]);
        assert_eq!(pull.try_recv().unwrap()[0], &n.to_be_bytes()[..]);
    }
}

#[test]
fn a_poller_keeps_no_socket_alive() {
    let cx = Context::new();
    let pull = cx.socket(SocketType::Pull).unwrap();
    pull.bind("inproc://weak").unwrap();
    let mut poller = Poller::new();
    poller.add(&pull, 1, Ready::IN).unwrap();
    drop(pull);
    assert_eq!(wait(&mut poller, LONG), [(1, Ready::CLOSED)]);
    cx.socket(SocketType::Pull).unwrap().bind("inproc://weak").unwrap();
    assert_eq!(wait(&mut poller, LONG), [(1, Ready::CLOSED)], "until it is removed");
    poller.remove(1).unwrap();
    assert_eq!(wait(&mut poller, NOW), []);
}

#[test]
fn a_socket_that_is_closed_while_a_poller_waits_ends_the_wait() {
    let cx = Context::new();
    let (_push, pull) = push_pull(&cx, "inproc://closed");
    let mut poller = Poller::new();
    poller.add(&pull, 1, Ready::IN).unwrap();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| wait(&mut poller, LONG));
        pull.close().wait();
        assert_eq!(waiting.join().unwrap(), [(1, Ready::CLOSED)]);
    });
}

#[test]
fn the_end_of_a_context_ends_the_wait() {
    let cx = Context::new();
    let (_push, pull) = push_pull(&cx, "inproc://ended");
    let mut poller = Poller::new();
    poller.add(&pull, 1, Ready::IN).unwrap();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| wait(&mut poller, LONG));
        cx.shutdown();
        assert_eq!(waiting.join().unwrap(), [(1, Ready::CLOSED)]);
    });
}

#[test]
fn a_waker_ends_the_wait_under_way_or_else_the_next_one() {
    let mut poller = Poller::new();
    let waker = poller.waker();
    waker.wake();
    waker.wake();
    assert_eq!(wait(&mut poller, LONG), []);
    let start = Instant::now();
    assert_eq!(wait(&mut poller, SHORT), []);
    assert!(start.elapsed() >= SHORT, "one wake, one wait");
    thread::scope(|scope| {
        let start = Instant::now();
        let waiting = scope.spawn(|| wait(&mut poller, LONG));
        waker.wake();
        assert_eq!(waiting.join().unwrap(), []);
        assert!(start.elapsed() < LONG);
    });
}

#[test]
fn a_key_names_one_item() {
    let cx = Context::new();
    let (_push, pull) = push_pull(&cx, "inproc://key");
    let mut poller = Poller::new();
    poller.add(&pull, 1, Ready::IN).unwrap();
    poller.add(&pull, 2, Ready::IN).unwrap();
    let refused = poller.add(&pull, 1, Ready::IN).unwrap_err();
    assert!(matches!(&refused, Error::Io(error) if error.kind() == std::io::ErrorKind::InvalidInput));
    assert!(poller.modify(3, Ready::IN).is_err());
    assert!(poller.remove(3).is_err());
}

#[test]
fn one_message_wakes_a_receiver_and_a_poller_and_goes_to_one() {
    let cx = Context::new();
    let (push, pull) = push_pull(&cx, "tcp://127.0.0.1:*");
    let mut poller = Poller::new();
    poller.add(&pull, 1, Ready::IN).unwrap();
    thread::scope(|scope| {
        let receiver = scope.spawn(|| pull.recv_timeout(LONG));
        push.send("one").unwrap();
        assert_eq!(receiver.join().unwrap().unwrap()[0], "one");
        push.send("two").unwrap();
        assert_eq!(wait(&mut poller, LONG), [(1, Ready::IN)]);
        assert_eq!(pull.try_recv().unwrap()[0], "two");
    });
}

#[test]
fn poll_marks_each_item_and_counts_the_ready_ones() {
    let cx = Context::new();
    let (push, pull) = push_pull(&cx, "inproc://items");
    let mut items = [PollItem::new(&pull, Ready::IN), PollItem::new(&push, Ready::OUT)];
    assert_eq!(poll(&mut items, Some(NOW)).unwrap(), 1);
    assert_eq!([items[0].ready(), items[1].ready()], [Ready::NONE, Ready::OUT]);
    push.send("x").unwrap();
    assert_eq!(poll(&mut items, Some(LONG)).unwrap(), 2);
    assert_eq!(items[0].ready(), Ready::IN);
    pull.try_recv().unwrap();
    assert_eq!(poll(&mut items[..1], Some(NOW)).unwrap(), 0);
    assert_eq!(items[0].ready(), Ready::NONE, "an earlier answer does not stay");
    let start = Instant::now();
    assert_eq!(poll(&mut [], Some(SHORT)).unwrap(), 0);
    assert!(start.elapsed() >= SHORT, "without items it sleeps");
}

#[test]
fn a_publisher_can_always_send_and_a_subscriber_never() {
    let cx = Context::new();
    let (publisher, subscriber) = (cx.socket(SocketType::Pub).unwrap(), cx.socket(SocketType::Sub).unwrap());
    let both = Ready::IN | Ready::OUT;
    let mut items = [PollItem::new(&publisher, both), PollItem::new(&subscriber, both)];
    assert_eq!(poll(&mut items, Some(NOW)).unwrap(), 1);
    assert_eq!([items[0].ready(), items[1].ready()], [Ready::OUT, Ready::NONE]);
}

#[test]
fn req_and_rep_are_ready_by_turns() {
    let cx = Context::new();
    let (req, rep) = (cx.socket(SocketType::Req).unwrap(), cx.socket(SocketType::Rep).unwrap());
    rep.bind("inproc://turns").unwrap();
    req.connect("inproc://turns").unwrap();
    let both = Ready::IN | Ready::OUT;
    let state = || {
        let mut items = [PollItem::new(&req, both), PollItem::new(&rep, both)];
        poll(&mut items, Some(NOW)).unwrap();
        (items[0].ready(), items[1].ready())
    };
    assert_eq!(state(), (Ready::OUT, Ready::NONE));
    req.send("?").unwrap();
    assert_eq!(state(), (Ready::NONE, Ready::IN));
    rep.recv().unwrap();
    assert_eq!(state(), (Ready::NONE, Ready::OUT));
    rep.send("!").unwrap();
    assert_eq!(state(), (Ready::IN, Ready::NONE));
}

#[cfg(unix)]
mod descriptors {
    use super::*;
    use std::fs::File;
    use std::io::{Read, Write};
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;

    #[test]
    fn a_descriptor_and_a_socket_are_waited_for_together() {
        let cx = Context::new();
        let (push, pull) = push_pull(&cx, "tcp://127.0.0.1:*");
        let (mut near, mut far) = UnixStream::pair().unwrap();
        let mut poller = Poller::new();
        poller.add(&pull, 1, Ready::IN).unwrap();
        poller.add_fd(&near, 2, Ready::IN).unwrap();
        assert_eq!(wait(&mut poller, NOW), []);
        for _ in 0..500 {
            thread::scope(|scope| {
                let waiting = scope.spawn(|| wait(&mut poller, LONG));
                far.write_all(b"x").unwrap();
                assert_eq!(waiting.join().unwrap(), [(2, Ready::IN)]);
            });
            near.read_exact(&mut [0]).unwrap();
            thread::scope(|scope| {
                let waiting = scope.spawn(|| wait(&mut poller, LONG));
                push.send("x").unwrap();
                assert_eq!(waiting.join().unwrap(), [(1, Ready::IN)]);
            });
            pull.try_recv().unwrap();
        }
        push.send("x").unwrap();
        far.write_all(b"x").unwrap();
        assert_eq!(wait(&mut poller, LONG).last().unwrap().0, 2);
        pull.recv_timeout(LONG).unwrap();
        near.read_exact(&mut [0]).unwrap();
        assert_eq!(wait(&mut poller, NOW), []);
    }

    #[test]
    fn level_triggered_a_descriptor_is_reported_until_it_is_read() {
        let (mut near, mut far) = UnixStream::pair().unwrap();
        let mut poller = Poller::new();
        poller.add_fd(&near, 1, Ready::IN).unwrap();
        far.write_all(b"xy").unwrap();
        for _ in 0..2 {
            for _ in 0..3 {
                assert_eq!(wait(&mut poller, LONG), [(1, Ready::IN)]);
            }
            near.read_exact(&mut [0]).unwrap();
        }
        assert_eq!(wait(&mut poller, NOW), []);
        poller.modify(1, Ready::IN | Ready::OUT).unwrap();
        assert_eq!(wait(&mut poller, LONG), [(1, Ready::OUT)]);
        poller.remove(1).unwrap();
        assert_eq!(wait(&mut poller, NOW), []);
    }

    #[test]
    fn a_wait_on_a_descriptor_keeps_its_limit() {
        let (near, _far) = UnixStream::pair().unwrap();
        let mut poller = Poller::new();
        poller.add_fd(&near, 1, Ready::IN).unwrap();
        let start = Instant::now();
        assert_eq!(wait(&mut poller, SHORT), []);
        assert!(start.elapsed() >= SHORT);
    }

    #[test]
    fn a_waker_ends_a_wait_on_a_descriptor() {
        let (near, _far) = UnixStream::pair().unwrap();
        let mut poller = Poller::new();
        let waker = poller.waker();
        poller.add_fd(&near, 1, Ready::IN).unwrap();
        for _ in 0..200 {
            thread::scope(|scope| {
                let waiting = scope.spawn(|| {
                    let start = Instant::now();
                    wait(&mut poller, LONG);
                    start.elapsed() < LONG
                });
                waker.wake();
                assert!(waiting.join().unwrap());
            });
        }
    }

    #[test]
    fn a_regular_file_is_always_ready() {
        let file = File::open(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).unwrap();
        let mut poller = Poller::new();
        poller.add_fd(&file, 1, Ready::IN | Ready::OUT).unwrap();
        for _ in 0..2 {
            assert_eq!(wait(&mut poller, LONG), [(1, Ready::IN | Ready::OUT)]);
        }
        let mut items = [PollItem::fd(&file, Ready::IN)];
        assert_eq!(poll(&mut items, Some(LONG)).unwrap(), 1);
        assert_eq!(items[0].ready(), Ready::IN);
    }

    #[test]
    fn a_peer_that_hung_up_is_an_error_unasked() {
        let (near, far) = UnixStream::pair().unwrap();
        let mut poller = Poller::new();
        poller.add_fd(&near, 1, Ready::OUT).unwrap();
        drop(far);
        let [(1, ready)] = wait(&mut poller, LONG)[..] else { panic!("one event") };
        assert!(ready.is_error() && !ready.is_in());
        poller.modify(1, Ready::ERROR).unwrap();
        assert_eq!(wait(&mut poller, LONG), [(1, Ready::ERROR)]);
    }

    #[test]
    fn who_wants_errors_alone_sleeps_while_there_is_input() {
        let (near, mut far) = UnixStream::pair().unwrap();
        far.write_all(b"x").unwrap();
        let mut poller = Poller::new();
        poller.add_fd(&near, 1, Ready::ERROR).unwrap();
        assert_eq!(wait(&mut poller, SHORT), []);
    }

    #[test]
    fn a_descriptor_that_was_closed_is_an_error() {
        let (near, _far) = UnixStream::pair().unwrap();
        let mut poller = Poller::new();
        // A number that no test of this process opens.
        poller.add_fd(&(near.as_raw_fd() + 5000), 1, Ready::IN).unwrap();
        assert_eq!(wait(&mut poller, LONG), [(1, Ready::ERROR)]);
    }

    #[test]
    fn a_descriptor_may_be_watched_twice() {
        let (near, mut far) = UnixStream::pair().unwrap();
        let mut poller = Poller::new();
        poller.add_fd(&near, 1, Ready::IN).unwrap();
        poller.add_fd(&near, 2, Ready::OUT).unwrap();
        assert_eq!(wait(&mut poller, LONG), [(2, Ready::OUT)]);
        far.write_all(b"x").unwrap();
        assert_eq!(wait(&mut poller, LONG), [(1, Ready::IN), (2, Ready::OUT)]);
        poller.remove(2).unwrap();
        assert_eq!(wait(&mut poller, LONG), [(1, Ready::IN)]);
        let mut items = [PollItem::fd(&near, Ready::OUT), PollItem::fd(&near, Ready::IN)];
        assert_eq!(poll(&mut items, Some(LONG)).unwrap(), 2);
        assert_eq!([items[0].ready(), items[1].ready()], [Ready::OUT, Ready::IN]);
    }

    #[test]
    fn more_descriptors_than_one_look_holds_are_all_reported() {
        let pairs: Vec<_> = (0..100).map(|_| UnixStream::pair().unwrap()).collect();
        let mut poller = Poller::new();
        for (key, (near, _)) in pairs.iter().enumerate() {
            poller.add_fd(near, key, Ready::IN).unwrap();
        }
        for (_, far) in &pairs {
            (&*far).write_all(b"x").unwrap();
        }
        assert_eq!(wait(&mut poller, LONG).len(), 100);
    }

    #[test]
    fn poll_waits_for_descriptor_and_socket() {
        let cx = Context::new();
        let (push, pull) = push_pull(&cx, "tcp://127.0.0.1:*");
        let (near, mut far) = UnixStream::pair().unwrap();
        thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                let mut items = [PollItem::new(&pull, Ready::IN), PollItem::fd(&near, Ready::IN)];
                poll(&mut items, Some(LONG)).unwrap();
                items[0].ready()
            });
            push.send("x").unwrap();
            assert_eq!(waiting.join().unwrap(), Ready::IN);
        });
        pull.try_recv().unwrap();
        far.write_all(b"x").unwrap();
        let mut items = [PollItem::new(&pull, Ready::IN), PollItem::fd(&near, Ready::IN)];
        assert_eq!(poll(&mut items, Some(LONG)).unwrap(), 1);
        assert_eq!(items[1].ready(), Ready::IN);
    }
}
