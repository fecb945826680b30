//! The command line: which sessions are played, and what is said of them.

use std::fs;
use std::io::{Seek, Write};
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;

use crate::choices::Choices;
use crate::fault::Fault;
use crate::keys::Keys;
use crate::memory;
use crate::panics;
use crate::session::{Report, play};
use crate::shrink::shrink;

/// The stack of the thread that plays: what a peer sends must not deepen it.
const STACK: usize = 256 << 10;

/// Plays sessions of whole contexts on one thread and on virtual time, each from a seed.
#[derive(Debug, Parser)]
struct Arguments {
    /// The seed of the first session. The next session has the next seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Ends when so many connections were made.
    #[arg(long, default_value_t = 100_000)]
    sessions: u64,
    /// Ends after so many seconds at the latest.
    #[arg(long)]
    seconds: Option<u64>,
    /// Threads that play, each its own sessions.
    #[arg(long, default_value_t = 1)]
    jobs: usize,
    /// Plays one session alone, by its seed or by a file of its choices, and prints each step.
    #[arg(long)]
    replay: Option<String>,
    /// Shrinks a session that fails for at most so many seconds.
    #[arg(long, default_value_t = 30)]
    shrink: u64,
    /// Where the choices of a session that failed are written.
    #[arg(long, default_value = "target/simulate/failed.txt")]
    failed: PathBuf,
    /// Plays in this process: nobody says which seed it was if the process dies.
    #[arg(long, hide = true)]
    alone: bool,
}

/// What all threads have played so far.
#[derive(Debug, Default)]
struct Sum {
    runs: AtomicU64,
    connections: AtomicU64,
    steps: AtomicU64,
    messages: AtomicU64,
    over: AtomicBool,
    /// The seed that failed, with its choices.
    failed: Mutex<Option<(u64, Vec<u32>, Fault)>>,
}

impl Sum {
    fn add(&self, report: Report) {
        self.runs.fetch_add(1, Ordering::Relaxed);
        self.steps.fetch_add(report.steps, Ordering::Relaxed);
        self.messages.fetch_add(report.messages, Ordering::Relaxed);
        self.connections.fetch_add(report.connections, Ordering::Relaxed);
    }
}

pub(crate) fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.replay.is_none() && !arguments.alone {
        return watched(&arguments);
    }
    panics::keep();
    let played = thread::Builder::new().stack_size(16 << 20).spawn(move || match &arguments.replay {
        Some(what) => replay(what),
        None => play_all(&arguments),
    });
    match played.map(thread::JoinHandle::join) {
        Ok(Ok(true)) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

/// Plays in another process, which may die of what it plays, and says which session it was.
fn watched(arguments: &Arguments) -> ExitCode {
    let own = std::env::current_exe();
    let child =
        own.and_then(|own| Command::new(own).args(std::env::args_os().skip(1)).arg("--alone").status());
    match child {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(status) if status.code().is_some() => ExitCode::FAILURE,
        Ok(status) => {
            println!("{}", fs::read_to_string(playing(arguments)).unwrap_or_default());
            println!("rule the process survives\n\nthe process that played it ended: {status}");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("no process that plays: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The file that says what is being played.
fn playing(arguments: &Arguments) -> PathBuf {
    arguments.failed.with_extension("playing")
}

/// Plays one session in view.
fn replay(what: &str) -> bool {
    let choices = match what.parse() {
        Ok(seed) => Choices::from_seed(seed),
        Err(_) => match fs::read_to_string(what) {
            Ok(text) => Choices::from_list(text.split_whitespace().filter_map(|n| n.parse().ok()).collect()),
            Err(error) => {
                eprintln!("{what}: {error}");
                return false;
            }
        },
    };
    // The first line takes a buffer, which is none of the session's.
    println!("{what}");
    let (_, outcome) = play(choices, &Keys::new(), true);
    match outcome {
        Ok(report) => println!("{report:?}"),
        Err(fault) => println!("{fault}"),
    }
    true
}

fn play_all(arguments: &Arguments) -> bool {
    let (sum, start) = (Sum::default(), Instant::now());
    let file = fs::File::create(playing(arguments));
    if let Err(error) = &file {
        eprintln!("if the process dies, its seed is not known: {}: {error}", playing(arguments).display());
    }
    let next = AtomicU64::new(arguments.seed);
    if arguments.jobs > 1 {
        memory::share();
    }
    let end = arguments.seconds.map(|seconds| start + Duration::from_secs(seconds));
    thread::scope(|scope| {
        for _ in 0..arguments.jobs.max(1) {
            let player = || {
                let keys = Keys::new();
                while !sum.over.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if let Ok(mut file) = file.as_ref() {
                        let connections = sum.connections.load(Ordering::Relaxed);
                        // Each line is as long as the one before it, and takes its place.
                        let _ = file.rewind();
                        let _ = writeln!(file, "seed {seed:<20}\nconnections {connections:<20}");
                    }
                    play_next(seed, &keys, &sum);
                    let enough = sum.connections.load(Ordering::Relaxed) >= arguments.sessions
                        || end.is_some_and(|end| Instant::now() >= end);
                    sum.over.fetch_or(enough, Ordering::Relaxed);
                }
            };
            if let Err(error) = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, player) {
                eprintln!("no thread: {error}");
            }
        }
    });
    let (runs, connections) = (sum.runs.load(Ordering::Relaxed), sum.connections.load(Ordering::Relaxed));
    let (steps, seconds) = (sum.steps.load(Ordering::Relaxed), start.elapsed().as_secs_f64());
    println!("runs {runs}");
    println!("connections {connections}");
    println!("messages {}", sum.messages.load(Ordering::Relaxed));
    println!("steps {steps}");
    println!("steps_per_second {:.0}", steps as f64 / seconds);
    println!("connections_per_minute {:.0}", connections as f64 / seconds * 60.0);
    let failed = sum.failed.into_inner().unwrap_or_default();
    let Some((seed, list, fault)) = failed else { return connections > 0 };
    println!("rule {}\n\nseed {seed} breaks it after {} choices.\n{fault}\n", fault.rule, list.len());
    if arguments.shrink == 0 {
        return false;
    }
    let (list, fault) = shrink(list, fault, &Keys::new(), Duration::from_secs(arguments.shrink));
    let text: Vec<String> = list.iter().map(u32::to_string).collect();
    println!("shrunk to {} choices:\n{fault}", list.len());
    match fs::write(&arguments.failed, text.join(" ")) {
        Ok(()) => println!("--replay {} shows each step", arguments.failed.display()),
        Err(error) => println!("{}: {error}; the choices: {}", arguments.failed.display(), text.join(" ")),
    }
    false
}

fn play_next(seed: u64, keys: &Keys, sum: &Sum) {
    let (list, outcome) = play(Choices::from_seed(seed), keys, false);
    match outcome {
        Ok(report) => sum.add(report),
        Err(fault) => {
            sum.over.store(true, Ordering::Relaxed);
            let mut failed = sum.failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            failed.get_or_insert((seed, list, fault));
        }
    }
}
