//! A client of the asynchronous server: sends its requests without waiting, then takes the replies as they come.

use std::env;

use zeroxide::{Context, Options, SocketType, opt};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let name = env::args().nth(1).unwrap_or("client".into());
    let requests: usize = env::args().nth(2).unwrap_or("5".into()).parse()?;
    let endpoint = env::args().nth(3).unwrap_or("tcp://127.0.0.1:5570".into());
    let context = Context::new();
    let named = Options::new().set(opt::ROUTING_ID, name.as_str());
    let client = context.socket_with(SocketType::Dealer, &named)?;
    client.connect(&endpoint)?;
    for number in 1..=requests {
        client.send(format!("{name}: {}", "x".repeat(number)))?;
    }
    let mut own = 0;
    for _ in 0..3 * requests {
        let reply = client.recv()?;
        println!("{} {}", reply[0].as_str()?, reply[1].as_str()?);
        own += usize::from(reply[0].starts_with(name.as_bytes()));
    }
    println!("{own} replies to {requests} requests");
    Ok(())
}
