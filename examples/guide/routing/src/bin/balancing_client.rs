//! A client of the broker: so many requests, one after the other.

use std::env;

use zeroxide::{Context, SocketType};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let endpoint = env::args().nth(1).unwrap_or("tcp://127.0.0.1:5559".into());
    let requests: u32 = env::args().nth(2).unwrap_or("10".into()).parse()?;
    let context = Context::new();
    let client = context.socket(SocketType::Req)?;
    client.connect(&endpoint)?;
    for number in 1..=requests {
        client.send(format!("request {number}"))?;
        let reply = client.recv()?;
        println!("{:?} {:?}", reply[0], reply[1]);
    }
    Ok(())
}
