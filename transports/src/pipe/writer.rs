//! The writing end of one direction of a pipe.

use std::time::{Duration, Instant};

use zeroxide_zmtp::queue::TrafficQueue;
use zeroxide_zmtp::run::{Room, Run};
use zeroxide_zmtp::{Message, Traffic};

use super::counts::{Came, FRAMING, Tally, frame_list};
use super::flow::{self, Flow};
use super::shared::{Queue, low_water, queue_of};
use crate::sync::{Arc, Ordering, fence};

/// The interval at which a non-blocking writer checks for credit. libzmq handles the commands of its other threads once
/// in 3 million cycles, about a millisecond (config.hpp, max_command_delay).
const LOOK_INTERVAL: Duration = Duration::from_millis(1);

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
    pub(super) fn new(queue: Arc<Queue>, flow: Flow) -> Writer {
        Writer {
            weighs: queue.budget.is_some(),
            room: if queue.budget.is_some() { 0 } else { u64::MAX },
            queue,
            flow,
            open: queue_of(flow),
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

    /// Copies a short message into the open batch ([`TrafficQueue::push_copy`]), which uses a reservation if there is one.
    /// Returns `false` and changes nothing if the message is not short, or if the direction does not pack.
    #[inline]
    pub fn write_copy(&mut self, message: &Message) -> bool {
        let written = !self.flow.conflate && self.open.push_copy(message);
        if written {
            self.open_bytes += message.size() + FRAMING;
            self.count_message();
        }
        written
    }

    /// Returns how much [`Writer::write_run`] may write now: nothing if items must be written one by one.
    #[inline]
    pub fn run_room(&mut self) -> Room {
        let room = |most: u64, used: u64| usize::try_from(most.saturating_sub(used)).unwrap_or(usize::MAX);
        let messages =
            if self.flow.conflate || !self.flow.packs { 0 } else { room(self.limit, self.in_flight()) };
        Room::new(messages, room(self.room, self.open_bytes as u64))
    }

    /// Adds a run to the open batch, within [`Writer::run_room`].
    pub fn write_run(&mut self, run: Run<'_>) {
        // Not the bytes of the run: a long header is longer than FRAMING.
        self.open_bytes += run.size() + FRAMING * run.messages();
        self.reserved = self.reserved.saturating_sub(run.messages() as u64);
        self.routed += run.messages() as u64;
        self.open.push_run(run);
    }

    /// Does the same as [`Writer::write`] and [`Writer::flush`], for callers that flush each message. [`Arrivals::bytes`](super::Arrivals::bytes) is
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

    /// Takes the subscriptions back that the reader has not taken, to be dropped outside any lock: their connection is lost,
    /// and the next one gets all anew. It is called once for each
    /// [`Reader::lose_connection`](super::Reader::lose_connection).
    pub fn take_controls(&mut self) -> Vec<Traffic> {
        let mut swap = self.queue.swap();
        swap.lost = swap.lost.saturating_sub(1);
        if self.controls == 0 {
            return Vec::new();
        }
        let mut taken = std::mem::take(&mut swap.stale);
        swap.items.extract(Traffic::is_control, &mut taken);
        let flushed = taken.len();
        swap.came.controls -= flushed as u64;
        drop(swap);
        self.open.extract(Traffic::is_control, &mut taken);
        let open = taken.iter().skip(flushed);
        self.open_bytes -= open.map(|traffic| traffic.size() + FRAMING).sum::<usize>();
        self.controls -= taken.len() as u64;
        taken
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
    items.extract(Traffic::is_message, replaced);
    (replaced.len() - before) as u64
}
