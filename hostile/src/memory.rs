//! A peer sends more than there is memory for (RLIMIT_AS): the victim lives, and its neighbour is served.

use std::io::{BufWriter, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use zeroxide::SocketType;

use crate::neighbour::{Pinger, Times};
use crate::process::pass;
use crate::report::{Report, Rule};
use crate::target::Target;
use crate::victim::{Settings, Victim};
use crate::wire::{RawPeer, command};

/// Bytes after which a flood is given up.
const ENOUGH: u64 = 2 << 30;
/// A victim that takes nothing for so long holds the flood back.
const HELD_BACK: Duration = Duration::from_secs(2);

const SERVED: Rule = Rule::at_most(
    5e6,
    "a neighbour is served within seconds while memory is scarce; two million subscriptions are forgotten in one go",
);
const STOPPED: Rule = Rule::at_least(1.0, "the flood ends, or is held back");

/// Options of `memory`.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// MiB of address space.
    #[arg(long, default_value_t = 600)]
    mebibytes: u64,
}

/// A flood: the victim's type, the peer's, and the n-th thing that it sends.
struct Flood {
    name: &'static str,
    socket: SocketType,
    peer: &'static str,
    piece: Box<dyn Fn(u64) -> Vec<u8> + Send>,
}

fn floods() -> Vec<Flood> {
    let bodies = |name, size: u64| Flood {
        name,
        socket: SocketType::Pull,
        peer: "PUSH",
        piece: Box::new(move |_| [&[2][..], &size.to_be_bytes(), &vec![7; size as usize]].concat()),
    };
    vec![
        bodies("bodies_20_B", 20),
        bodies("bodies_1_KiB", 1024),
        bodies("bodies_300_KiB", 300 * 1024),
        Flood {
            name: "subscriptions",
            socket: SocketType::Pub,
            peer: "SUB",
            piece: Box::new(|n| command(format!("\x09SUBSCRIBE{n:010}{:190}", ' ').as_bytes())),
        },
    ]
}

/// Runs it.
///
/// # Errors
/// Something else than a figure is wrong.
pub fn run(options: &Options, report: &mut Report) -> Result<()> {
    for flood in floods() {
        let name = format!("memory.{}", flood.name);
        let settings = Settings {
            libzmq_defaults: true,
            hoard: true,
            memory: Some(options.mebibytes),
            ..Settings::new(flood.socket)
        };
        let mut target = Target::of(Victim::start(&settings)?)?;
        one(&name, flood, &mut target, report).context(name)?;
    }
    Ok(())
}

fn one(name: &str, flood: Flood, target: &mut Target, report: &mut Report) -> Result<()> {
    let mut neighbour = Pinger::connect(&target.endpoint, flood.peer, flood.socket.publishes())?;
    let mut times = Times::new()?;
    times.add(neighbour.serve()?);
    let bad = RawPeer::connect(&target.endpoint)?.shake_hands(flood.peer)?;
    let (sent, over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let sender = {
        let (sent, over, stream) = (Arc::clone(&sent), Arc::clone(&over), bad.stream.try_clone()?);
        thread::spawn(move || {
            let mut stream = BufWriter::with_capacity(65536, stream);
            for n in 0.. {
                let piece = (flood.piece)(n);
                if stream.write_all(&piece).is_err() || sent.load(Ordering::SeqCst) > ENOUGH {
                    break;
                }
                sent.fetch_add(piece.len() as u64, Ordering::SeqCst);
            }
            over.store(true, Ordering::SeqCst);
        })
    };
    let (mut most, mut last, mut since) = (0.0_f64, 0, Instant::now());
    while !over.load(Ordering::SeqCst) && since.elapsed() < HELD_BACK {
        times.add(neighbour.serve()?);
        most = most.max(target.resident()?);
        let now = sent.load(Ordering::SeqCst);
        if now != last {
            (last, since) = (now, Instant::now());
        }
        pass(Duration::from_millis(10));
    }
    let stopped = sent.load(Ordering::SeqCst) <= ENOUGH;
    bad.kill();
    sender.join().map_err(|_| anyhow!("the sender panicked"))?;
    times.add(neighbour.serve()?);
    report.figure(format!("{name}.taken"), last as f64 / 1e6, "MB");
    report.judge(format!("{name}.stopped"), f64::from(u8::from(stopped)), "floods", &STOPPED);
    report.figure(format!("{name}.resident"), most, "MiB");
    report.judge(format!("{name}.slowest"), times.at(1.0), "µs", &SERVED);
    target.expect_alive()
}
