//! Majordomo: a worker. Its service returns the request with a word before it.
//!
//! Arguments: the broker's endpoint; the name of the service; the time between two heartbeats, in ms.

use guide_reliable::majordomo::Worker;
use guide_reliable::{Failure, argument};
use zeroxide::{Context, Message};

fn main() -> Result<(), Failure> {
    let broker = argument::text(1, "tcp://127.0.0.1:5555");
    let service = argument::text(2, "echo");
    let interval = argument::milliseconds(3, 1000);

    let context = Context::new();
    Worker::new(&context, &broker, &service, interval).serve(|request| {
        let text = String::from_utf8_lossy(&request[0]);
        println!("request {text}");
        Message::from(format!("done: {text}"))
    })?;
    Ok(())
}
