//! Clone, step 5: a client that sets one value, again before it expires, as long as it lives. So the others know that it lives.
//!
//! Arguments: the server's endpoint for changes; the name of this client; the lifetime of its value, in ms.

use guide_publish::Entry;
use guide_reliable::{Failure, argument};
use zeroxide::{Context, SocketType};

fn main() -> Result<(), Failure> {
    let changes = argument::text(1, "tcp://127.0.0.1:5558");
    let name = argument::text(2, "anna");
    let lifetime = argument::milliseconds(3, 3000);

    let context = Context::new();
    let collector = context.socket(SocketType::Push)?;
    collector.connect(changes)?;
    loop {
        let here = Entry { ttl: Some(lifetime), ..Entry::new(format!("/here/{name}"), "yes") };
        collector.send(here.to_message())?;
        zeroxide::poll(&mut [], Some(lifetime / 3))?;
    }
}
