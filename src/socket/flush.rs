//! When sent messages leave: at once while sends are sparse, in full quanta while there are many.
//!
//! A system call for each message would cost ten times the rest of a send. But a message must not wait for the next one
//! either. So a socket has [`TOKENS`] tokens. One token returns every [`TOKEN_PERIOD`], unless messages come faster than
//! that. A send that has a token for each of its pipes flushes and drives its engines at once. Without tokens the message
//! stays in the open batch, and the socket is *deferred*: its I/O thread is woken once for the burst, flushes the socket at
//! once, and then looks again at growing intervals (`io/watch`) until there are no new messages. A full quantum always
//! leaves at once.

use std::time::{Duration, Instant};

/// The number of sends in a row that leave at once.
const TOKENS: u32 = 16;

/// The time in which one token returns.
const TOKEN_PERIOD: Duration = Duration::from_micros(20);

/// If a send goes to more pipes than this, the I/O thread writes.
const MAX_INLINE_PIPES: usize = 8;

/// What to do with the open batches of a socket after a send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Flush and drive now.
    Now,
    /// Ask the I/O thread to flush.
    Defer,
    /// Do nothing: the I/O thread has been asked already.
    Leave,
}

/// The flush rule of one socket, under the socket's lock.
#[derive(Debug)]
pub(crate) struct FlushRule {
    tokens: u32,
    /// When returned tokens were last counted; `None` before tokens ran out for the first time.
    counted: Option<Instant>,
    deferred: bool,
    /// The number of accepted messages when the I/O thread looked last.
    seen: u64,
    /// The number of messages put into an open batch since tokens were last counted. Each cancels one returned token, so
    /// no token returns while messages come faster than tokens.
    joined: u32,
}

impl FlushRule {
    pub(crate) fn new() -> FlushRule {
        FlushRule { tokens: TOKENS, counted: None, deferred: false, seen: 0, joined: 0 }
    }

    /// Decides for `pipes` pipes with an open batch. `alone` tells that no batch was open before this send.
    ///
    /// If the socket is deferred and a batch was open before, the clock is not read. In a burst that holds for every
    /// message but the first one after each flush.
    #[inline]
    pub(crate) fn decide(&mut self, pipes: usize, alone: bool, clock: impl FnOnce() -> Instant) -> Decision {
        if self.deferred && !alone {
            self.joined = self.joined.saturating_add(1);
            return Decision::Leave;
        }
        if pipes <= MAX_INLINE_PIPES && self.take_tokens(pipes as u32, clock) {
            return Decision::Now;
        }
        if std::mem::replace(&mut self.deferred, true) { Decision::Leave } else { Decision::Defer }
    }

    /// Notes that the sender waits for input, and so does not flood. It has at least one token after that, so that its
    /// next message is sent at once.
    pub(crate) fn rest(&mut self) {
        self.tokens = self.tokens.max(1);
    }

    /// Notes that the I/O thread has flushed the socket, which has accepted so many messages in all. Returns whether some are
    /// new since the last look: then it must look again. Otherwise the next burst asks it again.
    pub(crate) fn look(&mut self, accepted: u64) -> bool {
        self.deferred = accepted != self.seen;
        self.seen = accepted;
        self.deferred
    }

    /// Takes one token for each pipe to be written to.
    fn take_tokens(&mut self, price: u32, clock: impl FnOnce() -> Instant) -> bool {
        if self.tokens < price {
            let now = clock();
            let elapsed =
                self.counted.map_or(TOKEN_PERIOD * TOKENS, |then| now.saturating_duration_since(then));
            let returned = (elapsed.as_nanos() / TOKEN_PERIOD.as_nanos()).min(u128::from(TOKENS)) as u32;
            if returned == 0 {
                return false;
            }
            self.counted = Some(now);
            let debt = std::mem::take(&mut self.joined).min(TOKENS);
            self.tokens = (self.tokens + returned).saturating_sub(debt).min(TOKENS);
            if self.tokens < price {
                return false;
            }
        }
        self.tokens -= price;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn no_clock() -> Instant {
        unreachable!("the clock is not read here")
    }

    #[test]
    fn seventeen_sends_in_a_row_give_sixteen_writes_and_one_deferral() {
        let (mut rule, start) = (FlushRule::new(), Instant::now());
        rule.counted = Some(start);
        for _ in 0..16 {
            assert_eq!(rule.decide(1, true, no_clock), Decision::Now);
        }
        assert_eq!(rule.decide(1, true, || start), Decision::Defer);
        assert_eq!(rule.decide(1, false, no_clock), Decision::Leave);
    }

    #[test]
    fn one_send_per_millisecond_is_never_deferred() {
        let (mut rule, start) = (FlushRule::new(), Instant::now());
        for ms in 0..1000 {
            assert_eq!(rule.decide(1, true, || start + Duration::from_millis(ms)), Decision::Now);
        }
    }

    #[test]
    fn a_lone_message_after_a_flood_does_not_wait_for_the_io_thread() {
        let (mut rule, start) = (FlushRule::new(), Instant::now());
        rule.counted = Some(start);
        while rule.decide(1, true, || start) == Decision::Now {}
        assert!(rule.look(17), "it goes on looking");
        assert_eq!(rule.decide(1, true, || start + TOKEN_PERIOD), Decision::Now);
        assert_eq!(rule.decide(1, true, || start + TOKEN_PERIOD), Decision::Leave);
    }

    #[test]
    fn in_a_flood_no_token_returns() {
        let (mut rule, start) = (FlushRule::new(), Instant::now());
        rule.counted = Some(start);
        while rule.decide(1, true, || start) == Decision::Now {}
        for quantum in 1..100u32 {
            for _ in 0..900 {
                assert_eq!(rule.decide(1, false, no_clock), Decision::Leave);
            }
            // A full quantum left, so that the next message finds nothing open.
            let now = start + TOKEN_PERIOD * 5 * quantum;
            assert_eq!(rule.decide(1, true, || now), Decision::Leave);
        }
    }

    #[test]
    fn who_waits_after_each_message_is_never_deferred() {
        let (mut rule, start) = (FlushRule::new(), Instant::now());
        rule.counted = Some(start);
        for _ in 0..1000 {
            assert_eq!(rule.decide(1, true, || start), Decision::Now);
            rule.rest();
        }
    }

    #[test]
    fn a_send_to_four_pipes_takes_four_tokens() {
        let (mut rule, start) = (FlushRule::new(), Instant::now());
        rule.counted = Some(start);
        for _ in 0..4 {
            assert_eq!(rule.decide(4, true, no_clock), Decision::Now);
        }
        assert_eq!(rule.decide(4, true, || start + TOKEN_PERIOD * 3), Decision::Defer);
    }

    #[test]
    fn the_io_thread_looks_until_nothing_is_new_and_is_asked_again_after_that() {
        let (mut rule, start) = (FlushRule::new(), Instant::now());
        rule.counted = Some(start);
        while rule.decide(1, true, || start) == Decision::Now {}
        assert!(rule.look(20));
        assert!(rule.look(30));
        assert!(!rule.look(30));
        assert_eq!(rule.decide(1, true, || start), Decision::Defer);
    }

    #[test]
    fn fan_out_to_more_than_eight_pipes_is_left_to_the_io_thread() {
        let mut rule = FlushRule::new();
        assert_eq!(rule.decide(9, true, no_clock), Decision::Defer);
        assert_eq!(rule.decide(9, false, no_clock), Decision::Leave);
    }
}

#[cfg(all(test, loom))]
mod models {
    use std::collections::VecDeque;

    use loom::sync::{Arc, Notify};
    use loom::thread;

    use super::*;
    use crate::socket::mailbox::Mailbox;
    use crate::sync::{Mutex, MutexGuard};

    /// A socket without tokens, and its I/O thread's orders: `true` to flush, `false` to end.
    struct Socket {
        state: Mutex<State>,
        mailbox: Mailbox<()>,
        orders: Mutex<VecDeque<bool>>,
        poll: Notify,
    }

    struct State {
        rule: FlushRule,
        open: u32,
        accepted: u64,
    }

    impl Socket {
        fn new(now: Instant) -> Socket {
            let rule = FlushRule { tokens: 0, counted: Some(now), ..FlushRule::new() };
            let state = Mutex::new(State { rule, open: 0, accepted: 0 });
            Socket { state, mailbox: Mailbox::default(), orders: Mutex::default(), poll: Notify::new() }
        }

        fn take_up(&self, state: &mut State) {
            while self.mailbox.take().is_some() {
                state.open = 0;
            }
        }

        /// As `SocketBase::leave`.
        fn leave(&self, state: MutexGuard<'_, State>) {
            drop(state);
            self.mailbox.settle(|| self.state.try_lock().ok(), |mut state| self.take_up(&mut state));
        }

        fn order(&self, order: bool) {
            self.orders.lock().unwrap().push_back(order);
            self.poll.notify();
        }

        /// As `SocketBase::enter_to_send`.
        fn send(&self, now: Instant) {
            let mut state = self.state.lock().unwrap();
            self.take_up(&mut state);
            let alone = state.open == 0;
            state.accepted += 1;
            state.open += 1;
            let decision = state.rule.decide(1, alone, || now);
            self.leave(state);
            assert_ne!(decision, Decision::Now, "there are no tokens");
            if decision == Decision::Defer {
                self.order(true);
            }
        }

        /// As `SocketBase::look`.
        fn look(&self) -> bool {
            self.mailbox.put(());
            let Ok(mut state) = self.state.try_lock() else {
                self.mailbox.settle(|| self.state.try_lock().ok(), |mut state| self.take_up(&mut state));
                // The sender inside goes on first: the model has no time that passes between two looks.
                thread::yield_now();
                return true;
            };
            self.take_up(&mut state);
            let accepted = state.accepted;
            let new = state.rule.look(accepted);
            self.leave(state);
            new
        }

        /// As the I/O thread, which watches a deferred socket until nothing is new.
        fn serve(&self) {
            loop {
                let order = self.orders.lock().unwrap().pop_front();
                match order {
                    Some(true) => while self.look() {},
                    Some(false) => return,
                    None => self.poll.wait(),
                }
            }
        }
    }

    #[test]
    fn nothing_stays_in_an_open_batch_when_the_io_thread_stops_looking() {
        let now = Instant::now();
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(3);
        model.check(move || {
            let socket = Arc::new(Socket::new(now));
            let served = Arc::clone(&socket);
            let io = thread::spawn(move || served.serve());
            socket.send(now);
            socket.send(now);
            socket.order(false);
            io.join().unwrap();
            assert_eq!(socket.state.lock().unwrap().open, 0, "a message is left in the open batch");
        });
    }
}
