//! The pipe: a batch queue of [`Traffic`] each way, with credit.
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

use std::time::{Duration, Instant};

use zeroxide_zmtp::queue::TrafficQueue;
use zeroxide_zmtp::{Message, Traffic};

use self::counts::{Came, FRAMING, frame_list, weight};
use self::pace::Pace;
use crate::budget::{Budget, or_none};
use crate::sync::{Arc, AtomicBool, AtomicU64, Mutex, MutexGuard, Ordering, fence};

pub use self::counts::{Arrivals, Tally};
pub use self::flow::Flow;

/// The interval at which a non-blocking writer checks for credit. libzmq handles the commands of its other threads once
/// in 3 million cycles, about a millisecond (config.hpp, max_command_delay).
const LOOK_INTERVAL: Duration = Duration::from_millis(1);

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

/// A batch of more bytes than this is released in parts of this size, so its reader weighs each item. A smaller one is released
/// as a whole. With the default high-water mark no batch of small messages is larger.
const HEAVY: u64 = 1 << 20;

/// What both ends share. Only the swap lock is used for each message, and its cache line contains nothing else: reading
/// a line that another processor writes is slow.
#[derive(Debug)]
#[repr(C, align(64))]
struct Queue {
    swap: Mutex<Swap>,
    apart: Apart,
    conflate: bool,
    /// The current high-water mark; `u64::MAX` for none.
    limit: AtomicU64,
    /// Acknowledged messages are those written and those lost. Both counters only grow. So a thread that loads the two during
    /// a change never counts a message twice, and never sees the sum fall.
    written: AtomicU64,
    lost: AtomicU64,
    /// The writer has reached the high-water mark and waits for an acknowledgement.
    starved: AtomicBool,
    reader_gone: AtomicBool,
    /// The budget in which the bytes of this direction count, if there is one.
    budget: Option<Budget>,
}

/// A field of this type begins a new cache line.
#[derive(Debug)]
#[repr(align(64))]
struct Apart;

/// What writer and reader exchange under the swap lock.
#[derive(Debug, Default)]
struct Swap {
    items: TrafficQueue,
    /// The reader has found nothing and waits for a flush.
    drained: bool,
    /// The writer writes no more.
    finished: bool,
    /// Bytes that are flushed and not released. Only with a budget.
    held: u64,
    /// The number of held bytes at which the writer stops; `u64::MAX` for none.
    most: u64,
    /// The writer has found no room in bytes, and waits for a release.
    hungry: bool,
    /// What has come through [`Writer::flush`], counted for each batch.
    came: Came,
}

impl Queue {
    fn new(flow: Flow) -> Queue {
        Queue {
            swap: Mutex::default(),
            apart: Apart,
            conflate: flow.conflate,
            limit: AtomicU64::new(flow::limit(flow.hwm, flow.conflate)),
            written: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            starved: AtomicBool::new(false),
            reader_gone: AtomicBool::new(false),
            budget: None,
        }
    }

    /// Counts bytes that the reader is done with. Returns `true` if the writer must be woken.
    fn release(&self, swap: &mut Swap, bytes: u64) -> bool {
        let Some(budget) = self.budget.as_ref().filter(|_| bytes > 0) else { return false };
        swap.held -= bytes;
        budget.release(bytes, swap.finished);
        std::mem::take(&mut swap.hungry)
    }

    fn swap(&self) -> MutexGuard<'_, Swap> {
        // No panic can happen while a Swap is inconsistent, so the content of a poisoned lock is valid.
        self.swap.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Sets another high-water mark. Returns `true` if the writer must be woken to check it.
    fn set_hwm(&self, hwm: u32) -> bool {
        self.limit.store(flow::limit(hwm, self.conflate), Ordering::Release);
        self.is_starved()
    }

    fn low_water(&self) -> u64 {
        low_water(self.limit.load(Ordering::Relaxed))
    }

    /// Returns the number of messages that no longer count against the high-water mark.
    fn acked(&self) -> u64 {
        self.written.load(Ordering::Acquire) + self.lost.load(Ordering::Acquire)
    }

    /// Returns whether the writer waits for credit and must be woken: once for each wait. Call it after a store that gives credit.
    fn is_starved(&self) -> bool {
        fence(Ordering::SeqCst);
        self.starved.load(Ordering::Relaxed) && self.starved.swap(false, Ordering::Relaxed)
    }
}

/// Releases the bytes of items that nobody took.
impl Drop for Queue {
    fn drop(&mut self) {
        let mut swap = self.swap();
        let held = swap.held;
        self.release(&mut swap, held);
    }
}

/// The writing end of one direction.
#[derive(Debug)]
pub struct Writer {
    queue: Arc<Queue>,
    flow: Flow,
    open: TrafficQueue,
    open_bytes: usize,
    /// Whether there is a budget.
    weighs: bool,
    /// The bytes of the open batch at which this end must look for room; `u64::MAX` without a budget.
    room: u64,
    /// The number of messages written, including open ones.
    routed: u64,
    reserved: u64,
    conflated: u64,
    /// The number of items written that are no messages.
    controls: u64,
    /// The number of messages of the library itself ([`Writer::write_own`]).
    own: u64,
    /// As in [`Came`].
    extra: u64,
    /// As in [`Came`].
    last: Option<Instant>,
    /// The number of messages written when `last` was set.
    stamped: u64,
    /// The last values that this end read of the acknowledgements and of the high-water mark.
    acked: u64,
    limit: u64,
    /// When a writer with [`Flow::lots`] last checked for credit.
    looked: Option<Instant>,
    replaced: Vec<Traffic>,
}

impl Writer {
    fn new(queue: Arc<Queue>, flow: Flow) -> Writer {
        Writer {
            weighs: queue.budget.is_some(),
            room: if queue.budget.is_some() { 0 } else { u64::MAX },
            queue,
            flow,
            open: TrafficQueue::new(),
            open_bytes: 0,
            routed: 0,
            reserved: 0,
            conflated: 0,
            controls: 0,
            own: 0,
            extra: 0,
            last: None,
            stamped: 0,
            acked: 0,
            limit: flow::limit(flow.hwm, flow.conflate),
            looked: None,
            replaced: Vec::new(),
        }
    }

    /// Reserves room for one message. After it returns `false`, the reader's next acknowledgement returns `true`.
    #[inline]
    pub fn reserve(&mut self) -> bool {
        let granted = self.has_credit();
        self.reserved += u64::from(granted);
        granted
    }

    /// Reserves room for one message, using only the last known acknowledgements. If it returns `false`, call
    /// [`Writer::reserve`].
    #[inline]
    pub fn reserve_known(&mut self) -> bool {
        let granted = self.in_flight() < self.limit;
        self.reserved += u64::from(granted);
        granted
    }

    /// Returns whether [`Writer::reserve`] checked for credit within the last millisecond, so that libzmq would not
    /// check again. Always `false` without [`Flow::lots`].
    #[must_use]
    pub fn looked_lately(&self) -> bool {
        self.looked.is_some_and(|looked| looked.elapsed() < LOOK_INTERVAL)
    }

    /// Releases one reservation.
    pub fn release(&mut self) {
        self.reserved = self.reserved.saturating_sub(1);
    }

    /// Returns whether one more message may be written. After it returns `false`, the reader's next acknowledgement
    /// returns `true`.
    #[inline]
    pub fn has_credit(&mut self) -> bool {
        self.in_flight() < self.limit && (self.open_bytes as u64) < self.room || self.look_for_credit()
    }

    fn in_flight(&self) -> u64 {
        self.routed + self.reserved - self.acked
    }

    /// Returns the number of messages for which there is credit again, at the high-water mark `limit`.
    fn given(&self, limit: u64) -> u64 {
        let acked = self.queue.acked();
        if self.flow.lots { acked - acked % low_water(limit) } else { acked }
    }

    /// Returns the number of messages that count against the high-water mark: those in the pipe, and with
    /// [`Flow::lots`] those of a lot that is not completely read.
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
                return (self.open_bytes as u64) < self.room || self.look_for_room();
            }
            if !announced {
                // This fence pairs with the one in `is_starved`: at least one side sees the store of the other.
                self.queue.starved.store(true, Ordering::Relaxed);
                fence(Ordering::SeqCst);
            }
        }
        false
    }

    /// Looks for room in bytes. After it returns `false`, this end must be woken when the reader releases bytes.
    fn look_for_room(&mut self) -> bool {
        let Some(budget) = &self.queue.budget else { return true };
        let mut swap = self.queue.swap();
        let open = self.open_bytes as u64;
        for announced in [false, true] {
            self.room = budget.room(swap.most, swap.held);
            if open < self.room {
                return true;
            }
            swap.hungry = true;
            // Only a release of another pipe can be missed: those of this one are under the same lock.
            if announced || swap.most.saturating_sub(swap.held) <= open {
                return false;
            }
            budget.refuse(swap.held == 0);
        }
        false
    }

    /// Adds an item to the open batch. If the item counts against the high-water mark, this uses a reservation if there
    /// is one.
    #[inline]
    pub fn write(&mut self, traffic: Traffic) {
        let mut bytes = traffic.size() + FRAMING;
        if self.weighs {
            let list = frame_list(&traffic).saturating_sub(FRAMING);
            bytes += list;
            self.extra += list as u64;
        }
        self.open_bytes += bytes;
        self.count(&traffic);
        if self.flow.conflate {
            self.conflated += replace(&mut self.open, &mut self.replaced);
        }
        self.open.push(traffic);
    }

    /// Does the same as [`Writer::write`] and [`Writer::flush`], for callers that flush each message. [`Arrivals::bytes`] is
    /// not valid then: to measure each message would cost more than all other counters together.
    #[inline]
    pub fn put(&mut self, traffic: Traffic) -> bool {
        if self.flow.conflate || self.is_open() || self.weighs || !traffic.is_message() {
            self.write(traffic);
            return self.flush();
        }
        self.count_message();
        let mut swap = self.queue.swap();
        swap.items.push(traffic);
        std::mem::take(&mut swap.drained)
    }

    /// Does the same as [`Writer::write`] for a message of the library itself, which [`Writer::tally`] does not count.
    /// It must be the first message of the direction.
    pub fn write_own(&mut self, message: Message) {
        self.own += 1;
        self.write(Traffic::Message(message));
    }

    #[inline]
    fn count(&mut self, traffic: &Traffic) {
        if traffic.is_message() { self.count_message() } else { self.count_control(traffic) }
    }

    #[inline]
    fn count_message(&mut self) {
        self.reserved = self.reserved.saturating_sub(1);
        self.routed += 1;
    }

    #[cold]
    fn count_control(&mut self, traffic: &Traffic) {
        self.controls += 1;
        self.extra += (traffic.size() + FRAMING) as u64;
        if self.flow.count_control {
            self.count_message();
        }
    }

    /// Notes `now` as the time at which the messages of the open batch came. Does nothing if the batch has no message.
    pub fn came(&mut self, now: Instant) {
        let messages = self.routed - if self.flow.count_control { self.controls } else { 0 };
        if std::mem::replace(&mut self.stamped, messages) != messages {
            self.last = Some(now);
        }
    }

    /// Returns the bytes in the open batch, with two bytes of framing for each item. With a budget, lists of frames count too.
    #[must_use]
    #[inline]
    pub fn open_bytes(&self) -> usize {
        self.open_bytes
    }

    /// Returns whether the open batch contains an item.
    #[must_use]
    #[inline]
    pub fn is_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// Takes back the newest message for which `wanted` returns true, if the reader has not taken it. It counts as
    /// never written. The direction must have no budget, because the bytes of the budget are not corrected.
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

    /// Makes the open batch visible. Returns `true` if the reader had found nothing and must be woken.
    pub fn flush(&mut self) -> bool {
        if self.open.is_empty() {
            return false;
        }
        let bytes = std::mem::take(&mut self.open_bytes) as u64;
        let mut swap = self.queue.swap();
        if let Some(budget) = &self.queue.budget {
            swap.held += bytes;
            budget.add(bytes);
            // Other pipes use the budget, too. So the writer looks for room again in each batch.
            self.room = 0;
        }
        if self.flow.conflate {
            self.conflated += replace(&mut swap.items, &mut self.replaced);
        }
        let (controls, conflated, extra, last) = (self.controls, self.conflated, self.extra, self.last);
        swap.came = Came { controls, conflated, weight: swap.came.weight + bytes, extra, last };
        if swap.items.is_empty() {
            std::mem::swap(&mut swap.items, &mut self.open);
        } else {
            swap.items.append(&mut self.open);
        }
        std::mem::take(&mut swap.drained)
    }

    /// Flushes, and marks the direction as finished. Returns `true` if the reader must be woken.
    pub fn finish(&mut self) -> bool {
        let wake = self.flush();
        let mut swap = self.queue.swap();
        if let Some(budget) = self.queue.budget.as_ref().filter(|_| !swap.finished) {
            budget.leave(swap.held);
        }
        swap.finished = true;
        std::mem::take(&mut swap.drained) || wake
    }

    /// Sets another high-water mark for what this end writes.
    pub fn set_hwm(&mut self, hwm: u32) {
        self.queue.set_hwm(hwm);
        self.limit = self.queue.limit.load(Ordering::Relaxed);
    }

    /// Returns the high-water mark of what this end writes; 0 is none.
    #[must_use]
    pub fn hwm(&self) -> u32 {
        u32::try_from(self.limit).unwrap_or(0)
    }

    /// Returns whether a message replaces the one before it ([`Flow::conflate`]).
    #[must_use]
    pub fn conflates(&self) -> bool {
        self.flow.conflate
    }

    /// Returns whether the reader is gone. Nothing more is read then.
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        self.queue.reader_gone.load(Ordering::Acquire)
    }

    /// Returns the counters of this direction, without the messages of the library itself.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let written = self.queue.written.load(Ordering::Acquire);
        let lost = self.queue.lost.load(Ordering::Acquire);
        let own_conflated = self.own.min(self.conflated);
        Tally {
            routed: self.routed - self.own,
            written: written.saturating_sub(self.own - own_conflated),
            lost,
            conflated: self.conflated - own_conflated,
        }
    }

    /// Takes the messages that were replaced by newer ones, to be dropped outside any lock.
    #[inline]
    pub fn take_replaced(&mut self) -> Vec<Traffic> {
        std::mem::take(&mut self.replaced)
    }
}

/// Moves the messages of a conflating queue to `replaced`; subscriptions stay. Returns the number of moved messages.
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
    /// The number of messages that are finished with.
    read: u64,
    /// Of these: the acknowledged ones.
    acked: u64,
    /// Of these: the lost ones.
    lost: u64,
    /// The number of items read that are no messages.
    controls: u64,
    /// The number of messages that nobody had read when reading ended.
    unread: u64,
    low_water: u64,
    pace: Pace,
    /// The end of the last whole lot that is acknowledged.
    lot: u64,
    finished: bool,
    /// The writer of this pipe must be woken.
    wake_writer: bool,
    /// The writers of all pipes of the budget must be woken.
    wake_all: bool,
    /// Bytes of the batch in `taken` that are not released. Only with a budget.
    held: u64,
    /// Bytes that were read since the last release, of a batch that is weighed.
    weighed: u64,
    /// The batch is larger than [`HEAVY`], so each of its items is weighed.
    weighs: bool,
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
            controls: 0,
            unread: 0,
            low_water,
            pace: Pace::default(),
            lot: 0,
            finished: false,
            wake_writer: false,
            wake_all: false,
            held: 0,
            weighed: 0,
            weighs: false,
        }
    }

    /// Takes the next item without acknowledging it. After it returns `None`, the next flush returns `true`.
    #[inline]
    pub fn take(&mut self) -> Option<Traffic> {
        if self.taken.is_empty() && !self.refill() {
            return None;
        }
        self.taken.pop()
    }

    /// Takes the next item, and acknowledges at the low-water mark. Check [`Reader::owes_wake`] afterwards.
    #[inline]
    pub fn read(&mut self) -> Option<Traffic> {
        let traffic = self.take();
        match &traffic {
            Some(traffic) => {
                if traffic.is_message() {
                    self.read += 1;
                } else {
                    self.controls += 1;
                    self.read += u64::from(self.flow.count_control);
                }
                if self.read - self.lot >= self.low_water {
                    self.wake_writer |= self.acknowledge();
                }
                if self.weighs {
                    self.weigh(traffic);
                }
            }
            None if self.read > self.acked => self.wake_writer |= self.acknowledge(),
            None => {}
        }
        traffic
    }

    /// Returns whether the writer must be woken because of what was read since the last call.
    #[inline]
    pub fn owes_wake(&mut self) -> bool {
        std::mem::take(&mut self.wake_writer)
    }

    /// Returns whether the writers of all pipes of the budget must be woken because of what was read since the last call:
    /// those for which [`Reader::take_hungry`] returns `true`. Check after [`Reader::owes_wake`] has returned `true`.
    pub fn owes_wake_to_all(&mut self) -> bool {
        std::mem::take(&mut self.wake_all)
    }

    /// Acknowledges `count` messages from [`Reader::take`]. Returns `true` if the writer must be woken.
    pub fn ack(&mut self, count: u64) -> bool {
        if count == 0 {
            return false;
        }
        self.read += count;
        self.acknowledge()
    }

    /// Counts `count` messages from [`Reader::take`] as lost: their connection ended before they were written. Returns
    /// `true` if the writer must be woken.
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

    /// Takes everything that is flushed. If there is nothing, it returns `false`, and the next flush returns `true`.
    #[cold]
    fn refill(&mut self) -> bool {
        self.pace.pause();
        let mut swap = self.queue.swap();
        self.wake_writer |= self.queue.release(&mut swap, self.held);
        let released = std::mem::replace(&mut self.held, swap.held) > 0;
        self.weighed = 0;
        self.weighs = self.held > HEAVY;
        if swap.items.is_empty() {
            swap.drained = true;
            self.finished = swap.finished;
        } else {
            std::mem::swap(&mut swap.items, &mut self.taken);
        }
        drop(swap);
        if released {
            self.look_for_refused();
        }
        self.low_water = self.queue.low_water();
        self.pace.note(self.taken.len());
        !self.taken.is_empty()
    }

    /// Weighs an item of a heavy batch. Releases the bytes that were read, each time they reach [`HEAVY`].
    #[cold]
    fn weigh(&mut self, traffic: &Traffic) {
        self.weighed += weight(traffic) as u64;
        if self.weighed >= HEAVY {
            let bytes = std::mem::take(&mut self.weighed);
            self.held -= bytes;
            self.wake_writer |= self.queue.release(&mut self.queue.swap(), bytes);
            self.look_for_refused();
        }
    }

    /// Notes whether writers that the budget has refused must be woken.
    fn look_for_refused(&mut self) {
        let all = self.queue.budget.as_ref().is_some_and(Budget::owes_wake);
        self.wake_all |= all;
        self.wake_writer |= all;
    }

    /// Returns whether an item can be read now. After it returns `false`, the next flush returns `true`.
    pub fn has_input(&mut self) -> bool {
        !self.taken.is_empty() || self.refill()
    }

    /// Puts the items that were taken from the queue but not used back into it, where the writer can recall them.
    pub fn put_back(&mut self) {
        if !self.taken.is_empty() {
            let mut swap = self.queue.swap();
            self.taken.append(&mut swap.items);
            std::mem::swap(&mut swap.items, &mut self.taken);
            // The bytes of the used items stay in `Swap::held`. They are released with the items that were put back.
            (self.held, self.weighed, self.weighs) = (0, 0, false);
        }
    }

    /// Returns the number of items that are flushed and not read, including subscriptions.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.taken.len() + self.queue.swap().items.len()
    }

    /// Returns what this direction has brought, if everything was taken with [`Reader::read`].
    #[must_use]
    pub fn arrivals(&self) -> Arrivals {
        let swap = self.queue.swap();
        let taken = self.read - if self.flow.count_control { self.controls } else { 0 };
        let mut waiting = self.waiting_messages(&swap);
        let mut unread = self.unread;
        if self.queue.reader_gone.load(Ordering::Relaxed) {
            unread += std::mem::take(&mut waiting);
        }
        let Came { conflated, weight, extra, last, .. } = swap.came;
        let messages = taken + conflated + unread + waiting;
        let bytes = weight.saturating_sub(extra + FRAMING as u64 * messages);
        Arrivals { messages, bytes, taken, conflated, unread, waiting, last }
    }

    /// Returns the number of messages that wait. It is too small after [`Reader::take`], which does not count the control
    /// traffic that it takes; the callers of `take` do not use this number.
    fn waiting_messages(&self, swap: &Swap) -> u64 {
        let waiting = (self.taken.len() + swap.items.len()) as u64;
        waiting.saturating_sub(swap.came.controls - self.controls)
    }

    /// Returns the bytes that are flushed and not taken, as a budget counts them; 0 without one. Of a batch that is being
    /// read and not weighed, everything counts until its last item is taken.
    #[must_use]
    pub fn waiting_bytes(&self) -> u64 {
        let taken = if self.taken.is_empty() { self.held } else { self.weighed };
        self.queue.swap().held - taken
    }

    /// Sets another limit of bytes, 0 for none. Returns `true` if the writer must be woken.
    pub fn set_most(&mut self, most: u64) -> bool {
        let mut swap = self.queue.swap();
        swap.most = or_none(most);
        std::mem::take(&mut swap.hungry)
    }

    /// Returns whether the writer was refused for want of room in bytes since this was last asked. It must be woken then.
    #[must_use]
    pub fn take_hungry(&mut self) -> bool {
        std::mem::take(&mut self.queue.swap().hungry)
    }

    /// Returns whether everything is read and the writer writes no more. This is known after [`Reader::take`] or
    /// [`Reader::read`] returned `None`.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.finished && self.taken.is_empty()
    }

    /// Sets another high-water mark for what this end reads. Returns `true` if the writer must be woken.
    pub fn set_hwm(&mut self, hwm: u32) -> bool {
        let wake = self.queue.set_hwm(hwm);
        self.low_water = self.queue.low_water();
        wake
    }

    /// Ends reading. Returns what was not read, to be dropped outside any lock. Then [`Writer::is_abandoned`] returns
    /// `true`. Wake the writer afterwards.
    pub fn abandon(&mut self) -> TrafficQueue {
        self.queue.reader_gone.store(true, Ordering::Release);
        let mut swap = self.queue.swap();
        self.unread += self.waiting_messages(&swap);
        let controls = swap.came.controls - self.controls;
        self.controls += controls;
        self.read += if self.flow.count_control { controls } else { 0 };
        let mut rest = std::mem::take(&mut self.taken);
        rest.append(&mut swap.items);
        let held = swap.held;
        self.queue.release(&mut swap, held);
        (self.held, self.weighed, self.weighs) = (0, 0, false);
        rest
    }
}

/// Dropping a reader ends reading too, so that a writer does not wait for it for ever. Call [`Reader::abandon`] first
/// where dropping unread items would run code of the application under a lock.
impl Drop for Reader {
    fn drop(&mut self) {
        self.queue.reader_gone.store(true, Ordering::Release);
    }
}

/// Returns the number of messages in a lot of credit.
fn low_water(limit: u64) -> u64 {
    // Without a high-water mark no writer waits for credit, but the counters must be updated now and then.
    if limit == u64::MAX { 256 } else { limit.div_ceil(2) }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use zeroxide_zmtp::Frame;

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
