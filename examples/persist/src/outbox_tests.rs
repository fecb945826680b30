//! A disk that is full.

use std::io::{Error as IoError, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use redb::StorageBackend;
use redb::backends::InMemoryBackend;
use zeroxide::{Context, Options};

use super::*;
use crate::Inbox;
use crate::numbered::numbered;

/// A file in memory that cannot grow beyond a limit. Its content stays when the database is closed.
#[derive(Clone, Debug)]
struct Disk(Arc<(InMemoryBackend, AtomicU64)>);

impl Disk {
    fn of(limit: u64) -> Disk {
        Disk(Arc::new((InMemoryBackend::new(), AtomicU64::new(limit))))
    }

    fn open(&self, context: &Context, endpoint: &str) -> Result<Outbox, Error> {
        let database = Database::builder().create_with_backend(self.clone()).map_err(redb::Error::from)?;
        Outbox::with_database(database, context, endpoint, &Options::new())
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> Result<u64, IoError> {
        self.0.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), IoError> {
        self.0.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> Result<(), IoError> {
        if len > self.0.1.load(Ordering::SeqCst) {
            return Err(ErrorKind::StorageFull.into());
        }
        self.0.0.set_len(len)
    }

    fn sync_data(&self) -> Result<(), IoError> {
        self.0.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), IoError> {
        self.0.0.write(offset, data)
    }
}

#[test]
fn a_full_disk_is_an_error_and_what_was_stored_before_it_arrives() {
    let folder = tempfile::tempdir().unwrap();
    let context = Context::new();
    let mut inbox = Inbox::open(folder.path().join("inbox"), &context, "tcp://127.0.0.1:*").unwrap();
    // Nobody receives yet, so the file grows.
    let disk = Disk::of(2 << 20);
    let outbox = disk.open(&context, "tcp://127.0.0.1:1").unwrap();
    let mut stored = 0;
    let error = loop {
        match outbox.send(vec![7; 10_000]) {
            Ok(id) => stored = id.number,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, Error::Disk(_)), "{error}");
    assert!(error.to_string().contains("no storage space"), "{error}");
    assert!(stored > 50, "{stored} stored");
    // It does nothing more, and says so.
    assert!(matches!(outbox.send("more"), Err(Error::Ended)));
    assert!(matches!(outbox.wait_until_acknowledged(Duration::ZERO), Err(Error::Ended)));
    drop(outbox);

    // There is space again: what is in the file is sent.
    disk.0.1.store(1 << 30, Ordering::SeqCst);
    let outbox = disk.open(&context, &inbox.endpoint().to_string()).unwrap();
    assert_eq!(outbox.last(), stored, "the failed one is not there");
    for number in 1..=stored {
        let delivered = inbox.recv().unwrap();
        assert_eq!((delivered.id.number, delivered.message[0].len()), (number, 10_000));
        inbox.acknowledge([delivered.id]).unwrap();
    }
    assert!(outbox.wait_until_acknowledged(Duration::from_secs(60)).unwrap());
    assert_eq!(outbox.send(numbered(1)).unwrap().number, stored + 1);
}
