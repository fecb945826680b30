//! kill -9 at random moments: no message arrives torn, twice or out of order, and messages flow again.
//!
//! One side is killed and started again, the other one survives. The survivor is bound to one endpoint and connected to a second
//! one. Each life of the killed side either connects to the first or binds the second, by turns. Messages have one to
//! three frames, numbers and a checksum (`numbered`); what each side says of them is kept in a `ledger`.
//!
//! Order holds for each pair of lives. What waits for an endpoint while nobody is there arrives later than what goes
//! to the other one, so a later life may receive earlier numbers.

mod ledger;
pub mod player;

use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use crossbeam_channel::{Receiver, Sender, bounded};
use fastrand::Rng;
use zeroxide::{Context, SocketStats, SocketType};

use crate::numbered;
use crate::process::pass;
use crate::report::{Report, Rule};
use crate::wire::LONG;
use ledger::Ledger;
use player::{Event, Player, Settings};

const NONE: Rule = Rule::at_most(0.0, "a kill loses messages, and does nothing else to them");
/// What waits at each of two endpoints, at both ends, and in the kernel: two buffers, which it makes twice as large.
const LOST_PER_KILL: f64 =
    2.0 * (2 * player::HWM) as f64 + (4 * player::BUFFER) as f64 / numbered::SMALLEST as f64;
const LOST: Rule =
    Rule::at_most(LOST_PER_KILL, "SNDHWM + RCVHWM + the kernel's buffers are lost with a connection");
const BALANCED: Rule = Rule::at_most(0.0, "routed = written + dropped + queued (the survivor's stats())");
const AGAIN: Rule =
    Rule::at_most(10.0, "messages flow again within seconds of a start; RECONNECT_IVL is 5 ms");

/// The survivor's number.
const SURVIVOR: u32 = 0;
/// A killed life has at least so many messages behind it.
const ENOUGH: usize = 3;

/// Options of `kill`.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// How often each side of each pair is killed, over each transport.
    #[arg(long, default_value_t = 3)]
    kills: u32,
    /// The time from a life's first message to its kill is up to so many milliseconds.
    #[arg(long, default_value_t = 60)]
    within: u64,
    /// Bytes of the largest messages.
    #[arg(long, default_value_t = 4 << 20)]
    largest: usize,
    /// Decides about the moments.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Who sends, who receives.
const PAIRS: [(SocketType, SocketType); 4] = [
    (SocketType::Push, SocketType::Pull),
    (SocketType::Dealer, SocketType::Router),
    (SocketType::Pub, SocketType::Sub),
    (SocketType::Req, SocketType::Rep),
];

/// Runs it.
///
/// # Errors
/// Something else than a figure is wrong.
pub fn run(options: &Options, report: &mut Report) -> Result<()> {
    let mut rng = Rng::with_seed(options.seed);
    for (from, to) in PAIRS {
        for transport in ["tcp", "ipc"] {
            for (killed, survivor) in [(from, to), (to, from)] {
                let name = format!("kill.{}_{}.{transport}.{}", from.name(), to.name(), killed.name());
                let name = name.to_lowercase();
                let mut run = Run::new(transport, killed, survivor, options)?;
                run.play(options, &mut rng).with_context(|| name.clone())?;
                run.close(&name, options.kills, from == SocketType::Pub, report)?;
            }
        }
    }
    Ok(())
}

/// One survivor and the lives of the other side.
struct Run {
    /// Where the survivor is bound, and where each second life binds.
    endpoints: [String; 2],
    killed: SocketType,
    largest: usize,
    ledger: Arc<Mutex<Ledger>>,
    /// Numbers of lives, each time that the survivor or the life says that a message went from one to the other.
    heard: (Sender<u32>, Receiver<u32>),
    stop: Arc<AtomicBool>,
    survivor: Option<thread::JoinHandle<Result<SocketStats>>>,
    slowest: Duration,
    _folder: tempfile::TempDir,
}

/// A process of the killed side, and the thread that reads what it reports.
struct Life {
    number: u32,
    child: Child,
    reader: thread::JoinHandle<()>,
}

impl Run {
    fn new(transport: &str, killed: SocketType, survivor: SocketType, options: &Options) -> Result<Run> {
        let folder = tempfile::tempdir()?;
        let endpoints = [endpoint(transport, folder.path(), "a")?, endpoint(transport, folder.path(), "b")?];
        let mut run = Run {
            endpoints,
            killed,
            largest: options.largest,
            ledger: Arc::new(Mutex::new(Ledger::new(killed.publishes() || survivor.publishes()))),
            heard: bounded(1024),
            stop: Arc::default(),
            survivor: None,
            slowest: Duration::ZERO,
            _folder: folder,
        };
        let [bind, connect] = run.endpoints.clone().map(Some);
        let settings = Settings { socket: survivor, me: SURVIVOR, bind, connect, largest: run.largest };
        let context = Context::new();
        let mut player = Player::new(&context, &settings)?;
        let (stop, mut note) = (Arc::clone(&run.stop), run.note());
        run.survivor = Some(thread::spawn(move || {
            let _context = context;
            player.play(&stop, &mut |event| {
                note(event);
                Ok(())
            })?;
            Ok(player.socket().stats())
        }));
        Ok(run)
    }

    /// Puts an event into the ledger, and says which life it is of.
    fn note(&self) -> impl FnMut(Event) + Send + use<> {
        let (ledger, heard) = (Arc::clone(&self.ledger), self.heard.0.clone());
        move |event| {
            ledger.lock().unwrap_or_else(PoisonError::into_inner).add(event);
            if let Event::Got { from, to, .. } = event {
                // Who waits for it looks at a few; the rest may be lost.
                let _ = heard.try_send(from.max(to));
            }
        }
    }

    fn start(&self, number: u32) -> Result<Life> {
        let [bound, free] = self.endpoints.clone();
        let attach =
            if number % 2 == 0 { ["--bind".to_owned(), free] } else { ["--connect".to_owned(), bound] };
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["player", "--type", self.killed.name(), "--me", &number.to_string()]);
        command.args(attach).args(["--largest", &self.largest.to_string()]);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let mut records = std::io::BufReader::new(child.stdout.take().context("no output")?);
        let mut note = self.note();
        let reader = thread::spawn(move || {
            while let Some(event) = Event::read(&mut records) {
                note(event);
            }
        });
        Ok(Life { number, child, reader })
    }

    /// Waits until some messages of this life have arrived.
    fn wait_for(&self, life: &mut Life) -> Result<()> {
        let (deadline, mut count) = (Instant::now() + LONG, 0);
        while count < ENOUGH {
            match self.heard.1.recv_deadline(deadline) {
                Ok(number) => count += usize::from(number == life.number),
                Err(_) => bail!("life {} ({:?}): no message in {LONG:?}", life.number, life.child.try_wait()),
            }
        }
        Ok(())
    }

    fn play(&mut self, options: &Options, rng: &mut Rng) -> Result<()> {
        // The last life is killed, too, but nothing is looked at after that.
        for number in 1..=options.kills + 1 {
            let start = Instant::now();
            let mut life = self.start(number)?;
            let waited = self.wait_for(&mut life);
            self.slowest = self.slowest.max(start.elapsed());
            if waited.is_ok() {
                pass(Duration::from_micros(rng.u64(..=options.within * 1000)));
            }
            life.child.kill()?;
            let status = life.child.wait()?;
            life.reader.join().map_err(|_| anyhow!("a reader panicked"))?;
            waited?;
            ensure!(status.signal() == Some(9), "life {number} ended by itself: {status}");
        }
        Ok(())
    }

    /// Ends the survivor and says what became of the messages.
    fn close(mut self, name: &str, kills: u32, free: bool, report: &mut Report) -> Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        let survivor = self.survivor.take().context("no survivor")?;
        let stats = survivor.join().map_err(|_| anyhow!("the survivor panicked"))??;
        let ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        let lost = ledger.sent.saturating_sub(ledger.received) as f64;
        report.figure(format!("{name}.kills"), f64::from(kills + 1), "kills");
        report.figure(format!("{name}.received"), ledger.received as f64, "messages");
        report.figure(format!("{name}.lost"), lost, "messages");
        // A publisher drops what a subscriber cannot take, so its losses have no bound.
        if !free {
            report.judge(format!("{name}.lost_per_kill"), lost / f64::from(kills + 1), "messages", &LOST);
        }
        report.judge(format!("{name}.torn"), ledger.torn as f64, "messages", &NONE);
        report.judge(format!("{name}.doubled"), ledger.doubled as f64, "messages", &NONE);
        report.judge(format!("{name}.reordered"), ledger.reordered as f64, "messages", &NONE);
        report.judge(format!("{name}.slowest_start"), self.slowest.as_secs_f64(), "s", &AGAIN);
        let gone = stats.written + stats.dropped.routed() + stats.queued;
        report.judge(format!("{name}.unbalanced"), stats.routed.abs_diff(gone) as f64, "messages", &BALANCED);
        Ok(())
    }
}

/// A free endpoint. A tcp port is below those that the system gives to who connects: a connect to such a port of its own
/// machine may meet itself.
fn endpoint(transport: &str, folder: &Path, name: &str) -> Result<String> {
    if transport == "ipc" {
        return Ok(format!("ipc://{}", folder.join(name).display()));
    }
    let mut ports = std::iter::repeat_with(|| fastrand::u16(20000..30000)).take(1000);
    let port = ports.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).context("no free port")?;
    Ok(format!("tcp://127.0.0.1:{port}"))
}
