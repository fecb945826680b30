//! What a task costs beside a thread: the same loop as a blocked thread, as a task of tokio, and as a future that this program polls
//! itself, in turns. Two contexts in one process, over tcp on loopback.
//!
//! `blocking calls` shows what tokio alone costs: its task calls `recv` and awaits nothing.
//!
//! - `receive`: one PUSH floods, the loop receives.
//! - `ping-pong`: one message goes to and fro between two PAIRs, both ends in the same kind of loop.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use clap::Parser;
use zeroxide::{Context, Message, Socket, SocketType};

/// Compares tasks with blocked threads.
#[derive(Parser)]
struct Options {
    /// Sizes of a message's body in bytes.
    #[arg(long, value_delimiter = ',', default_value = "64,1024")]
    sizes: Vec<usize>,
    /// Runs of each; the median counts.
    #[arg(long, default_value_t = 7)]
    runs: usize,
    /// Messages of one flood.
    #[arg(long, default_value_t = 1_000_000)]
    messages: usize,
    /// Round trips of one run.
    #[arg(long, default_value_t = 20_000)]
    trips: usize,
    /// Only what contains this in its name.
    #[arg(long, default_value = "")]
    only: String,
}

/// What runs the loop.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Executor {
    Blocked,
    TokioOneThread,
    TokioThreads,
    /// The blocking calls in a task.
    BlockingOneThread,
    BlockingThreads,
    Bare,
}

impl Executor {
    const ALL: [(Executor, &str); 6] = [
        (Executor::Blocked, "blocked thread"),
        (Executor::TokioOneThread, "tokio, one thread"),
        (Executor::BlockingOneThread, "one, blocking calls"),
        (Executor::TokioThreads, "tokio, two threads"),
        (Executor::BlockingThreads, "two, blocking calls"),
        (Executor::Bare, "polled by hand"),
    ];

    /// Returns whether its loop makes the blocking calls.
    fn blocks(self) -> bool {
        matches!(self, Executor::Blocked | Executor::BlockingOneThread | Executor::BlockingThreads)
    }

    /// Runs a task to its end.
    fn run<T: Send + 'static>(self, task: impl Future<Output = T> + Send + 'static) -> T {
        let mut tokio = match self {
            Executor::Blocked | Executor::Bare => return block_on(task),
            Executor::TokioOneThread | Executor::BlockingOneThread => {
                tokio::runtime::Builder::new_current_thread()
            }
            Executor::TokioThreads | Executor::BlockingThreads => tokio::runtime::Builder::new_multi_thread(),
        };
        let runtime = tokio.worker_threads(2).build().expect("a runtime");
        runtime.block_on(async { tokio::spawn(task).await.expect("a task that ends") })
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut TaskContext::from_waker(&waker)) {
            return value;
        }
        #[expect(clippy::disallowed_methods, reason = "an executor")]
        thread::park();
    }
}

/// Two sockets that are connected, each of a context of its own.
fn connected(bound: SocketType, connecting: SocketType) -> (Socket, Socket) {
    let (here, there) = (Context::new(), Context::new());
    let (bound, connecting) = (here.socket(bound), there.socket(connecting));
    let (bound, connecting) = (bound.expect("a socket"), connecting.expect("a socket"));
    let endpoint = bound.bind("tcp://127.0.0.1:*").expect("an endpoint");
    connecting.connect_ready(endpoint, Duration::from_secs(10)).expect("a connection");
    (bound, connecting)
}

/// Receives a flood; returns the messages per second.
fn receive(executor: Executor, size: usize, count: usize) -> f64 {
    let (pull, push) = connected(SocketType::Pull, SocketType::Push);
    let sender = thread::spawn(move || {
        let body = vec![0u8; size];
        (0..count).for_each(|_| push.send(&body[..]).expect("a message sent"));
        push
    });
    let first = pull.recv().expect("a message");
    assert_eq!(first[0].len(), size);
    let start = Instant::now();
    if executor.blocks() {
        executor.run(async move { (1..count).for_each(|_| drop(pull.recv().expect("a message"))) });
    } else {
        executor.run(async move {
            for _ in 1..count {
                drop(pull.recv_async().await.expect("a message"));
            }
        });
    }
    let rate = (count - 1) as f64 / start.elapsed().as_secs_f64();
    drop(sender.join());
    rate
}

/// Sends one message to and fro; returns the round trips per second.
fn ping_pong(executor: Executor, size: usize, trips: usize) -> f64 {
    let (left, right) = connected(SocketType::Pair, SocketType::Pair);
    let echo = thread::spawn(move || {
        if executor.blocks() {
            let answer = move || right.send(right.recv().expect("a message")).expect("a message sent");
            return executor.run(async move { (0..trips).for_each(|_| answer()) });
        }
        executor.run(async move {
            for _ in 0..trips {
                let message = right.recv_async().await.expect("a message");
                right.send_async(message).await.expect("a message sent");
            }
        });
    });
    let mut message = Message::from(vec![0u8; size]);
    let start = Instant::now();
    if executor.blocks() {
        executor.run(async move {
            for _ in 0..trips {
                left.send(message).expect("a message sent");
                message = left.recv().expect("a message");
            }
        });
    } else {
        executor.run(async move {
            for _ in 0..trips {
                left.send_async(message).await.expect("a message sent");
                message = left.recv_async().await.expect("a message");
            }
        });
    }
    let rate = trips as f64 / start.elapsed().as_secs_f64();
    echo.join().expect("an echo that ends");
    rate
}

fn main() {
    let options = Options::parse();
    for &size in &options.sizes {
        table("receive, messages/s", size, &options, |executor| receive(executor, size, options.messages));
        table("ping-pong, round trips/s", size, &options, |executor| {
            ping_pong(executor, size, options.trips)
        });
    }
}

/// Runs all executors in turns, and prints the medians and what they are of the first one's.
fn table(what: &str, size: usize, options: &Options, run: impl Fn(Executor) -> f64) {
    let executors = Executor::ALL.iter().filter(|(_, name)| name.contains(&options.only));
    let mut rates: Vec<_> = executors.map(|(executor, name)| (*executor, *name, Vec::new())).collect();
    for _ in 0..options.runs {
        for (executor, _, rates) in &mut rates {
            rates.push(run(*executor));
        }
    }
    println!("{what}, {size} B");
    let mut first = None;
    for (_, name, rates) in &mut rates {
        rates.sort_by(f64::total_cmp);
        let median = rates[rates.len() / 2];
        println!("  {name:<20} {median:>12.0}   {:.2}", median / *first.get_or_insert(median));
    }
}
