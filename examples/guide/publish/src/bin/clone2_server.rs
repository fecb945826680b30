//! Clone, step 2: the server also sends its whole map to whoever asks.
//!
//! Arguments: the endpoints to bind for requests of snapshots and for updates; the time between two changes, in ms.

use guide_publish::{Entry, Map, snapshot};
use guide_reliable::{Every, Failure, argument};
use zeroxide::{Context, Error, Options, SocketType, opt};

fn main() -> Result<(), Failure> {
    let snapshots = argument::text(1, "tcp://127.0.0.1:5556");
    let updates = argument::text(2, "tcp://127.0.0.1:5557");
    let interval = argument::milliseconds(3, 100);

    let context = Context::new();
    // A snapshot is sent at once, however large it is.
    let unlimited = Options::new().set(opt::SNDHWM, 0);
    let router = context.socket_with(SocketType::Router, &unlimited)?;
    let publisher = context.socket(SocketType::Pub)?;
    println!("bound {} for snapshots", router.bind(snapshots)?);
    println!("bound {} for updates", publisher.bind(updates)?);

    let mut map = Map::default();
    let mut change = Every::new(interval);
    loop {
        match router.recv_timeout(change.left()) {
            Ok(request) => snapshot::reply(&router, request, &map),
            Err(Error::TimedOut(_)) => {}
            Err(error) => return Err(error.into()),
        }
        if change.is_due() {
            let number = map.sequence() + 1;
            let update = map.set(Entry::new(format!("key-{number}"), number.to_string()));
            publisher.send(update.to_message())?;
            println!("{} keys", map.len());
        }
    }
}
