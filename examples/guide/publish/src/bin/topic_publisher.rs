//! A publisher of many topics, for espresso and the last value cache. It publishes each topic once, as soon as somebody
//! subscribes, and then one topic after the other, slowly.
//!
//! Arguments: the endpoint to connect to; the number of topics; the time between two messages after the first round, in ms.

use std::time::Duration;

use guide_reliable::{Failure, argument};
use zeroxide::{Context, Options, SocketType, opt};

fn main() -> Result<(), Failure> {
    let front = argument::text(1, "tcp://127.0.0.1:5557");
    let topics = argument::number(2, 1000);
    let interval = argument::milliseconds(3, 1000);

    let context = Context::new();
    // The first round comes at once, and must find room for all topics.
    let options = Options::new().set(opt::SNDHWM, topics.max(1000));
    let publisher = context.socket_with(SocketType::Pub, &options)?;
    publisher.connect(front)?;
    publisher.wait_for_subscribers("topic-000", 1, Duration::MAX)?;
    for round in 1u64.. {
        for topic in 0..topics {
            publisher.send([format!("topic-{topic:03}"), format!("value {round}")])?;
            if round > 1 {
                zeroxide::poll(&mut [], Some(interval))?;
            }
        }
        println!("round {round} is published");
    }
    Ok(())
}
