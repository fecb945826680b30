//! What is done once a socket's lock is released: errands are run, and the news that comes of them is taken up.
//!
//! **Nothing here nests.** An errand may drive an engine, and a drive may bring news for this socket; an errand may bring
//! news for another socket, whose errands bring news for a third. Each piece of news waits in its mailbox until the
//! errands before it are done, and [`SocketBase::settle_with`] takes the mailboxes up one after the other. So the depth
//! of the stack depends neither on what peers send nor on how sockets are connected. Code of the application that is
//! called from here (drops of payloads, wakers) goes through `user_code`.
//!
//! **Payloads are freed last**, after every wake and when the news is taken up: a drop may wait for a thread that the same
//! settling wakes ([`Rest`]).
//!
//! **Nobody is kept here by a peer.** An engine whose drives bring news again and again is driven [`ROUNDS`] times; then
//! its I/O thread drives it, by turns with others.

use std::collections::VecDeque;
use std::sync::atomic::{Ordering, fence};
use std::sync::{Arc, MutexGuard};

use super::base::{SocketBase, SocketEnd, SocketState};
use super::pipes::{Errands, Garbage, NewsOf, Owner, append};
use crate::engine::slot::Slot;
use crate::engine::{Driver, Effects};
use crate::socket::news::News;
use crate::socket::orders::IoThread;
use crate::socket::orders::Order;
use crate::stats::Counters;

/// Times that one call drives the engines that the news of its own drives asks for.
const ROUNDS: usize = 2;

/// What a settling leaves to its end.
#[derive(Default)]
struct Rest {
    /// The sockets that were told something: their mailboxes are to be looked at.
    told: VecDeque<(Owner, NewsOf)>,
    /// Freed when there is no news left.
    garbage: Garbage,
}

impl SocketBase {
    /// Puts news in the mailbox and sees to it that it is taken up.
    pub(crate) fn post(self: &Arc<Self>, control: News) {
        self.mailbox.put(control);
        self.settle();
    }

    /// Takes what a drive of an engine of this socket found out. The engine's outcome is the I/O thread's to look at.
    pub(crate) fn take_effects(self: &Arc<Self>, slot: &Slot, effects: Effects) {
        let mut rest = Rest::default();
        self.note_effects(slot, effects, &mut rest);
        self.settle_with(rest);
    }

    /// The I/O thread looks after a deferred socket: what is open leaves. `true`: something was new, look again.
    pub(crate) fn look(self: &Arc<Self>) -> bool {
        self.mailbox.put(News::Flush);
        let Some(mut state) = self.try_lock() else {
            // Whoever is inside flushes when leaving, and is something new.
            self.settle();
            return true;
        };
        self.take_up_news(&mut state);
        let accepted = state.accepted;
        let new = state.flush.look(accepted);
        self.leave(state);
        new
    }

    /// Releases the lock, runs the errands, and looks at the mailbox once more.
    #[inline]
    pub(super) fn leave(self: &Arc<Self>, state: MutexGuard<'_, SocketState>) {
        if state.pipes.has_drained() || !state.pipes.errands.is_empty() {
            self.leave_with_errands(state);
        } else {
            drop(state);
            self.settle();
        }
    }

    #[inline(never)]
    fn leave_with_errands(self: &Arc<Self>, state: MutexGuard<'_, SocketState>) {
        let mut rest = Rest::default();
        let (errands, reactor) = self.unlock(state);
        self.run(errands, reactor, true, &mut rest);
        self.settle_with(rest);
    }

    /// Looks at the mailbox: news that came while the lock was held is taken up by whoever held it.
    #[inline]
    fn settle(self: &Arc<Self>) {
        fence(Ordering::SeqCst);
        if self.mailbox.is_full() {
            self.settle_with(Rest::default());
        }
    }

    /// Takes up the news of this socket, then that of the sockets told, and of those told by that, until there is none.
    /// Then frees what came together.
    fn settle_with(self: &Arc<Self>, mut rest: Rest) {
        self.take_up(&mut rest);
        while let Some((owner, _)) = rest.told.pop_front() {
            owner.base.take_up(&mut rest);
        }
        rest.garbage.free();
    }

    /// Takes up this socket's news until there is none, or somebody else holds the lock and will.
    fn take_up(self: &Arc<Self>, rest: &mut Rest) {
        fence(Ordering::SeqCst);
        let mut round = 0;
        while self.mailbox.is_full() {
            let Some(mut state) = self.try_lock() else { return };
            self.take_up_news(&mut state);
            let (errands, reactor) = self.unlock(state);
            self.run(errands, reactor, round < ROUNDS, rest);
            round += 1;
            fence(Ordering::SeqCst);
        }
    }

    /// Releases the lock. Returns what is to be done without it, and the I/O thread that takes what is left of that.
    fn unlock(&self, mut state: MutexGuard<'_, SocketState>) -> (Errands, Option<IoThread>) {
        if state.pipes.has_drained() {
            self.detach_drained(&mut state);
        }
        (std::mem::take(&mut state.pipes.errands), state.reactor.clone())
    }

    /// Does what was asked for under the lock, without it. Engines are driven here if the caller `drives`, else by their
    /// I/O thread. News stays in the mailboxes of this socket and of those told, and garbage in the rest.
    fn run(self: &Arc<Self>, mut errands: Errands, reactor: Option<IoThread>, drives: bool, rest: &mut Rest) {
        rest.garbage.add(std::mem::take(&mut errands.garbage));
        if errands.touches_the_system() && self.context.is_forked() {
            // The streams, the poller and the thread are the parent's.
            self.lock().end = Some(SocketEnd::Forked);
            return;
        }
        if let Some(reactor) = &reactor {
            self.order(&mut errands, reactor);
        }
        for engine in errands.engines() {
            match &reactor {
                Some(reactor) if !drives => reactor.send(Order::Engine(engine.id)),
                _ => {
                    let effects = engine.drive(Driver::Application);
                    if let Some(reactor) = reactor.as_ref().filter(|_| effects.outcome || effects.again) {
                        reactor.send(Order::Engine(engine.id));
                    }
                    self.note_effects(&engine.slot, effects, rest);
                }
            }
        }
        tell(&mut errands, rest);
        if errands.wake_input {
            Counters::add(&self.counters.wakes, u64::from(self.input.notify_one()));
        }
        if errands.wake_output {
            // Everybody: the room may be for many messages, or at a peer that the first in line does not send to.
            Counters::add(&self.counters.wakes, self.output.notify_all() as u64);
        }
        if errands.wake_watchers || errands.wake_input || errands.wake_output {
            self.watch.notify_all();
        }
    }

    /// What only the I/O thread can do.
    fn order(self: &Arc<Self>, errands: &mut Errands, reactor: &IoThread) {
        if errands.defer {
            Counters::add(&self.counters.deferrals, 1);
            reactor.send(Order::Flush(Arc::clone(self)));
        }
        for engine in errands.retired.drain(..) {
            reactor.send(Order::Retire(engine.id));
        }
        for engine in errands.stops.drain(..) {
            engine.stop();
            reactor.send(Order::Engine(engine.id));
        }
        for (engine, fault) in errands.expelled.drain(..) {
            engine.expel(fault);
            reactor.send(Order::Engine(engine.id));
        }
        for engine in errands.read_out.drain(..) {
            reactor.send(Order::ReadOut(engine.id));
        }
        for endpoint in errands.ended_endpoints.drain(..) {
            reactor.send(Order::Stop(endpoint));
        }
    }

    /// Puts what a drive found out in the mailbox, and what it has no more use for with the rest.
    fn note_effects(&self, slot: &Slot, effects: Effects, rest: &mut Rest) {
        if effects.input {
            self.mailbox.put(News::Readable(slot.clone()));
        }
        if effects.credit {
            self.mailbox.put(News::Writable(slot.clone()));
        }
        append(&mut rest.garbage.frames, effects.garbage);
    }
}

/// Puts the news for other sockets in their mailboxes, and adds them to those told.
fn tell(errands: &mut Errands, rest: &mut Rest) {
    let news = std::mem::take(&mut errands.news);
    for (owner, news) in &news {
        owner.base.mailbox.put(news(owner.slot.clone()));
    }
    if rest.told.is_empty() {
        // The list itself serves: a wake over inproc allocates nothing more.
        rest.told = news.into();
    } else {
        rest.told.extend(news);
    }
}

#[cfg(test)]
#[path = "settle_tests.rs"]
mod tests;
