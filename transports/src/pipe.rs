//! The pipe: a batch queue of [`Traffic`] each way, with credit.
//!
//! A pipe joins a socket to an engine, or two sockets over inproc. Each direction has one writer and one reader, on
//! any two threads. The writer collects in an *open* batch that it owns alone; [`Writer::flush`] makes the batch
//! visible in one short lock; the reader swaps everything flushed out in one short lock and then owns it. So the
//! cost of crossing threads is paid per batch, never per message.
//!
//! **Credit** (libzmq pipe.cpp, in messages): a message may be written while fewer than HWM messages are written and
//! not yet acknowledged. The reader acknowledges at the low-water mark, (HWM + 1) / 2, and whenever it has drained
//! the pipe. Open messages count like queued ones. A writer with [`Flow::lots`] counts credit as libzmq gives it.
//!
//! **Waking**: `flush` answers `true` when the reader had found the pipe empty since the last flush, `ack` answers
//! `true` when the writer had met the high-water mark: then the caller owes the other side a wake. Neither is ever
//! lost: the sleeper announces itself, then looks once more.

use std::time::{Duration, Instant};

use zeroxide_zmtp::queue::TrafficQueue;
use zeroxide_zmtp::{Message, Traffic};

use crate::sync::{Arc, AtomicBool, AtomicU64, Mutex, MutexGuard, Ordering, fence};

/// How one direction of a pipe behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// High-water mark in messages; 0 = none (libzmq SNDHWM, RCVHWM).
    pub hwm: u32,
    /// Only the newest message is kept and the high-water mark is off (libzmq CONFLATE).
    pub conflate: bool,
    /// Whether subscriptions count like messages. They do not on the subscriber's side, where libzmq loses those
    /// beyond SNDHWM; they do where a peer's flood of them must push back.
    pub count_control: bool,
    /// The writer takes credit in whole lots of (HWM + 1) / 2 messages, counted from the first, as libzmq's reader
    /// gives it. Programs for libzmq count on the refusals that follow. The counters stay exact.
    pub lots: bool,
}

/// A writer that is not ready to wait looks for credit once in so long: libzmq takes up what its threads tell it once
/// in 3 million cycles, about a millisecond (config.hpp, max_command_delay).
const LOOK_INTERVAL: Duration = Duration::from_millis(1);

impl Flow {
    fn counts(self, traffic: &Traffic) -> bool {
        traffic.is_message() || self.count_control
    }
}

/// Makes a pipe: what the first end writes flows by `forth`, what the second writes by `back`.
#[must_use]
pub fn pipe(forth: Flow, back: Flow) -> (Pipe, Pipe) {
    let (there, here) = (Arc::new(Queue::new(forth)), Arc::new(Queue::new(back)));
    let end = |out: &Arc<Queue>, flow, inp: &Arc<Queue>, inp_flow| Pipe {
        writer: Writer::new(Arc::clone(out), flow),
        reader: Reader::new(Arc::clone(inp), inp_flow),
    };
    (end(&there, forth, &here, back), end(&here, back, &there, forth))
}

/// One end of a pipe.
#[derive(Debug)]
pub struct Pipe {
    /// What this end writes to the other.
    pub writer: Writer,
    /// What the other end wrote.
    pub reader: Reader,
}

/// What became of the messages of one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Messages that entered the direction.
    pub routed: u64,
    /// Messages that its reader took over for good: over tcp and ipc, whose last byte the kernel took.
    pub written: u64,
    /// Messages whose connection ended after the reader took them and before the kernel did.
    pub lost: u64,
    /// Messages that a newer one replaced.
    pub conflated: u64,
}

impl Tally {
    /// Messages still open, queued or staged.
    #[must_use]
    pub fn queued(&self) -> u64 {
        self.routed - self.written - self.lost - self.conflated
    }
}

/// Bytes that a frame's header adds to its body: 2, or 9 beyond 255 bytes (RFC 37 §3.3); most frames that flood are
/// short.
const FRAMING: usize = 2;

/// What both ends share. Neither touches it for each message but for the swap lock, whose cache line holds nothing else:
/// a line that one processor writes to is dear for another one to look at.
#[derive(Debug)]
#[repr(C, align(64))]
struct Queue {
    swap: Mutex<Swap>,
    apart: Apart,
    conflate: bool,
    /// The high-water mark in force; `u64::MAX` for none.
    limit: AtomicU64,
    /// Messages acknowledged are those written and those lost. Each of the two only ever grows, so that whoever
    /// reads them while they change never sees a message twice, nor one come back.
    written: AtomicU64,
    lost: AtomicU64,
    /// The writer met the high-water mark and waits for an acknowledgement.
    starved: AtomicBool,
    reader_gone: AtomicBool,
}

/// Begins a cache line.
#[derive(Debug)]
#[repr(align(64))]
struct Apart;

/// What writer and reader exchange under the swap lock.
#[derive(Debug, Default)]
struct Swap {
    items: TrafficQueue,
    /// The reader found nothing and waits for a flush.
    drained: bool,
    /// The writer will write no more.
    finished: bool,
}

impl Queue {
    fn new(flow: Flow) -> Queue {
        Queue {
            swap: Mutex::default(),
            apart: Apart,
            conflate: flow.conflate,
            limit: AtomicU64::new(limit(flow.hwm, flow.conflate)),
            written: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            starved: AtomicBool::new(false),
            reader_gone: AtomicBool::new(false),
        }
    }

    fn swap(&self) -> MutexGuard<'_, Swap> {
        // A panic cannot happen between two consistent states of a Swap, so a poisoned one is whole.
        self.swap.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Sets another high-water mark; `true` when the writer must be woken to look at it.
    fn set_hwm(&self, hwm: u32) -> bool {
        self.limit.store(limit(hwm, self.conflate), Ordering::Release);
        self.is_starved()
    }

    fn low_water(&self) -> u64 {
        low_water(self.limit.load(Ordering::Relaxed))
    }

    /// Messages that count against the high-water mark no longer.
    fn acked(&self) -> u64 {
        self.written.load(Ordering::Acquire) + self.lost.load(Ordering::Acquire)
    }

    /// Whether the writer waits for what was just stored; it is owed a wake then, once.
    fn is_starved(&self) -> bool {
        fence(Ordering::SeqCst);
        self.starved.load(Ordering::Relaxed) && self.starved.swap(false, Ordering::Relaxed)
    }
}

fn limit(hwm: u32, conflate: bool) -> u64 {
    if hwm == 0 || conflate { u64::MAX } else { u64::from(hwm) }
}

/// The writing end of one direction.
#[derive(Debug)]
pub struct Writer {
    queue: Arc<Queue>,
    flow: Flow,
    open: TrafficQueue,
    open_bytes: usize,
    /// Messages written, open ones included.
    routed: u64,
    reserved: u64,
    conflated: u64,
    /// What was last seen of the reader's acknowledgements and of the high-water mark.
    acked: u64,
    limit: u64,
    /// When a writer that takes credit in lots last looked for it.
    looked: Option<Instant>,
    replaced: Vec<Traffic>,
}

impl Writer {
    fn new(queue: Arc<Queue>, flow: Flow) -> Writer {
        Writer {
            queue,
            flow,
            open: TrafficQueue::new(),
            open_bytes: 0,
            routed: 0,
            reserved: 0,
            conflated: 0,
            acked: 0,
            limit: limit(flow.hwm, flow.conflate),
            looked: None,
            replaced: Vec::new(),
        }
    }

    /// Reserves room for one message. After `false`, the reader's next acknowledgement answers `true`.
    #[inline]
    pub fn reserve(&mut self) -> bool {
        let granted = self.has_credit();
        self.reserved += u64::from(granted);
        granted
    }

    /// Reserves room for one message by what is known of the reader. After `false`, ask [`Writer::reserve`].
    #[inline]
    pub fn reserve_known(&mut self) -> bool {
        let granted = self.in_flight() < self.limit;
        self.reserved += u64::from(granted);
        granted
    }

    /// Whether [`Writer::reserve`] looked for credit a moment ago, so that libzmq would not look again. Only with
    /// [`Flow::lots`].
    #[must_use]
    pub fn looked_lately(&self) -> bool {
        self.looked.is_some_and(|looked| looked.elapsed() < LOOK_INTERVAL)
    }

    /// Gives one reservation back.
    pub fn release(&mut self) {
        self.reserved = self.reserved.saturating_sub(1);
    }

    /// Whether one more message may be written. After `false`, the reader's next acknowledgement answers `true`.
    #[inline]
    pub fn has_credit(&mut self) -> bool {
        self.in_flight() < self.limit || self.look_for_credit()
    }

    fn in_flight(&self) -> u64 {
        self.routed + self.reserved - self.acked
    }

    /// How many messages the reader has given credit for, at the high-water mark `limit`.
    fn given(&self, limit: u64) -> u64 {
        let acked = self.queue.acked();
        if self.flow.lots { acked - acked % low_water(limit) } else { acked }
    }

    /// Messages that count against the high-water mark: those in the pipe, and with [`Flow::lots`] those of a lot that
    /// is not read to its end.
    #[must_use]
    pub fn uncredited(&self) -> u64 {
        self.routed - self.given(self.queue.limit.load(Ordering::Acquire))
    }

    #[cold]
    fn look_for_credit(&mut self) -> bool {
        self.looked = self.flow.lots.then(Instant::now);
        for announced in [false, true] {
            self.limit = self.queue.limit.load(Ordering::Acquire);
            self.acked = self.given(self.limit);
            if self.in_flight() < self.limit {
                return true;
            }
            if !announced {
                // This fence and the one in `acknowledge` and `set_hwm`: of the two sides, one sees the other.
                self.queue.starved.store(true, Ordering::Relaxed);
                fence(Ordering::SeqCst);
            }
        }
        false
    }

    /// Adds to the open batch, spending a reservation if this counts and there is one.
    #[inline]
    pub fn write(&mut self, traffic: Traffic) {
        self.open_bytes += traffic.size() + FRAMING;
        self.count(&traffic);
        if self.flow.conflate {
            self.conflated += replace(&mut self.open, &mut self.replaced);
        }
        self.open.push(traffic);
    }

    /// Like [`Writer::write`] and [`Writer::flush`], for those who flush each message.
    #[inline]
    pub fn put(&mut self, traffic: Traffic) -> bool {
        if self.flow.conflate || self.is_open() {
            self.write(traffic);
            return self.flush();
        }
        self.count(&traffic);
        let mut swap = self.queue.swap();
        swap.items.push(traffic);
        std::mem::take(&mut swap.drained)
    }

    fn count(&mut self, traffic: &Traffic) {
        if self.flow.counts(traffic) {
            self.reserved = self.reserved.saturating_sub(1);
            self.routed += 1;
        }
    }

    /// Bytes in the open batch, with its framing as it mostly is.
    #[must_use]
    #[inline]
    pub fn open_bytes(&self) -> usize {
        self.open_bytes
    }

    /// Whether something waits in the open batch.
    #[must_use]
    #[inline]
    pub fn is_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// Takes the newest message back that is `wanted` and that the reader has not taken. It counts as never written.
    pub fn recall(&mut self, wanted: impl Fn(&Message) -> bool) -> Option<Message> {
        let recalled = match self.open.take_last(&wanted) {
            Some(message) => {
                self.open_bytes -= message.size() + FRAMING;
                message
            }
            None => self.queue.swap().items.take_last(wanted)?,
        };
        self.routed -= 1;
        Some(recalled)
    }

    /// Makes the open batch visible. `true`: the reader had found nothing, wake it.
    pub fn flush(&mut self) -> bool {
        if self.open.is_empty() {
            return false;
        }
        self.open_bytes = 0;
        let mut swap = self.queue.swap();
        if self.flow.conflate {
            self.conflated += replace(&mut swap.items, &mut self.replaced);
        }
        if swap.items.is_empty() {
            std::mem::swap(&mut swap.items, &mut self.open);
        } else {
            swap.items.append(&mut self.open);
        }
        std::mem::take(&mut swap.drained)
    }

    /// Flushes and says that nothing more will come. `true`: wake the reader.
    pub fn finish(&mut self) -> bool {
        let wake = self.flush();
        let mut swap = self.queue.swap();
        swap.finished = true;
        std::mem::take(&mut swap.drained) || wake
    }

    /// Sets another high-water mark for what this end writes.
    pub fn set_hwm(&mut self, hwm: u32) {
        self.queue.set_hwm(hwm);
        self.limit = self.queue.limit.load(Ordering::Relaxed);
    }

    /// Whether the reader went away; what is written is then never read.
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        self.queue.reader_gone.load(Ordering::Acquire)
    }

    /// What became of everything written so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        Tally {
            routed: self.routed,
            written: self.queue.written.load(Ordering::Acquire),
            lost: self.queue.lost.load(Ordering::Acquire),
            conflated: self.conflated,
        }
    }

    /// Takes the messages that newer ones replaced, to be dropped outside any lock.
    #[inline]
    pub fn take_replaced(&mut self) -> Vec<Traffic> {
        std::mem::take(&mut self.replaced)
    }
}

/// Moves the messages of a conflating queue aside; subscriptions stay. Answers how many were moved.
fn replace(items: &mut TrafficQueue, replaced: &mut Vec<Traffic>) -> u64 {
    let before = replaced.len();
    for traffic in std::mem::take(items) {
        if traffic.is_message() { replaced.push(traffic) } else { items.push(traffic) }
    }
    (replaced.len() - before) as u64
}

/// The reading end of one direction.
#[derive(Debug)]
pub struct Reader {
    queue: Arc<Queue>,
    flow: Flow,
    taken: TrafficQueue,
    /// Messages taken for good so far, those of them that are acknowledged, and those that were lost.
    read: u64,
    acked: u64,
    lost: u64,
    low_water: u64,
    /// The end of the last whole lot that was acknowledged.
    lot: u64,
    finished: bool,
    wake_writer: bool,
}

impl Reader {
    fn new(queue: Arc<Queue>, flow: Flow) -> Reader {
        let low_water = queue.low_water();
        Reader {
            queue,
            flow,
            taken: TrafficQueue::new(),
            read: 0,
            acked: 0,
            lost: 0,
            low_water,
            lot: 0,
            finished: false,
            wake_writer: false,
        }
    }

    /// Takes the next item without acknowledging it; `None` announces a sleeping reader to the next flush.
    #[inline]
    pub fn take(&mut self) -> Option<Traffic> {
        if self.taken.is_empty() && !self.refill() {
            return None;
        }
        self.taken.pop()
    }

    /// Takes the next item and acknowledges by the rule of the low-water mark. See [`Reader::owes_wake`].
    #[inline]
    pub fn read(&mut self) -> Option<Traffic> {
        let traffic = self.take();
        match &traffic {
            Some(traffic) => {
                self.read += u64::from(self.flow.counts(traffic));
                if self.read - self.lot >= self.low_water {
                    self.wake_writer |= self.acknowledge();
                }
            }
            None if self.read > self.acked => self.wake_writer |= self.acknowledge(),
            None => {}
        }
        traffic
    }

    /// Whether the writer must be woken because of what was read since this was last asked.
    #[inline]
    pub fn owes_wake(&mut self) -> bool {
        std::mem::take(&mut self.wake_writer)
    }

    /// Acknowledges `count` messages got from [`Reader::take`]. `true`: wake the writer.
    pub fn ack(&mut self, count: u64) -> bool {
        if count == 0 {
            return false;
        }
        self.read += count;
        self.acknowledge()
    }

    /// Gives up on `count` messages got from [`Reader::take`]: their connection ended before they were written.
    /// `true`: wake the writer.
    pub fn lose(&mut self, count: u64) -> bool {
        self.lost += count;
        self.queue.lost.store(self.lost, Ordering::Release);
        self.ack(count)
    }

    fn acknowledge(&mut self) -> bool {
        self.acked = self.read;
        self.lot = self.read - self.read % self.low_water;
        self.queue.written.store(self.acked - self.lost, Ordering::Release);
        self.queue.is_starved()
    }

    /// Takes everything flushed over. `false`: there is nothing, and the next flush will find a sleeping reader.
    #[cold]
    fn refill(&mut self) -> bool {
        let mut swap = self.queue.swap();
        if swap.items.is_empty() {
            swap.drained = true;
            self.finished = swap.finished;
        } else {
            std::mem::swap(&mut swap.items, &mut self.taken);
        }
        drop(swap);
        self.low_water = self.queue.low_water();
        !self.taken.is_empty()
    }

    /// Whether something can be read now; like a `take` that gave `None`, `false` announces a sleeping reader.
    pub fn has_input(&mut self) -> bool {
        !self.taken.is_empty() || self.refill()
    }

    /// Gives what was taken from the queue in one go and not used yet back to the queue, where the writer can recall it.
    pub fn put_back(&mut self) {
        if !self.taken.is_empty() {
            let mut swap = self.queue.swap();
            self.taken.append(&mut swap.items);
            std::mem::swap(&mut swap.items, &mut self.taken);
        }
    }

    /// How much is flushed and not read, subscriptions included.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.taken.len() + self.queue.swap().items.len()
    }

    /// Whether everything is read and the writer will write no more. Known after a `take` or `read` gave `None`.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.finished && self.taken.is_empty()
    }

    /// Sets another high-water mark for what this end reads. `true`: wake the writer.
    pub fn set_hwm(&mut self, hwm: u32) -> bool {
        let wake = self.queue.set_hwm(hwm);
        self.low_water = self.queue.low_water();
        wake
    }

    /// Goes away, and gives back what was not read, to be dropped outside any lock. The writer finds out by
    /// [`Writer::is_abandoned`]; wake it.
    pub fn abandon(&mut self) -> TrafficQueue {
        self.queue.reader_gone.store(true, Ordering::Release);
        let mut rest = std::mem::take(&mut self.taken);
        rest.append(&mut self.queue.swap().items);
        rest
    }
}

/// A reader that is dropped goes away, too: a writer that waits for one to take or give up its messages would wait for
/// ever. Call [`Reader::abandon`] first where dropping what is unread would run foreign code under a lock.
impl Drop for Reader {
    fn drop(&mut self) {
        self.queue.reader_gone.store(true, Ordering::Release);
    }
}

/// Messages in a lot of credit.
fn low_water(limit: u64) -> u64 {
    // Without a mark nobody waits for credit, yet the counters want to be fresh.
    if limit == u64::MAX { 256 } else { limit.div_ceil(2) }
}

#[cfg(all(test, not(loom)))]
mod tests {
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
}
