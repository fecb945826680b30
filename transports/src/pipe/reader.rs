//! The reading end of one direction of a pipe.

use zeroxide_zmtp::queue::TrafficQueue;
use zeroxide_zmtp::{Message, Next, Traffic};

use super::counts::{Arrivals, Came, FRAMING, message_weight, weight};
use super::flow::Flow;
use super::pace::Pace;
use super::shared::{HEAVY, Queue, Swap, queue_of};
use crate::budget::{Budget, or_none};
use crate::sync::{Arc, Ordering};

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
    pub(super) fn new(queue: Arc<Queue>, flow: Flow) -> Reader {
        let low_water = queue.low_water();
        Reader {
            queue,
            flow,
            taken: queue_of(flow),
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

    /// Does the same as [`Reader::take`] for a run ([`TrafficQueue::take_run`]).
    #[inline]
    pub fn take_run(&mut self, take: impl FnOnce(&[u8]) -> (usize, usize)) -> usize {
        if self.taken.is_empty() && !self.refill() {
            return 0;
        }
        self.taken.take_run(take)
    }

    /// Takes the next item, and acknowledges at the low-water mark. Check [`Reader::owes_wake`] afterwards.
    #[inline]
    pub fn read(&mut self) -> Option<Traffic> {
        let mut message = Message::new();
        self.read_into(&mut message).item(message)
    }

    /// Does the same as [`Reader::read`], and puts the item into `into` if it is a message.
    #[inline]
    pub fn read_into(&mut self, into: &mut Message) -> Next {
        if self.taken.is_empty() && !self.refill() {
            if self.read > self.acked {
                self.wake_writer |= self.acknowledge();
            }
            return Next::Nothing;
        }
        let next = self.taken.pop_into(into);
        match &next {
            Next::Control(traffic) => {
                self.controls += 1;
                self.read += u64::from(self.flow.count_control);
                if self.weighs {
                    self.weigh(weight(traffic));
                }
            }
            _ => {
                self.read += 1;
                if self.weighs {
                    self.weigh(message_weight(into));
                }
            }
        }
        if self.read - self.lot >= self.low_water {
            self.wake_writer |= self.acknowledge();
        }
        next
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

    /// Notes that the connection is lost for which this end reads with [`Reader::take`]. Until the writer has dropped the
    /// subscriptions for it ([`Writer::take_controls`](super::Writer::take_controls)), no subscription is taken: the writer may
    /// still write some, and the next connection may read before the writer knows of the loss.
    pub fn lose_connection(&mut self) {
        self.put_back();
        self.queue.swap().lost += 1;
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
        if swap.lost > 0 {
            let Swap { items, stale, .. } = &mut *swap;
            items.extract(Traffic::is_control, stale);
        }
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
    fn weigh(&mut self, bytes: usize) {
        self.weighed += bytes as u64;
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

    /// Ends reading. Returns what was not read, to be dropped outside any lock. Then [`Writer::is_abandoned`](super::Writer::is_abandoned) returns
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
