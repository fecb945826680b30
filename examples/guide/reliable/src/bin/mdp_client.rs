//! Majordomo: a client, which sends numbered requests to a service.
//!
//! Arguments: the broker's endpoint; the name of the service; the number of requests; how long to wait for a reply, in ms; how
//! often to try.

use guide_reliable::majordomo::Client;
use guide_reliable::{Failure, argument};
use zeroxide::Context;

fn main() -> Result<(), Failure> {
    let broker = argument::text(1, "tcp://127.0.0.1:5555");
    let service = argument::text(2, "echo");
    let requests = argument::number(3, 10);
    let limit = argument::milliseconds(4, 2500);
    let tries = argument::number(5, 3);

    let context = Context::new();
    let mut client = Client::new(&context, &broker, limit, tries)?;
    for number in 1..=requests {
        match client.request(&service, number.to_string())? {
            Some(reply) => println!("reply {}", reply[0].as_str()?),
            None => return Err(format!("no reply to request {number}").into()),
        }
    }
    Ok(())
}
