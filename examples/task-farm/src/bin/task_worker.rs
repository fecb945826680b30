//! A worker of the task farm. It may be killed at any time. Start as many as there are cores, on as many
//! machines as there are.

use std::collections::HashMap;
use std::process;
use std::time::Duration;

use clap::Parser;
use task_farm::work::work;
use task_farm::{Failure, wire};
use zeroxide::{Context, Error, Frame, Message};

#[derive(Parser)]
struct Arguments {
    /// The broker's endpoint
    #[arg(default_value = "tcp://127.0.0.1:5555")]
    broker: String,
    /// How many tasks it takes at once; all but one wait here
    #[arg(long, default_value_t = 1)]
    credit: usize,
    /// After how many milliseconds without a message it says again that it is there
    #[arg(long, default_value_t = 1000)]
    silence: u64,
}

fn main() -> Result<(), Failure> {
    let Arguments { broker, credit, silence } = Arguments::parse();
    let context = Context::new();
    let dealer = wire::dealer(&context, &broker)?;
    let ready = Message::from(["READY", &format!("rust {}", process::id()), &credit.to_string()]);
    // Results that the broker has not yet written to its disk.
    let mut unconfirmed = HashMap::<Frame, Message>::new();

    dealer.send(ready.clone())?;
    println!("ready");
    loop {
        let message = match dealer.recv_timeout(Duration::from_millis(silence)) {
            Ok(message) => message,
            Err(Error::TimedOut(_)) => wire::LOST.into(),
            Err(error) => return Err(error.into()),
        };
        let frames: Vec<&[u8]> = message.iter().map(|frame| &frame[..]).collect();
        match frames[..] {
            [b"TASK", id, body] => {
                let done = Message::from([Frame::from("DONE"), Frame::from(id), Frame::from(work(body))]);
                dealer.send(done.clone())?;
                unconfirmed.insert(Frame::from(id), done);
            }
            [b"OK", _, id] => {
                unconfirmed.remove(id);
            }
            // The broker may be another one, started after the first was killed: it knows neither the worker
            // nor these results.
            [b"LOST"] => {
                dealer.send(ready.clone())?;
                unconfirmed.values().try_for_each(|done| dealer.send(done.clone()))?;
            }
            _ => eprintln!("not understood: {message:?}"),
        }
    }
}
