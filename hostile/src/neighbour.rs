//! A good peer beside the attackers: what it notices of them is the figure that counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, ensure};
use hdrhistogram::Histogram;
use zeroxide::{Context, Options, PublicKey, Security, Socket, SocketType, generate_secret_key, opt};

use crate::process::Pace;
use crate::report::{Report, Rule};
use crate::wire::{LONG, RawPeer, command, message};

/// Exchanges of an established peer in a second, at most: it shall not be a load itself.
const RATE: f64 = 1000.0;

/// Times in µs.
#[derive(Debug)]
pub struct Times(Histogram<u64>);

impl Times {
    /// None yet.
    ///
    /// # Errors
    /// None: the precision is valid.
    pub fn new() -> Result<Times> {
        Ok(Times(Histogram::new(3)?))
    }

    /// Adds one.
    pub fn add(&mut self, time: Duration) {
        // The histogram grows by itself, so that every value fits.
        let _ = self.0.record(time.as_micros() as u64);
    }

    /// The time below which this part of all is.
    #[must_use]
    pub fn at(&self, part: f64) -> f64 {
        self.0.value_at_quantile(part) as f64
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> f64 {
        self.0.len() as f64
    }

    /// Prints how many there are and the median, and judges the 99th percentile.
    pub fn report(&self, name: &str, report: &mut Report, rule: &Rule) {
        report.figure(format!("{name}.count"), self.count(), "exchanges");
        report.figure(format!("{name}.p50"), self.at(0.5), "µs");
        report.judge(format!("{name}.p99"), self.at(0.99), "µs", rule);
    }
}

/// A REQ that goes on exchanging with an echoing REP, in a thread of its own.
#[derive(Debug)]
pub struct Client {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<Times>>,
}

/// A REQ that connects, from this host, in a context of its own.
///
/// # Errors
/// The endpoint or the key is wrong.
pub fn connected(endpoint: &str, key: Option<PublicKey>, host: &str) -> Result<(Context, Socket)> {
    let mut options = Options::new().set(opt::RECONNECT_IVL, Some(Duration::from_millis(10)));
    if let Some(server) = key {
        options = options.security(Security::CurveClient { server, me: generate_secret_key()? });
    }
    let context = Context::new();
    let socket = context.socket_with(SocketType::Req, &options)?;
    let address = endpoint.strip_prefix("tcp://").context("a tcp endpoint")?;
    let from = if cfg!(target_os = "linux") { format!("{host}:0;") } else { String::new() };
    // A peer that is turned away because there are too many dials again.
    socket.connect(format!("tcp://{from}{address}"))?;
    Ok((context, socket))
}

/// One exchange; the time is until the right reply is there.
///
/// # Errors
/// There is none within [`LONG`], or a wrong one.
pub fn exchange(socket: &Socket, number: u64) -> Result<Duration> {
    let start = Instant::now();
    let reply = socket.request(&number.to_be_bytes(), LONG)?;
    ensure!(reply.len() == 1 && reply[0] == number.to_be_bytes()[..], "a wrong reply");
    Ok(start.elapsed())
}

impl Client {
    /// Connects, exchanges once, and goes on.
    ///
    /// # Errors
    /// The first exchange fails.
    pub fn start(endpoint: &str, key: Option<PublicKey>) -> Result<Client> {
        let (context, socket) = connected(endpoint, key, "127.0.3.1")?;
        exchange(&socket, 0)?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let (mut times, mut pace, _context) = (Times::new()?, Pace::new(RATE), context);
            while !stopped.load(Ordering::Relaxed) {
                pace.next();
                times.add(exchange(&socket, times.0.len())?);
            }
            Ok(times)
        });
        Ok(Client { stop, thread })
    }

    /// Ends it; the times of its exchanges.
    ///
    /// # Errors
    /// An exchange failed.
    pub fn stop(self) -> Result<Times> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| anyhow!("the neighbour panicked"))?
    }
}

/// The time of one newcomer: from its connect until its first reply.
///
/// # Errors
/// It is not let in, or not replied to.
pub fn newcomer(endpoint: &str, key: Option<PublicKey>) -> Result<Duration> {
    let start = Instant::now();
    let (_context, socket) = connected(endpoint, key, "127.0.3.2")?;
    exchange(&socket, 1)?;
    Ok(start.elapsed())
}

/// A raw peer that a socket of any type has to serve: each PING of its own has a PONG, and each [`TICK`] of a publisher comes.
///
/// [`TICK`]: crate::victim::TICK
#[derive(Debug)]
pub struct Pinger {
    peer: RawPeer,
    /// Whether it waits for ticks, too.
    subscribed: bool,
}

impl Pinger {
    /// Connects as a socket of this type; `ticks`: the other side is a publisher that ticks.
    ///
    /// # Errors
    /// There is no handshake.
    pub fn connect(endpoint: &str, name: &str, ticks: bool) -> Result<Pinger> {
        let mut peer = RawPeer::connect(endpoint)?.shake_hands(name)?;
        if ticks {
            let wish = if name == "DISH" { command(b"\x04JOINtick") } else { message(b"\x01tick") };
            std::io::Write::write_all(&mut peer.stream, &wish)?;
        }
        Ok(Pinger { peer, subscribed: ticks })
    }

    /// Returns how long it took to be served once.
    ///
    /// # Errors
    /// It is not served within [`LONG`].
    pub fn serve(&mut self) -> Result<Duration> {
        let time = self.peer.ping()?;
        while self.subscribed {
            let frame = self.peer.read_frame().context("no tick")?;
            if frame.flags & 4 == 0 && frame.body == crate::victim::TICK.as_bytes() {
                break;
            }
        }
        Ok(time)
    }
}
