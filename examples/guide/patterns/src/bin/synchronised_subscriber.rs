//! A subscriber that counts, until the publisher says that it was all.

use std::env;

use zeroxide::{Context, SocketType};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let endpoint = env::args().nth(1).unwrap_or("tcp://127.0.0.1:5561".into());
    let context = Context::new();
    let subscriber = context.socket(SocketType::Sub)?;
    subscriber.subscribe("tick")?;
    subscriber.subscribe("end")?;
    subscriber.connect(&endpoint)?;
    let (mut received, mut last) = (0, 0);
    loop {
        let message = subscriber.recv()?;
        if message[0] == "end" {
            break;
        }
        received += 1;
        last = message[1].as_str()?.parse()?;
    }
    println!("{received} messages, {} missing", last - received);
    Ok(())
}
