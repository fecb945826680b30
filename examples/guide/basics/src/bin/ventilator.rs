//! The source of a pipeline: waits for the workers, then hands out a hundred tasks.
//!
//! A task is a number; its result is how many primes there are below it.

use std::env;
use std::time::Duration;

use zeroxide::{Context, Options, SocketType, opt};

const TASKS: u64 = 100;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let workers: usize = env::args().nth(1).unwrap_or("1".into()).parse()?;
    let tasks_at = env::args().nth(2).unwrap_or("tcp://127.0.0.1:5557".into());
    let sink_at = env::args().nth(3).unwrap_or("tcp://127.0.0.1:5558".into());
    let context = Context::new();
    let patient = Options::new().set(opt::LINGER, None);
    let tasks = context.socket_with(SocketType::Push, &patient)?;
    println!("bound {}", tasks.bind(&tasks_at)?);

    // The first worker that connects would get most of the tasks.
    tasks.wait_for_peers(workers, Duration::from_secs(60))?;
    let sink = context.socket_with(SocketType::Push, &patient)?;
    sink.connect(&sink_at)?;
    sink.send(["start", &TASKS.to_string()])?;
    for number in 1..=TASKS {
        tasks.send((number * 100).to_string())?;
    }

    // Waits until the last task has left this process: for ever, as LINGER says.
    let report = context.term().wait();
    println!("{TASKS} tasks for {workers} workers, {} messages dropped", report.dropped);
    Ok(())
}
