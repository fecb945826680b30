//! All socket types over all transports and mechanisms in one process, for minutes or for days: no message is torn, doubled or
//! out of order, nothing gets stuck, and memory does not grow.
//!
//! A round opens a link of each kind (a pair of socket types, a transport, a mechanism), in a random order, on a few threads.
//! Each link sends bursts of numbered messages, large and small, to a receiver that may be slow; between them its connection is
//! killed, its endpoint disconnected, or one of its sockets closed and opened. Then all sockets of the round are closed, and
//! when nothing moves any more, live heap, descriptors and resident memory are measured. Beside the rounds lives a socket
//! whose monitor nobody drains.

mod cable;
mod end;
mod heap;
mod ledger;
mod link;
mod world;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use fastrand::Rng;
use zeroxide::SocketType::{
    Channel, Client, Dealer, Dish, Gather, Pair, Peer, Pub, Pull, Push, Radio, Rep, Req, Router, Scatter,
    Server, Stream, Sub, XPub, XSub,
};
use zeroxide::{Mechanism, Monitor, Socket, SocketType};

use crate::heap::Live;
use crate::process::descriptors;
use crate::report::{Report, Rule};
use crate::wire::LONG;
use heap::{Line, Quiet};
use link::{Kind, Link};
use world::{Contexts, World};

/// Threads that play links.
const THREADS: usize = 4;
/// Losses in the life of a link.
const EVENTS: usize = 3;
/// One link in so many has contexts of its own, which end with it.
const OWN_CONTEXTS: u8 = 8;
/// Peers that come and go in each round at the socket whose monitor nobody drains.
const VISITORS: usize = 20;
/// The same during the warm-up, so that the monitor is full after it.
const FIRST_VISITORS: usize = 300;
/// Until nothing moves after a round.
const SETTLES: Duration = Duration::from_secs(10);
/// Rounds before the measurement: tables and buffers have their largest size then.
const WARM_UP: u64 = 5;
/// From this length on, the slope of the resident memory is judged: in less, a single page is a steep slope.
const LONG_FORM: f64 = 60.0;

const NONE: Rule =
    Rule::at_most(0.0, "nothing is torn, doubled, out of order, lost without a loss, or stuck");
const FLAT: Rule = Rule::at_most(
    16.0 * 1024.0,
    "what is live when all sockets of a round are closed is the same after each",
);
const AS_MANY: Rule = Rule::at_most(64.0, "as the bytes; a monitor's events differ a little");
const SPARE: Rule = Rule::at_most(32.0, "each of the two I/O threads keeps 16 read buffers at most");
const SAME: Rule = Rule::at_most(0.0, "descriptors are closed with their sockets");
const OVERRUN: Rule = Rule::at_least(1.0, "the monitor that nobody drains is full");
const MEASURED: Rule = Rule::at_least(2.0, "there are rounds to compare; give it more minutes");
const SLOPE: Rule = Rule::at_most(64.0, "resident memory does not grow");

/// Options of `soak`.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// How long it lasts. A round that has begun is played to its end.
    #[arg(long, default_value_t = 1.0)]
    minutes: f64,
    /// Decides about orders, sizes, pauses and losses.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Prints the figures of each round.
    #[arg(long)]
    trace: bool,
}

/// Socket types that talk, and whether the second one sends everything back.
const COUPLES: [(SocketType, SocketType, bool); 13] = [
    (Push, Pull, false),
    (Dealer, Router, true),
    (Dealer, Dealer, true),
    (Req, Rep, true),
    (Pub, Sub, false),
    (XPub, XSub, false),
    (Pair, Pair, true),
    (Client, Server, true),
    (Scatter, Gather, false),
    (Channel, Channel, true),
    (Peer, Peer, true),
    (Radio, Dish, false),
    (Stream, Stream, false),
];

fn kinds() -> Vec<Kind> {
    let mut kinds = Vec::new();
    for (from, to, replies) in COUPLES {
        for transport in ["tcp", "ipc", "inproc"] {
            for mechanism in [Mechanism::Null, Mechanism::Plain, Mechanism::Curve] {
                let plain = mechanism == Mechanism::Null;
                let possible = match transport {
                    "tcp" => plain || !from.is_raw(),
                    "ipc" => !from.is_raw(),
                    // No handshake, so no mechanism.
                    _ => plain && !from.is_raw(),
                };
                if possible {
                    kinds.push(Kind { from, to, replies, transport, mechanism });
                }
            }
        }
    }
    kinds
}

/// Runs it.
///
/// # Errors
/// Something else than a figure is wrong.
pub fn run(options: &Options, report: &mut Report) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let at_begin = descriptors()?;
    let world = World::new(folder.path().to_owned())?;
    let witness = Witness::new(&world)?;
    let (kinds, mut measured) = (kinds(), Measured::default());
    let (start, mut rounds) = (Instant::now(), 0);
    while start.elapsed().as_secs_f64() < options.minutes * 60.0 {
        let seed = options.seed.wrapping_mul(1_000_000_007).wrapping_add(rounds);
        let is_warm = rounds >= WARM_UP;
        play(&world, &kinds, seed);
        witness.visit(&world, if is_warm { VISITORS } else { FIRST_VISITORS })?;
        rounds += 1;
        let point = Point::now(start)?;
        if options.trace {
            println!("soak.round.{rounds}.messages {} messages", world.counts()[0]);
            println!("soak.round.{rounds}.point {point:?}");
        }
        if is_warm {
            measured.add(point, options.minutes / 60.0);
        }
    }
    let [messages, reconnects, violations] = world.counts();
    report.figure("soak.rounds", rounds as f64, "rounds");
    report.figure("soak.links", (rounds * kinds.len() as u64) as f64, "links");
    report.figure("soak.messages", messages as f64, "messages");
    report.figure("soak.reconnects", reconnects as f64, "reconnects");
    report.judge("soak.violations", violations as f64, "violations", &NONE);
    report.judge("soak.monitor_missed", witness.monitor.missed() as f64, "events", &OVERRUN);
    measured.report(options.minutes >= LONG_FORM, report);
    drop(witness);
    let contexts = world.contexts.clone();
    drop(world);
    contexts.end(LONG)?;
    let at_end = descriptors()?;
    report.figure("soak.descriptors_begin", at_begin as f64, "descriptors");
    report.figure("soak.descriptors_end", at_end as f64, "descriptors");
    report.judge("soak.descriptors_left", at_end.abs_diff(at_begin) as f64, "descriptors", &SAME);
    Ok(())
}

/// What is there when all sockets of a round are closed.
#[derive(Debug)]
struct Point {
    hours: f64,
    live: Live,
    resident: f64,
    descriptors: usize,
}

impl Point {
    /// Waits until nothing moves, and measures.
    fn now(start: Instant) -> Result<Point> {
        let live = heap::quiet(SETTLES);
        let (resident, descriptors) = (heap::resident()?, descriptors()?);
        Ok(Point { hours: start.elapsed().as_secs_f64() / 3600.0, live, resident, descriptors })
    }
}

/// The points after the warm-up.
#[derive(Default)]
struct Measured {
    points: u64,
    heap: Quiet,
    resident: Line,
    descriptors: Line,
}

impl Measured {
    /// Adds a point of a run of so many hours. Resident memory counts in the second half: the allocator has settled by then.
    fn add(&mut self, point: Point, hours: f64) {
        self.points += 1;
        self.heap.add(point.hours, point.live);
        if point.hours >= hours / 2.0 {
            self.resident.add(point.hours, point.resident);
        }
        self.descriptors.add(point.hours, point.descriptors as f64);
    }

    fn report(&self, long: bool, report: &mut Report) {
        report.judge("soak.points", self.points as f64, "points", &MEASURED);
        report.figure("soak.heap", self.heap.bytes.mean(), "bytes");
        report.judge("soak.heap_range", self.heap.bytes.range(), "bytes", &FLAT);
        report.figure("soak.heap_slope", self.heap.bytes.slope(), "bytes/h");
        report.judge("soak.blocks_range", self.heap.blocks.range(), "blocks", &AS_MANY);
        report.judge("soak.read_buffers_range", self.heap.buffers.range(), "buffers", &SPARE);
        report.figure("soak.rss", self.resident.mean(), "KiB");
        report.figure("soak.rss_range", self.resident.range(), "KiB");
        if long {
            report.judge("soak.rss_slope", self.resident.slope(), "KiB/h", &SLOPE);
        } else {
            report.figure("soak.rss_slope", self.resident.slope(), "KiB/h");
        }
        report.figure("soak.descriptors", self.descriptors.mean(), "descriptors");
        report.judge("soak.descriptors_range", self.descriptors.range(), "descriptors", &SAME);
    }
}

/// Plays one link of each kind.
fn play(world: &World, kinds: &[Kind], seed: u64) {
    let mut order: Vec<usize> = (0..kinds.len()).collect();
    Rng::with_seed(seed).shuffle(&mut order);
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(&at) = order.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let link_seed = seed.wrapping_mul(1009).wrapping_add(at as u64);
                    if let Err(error) = link(world, kinds[at], link_seed) {
                        world.violation("soak", &format!("{error:#}"));
                    }
                }
            });
        }
    });
}

fn link(world: &World, kind: Kind, seed: u64) -> Result<()> {
    if Rng::with_seed(!seed).u8(..OWN_CONTEXTS) > 0 {
        return Link::open(world, world.contexts.clone(), kind, seed)?.play(EVENTS);
    }
    let contexts = Contexts::new()?;
    Link::open(world, contexts.clone(), kind, seed)?.play(EVENTS)?;
    contexts.end(LONG)
}

/// A socket that lives as long as the run, with a monitor that nobody drains.
struct Witness {
    pull: Socket,
    monitor: Monitor,
    endpoint: String,
}

impl Witness {
    fn new(world: &World) -> Result<Witness> {
        let pull = world.contexts.ours.socket(Pull)?;
        let monitor = pull.monitor();
        let endpoint = pull.bind("tcp://127.0.0.1:*")?.to_string();
        Ok(Witness { pull, monitor, endpoint })
    }

    /// Peers come, send one message, and go.
    fn visit(&self, world: &World, visitors: usize) -> Result<()> {
        for n in 0..visitors {
            let push = world.contexts.theirs.socket(Push)?;
            push.connect_ready(&self.endpoint, LONG)?;
            push.send(&n.to_be_bytes())?;
            let message = self.pull.recv_timeout(LONG)?;
            ensure!(message[0] == n.to_be_bytes()[..], "the witness receives something else");
            ensure!(push.close().wait_timeout(LONG).is_ok(), "a visitor does not go");
        }
        world.count_messages(visitors as u64);
        Ok(())
    }
}
