//! One session: a few sockets, the network between them, faults and hostile peers, and the rules that hold for all that.

mod ending;
mod opening;
mod relay;
mod scene;
mod tasks;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use zeroxide::{opt, simulation};
use zeroxide_transports::simulated;

use crate::actor::{Actor, Extra, Wait};
use crate::choices::Choices;
use crate::fault::{Checked, Fault};
use crate::hostile::Hostile;
use crate::keys::Keys;
use crate::ledger::{FIRST, Label, TOPICS};
use crate::memory::Heap;
use crate::motion::Motion;
use crate::panics;

use self::scene::Scene;

/// Receives without a message, at most, while some wait.
const PATIENCE: u32 = 1000;

/// Steps of a session that is left to come to rest.
const LONGEST_QUIET: usize = 20_000;

/// How sessions end that found no fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) connections: u64,
    pub(crate) steps: u64,
    pub(crate) messages: u64,
    /// Of all that moved.
    pub(crate) hash: u64,
}

/// A session under way.
pub(crate) struct Session {
    pub(crate) motion: Rc<RefCell<Motion>>,
    heap: Heap,
    pub(crate) actors: Vec<Actor>,
    pub(crate) lives: u32,
    /// Its messages are small, as the buffers of its network are.
    pub(crate) small: bool,
    /// Nothing was cut, no peer was hostile, nobody connected anew: every message must arrive or be counted.
    pub(crate) calm: bool,
    /// The name of the application that waits for the place that another one has.
    pub(crate) waits: Option<String>,
}

/// Plays one session; returns the choices that it has taken, too.
pub(crate) fn play(choices: Choices, keys: &Keys, trace: bool) -> (Vec<u32>, Checked<Report>) {
    let (mut choices, heap) = (choices, Heap::now());
    let seed = choices.below(1 << 30) as u64;
    let tick = choices.pick(&[Duration::ZERO, Duration::from_nanos(100), Duration::from_micros(5)]);
    simulation::begin(seed, tick);
    let motion = Rc::new(RefCell::new(Motion::new(choices, trace)));
    let others = Rc::clone(&motion);
    simulation::set_step(move |limit| others.borrow_mut().go_on(limit));
    let mut session = Session {
        motion: Rc::clone(&motion),
        heap,
        actors: Vec::new(),
        lives: 0,
        small: false,
        calm: true,
        waits: None,
    };
    let outcome = panics::caught(|| session.run(keys));
    let (steps, hash) = (motion.borrow().steps, motion.borrow().hash);
    let outcome = outcome.map(|messages| Report { connections: simulated::dialled(), steps, messages, hash });
    // What is left of a session that failed must not reach the next one.
    drop(session);
    motion.borrow_mut().hostiles.clear();
    let handlers = std::mem::take(&mut motion.borrow_mut().handlers);
    drop(handlers);
    simulation::begin(0, Duration::ZERO);
    let taken = motion.borrow_mut().choices.take();
    drop(motion);
    let outcome = outcome.and_then(|report| {
        heap.check_end(taken.capacity() * size_of::<u32>())?;
        Ok(report)
    });
    (taken, outcome)
}

impl Session {
    pub(crate) fn below(&self, count: usize) -> usize {
        self.motion.borrow_mut().choices.below(count)
    }

    pub(crate) fn pick<T: Copy>(&self, of: &[T]) -> T {
        self.motion.borrow_mut().choices.pick(of)
    }

    pub(crate) fn one_in(&self, times: usize) -> bool {
        self.motion.borrow_mut().choices.one_in(times)
    }

    fn run(&mut self, keys: &Keys) -> Checked<u64> {
        if self.one_in(20) {
            return self.relay();
        }
        let scene = self.open(keys)?;
        self.storm(scene)?;
        self.rest(scene)?;
        self.unsent_is_unsent()?;
        let messages = self.actors.iter().map(|actor| actor.sent).sum();
        self.end()?;
        Ok(messages)
    }

    /// Everything at once.
    fn storm(&mut self, scene: Scene) -> Checked {
        let length = 20 + self.below(200);
        for _ in 0..length {
            let steps = self.below(12);
            for _ in 0..steps {
                let limit = simulation::now() + Duration::from_millis(1);
                self.motion.borrow_mut().go_on(Some(limit));
            }
            if self.one_in(40) {
                self.pause();
            }
            let at = self.below(self.actors.len());
            self.act(scene, at)?;
            self.check(at)?;
            self.poll_some()?;
        }
        let mut motion = self.motion.borrow_mut();
        motion.faults = false;
        self.calm &= motion.injected == 0;
        Ok(())
    }

    /// No application calls for a while.
    fn pause(&mut self) {
        let limit = simulation::now() + self.pick(&[Duration::from_millis(50), Duration::from_millis(700)]);
        while self.motion.borrow_mut().go_on(Some(limit)) {}
    }

    /// One call of an application. Perhaps others go on while it has the lock of its socket, and its connection is lost meanwhile.
    pub(crate) fn act(&mut self, scene: Scene, at: usize) -> Checked {
        if scene.holds && self.one_in(4) {
            let (steps, acted, cuts) = (1 + self.below(100), self.one_in(3), scene.faults && self.one_in(3));
            let time = self.pick(&[Duration::from_millis(20), Duration::from_millis(200), Duration::ZERO]);
            let mut motion = self.motion.borrow_mut();
            motion.tell(|| format!("others go on while the lock is held, {steps} steps for {time:?}"));
            if cuts && motion.faults {
                motion.cut();
            }
            drop(motion);
            simulation::hold(u32::try_from(steps).unwrap_or(1), time, acted);
        }
        let outcome = self.call(scene, at);
        simulation::hold(0, Duration::ZERO, false);
        outcome
    }

    fn call(&mut self, scene: Scene, at: usize) -> Checked {
        let wait = match self.below(8) {
            7 => Wait::For(self.pick(&[Duration::from_millis(5), Duration::from_millis(200)])),
            _ => Wait::No,
        };
        let (what, topic) = (self.below(16), self.pick(&TOPICS));
        if scene.tasks && self.one_in(4) {
            return self.begin_or_drop_task(at, topic);
        }
        if scene.takeover && !self.actors[at].bound && self.one_in(10) {
            return self.replace(scene, at);
        }
        let may_move = !scene.rivals && !scene.strict;
        let actor = &mut self.actors[at];
        self.motion.borrow().tell(|| format!("{} calls {what}, waits {wait:?}", actor.name));
        match what {
            0..=6 if actor.initiates() => drop(actor.send(topic, wait)?),
            0..=6 if actor.replies() => drop(actor.reply(wait)?),
            7..=12 => drop(actor.receive(wait)?),
            13 if actor.socket_type().resubscribes() => {
                let other = TOPICS[1..][topic as usize % 3];
                actor.change_topic(other, !matches!(wait, Wait::For(_)));
            }
            14 if may_move && !scene.takeover && self.one_in(6) => self.connect_anew(at)?,
            15 if may_move && self.one_in(if scene.has_no_enemies() { 3 } else { 6 }) => {
                self.replace(scene, at)?
            }
            _ => {
                (0..5).try_for_each(|_| self.actors[at].receive(Wait::No).map(drop))?;
            }
        }
        Ok(())
    }

    /// The rules that hold at every moment.
    pub(crate) fn check(&self, at: usize) -> Checked {
        while let Some(event) = self.actors[at].events.as_ref().and_then(|events| events.try_recv().ok()) {
            let name = &self.actors[at].name;
            self.motion
                .borrow()
                .tell(|| format!("{name}, connection {}: {:?}", event.connection, event.kind));
        }
        self.actors[at].check()?;
        if simulation::take_lost_wakes() > 0 {
            return Err(Fault::new(
                "no wake is lost",
                format!("a call of {} was not woken", self.actors[at].name),
            ));
        }
        self.heap.check()?;
        if self.motion.borrow().is_endless() {
            return Err(Fault::new("a session comes to rest", "too many steps"));
        }
        Ok(())
    }

    /// Goes on until `done`, at most for `limit`.
    pub(crate) fn until(
        &mut self,
        rule: &'static str,
        limit: Duration,
        mut done: impl FnMut(&mut [Actor]) -> Checked<bool>,
    ) -> Checked {
        let limit = simulation::now() + limit;
        let mut patience = PATIENCE;
        loop {
            let busy = self.serve()?;
            if done(&mut self.actors)? {
                return Ok(());
            }
            if busy || self.motion.borrow_mut().go_on(Some(limit)) {
                continue;
            }
            // A receive may drop some messages that nobody wants, and find more the next time.
            patience = patience.saturating_sub(1);
            if patience == 0 || !self.actors.iter().any(Actor::has_input) {
                let states: Vec<String> = self.actors.iter().map(Actor::summary).collect();
                return Err(Fault::new(rule, states.join("\n")));
            }
        }
    }

    /// Goes on until nobody has anything to do but wait.
    pub(crate) fn quiet(&mut self) -> Checked {
        for _ in 0..LONGEST_QUIET {
            let busy = self.serve()?;
            if !busy && !self.motion.borrow_mut().step() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Every application receives what there is; returns whether there was anything.
    fn serve(&mut self) -> Checked<bool> {
        let mut busy = false;
        for at in 0..self.actors.len() {
            busy |= self.actors[at].serve()?;
            self.check(at)?;
        }
        Ok(busy)
    }

    /// Faults are over: everybody finds its peers again, and what is sent now arrives, whatever the hostile peers still do; then
    /// also when they are gone.
    fn rest(&mut self, scene: Scene) -> Checked {
        let minute = Duration::from_secs(60);
        // Who came first has the one place, or the routing id, for good.
        let takes_place = |hostile: &&mut Hostile| scene.binder.has_one_peer() || hostile.has_taken_id;
        self.motion.borrow_mut().hostiles.iter_mut().filter(takes_place).for_each(Hostile::leave);
        self.tasks_rest()?;
        if scene.rivals {
            return self.rest_of_rivals();
        }
        self.until("every session finds its peer again", minute, |actors| {
            Ok(actors.iter().all(Actor::is_connected))
        })?;
        self.probe("a good peer is served beside hostile ones", 40)?;
        self.motion.borrow_mut().hostiles.iter_mut().for_each(Hostile::leave);
        self.actors.iter_mut().for_each(Actor::escape);
        self.probe("a message arrives where nothing disturbs", 2)?;
        self.tasks_have_sent()?;
        self.no_message_waits()?;
        self.subscriptions_are_known()?;
        // Over inproc both sockets count what was replaced in their one queue, and a HELLO_MSG is nowhere routed.
        let conflates = self.actors.iter().any(|actor| actor.options.get(opt::CONFLATE).is_some());
        let counts_twice = conflates && (scene.scheme == "inproc" || scene.extra == Extra::Hello);
        if self.calm && !counts_twice { self.add_up() } else { Ok(()) }
    }

    /// Where there is a peer that receives, nothing waits.
    pub(crate) fn no_message_waits(&mut self) -> Checked {
        self.until("what waits for a peer that is there is sent", Duration::from_secs(20), |actors| {
            let is_idle = |actor: &Actor| {
                let stats = actor.socket.stats();
                let reads = actor.socket_type().receives();
                stats.queued == 0 && !(reads && stats.pipes.iter().any(|pipe| pipe.received.waiting > 0))
            };
            Ok(actors.iter().all(is_idle))
        })
    }

    /// A publisher sends what its peers have subscribed to, and nothing else.
    fn subscriptions_are_known(&mut self) -> Checked {
        self.until("a publisher knows what its peers want", Duration::from_secs(20), |actors| {
            let knows = |publisher: &Actor, topic: u8| {
                let peers = actors.iter().filter(|actor| actor.bound != publisher.bound);
                publisher.has_subscribers(topic, peers.filter(|actor| actor.wants(topic)).count())
            };
            let publishers = || actors.iter().filter(|actor| actor.socket_type().publishes());
            Ok(publishers().all(|publisher| TOPICS.iter().all(|topic| knows(publisher, *topic))))
        })
    }

    /// Each application that sends by itself sends a message that must arrive; of `tries`, one.
    pub(crate) fn probe(&mut self, rule: &'static str, tries: usize) -> Checked {
        for at in 0..self.actors.len() {
            if !self.actors[at].initiates() || self.waits.as_ref() == Some(&self.actors[at].name) {
                continue;
            }
            let mut labels: Vec<Label> = Vec::new();
            for n in 0..tries {
                let sent = self.actors[at].send(FIRST, Wait::For(Duration::from_secs(10)))?;
                self.check(at)?;
                labels.extend(sent);
                let own = self.actors[at].bound;
                let arrived = |actors: &[Actor]| {
                    let others = || actors.iter().filter(|actor| actor.bound != own);
                    labels.iter().any(|label| others().any(|actor| actor.received.has(*label)))
                };
                let last = n + 1 == tries;
                let limit = if last { Duration::from_secs(20) } else { Duration::from_millis(200) };
                let outcome = self.until(rule, limit, |actors| Ok(arrived(actors)));
                match outcome {
                    Ok(()) => break,
                    Err(fault) if last || fault.rule != rule => return Err(fault),
                    Err(_) => {}
                }
            }
        }
        Ok(())
    }

    /// Of what the sockets took, everything arrives or is counted.
    fn add_up(&mut self) -> Checked {
        self.until("what is sent arrives or is counted", Duration::from_secs(5), |actors| {
            let (mut routed, mut dropped, mut received) = (0, 0, 0);
            for actor in &*actors {
                let stats = actor.check()?;
                routed += stats.routed;
                dropped += stats.dropped.routed() + stats.received.dropped.total();
                received += actor.received.count;
            }
            // Replies that a REQ does not want may be anywhere on their way.
            let asks_twice = actors.iter().any(|actor| actor.options.get(opt::REQ_RELAXED) == Some(true));
            Ok(if asks_twice { routed >= dropped + received } else { routed == dropped + received })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory;

    #[test]
    fn a_seed_always_plays_the_same_session_and_so_do_its_choices() {
        memory::share();
        let keys = Keys::new();
        for seed in 0..200 {
            let first = play(Choices::from_seed(seed), &keys, false);
            assert!(first.1.is_ok(), "seed {seed}: {:?}", first.1);
            let again = play(Choices::from_seed(seed), &keys, false);
            assert!(first == again, "seed {seed}: {:?}, then {:?}", first.1, again.1);
            let listed = play(Choices::from_list(first.0.clone()), &keys, false);
            assert!(first == listed, "seed {seed}: {:?}, by its choices {:?}", first.1, listed.1);
        }
    }
}
