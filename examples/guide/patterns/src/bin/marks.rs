//! What happens at the high-water mark: PUSH waits, PUB drops. Nobody reads, so that the queues fill.

use zeroxide::{Cause, Context, Options, Result, Socket, SocketType, opt};

fn main() -> Result<()> {
    let context = Context::new();
    let (push, pull) = (socket(&context, SocketType::Push)?, socket(&context, SocketType::Pull)?);
    pull.bind("inproc://work")?;
    push.connect("inproc://work")?;
    let mut sent = 0;
    let refused = loop {
        match push.try_send("task") {
            Ok(()) => sent += 1,
            Err(refused) => break refused,
        }
    };
    println!(
        "PUSH: {sent} sent, then {} came back: {}",
        refused.message[0].as_str().unwrap_or("?"),
        refused.error
    );

    let (publisher, subscriber) = (socket(&context, SocketType::Pub)?, socket(&context, SocketType::Sub)?);
    publisher.bind("inproc://news")?;
    subscriber.subscribe("")?;
    subscriber.connect("inproc://news")?;
    publisher.wait_for_subscribers("", 1, std::time::Duration::from_secs(60))?;
    for number in 1..=100 {
        publisher.send(format!("news {number}"))?;
    }
    let stats = publisher.stats();
    println!("PUB: {} accepted, {} dropped at the mark", stats.accepted, stats.dropped.by(Cause::Hwm));
    let mut received = 0;
    let mut last = None;
    while let Ok(news) = subscriber.try_recv() {
        received += 1;
        last = Some(news);
    }
    println!("SUB: {received} received, the last is {last:?}");
    Ok(())
}

/// Each end keeps at most so many messages. Over inproc there is one queue, and its mark is the sum.
fn socket(context: &Context, socket_type: SocketType) -> Result<Socket> {
    context.socket_with(socket_type, &Options::new().set(opt::SNDHWM, 10).set(opt::RCVHWM, 5))
}
