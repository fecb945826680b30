//! Clone, step 3: the clients change the map. The server receives their changes, numbers them and publishes them.
//!
//! Arguments: the endpoints to bind for requests of snapshots, for updates, and for changes; the time between two signs of life,
//! in ms.

use guide_publish::{Entry, Map, snapshot};
use guide_reliable::{Every, Failure, argument};
use zeroxide::{Context, Options, PollItem, Ready, SocketType, opt, poll};

fn main() -> Result<(), Failure> {
    let snapshots = argument::text(1, "tcp://127.0.0.1:5556");
    let updates = argument::text(2, "tcp://127.0.0.1:5557");
    let changes = argument::text(3, "tcp://127.0.0.1:5558");
    let interval = argument::milliseconds(4, 1000);

    let context = Context::new();
    let unlimited = Options::new().set(opt::SNDHWM, 0);
    let router = context.socket_with(SocketType::Router, &unlimited)?;
    let publisher = context.socket(SocketType::Pub)?;
    let collector = context.socket(SocketType::Pull)?;
    println!("bound {} for snapshots", router.bind(snapshots)?);
    println!("bound {} for updates", publisher.bind(updates)?);
    println!("bound {} for changes", collector.bind(changes)?);

    let mut map = Map::default();
    let mut beat = Every::new(interval);
    loop {
        let mut items = [PollItem::new(&router, Ready::IN), PollItem::new(&collector, Ready::IN)];
        poll(&mut items, Some(beat.left()))?;
        let [wanted, changed] = items.map(|item| item.ready().is_in());
        if changed && let Some(entry) = Entry::from_message(collector.recv()?) {
            let update = map.set(entry);
            println!("update {}: {} = {}", update.sequence, update.key, update.value);
            publisher.send(update.to_message())?;
        }
        if wanted {
            snapshot::reply(&router, router.recv()?, &map);
        }
        if beat.is_due() {
            publisher.send(snapshot::ALIVE)?;
        }
    }
}
