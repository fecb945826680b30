//! A broker between clients and workers: neither knows how many there are of the other.

use std::env;

use zeroxide::{Context, Proxy, Result, SocketType};

fn main() -> Result<()> {
    let clients_at = env::args().nth(1).unwrap_or("tcp://127.0.0.1:5559".into());
    let workers_at = env::args().nth(2).unwrap_or("tcp://127.0.0.1:5560".into());
    let context = Context::new();
    let clients = context.socket(SocketType::Router)?;
    println!("clients at {}", clients.bind(&clients_at)?);
    let workers = context.socket(SocketType::Dealer)?;
    println!("workers at {}", workers.bind(&workers_at)?);

    // Requests go from the left to the right, replies from the right to the left.
    Proxy::new(&clients, &workers).run()?;
    Ok(())
}
