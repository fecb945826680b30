//! Clone, step 3: a client that changes the map, and sees the changes of all clients.
//!
//! Arguments: the server's endpoints for snapshots, for updates and for changes; the name of this client; the number of changes
//! that it makes, and the time between two of them, in ms.

use guide_publish::{Entry, snapshot};
use guide_reliable::{Every, Failure, argument};
use zeroxide::{Context, Error, SocketType};

fn main() -> Result<(), Failure> {
    let snapshots = argument::text(1, "tcp://127.0.0.1:5556");
    let updates = argument::text(2, "tcp://127.0.0.1:5557");
    let changes = argument::text(3, "tcp://127.0.0.1:5558");
    let name = argument::text(4, "anna");
    let number = argument::number(5, 10);
    let interval = argument::milliseconds(6, 1000);

    let context = Context::new();
    let subscriber = context.socket(SocketType::Sub)?;
    let dealer = context.socket(SocketType::Dealer)?;
    let collector = context.socket(SocketType::Push)?;
    subscriber.subscribe("")?;
    subscriber.connect(updates)?;
    dealer.connect(snapshots)?;
    collector.connect(changes)?;

    // Any message, and there is one at least at each sign of life, proves that the server has the subscription.
    subscriber.recv()?;
    let mut map = snapshot::receive(&dealer, "")?;
    map.under("").for_each(|entry| println!("{} = {}", entry.key, entry.value));

    let mut made = 0;
    let mut change = Every::new(interval);
    loop {
        match subscriber.recv_timeout(change.left()) {
            Ok(message) => {
                // A sign of life is no entry.
                let Some(update) = Entry::from_message(message) else { continue };
                let text = format!("{} = {}", update.key, update.value);
                if map.apply(update) {
                    println!("{text}");
                }
            }
            Err(Error::TimedOut(_)) => {}
            Err(error) => return Err(error.into()),
        }
        if change.is_due() && made < number {
            made += 1;
            // Its own map changes when the update comes back, so that all maps change in the same order.
            collector.send(Entry::new(format!("/{name}/{made}"), made.to_string()).to_message())?;
        }
    }
}
