//! The file of an outbox.

use std::ops::Range;

use redb::{Database, Durability, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition};
use uuid::Uuid;
use zeroxide::{Frame, Message};

/// What is not acknowledged, by its number.
const MESSAGES: TableDefinition<'_, u64, Vec<&'static [u8]>> = TableDefinition::new("messages");
/// The id of this file, and the number of the last message that was stored.
const STATE: TableDefinition<'_, &str, u128> = TableDefinition::new("state");
const SENDER: &str = "sender";
const LAST: &str = "last";

/// How many removals gather at most before they are on disk. Their space in the file is free after that.
const REMOVALS: usize = 32;

/// Messages on disk. Each change is one transaction: after a crash it is there as a whole, or not at all.
#[derive(Debug)]
pub(crate) struct OutboxFile {
    database: Database,
    pub(crate) sender: Uuid,
    /// The number of the last message that was stored; 0 before the first.
    pub(crate) last: u64,
    /// How many messages are in the file.
    pub(crate) waiting: u64,
    /// How many messages were removed since the last change that was on disk.
    removals: usize,
}

impl OutboxFile {
    pub(crate) fn new(database: Database) -> Result<OutboxFile, redb::Error> {
        let transaction = database.begin_write()?;
        let (sender, last, waiting);
        {
            let mut state = transaction.open_table(STATE)?;
            let known = state.get(SENDER)?.map(|sender| sender.value());
            sender = known.unwrap_or_else(|| Uuid::new_v4().as_u128());
            state.insert(SENDER, sender)?;
            last = state.get(LAST)?.map_or(0, |last| last.value() as u64);
            waiting = transaction.open_table(MESSAGES)?.len()?;
        }
        transaction.commit()?;
        Ok(OutboxFile { database, sender: Uuid::from_u128(sender), last, waiting, removals: 0 })
    }

    /// Adds messages and removes others, in one transaction. Returns the numbers of what was added. It is on disk when this
    /// returns. A removal alone does not wait for the disk until [`REMOVALS`] have gathered: a crash takes it back, and then the
    /// messages are sent once more.
    pub(crate) fn change(&mut self, add: &[Message], remove: &[u64]) -> Result<Range<u64>, redb::Error> {
        let numbers = self.last + 1..self.last + 1 + add.len() as u64;
        let mut transaction = self.database.begin_write()?;
        let removals = self.removals + remove.len();
        let on_disk = !add.is_empty() || removals >= REMOVALS;
        if !on_disk {
            transaction.set_durability(Durability::None)?;
        }
        let waiting;
        {
            let mut messages = transaction.open_table(MESSAGES)?;
            for number in remove {
                messages.remove(number)?;
            }
            for (number, message) in numbers.clone().zip(add) {
                messages.insert(number, message.iter().map(|frame| &frame[..]).collect::<Vec<_>>())?;
            }
            waiting = messages.len()?;
            transaction.open_table(STATE)?.insert(LAST, u128::from(numbers.end - 1))?;
        }
        transaction.commit()?;
        (self.last, self.waiting) = (numbers.end - 1, waiting);
        self.removals = if on_disk { 0 } else { removals };
        Ok(numbers)
    }

    /// Returns the first message from `number` on.
    pub(crate) fn next(&self, number: u64) -> Result<Option<(u64, Message)>, redb::Error> {
        let messages = self.database.begin_read()?.open_table(MESSAGES)?;
        let Some(entry) = messages.range(number..)?.next() else { return Ok(None) };
        let (number, frames) = entry?;
        let message = frames.value().iter().map(|frame| Frame::from(*frame)).collect();
        Ok(Some((number.value(), message)))
    }
}
