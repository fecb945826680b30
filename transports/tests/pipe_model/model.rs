//! What one direction of a pipe is, without threads, chunks or runs.

use std::collections::VecDeque;
use std::time::Instant;

use zeroxide_transports::pipe::{Arrivals, Flow, Tally};
use zeroxide_zmtp::{Frame, Message, Traffic};

/// A larger batch is released in parts of this many bytes.
const HEAVY: u64 = 1 << 20;

/// The limits in bytes of a direction with a budget; `u64::MAX` for none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) most: u64,
    pub(crate) total: u64,
}

#[derive(Debug)]
pub(crate) struct Model {
    flow: Flow,
    limits: Option<Limits>,
    pub(crate) open: VecDeque<Traffic>,
    pub(crate) flushed: VecDeque<Traffic>,
    pub(crate) taken: VecDeque<Traffic>,
    pub(crate) finished: bool,
    pub(crate) abandoned: bool,
    writing: Writing,
    reading: Reading,
    /// Bytes that are flushed and not released.
    held: u64,
    hwm: u64,
    /// The writer was refused and is not woken yet: for messages, for its own bytes, for those of the budget.
    starved: bool,
    hungry: bool,
    refused: bool,
    shut_out: bool,
    /// The reader has found nothing and is not woken yet.
    drained: bool,
}

#[derive(Debug, Default)]
struct Writing {
    routed: u64,
    own: u64,
    reserved: u64,
    conflated: u64,
    open_bytes: u64,
    /// The last that was known of the reader: messages credited again, the high-water mark, room in bytes.
    credited: u64,
    hwm: u64,
    room: u64,
    /// Messages and bytes that were flushed, and those of the open batch; of the former, those that were replaced.
    came: (u64, u64),
    came_conflated: u64,
    coming: (u64, u64),
    stamp: Option<Instant>,
    /// A message was written since the last stamp.
    unstamped: bool,
    last: Option<Instant>,
    replaced: Vec<Traffic>,
}

#[derive(Debug, Default)]
struct Reading {
    read: u64,
    messages: u64,
    acked: u64,
    lost: u64,
    unread: u64,
    low_water: u64,
    lot: u64,
    batch: u64,
    is_heavy: bool,
    weighed: u64,
    finished: bool,
    wake_writer: bool,
    wake_all: bool,
}

pub(crate) fn weight(traffic: &Traffic) -> u64 {
    let list = match traffic {
        Traffic::Message(message) if message.len() > 1 => message.len() * size_of::<Frame>(),
        _ => 0,
    };
    (traffic.size() + list.max(2)) as u64
}

fn limit(flow: Flow, hwm: u32) -> u64 {
    if hwm == 0 || flow.conflate { u64::MAX } else { hwm.into() }
}

fn lot(hwm: u64) -> u64 {
    if hwm == u64::MAX { 256 } else { hwm.div_ceil(2) }
}

impl Model {
    pub(crate) fn new(flow: Flow, limits: Option<Limits>) -> Model {
        let hwm = limit(flow, flow.hwm);
        Model {
            flow,
            limits,
            open: VecDeque::new(),
            flushed: VecDeque::new(),
            taken: VecDeque::new(),
            finished: false,
            abandoned: false,
            writing: Writing { hwm, room: if limits.is_some() { 0 } else { u64::MAX }, ..Writing::default() },
            reading: Reading { low_water: lot(hwm), ..Reading::default() },
            held: 0,
            hwm,
            starved: false,
            hungry: false,
            refused: false,
            shut_out: false,
            drained: false,
        }
    }

    // The writer.

    fn credited(&self) -> u64 {
        let acked = self.reading.acked;
        if self.flow.lots { acked - acked % lot(self.hwm) } else { acked }
    }

    /// Returns the bytes of the open batch at which the writer must stop.
    fn room(&self) -> u64 {
        let Some(Limits { most, total }) = self.limits else { return u64::MAX };
        let room = most.saturating_sub(self.held).min(total.saturating_sub(self.held));
        if self.held == 0 { room.max(1) } else { room }
    }

    fn fits(&self, credited: u64, hwm: u64) -> bool {
        self.writing.routed + self.writing.reserved - credited < hwm
    }

    /// Returns whether the writer knows of room for a message, without a look at what the reader has done.
    pub(crate) fn reserve_known(&mut self) -> bool {
        let granted = self.fits(self.writing.credited, self.writing.hwm);
        self.writing.reserved += u64::from(granted);
        granted
    }

    /// Returns whether one more message is within all limits.
    pub(crate) fn may_write(&self) -> bool {
        (self.fits(self.writing.credited, self.writing.hwm) || self.fits(self.credited(), self.hwm))
            && self.writing.open_bytes < self.room().max(self.writing.room)
    }

    pub(crate) fn has_credit(&mut self) -> bool {
        let open = self.writing.open_bytes;
        if self.fits(self.writing.credited, self.writing.hwm) && open < self.writing.room {
            return true;
        }
        (self.writing.credited, self.writing.hwm) = (self.credited(), self.hwm);
        if !self.fits(self.writing.credited, self.writing.hwm) {
            self.starved = true;
            return false;
        }
        if open < self.writing.room {
            return true;
        }
        self.writing.room = self.room();
        if open < self.writing.room {
            return true;
        }
        let most = self.limits.map_or(u64::MAX, |limits| limits.most);
        self.hungry = true;
        if most.saturating_sub(self.held) > open {
            *(if self.held == 0 { &mut self.shut_out } else { &mut self.refused }) = true;
        }
        false
    }

    pub(crate) fn reserve(&mut self) -> bool {
        let granted = self.has_credit();
        self.writing.reserved += u64::from(granted);
        granted
    }

    pub(crate) fn release(&mut self) {
        self.writing.reserved = self.writing.reserved.saturating_sub(1);
    }

    pub(crate) fn write(&mut self, traffic: Traffic) {
        let bytes = if self.limits.is_some() { weight(&traffic) } else { traffic.size() as u64 + 2 };
        self.writing.open_bytes += bytes;
        if traffic.is_message() || self.flow.count_control {
            self.writing.routed += 1;
            self.release();
        }
        if traffic.is_message() {
            self.writing.coming.0 += 1;
            self.writing.coming.1 += traffic.size() as u64;
            self.writing.unstamped = true;
        }
        if self.flow.conflate {
            self.writing.conflated += Self::replace(&mut self.open, &mut self.writing.replaced);
        }
        self.open.push_back(traffic);
    }

    pub(crate) fn write_own(&mut self, traffic: Traffic) {
        self.writing.own += 1;
        self.write(traffic);
    }

    fn replace(items: &mut VecDeque<Traffic>, replaced: &mut Vec<Traffic>) -> u64 {
        let before = replaced.len();
        let (messages, controls): (VecDeque<_>, VecDeque<_>) = items.drain(..).partition(Traffic::is_message);
        replaced.extend(messages);
        *items = controls;
        (replaced.len() - before) as u64
    }

    pub(crate) fn came(&mut self, now: Instant) {
        if std::mem::take(&mut self.writing.unstamped) {
            self.writing.stamp = Some(now);
        }
    }

    pub(crate) fn flush(&mut self) -> bool {
        if self.open.is_empty() {
            return false;
        }
        let bytes = std::mem::take(&mut self.writing.open_bytes);
        if self.limits.is_some() {
            self.held += bytes;
            self.writing.room = 0;
        }
        let (messages, size) = std::mem::take(&mut self.writing.coming);
        self.writing.came.0 += messages;
        self.writing.came.1 += size;
        self.writing.last = self.writing.stamp;
        if self.flow.conflate {
            self.writing.conflated += Self::replace(&mut self.flushed, &mut self.writing.replaced);
        }
        self.writing.came_conflated = self.writing.conflated;
        self.flushed.append(&mut self.open);
        std::mem::take(&mut self.drained)
    }

    pub(crate) fn finish(&mut self) -> bool {
        let wake = self.flush();
        self.finished = true;
        std::mem::take(&mut self.drained) || wake
    }

    pub(crate) fn recall(&mut self, wanted: impl Fn(&Message) -> bool) -> Option<Message> {
        let is_wanted = |traffic: &Traffic| matches!(traffic, Traffic::Message(message) if wanted(message));
        for is_open in [true, false] {
            let items = if is_open { &mut self.open } else { &mut self.flushed };
            if let Some(at) = items.iter().rposition(is_wanted) {
                let Some(Traffic::Message(message)) = items.remove(at) else { unreachable!() };
                self.writing.routed -= 1;
                self.writing.open_bytes -= if is_open { message.size() as u64 + 2 } else { 0 };
                return Some(message);
            }
        }
        None
    }

    pub(crate) fn take_controls(&mut self) -> Vec<Traffic> {
        let mut taken = Vec::new();
        for queue in [&mut self.flushed, &mut self.open] {
            taken.extend(queue.iter().filter(|item| !item.is_message()).cloned());
        }
        let open = self.open.iter().filter(|item| !item.is_message());
        self.writing.open_bytes -= open.map(|item| item.size() as u64 + 2).sum::<u64>();
        self.open.retain(Traffic::is_message);
        self.flushed.retain(Traffic::is_message);
        taken
    }

    pub(crate) fn set_hwm_by_writer(&mut self, hwm: u32) {
        self.hwm = limit(self.flow, hwm);
        self.writing.hwm = self.hwm;
        self.starved = false;
    }

    pub(crate) fn replaced(&mut self) -> Vec<Traffic> {
        std::mem::take(&mut self.writing.replaced)
    }

    pub(crate) fn tally(&self) -> Tally {
        let Writing { routed, own, conflated, .. } = self.writing;
        let Reading { acked, lost, .. } = self.reading;
        let own_conflated = own.min(conflated);
        Tally {
            routed: routed - own,
            written: (acked - lost).saturating_sub(own - own_conflated),
            lost,
            conflated: conflated - own_conflated,
        }
    }

    pub(crate) fn uncredited(&self) -> u64 {
        self.writing.routed - self.credited()
    }

    pub(crate) fn open_bytes(&self) -> u64 {
        self.writing.open_bytes
    }

    // The reader.

    fn refill(&mut self) -> bool {
        self.let_go(self.reading.batch);
        if self.limits.is_some() && self.reading.batch > 0 {
            self.look_for_refused();
        }
        (self.reading.batch, self.reading.weighed) = (self.held, 0);
        self.reading.is_heavy = self.held > HEAVY;
        self.reading.low_water = lot(self.hwm);
        self.taken = std::mem::take(&mut self.flushed);
        if self.taken.is_empty() {
            self.drained = true;
            self.reading.finished = self.finished;
        }
        !self.taken.is_empty()
    }

    fn let_go(&mut self, bytes: u64) {
        self.held -= bytes;
        self.reading.wake_writer |= bytes > 0 && std::mem::take(&mut self.hungry);
    }

    fn look_for_refused(&mut self) {
        let total = self.limits.map_or(u64::MAX, |limits| limits.total);
        let halved = self.held <= total / 2 && std::mem::take(&mut self.refused);
        let all = std::mem::take(&mut self.shut_out) || halved;
        self.reading.wake_all |= all;
        self.reading.wake_writer |= all;
    }

    pub(crate) fn take(&mut self) -> Option<Traffic> {
        if self.taken.is_empty() && !self.refill() { None } else { self.taken.pop_front() }
    }

    pub(crate) fn read(&mut self) -> Option<Traffic> {
        if self.taken.is_empty() && !self.refill() {
            if self.reading.read > self.reading.acked {
                self.acknowledge_read();
            }
            return None;
        }
        let traffic = self.taken.pop_front()?;
        self.reading.messages += u64::from(traffic.is_message());
        self.reading.read += u64::from(traffic.is_message() || self.flow.count_control);
        if self.reading.is_heavy {
            self.reading.weighed += weight(&traffic);
            if self.reading.weighed >= HEAVY {
                let bytes = std::mem::take(&mut self.reading.weighed);
                self.reading.batch -= bytes;
                self.let_go(bytes);
                self.look_for_refused();
            }
        }
        if self.reading.read - self.reading.lot >= self.reading.low_water {
            self.acknowledge_read();
        }
        Some(traffic)
    }

    fn acknowledge_read(&mut self) {
        self.reading.acked = self.reading.read;
        self.reading.lot = self.reading.read - self.reading.read % self.reading.low_water;
        self.reading.wake_writer |= std::mem::take(&mut self.starved);
    }

    pub(crate) fn ack(&mut self, count: u64) -> bool {
        self.reading.read += count;
        self.reading.acked = self.reading.read;
        count > 0 && std::mem::take(&mut self.starved)
    }

    pub(crate) fn lose(&mut self, count: u64) -> bool {
        self.reading.lost += count;
        self.ack(count)
    }

    pub(crate) fn put_back(&mut self) {
        self.taken.append(&mut self.flushed);
        self.flushed = std::mem::take(&mut self.taken);
    }

    pub(crate) fn has_input(&mut self) -> bool {
        !self.taken.is_empty() || self.refill()
    }

    pub(crate) fn set_hwm_by_reader(&mut self, hwm: u32) -> bool {
        self.hwm = limit(self.flow, hwm);
        self.reading.low_water = lot(self.hwm);
        std::mem::take(&mut self.starved)
    }

    pub(crate) fn set_most(&mut self, most: u64) -> bool {
        if let Some(limits) = &mut self.limits {
            limits.most = most;
        }
        std::mem::take(&mut self.hungry)
    }

    pub(crate) fn abandon(&mut self) -> VecDeque<Traffic> {
        self.abandoned = true;
        let mut rest = std::mem::take(&mut self.taken);
        rest.append(&mut self.flushed);
        self.reading.unread += rest.iter().filter(|item| item.is_message()).count() as u64;
        self.held = 0;
        self.hungry = false;
        (self.reading.batch, self.reading.weighed, self.reading.is_heavy) = (0, 0, false);
        rest
    }

    pub(crate) fn wakes(&mut self) -> (bool, bool) {
        let Reading { wake_writer, wake_all, .. } = &mut self.reading;
        (std::mem::take(wake_writer), std::mem::take(wake_all))
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.reading.finished && self.taken.is_empty()
    }

    pub(crate) fn waiting(&self) -> usize {
        self.taken.len() + self.flushed.len()
    }

    pub(crate) fn waiting_bytes(&self) -> u64 {
        self.held - if self.taken.is_empty() { self.reading.batch } else { self.reading.weighed }
    }

    pub(crate) fn held(&self) -> u64 {
        self.held
    }

    pub(crate) fn arrivals(&self) -> Arrivals {
        let mut waiting =
            self.taken.iter().chain(&self.flushed).filter(|item| item.is_message()).count() as u64;
        let mut unread = self.reading.unread;
        if self.abandoned {
            unread += std::mem::take(&mut waiting);
        }
        let Writing { came: (messages, bytes), came_conflated: conflated, last, .. } = self.writing;
        Arrivals { messages, bytes, taken: self.reading.messages, conflated, unread, waiting, last }
    }
}
