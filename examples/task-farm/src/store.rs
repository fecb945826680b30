//! The broker's database: the tasks that are to be done, the results that nobody has collected, the ids of
//! those that were.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use redb::{Database, ReadableDatabase, ReadableTable, ReadableTableMetadata, Table, TableDefinition};

use crate::Failure;

const TASKS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("tasks");
const RESULTS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("results");
/// When a result was collected, in seconds since 1970.
const COLLECTED: TableDefinition<'_, &str, u64> = TableDefinition::new("collected");
const COUNTS: TableDefinition<'_, &str, u64> = TableDefinition::new("counts");

/// What is counted since the file was created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// Tasks that were stored.
    Submitted,
    /// Results that were stored.
    Done,
    /// Results that a submitter has.
    Collected,
    /// Tasks that a worker had and did not do, because it went away or was too slow. They were given to
    /// another.
    Returned,
    /// Results of tasks that had one already. They were dropped.
    Doubled,
    /// Results of tasks that are not in the file. They were dropped.
    Unknown,
}

impl Count {
    /// Returns its name in the database and in the status.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Count::Submitted => "submitted",
            Count::Done => "done",
            Count::Collected => "collected",
            Count::Returned => "returned",
            Count::Doubled => "doubled",
            Count::Unknown => "unknown",
        }
    }
}

/// What became of a task that was submitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Submitted {
    /// It is stored.
    New,
    /// It was stored before.
    Known,
    /// There is another task with its id.
    Other,
    /// Its result was collected before.
    Collected,
}

/// What became of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finished {
    /// It is stored.
    First,
    /// The task has a result already; this one is dropped.
    Again,
    /// There is no such task; the result is dropped.
    Unknown,
}

/// The database: one file.
#[derive(Debug)]
pub struct Store(Database);

impl Store {
    /// Opens the file, or creates it.
    ///
    /// # Errors
    /// Returns an error if it cannot be opened, or another process has opened it.
    pub fn open(path: impl AsRef<Path>) -> Result<Store, Failure> {
        let store = Store(Database::create(path)?);
        // It creates the tables.
        store.write(|writer| writer.count(Count::Submitted, 0))?;
        Ok(store)
    }

    /// Makes changes. They are all on disk when this returns; after an error or a crash, none of them is.
    ///
    /// # Errors
    /// Returns the error of `change`, or that of the disk.
    pub fn write<T>(&self, change: impl FnOnce(&mut Writer<'_>) -> Result<T, Failure>) -> Result<T, Failure> {
        let transaction = self.0.begin_write()?;
        let (value, changed) = {
            let mut writer = Writer {
                tasks: transaction.open_table(TASKS)?,
                results: transaction.open_table(RESULTS)?,
                collected: transaction.open_table(COLLECTED)?,
                counts: transaction.open_table(COUNTS)?,
                changed: false,
            };
            (change(&mut writer)?, writer.changed)
        };
        // Writing to the disk takes longer than all else here.
        if changed {
            transaction.commit()?;
        } else {
            transaction.abort()?;
        }
        Ok(value)
    }

    /// Returns the tasks that have no result, in the order of their ids.
    ///
    /// # Errors
    /// Returns an error if the disk fails.
    pub fn tasks(&self) -> Result<Vec<(String, Vec<u8>)>, Failure> {
        let tasks = self.0.begin_read()?.open_table(TASKS)?;
        tasks.iter()?.map(|row| row.map(owned).map_err(Failure::from)).collect()
    }

    /// Returns at most `most` results that are not collected, of the tasks whose ids begin with `prefix`.
    ///
    /// # Errors
    /// Returns an error if the disk fails.
    pub fn results(&self, prefix: &str, most: usize) -> Result<Vec<(String, Vec<u8>)>, Failure> {
        let results = self.0.begin_read()?.open_table(RESULTS)?;
        let rows = results.range(prefix..)?.map(|row| row.map(owned).map_err(Failure::from));
        let ours = |row: &Result<(String, Vec<u8>), Failure>| {
            row.as_ref().map_or(true, |(id, _)| id.starts_with(prefix))
        };
        rows.take_while(ours).take(most).collect()
    }

    /// Returns how many results are not collected.
    ///
    /// # Errors
    /// Returns an error if the disk fails.
    pub fn uncollected(&self) -> Result<u64, Failure> {
        Ok(self.0.begin_read()?.open_table(RESULTS)?.len()?)
    }

    /// Returns the counts by their names.
    ///
    /// # Errors
    /// Returns an error if the disk fails.
    pub fn counts(&self) -> Result<BTreeMap<String, u64>, Failure> {
        let counts = self.0.begin_read()?.open_table(COUNTS)?;
        let row = |(name, value): (redb::AccessGuard<'_, &str>, redb::AccessGuard<'_, u64>)| {
            (name.value().to_owned(), value.value())
        };
        counts.iter()?.map(|entry| entry.map(row).map_err(Failure::from)).collect()
    }
}

fn owned(row: (redb::AccessGuard<'_, &str>, redb::AccessGuard<'_, &[u8]>)) -> (String, Vec<u8>) {
    (row.0.value().to_owned(), row.1.value().to_vec())
}

/// One transaction.
pub struct Writer<'t> {
    tasks: Table<'t, &'static str, &'static [u8]>,
    results: Table<'t, &'static str, &'static [u8]>,
    collected: Table<'t, &'static str, u64>,
    counts: Table<'t, &'static str, u64>,
    changed: bool,
}

impl Writer<'_> {
    /// Stores a task, unless it was stored before.
    ///
    /// # Errors
    /// Returns an error if the disk fails.
    pub fn submit(&mut self, id: &str, body: &[u8]) -> Result<Submitted, Failure> {
        if self.collected.get(id)?.is_some() {
            return Ok(Submitted::Collected);
        }
        if self.results.get(id)?.is_some() {
            return Ok(Submitted::Known);
        }
        if let Some(known) = self.tasks.get(id)? {
            return Ok(if known.value() == body { Submitted::Known } else { Submitted::Other });
        }
        self.tasks.insert(id, body)?;
        self.count(Count::Submitted, 1)?;
        Ok(Submitted::New)
    }

    /// Stores the result of a task in the task's place, unless the task has one.
    ///
    /// # Errors
    /// Returns an error if the disk fails.
    pub fn finish(&mut self, id: &str, result: &[u8]) -> Result<Finished, Failure> {
        if self.tasks.remove(id)?.is_some() {
            self.results.insert(id, result)?;
            self.count(Count::Done, 1)?;
            return Ok(Finished::First);
        }
        if self.results.get(id)?.is_some() || self.collected.get(id)?.is_some() {
            self.count(Count::Doubled, 1)?;
            return Ok(Finished::Again);
        }
        self.count(Count::Unknown, 1)?;
        Ok(Finished::Unknown)
    }

    /// Removes a result that the submitter has. Its id stays, so that the task is not done again.
    ///
    /// # Errors
    /// Returns an error if the disk fails.
    pub fn collect(&mut self, id: &str) -> Result<(), Failure> {
        if self.results.remove(id)?.is_some() {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            self.collected.insert(id, now.as_secs())?;
            self.count(Count::Collected, 1)?;
        }
        Ok(())
    }

    /// Forgets the ids of tasks whose results were collected so long ago.
    ///
    /// # Errors
    /// Returns an error if the disk fails.
    pub fn forget(&mut self, age: Duration) -> Result<(), Failure> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let oldest = now.saturating_sub(age).as_secs();
        let before = self.collected.len()?;
        self.collected.retain(|_, at| at >= oldest)?;
        self.changed |= self.collected.len()? != before;
        Ok(())
    }

    /// Adds to a count.
    ///
    /// # Errors
    /// Returns an error if the disk fails.
    pub fn count(&mut self, count: Count, more: u64) -> Result<(), Failure> {
        let now = self.counts.get(count.name())?.map_or(0, |value| value.value());
        self.counts.insert(count.name(), now + more)?;
        self.changed = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    /// A new store, and its folder.
    fn opened() -> (TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("tasks")).unwrap();
        (folder, store)
    }

    #[test]
    fn a_task_is_stored_once_and_has_one_result() {
        let (_folder, store) = opened();
        let (stored, finished) = store
            .write(|w| {
                let stored = [w.submit("a", b"1")?, w.submit("a", b"1")?, w.submit("a", b"2")?];
                Ok((stored, [w.finish("a", b"r")?, w.finish("a", b"s")?, w.finish("b", b"r")?]))
            })
            .unwrap();
        assert_eq!(stored, [Submitted::New, Submitted::Known, Submitted::Other]);
        assert_eq!(finished, [Finished::First, Finished::Again, Finished::Unknown]);
        assert_eq!(store.results("", 9).unwrap(), [("a".to_owned(), b"r".to_vec())]);
        store.write(|w| w.collect("a").and_then(|()| w.collect("a"))).unwrap();
        assert_eq!(store.uncollected().unwrap(), 0);
        let late = store.write(|w| Ok((w.submit("a", b"1")?, w.finish("a", b"r")?))).unwrap();
        assert_eq!(late, (Submitted::Collected, Finished::Again));
        let counts = store.counts().unwrap();
        let count = |count: Count| counts.get(count.name()).copied().unwrap_or_default();
        assert_eq!([Count::Submitted, Count::Done, Count::Collected].map(count), [1, 1, 1]);
        assert_eq!([Count::Doubled, Count::Unknown, Count::Returned].map(count), [2, 1, 0]);
    }

    #[test]
    fn what_a_failed_change_wrote_is_not_there() {
        let (_folder, store) = opened();
        let failed: Result<(), Failure> = store.write(|w| {
            w.submit("a", b"1")?;
            Err("no".into())
        });
        assert!(failed.is_err() && store.tasks().unwrap().is_empty());
    }

    #[test]
    fn results_are_found_by_the_beginning_of_their_ids() {
        let (_folder, store) = opened();
        store
            .write(|w| {
                for id in ["a/1", "b/1", "b/2", "b/3", "c/1"] {
                    w.submit(id, b"")?;
                    w.finish(id, b"")?;
                }
                Ok(())
            })
            .unwrap();
        let ids = |prefix, most| -> Vec<String> {
            store.results(prefix, most).unwrap().into_iter().map(|(id, _)| id).collect()
        };
        assert_eq!(
            (ids("b/", 9), ids("b/", 2)),
            (vec!["b/1".into(), "b/2".into(), "b/3".into()], vec!["b/1".into(), "b/2".into()])
        );
        assert_eq!((ids("", 9).len(), ids("d", 9).len()), (5, 0));
    }

    #[test]
    fn old_ids_are_forgotten() {
        let (_folder, store) = opened();
        store
            .write(|w| {
                w.submit("a", b"")?;
                w.finish("a", b"")?;
                w.collect("a")
            })
            .unwrap();
        let submit = || store.write(|w| w.submit("a", b"")).unwrap();
        store.write(|w| w.forget(Duration::from_secs(3600))).unwrap();
        assert_eq!(submit(), Submitted::Collected);
        // A second in the future, as seen from now.
        store
            .write(|w| {
                w.collected.insert("a", 1)?;
                w.changed = true;
                Ok(())
            })
            .unwrap();
        store.write(|w| w.forget(Duration::from_secs(3600))).unwrap();
        assert_eq!(submit(), Submitted::New);
    }
}
