//! The side that receives each message once.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::time::{Duration, Instant};

use redb::{Database, ReadableTable, TableDefinition, WriteTransaction};
use uuid::Uuid;
use zeroxide::{Context, Endpoint, EndpointText, Message, Options, RoutingId, Socket, SocketType, opt};

use crate::seen::Seen;
use crate::wire::{HELLO, Label};
use crate::{Error, MessageId};

/// What is done, by the id of the sender: all below a number, and some above it.
const DONE: TableDefinition<'_, u128, (u64, Vec<u64>)> = TableDefinition::new("persist.done");

/// How soon an acknowledgement that a sender could not take is tried again.
const RETRY: Duration = Duration::from_millis(100);

/// Receives messages from any number of outboxes, each message once, and remembers in a file what is acknowledged.
#[derive(Debug)]
pub struct Inbox {
    database: Database,
    router: Socket,
    endpoint: Endpoint,
    senders: HashMap<Uuid, Sender>,
    /// What was received and is not acknowledged.
    in_hand: HashSet<MessageId>,
    /// Senders that are to be told what is done.
    owed: BTreeSet<Uuid>,
    counts: Counts,
}

#[derive(Debug, Default)]
struct Sender {
    done: Seen,
    /// Where it is now.
    route: Option<RoutingId>,
}

/// A message, to be acknowledged when it is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// Which it is.
    pub id: MessageId,
    /// What was sent.
    pub message: Message,
}

/// What an inbox has received since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages for the application.
    pub delivered: u64,
    /// Messages that came once more, and were dropped.
    pub duplicates: u64,
    /// Messages that no outbox sends, and were dropped.
    pub malformed: u64,
}

impl Inbox {
    /// Opens the file, or creates it, and binds to the endpoint.
    ///
    /// # Errors
    /// Returns an error if the file cannot be opened, or another process has opened it, or the bind fails.
    pub fn open(
        path: impl AsRef<Path>,
        context: &Context,
        endpoint: impl EndpointText,
    ) -> Result<Inbox, Error> {
        Inbox::open_with(path, context, endpoint, &Options::new())
    }

    /// Does the same as [`Inbox::open`], with options of the ROUTER: keys for CURVE, for example.
    ///
    /// # Errors
    /// Returns the errors of [`Inbox::open`], and an error if an option is wrong.
    pub fn open_with(
        path: impl AsRef<Path>,
        context: &Context,
        endpoint: impl EndpointText,
        options: &Options,
    ) -> Result<Inbox, Error> {
        let database = Database::create(path).map_err(redb::Error::from)?;
        let senders = read(&database)?;
        let options = options.clone().set(opt::HELLO_MSG, Some(HELLO.into()));
        let router = context.socket_with(SocketType::Router, &options)?;
        let endpoint = router.bind(endpoint)?;
        let (in_hand, owed, counts) = (HashSet::new(), BTreeSet::new(), Counts::default());
        Ok(Inbox { database, router, endpoint, senders, in_hand, owed, counts })
    }

    /// Returns where it is bound.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Waits for the next message that is not done.
    ///
    /// # Errors
    /// Returns the errors of [`zeroxide::Socket::recv`].
    pub fn recv(&mut self) -> Result<Delivered, Error> {
        loop {
            if let Some(delivered) = self.next(None)? {
                return Ok(delivered);
            }
        }
    }

    /// Waits for the next message at most for `limit`.
    ///
    /// # Errors
    /// Returns the errors of [`zeroxide::Socket::recv`].
    pub fn recv_timeout(&mut self, limit: Duration) -> Result<Option<Delivered>, Error> {
        self.next(Some(Instant::now() + limit))
    }

    /// Returns the next message if there is one.
    ///
    /// # Errors
    /// Returns the errors of [`zeroxide::Socket::recv`].
    pub fn try_recv(&mut self) -> Result<Option<Delivered>, Error> {
        self.recv_timeout(Duration::ZERO)
    }

    /// Acknowledges messages in one transaction: they are not received again, and their senders forget them.
    ///
    /// # Errors
    /// Returns the errors of [`Inbox::acknowledge_with`].
    pub fn acknowledge(&mut self, ids: impl IntoIterator<Item = MessageId>) -> Result<(), Error> {
        self.acknowledge_with(ids, |_| Ok(()))
    }

    /// Acknowledges messages, and does something in the same transaction: after a crash both have happened or neither. So what
    /// `effect` writes into this database happens exactly once. Its tables have any names but `persist.done`.
    ///
    /// # Errors
    /// Returns an error of `effect`, or if a message was not received or is acknowledged: then nothing has changed. Returns an error
    /// if the disk fails or is full: then the messages may be done or not, and nothing is acknowledged. Open the file again, and
    /// the senders send once more what is not done.
    pub fn acknowledge_with(
        &mut self,
        ids: impl IntoIterator<Item = MessageId>,
        effect: impl FnOnce(&WriteTransaction) -> Result<(), redb::Error>,
    ) -> Result<(), Error> {
        let ids: BTreeSet<MessageId> = ids.into_iter().collect();
        if let Some(id) = ids.iter().find(|id| !self.in_hand.contains(id)) {
            return Err(Error::NotInHand(*id));
        }
        let mut changed: BTreeMap<Uuid, Seen> = BTreeMap::new();
        for id in &ids {
            let seen = changed.entry(id.sender).or_insert_with(|| self.senders[&id.sender].done.clone());
            seen.add(id.number);
        }
        self.commit(&changed, effect)?;
        for (sender, done) in changed {
            self.senders.entry(sender).or_default().done = done;
            self.owed.insert(sender);
        }
        for id in &ids {
            self.in_hand.remove(id);
        }
        self.pay()
    }

    /// Returns the database, to read what effects have written. It is locked for writing only within
    /// [`Inbox::acknowledge_with`].
    #[must_use]
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Returns what was received since it was opened.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    fn commit(
        &self,
        changed: &BTreeMap<Uuid, Seen>,
        effect: impl FnOnce(&WriteTransaction) -> Result<(), redb::Error>,
    ) -> Result<(), redb::Error> {
        let transaction = self.database.begin_write()?;
        {
            let mut table = transaction.open_table(DONE)?;
            for (sender, seen) in changed {
                let done = seen.acknowledgement();
                table.insert(sender.as_u128(), (done.below, done.beyond))?;
            }
        }
        // A transaction that is dropped changes nothing.
        effect(&transaction)?;
        Ok(transaction.commit()?)
    }

    /// Returns the next message that is not done and not in hand; `None` when the time has come.
    fn next(&mut self, end: Option<Instant>) -> Result<Option<Delivered>, Error> {
        loop {
            let received = match self.router.try_recv_from() {
                Err(zeroxide::Error::WouldBlock(_)) => {
                    self.pay()?;
                    let left = end.map(|end| end.saturating_duration_since(Instant::now()));
                    let retry = (!self.owed.is_empty()).then_some(RETRY);
                    match left.into_iter().chain(retry).min() {
                        Some(limit) => self.router.recv_from_timeout(limit),
                        None => self.router.recv_from(),
                    }
                }
                received => received,
            };
            match received {
                Ok((route, message)) => {
                    if let Some(delivered) = self.sort(route, message) {
                        self.counts.delivered += 1;
                        return Ok(Some(delivered));
                    }
                }
                Err(zeroxide::Error::WouldBlock(_) | zeroxide::Error::TimedOut(_)) => {
                    if end.is_some_and(|end| end <= Instant::now()) {
                        return Ok(None);
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Returns a message for the application, or drops and counts it.
    fn sort(&mut self, route: RoutingId, mut message: Message) -> Option<Delivered> {
        let label = message.pop_front().and_then(|frame| Label::read(&frame)).filter(|_| !message.is_empty());
        let Some(Label { id, oldest }) = label else {
            self.counts.malformed += 1;
            return None;
        };
        let sender = self.senders.entry(id.sender).or_default();
        sender.route = Some(route);
        sender.done.skip_to(oldest);
        if sender.done.has(id.number) {
            // Its acknowledgement was lost with a connection.
            self.owed.insert(id.sender);
            self.counts.duplicates += 1;
            return None;
        }
        if !self.in_hand.insert(id) {
            self.counts.duplicates += 1;
            return None;
        }
        Some(Delivered { id, message })
    }

    /// Tells senders what is done. A sender that takes nothing now is told later; one that is gone sends again when it is back.
    fn pay(&mut self) -> Result<(), Error> {
        let mut later = BTreeSet::new();
        for id in std::mem::take(&mut self.owed) {
            let Some(Sender { done, route: Some(route) }) = self.senders.get(&id) else { continue };
            match self
                .router
                .try_send_to(route, done.acknowledgement().frame())
                .map_err(|refused| refused.error)
            {
                Ok(()) | Err(zeroxide::Error::Unroutable { .. }) => {}
                Err(zeroxide::Error::WouldBlock(_)) => {
                    later.insert(id);
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.owed = later;
        Ok(())
    }
}

/// What the file remembers of each sender.
fn read(database: &Database) -> Result<HashMap<Uuid, Sender>, redb::Error> {
    let transaction = database.begin_write()?;
    let mut senders = HashMap::new();
    for entry in transaction.open_table(DONE)?.iter()? {
        let (sender, done) = entry?;
        let (below, beyond) = done.value();
        let done = Seen::new(below, beyond);
        senders.insert(Uuid::from_u128(sender.value()), Sender { done, route: None });
    }
    transaction.commit()?;
    Ok(senders)
}
