//! A name server that does not answer: a connect returns, the context's other sockets go on, and its end does not wait.
//!
//! It runs in a network namespace with a resolv.conf of its own, and says so where that cannot be made.

use std::net::UdpSocket;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use zeroxide::{Context, SocketType};

use crate::namespace;
use crate::neighbour::{Times, exchange};
use crate::process::Pace;
use crate::report::{Report, Rule};
use crate::victim::{Settings, Victim};
use crate::wire::LONG;

/// Names that are looked up at once.
const NAMES: usize = 40;

const CONNECT: Rule = Rule::at_most(100_000.0, "connect does not wait for a name server");
const P99: Rule = Rule::at_most(100_000.0, "the other sockets of the context do not notice");
const KNOWN: Rule = Rule::at_most(10e6, "a name of /etc/hosts is found beside names that hang");
const TERM: Rule = Rule::at_most(2e6, "the end of a context does not wait for lookups");
const ASKED: Rule = Rule::at_least(1.0, "the name server was asked");

/// Options of `names`.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// The namespaces are made.
    #[arg(long, hide = true)]
    inside: bool,
    /// Seconds that the server does not answer for.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
}

/// Runs it.
///
/// # Errors
/// Something else than a figure is wrong.
pub fn run(options: &Options, report: &mut Report) -> Result<()> {
    if options.inside {
        return inside(options, report);
    }
    if let Err(error) = namespace::possible() {
        report.skip("names", format!("{error:#}"));
        return Ok(());
    }
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(&file, "nameserver 127.0.0.1\noptions timeout:30 attempts:1\n")?;
    let script = format!("ip link set lo up && mount --bind '{}' /etc/resolv.conf", file.path().display());
    let status = namespace::enter(&script, "names")?;
    if status == 1 {
        report.fail("names", "a rule is broken inside the namespace");
    }
    ensure!(status < 2, "the program inside the namespace ended with {status}");
    Ok(())
}

fn inside(options: &Options, report: &mut Report) -> Result<()> {
    let server = UdpSocket::bind("127.0.0.1:53").context("the name server's port")?;
    let victim = Victim::start(&Settings::new(SocketType::Rep))?;
    let context = Context::new();
    let good = context.socket(SocketType::Req)?;
    good.connect_ready(&victim.endpoint, LONG)?;
    let hanging = context.socket(SocketType::Push)?;
    let start = Instant::now();
    for n in 0..NAMES {
        hanging.connect(format!("tcp://name{n}.example:5555"))?;
    }
    report.judge("names.connect", micros(start) / NAMES as f64, "µs", &CONNECT);
    let known = context.socket(SocketType::Req)?;
    let (_, port) = victim.endpoint.rsplit_once(':').context("a port")?;
    let start = Instant::now();
    known.connect(format!("tcp://localhost:{port}"))?;
    exchange(&known, 1).context("localhost")?;
    report.judge("names.known_name", micros(start), "µs", &KNOWN);
    let (start, mut times, mut pace) = (Instant::now(), Times::new()?, Pace::new(1000.0));
    while start.elapsed().as_secs_f64() < options.seconds {
        pace.next();
        times.add(exchange(&good, 2)?);
    }
    times.report("names", report, &P99);
    server.set_nonblocking(true)?;
    let mut asked = 0;
    while server.recv(&mut [0; 512]).is_ok() {
        asked += 1;
    }
    report.judge("names.asked", f64::from(asked), "questions", &ASKED);
    let start = Instant::now();
    context.term().wait();
    report.judge("names.term", micros(start), "µs", &TERM);
    Ok(())
}

fn micros(start: Instant) -> f64 {
    start.elapsed().as_micros() as f64
}
