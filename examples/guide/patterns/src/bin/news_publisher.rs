//! A publisher that connects to the proxy, and numbers its news.

use std::env;
use std::time::Duration;

use zeroxide::{Context, Result, SocketType, poll};

fn main() -> Result<()> {
    let topic = env::args().nth(1).unwrap_or("sports".into());
    let endpoint = env::args().nth(2).unwrap_or("tcp://127.0.0.1:5561".into());
    let context = Context::new();
    let publisher = context.socket(SocketType::Pub)?;
    publisher.connect(&endpoint)?;
    for number in 1.. {
        publisher.send([&topic, &format!("news {number}")])?;
        poll(&mut [], Some(Duration::from_millis(50)))?;
    }
    Ok(())
}
