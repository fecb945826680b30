//! Storms on every kind of executor: waits that end at any moment, beside threads on the same handle. Each message is numbered;
//! each comes once, and in order where one task receives.
//!
//! `ZEROXIDE_STORM=1000000` sets the number of messages of each storm; by default it is small enough for every day.
#![allow(clippy::unwrap_used)] // a test's helpers

mod common;

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use common::Soon;
use common::task::block_on;
use zeroxide::{Context, Message, Socket, SocketType};

fn messages() -> u32 {
    std::env::var("ZEROXIDE_STORM")
        .map_or(20_000, |number| number.parse().expect("ZEROXIDE_STORM is a number"))
}

fn pipeline(cx: &Context) -> (Socket, Socket) {
    let (pull, push) = (cx.socket(SocketType::Pull).unwrap(), cx.socket(SocketType::Push).unwrap());
    push.connect(pull.bind("tcp://127.0.0.1:*").unwrap()).unwrap();
    push.wait_for_peers(1, common::LONG).unwrap();
    (pull, push)
}

fn number(message: &Message) -> u32 {
    u32::from_be_bytes(message[0][..].try_into().unwrap())
}

/// How an executor gives a future up: after a time, or at its first pause.
type GiveUp = fn(Duration) -> Pin<Box<dyn Future<Output = ()> + Send>>;

/// Waits for the first of the two; the other is dropped.
async fn first<T>(future: impl Future<Output = T>, give_up: impl Future<Output = ()>) -> Option<T> {
    let (mut future, mut give_up) = (pin!(future), pin!(give_up));
    std::future::poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => give_up.as_mut().poll(cx).map(|()| None),
    })
    .await
}

/// Lets others of its executor run once.
async fn pause() {
    let mut paused = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut paused, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Sends every number, at most 63 ahead of the receiver, so that it has to wait often. Each send may be given up, and its message
/// is sent again.
async fn send_all(push: Socket, count: u32, give_up: GiveUp, received: Arc<AtomicU32>) -> u32 {
    let mut given_up = 0;
    for n in 0..count {
        while n > received.load(Ordering::SeqCst) + n % 64 {
            pause().await;
        }
        let mut message = Message::from(&n.to_be_bytes());
        loop {
            let mut sending = push.send_async(message);
            match first(&mut sending, give_up(Duration::from_micros(u64::from(n % 7)))).await {
                Some(sent) => break sent.unwrap(),
                None => match sending.cancel() {
                    Some(back) => message = back,
                    None => panic!("a send that was pending is not sent"),
                },
            }
            given_up += 1;
            pause().await;
        }
    }
    given_up
}

/// Receives every number in order; each wait may be given up.
async fn recv_all(pull: Socket, count: u32, give_up: GiveUp, progress: Arc<AtomicU32>) -> u32 {
    let (mut next, mut given_up) = (0, 0);
    while next < count {
        let limit = Duration::from_micros(u64::from(next % 50));
        let Some(received) = first(pull.recv_async(), give_up(limit)).await else {
            given_up += 1;
            pause().await;
            continue;
        };
        assert_eq!(number(&received.unwrap()), next, "in order, none missing, none twice");
        next += 1;
        progress.store(next, Ordering::SeqCst);
    }
    given_up
}

#[test]
fn a_storm_loses_nothing_on_tokio_with_one_thread_and_with_several() {
    // tokio's timers count milliseconds, so a short wait ends at its first pause.
    let give_up: GiveUp = |limit| {
        if limit < Duration::from_micros(25) {
            Box::pin(std::future::ready(()))
        } else {
            Box::pin(tokio::time::sleep(limit))
        }
    };
    for mut builder in
        [tokio::runtime::Builder::new_current_thread(), tokio::runtime::Builder::new_multi_thread()]
    {
        let runtime = builder.enable_time().build().unwrap();
        let (cx, count) = (Context::new(), messages());
        let (pull, push) = pipeline(&cx);
        let received: Arc<AtomicU32> = Arc::default();
        let given_up = runtime.block_on(async {
            let sender = tokio::spawn(send_all(push, count, give_up, Arc::clone(&received)));
            let given_up = tokio::spawn(recv_all(pull, count, give_up, received)).await.unwrap();
            sender.await.unwrap();
            given_up
        });
        println!("{count} messages, {given_up} waits given up");
        assert!(given_up > 0, "no wait was given up");
    }
}

#[test]
fn a_storm_loses_nothing_on_smol() {
    let give_up: GiveUp = |limit| {
        Box::pin(async move {
            if !limit.is_zero() {
                smol::Timer::after(limit).await;
            }
        })
    };
    let (cx, count) = (Context::new(), messages());
    let (pull, push) = pipeline(&cx);
    let received: Arc<AtomicU32> = Arc::default();
    let given_up = smol::block_on(async {
        let sender = smol::spawn(send_all(push, count, give_up, Arc::clone(&received)));
        let given_up = smol::spawn(recv_all(pull, count, give_up, received)).await;
        sender.await;
        given_up
    });
    println!("{count} messages, {given_up} waits given up");
    assert!(given_up > 0, "no wait was given up");
}

#[test]
fn a_storm_loses_nothing_on_a_bare_executor() {
    // It gives up at the first pause, and comes back at once.
    let give_up: GiveUp = |_| Box::pin(std::future::ready(()));
    let (cx, count) = (Context::new(), messages());
    let (pull, push) = pipeline(&cx);
    let received: Arc<AtomicU32> = Arc::default();
    let progress = Arc::clone(&received);
    thread::scope(|scope| {
        let sender = scope.spawn(|| block_on(send_all(push, count, give_up, progress)));
        let given_up = block_on(recv_all(pull, count, give_up, received));
        sender.join().unwrap();
        println!("{count} messages, {given_up} waits given up");
        assert!(given_up > 0, "no wait was given up");
    });
}

#[test]
fn tasks_and_threads_share_one_socket() {
    let (cx, count) = (Context::new(), messages());
    let (pull, push) = pipeline(&cx);
    let seen: Vec<AtomicUsize> = (0..count).map(|_| AtomicUsize::new(0)).collect();
    let left = AtomicU32::new(count);
    // A message without a number ends whoever receives it.
    let note = |message: &Message| {
        if message[0].is_empty() {
            return false;
        }
        seen[number(message) as usize].fetch_add(1, Ordering::SeqCst);
        if left.fetch_sub(1, Ordering::SeqCst) == 1 {
            (0..4).for_each(|_| push.send("").unwrap());
        }
        true
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build().unwrap();
    thread::scope(|scope| {
        scope.spawn(|| (0..count).for_each(|n| push.send(&n.to_be_bytes()).unwrap()));
        for _ in 0..2 {
            scope.spawn(|| while note(&pull.recv_soon()) {});
        }
        scope.spawn(|| {
            block_on(async { while note(&pull.recv_async().await.unwrap()) {} });
        });
        runtime.block_on(async {
            loop {
                let waited = tokio::time::timeout(Duration::from_micros(100), pull.recv_async()).await;
                if waited.is_ok_and(|message| !note(&message.unwrap())) {
                    return;
                }
            }
        });
    });
    assert!(seen.iter().all(|times| times.load(Ordering::SeqCst) == 1));
}
