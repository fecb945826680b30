//! The slow joiner: what a subscriber misses, and two ways to wait for it.

use std::time::Duration;

use zeroxide::{Context, Result, Socket, SocketType};

const LONG: Duration = Duration::from_secs(60);

fn main() -> Result<()> {
    let context = Context::new();

    // Connected is not subscribed: the publisher sends at once.
    let publisher = context.socket(SocketType::Pub)?;
    let subscriber = joined(&context, &publisher)?;
    publish(&publisher)?;
    publisher.wait_for_subscribers("", 1, LONG)?;
    let missed = publisher.stats().unmatched;
    publisher.send("end")?;
    println!("at once:              {missed} of 1000 missed, {} received", count(&subscriber)?);

    // The publisher waits.
    let publisher = context.socket(SocketType::Pub)?;
    let subscriber = joined(&context, &publisher)?;
    publisher.wait_for_subscribers("", 1, LONG)?;
    publish(&publisher)?;
    publisher.send("end")?;
    println!("wait_for_subscribers: {} of 1000 received", count(&subscriber)?);

    // The same by hand, as it works in every implementation: an XPUB receives each subscription as a message.
    let publisher = context.socket(SocketType::XPub)?;
    let subscriber = joined(&context, &publisher)?;
    let subscription = publisher.recv()?;
    assert_eq!(subscription[0], [1], "1: subscribe, 0: the end of it; then the topic");
    publish(&publisher)?;
    publisher.send("end")?;
    println!("XPUB:                 {} of 1000 received", count(&subscriber)?);
    Ok(())
}

fn joined(context: &Context, publisher: &Socket) -> Result<Socket> {
    let subscriber = context.socket(SocketType::Sub)?;
    subscriber.subscribe("")?;
    subscriber.connect(publisher.bind("tcp://127.0.0.1:*")?)?;
    Ok(subscriber)
}

fn publish(publisher: &Socket) -> Result<()> {
    (0..1000).try_for_each(|number: u32| Ok(publisher.send(number.to_string())?))
}

/// Receives until the publisher says that it was all.
fn count(subscriber: &Socket) -> Result<u32> {
    let mut received = 0;
    while subscriber.recv()?[0] != "end" {
        received += 1;
    }
    Ok(received)
}
