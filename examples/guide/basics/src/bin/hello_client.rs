//! A client: sends five requests, one after the other, and waits for each reply.

use std::env;

use zeroxide::{Context, Result, SocketType};

fn main() -> Result<()> {
    let endpoint = env::args().nth(1).unwrap_or("tcp://127.0.0.1:5555".into());
    let context = Context::new();
    let client = context.socket(SocketType::Req)?;
    client.connect(&endpoint)?;
    for number in 1..=5 {
        client.send(format!("hello {number}"))?;
        let reply = client.recv()?;
        println!("reply {number}: {:?}", reply[0]);
    }
    Ok(())
}
