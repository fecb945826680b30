//! Connections that never become peers: slow, silent, short, and full of HELLOs. An established peer and a newcomer are
//! served all the while.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use zeroxide::SocketType;

use crate::neighbour::{Client, Times, newcomer};
use crate::process::{Pace, pass, raise_descriptors};
use crate::report::{Report, Rule};
use crate::target::{Given, Target};
use crate::victim::Settings;
use crate::wire::{address, connect_from, curve_opening, greeting, host};

const P99: Rule = Rule::at_most(
    100_000.0,
    "a good client waits less than 100 ms beside slow and silent connections and floods",
);
const NEWCOMER: Rule = Rule::at_most(
    2e6,
    "a newcomer is served within a second; one whose SYN the kernel drops, because BACKLOG is full, sends it again after a second",
);
const GROWTH: Rule =
    Rule::at_most(64.0, "10,000 idle connections and 2,000 a second that come and go cost 64 MiB");
const IDLE: Rule = Rule::at_most(5.0, "what attackers leave behind costs no processor time");

/// How many connections come at once.
const AT_ONCE: usize = 8;

/// Options of `handshakes`.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Seconds of each part.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Connections that send a greeting byte by byte.
    #[arg(long, default_value_t = 500)]
    slow: usize,
    /// Connections that send nothing.
    #[arg(long, default_value_t = 10_000)]
    silent: usize,
    /// Connections in a second that are closed at once.
    #[arg(long, default_value_t = 2000)]
    rate: u32,
    /// HELLOs in a second (CURVE).
    #[arg(long, default_value_t = 5000)]
    hellos: u32,
    /// Addresses that they come from, at most 256. Eight addresses can fill every place of a Zeroxide listener; a newcomer from
    /// another address gets one of theirs (docs/LIMITS.md).
    #[arg(long, default_value_t = 8)]
    hosts: usize,
    /// A target must be a REP that echoes; with --server-key it gets HELLOs, else all the other parts.
    #[command(flatten)]
    given: Given,
}

/// Runs it.
///
/// # Errors
/// Something else than a figure is wrong.
pub fn run(options: &Options, report: &mut Report) -> Result<()> {
    let descriptors = raise_descriptors()?;
    let silent = options.silent.min(descriptors.saturating_sub(1000));
    report.figure("handshakes.descriptors", descriptors as f64, "descriptors");
    let target = Target::new(&options.given, &Settings::new(SocketType::Rep))?;
    if target.key.is_none() {
        let mut part = Part { options, target, report };
        part.measure("before", |_| Ok(()), |(), _| Ok(()))?;
        part.measure("slow", |part| Slow::start(part, options.slow), Slow::report)?;
        part.measure("silent", |part| Silent::start(part, silent), Silent::report)?;
        part.measure("flood", |part| Flood::start(part, options.rate, Vec::new()), Flood::report)?;
        part.idle()?;
    }
    let curve = Settings { curve: true, ..Settings::new(SocketType::Rep) };
    let target = Target::new(&options.given, &curve)?;
    if let Some(key) = target.key {
        let opening = curve_opening(key)?;
        let mut part = Part { options, target, report };
        part.measure("before_hellos", |_| Ok(()), |(), _| Ok(()))?;
        part.measure("hellos", |part| Flood::start(part, options.hellos, opening), Flood::report)?;
        part.idle()?;
    }
    Ok(())
}

/// What each part of the program works on.
struct Part<'a> {
    options: &'a Options,
    target: Target,
    report: &'a mut Report,
}

impl Part<'_> {
    /// Measures good peers for a while, beside what `start` starts and `end` ends.
    fn measure<T>(
        &mut self,
        name: &str,
        start: impl FnOnce(&Part<'_>) -> Result<T>,
        end: impl FnOnce(T, &mut Report) -> Result<()>,
    ) -> Result<()> {
        let name = format!("handshakes.{name}");
        let (endpoint, key) = (self.target.endpoint.clone(), self.target.key);
        let memory = self.target.resident()?;
        let client = Client::start(&endpoint, key).with_context(|| name.clone())?;
        let load = start(self)?;
        let (begin, mut newcomers, mut most) = (Instant::now(), Times::new()?, memory);
        while begin.elapsed().as_secs_f64() < self.options.seconds {
            newcomers.add(newcomer(&endpoint, key).with_context(|| name.clone())?);
            most = most.max(self.target.resident()?);
            pass(Duration::from_millis(20));
        }
        end(load, self.report)?;
        client.stop().with_context(|| name.clone())?.report(&name, self.report, &P99);
        newcomers.report(&format!("{name}.newcomers"), self.report, &NEWCOMER);
        self.report.judge(format!("{name}.memory"), most - memory, "MiB", &GROWTH);
        self.target.expect_alive()
    }

    /// Measures what the target does when nobody wants anything any more.
    fn idle(&mut self) -> Result<()> {
        // What is left of the last part's connections ends first.
        pass(Duration::from_millis(500));
        let (before, time) = (self.target.processor_time()?, Duration::from_secs(1));
        pass(time);
        let used = (self.target.processor_time()? - before) / time.as_secs_f64() * 100.0;
        self.report.judge("handshakes.idle.processor", used, "%", &IDLE);
        Ok(())
    }
}

/// Connections that send a greeting, one byte in each round.
struct Slow {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<(usize, usize)>,
}

impl Slow {
    fn start(part: &Part<'_>, count: usize) -> Result<Slow> {
        let (to, hosts) = (address(&part.target.endpoint)?, part.options.hosts.max(1));
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let bytes = greeting("NULL");
            let mut pace = Pace::new(1000.0);
            let connect = |n| {
                pace.next();
                connect_from(host(n % hosts), to).ok()
            };
            let mut streams: Vec<Option<TcpStream>> = (0..count).map(connect).collect();
            let (mut opened, mut turned_away) = (count, 0);
            for at in (0..bytes.len()).cycle() {
                for (n, stream) in streams.iter_mut().enumerate() {
                    let sent = stream.as_mut().map(|stream| stream.write_all(&bytes[at..=at]));
                    // Who is closed comes again, and begins again.
                    if !matches!(sent, Some(Ok(()))) {
                        *stream = connect_from(host(n % hosts), to).ok();
                        (opened, turned_away) = (opened + 1, turned_away + 1);
                    }
                    if stopped.load(Ordering::Relaxed) {
                        return (opened, turned_away);
                    }
                }
                pass(Duration::from_millis(100));
            }
            (opened, turned_away)
        });
        Ok(Slow { stop, thread })
    }

    fn report(self, report: &mut Report) -> Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        let (opened, closed) = self.thread.join().map_err(|_| anyhow!("a load panicked"))?;
        report.figure("handshakes.slow.opened", opened as f64, "connections");
        report.figure("handshakes.slow.closed_by_target", closed as f64, "connections");
        Ok(())
    }
}

/// Connections that send nothing. They come over the whole time, or the system would delay those beyond the backlog.
struct Silent(Vec<JoinHandle<std::io::Result<Vec<TcpStream>>>>);

impl Silent {
    fn start(part: &Part<'_>, count: usize) -> Result<Silent> {
        let (to, hosts) = (address(&part.target.endpoint)?, part.options.hosts.max(1));
        let each = count / AT_ONCE;
        let rate = each as f64 / part.options.seconds;
        let load = |thread| {
            thread::spawn(move || {
                let mut pace = Pace::new(rate);
                let open = |n| {
                    pace.next();
                    connect_from(host((thread * each + n) % hosts), to)
                };
                (0..each).map(open).collect()
            })
        };
        Ok(Silent((0..AT_ONCE).map(load).collect()))
    }

    fn report(self, report: &mut Report) -> Result<()> {
        let mut streams = Vec::new();
        for thread in self.0 {
            streams.extend(thread.join().map_err(|_| anyhow!("a load panicked"))??);
        }
        let mut closed = 0;
        for mut stream in &streams {
            stream.set_nonblocking(true)?;
            let open = loop {
                match stream.read(&mut [0; 4096]) {
                    Ok(0) => break false,
                    // Its greeting.
                    Ok(_) => {}
                    Err(error) => break error.kind() == std::io::ErrorKind::WouldBlock,
                }
            };
            closed += usize::from(!open);
        }
        report.figure("handshakes.silent.opened", streams.len() as f64, "connections");
        report.figure("handshakes.silent.closed_by_target", closed as f64, "connections");
        Ok(())
    }
}

/// Connections that come at a rate, send something, wait for an answer to it, and are gone.
struct Flood {
    stop: Arc<AtomicBool>,
    count: Arc<AtomicUsize>,
    start: Instant,
    threads: Vec<JoinHandle<()>>,
    name: &'static str,
}

impl Flood {
    fn start(part: &Part<'_>, rate: u32, opening: Vec<u8>) -> Result<Flood> {
        let (to, hosts) = (address(&part.target.endpoint)?, part.options.hosts.max(1));
        let (stop, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let name = if opening.is_empty() { "flood" } else { "hellos" };
        let opening: Arc<[u8]> = opening.into();
        let each = f64::from(rate) / AT_ONCE as f64;
        let load = |_| {
            let (stop, count, opening) = (Arc::clone(&stop), Arc::clone(&count), Arc::clone(&opening));
            thread::spawn(move || {
                let mut pace = Pace::new(each);
                while !stop.load(Ordering::Relaxed) {
                    pace.next();
                    let n = count.fetch_add(1, Ordering::Relaxed);
                    visit(to, hosts, n, &opening);
                }
            })
        };
        let threads = (0..AT_ONCE).map(load).collect();
        Ok(Flood { stop, count, start: Instant::now(), threads, name })
    }

    fn report(self, report: &mut Report) -> Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().map_err(|_| anyhow!("a load panicked"))?;
        }
        let rate = self.count.load(Ordering::Relaxed) as f64 / self.start.elapsed().as_secs_f64();
        report.figure(format!("handshakes.{}.rate", self.name), rate, "connections/s");
        Ok(())
    }
}

/// One connection, which may be closed at any byte. It waits for a greeting and a WELCOME, if it has sent a HELLO.
fn visit(to: std::net::SocketAddr, hosts: usize, n: usize, opening: &[u8]) {
    let Ok(mut stream) = connect_from(host(n % hosts), to) else { return };
    if !opening.is_empty() {
        // 64 bytes, and a command of 2 + 168 bytes.
        let _ = stream
            .set_read_timeout(Some(Duration::from_secs(5)))
            .and_then(|()| stream.write_all(opening))
            .and_then(|()| stream.read_exact(&mut [0; 64 + 170]));
    }
}
