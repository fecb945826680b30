//! A peer sends one command without pause. The victim's memory and stack stay bounded, and its neighbour is served.
//!
//! The threads of a victim that this program starts have 256 KiB of stack each: a stack that grows with what arrives ends the
//! process.

use std::io::Write;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail, ensure};
use zeroxide::SocketType;

use crate::neighbour::{Pinger, Times};
use crate::process::pass;
use crate::report::{Report, Rule};
use crate::target::{Given, Target};
use crate::victim::{Settings, Victim};
use crate::wire::{LONG, RawPeer, command, message};

/// Bytes of stack of each thread of a victim.
const STACK: &str = "262144";
/// Bytes that are written at once.
const WRITE: usize = 500_000;
/// How often the neighbour is served in a second.
const EXCHANGES: f64 = 100.0;

const GROWTH: Rule = Rule::at_most(
    16.0,
    "a command leaves at most one subscription, 16 answers to PINGs, and 2 MiB of reports to an XPUB (docs/LIMITS.md)",
);
const SERVED: Rule =
    Rule::at_most(100_000.0, "a neighbour has its turns: half of its exchanges take less than 100 ms");
const SLOWEST: Rule = Rule::at_most(10e6, "none of them waits for the end of the storm");

/// Options of `storms`.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Megabytes that each peer sends.
    #[arg(long, default_value_t = 8)]
    megabytes: usize,
    /// The socket's type, which must be that of the target; without it, every type in turn.
    #[arg(long = "type")]
    socket: Option<SocketType>,
    #[command(flatten)]
    given: Given,
}

/// What one bad peer repeats.
struct Storm {
    name: &'static str,
    socket: SocketType,
    peer: SocketType,
    commands: Vec<u8>,
}

/// Every command that a socket of this type takes.
fn storms(socket: SocketType) -> Vec<Storm> {
    let Some(&peer) = socket.peers().first() else { return Vec::new() };
    let storm = |name, commands: &[Vec<u8>]| Storm { name, socket, peer, commands: commands.concat() };
    let topic = [b't'; 30];
    let named = |name: &[u8], rest: &[u8]| command(&[&[name.len() as u8], name, rest].concat());
    let mut storms = vec![storm("ping", &[command(b"\x04PING\0\0")])];
    if socket.publishes() && !socket.has_groups() {
        let (old, new) =
            ([1, 0].map(|kind| message(&[&[kind], &topic[..]].concat())), ["SUBSCRIBE", "CANCEL"]);
        let new = new.map(|name| named(name.as_bytes(), &topic));
        storms.push(storm("subscribe", &new[..1]));
        storms.push(storm("cancel", &new[1..]));
        storms.push(storm("subscribe_cancel", &new));
        storms.push(storm("old_subscribe_cancel", &old));
    }
    if socket.publishes() && socket.has_groups() {
        let groups = ["JOIN", "LEAVE"].map(|name| named(name.as_bytes(), b"group"));
        storms.push(storm("join", &groups[..1]));
        storms.push(storm("leave", &groups[1..]));
        storms.push(storm("join_leave", &groups));
    }
    storms
}

/// Runs it.
///
/// # Errors
/// Something else than a figure is wrong.
pub fn run(options: &Options, report: &mut Report) -> Result<()> {
    ensure!(options.given.target.is_none() || options.socket.is_some(), "--target needs --type");
    let all = (0..64).filter_map(SocketType::from_number).filter(|socket| !socket.is_raw());
    let sockets = options.socket.map_or_else(|| all.collect(), |socket| vec![socket]);
    for storm in sockets.into_iter().flat_map(storms) {
        let mut target = target(&options.given, storm.socket)?;
        let name = format!("storms.{}.{}", storm.socket.name().to_lowercase(), storm.name);
        one(&name, &storm, &mut target, options.megabytes * 1_000_000, report)
            .map_err(|error| error.context(name))?;
    }
    Ok(())
}

fn target(given: &Given, socket: SocketType) -> Result<Target> {
    if given.target.is_some() {
        return Target::new(given, &Settings::new(socket));
    }
    let mut command = Command::new(std::env::current_exe()?);
    command.env("RUST_MIN_STACK", STACK);
    Target::of(Victim::start_with(&Settings::new(socket), command)?)
}

/// The first peer that is let in once the place of the bad one is free.
fn next_peer(endpoint: &str, name: &str) -> Result<Pinger> {
    let start = Instant::now();
    loop {
        match Pinger::connect(endpoint, name, false) {
            Err(error) if start.elapsed() > LONG => return Err(error),
            Err(_) => pass(Duration::from_millis(10)),
            peer => return peer,
        }
    }
}

fn one(name: &str, storm: &Storm, target: &mut Target, bytes: usize, report: &mut Report) -> Result<()> {
    let peer = storm.peer.name();
    // A socket with one peer has no neighbour: the next peer is served afterwards.
    let mut neighbour = if storm.socket.has_one_peer() {
        None
    } else {
        let ticks = target.is_ours() && storm.socket.publishes();
        Some(Pinger::connect(&target.endpoint, peer, ticks)?)
    };
    let bad = RawPeer::connect(&target.endpoint)?.shake_hands(peer)?;
    // Whoever is pinged answers, and nobody has promised to read on without being read.
    let mut answers = bad.stream.try_clone()?;
    let reader = thread::spawn(move || std::io::copy(&mut answers, &mut std::io::sink()));
    let (before, mut most, start) = (target.resident()?, 0.0_f64, Instant::now());
    let sent = Arc::new(AtomicUsize::new(0));
    let sender = {
        let (sent, commands) = (Arc::clone(&sent), storm.commands.repeat(WRITE / storm.commands.len()));
        let mut stream = bad.stream.try_clone()?;
        thread::spawn(move || {
            while sent.load(Ordering::SeqCst) < bytes && stream.write_all(&commands).is_ok() {
                sent.fetch_add(commands.len(), Ordering::SeqCst);
            }
        })
    };
    let mut times = Times::new()?;
    while !sender.is_finished() {
        if let Some(neighbour) = &mut neighbour {
            times.add(neighbour.serve()?);
        }
        most = most.max(target.resident()?);
        if start.elapsed() > LONG * 30 {
            bail!("{} of {bytes} bytes are taken after half an hour", sent.load(Ordering::SeqCst));
        }
        pass(Duration::from_secs_f64(1.0 / EXCHANGES));
    }
    sender.join().map_err(|_| anyhow!("the sender panicked"))?;
    let took = start.elapsed().as_secs_f64();
    bad.kill();
    reader.join().map_err(|_| anyhow!("the reader panicked"))?.ok();
    target.expect_alive()?;
    let mut next = match neighbour {
        Some(neighbour) => neighbour,
        None => next_peer(&target.endpoint, peer)?,
    };
    times.add(next.serve()?);
    report.judge(format!("{name}.p50"), times.at(0.5), "µs", &SERVED);
    report.judge(format!("{name}.slowest"), times.at(1.0), "µs", &SLOWEST);
    let sent = sent.load(Ordering::SeqCst) as f64 / 1e6;
    report.figure(format!("{name}.taken"), sent, "MB");
    report.figure(format!("{name}.rate"), sent / took, "MB/s");
    report.judge(format!("{name}.memory"), most - before, "MiB", &GROWTH);
    target.expect_alive()
}
