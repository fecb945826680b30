//! Four things that surprise everybody, and what to call instead.

use std::time::Duration;

use zeroxide::{Context, Options, Result, SocketType, opt};

const SHORT: Duration = Duration::from_millis(100);
const LONG: Duration = Duration::from_secs(60);

fn main() -> Result<()> {
    connect_succeeds_with_nobody_there()?;
    pub_drops_what_nobody_has_asked_for()?;
    the_end_of_the_program_may_drop_messages()?;
    a_large_frame_ends_its_connection()
}

fn connect_succeeds_with_nobody_there() -> Result<()> {
    let context = Context::new();
    let req = context.socket(SocketType::Req)?;
    // Port 1: nobody is there.
    req.connect("tcp://127.0.0.1:1")?;
    println!("1. connect has returned\n   status: {}", req.status());
    if let Err(error) = req.connect_ready("tcp://127.0.0.1:1", SHORT) {
        println!("   connect_ready: {error}");
    }
    Ok(())
}

fn pub_drops_what_nobody_has_asked_for() -> Result<()> {
    let context = Context::new();
    let (publisher, subscriber) = (context.socket(SocketType::Pub)?, context.socket(SocketType::Sub)?);
    subscriber.subscribe("")?;
    publisher.send("too early")?;
    subscriber.connect(publisher.bind("tcp://127.0.0.1:*")?)?;
    publisher.wait_for_subscribers("", 1, LONG)?;
    publisher.send("in time")?;
    println!("2. received: {:?}", subscriber.recv()?);
    println!("   published without a subscriber: {}", publisher.stats().unmatched);
    Ok(())
}

fn the_end_of_the_program_may_drop_messages() -> Result<()> {
    let context = Context::new();
    let push = context.socket_with(SocketType::Push, &Options::new().set(opt::LINGER, Some(SHORT)))?;
    push.connect("tcp://127.0.0.1:1")?;
    push.send("nobody gets this")?;
    // Without this, the end of `main` would drop the message as well, after a second, and say nothing.
    let report = context.term().wait();
    println!("3. dropped at the end: {}", report.dropped);
    Ok(())
}

fn a_large_frame_ends_its_connection() -> Result<()> {
    let context = Context::new();
    // 64 MiB unless set; here a kilobyte.
    let pull = context.socket_with(SocketType::Pull, &Options::new().set(opt::MAXMSGSIZE, Some(1024)))?;
    let push = context.socket(SocketType::Push)?;
    push.connect(pull.bind("tcp://127.0.0.1:*")?)?;
    let events = pull.monitor();
    push.send(vec![0; 2000])?;
    while pull.stats().io.too_large == 0 {
        events.recv_timeout(LONG)?;
    }
    println!("4. frames that were too large: {}", pull.stats().io.too_large);
    println!("   status: {}", pull.status());
    Ok(())
}
