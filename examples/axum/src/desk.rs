//! The desk: takes jobs, gives each to a worker that is ready, and returns the results.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::timeout;
use zeroxide::{Bytes, Error, Message, RoutingId, Socket};

/// How long a job waits for a worker, and then for the result.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why a job has no result.
#[derive(Debug)]
pub(crate) enum NoResult {
    /// No worker was ready in time.
    NoWorker,
    /// The worker sent no result in time.
    TooLate,
    /// The ROUTER failed.
    Socket(Error),
}

impl fmt::Display for NoResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoResult::NoWorker => write!(f, "no worker was ready within {PATIENCE:?}"),
            NoResult::TooLate => write!(f, "the worker sent no result within {PATIENCE:?}"),
            NoResult::Socket(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for NoResult {}

pub(crate) struct Desk {
    router: Socket,
    books: Mutex<Books>,
    /// A worker has become ready.
    ready: Notify,
}

#[derive(Default)]
struct Books {
    /// Workers without a job, each once.
    ready: VecDeque<RoutingId>,
    /// Who waits for the result of a job, by its number.
    waiting: HashMap<u64, oneshot::Sender<Bytes>>,
    /// The number of the last job.
    last: u64,
}

impl Desk {
    pub(crate) fn new(router: Socket) -> Desk {
        Desk { router, books: Mutex::default(), ready: Notify::new() }
    }

    /// Runs one job. If the caller drops this future, as axum does when a client goes away, the result is discarded.
    pub(crate) async fn run(&self, body: Bytes) -> Result<Bytes, NoResult> {
        let (sender, result) = oneshot::channel();
        let mut job = Job { desk: self, number: self.books().open(sender), reserved: None };
        timeout(PATIENCE, job.give_out(body)).await.map_err(|_| NoResult::NoWorker)??;
        // The desk keeps the sender until the job ends, so there is no error but the time-out.
        timeout(PATIENCE, result).await.ok().and_then(Result::ok).ok_or(NoResult::TooLate)
    }

    async fn next_worker(&self) -> RoutingId {
        loop {
            if let Some(worker) = self.books().ready.pop_front() {
                return worker;
            }
            self.ready.notified().await;
        }
    }

    /// Receives what workers send, until the ROUTER closes.
    pub(crate) async fn receive(self: Arc<Self>) -> zeroxide::Result<()> {
        loop {
            let (worker, message) = match self.router.recv_from_async().await {
                Ok(received) => received,
                Err(Error::Closed | Error::Terminated) => return Ok(()),
                Err(error) => return Err(error),
            };
            if let Err(what) = self.take(&worker, &message) {
                eprintln!("worker {worker}: {what}");
            }
        }
    }

    /// Takes a worker's `ready`, or its number and result.
    fn take(&self, worker: &RoutingId, message: &Message) -> Result<(), &'static str> {
        let mut books = self.books();
        if message.len() == 2 {
            let number = message[0].as_str().ok().and_then(|number| number.parse().ok());
            let sender = books.waiting.remove(&number.ok_or("a result without a number")?);
            let body = message[1].clone().into_bytes();
            books.add_ready(worker);
            self.ready.notify_one();
            sender
                .and_then(|sender| sender.send(body).ok())
                .ok_or("a result that nobody waits for any longer")
        } else if message.len() == 1 && message[0] == *"ready" {
            books.add_ready(worker);
            self.ready.notify_one();
            Ok(())
        } else {
            Err("neither `ready` nor a number and a result")
        }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Books {
    /// Returns the number of a new job.
    fn open(&mut self, sender: oneshot::Sender<Bytes>) -> u64 {
        self.last += 1;
        self.waiting.insert(self.last, sender);
        self.last
    }

    fn add_ready(&mut self, worker: &RoutingId) {
        if !self.ready.contains(worker) {
            self.ready.push_back(worker.clone());
        }
    }
}

impl fmt::Display for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (ready, waiting) = {
            let books = self.books();
            (books.ready.len(), books.waiting.len())
        };
        writeln!(f, "{ready} workers ready, {waiting} jobs open\n{}", self.router.status())
    }
}

/// An open job. Its drop ends it, however it ends.
struct Job<'a> {
    desk: &'a Desk,
    number: u64,
    /// A worker that is no longer among the ready ones and has not got the job yet.
    reserved: Option<RoutingId>,
}

impl Job<'_> {
    /// Sends the job to a worker that is still there.
    async fn give_out(&mut self, body: Bytes) -> Result<(), NoResult> {
        let mut message = Message::from([Bytes::from(self.number.to_string()), body]);
        loop {
            let worker = self.reserved.insert(self.desk.next_worker().await);
            let sent = self.desk.router.send_to_async(worker, message).await;
            self.reserved = None;
            match sent {
                Ok(()) => return Ok(()),
                // The worker has gone since it said that it was ready. A failed send gives the message back.
                Err(unsent) if matches!(unsent.error, Error::Unroutable { .. }) => message = unsent.message,
                Err(unsent) => return Err(NoResult::Socket(unsent.error)),
            }
        }
    }
}

impl Drop for Job<'_> {
    fn drop(&mut self) {
        let mut books = self.desk.books();
        books.waiting.remove(&self.number);
        // The future was dropped while it waited to send: a send that has not returned has sent nothing.
        if let Some(worker) = self.reserved.take() {
            books.add_ready(&worker);
            self.desk.ready.notify_one();
        }
    }
}
