//! Sends numbered messages through an outbox. Killed and started again, it goes on where it was.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Parser;
use zeroxide::Context;
use zeroxide_persist::Outbox;
use zeroxide_persist::numbered::numbered;

/// Stores numbered messages in a file and sends them until they are acknowledged.
#[derive(Parser)]
struct Arguments {
    /// The file of the outbox
    #[arg(long, value_name = "FILE", default_value = "outbox.redb")]
    file: PathBuf,
    /// Where the receiver is
    #[arg(long, value_name = "ENDPOINT", default_value = "tcp://127.0.0.1:5558")]
    connect: String,
    /// Ends after so many messages more, when all are acknowledged; it goes on for ever without
    #[arg(long, value_name = "N")]
    more: Option<u64>,
    /// Messages in one transaction
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    batch: u64,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    let context = Context::new();
    let outbox = Outbox::open(&arguments.file, &context, &*arguments.connect)?;
    println!("{} stored before, {} of them not acknowledged", outbox.last(), outbox.waited());

    let begin = Instant::now();
    // The number in a message is that of the outbox, so the file tells where to go on.
    let (mut next, end) = (outbox.last() + 1, arguments.more.map(|more| outbox.last() + 1 + more));
    while end.is_none_or(|end| next < end) {
        let after = end.map_or(next + arguments.batch, |end| end.min(next + arguments.batch));
        let id = outbox.send_all((next..after).map(numbered))?;
        assert_eq!(id.number, after - 1, "the outbox counts as this program does");
        println!("stored {}", id.number);
        next = after;
    }
    let stored = begin.elapsed();
    while !outbox.wait_until_acknowledged(Duration::from_secs(10))? {
        println!("not all is acknowledged yet");
    }
    let count = next - 1 - outbox.last();
    let rate = |time: Duration| count as f64 / time.as_secs_f64();
    println!("{count} more, {:.0}/s on disk, {:.0}/s acknowledged", rate(stored), rate(begin.elapsed()));
    println!("all {} acknowledged", next - 1);
    Ok(())
}
