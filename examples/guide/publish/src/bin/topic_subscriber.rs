//! A subscriber of one topic, or of all that begin with the same letters, for espresso and the last value cache.
//!
//! Arguments: the endpoint to connect to; the topic; the number of messages to receive.

use guide_reliable::{Failure, argument};
use zeroxide::{Context, SocketType};

fn main() -> Result<(), Failure> {
    let back = argument::text(1, "tcp://127.0.0.1:5558");
    let topic = argument::text(2, "topic-000");
    let messages = argument::number(3, 10);

    let context = Context::new();
    let subscriber = context.socket(SocketType::Sub)?;
    subscriber.subscribe(&topic)?;
    subscriber.connect(back)?;
    for _ in 0..messages {
        let message = subscriber.recv()?;
        println!("{} = {}", message[0].as_str()?, message[1].as_str()?);
    }
    Ok(())
}
