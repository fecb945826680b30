//! Eight threads use a socket in every way while it is closed, or its context ends: each call ends, with an error that says so.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use crossbeam_channel::{Sender, bounded};
use zeroxide::{
    Context, Error, Options as SocketOptions, PollItem, Proxy, Ready, Socket, SocketType, opt, poll,
};

use crate::report::{Report, Rule};
use crate::wire::LONG;

const THREADS: usize = 8;
const LINGER: Duration = Duration::from_millis(50);

const SLOWEST: Rule = Rule::at_most(5050.0, "every call ends within LINGER (50 ms) and 5 s");
const NONE: Rule = Rule::at_most(0.0, "a call ends with Closed or Terminated");

/// Options of `races`.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Rounds, a third each with close, shutdown and term.
    #[arg(long, default_value_t = 300)]
    rounds: usize,
}

/// What the threads of a round share.
#[derive(Debug)]
struct Stage {
    context: Context,
    socket: Socket,
    _target: Socket,
    endpoint: String,
    calls: AtomicUsize,
}

/// Runs it.
///
/// # Errors
/// Something else than a figure is wrong, or a call hangs for a minute.
pub fn run(options: &Options, report: &mut Report) -> Result<()> {
    let (mut slowest, mut calls, mut wrong) = (Duration::ZERO, 0, 0);
    for n in 0..options.rounds {
        let round = round(n).with_context(|| format!("round {n}"))?;
        slowest = slowest.max(round.ended_after);
        calls += round.calls;
        for error in &round.wrong {
            println!("round {n}: {error}");
        }
        wrong += round.wrong.len();
    }
    report.figure("races.rounds", options.rounds as f64, "rounds");
    report.figure("races.calls", calls as f64, "calls");
    report.judge("races.slowest", slowest.as_secs_f64() * 1000.0, "ms", &SLOWEST);
    report.judge("races.wrong", wrong as f64, "errors", &NONE);
    Ok(())
}

struct Round {
    ended_after: Duration,
    calls: usize,
    wrong: Vec<String>,
}

fn round(n: usize) -> Result<Round> {
    let stage = Arc::new(set()?);
    let (sender, ended) = bounded(THREADS);
    for thread in 0..THREADS {
        let (stage, sender) = (Arc::clone(&stage), Sender::clone(&sender));
        std::thread::spawn(move || {
            let error = until_it_ends(thread, &stage);
            // Who gave up waiting has ended the process.
            let _ = sender.send((thread, error));
        });
    }
    // At another moment each time.
    while stage.calls.load(Ordering::Relaxed) < n % 40 {
        std::thread::yield_now();
    }
    let start = Instant::now();
    let closing = match n % 3 {
        0 => {
            let closing = stage.socket.close();
            // For the one that only makes sockets.
            stage.context.shutdown();
            Some(closing)
        }
        1 => {
            stage.context.shutdown();
            None
        }
        _ => Some(stage.context.term()),
    };
    closing
        .map_or(Ok(()), |closing| closing.wait_timeout(LONG).map(drop))
        .map_err(|_| anyhow!("it does not end"))?;
    let mut wrong = Vec::new();
    for _ in 0..THREADS {
        let (thread, error) = ended.recv_timeout(LONG).context("a call does not end")?;
        if !matches!(error, Error::Closed | Error::Terminated) {
            wrong.push(format!("thread {thread}: {error:?}"));
        }
    }
    stage.context.term().wait_timeout(LONG).map_err(|_| anyhow!("the context does not end"))?;
    Ok(Round { ended_after: start.elapsed(), calls: stage.calls.load(Ordering::Relaxed), wrong })
}

fn set() -> Result<Stage> {
    let context = Context::new();
    let options = SocketOptions::new().set(opt::LINGER, Some(LINGER));
    let target = context.socket_with(SocketType::Dealer, &options)?;
    let endpoint = target.bind("tcp://127.0.0.1:*")?.to_string();
    let socket = context.socket_with(SocketType::Dealer, &options)?;
    socket.connect(&endpoint)?;
    Ok(Stage { context, socket, _target: target, endpoint, calls: AtomicUsize::new(0) })
}

/// Calls until a call fails by an error that is not its own, and returns that.
fn until_it_ends(thread: usize, stage: &Stage) -> Error {
    loop {
        let result = call(thread, stage);
        stage.calls.fetch_add(1, Ordering::Relaxed);
        if let Err(error) = result {
            return error;
        }
    }
}

fn call(thread: usize, stage: &Stage) -> Result<(), Error> {
    let Stage { context, socket, endpoint, .. } = stage;
    match thread {
        0 => drop(socket.recv()?),
        1 => socket.send("x")?,
        2 => {
            let mut items = [PollItem::new(socket, Ready::IN | Ready::OUT)];
            poll(&mut items, Some(LONG))?;
            if items[0].ready().is_closed() {
                return Err(socket.try_recv().err().unwrap_or(Error::Closed));
            }
        }
        3 => {
            let bound = socket.bind("tcp://127.0.0.1:*")?;
            socket.unbind(bound.to_string())?;
        }
        4 => {
            socket.connect(endpoint)?;
            // The other connections to it go as well, and come with the next call.
            match socket.disconnect(endpoint) {
                Err(Error::NoSuchEndpoint(_)) | Ok(()) => {}
                Err(error) => return Err(error),
            }
        }
        5 => drop(context.socket(SocketType::Pair)?),
        6 => match socket.monitor().recv_timeout(Duration::from_millis(1)) {
            // A monitor tells until the socket is closed; a terminated one still has its end to tell of.
            Err(Error::TimedOut(_)) => socket.set(opt::SNDTIMEO, None)?,
            other => drop(other?),
        },
        _ => {
            let back = context.socket(SocketType::Dealer)?;
            back.bind("inproc://back").map(drop)?;
            Proxy::new(socket, &back).run()?;
        }
    }
    Ok(())
}
