//! A copy of a server's map that follows the server: at a client, and at the server that is to take over.

use std::time::{Duration, Instant};

use zeroxide::{Context, Error, Message, Options, Result, Socket, SocketType, opt};

use crate::{Entry, Map, snapshot};

/// The four endpoints of a server of step 6.
#[derive(Debug)]
pub struct Place {
    /// Where it replies to requests for snapshots.
    pub snapshots: String,
    /// Where it publishes updates.
    pub updates: String,
    /// Where it receives changes.
    pub changes: String,
    /// Where it reports to the other server.
    pub reports: String,
}

impl Place {
    /// Returns four ports from that of `base` on (`tcp://127.0.0.1:5556`), or four files in the folder `base` (`ipc:///run/clone`).
    #[must_use]
    pub fn new(base: &str) -> Place {
        let port = base.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse::<u16>().ok()?)));
        let at = |number: u16, name: &str| match port {
            Some((host, first)) => format!("{host}:{}", first + number),
            None => format!("{base}/{name}"),
        };
        Place {
            snapshots: at(0, "snapshots"),
            updates: at(1, "updates"),
            changes: at(2, "changes"),
            reports: at(3, "reports"),
        }
    }
}

/// A copy that follows its server.
#[derive(Debug)]
pub struct Replica {
    updates: Socket,
    map: Map,
    subtree: String,
    lifetime: Duration,
    silent_at: Instant,
}

/// What a server has published.
#[derive(Debug)]
pub enum News {
    /// A change, which is in the copy now.
    Update(Entry),
    /// The server lives. The other server has a copy of its updates up to this one.
    Alive {
        /// The number of the update.
        copied: u64,
    },
}

impl Replica {
    /// Makes a copy of the map of the server at `place`, or of its part `subtree`. Returns `None` if the server is silent for
    /// `lifetime`, or is not the active one.
    ///
    /// # Errors
    /// Returns an error if an endpoint is wrong.
    pub fn join(
        context: &Context,
        place: &Place,
        subtree: &str,
        lifetime: Duration,
    ) -> Result<Option<Replica>> {
        let options = Options::new()
            .set(opt::RCVTIMEO, Some(lifetime))
            // Updates are lost with a connection. So there is no second one: its end is silence, and a new copy follows.
            .set(opt::RECONNECT_IVL, None);
        let updates = context.socket_with(SocketType::Sub, &options)?;
        updates.subscribe(subtree)?;
        updates.subscribe(snapshot::ALIVE)?;
        updates.connect(&place.updates)?;
        let dealer = context.socket_with(SocketType::Dealer, &options)?;
        dealer.connect(&place.snapshots)?;

        // What arrives proves that the server has the subscriptions; then no update is lost after the snapshot.
        let map = updates.recv().and_then(|_| snapshot::receive(&dealer, subtree));
        match map {
            Ok(map) => {
                let silent_at = Instant::now() + lifetime;
                Ok(Some(Replica { updates, map, subtree: subtree.to_owned(), lifetime, silent_at }))
            }
            Err(Error::TimedOut(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns the socket that becomes readable with news.
    #[must_use]
    pub fn socket(&self) -> &Socket {
        &self.updates
    }

    /// Returns the copy.
    #[must_use]
    pub fn map(&self) -> &Map {
        &self.map
    }

    /// Returns the copy, for a server that takes over.
    #[must_use]
    pub fn into_map(self) -> Map {
        self.map
    }

    /// Returns whether the server was silent for too long, or an update is missing: the copy is of no use any more.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        Instant::now() >= self.silent_at
    }

    /// Receives news and applies them to the copy; `None` if there are none within `limit`.
    ///
    /// # Errors
    /// Returns an error if the context is shut down.
    pub fn next(&mut self, limit: Duration) -> Result<Option<News>> {
        let message = match self.updates.recv_timeout(limit) {
            Ok(message) => message,
            Err(Error::TimedOut(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        self.silent_at = Instant::now() + self.lifetime;
        if let Some(copied) = copied(&message) {
            return Ok(Some(News::Alive { copied }));
        }
        let Some(update) = Entry::from_message(message) else { return Ok(None) };
        if self.subtree.is_empty() && update.sequence > self.map.sequence() + 1 {
            self.silent_at = Instant::now();
        }
        Ok(self.map.apply(update.clone()).then_some(News::Update(update)))
    }
}

/// Returns the message by which a server says that it lives.
#[must_use]
pub fn alive(copied: u64) -> Message {
    Message::from([snapshot::ALIVE.as_bytes(), &copied.to_be_bytes()])
}

fn copied(message: &Message) -> Option<u64> {
    let is_alive = message.len() == 2 && message[0] == snapshot::ALIVE;
    if is_alive { Some(u64::from_be_bytes(message[1][..].try_into().ok()?)) } else { None }
}
