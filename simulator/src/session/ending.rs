//! How sockets end in a session: replaced by another in its midst, or for good. What was sent before an end in order
//! arrives or is counted.

use std::time::Duration;

use zeroxide::{CloseReport, RoutingId, opt, simulation};
use zeroxide_transports::simulated;

use crate::actor::{Actor, Wait};
use crate::fault::{Checked, Fault};
use crate::ledger::{FIRST, Label};

use super::Session;
use super::scene::Scene;

/// Steps in which what was sent last arrives.
const LONGEST_ARRIVAL: usize = 2_000;

/// What an application has sent right before it closed its socket.
struct LastWords {
    labels: Vec<Label>,
    /// A publisher drops at once what nobody wants, or has room for.
    at_once: u64,
}

impl Session {
    /// Ends the endpoints of an application and opens them again.
    pub(crate) fn connect_anew(&mut self, at: usize) -> Checked {
        self.calm = false;
        self.lives += 1;
        let actor = &mut self.actors[at];
        actor.begin_life(self.lives);
        for endpoint in actor.endpoints.clone() {
            actor.close_endpoint(&endpoint)?;
            actor.open_endpoint(&endpoint)?;
        }
        self.reconnect_inproc(at)
    }

    /// Inproc never reconnects: where a socket has bound again, those who were there connect again.
    fn reconnect_inproc(&mut self, at: usize) -> Checked {
        let endpoint = self.actors[at].endpoints[0].clone();
        if !self.actors[at].bound || !endpoint.starts_with("inproc") {
            return Ok(());
        }
        for other in self.actors.iter_mut().filter(|actor| !actor.bound) {
            let _ = other.socket.disconnect(&*endpoint);
            other.open_endpoint(&endpoint)?;
            self.lives += 1;
            other.begin_life(self.lives);
        }
        Ok(())
    }

    /// An application closes its socket and opens another one in its place, with the same options, or under another routing
    /// id.
    pub(crate) fn replace(&mut self, scene: Scene, at: usize) -> Checked {
        self.calm = false;
        // A clock that jumps past the limit of a close would make it late.
        let faults = std::mem::take(&mut self.motion.borrow_mut().faults);
        let outcome = self.close_and_open(scene, at);
        self.motion.borrow_mut().faults = faults;
        outcome
    }

    fn close_and_open(&mut self, scene: Scene, at: usize) -> Checked {
        let orderly = scene.has_no_enemies() && self.comes_to_order()?;
        let words = if orderly { self.last_words(at)? } else { LastWords { labels: Vec::new(), at_once: 0 } };
        let name = self.actors[at].name.clone();
        self.motion.borrow().tell(|| format!("{name} closes, and another takes its place"));
        let closing = self.actors[at].socket.close();
        self.actors[at].end_tasks()?;
        // Over inproc, a name is free when its socket is closed; elsewhere, its port.
        // What still lingers under a routing id may connect, and take it over from its successor.
        let waits = self.actors[at].bound || scene.takeover || self.one_in(2);
        let report = |closing: zeroxide::Closing| {
            let ended = closing.wait_timeout(Duration::from_secs(30));
            ended.map_err(|closing| Fault::new("a socket closes", format!("{name}: {closing:?}")))
        };
        let (early, late) = if waits { (Some(report(closing)?), None) } else { (None, Some(closing)) };
        self.lives += 1;
        let (life, renamed) = (self.lives, self.one_in(if scene.takeover { 4 } else { 2 }));
        let actor = &mut self.actors[at];
        let named = actor.options.get(opt::ROUTING_ID).is_some();
        if renamed && named {
            let id = RoutingId::new(format!("{name}, life {life}"));
            actor.take_id(id.map_err(|error| Fault::new("an id is one", error.to_string()))?);
        }
        let (bound, keeps) = (actor.bound, actor.keeps_last_words());
        if orderly && waits {
            self.let_arrive();
        }
        self.actors[at].open_anew(life)?;
        if self.actors[at].initiates() {
            self.actors[at].send(FIRST, Wait::No)?;
        }
        if scene.takeover {
            // Who is replaced is unread.
            self.let_arrive();
        }
        if let Some(report) = early {
            self.arrive((&name, bound, keeps), &words, &report)?;
            if scene.takeover && orderly && named && !renamed {
                self.follow(&words, life)?;
            }
        }
        self.reconnect_inproc(at)?;
        match late {
            Some(closing) => self.arrive((&name, bound, keeps), &words, &report(closing)?),
            None => Ok(()),
        }
    }

    /// Everything on its way arrives, but no application receives it.
    pub(crate) fn let_arrive(&mut self) {
        for _ in 0..LONGEST_ARRIVAL {
            if !self.motion.borrow_mut().step() {
                return;
            }
        }
    }

    /// Who takes over a routing id comes behind what was sent under it before.
    fn follow(&mut self, words: &LastWords, life: u32) -> Checked {
        let late = |actor: &Actor| words.labels.iter().any(|label| actor.received.is_behind(*label, life));
        match self.actors.iter().find(|actor| late(actor)) {
            Some(actor) => Err(Fault::new("a successor comes behind the one before it", actor.summary())),
            None => Ok(()),
        }
    }

    /// Whether everybody has its peers, and nothing is on its way. Time passes for that.
    fn comes_to_order(&mut self) -> Checked<bool> {
        self.quiet()?;
        Ok(self.actors.iter().all(Actor::is_connected))
    }

    /// The last messages before a close.
    fn last_words(&mut self, at: usize) -> Checked<LastWords> {
        let counted = |actor: &Actor| {
            let stats = actor.socket.stats();
            stats.dropped.total() + stats.unmatched
        };
        let before = counted(&self.actors[at]);
        let mut labels = Vec::new();
        if self.actors[at].initiates() {
            for _ in 0..self.below(8) {
                labels.extend(self.actors[at].send(FIRST, Wait::No)?);
            }
        }
        Ok(LastWords { labels, at_once: counted(&self.actors[at]) - before })
    }

    /// What an application has sent last arrives at one of those on the other side, unless its socket has counted it.
    fn arrive(
        &mut self,
        (name, bound, keeps): (&str, bool, bool),
        words: &LastWords,
        report: &CloseReport,
    ) -> Checked {
        // When LINGER is over, what the network has not delivered is reset, too.
        if words.labels.is_empty() || !keeps || report.dropped > 0 {
            return Ok(());
        }
        if self.actors.iter().all(|other| other.bound == bound) {
            return Ok(());
        }
        let (labels, at_once) = (&words.labels, words.at_once);
        let rule = "what was sent last arrives or is counted";
        self.until(rule, Duration::from_secs(10), |actors| {
            let arrived = |label: &&Label| actors.iter().any(|actor| actor.received.has(**label));
            Ok(labels.iter().filter(|label| !arrived(label)).count() as u64 <= at_once)
        })
        .map_err(|fault| {
            Fault::new(fault.rule, format!("{name}, {labels:?}, {at_once} dropped\n{}", fault.text))
        })
    }

    /// Of two that want one place, one has it. When that one leaves, the other one comes, with all that it has sent.
    pub(crate) fn rest_of_rivals(&mut self) -> Checked {
        let minute = Duration::from_secs(60);
        let is_there = |actor: &&Actor| !actor.bound && actor.is_connected();
        self.quiet()?;
        self.until("one of two has the place", minute, |actors| {
            Ok(actors.iter().filter(is_there).count() == 1)
        })?;
        let holder = self.actors.iter().position(|actor| is_there(&actor)).unwrap_or_default();
        let waits = self.actors.iter().find(|actor| !actor.bound && !actor.is_connected());
        self.waits = waits.map(|actor| actor.name.clone());
        self.probe("a message arrives where nothing disturbs", 2)?;
        self.no_message_waits_but(holder)?;
        self.close(holder)?;
        self.waits = None;
        self.until("who waits for a place gets it when it is free", minute, |actors| {
            Ok(actors.iter().all(Actor::is_connected))
        })?;
        self.probe("a message arrives where nothing disturbs", 2)?;
        self.no_message_waits()?;
        if !self.calm {
            return Ok(());
        }
        self.until("who waits for a place keeps what it sends", Duration::from_secs(10), |actors| {
            let lost = |actor: &Actor| {
                let received = actors.iter().any(|other| other.received.has_all(actor.life, actor.next()));
                !actor.bound && !received && actor.socket.stats().dropped.routed() == 0
            };
            Ok(!actors.iter().any(lost))
        })
    }

    /// The messages of and to the one that has the place have arrived.
    fn no_message_waits_but(&mut self, holder: usize) -> Checked {
        let name = self.actors[holder].name.clone();
        self.until("what waits for a peer that is there is sent", Duration::from_secs(20), |actors| {
            let holder = actors.iter().find(|actor| actor.name == name);
            Ok(holder.is_none_or(|actor| actor.socket.stats().queued == 0))
        })
    }

    /// Contexts end one after the other: what was sent last arrives or is counted. Then their threads leave, and no connection
    /// is left.
    pub(crate) fn end(&mut self) -> Checked {
        self.motion.borrow_mut().handlers.clear();
        while !self.actors.is_empty() {
            self.close(self.actors.len() - 1)?;
        }
        let limit = Some(simulation::now() + Duration::from_secs(30));
        while simulation::running() > 0 && self.motion.borrow_mut().go_on(limit) {}
        if simulation::running() > 0 {
            return Err(Fault::new(
                "the threads of a context end",
                format!("{} are left", simulation::running()),
            ));
        }
        self.motion.borrow_mut().hostiles.clear();
        match simulated::links() {
            links if links.is_empty() => Ok(()),
            links => Err(Fault::new("no connection is left", format!("{links:?}"))),
        }
    }

    /// An application says its last words and closes its socket; where it is the last of its context, that ends.
    fn close(&mut self, at: usize) -> Checked {
        // A peer may have closed, and the end of its connection be on its way: what is sent to it is lost.
        self.let_arrive();
        let words = self.last_words(at)?;
        let mut actor = self.actors.remove(at);
        self.motion.borrow().tell(|| format!("{} closes", actor.name));
        let ends_context = actor.has_own_context && self.one_in(2);
        let closing = if ends_context { actor.context.term() } else { actor.socket.close() };
        actor.end_tasks()?;
        let report = closing
            .wait_timeout(Duration::from_secs(30))
            .map_err(|closing| Fault::new("a socket closes", format!("{}: {closing:?}", actor.name)))?;
        let (name, bound, keeps) = (actor.name.clone(), actor.bound, actor.keeps_last_words());
        drop(actor);
        self.arrive((&name, bound, keeps), &words, &report)
    }
}
