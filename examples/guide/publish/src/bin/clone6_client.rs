//! Clone, step 6: a client of two servers. It sends each change again until both servers have it, and follows the active one.
//!
//! Arguments: the first of the four endpoints of each server; the name of this client; the number of changes that it makes, and the
//! time between two of them, in ms; the time between two signs of life of the servers, in ms.

use std::time::Duration;

use guide_publish::Entry;
use guide_publish::replica::{News, Place, Replica};
use guide_reliable::{Every, Failure, argument};
use zeroxide::{Context, Options, Socket, SocketType, opt};

fn main() -> Result<(), Failure> {
    let places = [argument::text(1, "tcp://127.0.0.1:5556"), argument::text(2, "tcp://127.0.0.1:5566")];
    let name = argument::text(3, "anna");
    let number = argument::number(4, 10);
    let interval = argument::milliseconds(5, 1000);
    let lifetime = 3 * argument::milliseconds(6, 1000);

    let subtree = format!("/{name}/");
    let mut client = Client {
        context: Context::new(),
        places: places.map(|base| Place::new(&base)),
        subtree: if number > 0 { subtree.clone() } else { String::new() },
        lifetime,
        which: 0,
        unsafe_changes: Vec::new(),
    };
    let (mut replica, mut changes) = client.join()?;
    let mut made = 0;
    let mut change = Every::new(interval);
    loop {
        match replica.next(change.left())? {
            Some(News::Update(update)) => {
                println!("{} = {}", update.key, update.value);
                client.seen(&update);
            }
            Some(News::Alive { copied }) => client.copied(copied),
            None if replica.is_lost() => (replica, changes) = client.join()?,
            None => {}
        }
        if change.is_due() && made < number {
            made += 1;
            let entry = Entry::new(format!("{subtree}{made}"), made.to_string());
            changes.send(entry.to_message())?;
            client.unsafe_changes.push((entry, None));
        } else if made == number && number > 0 && client.unsafe_changes.is_empty() {
            println!("all {number} changes are safe");
            return Ok(());
        }
    }
}

struct Client {
    context: Context,
    places: [Place; 2],
    subtree: String,
    lifetime: Duration,
    /// The server that was active last.
    which: usize,
    /// Changes that could be lost with one server, and their numbers, if they were published.
    unsafe_changes: Vec<(Entry, Option<u64>)>,
}

impl Client {
    /// Asks both servers by turns until one of them is active. Sends it the changes that may have been lost.
    fn join(&mut self) -> Result<(Replica, Socket), Failure> {
        loop {
            let place = &self.places[self.which];
            if let Some(replica) = Replica::join(&self.context, place, &self.subtree, self.lifetime)? {
                println!(
                    "server {} has {} keys of {}",
                    self.which,
                    replica.map().len(),
                    replica.map().sequence()
                );
                // Changes that were not sent are sent again below, to whoever is active then.
                let options = Options::new().set(opt::LINGER, Some(Duration::ZERO));
                let changes = self.context.socket_with(SocketType::Push, &options)?;
                changes.connect(&place.changes)?;
                for (change, number) in &mut self.unsafe_changes {
                    let known = replica.map().under(&change.key).find(|entry| entry.id == change.id);
                    *number = known.map(|entry| entry.sequence);
                    if known.is_none() {
                        changes.send(change.to_message())?;
                    }
                }
                return Ok((replica, changes));
            }
            println!("server {} does not reply", self.which);
            self.which = 1 - self.which;
        }
    }

    fn seen(&mut self, update: &Entry) {
        for (_, number) in self.unsafe_changes.iter_mut().filter(|(entry, _)| entry.id == update.id) {
            *number = Some(update.sequence);
        }
    }

    fn copied(&mut self, copied: u64) {
        self.unsafe_changes.retain(|(_, number)| number.is_none_or(|number| number > copied));
    }
}
