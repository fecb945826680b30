//! The pipe under the model checker: every interleaving of a writer and a reader, with the same code as in production.
//!
//! `RUSTFLAGS="--cfg loom" cargo test -p zeroxide-transports --test loom_pipe --release`
#![cfg(loom)]

use std::io::IoSlice;
use std::time::Instant;

use loom::sync::{Arc, Notify};
use loom::thread;
use zeroxide_transports::budget::Budget;
use zeroxide_transports::pipe::{Flow, Pipe, Reader, Writer, budgeted_pipe, pipe};
use zeroxide_zmtp::{Config, Connection, Message, Outbox, SocketType, Traffic};

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

/// An engine's connection, whose peer has sent three short messages.
struct Engine {
    connection: Connection,
    outbox: Outbox,
    input: Vec<u8>,
    now: Instant,
}

const SENT: u8 = 3;

impl Engine {
    fn new() -> Engine {
        let now = Instant::now();
        let (mut outbox, mut input) = (Outbox::new(), Vec::new());
        let [mut connection, mut peer] =
            [SocketType::Dealer; 2].map(|kind| Connection::new(Config::new(kind), now));
        while !(connection.is_ready() && peer.is_ready()) {
            for turn in [true, false] {
                let (from, to) =
                    if turn { (&mut connection, &mut peer) } else { (&mut peer, &mut connection) };
                from.poll_transmit(&mut outbox);
                assert_eq!(to.decode(&mut &*written(&mut outbox), now), Ok(None));
                to.poll_ready();
            }
        }
        for n in 0..SENT {
            peer.encode(Traffic::Message((&[n]).into()), &mut outbox);
        }
        input.extend(written(&mut outbox));
        Engine { connection, outbox, input, now }
    }

    /// Writes the next run into the pipe, as much as there is room for. Returns how many messages are left.
    fn decode(&mut self, writer: &mut Writer) -> usize {
        let mut input = &self.input[..];
        let room = writer.run_room();
        if let Some(run) = self.connection.decode_run(&mut input, room, self.now) {
            assert_eq!(run.bytes().len(), 3 * run.messages());
            writer.write_run(run);
        }
        self.input = input.to_vec();
        self.input.len() / 3
    }

    /// Takes what the pipe has, as runs. Returns the bytes.
    fn take(&mut self, reader: &mut Reader) -> Vec<u8> {
        let Engine { connection, outbox, .. } = self;
        while reader.take_run(|run| connection.encode_run(run, outbox, 1000)) > 0 {}
        written(&mut self.outbox)
    }
}

fn written(outbox: &mut Outbox) -> Vec<u8> {
    let mut slices = [IoSlice::new(&[]); 8];
    let count = outbox.io_slices(&mut slices, usize::MAX);
    let bytes = slices[..count].iter().flat_map(|slice| slice.to_vec()).collect::<Vec<u8>>();
    outbox.advance(bytes.len());
    bytes
}

fn packed(hwm: u32) -> Flow {
    Flow { hwm, packs: true, ..Flow::default() }
}

/// An engine decodes runs into a pipe with room for two messages. Writer and reader sleep until they are woken.
#[test]
fn runs_that_arrive_are_read_in_order_and_both_sides_are_woken() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(|| {
        let (socket, engine) = budgeted_pipe(Flow::default(), packed(2), 0, &Budget::default());
        let (mut writer, mut reader) = (engine.writer, socket.reader);
        let (writer_wake, reader_wake) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (writer_sleeps, reader_sleeps) = (Arc::clone(&writer_wake), Arc::clone(&reader_wake));
        let sender = thread::spawn(move || {
            let mut engine = Engine::new();
            loop {
                while !writer.has_credit() {
                    writer_wake.wait();
                }
                let left = engine.decode(&mut writer);
                if writer.flush() {
                    reader_sleeps.notify();
                }
                if left == 0 {
                    return writer;
                }
            }
        });
        let mut next = 0;
        while next < SENT {
            let read = reader.read();
            if reader.owes_wake() {
                writer_sleeps.notify();
            }
            match read {
                Some(traffic) => {
                    assert_eq!(traffic, Traffic::Message((&[next]).into()));
                    next += 1;
                }
                None => reader_wake.wait(),
            }
        }
        drop(sender.join().unwrap());
        assert_eq!(reader.arrivals().bytes, u64::from(SENT));
    });
}

/// A socket copies short messages into a pipe with room for two of them. The engine takes them as runs.
#[test]
fn copies_that_are_taken_as_runs_go_out_in_order_and_both_sides_are_woken() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(|| {
        let (socket, other) = pipe(packed(2), Flow::default());
        let (mut writer, mut reader) = (socket.writer, other.reader);
        let (writer_wake, reader_wake) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (writer_sleeps, reader_sleeps) = (Arc::clone(&writer_wake), Arc::clone(&reader_wake));
        let receiver = thread::spawn(move || {
            let (mut engine, mut bytes) = (Engine::new(), Vec::new());
            while bytes.len() < 3 * usize::from(SENT) {
                let taken = engine.take(&mut reader);
                if reader.ack(taken.len() as u64 / 3) {
                    writer_sleeps.notify();
                }
                if taken.is_empty() {
                    reader_wake.wait();
                }
                bytes.extend(taken);
            }
            bytes
        });
        for n in 0..SENT {
            while !writer.reserve() {
                writer_wake.wait();
            }
            assert!(writer.write_copy(&Message::from(&[n])));
            if writer.flush() {
                reader_sleeps.notify();
            }
        }
        assert_eq!(receiver.join().unwrap(), [0, 1, 0, 0, 1, 1, 0, 1, 2]);
        let tally = writer.tally();
        assert_eq!((tally.routed, tally.written), (SENT.into(), SENT.into()));
    });
}

/// A connection is lost while it takes subscriptions and messages: what it had taken is lost, the subscriptions are
/// dropped, and the next connection gets the messages that are left.
#[test]
fn what_a_lost_connection_leaves_is_there_for_the_next_one() {
    loom::model(|| {
        let (socket, other) = pipe(packed(0), Flow::default());
        let (mut writer, mut reader) = (socket.writer, other.reader);
        let lost = thread::spawn(move || {
            let mut taken = Vec::new();
            taken.extend(reader.take());
            taken.extend(reader.take());
            let messages = taken.iter().filter(|item| item.is_message()).count() as u64;
            reader.lose(messages);
            reader.put_back();
            (reader, messages)
        });
        writer.write(Traffic::Subscribe("topic".into()));
        writer.write(Traffic::Message("first".into()));
        writer.flush();
        assert!(writer.write_copy(&"second".into()));
        writer.write(Traffic::Cancel("topic".into()));
        writer.flush();
        let (mut reader, lost) = lost.join().unwrap();
        writer.take_controls();
        let left: Vec<Traffic> = std::iter::from_fn(|| reader.take()).collect();
        assert!(left.iter().all(Traffic::is_message));
        assert_eq!(left.last(), Some(&Traffic::Message("second".into())));
        reader.ack(left.len() as u64);
        let tally = writer.tally();
        assert_eq!((tally.routed, tally.lost, tally.written), (2, lost, 2 - lost));
        assert_eq!(tally.queued(), 0);
    });
}
