//! A worker behind the broker: a server that connects.

use std::{env, process};

use zeroxide::{Context, Result, SocketType};

fn main() -> Result<()> {
    let endpoint = env::args().nth(1).unwrap_or("tcp://127.0.0.1:5560".into());
    let context = Context::new();
    let worker = context.socket(SocketType::Rep)?;
    worker.connect_ready(&endpoint, std::time::Duration::from_secs(60))?;
    println!("ready");
    loop {
        let request = worker.recv()?;
        worker.send([&request[0][..], format!("from worker {}", process::id()).as_bytes()])?;
    }
}
