//! Clone, step 4: a client that wants a part of the map only. The server of step 3 serves it.
//!
//! Arguments: the server's endpoints for snapshots and for updates; the beginning of the keys that it wants.

use guide_publish::{Entry, snapshot};
use guide_reliable::{Failure, argument};
use zeroxide::{Context, SocketType};

fn main() -> Result<(), Failure> {
    let snapshots = argument::text(1, "tcp://127.0.0.1:5556");
    let updates = argument::text(2, "tcp://127.0.0.1:5557");
    let subtree = argument::text(3, "/anna/");

    let context = Context::new();
    let subscriber = context.socket(SocketType::Sub)?;
    let dealer = context.socket(SocketType::Dealer)?;
    // A subscription is to all that begins with it, as a subtree is.
    subscriber.subscribe(&subtree)?;
    subscriber.subscribe(snapshot::ALIVE)?;
    subscriber.connect(updates)?;
    dealer.connect(snapshots)?;

    subscriber.recv()?;
    let mut map = snapshot::receive(&dealer, &subtree)?;
    map.under("").for_each(|entry| println!("{} = {}", entry.key, entry.value));
    loop {
        let Some(update) = Entry::from_message(subscriber.recv()?) else { continue };
        let text = format!("{} = {}", update.key, update.value);
        if map.apply(update) {
            println!("{text}");
        }
    }
}
