//! Many threads on one handle: each message to exactly one, no wake lost, no hang at the end.
#![allow(clippy::unwrap_used)] // a test's helpers

mod common;

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use common::{LONG, Soon, no_linger, until};
use zeroxide::{Context, Error, Frame, Options, RoutingId, Socket, SocketType, opt};

fn number(bytes: &[u8]) -> u32 {
    u32::from_be_bytes(bytes.try_into().unwrap())
}

fn pair_of(
    cx: &Context,
    a: SocketType,
    b: SocketType,
    endpoint: &str,
    options: &Options,
) -> (Socket, Socket) {
    let (a, b) = (cx.socket_with(a, options).unwrap(), cx.socket_with(b, options).unwrap());
    let endpoint = a.bind(endpoint).unwrap().to_string();
    b.connect(endpoint).unwrap();
    (a, b)
}

#[test]
fn of_several_receivers_each_message_goes_to_exactly_one() {
    for endpoint in ["tcp://127.0.0.1:*", "ipc://*", "inproc://receivers"] {
        let cx = Context::new();
        let (pull, push) = pair_of(&cx, SocketType::Pull, SocketType::Push, endpoint, &Options::new());
        let (count, receivers) = (20_000u32, 4);
        let seen = Mutex::new(HashSet::new());
        thread::scope(|scope| {
            for _ in 0..receivers {
                scope.spawn(|| {
                    loop {
                        let message = pull.recv_soon();
                        if message[0].is_empty() {
                            return;
                        }
                        assert!(seen.lock().unwrap().insert(number(&message[0])), "twice");
                    }
                });
            }
            for n in 0..count {
                push.send(&n.to_be_bytes()).unwrap();
            }
            (0..receivers).for_each(|_| push.send("").unwrap());
        });
        assert_eq!(seen.into_inner().unwrap().len(), count as usize);
    }
}

#[test]
fn a_batch_that_arrives_at_once_wakes_as_many_receivers_as_it_has_messages() {
    for endpoint in ["tcp://127.0.0.1:*", "inproc://batch"] {
        let cx = Context::new();
        let (pull, push) = pair_of(&cx, SocketType::Pull, SocketType::Push, endpoint, &Options::new());
        pull.wait_for_peers(1, LONG).unwrap();
        for _ in 0..200 {
            thread::scope(|scope| {
                let receivers: Vec<_> = (0..6).map(|_| scope.spawn(|| pull.recv_timeout(LONG))).collect();
                until("all wait", || pull.status().receivers_waiting == 6);
                (0..6u8).for_each(|n| push.send(&[n]).unwrap());
                let mut got: Vec<u8> =
                    receivers.into_iter().map(|r| r.join().unwrap().unwrap()[0][0]).collect();
                got.sort_unstable();
                assert_eq!(got, [0, 1, 2, 3, 4, 5]);
            });
        }
    }
}

#[test]
fn room_for_many_wakes_every_sender_that_waits_for_it() {
    for endpoint in ["tcp://127.0.0.1:*", "ipc://*", "inproc://senders"] {
        let cx = Context::new();
        let options = Options::new().set(opt::SNDHWM, 8).set(opt::RCVHWM, 8);
        let (pull, push) = pair_of(&cx, SocketType::Pull, SocketType::Push, endpoint, &options);
        push.wait_for_peers(1, LONG).unwrap();
        let body = vec![7; 100_000];
        for _ in 0..5 {
            let mut queued = 0;
            while push.send_timeout(body.clone(), Duration::from_millis(20)).is_ok() {
                queued += 1;
            }
            thread::scope(|scope| {
                let senders: Vec<_> = (0..6)
                    .map(|_| scope.spawn(|| push.send_timeout("late", LONG).map_err(|e| e.error)))
                    .collect();
                // On a loaded machine room may still come from the kernel, and let one through.
                let gone = || senders.iter().filter(|sender| sender.is_finished()).count();
                until("all wait", || push.status().senders_waiting + gone() >= 6);
                for _ in 0..queued + 6 {
                    pull.recv_soon();
                }
                senders.into_iter().for_each(|sender| sender.join().unwrap().unwrap());
            });
        }
    }
}

#[test]
fn a_sender_to_a_full_peer_does_not_swallow_the_wake_of_one_to_another() {
    let cx = Context::new();
    let options = Options::new().set(opt::SNDHWM, 2).set(opt::RCVHWM, 2);
    let router = cx.socket_with(SocketType::Router, &options).unwrap();
    router.bind("inproc://two").unwrap();
    let dealers: Vec<Socket> = ["a", "b"]
        .into_iter()
        .map(|id| {
            let options = options.clone().set(opt::ROUTING_ID, RoutingId::new(id).unwrap());
            let dealer = cx.socket_with(SocketType::Dealer, &options).unwrap();
            dealer.connect("inproc://two").unwrap();
            dealer
        })
        .collect();
    router.wait_for_peers(2, LONG).unwrap();
    for id in ["a", "b"] {
        while router.try_send((id, "x")).is_ok() {}
    }
    thread::scope(|scope| {
        let first = scope.spawn(|| router.send_timeout(("a", "y"), LONG));
        until("the first waits", || router.status().senders_waiting == 1);
        let second = scope.spawn(|| router.send_timeout(("b", "y"), LONG));
        until("both wait", || router.status().senders_waiting == 2);
        (0..4).for_each(|_| drop(dealers[1].recv_soon()));
        second.join().unwrap().unwrap();
        (0..4).for_each(|_| drop(dealers[0].recv_soon()));
        first.join().unwrap().unwrap();
    });
}

#[test]
fn several_senders_lose_nothing_and_keep_their_own_order() {
    for endpoint in ["tcp://127.0.0.1:*", "inproc://many"] {
        let cx = Context::new();
        let (pull, push) = pair_of(&cx, SocketType::Pull, SocketType::Push, endpoint, &Options::new());
        let (senders, each) = (4u32, 5_000u32);
        thread::scope(|scope| {
            for sender in 0..senders {
                let push = &push;
                scope.spawn(move || {
                    for n in 0..each {
                        push.send([&sender.to_be_bytes()[..], &n.to_be_bytes()[..]]).unwrap();
                    }
                });
            }
            let mut next = vec![0; senders as usize];
            for _ in 0..senders * each {
                let message = pull.recv_soon();
                let sender = number(&message[0]) as usize;
                assert_eq!(number(&message[1]), next[sender]);
                next[sender] += 1;
            }
        });
    }
}

#[test]
fn a_receiver_that_gives_up_passes_its_wake_on() {
    let cx = Context::new();
    let (pull, push) = pair_of(&cx, SocketType::Pull, SocketType::Push, "inproc://giveup", &Options::new());
    let received = AtomicUsize::new(0);
    let rounds = 3_000;
    thread::scope(|scope| {
        // They give up all the time, in between which messages arrive for the patient one.
        for _ in 0..3 {
            scope.spawn(|| {
                while received.load(Ordering::SeqCst) < rounds {
                    if pull.recv_timeout(Duration::from_micros(50)).is_ok() {
                        received.fetch_add(1, Ordering::SeqCst);
                    }
                }
            });
        }
        scope.spawn(|| {
            while received.load(Ordering::SeqCst) < rounds {
                match pull.recv_timeout(Duration::from_millis(500)) {
                    Ok(_) => drop(received.fetch_add(1, Ordering::SeqCst)),
                    Err(Error::TimedOut(_)) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        });
        for n in 0..rounds {
            push.send("x").unwrap();
            if n % 3 == 0 {
                until("it is received", || received.load(Ordering::SeqCst) > n);
            }
        }
        until("all are received", || received.load(Ordering::SeqCst) >= rounds);
    });
}

#[test]
fn requests_from_eight_threads_each_get_their_own_reply() {
    for endpoint in ["tcp://127.0.0.1:*", "inproc://oracle"] {
        let cx = Context::new();
        let (rep, req) = pair_of(&cx, SocketType::Rep, SocketType::Req, endpoint, &Options::new());
        let (threads, each) = (8u32, 100u32);
        thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..threads * each {
                    let question = rep.recv_soon();
                    rep.send(question).unwrap();
                }
            });
            for thread in 0..threads {
                let req = &req;
                scope.spawn(move || {
                    for n in 0..each {
                        let question = (thread * each + n).to_be_bytes();
                        let answer = req.request(&question, LONG).unwrap();
                        assert_eq!(answer[0], &question[..]);
                    }
                });
            }
        });
    }
}

/// What a thread may be told by a socket that is closed or terminated under its hands.
fn only_an_end(error: &Error) -> bool {
    matches!(error, Error::Closed | Error::Terminated)
}

fn torment(cx: &Context, socket: &Socket, n: usize, target: &str) -> Result<(), Error> {
    match n {
        0 | 1 => drop(socket.recv()?),
        2 | 3 => socket.send_timeout("x", LONG)?,
        4 => {
            let endpoint = socket.bind("tcp://127.0.0.1:*")?;
            socket.unbind(endpoint.to_string())?;
        }
        5 => {
            socket.connect(target)?;
            let _ = socket.disconnect(target);
        }
        6 => {
            let name = format!("inproc://t{}", std::process::id());
            match socket.bind(&name) {
                Err(Error::Bind(_)) => {}
                other => drop(other?),
            }
            let _ = socket.unbind(&name);
            drop(cx.socket(SocketType::Pair)?);
        }
        _ => match socket.monitor().recv_timeout(Duration::from_millis(1)) {
            // A monitor tells until the socket is closed; a terminated one still has its end to tell of.
            Err(Error::TimedOut(_)) => socket.set(opt::SNDTIMEO, None)?,
            other => drop(other?),
        },
    }
    Ok(())
}

#[test]
fn close_term_and_shutdown_end_every_call_of_eight_threads() {
    for round in 0..150 {
        let cx = Context::new();
        let target = cx.socket(SocketType::Dealer).unwrap();
        let endpoint = target.bind("tcp://127.0.0.1:*").unwrap().to_string();
        let socket = cx.socket_with(SocketType::Dealer, &no_linger()).unwrap();
        socket.connect(&endpoint).unwrap();
        let busy = AtomicUsize::new(0);
        thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|n| {
                    let (cx, socket, endpoint, busy) = (&cx, &socket, &endpoint, &busy);
                    scope.spawn(move || {
                        loop {
                            let result = torment(cx, socket, n, endpoint);
                            busy.fetch_add(1, Ordering::SeqCst);
                            if let Err(error) = result {
                                assert!(only_an_end(&error), "{n}: {error:?}");
                                return;
                            }
                        }
                    })
                })
                .collect();
            until("they are at it", || busy.load(Ordering::SeqCst) > round % 10);
            match round % 3 {
                0 => drop(socket.close().wait()),
                1 => cx.shutdown(),
                _ => drop(cx.term().wait()),
            }
            if round % 3 == 0 {
                cx.shutdown(); // for those who only make sockets
            }
            threads.into_iter().for_each(|thread| thread.join().unwrap());
        });
        assert!(cx.term().wait_timeout(LONG).is_ok(), "round {round}");
    }
}

#[test]
fn dropping_a_socket_never_blocks() {
    let cx = Context::new();
    let options = Options::new().set(opt::LINGER, None);
    for _ in 0..100 {
        let push = cx.socket_with(SocketType::Push, &options).unwrap();
        push.connect("tcp://127.0.0.1:1").unwrap();
        push.send("for ever").unwrap();
        drop(push);
    }
    let start = std::time::Instant::now();
    drop(cx);
    assert!(start.elapsed() < Duration::from_secs(5), "the context waits at most 1 s: {:?}", start.elapsed());
}

/// A payload that sends when it is dropped, as a pool might that announces a free buffer.
struct Announces(Socket);

impl AsRef<[u8]> for Announces {
    fn as_ref(&self) -> &[u8] {
        &[7; 100]
    }
}

impl Drop for Announces {
    fn drop(&mut self) {
        // Whether it goes out does not matter: it must come back.
        drop(self.0.try_send("free"));
    }
}

#[test]
fn a_payload_whose_drop_sends_on_the_same_socket_never_finds_it_locked() {
    for _ in 0..200 {
        let context = Context::new();
        let push = context.socket_with(SocketType::Push, &no_linger()).unwrap();
        let pull = context.socket(SocketType::Pull).unwrap();
        push.bind("inproc://drop").unwrap();
        pull.connect("inproc://drop").unwrap();
        thread::scope(|scope| {
            scope.spawn(move || drop(pull));
            for _ in 0..20 {
                drop(push.try_send(Frame::from_owner(Announces(push.clone()))));
            }
        });
        drop(push.close());
    }
}

#[test]
fn a_loop_over_a_socket_goes_on_after_a_time_out_and_ends_when_it_is_closed() {
    let cx = Context::new();
    let options = no_linger().set(opt::RCVTIMEO, Some(Duration::from_millis(1)));
    let (pull, push) = pair_of(&cx, SocketType::Pull, SocketType::Push, "inproc://loop", &options);
    let mut messages = pull.iter();
    assert!(matches!(messages.next(), Some(Err(Error::TimedOut(_)))));
    push.send("after it").unwrap();
    assert_eq!(messages.next().unwrap().unwrap()[0], "after it");
    pull.set(opt::RCVTIMEO, None).unwrap();
    thread::scope(|scope| {
        let count = scope.spawn(|| (&pull).into_iter().filter(Result::is_ok).count());
        push.send("the last").unwrap();
        until("it is received", || pull.stats().received.delivered == 2);
        drop(pull.close());
        assert_eq!(count.join().unwrap(), 1);
    });
    assert!(pull.iter().next().is_none());
}
