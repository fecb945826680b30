//! A publisher that waits for its subscribers, and loses nothing: for a feed that must be whole from its first message on.

use std::env;
use std::time::Duration;

use zeroxide::{Context, Options, SocketType, opt};

const MESSAGES: u32 = 10_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let subscribers: usize = env::args().nth(1).unwrap_or("2".into()).parse()?;
    let endpoint = env::args().nth(2).unwrap_or("tcp://127.0.0.1:5561".into());
    let context = Context::new();
    // Waits for a slow subscriber, where a publisher drops as a rule; and at the end until everything is written.
    let whole = Options::new().set(opt::XPUB_NODROP, true).set(opt::LINGER, None);
    let publisher = context.socket_with(SocketType::Pub, &whole)?;
    println!("bound {}", publisher.bind(&endpoint)?);

    publisher.wait_for_subscribers("tick", subscribers, Duration::from_secs(60))?;
    publisher.wait_for_subscribers("end", subscribers, Duration::from_secs(60))?;
    println!("{subscribers} subscribers are there");
    for number in 1..=MESSAGES {
        publisher.send(["tick", &number.to_string()])?;
    }
    publisher.send("end")?;
    let report = context.term().wait();
    println!("{MESSAGES} messages published, {} dropped", report.dropped);
    Ok(())
}
