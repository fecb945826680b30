//! A worker of a pipeline: receives a task, does it, sends the result.

use std::{env, process};

use zeroxide::{Context, SocketType};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let tasks_at = env::args().nth(1).unwrap_or("tcp://127.0.0.1:5557".into());
    let sink_at = env::args().nth(2).unwrap_or("tcp://127.0.0.1:5558".into());
    let context = Context::new();
    let results = context.socket(SocketType::Push)?;
    results.connect(&sink_at)?;
    let tasks = context.socket(SocketType::Pull)?;
    tasks.connect(&tasks_at)?;
    let name = format!("worker {}", process::id());
    loop {
        let task = tasks.recv()?;
        let number: u32 = task[0].as_str()?.parse()?;
        results.send([&name, &primes_below(number).to_string()])?;
    }
}

fn primes_below(end: u32) -> usize {
    let is_prime = |n: u32| (2..).take_while(|d| d * d <= n).all(|d| n % d != 0);
    (2..end).filter(|&n| is_prime(n)).count()
}
