//! What a thread does after it has released a socket's lock: it runs what was collected under the lock
//! ([`AfterUnlock`]), and takes up the news that results from that.
//!
//! **Nothing here nests.** The thread may drive an engine, and the drive may produce news for this socket. It may also
//! produce news for another socket, and taking up that news may produce news for a third one. Each piece of news waits in
//! a mailbox, and [`SocketBase::settle_with`] takes up one mailbox after the other. So the depth of the stack depends
//! neither on what peers send nor on how sockets are connected. Code of the application that is called from here (drops of
//! payloads, wakers) goes through `user_code`.
//!
//! **Payloads are freed last**, after every wake and all news: a drop may wait for a thread that is woken here
//! ([`Rest`]).
//!
//! **A peer cannot keep the thread here.** If the drives of an engine produce news again and again, the thread drives it
//! [`ROUNDS`] times. After that its I/O thread drives it, in turn with the others.

use std::collections::VecDeque;
use std::sync::atomic::{Ordering, fence};
use std::sync::{Arc, MutexGuard};

use super::after_unlock::{AfterUnlock, Garbage, NewsOf, append};
use super::base::{SocketBase, SocketEnd, SocketState};
use super::pipes::Owner;
use crate::clock;
use crate::engine::slot::Slot;
use crate::engine::{Driver, Effects, Engine};
use crate::socket::news::News;
use crate::socket::orders::IoThread;
use crate::socket::orders::Order;
use crate::stats::Counters;

/// How many rounds of drives and news one call runs itself.
const ROUNDS: usize = 2;

/// What is left to do at the end, when all mailboxes are empty or taken up by others.
#[derive(Default)]
struct Rest {
    /// The other sockets that have got news and may not have taken it up.
    told: VecDeque<(Owner, NewsOf)>,
    /// Freed at the very end.
    garbage: Garbage,
}

impl SocketBase {
    /// Puts news in the mailbox. It is taken up here, or by the thread that holds the lock.
    pub(crate) fn post(self: &Arc<Self>, news: News) {
        self.mailbox.put(news);
        self.settle();
    }

    /// Takes up the effects of a drive of one of this socket's engines. The I/O thread looks at `outcome` itself.
    pub(crate) fn take_effects(self: &Arc<Self>, slot: &Slot, effects: Effects) {
        let mut rest = Rest::default();
        self.note_effects(slot, effects, Driver::Reactor, &mut rest);
        self.settle_with(rest);
    }

    /// Drives these engines of the socket, without the socket's lock, and takes up the news that results. Returns
    /// whether there is input in a pipe that its reader had found empty.
    pub(super) fn drive_each(self: &Arc<Self>, engines: &[Arc<Engine>], reactor: Option<&IoThread>) -> bool {
        let (mut rest, mut input) = (Rest::default(), false);
        for engine in engines {
            input |= self.drive(engine, reactor, &mut rest);
        }
        self.settle_with(rest);
        input
    }

    /// Flushes a deferred socket (I/O thread). Returns whether there were new messages, so that it must be called again.
    pub(crate) fn look(self: &Arc<Self>) -> bool {
        self.mailbox.put(News::Flush);
        let Some(mut state) = self.try_lock() else {
            // The thread that holds the lock flushes when it leaves. It may have sent something.
            self.settle();
            return true;
        };
        self.take_up_news(&mut state);
        let accepted = state.accepted;
        let new = state.flush.look(accepted);
        self.leave(state);
        new
    }

    /// Releases the lock, runs what was collected under it, and looks at the mailbox once more.
    #[inline]
    pub(super) fn leave(self: &Arc<Self>, state: MutexGuard<'_, SocketState>) {
        if state.pipes.has_drained() || !state.pipes.after_unlock.is_empty() {
            self.leave_and_run(state);
        } else {
            drop(state);
            self.settle();
        }
    }

    #[inline(never)]
    fn leave_and_run(self: &Arc<Self>, state: MutexGuard<'_, SocketState>) {
        let mut rest = Rest::default();
        let (after_unlock, reactor) = self.unlock(state);
        self.run(after_unlock, reactor, true, &mut rest);
        self.settle_with(rest);
    }

    /// Looks at the mailbox: the thread that held the lock takes up the news that came meanwhile.
    #[inline]
    fn settle(self: &Arc<Self>) {
        fence(Ordering::SeqCst);
        if self.mailbox.is_full() {
            self.settle_with(Rest::default());
        }
    }

    /// Takes up the news of this socket, then that of the other sockets that have got news, until there is none left. Then
    /// frees the garbage.
    fn settle_with(self: &Arc<Self>, mut rest: Rest) {
        self.take_up(&mut rest);
        while let Some((owner, _)) = rest.told.pop_front() {
            owner.base.take_up(&mut rest);
        }
        rest.garbage.free();
    }

    /// Takes up this socket's news until there is none left, or another thread holds the lock and will take it up.
    fn take_up(self: &Arc<Self>, rest: &mut Rest) {
        let mut round = 0;
        self.mailbox.settle(
            || self.try_lock(),
            |mut state| {
                self.take_up_news(&mut state);
                let (errands, reactor) = self.unlock(state);
                self.run(errands, reactor, round < ROUNDS, rest);
                round += 1;
            },
        );
    }

    /// Releases the lock. Returns what is to be done without it, and the I/O thread that does the rest of that.
    fn unlock(&self, mut state: MutexGuard<'_, SocketState>) -> (AfterUnlock, Option<IoThread>) {
        if state.pipes.has_drained() {
            self.detach_drained(&mut state);
        }
        (std::mem::take(&mut state.pipes.after_unlock), state.reactor.clone())
    }

    /// Does what was collected under the lock. Drives the engines if `drives`; otherwise their I/O thread does. News stays in
    /// the mailboxes, and garbage in `rest`.
    fn run(
        self: &Arc<Self>,
        mut after_unlock: AfterUnlock,
        reactor: Option<IoThread>,
        drives: bool,
        rest: &mut Rest,
    ) {
        rest.garbage.add(std::mem::take(&mut after_unlock.garbage));
        if after_unlock.touches_the_system() && self.context.is_forked() {
            // The streams, the poller and the threads belong to the parent.
            self.lock().end = Some(SocketEnd::Forked);
            return;
        }
        if let Some(reactor) = &reactor {
            self.order(&mut after_unlock, reactor);
        }
        for engine in after_unlock.engines() {
            match &reactor {
                Some(reactor) if !drives => reactor.send(Order::Engine(engine.id)),
                _ => {
                    self.drive(&engine, reactor.as_ref(), rest);
                }
            }
        }
        tell(&mut after_unlock, rest);
        if after_unlock.wake_input {
            if self.input.waiting() > 0 || self.watch.waiting() > 0 {
                self.lead.note_wake(clock::now());
            }
            Counters::add(&self.counters.wakes, u64::from(self.input.notify_one()));
        }
        if after_unlock.wake_output {
            // All: there may be room for many messages, or at a peer to which the first waiter does not send.
            Counters::add(&self.counters.wakes, self.output.notify_all() as u64);
        }
        if after_unlock.wake_everybody {
            Counters::add(&self.counters.wakes, (self.input.notify_all() + self.output.notify_all()) as u64);
        }
        if after_unlock.wake_watchers || after_unlock.wake_input || after_unlock.wake_output {
            self.watch.notify_all();
        }
    }

    /// Sends orders for what only the I/O thread can do.
    fn order(self: &Arc<Self>, after_unlock: &mut AfterUnlock, reactor: &IoThread) {
        if after_unlock.defer {
            Counters::add(&self.counters.deferrals, 1);
            reactor.send(Order::Flush(Arc::clone(self)));
        }
        for engine in after_unlock.turns() {
            reactor.send(Order::Engine(engine.id));
        }
        for engine in after_unlock.retired.drain(..) {
            reactor.send(Order::Retire(engine.id));
        }
        for engine in after_unlock.stops.drain(..) {
            engine.stop();
            reactor.send(Order::Engine(engine.id));
        }
        for (engine, fault) in after_unlock.expelled.drain(..) {
            engine.expel(fault);
            reactor.send(Order::Engine(engine.id));
        }
        for engine in after_unlock.read_out.drain(..) {
            reactor.send(Order::ReadOut(engine.id));
        }
        for endpoint in after_unlock.ended_endpoints.drain(..) {
            reactor.send(Order::Stop(endpoint));
        }
    }

    /// Drives an engine, and puts its effects in the mailbox. Returns whether there is input in a pipe that its reader
    /// had found empty.
    fn drive(&self, engine: &Engine, reactor: Option<&IoThread>, rest: &mut Rest) -> bool {
        let effects = engine.drive(Driver::Application);
        if let Some(reactor) = reactor.filter(|_| effects.outcome || effects.again) {
            reactor.send(Order::Engine(engine.id));
        }
        let input = effects.input;
        self.note_effects(&engine.slot, effects, Driver::Application, rest);
        input
    }

    /// Puts the effects of a drive in the mailbox, and its garbage in `rest`.
    fn note_effects(&self, slot: &Slot, effects: Effects, by: Driver, rest: &mut Rest) {
        if effects.input {
            self.lead.note_arrival(clock::now(), by);
            self.mailbox.put(News::Readable(slot.clone()));
        }
        if effects.credit {
            self.mailbox.put(News::Writable(slot.clone()));
        }
        append(&mut rest.garbage.frames, effects.garbage);
    }
}

/// Puts the news for other sockets in their mailboxes, and notes these sockets in `rest`.
fn tell(after_unlock: &mut AfterUnlock, rest: &mut Rest) {
    let news = std::mem::take(&mut after_unlock.news);
    for (owner, news) in &news {
        owner.base.mailbox.put(news(owner.slot.clone()));
    }
    if rest.told.is_empty() {
        // The list is taken as it is, so that a wake over inproc allocates nothing more.
        rest.told = news.into();
    } else {
        rest.told.extend(news);
    }
}

#[cfg(test)]
#[path = "settle_tests.rs"]
mod tests;
