//! A subscriber that connects to the proxy, and ends after five news.

use std::env;

use zeroxide::{Context, Result, SocketType};

fn main() -> Result<()> {
    let topic = env::args().nth(1).unwrap_or("sports".into());
    let endpoint = env::args().nth(2).unwrap_or("tcp://127.0.0.1:5562".into());
    let context = Context::new();
    let subscriber = context.socket(SocketType::Sub)?;
    subscriber.subscribe(&topic)?;
    subscriber.connect(&endpoint)?;
    for _ in 0..5 {
        let news = subscriber.recv()?;
        println!("{:?} {:?}", news[0], news[1]);
    }
    Ok(())
}
