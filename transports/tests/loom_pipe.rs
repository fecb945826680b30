//! The pipe under the model checker: every interleaving of a writer and a reader, with the same code as in production.
//!
//! `RUSTFLAGS="--cfg loom" cargo test -p zeroxide-transports --test loom_pipe --release`
#![cfg(loom)]

use loom::sync::{Arc, Notify};
use loom::thread;
use zeroxide_transports::budget::Budget;
use zeroxide_transports::pipe::{Flow, Pipe, Reader, Writer, budgeted_pipe, pipe};
use zeroxide_zmtp::Traffic;

fn one_way(hwm: u32) -> (Writer, Reader) {
    let (here, there) = pipe(Flow { hwm, ..Flow::default() }, Flow::default());
    let Pipe { writer, .. } = here;
    let Pipe { reader, .. } = there;
    (writer, reader)
}

#[test]
fn a_reader_that_found_nothing_is_woken_by_the_flush() {
    a_sleeping_reader_is_woken_by(|writer, traffic| {
        writer.write(traffic);
        writer.flush()
    });
}

#[test]
fn a_reader_that_found_nothing_is_woken_by_a_put() {
    a_sleeping_reader_is_woken_by(Writer::put);
}

fn a_sleeping_reader_is_woken_by(send: fn(&mut Writer, Traffic) -> bool) {
    loom::model(move || {
        let (mut writer, mut reader) = one_way(0);
        let wake = Arc::new(Notify::new());
        let reader_sleeps = Arc::clone(&wake);
        let sender = thread::spawn(move || {
            for n in 0..2u8 {
                if send(&mut writer, Traffic::Message((&[n]).into())) {
                    reader_sleeps.notify();
                }
            }
            if writer.finish() {
                reader_sleeps.notify();
            }
        });
        let mut next = 0u8;
        loop {
            match reader.read() {
                Some(traffic) => {
                    assert_eq!(traffic, Traffic::Message((&[next]).into()));
                    next += 1;
                }
                None if reader.is_finished() => break,
                None => wake.wait(),
            }
        }
        assert_eq!(next, 2);
        sender.join().unwrap();
    });
}

/// Sends two messages from one thread to another, each of which sleeps until the other one wakes it. The writer waits for
/// what `may_write` says.
fn exchange(mut writer: Writer, mut reader: Reader, may_write: impl Fn(&mut Writer) -> bool) -> Writer {
    let (writer_wake, reader_wake) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (writer_sleeps, reader_sleeps) = (Arc::clone(&writer_wake), Arc::clone(&reader_wake));
    let receiver = thread::spawn(move || {
        let mut read = 0;
        while read < 2 {
            let got = reader.read().is_some();
            if reader.owes_wake() {
                writer_sleeps.notify();
            }
            if got { read += 1 } else { reader_wake.wait() }
        }
    });
    for n in 0..2u8 {
        while !may_write(&mut writer) {
            writer_wake.wait();
        }
        writer.write(Traffic::Message((&[n]).into()));
        if writer.flush() {
            reader_sleeps.notify();
        }
    }
    receiver.join().unwrap();
    writer
}

#[test]
fn a_writer_without_credit_is_woken_by_the_acknowledgement() {
    loom::model(|| {
        let (writer, reader) = one_way(1);
        let writer = exchange(writer, reader, Writer::reserve);
        assert_eq!(writer.tally().routed, 2);
    });
}

#[test]
fn what_an_abandoned_pipe_still_held_is_counted_as_queued() {
    loom::model(|| {
        let (mut writer, mut reader) = one_way(0);
        let receiver = thread::spawn(move || {
            let read = u64::from(reader.read().is_some());
            read + reader.abandon().len() as u64
        });
        writer.write(Traffic::Message((&[1]).into()));
        writer.flush();
        let seen = receiver.join().unwrap();
        let tally = writer.tally();
        assert!(seen <= 1 && tally.routed == 1 && tally.written + tally.queued() == 1);
        assert!(writer.is_abandoned());
    });
}

fn counted(most: u64, budget: &Budget) -> (Writer, Reader) {
    let (here, there) = budgeted_pipe(Flow::default(), Flow::default(), most, budget);
    (there.writer, here.reader)
}

#[test]
fn a_writer_without_room_is_woken_by_the_release() {
    loom::model(|| {
        let (writer, reader) = counted(1, &Budget::default());
        exchange(writer, reader, Writer::has_credit);
    });
}

/// Two pipes of one budget, which the first fills: the second holds a message too, and is told when the first is read.
#[test]
fn a_writer_refused_for_the_sum_is_woken_by_the_release_of_another_pipe() {
    loom::model(|| {
        let budget = Budget::new(6);
        let (mut first, mut reader) = counted(0, &budget);
        let (mut second, mut other) = counted(0, &budget);
        for writer in [&mut first, &mut second] {
            while writer.has_credit() {
                writer.write(Traffic::Message((&[1]).into()));
            }
            writer.flush();
        }
        assert_eq!(budget.held(), 9);
        let wake = Arc::new(Notify::new());
        let sleeps = Arc::clone(&wake);
        let receiver = thread::spawn(move || {
            while reader.read().is_some() {}
            if reader.owes_wake() && reader.owes_wake_to_all() && other.take_hungry() {
                sleeps.notify();
            }
            (reader, other)
        });
        while !second.has_credit() {
            wake.wait();
        }
        drop(receiver.join().unwrap());
    });
}
