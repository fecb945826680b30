//! One subscriber of a hundred takes one message in a hundred: the others lose nothing, and the counter of drops is exact.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use zeroxide::{Cause, Context, Options as SocketOptions, Socket, SocketType, opt};

use crate::report::{Report, Rule};
use crate::wire::LONG;

/// Subscribers that take everything.
const OTHERS: usize = 99;
/// Messages that are published before all of them are received: fewer than SNDHWM.
const ROUND: u64 = 500;
/// Of these, messages that the slow one takes.
const TAKES: u64 = 5;
/// Bytes of a message.
const SIZE: usize = 1024;
/// Bytes that the kernel keeps at each end, so that drops begin soon.
const BUFFER: u32 = 64 * 1024;

const NONE: Rule = Rule::at_most(0.0, "a slow subscriber costs the others no message");
const EXACT: Rule =
    Rule::at_most(0.0, "what the slow one does not get is what stats().dropped says, to the message");
const SOME: Rule = Rule::at_least(1.0, "the run is long enough for drops");

/// Options of `slow`.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Rounds of 500 messages.
    #[arg(long, default_value_t = 20)]
    rounds: u64,
}

/// Runs it.
///
/// # Errors
/// Something else than a figure is wrong.
pub fn run(options: &Options, report: &mut Report) -> Result<()> {
    let (ours, theirs) = (Context::new(), Context::new());
    let buffers = SocketOptions::new().set(opt::SNDBUF, Some(BUFFER)).set(opt::RCVBUF, Some(BUFFER));
    let publisher = ours.socket_with(SocketType::Pub, &buffers)?;
    let endpoint = publisher.bind("tcp://127.0.0.1:*")?.to_string();
    let subscriber = || -> Result<Socket> {
        let socket = theirs.socket_with(SocketType::Sub, &buffers)?;
        socket.subscribe("")?;
        socket.connect(&endpoint)?;
        Ok(socket)
    };
    let others: Vec<Socket> = (0..OTHERS).map(|_| subscriber()).collect::<Result<_>>()?;
    let slow = subscriber()?;
    publisher.wait_for_subscribers("", OTHERS + 1, LONG)?;
    let (mut lost, mut taken, start) = (0, 0, Instant::now());
    for round in 0..options.rounds {
        for n in round * ROUND..(round + 1) * ROUND {
            let mut body = n.to_be_bytes().to_vec();
            body.resize(SIZE, 7);
            publisher.send(body)?;
        }
        for socket in &others {
            lost += receive(socket, round)?;
        }
        for _ in 0..TAKES {
            slow.recv_timeout(LONG).context("the slow one waits")?;
            taken += 1;
        }
    }
    let took = start.elapsed().as_secs_f64();
    let sent = options.rounds * ROUND;
    let dropped = publisher.stats().dropped.by(Cause::Hwm);
    // The rest of what was not dropped is on its way.
    while taken + dropped < sent && slow.recv_timeout(LONG).is_ok() {
        taken += 1;
    }
    while slow.recv_timeout(Duration::from_millis(100)).is_ok() {
        taken += 1;
    }
    report.figure("slow.sent", sent as f64, "messages");
    report.figure("slow.rate", sent as f64 * OTHERS as f64 / took, "messages/s");
    report.judge("slow.others_lost", lost as f64, "messages", &NONE);
    report.judge("slow.dropped", dropped as f64, "messages", &SOME);
    report.judge("slow.unexplained", sent.abs_diff(taken + dropped) as f64, "messages", &EXACT);
    Ok(())
}

/// Receives a round; how many of it are missing.
fn receive(socket: &Socket, round: u64) -> Result<u64> {
    let (mut next, end) = (round * ROUND, (round + 1) * ROUND);
    let mut missing = 0;
    while next < end {
        let message = socket.recv_timeout(LONG).context("a round is not received whole")?;
        let n = u64::from_be_bytes(message[0][..8].try_into()?);
        ensure!(n >= next, "message {n} after {next}");
        missing += n - next;
        next = n + 1;
    }
    Ok(missing)
}
