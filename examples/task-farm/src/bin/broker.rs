//! The broker of the task farm: keeps tasks and results in a file, and gives the tasks to workers.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Parser;
use task_farm::wire::GONE;
use task_farm::{Failure, Farm, Messages, Store};
use zeroxide::{Bytes, Context, Error, Options, Socket, SocketType, opt};

/// So many messages are taken in one transaction.
const BATCH: usize = 1000;
/// How often leases are looked at when no message comes.
const TICK: Duration = Duration::from_millis(100);
/// For how long, and how often, the ids of collected results are kept and cleaned up.
const KEPT: Duration = Duration::from_secs(24 * 3600);
const CLEANED: Duration = Duration::from_secs(3600);

#[derive(Parser)]
struct Arguments {
    /// Where workers, submitters and dashboards connect
    #[arg(default_value = "tcp://127.0.0.1:5555")]
    endpoint: String,
    /// The database; it is created if there is none
    #[arg(default_value = "tasks.redb")]
    file: PathBuf,
    /// How long a worker may have a task, in seconds
    #[arg(long, default_value_t = 60)]
    lease: u64,
    /// After how many milliseconds a peer is asked whether it is still there; it is gone if it is silent for
    /// three times as long
    #[arg(long, default_value_t = 1000)]
    heartbeat: u64,
}

fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    let store = Store::open(&arguments.file)?;
    let mut farm = Farm::new(&store, Duration::from_secs(arguments.lease))?;

    let heartbeat = Duration::from_millis(arguments.heartbeat);
    let options = Options::new()
        .set(opt::DISCONNECT_MSG, Some(Bytes::from(GONE)))
        .set(opt::HEARTBEAT_IVL, Some(heartbeat))
        .set(opt::HEARTBEAT_TIMEOUT, Some(heartbeat * 3))
        // Room for the results of a submitter with a large window.
        .set(opt::SNDHWM, 10_000);
    let context = Context::new();
    let router = context.socket_with(SocketType::Router, &options)?;
    println!("{} tasks and {} results in the file", store.tasks()?.len(), store.uncollected()?);
    println!("bound {}", router.bind(&arguments.endpoint)?);

    let mut cleaned = None::<Instant>;
    loop {
        if cleaned.is_none_or(|at| at.elapsed() >= CLEANED) {
            store.write(|writer| writer.forget(KEPT))?;
            cleaned = Some(Instant::now());
        }
        let messages = receive(&router)?;
        for (to, message) in farm.receive(&store, messages, Instant::now())? {
            let task = (message[0] == "TASK").then(|| message[1].clone());
            // Nobody is waited for. Who is not there or does not read will ask again; a task goes to another
            // worker.
            let sent = router.try_send_to(&to, message);
            if let (Err(_), Some(id)) = (sent, task) {
                farm.take_back(&to, id.as_str()?);
            }
        }
    }
}

/// Returns the messages that are there, or waits a moment for one.
fn receive(router: &Socket) -> Result<Messages, Error> {
    let mut messages = match router.recv_from_timeout(TICK) {
        Ok(first) => vec![first],
        Err(Error::TimedOut(_)) => Vec::new(),
        Err(error) => return Err(error),
    };
    while !messages.is_empty() && messages.len() < BATCH {
        match router.try_recv_from() {
            Ok(next) => messages.push(next),
            Err(Error::WouldBlock(_)) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(messages)
}
