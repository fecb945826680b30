//! Suicidal snail: a subscriber that ends itself when what it receives is too old.
//!
//! Arguments: the publisher's endpoint; the age that a message may have, in ms; how long the work on a message takes, in ms.

use std::process::exit;
use std::time::{Duration, UNIX_EPOCH};

use guide_reliable::{Failure, argument};
use zeroxide::{Context, SocketType};

fn main() -> Result<(), Failure> {
    let publisher = argument::text(1, "tcp://127.0.0.1:5556");
    let oldest = argument::milliseconds(2, 1000);
    let work = argument::milliseconds(3, 0);

    let context = Context::new();
    let subscriber = context.socket(SocketType::Sub)?;
    subscriber.subscribe("")?;
    subscriber.connect(publisher)?;
    for received in 1.. {
        let message = subscriber.recv()?;
        let sent = UNIX_EPOCH + Duration::from_millis(message[1].as_str()?.parse()?);
        // A clock that was set back makes a message look younger than it is.
        let age = sent.elapsed().unwrap_or_default();
        if age > oldest {
            println!("too slow: message {} is {} ms old", message[0].as_str()?, age.as_millis());
            exit(1);
        }
        if received % 100 == 0 {
            println!("{received} messages received in time");
        }
        zeroxide::poll(&mut [], Some(work))?;
    }
    Ok(())
}
