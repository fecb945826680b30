//! The side that stores and sends.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TryRecvError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use redb::Database;
use uuid::Uuid;
use zeroxide::{
    Context, EndpointText, Message, Options, PollWaker, Poller, Ready, SendError, Socket, SocketType, opt,
};

use crate::outbox_file::OutboxFile;
use crate::wire::{Acknowledgement, HELLO, Label};
use crate::{Error, MessageId, WINDOW};

/// How many calls of `send` wait for the disk at most; later ones wait for a place.
const ORDERS: usize = 1000;
/// How many messages are stored in one transaction at most, unless one call brings more.
const BATCH: usize = 1000;

/// Stores messages in a file, and sends them until they are acknowledged. Any thread may send.
///
/// Its thread does the work. Calls that wait for the disk at the same time share one transaction, so many threads store more
/// messages a second than one. Its drop ends the thread; what is not acknowledged is sent when the file is opened again.
#[derive(Debug)]
pub struct Outbox {
    orders: Option<SyncSender<Order>>,
    waker: PollWaker,
    thread: Option<JoinHandle<()>>,
    sender: Uuid,
    before: (u64, u64),
}

/// What a caller asks of the thread.
#[derive(Debug)]
enum Order {
    /// To store these, and to report the last number.
    Store(Vec<Message>, SyncSender<Result<u64, Error>>),
    /// To report when the file is empty.
    WhenEmpty(SyncSender<()>),
}

impl Outbox {
    /// Opens the file, or creates it, and connects to an [`Inbox`](crate::Inbox), which may come later.
    ///
    /// # Errors
    /// Returns an error if the file cannot be opened, or another process has opened it, or the endpoint is wrong.
    pub fn open(
        path: impl AsRef<Path>,
        context: &Context,
        endpoint: impl EndpointText,
    ) -> Result<Outbox, Error> {
        Outbox::open_with(path, context, endpoint, &Options::new())
    }

    /// Does the same as [`Outbox::open`], with options of the DEALER: keys for CURVE, for example.
    ///
    /// # Errors
    /// Returns the errors of [`Outbox::open`], and an error if an option is wrong.
    pub fn open_with(
        path: impl AsRef<Path>,
        context: &Context,
        endpoint: impl EndpointText,
        options: &Options,
    ) -> Result<Outbox, Error> {
        let database = Database::create(path).map_err(redb::Error::from)?;
        Outbox::with_database(database, context, endpoint, options)
    }

    pub(crate) fn with_database(
        database: Database,
        context: &Context,
        endpoint: impl EndpointText,
        options: &Options,
    ) -> Result<Outbox, Error> {
        let file = OutboxFile::new(database)?;
        // A connection that is cut without a sign is noticed, and what was on it is sent again.
        let options = options.clone().set(opt::HEARTBEAT_IVL, Some(Duration::from_secs(5)));
        let dealer = context.socket_with(SocketType::Dealer, &options)?;
        let mut poller = Poller::new();
        poller.add(&dealer, 0, Ready::IN)?;
        dealer.connect(endpoint)?;
        let (orders, taken) = mpsc::sync_channel(ORDERS);
        let (waker, sender, before) = (poller.waker(), file.sender, (file.last, file.waiting));
        let courier = Courier {
            file,
            dealer,
            orders: taken,
            added: Vec::new(),
            removed: Vec::new(),
            replies: Vec::new(),
            empty: Vec::new(),
            // The inbox says hello, and then all is sent.
            connected: false,
            sent: BTreeSet::new(),
            next: 1,
        };
        let thread = Some(thread::spawn(move || courier.run(poller)));
        Ok(Outbox { orders: Some(orders), waker, thread, sender, before })
    }

    /// Stores a message, and returns its id. It is on disk when this returns, and is sent then.
    ///
    /// # Errors
    /// Returns an error if the disk fails or is full. Then the message may be stored or not: open the file again, and
    /// [`Outbox::last`] tells.
    pub fn send(&self, message: impl Into<Message>) -> Result<MessageId, Error> {
        self.send_all([message])
    }

    /// Stores messages in one transaction, which costs little more than one message does, and returns the id of the last one. Their
    /// numbers follow one another.
    ///
    /// # Errors
    /// Returns the errors of [`Outbox::send`]: all are stored or none is.
    pub fn send_all<M: Into<Message>>(
        &self,
        messages: impl IntoIterator<Item = M>,
    ) -> Result<MessageId, Error> {
        let messages = messages.into_iter().map(Into::into).collect();
        let (reply, stored) = mpsc::sync_channel(1);
        self.order(Order::Store(messages, reply))?;
        let number = stored.recv().map_err(|_| Error::Ended)??;
        Ok(MessageId { sender: self.sender, number })
    }

    /// Waits until all that is stored is acknowledged. Returns whether it was so within the limit.
    ///
    /// # Errors
    /// Returns [`Error::Ended`] if the disk has failed.
    pub fn wait_until_acknowledged(&self, limit: Duration) -> Result<bool, Error> {
        let (reply, empty) = mpsc::sync_channel(1);
        self.order(Order::WhenEmpty(reply))?;
        match empty.recv_timeout(limit) {
            Ok(()) => Ok(true),
            Err(RecvTimeoutError::Timeout) => Ok(false),
            Err(RecvTimeoutError::Disconnected) => Err(Error::Ended),
        }
    }

    /// Returns the id of this file, which is in the ids of its messages.
    #[must_use]
    pub fn sender(&self) -> Uuid {
        self.sender
    }

    /// Returns the number of the last message that was in the file when it was opened; 0 before the first.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.before.0
    }

    /// Returns how many messages were in the file and not acknowledged when it was opened.
    #[must_use]
    pub fn waited(&self) -> u64 {
        self.before.1
    }

    fn order(&self, order: Order) -> Result<(), Error> {
        self.orders.as_ref().and_then(|orders| orders.send(order).ok()).ok_or(Error::Ended)?;
        self.waker.wake();
        Ok(())
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        self.orders = None;
        self.waker.wake();
        self.thread.take().map(JoinHandle::join);
    }
}

/// The thread of an outbox.
struct Courier {
    file: OutboxFile,
    dealer: Socket,
    orders: Receiver<Order>,
    /// What is to be stored with the next transaction, and who waits for it with which part.
    added: Vec<Message>,
    replies: Vec<(usize, SyncSender<Result<u64, Error>>)>,
    /// What is to be removed with it.
    removed: Vec<u64>,
    /// Who waits for an empty file.
    empty: Vec<SyncSender<()>>,
    connected: bool,
    /// What was sent and is not acknowledged.
    sent: BTreeSet<u64>,
    /// All below were sent.
    next: u64,
}

/// Whether there are more orders.
#[derive(Clone, Copy, PartialEq, Eq)]
enum More {
    /// There may be.
    Now,
    /// The next one wakes the thread.
    Later,
    /// The outbox is dropped.
    Never,
}

impl Courier {
    /// Works until the outbox is dropped, the context is shut down, or the disk fails. Then all callers get an error.
    fn run(mut self, mut poller: Poller) {
        let mut events = Vec::new();
        loop {
            let more = self.take_orders();
            self.receive();
            if let Err(error) = self.store() {
                self.fail(&error);
                return;
            }
            if more == More::Never {
                return;
            }
            let Ok(all) = self.send() else { return };
            let wanted = if all { Ready::IN } else { Ready::IN | Ready::OUT };
            let limit = (more == More::Now).then_some(Duration::ZERO);
            if poller.modify(0, wanted).and_then(|()| poller.wait(&mut events, limit)).is_err()
                || events.iter().any(|event| event.ready.is_closed())
            {
                return;
            }
        }
    }

    /// Takes what callers want, as much as fits into one transaction.
    fn take_orders(&mut self) -> More {
        while self.added.len() < BATCH {
            match self.orders.try_recv() {
                Ok(Order::Store(messages, reply)) => {
                    self.added.extend(messages);
                    self.replies.push((self.added.len(), reply));
                }
                Ok(Order::WhenEmpty(reply)) => self.empty.push(reply),
                Err(TryRecvError::Empty) => return More::Later,
                Err(TryRecvError::Disconnected) => return More::Never,
            }
        }
        More::Now
    }

    /// Tells those who wait for the disk that it has failed.
    fn fail(&mut self, error: &redb::Error) {
        let text = error.to_string();
        for (_, reply) in self.replies.drain(..) {
            let _ = reply.send(Err(redb::Error::Io(io::Error::other(text.clone())).into()));
        }
    }

    /// Receives what the inbox has acknowledged.
    fn receive(&mut self) {
        while let Ok(message) = self.dealer.try_recv() {
            if message[0] == HELLO {
                self.connected = true;
                self.sent.clear();
                self.next = 1;
            } else if let Some(done) = Acknowledgement::read(&message[0]) {
                // Numbers that were never sent are not in the set.
                let above = self.sent.split_off(&done.below);
                self.removed.extend(std::mem::replace(&mut self.sent, above));
                self.removed.extend(done.beyond.iter().filter(|number| self.sent.remove(number)));
            }
        }
    }

    /// Brings the file up to date, and replies to those who wait for that.
    fn store(&mut self) -> Result<(), redb::Error> {
        if !self.replies.is_empty() || !self.removed.is_empty() {
            let numbers = self.file.change(&self.added, &self.removed)?;
            for (count, reply) in self.replies.drain(..) {
                // Whoever waited may be gone.
                let _ = reply.send(Ok(numbers.start + count as u64 - 1));
            }
            self.added.clear();
            self.removed.clear();
        }
        if self.file.waiting == 0 {
            for reply in self.empty.drain(..) {
                let _ = reply.send(());
            }
        }
        Ok(())
    }

    /// Sends as far as the window reaches. Returns whether the socket has taken all.
    fn send(&mut self) -> Result<bool, Error> {
        while self.connected {
            let Some((number, mut message)) = self.file.next(self.next)? else { break };
            let oldest = self.sent.first().copied().unwrap_or(number);
            if number - oldest >= WINDOW {
                break;
            }
            let id = MessageId { sender: self.file.sender, number };
            message.push_front(Label { id, oldest }.frame());
            match self.dealer.try_send(message) {
                Ok(()) => {}
                Err(SendError { error: zeroxide::Error::WouldBlock(_), .. }) => return Ok(false),
                Err(refused) => return Err(Error::Socket(refused.error)),
            }
            self.sent.insert(number);
            self.next = number + 1;
        }
        Ok(true)
    }
}

#[cfg(test)]
#[path = "outbox_tests.rs"]
mod tests;
