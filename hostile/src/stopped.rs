//! One of twenty peers is stopped (SIGSTOP) and does not read: the others go on at their rate, and memory keeps its bound.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use rustix::process::{Signal, getpid};
use zeroxide::{Context, Options as SocketOptions, Socket, SocketType, opt};

use crate::process::{Pace, resident, signal};
use crate::report::{Report, Rule};
use crate::victim::{Settings, Victim};
use crate::wire::LONG;

/// Peers that go on.
const OTHERS: usize = 19;
/// Messages in a second for each peer.
const RATE: f64 = 500.0;
/// Bytes of a message: what the kernel keeps for the stopped peer is full soon.
const SIZE: usize = 16 * 1024;
/// The high-water mark of the sender, which is reached soon after that.
const HWM: u32 = 100;

const SHARE: Rule = Rule::at_least(95.0, "the others keep 95 % of their rate");
const GROWTH: Rule = Rule::at_most(16.0, "100 messages of 16 KiB wait for each peer");
const FULL: Rule = Rule::at_least(HWM as f64, "the stop lasts until the pipe is full");
const BALANCED: Rule = Rule::at_most(0.0, "routed = written + dropped + queued, for each pipe (stats())");

/// Options of `stopped`.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Seconds for which the rate is measured, before and after the stop.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
}

/// Runs it.
///
/// # Errors
/// Something else than a figure is wrong.
pub fn run(options: &Options, report: &mut Report) -> Result<()> {
    for (sender, receiver) in [
        (SocketType::Pub, SocketType::Sub),
        (SocketType::Push, SocketType::Pull),
        (SocketType::Dealer, SocketType::Dealer),
    ] {
        let name = format!("stopped.{}_{}", sender.name(), receiver.name()).to_lowercase();
        one(&name, sender, receiver, options, report).context(name)?;
    }
    Ok(())
}

fn one(
    name: &str,
    sender: SocketType,
    receiver: SocketType,
    options: &Options,
    report: &mut Report,
) -> Result<()> {
    let context = Context::new();
    let ours = SocketOptions::new().set(opt::LINGER, Some(Duration::ZERO)).set(opt::SNDHWM, HWM);
    let socket = context.socket_with(sender, &ours)?;
    let endpoint = socket.bind("tcp://127.0.0.1:*")?.to_string();
    let peers = |sockets| Settings { sockets, connect: Some(endpoint.clone()), ..Settings::new(receiver) };
    let _others = Victim::start(&peers(OTHERS))?;
    socket.wait_for_peers(OTHERS, LONG)?;
    let others: Vec<u64> = socket.peers().iter().map(|peer| peer.connection).collect();
    let stopped = Victim::start(&peers(1))?;
    socket.wait_for_peers(OTHERS + 1, LONG)?;
    if sender.publishes() {
        socket.wait_for_subscribers("", OTHERS + 1, LONG)?;
    }
    let before = rate(&socket, &others, options.seconds)?;
    let memory = resident(getpid())?;
    signal(stopped.pid(), Signal::STOP)?;
    let after = rate(&socket, &others, options.seconds)?;
    let (growth, stats) = (resident(getpid())? - memory, socket.stats());
    signal(stopped.pid(), Signal::CONT)?;
    let unbalanced: u64 = stats
        .pipes
        .iter()
        .map(|pipe| pipe.routed.abs_diff(pipe.written + pipe.dropped.routed() + pipe.queued))
        .sum();
    report.figure(format!("{name}.before"), before, "messages/s");
    report.figure(format!("{name}.after"), after, "messages/s");
    report.judge(format!("{name}.share"), after / before * 100.0, "%", &SHARE);
    report.figure(format!("{name}.dropped"), stats.dropped.total() as f64, "messages");
    report.judge(format!("{name}.queued"), stats.queued as f64, "messages", &FULL);
    report.judge(format!("{name}.unbalanced"), unbalanced as f64, "messages", &BALANCED);
    report.judge(format!("{name}.memory"), growth, "MiB", &GROWTH);
    Ok(())
}

/// Messages in a second that were written to these connections.
fn rate(socket: &Socket, connections: &[u64], seconds: f64) -> Result<f64> {
    let written = || -> u64 {
        let stats = socket.stats();
        let pipes = stats.pipes.iter();
        let theirs = pipes
            .filter(|pipe| pipe.peer.as_ref().is_some_and(|peer| connections.contains(&peer.connection)));
        theirs.map(|pipe| pipe.written).sum()
    };
    // A publisher sends each message to every peer.
    let messages = if socket.socket_type().publishes() { RATE } else { RATE * (OTHERS + 1) as f64 };
    let (start, before, mut pace) = (Instant::now(), written(), Pace::new(messages));
    let body = vec![7; SIZE];
    while start.elapsed().as_secs_f64() < seconds {
        pace.next();
        socket.send(&body[..])?;
    }
    let count = written() - before;
    ensure!(count > 0, "nothing was written");
    Ok(count as f64 / start.elapsed().as_secs_f64())
}
