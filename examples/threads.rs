//! A service of plain threads: four of them share one ROUTER, as any threads may share any socket. There is no DEALER
//! behind it and no proxy, because a request goes to whichever thread is free.
//!
//! It counts prime numbers: the request `100` gets the reply `25`. Start it with `cargo run --release --example threads --
//! tcp://127.0.0.1:5555`; a client is a REQ or a DEALER in any language.
//!
//! Ctrl-C closes the socket. That ends the blocked calls of all threads, and what was sent is still written. A request that a
//! thread is working on gets no reply any more; the program says how many these were.

use std::thread;

use zeroxide::{Context, Error, Frame, Message, Socket, SocketType};

const THREADS: usize = 4;
/// More would take too long to count.
const LARGEST: u64 = 10_000_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [endpoint] = &std::env::args().skip(1).collect::<Vec<_>>()[..] else {
        return Err("argument: the endpoint to bind".into());
    };
    run(endpoint)
}

pub(crate) fn run(endpoint: &str) -> Result<(), Box<dyn std::error::Error>> {
    let context = Context::new();
    let router = context.socket(SocketType::Router)?;
    println!("bound {}", router.bind(endpoint)?);

    let on_interrupt = router.clone();
    ctrlc::set_handler(move || drop(on_interrupt.close()))?;

    let served = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(|| serve(&router))).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("no thread panics"))
            .collect::<Result<Vec<_>, _>>()
    })?;

    let report = context.term().wait();
    let replies: u64 = served.iter().map(|served| served.replies).sum();
    let unsent = served.iter().filter(|served| served.interrupted).count();
    println!("{replies} replies, {unsent} not sent, {} dropped", report.dropped);
    Ok(())
}

/// What one thread has done.
#[derive(Default)]
struct Served {
    replies: u64,
    /// The socket was closed while it worked on a request.
    interrupted: bool,
}

/// Serves requests until the socket is closed.
fn serve(router: &Socket) -> zeroxide::Result<Served> {
    let mut served = Served::default();
    loop {
        let (client, request) = match router.recv_from() {
            Ok(received) => received,
            Err(Error::Closed) => return Ok(served),
            Err(error) => return Err(error),
        };
        match router.send_to(&client, reply_to(request)).map_err(|unsent| unsent.error) {
            Ok(()) => served.replies += 1,
            // A client may go before its reply comes.
            Err(Error::Unroutable { .. }) => {}
            Err(Error::Closed) => return Ok(Served { interrupted: true, ..served }),
            Err(error) => return Err(error),
        }
    }
}

/// The request with the answer in the place of the number, which is the last frame. What stands before it is the envelope of
/// a REQ, or whatever else the client wants to have back.
fn reply_to(request: Message) -> Message {
    let mut frames: Vec<Frame> = request.into_iter().collect();
    let number = frames.pop().and_then(|frame| frame.as_str().ok()?.parse().ok());
    let answer = match number {
        Some(number) if number <= LARGEST => primes_below(number).to_string(),
        _ => format!("not a number up to {LARGEST}"),
    };
    frames.push(answer.into());
    frames.into()
}

fn primes_below(end: u64) -> usize {
    let is_prime = |n: u64| (2..).take_while(|d| d * d <= n).all(|d| n % d != 0);
    (2..end).filter(|&n| is_prime(n)).count()
}
