//! A service with four threads. Clients see one server; behind it the threads get the requests over inproc.

use std::{env, thread};

use zeroxide::{Context, Proxy, Result, SocketType};

const THREADS: usize = 4;

fn main() -> Result<()> {
    let endpoint = env::args().nth(1).unwrap_or("tcp://127.0.0.1:5555".into());
    let context = Context::new();
    let clients = context.socket(SocketType::Router)?;
    let workers = context.socket(SocketType::Dealer)?;
    workers.bind("inproc://workers")?;
    for number in 1..=THREADS {
        let context = context.clone();
        thread::spawn(move || work(&context, number));
    }
    workers.wait_for_peers(THREADS, std::time::Duration::from_secs(60))?;
    println!("bound {}", clients.bind(&endpoint)?);
    Proxy::new(&clients, &workers).run()?;
    Ok(())
}

/// What a thread does: the same as a worker in a process of its own.
fn work(context: &Context, number: usize) -> Result<()> {
    let requests = context.socket(SocketType::Rep)?;
    requests.connect("inproc://workers")?;
    loop {
        let request = requests.recv()?;
        requests.send(format!("{} from thread {number}", request[0].len()))?;
    }
}
