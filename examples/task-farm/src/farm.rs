//! The rules of the broker. No socket is in here: messages come in and go out as values, and time is an
//! argument.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::{Duration, Instant};

use zeroxide::{Frame, Message, RoutingId};

use crate::wire::Request;
use crate::{Count, Failure, Finished, Status, Store, Submitted, WorkerStatus, Writer};

/// Beyond so many tasks without a result, new ones are refused.
const MOST_TASKS: usize = 1_000_000;
/// So many results are sent for one `COLLECT`.
const MOST_RESULTS: usize = 1000;

/// Messages, with whom they come from or go to.
pub type Messages = Vec<(RoutingId, Message)>;

/// Who does which task. The [`Store`] has the tasks and the results; what is here is gone when the broker is
/// killed, and the workers and submitters say it again.
#[derive(Debug)]
pub struct Farm {
    /// How long a worker may have a task.
    lease: Duration,
    /// The tasks without a result.
    tasks: HashMap<String, Task>,
    /// The ids of tasks that no worker has. Some have a result meanwhile.
    waiting: VecDeque<String>,
    workers: HashMap<RoutingId, Worker>,
    /// Workers that may take a task; the first has waited longest. Some are gone meanwhile, or have no credit
    /// left.
    free: VecDeque<RoutingId>,
    /// Who wants results, and the beginning of their ids.
    collectors: HashMap<RoutingId, String>,
}

#[derive(Debug)]
struct Task {
    body: Frame,
    /// The worker that has it, and until when.
    lease: Option<(RoutingId, Instant)>,
}

#[derive(Debug)]
struct Worker {
    name: String,
    credit: usize,
    /// The tasks that it was given and whose results it has not sent, also those whose lease is over.
    has: HashSet<String>,
    done: u64,
}

/// What one call of [`Farm::receive`] sends when its changes are on disk.
#[derive(Default)]
struct Outcome {
    replies: Messages,
    /// Results that are new.
    results: Vec<(String, Frame)>,
    /// Who asked for the results that there are.
    asked: Vec<RoutingId>,
    /// Who asked for the state.
    watchers: Vec<RoutingId>,
}

impl Farm {
    /// Begins with the tasks that are in the database. A worker may have a task for the time `lease`.
    ///
    /// # Errors
    /// Returns an error if the disk fails.
    pub fn new(store: &Store, lease: Duration) -> Result<Farm, Failure> {
        let tasks = store.tasks()?;
        let waiting = tasks.iter().map(|(id, _)| id.clone()).collect();
        let task = |(id, body): (String, Vec<u8>)| (id, Task { body: body.into(), lease: None });
        let tasks = tasks.into_iter().map(task).collect();
        let (workers, free, collectors) = (HashMap::new(), VecDeque::new(), HashMap::new());
        Ok(Farm { lease, tasks, waiting, workers, free, collectors })
    }

    /// Takes messages, makes their changes in one transaction, and returns what is to be sent. What a message
    /// changes is on disk before its reply is in the result.
    ///
    /// # Errors
    /// Returns an error if the disk fails. Nothing is sent then, and the broker has to end: what is here and
    /// what is on disk may differ.
    pub fn receive(&mut self, store: &Store, messages: Messages, now: Instant) -> Result<Messages, Failure> {
        let mut outcome = Outcome::default();
        store.write(|writer| {
            for (sender, message) in messages {
                match Request::parse(message) {
                    Ok(request) => self.take(writer, sender, request, &mut outcome)?,
                    Err(error) => outcome.replies.push((sender, ["NO", "", &error.to_string()].into())),
                }
            }
            self.end_leases(writer, now)
        })?;
        self.finish(store, outcome, now)
    }

    /// Takes back a task whose message could not be sent to its worker.
    pub fn take_back(&mut self, worker: &RoutingId, id: &str) {
        // The worker is not free again before it sends something.
        if let Some(worker) = self.workers.get_mut(worker) {
            worker.has.remove(id);
        }
        self.free.retain(|free| free != worker);
        self.make_wait(id);
    }

    fn take(
        &mut self,
        writer: &mut Writer<'_>,
        sender: RoutingId,
        request: Request,
        outcome: &mut Outcome,
    ) -> Result<(), Failure> {
        match request {
            Request::Submit { id, body } => {
                let reply = self.submit(writer, &id, body)?;
                outcome.replies.push((sender, reply));
            }
            Request::Collect { prefix } => {
                self.collectors.insert(sender.clone(), prefix);
                outcome.asked.push(sender);
            }
            Request::Seen { id } => {
                writer.collect(&id)?;
                outcome.replies.push((sender, ["OK", "SEEN", &id].into()));
            }
            Request::Ready { name, credit } => {
                let new = Worker { name: String::new(), credit, has: HashSet::new(), done: 0 };
                let worker = self.workers.entry(sender.clone()).or_insert(new);
                (worker.name, worker.credit) = (name, credit);
                self.release(sender);
            }
            Request::Done { id, result } => {
                if writer.finish(&id, &result)? == Finished::First {
                    self.tasks.remove(&id);
                    outcome.results.push((id.clone(), result));
                }
                if let Some(worker) = self.workers.get_mut(&sender) {
                    worker.has.remove(&id);
                    worker.done += 1;
                }
                self.release(sender.clone());
                outcome.replies.push((sender, ["OK", "DONE", &id].into()));
            }
            Request::Status => outcome.watchers.push(sender),
            Request::Gone => self.forget(writer, &sender)?,
        }
        Ok(())
    }

    fn submit(&mut self, writer: &mut Writer<'_>, id: &str, body: Frame) -> Result<Message, Failure> {
        if self.tasks.len() >= MOST_TASKS && !self.tasks.contains_key(id) {
            return Ok(["NO", id, "there are too many tasks"].into());
        }
        Ok(match writer.submit(id, &body)? {
            Submitted::New => {
                self.tasks.insert(id.to_owned(), Task { body, lease: None });
                self.waiting.push_back(id.to_owned());
                ["OK", "SUBMIT", id].into()
            }
            Submitted::Known => ["OK", "SUBMIT", id].into(),
            Submitted::Other => ["NO", id, "another task has this id"].into(),
            Submitted::Collected => ["NO", id, "its result was collected before"].into(),
        })
    }

    /// Puts a worker into the line of free ones, if it is a worker and has credit.
    fn release(&mut self, worker: RoutingId) {
        let has_credit = |worker: &Worker| worker.has.len() < worker.credit;
        if self.workers.get(&worker).is_some_and(has_credit) && !self.free.contains(&worker) {
            self.free.push_back(worker);
        }
    }

    /// Forgets who has gone. The tasks that it had wait again.
    fn forget(&mut self, writer: &mut Writer<'_>, sender: &RoutingId) -> Result<(), Failure> {
        self.collectors.remove(sender);
        let Some(worker) = self.workers.remove(sender) else { return Ok(()) };
        for id in worker.has {
            if self.is_leased_to(&id, sender) {
                self.make_wait(&id);
                writer.count(Count::Returned, 1)?;
            }
        }
        Ok(())
    }

    /// Takes tasks from workers that have had them too long. Such a worker gets no other task in its place.
    fn end_leases(&mut self, writer: &mut Writer<'_>, now: Instant) -> Result<(), Failure> {
        let has = self.workers.values().flat_map(|worker| &worker.has);
        let ended = |id: &&String| {
            let lease = self.tasks.get(*id).and_then(|task| task.lease.as_ref());
            lease.is_some_and(|(_, ends)| *ends <= now)
        };
        let ended: HashSet<String> = has.filter(ended).cloned().collect();
        for id in ended {
            self.make_wait(&id);
            writer.count(Count::Returned, 1)?;
        }
        Ok(())
    }

    fn is_leased_to(&self, id: &str, worker: &RoutingId) -> bool {
        let lease = self.tasks.get(id).and_then(|task| task.lease.as_ref());
        lease.is_some_and(|(leased_to, _)| leased_to == worker)
    }

    /// Lets a task wait for a worker, before those that no worker has had.
    fn make_wait(&mut self, id: &str) {
        if let Some(task) = self.tasks.get_mut(id) {
            task.lease = None;
            self.waiting.push_front(id.to_owned());
        }
    }

    /// Returns what is to be sent now that the changes are on disk.
    fn finish(&mut self, store: &Store, outcome: Outcome, now: Instant) -> Result<Messages, Failure> {
        let Outcome { mut replies, results, asked, watchers } = outcome;
        for (id, result) in &results {
            let wants = |(to, prefix): &(&RoutingId, &String)| id.starts_with(*prefix) && !asked.contains(to);
            let all = self.collectors.iter().filter(wants);
            replies.extend(all.map(|(to, _)| (to.clone(), result_message(id, result.clone()))));
        }
        for to in asked {
            let Some(prefix) = self.collectors.get(&to) else { continue };
            let results = store.results(prefix, MOST_RESULTS)?.into_iter();
            replies.extend(results.map(|(id, result)| (to.clone(), result_message(&id, result.into()))));
        }
        self.give_tasks(now, &mut replies);
        if !watchers.is_empty() {
            let status = serde_json::to_string(&self.status(store)?)?;
            replies.extend(watchers.into_iter().map(|to| (to, ["STATUS", &status].into())));
        }
        Ok(replies)
    }

    /// Gives tasks that wait to workers that are free, one at a time to each.
    fn give_tasks(&mut self, now: Instant, out: &mut Messages) {
        while let Some(id) = self.next_waiting() {
            let Some((to, worker)) = next_free(&mut self.free, &mut self.workers) else {
                self.waiting.push_front(id);
                return;
            };
            let Some(task) = self.tasks.get_mut(&id) else { continue };
            task.lease = Some((to.clone(), now + self.lease));
            out.push((to.clone(), Message::from([Frame::from("TASK"), Frame::from(&id), task.body.clone()])));
            worker.has.insert(id);
            self.release(to);
        }
    }

    fn next_waiting(&mut self) -> Option<String> {
        loop {
            let id = self.waiting.pop_front()?;
            // Another worker may have sent the result of a task that waits again.
            if self.tasks.get(&id).is_some_and(|task| task.lease.is_none()) {
                return Some(id);
            }
        }
    }

    fn status(&self, store: &Store) -> Result<Status, Failure> {
        let running = self.tasks.values().filter(|task| task.lease.is_some()).count();
        let status = |worker: &Worker| WorkerStatus {
            name: worker.name.clone(),
            credit: worker.credit,
            has: worker.has.len(),
            done: worker.done,
        };
        let mut workers: Vec<WorkerStatus> = self.workers.values().map(status).collect();
        workers.sort();
        Ok(Status {
            waiting: self.tasks.len() - running,
            running,
            uncollected: store.uncollected()?,
            submitters: self.collectors.len(),
            counts: store.counts()?,
            workers,
        })
    }
}

fn next_free<'w>(
    free: &mut VecDeque<RoutingId>,
    workers: &'w mut HashMap<RoutingId, Worker>,
) -> Option<(RoutingId, &'w mut Worker)> {
    let has_credit = |id: &RoutingId| workers.get(id).is_some_and(|worker| worker.has.len() < worker.credit);
    let id = std::iter::from_fn(|| free.pop_front()).find(has_credit)?;
    let worker = workers.get_mut(&id)?;
    Some((id, worker))
}

fn result_message(id: &str, result: Frame) -> Message {
    Message::from([Frame::from("RESULT"), Frame::from(id), result])
}
