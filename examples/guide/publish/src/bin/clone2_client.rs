//! Clone, step 2: the client begins with a snapshot. It misses nothing, however late it comes.
//!
//! Arguments: the server's endpoints for snapshots and for updates; the number of changes after which it ends.

use guide_publish::{Entry, snapshot};
use guide_reliable::{Failure, argument};
use zeroxide::{Context, SocketType};

fn main() -> Result<(), Failure> {
    let snapshots = argument::text(1, "tcp://127.0.0.1:5556");
    let updates = argument::text(2, "tcp://127.0.0.1:5557");
    let changes = argument::number(3, 100);

    let context = Context::new();
    let subscriber = context.socket(SocketType::Sub)?;
    subscriber.subscribe("")?;
    subscriber.connect(updates)?;
    // The first update proves that the server has the subscription: from now on, all updates come here and wait.
    let mut next = subscriber.recv()?;

    let dealer = context.socket(SocketType::Dealer)?;
    dealer.connect(snapshots)?;
    let mut map = snapshot::receive(&dealer, "")?;
    println!("snapshot: {} keys of {}", map.len(), map.sequence());

    for _ in 0..changes {
        // Updates that the snapshot contains are not applied again.
        if map.apply(Entry::from_message(next).ok_or("no entry")?) {
            println!("{} keys of {}", map.len(), map.sequence());
        }
        next = subscriber.recv()?;
    }
    Ok(())
}
