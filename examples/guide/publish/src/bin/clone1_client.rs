//! Clone, step 1: a client builds its map from the changes that it receives.
//!
//! Arguments: the server's endpoint; the number of changes after which it ends.

use guide_publish::{Entry, Map};
use guide_reliable::{Failure, argument};
use zeroxide::{Context, SocketType};

fn main() -> Result<(), Failure> {
    let server = argument::text(1, "tcp://127.0.0.1:5556");
    let changes = argument::number(2, 100);

    let context = Context::new();
    let subscriber = context.socket(SocketType::Sub)?;
    subscriber.subscribe("")?;
    subscriber.connect(server)?;
    let mut map = Map::default();
    for _ in 0..changes {
        let update = Entry::from_message(subscriber.recv()?).ok_or("no entry")?;
        map.apply(update);
        println!("{} keys of {}", map.len(), map.sequence());
    }
    Ok(())
}
