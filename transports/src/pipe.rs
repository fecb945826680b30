//! The pipe: a batch queue of [`Traffic`](zeroxide_zmtp::Traffic) each way, with credit.
//!
//! A pipe joins a socket to an engine, or two sockets over inproc. Each direction has one writer and one reader, on any
//! two threads. The writer collects items in an *open* batch that only it owns. [`Writer::flush`] makes the batch
//! visible under one short lock. The reader takes everything flushed under one short lock, and then owns it. So the
//! threads synchronise once per batch, and not once per message.
//!
//! **Credit** (libzmq pipe.cpp, in messages): the writer may write while fewer than HWM messages are written and not
//! yet acknowledged. Messages in the open batch count too. The reader acknowledges after each (HWM + 1) / 2 messages (the
//! low-water mark), and whenever it has read everything. With [`Flow::lots`] the writer counts credit exactly as libzmq does.
//!
//! **Bytes**: a pipe from [`budgeted_pipe`] also counts the bytes that its reader has not taken, for itself and in the [`Budget`]
//! of the socket. They are counted for each batch, under the lock that is taken anyway: the writer adds a batch when it flushes,
//! and the reader releases it when it asks for the next one. A batch beyond 1 MiB is released in parts of 1 MiB.
//!
//! **Waking**: in three cases the caller must wake the other side. `flush` returns `true` if the reader has found the pipe
//! empty since the last flush. `ack` returns `true` if the writer has found no credit. [`Reader::owes_wake`] returns `true`
//! if the reader has acknowledged or released bytes and the writer had found no credit or no room. No wake is lost: a side
//! that is going to sleep sets a flag, and then checks once more.

mod counts;
mod flow;
mod pace;
mod reader;
mod shared;
mod writer;

use self::shared::Queue;
use crate::budget::{Budget, or_none};
use crate::sync::Arc;

pub use self::counts::{Arrivals, Tally};
pub use self::flow::Flow;
pub use self::reader::Reader;
pub use self::writer::Writer;

/// Makes a pipe. `forth` applies to what the first end writes, `back` to what the second end writes.
#[must_use]
pub fn pipe(forth: Flow, back: Flow) -> (Pipe, Pipe) {
    ends(&Arc::new(Queue::new(forth)), forth, &Arc::new(Queue::new(back)), back)
}

/// Makes a pipe as [`pipe`] does, of which what the second end writes counts against a budget, and may be at most `most`
/// bytes; 0 is no limit. A conflating pipe holds one message and is not counted.
#[must_use]
pub fn budgeted_pipe(forth: Flow, back: Flow, most: u64, budget: &Budget) -> (Pipe, Pipe) {
    let there = Arc::new(Queue::new(forth));
    let mut here = Queue::new(back);
    if !back.conflate {
        here.budget = Some(budget.clone());
        here.swap().most = or_none(most);
    }
    ends(&there, forth, &Arc::new(here), back)
}

fn ends(there: &Arc<Queue>, forth: Flow, here: &Arc<Queue>, back: Flow) -> (Pipe, Pipe) {
    let end = |out: &Arc<Queue>, flow, inp: &Arc<Queue>, inp_flow| Pipe {
        writer: Writer::new(Arc::clone(out), flow),
        reader: Reader::new(Arc::clone(inp), inp_flow),
    };
    (end(there, forth, here, back), end(here, back, there, forth))
}

/// One end of a pipe.
#[derive(Debug)]
pub struct Pipe {
    /// Writes to the other end.
    pub writer: Writer,
    /// Reads what the other end wrote.
    pub reader: Reader,
}
#[cfg(all(test, not(loom)))]
mod tests {
    use std::time::{Duration, Instant};

    use zeroxide_zmtp::{Frame, Message, Traffic};

    use super::*;

    fn one_way() -> (Writer, Reader) {
        let (here, there) = pipe(Flow { hwm: 3, ..Flow::default() }, Flow::default());
        (here.writer, there.reader)
    }

    fn is(n: u8) -> impl Fn(&Message) -> bool {
        move |message| message.first().is_some_and(|frame| **frame == [n])
    }

    fn write(writer: &mut Writer, n: u8) {
        assert!(writer.reserve());
        writer.write(Traffic::Message((&[n]).into()));
    }

    fn taken(reader: &mut Reader) -> Vec<Message> {
        let message = |traffic| match traffic {
            Traffic::Message(message) => message,
            other => panic!("{other:?}"),
        };
        std::iter::from_fn(|| reader.read()).map(message).collect()
    }

    /// An engine takes subscriptions, and leaves the rest of them behind when its connection ends.
    #[test]
    fn a_reader_that_takes_control_traffic_without_reading_it_can_abandon_the_rest() {
        let (mut writer, mut reader) = one_way();
        for topic in ["a", "b"] {
            writer.write(Traffic::Subscribe(Frame::from(topic)));
        }
        writer.flush();
        assert!(reader.take().is_some());
        assert_eq!(reader.abandon().len(), 1);
    }

    #[test]
    fn no_subscription_for_a_lost_connection_is_taken_and_every_later_one_is() {
        let subscribe =
            |writer: &mut Writer, topic: &str| writer.write(Traffic::Subscribe(Frame::from(topic)));
        let rest = |reader: &mut Reader| std::iter::from_fn(|| reader.take()).collect::<Vec<_>>();
        let (mut writer, mut reader) = one_way();
        for takes in [false, true] {
            subscribe(&mut writer, "taken");
            subscribe(&mut writer, "left");
            writer.flush();
            assert!(reader.take().is_some());
            reader.lose_connection();
            // The writer does not know it yet.
            subscribe(&mut writer, "later");
            write(&mut writer, 1);
            writer.flush();
            if takes {
                assert_eq!(rest(&mut reader), [Traffic::Message((&[1]).into())]);
            }
            subscribe(&mut writer, "open");
            let stale = writer.take_controls();
            assert_eq!(stale.len(), 3, "left, later and open");
            subscribe(&mut writer, "next");
            writer.flush();
            let message = (!takes).then(|| Traffic::Message((&[1]).into()));
            let next = Traffic::Subscribe(Frame::from("next"));
            assert_eq!(rest(&mut reader), message.into_iter().chain([next]).collect::<Vec<_>>());
            reader.ack(1);
        }
        assert_eq!((writer.tally().queued(), writer.open_bytes()), (0, 0));
    }

    #[test]
    fn a_message_is_recalled_until_the_reader_takes_it_and_gives_its_credit_back() {
        let (mut writer, mut reader) = one_way();
        for flushed in [false, true] {
            (1..=3).for_each(|n| write(&mut writer, n));
            assert!(!writer.has_credit());
            if flushed {
                writer.flush();
            }
            assert_eq!(writer.recall(is(2)), Some((&[2]).into()));
            assert_eq!(writer.recall(is(2)), None, "once");
            assert!(writer.has_credit());
            writer.flush();
            assert_eq!(taken(&mut reader), [(&[1]).into(), (&[3]).into()]);
            assert_eq!(writer.recall(is(3)), None, "it is taken");
            assert_eq!(writer.open_bytes(), 0);
        }
        let tally = writer.tally();
        assert_eq!((tally.routed, tally.written, tally.queued()), (4, 4, 0));
    }

    #[test]
    fn credit_in_lots_comes_by_halves_of_the_mark_and_the_counters_stay_exact() {
        for lots in [false, true] {
            let (here, there) = pipe(Flow { hwm: 10, lots, ..Flow::default() }, Flow::default());
            let (mut writer, mut reader) = (here.writer, there.reader);
            let fill = |writer: &mut Writer| {
                let mut sent = 0;
                while writer.reserve() {
                    writer.write(Traffic::Message((&[sent]).into()));
                    sent += 1;
                }
                writer.flush();
                u64::from(sent)
            };
            assert_eq!(fill(&mut writer), 10);
            for (taken, exact, in_lots) in [(4, 4, 0), (1, 1, 5), (7, 7, 5), (3, 3, 5)] {
                (0..taken).for_each(|_| assert!(reader.take().is_some()));
                reader.ack(taken);
                assert_eq!(fill(&mut writer), if lots { in_lots } else { exact }, "{taken} {lots}");
                assert_eq!(writer.uncredited(), 10, "{taken} {lots}");
            }
            assert_eq!(writer.tally().written, 15);
            assert_eq!(writer.tally().queued(), writer.tally().routed - 15);
        }
    }

    #[test]
    fn a_lower_mark_leaves_no_writer_waiting_for_a_lot_that_is_read() {
        let (here, there) = pipe(Flow { hwm: 1000, lots: true, ..Flow::default() }, Flow::default());
        let (mut writer, mut reader) = (here.writer, there.reader);
        for n in 0..200 {
            write(&mut writer, n);
        }
        writer.flush();
        assert_eq!(taken(&mut reader).len(), 200);
        writer.set_hwm(10);
        assert!(writer.reserve());
    }

    #[test]
    fn what_a_reader_puts_back_keeps_its_order_and_can_be_recalled() {
        let (mut writer, mut reader) = one_way();
        (1..=2).for_each(|n| write(&mut writer, n));
        writer.flush();
        assert!(reader.take().is_some());
        write(&mut writer, 3);
        writer.flush();
        assert_eq!(writer.recall(is(2)), None, "the reader has it");
        reader.put_back();
        assert_eq!(writer.recall(is(2)), Some((&[2]).into()));
        reader.ack(1);
        assert_eq!(taken(&mut reader), [(&[3]).into()]);
        assert_eq!(writer.tally().queued(), 0);
    }

    #[test]
    fn what_came_is_counted_in_messages_and_bytes_whatever_became_of_it() {
        let control = || Traffic::Subscribe(Frame::from("topic"));
        for conflate in [false, true] {
            let back = Flow { conflate, count_control: true, ..Flow::default() };
            let (here, there) = budgeted_pipe(Flow::default(), back, 0, &Budget::new(1 << 30));
            let (mut writer, mut reader) = (there.writer, here.reader);
            let now = Instant::now();
            for n in 0..4u8 {
                writer.write(control());
                writer.write(Traffic::Message([vec![n; 10], vec![n; 90]].into()));
                writer.write(Traffic::Message(vec![n; 50].into()));
                writer.came(now + Duration::from_secs(n.into()));
                writer.flush();
            }
            if !conflate {
                writer.write(control());
                writer.came(now + Duration::from_secs(9));
                writer.flush();
            }
            assert!(std::iter::from_fn(|| reader.read()).any(|traffic| traffic.is_message()));
            let replaced = if conflate { 7 } else { 0 };
            let expected = Arrivals {
                messages: 8,
                bytes: 600,
                taken: 1,
                conflated: replaced,
                unread: 0,
                waiting: 7 - replaced,
                last: Some(now + Duration::from_secs(3)),
            };
            assert_eq!(reader.arrivals(), expected);
            reader.abandon();
            let ended = Arrivals { unread: 7 - replaced, waiting: 0, ..expected };
            assert_eq!(reader.arrivals(), ended);
            writer.put(Traffic::Message("late".into()));
            let late = reader.arrivals();
            assert_eq!((late.messages, late.taken, late.waiting), (9, 1, 0));
        }
    }
}
