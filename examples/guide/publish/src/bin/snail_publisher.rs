//! Suicidal snail: a publisher that puts the time into each message.
//!
//! Arguments: the endpoint to bind; the time between two messages, in ms.

use std::time::{SystemTime, UNIX_EPOCH};

use guide_reliable::{Failure, argument};
use zeroxide::{Context, SocketType};

fn main() -> Result<(), Failure> {
    let endpoint = argument::text(1, "tcp://127.0.0.1:5556");
    let interval = argument::milliseconds(2, 1);

    let context = Context::new();
    let publisher = context.socket(SocketType::Pub)?;
    println!("bound {}", publisher.bind(endpoint)?);
    for number in 1u64.. {
        let sent = SystemTime::now().duration_since(UNIX_EPOCH)?;
        publisher.send([number.to_string(), sent.as_millis().to_string()])?;
        zeroxide::poll(&mut [], Some(interval))?;
    }
    Ok(())
}
