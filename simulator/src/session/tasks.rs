//! The executor of a session: it polls the tasks of all applications, one at a time, in any order.

use std::time::Duration;

use zeroxide::simulation;
use zeroxide_transports::simulated;

use super::Session;
use crate::actor::Actor;
use crate::fault::{Checked, Fault};
use crate::task::Task;

/// How long a request may take.
const PATIENCE: [Duration; 3] =
    [Duration::from_secs(3), Duration::from_millis(400), Duration::from_millis(5)];

impl Session {
    /// An application begins a task, or lets one give up.
    pub(crate) fn begin_or_drop_task(&mut self, at: usize, topic: u8) -> Checked {
        let count = self.actors[at].tasks.len();
        if count > 0 && self.one_in(4) {
            let (mut which, cancels) = (self.below(count), self.one_in(2));
            let woken = self.actors[at].tasks.iter().position(Task::is_awake);
            if let Some(woken) = woken.filter(|_| self.one_in(2)) {
                which = woken;
            }
            self.motion.borrow().tell(|| format!("{} drops task {which}", self.actors[at].name));
            self.actors[at].drop_task(which, cancels)?;
            return if woken.is_some() && self.one_in(2) { self.wake_goes_on(at) } else { Ok(()) };
        }
        if self.one_in(3) {
            let (what, count, limit) = (self.below(5), 1 + self.below(3), self.pick(&PATIENCE));
            self.motion.borrow().tell(|| format!("{} begins to look for {what}", self.actors[at].name));
            return self.actors[at].begin_look(what, count, topic, limit);
        }
        self.lives += 1;
        let (sends, patience) = (self.one_in(2), self.pick(&PATIENCE));
        self.motion.borrow().tell(|| format!("{} begins a task, sends: {sends}", self.actors[at].name));
        self.actors[at].begin_task(sends, topic, self.lives, patience);
        Ok(())
    }

    /// A task is dropped after it was woken, and its wake goes to another: when everything has arrived, none of them sleeps
    /// that could go on.
    fn wake_goes_on(&mut self, at: usize) -> Checked {
        self.let_arrive();
        while self.actors[at].poll_tasks()? {
            self.let_arrive();
        }
        if simulation::awake().is_empty() && simulated::moves().is_empty() {
            self.actors[at].no_task_sleeps()?;
        }
        self.check(at)
    }

    /// Some of the tasks that are awake go on.
    pub(crate) fn poll_some(&mut self) -> Checked {
        loop {
            let tasks = |(at, actor): (usize, &Actor)| {
                let awake = actor.tasks.iter().enumerate().filter(|(_, task)| task.is_awake());
                awake.map(|(which, _)| (at, which)).collect::<Vec<_>>()
            };
            let awake: Vec<_> = self.actors.iter().enumerate().flat_map(tasks).collect();
            if awake.is_empty() || self.one_in(3) {
                return Ok(());
            }
            let (at, which) = self.pick(&awake);
            self.motion.borrow().tell(|| format!("{} polls task {which}", self.actors[at].name));
            self.actors[at].poll_task(which)?;
            self.check(at)?;
        }
    }

    /// The session comes to rest. No task sleeps that could go on, or whose time is over.
    pub(crate) fn tasks_rest(&mut self) -> Checked {
        self.quiet()?;
        if simulation::awake().is_empty() && simulated::moves().is_empty() {
            for at in 0..self.actors.len() {
                self.actors[at].no_task_sleeps()?;
                self.check(at)?;
            }
        }
        // What is left of requests would be in the way of the next ones.
        for actor in self.actors.iter_mut().filter(|actor| actor.asks_as_task()) {
            actor.tasks.clear();
        }
        Ok(())
    }

    /// Tasks that wait for room get it.
    pub(crate) fn tasks_have_sent(&mut self) -> Checked {
        self.until("a task that waits for room goes on", Duration::from_secs(20), |actors| {
            Ok(!actors.iter().any(|actor| actor.tasks.iter().any(Task::sends)))
        })
    }

    /// What a task has not sent comes to nobody.
    pub(crate) fn unsent_is_unsent(&self) -> Checked {
        let mut unsent = self.actors.iter().flat_map(|actor| &actor.unsent);
        let came = unsent.find(|label| self.actors.iter().any(|actor| actor.received.has(**label)));
        match came {
            None => Ok(()),
            Some(label) => Err(Fault::new("what a task has not sent comes to nobody", format!("{label:?}"))),
        }
    }
}
