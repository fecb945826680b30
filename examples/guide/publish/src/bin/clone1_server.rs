//! Clone, step 1: a server publishes each change of its map.
//!
//! Arguments: the endpoint to bind; the time between two changes, in ms.

use guide_publish::{Entry, Map};
use guide_reliable::{Failure, argument};
use zeroxide::{Context, SocketType};

fn main() -> Result<(), Failure> {
    let endpoint = argument::text(1, "tcp://127.0.0.1:5556");
    let interval = argument::milliseconds(2, 100);

    let context = Context::new();
    let publisher = context.socket(SocketType::Pub)?;
    println!("bound {}", publisher.bind(endpoint)?);
    let mut map = Map::default();
    loop {
        let number = map.sequence() + 1;
        let update = map.set(Entry::new(format!("key-{number}"), number.to_string()));
        publisher.send(update.to_message())?;
        println!("{} keys", map.len());
        zeroxide::poll(&mut [], Some(interval))?;
    }
}
