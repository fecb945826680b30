//! Outbox and inbox in one process: what is sent again, what is dropped, and what is remembered.
#![allow(clippy::unwrap_used)] // a test's helpers

use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use redb::{ReadableDatabase, ReadableTable, TableDefinition};
use tempfile::TempDir;
use uuid::Uuid;
use zeroxide::{Context, Message, Socket, SocketType};
use zeroxide_persist::numbered::{number_of, numbered};
use zeroxide_persist::redb;
use zeroxide_persist::{Delivered, Error, Inbox, MessageId, Outbox, WINDOW};

const LONG: Duration = Duration::from_secs(60);
const ANY: &str = "tcp://127.0.0.1:*";

struct Place(TempDir);

impl Place {
    fn new() -> Place {
        Place(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn inbox(&self, context: &Context, endpoint: &str) -> Inbox {
        Inbox::open(self.file("inbox"), context, endpoint).unwrap()
    }

    fn outbox(&self, context: &Context, inbox: &str) -> Outbox {
        Outbox::open(self.file("outbox"), context, inbox).unwrap()
    }
}

fn receive(inbox: &mut Inbox) -> Delivered {
    inbox.recv_timeout(LONG).unwrap().expect("a message in time")
}

/// Receives these numbers, in order.
fn receive_all(inbox: &mut Inbox, numbers: std::ops::Range<u64>) -> Vec<MessageId> {
    numbers
        .map(|number| {
            let Delivered { id, message } = receive(inbox);
            assert_eq!((id.number, number_of(&message[0])), (number, Some(number)));
            id
        })
        .collect()
}

#[test]
fn what_is_stored_before_anybody_receives_arrives_in_order_with_all_frames() {
    let (place, context) = (Place::new(), Context::new());
    let inbox = place.inbox(&context, ANY);
    let endpoint = inbox.endpoint().to_string();
    drop(inbox);
    let outbox = place.outbox(&context, &endpoint);
    outbox.send(["one", "", "three"]).unwrap();
    assert_eq!(outbox.send_all((2..=10).map(numbered)).unwrap().number, 10);
    let mut inbox = place.inbox(&context, &endpoint);
    let first = receive(&mut inbox);
    assert_eq!(first.message, Message::from(["one", "", "three"]));
    inbox.acknowledge([first.id]).unwrap();
    let rest = receive_all(&mut inbox, 2..11);
    assert!(!outbox.wait_until_acknowledged(Duration::ZERO).unwrap());
    inbox.acknowledge(rest).unwrap();
    assert!(outbox.wait_until_acknowledged(LONG).unwrap());
}

#[test]
fn what_was_received_and_not_acknowledged_comes_again_after_a_restart_of_the_inbox() {
    let (place, context) = (Place::new(), Context::new());
    let mut inbox = place.inbox(&context, ANY);
    let endpoint = inbox.endpoint().to_string();
    let outbox = place.outbox(&context, &endpoint);
    outbox.send_all((1..=6).map(numbered)).unwrap();
    let ids = receive_all(&mut inbox, 1..7);
    // Out of order: 3 and 5 are done, the others are not.
    inbox.acknowledge([ids[2], ids[4]]).unwrap();
    drop(inbox);
    let mut inbox = place.inbox(&context, &endpoint);
    let ids: Vec<MessageId> =
        [1, 2, 4, 6].into_iter().flat_map(|n| receive_all(&mut inbox, n..n + 1)).collect();
    inbox.acknowledge(ids).unwrap();
    assert!(outbox.wait_until_acknowledged(LONG).unwrap());
    assert_eq!(inbox.try_recv().unwrap(), None);
}

#[test]
fn an_outbox_that_is_opened_again_sends_what_is_left_and_counts_on() {
    let (place, context) = (Place::new(), Context::new());
    let mut inbox = place.inbox(&context, ANY);
    let endpoint = inbox.endpoint().to_string();
    let outbox = place.outbox(&context, &endpoint);
    let sender = outbox.send_all((1..=3).map(numbered)).unwrap().sender;
    let ids = receive_all(&mut inbox, 1..4);
    drop(outbox);
    let outbox = place.outbox(&context, &endpoint);
    assert_eq!((outbox.sender(), outbox.last(), outbox.waited()), (sender, 3, 3));
    assert_eq!(outbox.send(numbered(4)).unwrap(), MessageId { sender, number: 4 });
    // 1 to 3 are in hand, and are not received twice.
    let fourth = receive_all(&mut inbox, 4..5);
    assert_eq!(inbox.counts().duplicates, 3);
    inbox.acknowledge(ids.into_iter().chain(fourth)).unwrap();
    assert!(outbox.wait_until_acknowledged(LONG).unwrap());
}

#[test]
fn more_than_the_window_waits_and_many_threads_send() {
    let (place, context) = (Place::new(), Context::new());
    let mut inbox = place.inbox(&context, ANY);
    let outbox = place.outbox(&context, &inbox.endpoint().to_string());
    let (threads, each) = (8, WINDOW / 4);
    thread::scope(|scope| {
        for thread in 0..threads {
            let outbox = &outbox;
            scope.spawn(move || {
                for number in thread * each..(thread + 1) * each {
                    outbox.send(numbered(number)).unwrap();
                }
            });
        }
    });
    let mut received = Vec::new();
    for number in 1..=threads * each {
        let Delivered { id, message } = receive(&mut inbox);
        assert_eq!(id.number, number);
        received.push(number_of(&message[0]).unwrap());
        // The last of a window, and what comes after the first of it, which is done last.
        if number % WINDOW == 0 {
            let done = |number| MessageId { sender: outbox.sender(), number };
            inbox.acknowledge((number - WINDOW + 2..=number).map(done)).unwrap();
            assert_eq!(inbox.try_recv().unwrap(), None, "beyond the window");
            inbox.acknowledge([done(number - WINDOW + 1)]).unwrap();
        }
    }
    received.sort_unstable();
    assert_eq!(received, (0..threads * each).collect::<Vec<_>>());
    assert!(outbox.wait_until_acknowledged(LONG).unwrap());
}

#[test]
fn an_inbox_whose_file_is_lost_receives_what_is_not_acknowledged() {
    let (place, context) = (Place::new(), Context::new());
    let mut inbox = place.inbox(&context, ANY);
    let endpoint = inbox.endpoint().to_string();
    let outbox = place.outbox(&context, &endpoint);
    let stored = WINDOW + 10;
    outbox.send_all((1..=stored).map(numbered)).unwrap();
    for part in [1..WINDOW, WINDOW..stored] {
        let ids = receive_all(&mut inbox, part);
        inbox.acknowledge(ids).unwrap();
    }
    // The last one is received and not acknowledged. Its number is beyond the window of an inbox that knows of none.
    receive_all(&mut inbox, stored..stored + 1);
    drop(inbox);
    std::fs::remove_file(place.file("inbox")).unwrap();
    let mut inbox = place.inbox(&context, &endpoint);
    let ids = receive_all(&mut inbox, stored..stored + 1);
    inbox.acknowledge(ids).unwrap();
    assert!(outbox.wait_until_acknowledged(LONG).unwrap());
}

#[test]
fn an_effect_that_fails_takes_its_acknowledgement_back() {
    const TABLE: TableDefinition<'_, u64, u64> = TableDefinition::new("effects");
    let (place, context) = (Place::new(), Context::new());
    let mut inbox = place.inbox(&context, ANY);
    let outbox = place.outbox(&context, &inbox.endpoint().to_string());
    outbox.send(numbered(1)).unwrap();
    let ids = receive_all(&mut inbox, 1..2);
    let failed = inbox.acknowledge_with(ids.clone(), |transaction| {
        transaction.open_table(TABLE)?.insert(1, 1)?;
        Err(redb::Error::Io(std::io::Error::other("no")))
    });
    assert!(matches!(failed, Err(Error::Disk(_))), "{failed:?}");
    assert!(!outbox.wait_until_acknowledged(Duration::ZERO).unwrap());
    inbox
        .acknowledge_with(ids.clone(), |transaction| {
            let mut table = transaction.open_table(TABLE)?;
            assert_eq!(table.get(1)?.map(|times| times.value()), None, "the first effect has not happened");
            table.insert(1, 2)?;
            Ok(())
        })
        .unwrap();
    assert!(outbox.wait_until_acknowledged(LONG).unwrap());
    let table = inbox.database().begin_read().unwrap().open_table(TABLE).unwrap();
    assert_eq!(table.get(1).unwrap().unwrap().value(), 2);
    assert!(matches!(inbox.acknowledge(ids), Err(Error::NotInHand(MessageId { number: 1, .. }))));
}

#[test]
fn what_no_outbox_sends_is_counted_and_dropped() {
    let (place, context) = (Place::new(), Context::new());
    let mut inbox = place.inbox(&context, ANY);
    let dealer: Socket = context.socket(SocketType::Dealer).unwrap();
    dealer.connect(inbox.endpoint()).unwrap();
    let label = |number: u64, oldest: u64| {
        [&Uuid::nil().as_bytes()[..], &number.to_be_bytes(), &oldest.to_be_bytes()].concat()
    };
    for wrong in [vec![], vec![0; 32], label(1, 2), label(WINDOW + 1, 1), label(u64::MAX, 1)] {
        dealer.send((wrong, "content")).unwrap();
    }
    // Without content.
    dealer.send(label(1, 1)).unwrap();
    dealer.send((label(WINDOW, 1), "content")).unwrap();
    assert_eq!(receive(&mut inbox).id, MessageId { sender: Uuid::nil(), number: WINDOW });
    assert_eq!(inbox.counts().malformed, 6);
}
