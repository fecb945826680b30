//! The end of a pipeline: collects the results, and prints who has done how many.

use std::collections::BTreeMap;
use std::env;
use std::time::{Duration, Instant};

use zeroxide::{Context, Error, SocketType};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let endpoint = env::args().nth(1).unwrap_or("tcp://127.0.0.1:5558".into());
    let patience = Duration::from_secs(env::args().nth(2).unwrap_or("10".into()).parse()?);
    let context = Context::new();
    let results = context.socket(SocketType::Pull)?;
    println!("bound {}", results.bind(&endpoint)?);

    // The source says how many tasks there are. Messages of two peers have no order: a result may come before that.
    let (mut tasks, mut done, mut primes) = (None, 0, 0);
    let (mut workers, started) = (BTreeMap::new(), Instant::now());
    while tasks != Some(done) {
        let message = match results.recv_timeout(patience) {
            Ok(message) => message,
            Err(Error::TimedOut(_)) => return Err(format!("{done} results of {tasks:?} came").into()),
            Err(error) => return Err(error.into()),
        };
        let (from, number): (_, usize) = (message[0].as_str()?, message[1].as_str()?.parse()?);
        if from == "start" {
            tasks = Some(number);
        } else {
            done += 1;
            primes += number;
            *workers.entry(from.to_owned()).or_insert(0) += 1;
        }
    }
    println!("{done} results in {:.0?}: {primes} primes", started.elapsed());
    workers.iter().for_each(|(name, count)| println!("{name}: {count} tasks"));
    Ok(())
}
