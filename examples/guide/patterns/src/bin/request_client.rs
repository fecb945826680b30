//! A client of the broker: ten requests, one after the other.

use std::env;

use zeroxide::{Context, Result, SocketType};

fn main() -> Result<()> {
    let endpoint = env::args().nth(1).unwrap_or("tcp://127.0.0.1:5559".into());
    let context = Context::new();
    let client = context.socket(SocketType::Req)?;
    client.connect(&endpoint)?;
    for number in 1..=10 {
        client.send(format!("request {number}"))?;
        let reply = client.recv()?;
        println!("{:?} {:?}", reply[0], reply[1]);
    }
    Ok(())
}
