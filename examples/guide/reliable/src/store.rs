//! Requests and replies on disk, for titanic.

use std::path::Path;

use redb::{Database, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition};
use uuid::Uuid;
use zeroxide::{Frame, Message};

use crate::Failure;

type Frames = Vec<&'static [u8]>;
/// Everything that was accepted and is not closed, by its id.
const REQUESTS: TableDefinition<'_, u128, Frames> = TableDefinition::new("requests");
/// The replies of those that are done.
const REPLIES: TableDefinition<'_, u128, Frames> = TableDefinition::new("replies");

/// A file of requests and their replies. Each change is one transaction: after a crash it is there as a whole, or not at all.
#[derive(Debug)]
pub struct Store(Database);

/// What became of a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Progress {
    /// It was never stored, or is closed.
    Unknown,
    /// It waits.
    Pending,
    /// This is the reply.
    Done(Message),
}

impl Store {
    /// Opens the file, or creates it.
    ///
    /// # Errors
    /// Returns an error if it cannot be opened, or another process has opened it.
    pub fn open(path: impl AsRef<Path>) -> Result<Store, Failure> {
        let database = Database::create(path)?;
        let transaction = database.begin_write()?;
        transaction.open_table(REQUESTS)?;
        transaction.open_table(REPLIES)?;
        transaction.commit()?;
        Ok(Store(database))
    }

    /// Stores a request. The same request may come twice; the second time changes nothing. It is on disk when this returns.
    ///
    /// # Errors
    /// Returns an error if the disk fails.
    pub fn add(&self, id: Uuid, request: &Message) -> Result<(), Failure> {
        self.write(id, Some(request), REQUESTS)
    }

    /// Stores the reply to a request.
    ///
    /// # Errors
    /// Returns an error if the disk fails.
    pub fn finish(&self, id: Uuid, reply: &Message) -> Result<(), Failure> {
        self.write(id, Some(reply), REPLIES)
    }

    /// Removes a request and its reply.
    ///
    /// # Errors
    /// Returns an error if the disk fails.
    pub fn close(&self, id: Uuid) -> Result<(), Failure> {
        self.write(id, None, REQUESTS)
    }

    fn write(
        &self,
        id: Uuid,
        message: Option<&Message>,
        table: TableDefinition<'_, u128, Frames>,
    ) -> Result<(), Failure> {
        let transaction = self.0.begin_write()?;
        {
            let frames =
                |message: &'_ Message| message.iter().map(|frame| frame.to_vec()).collect::<Vec<_>>();
            match message.map(frames) {
                Some(frames) => {
                    let frames: Vec<&[u8]> = frames.iter().map(|frame| &frame[..]).collect();
                    transaction.open_table(table)?.insert(id.as_u128(), frames)?;
                }
                None => {
                    transaction.open_table(REQUESTS)?.remove(id.as_u128())?;
                    transaction.open_table(REPLIES)?.remove(id.as_u128())?;
                }
            }
        }
        Ok(transaction.commit()?)
    }

    /// Returns what became of a request.
    ///
    /// # Errors
    /// Returns an error if the disk fails.
    pub fn progress(&self, id: Uuid) -> Result<Progress, Failure> {
        let transaction = self.0.begin_read()?;
        if let Some(reply) = transaction.open_table(REPLIES)?.get(id.as_u128())? {
            return Ok(Progress::Done(message(&reply.value())));
        }
        let known = transaction.open_table(REQUESTS)?.get(id.as_u128())?.is_some();
        Ok(if known { Progress::Pending } else { Progress::Unknown })
    }

    /// Returns the requests that have no reply yet, in the order of their ids.
    ///
    /// # Errors
    /// Returns an error if the disk fails.
    pub fn pending(&self) -> Result<Vec<(Uuid, Message)>, Failure> {
        let transaction = self.0.begin_read()?;
        let (requests, replies) = (transaction.open_table(REQUESTS)?, transaction.open_table(REPLIES)?);
        let mut pending = Vec::new();
        for entry in requests.iter()? {
            let (id, request) = entry?;
            if replies.get(id.value())?.is_none() {
                pending.push((Uuid::from_u128(id.value()), message(&request.value())));
            }
        }
        Ok(pending)
    }

    /// Returns how many requests and how many replies there are.
    ///
    /// # Errors
    /// Returns an error if the disk fails.
    pub fn count(&self) -> Result<(u64, u64), Failure> {
        let transaction = self.0.begin_read()?;
        Ok((transaction.open_table(REQUESTS)?.len()?, transaction.open_table(REPLIES)?.len()?))
    }
}

fn message(frames: &[&[u8]]) -> Message {
    frames.iter().map(|frame| Frame::from(*frame)).collect()
}
