//! The tasks of an application: futures of its socket, several at a time, beside its other calls.

use std::time::Duration;

use zeroxide::{Event, Message, Ready, SocketType, opt};

use super::{Actor, Wait};
use crate::fault::Checked;
use crate::ledger::{FIRST, Label};
use crate::task::{Ended, Job, Look, Task};

/// How many tasks an application has at most.
const MOST: usize = 4;

impl Actor {
    /// Begins a task that sends (`life` names it in its message) or receives; a REQ asks, for at most `patience`.
    pub(crate) fn begin_task(&mut self, sends: bool, topic: u8, life: u32, patience: Duration) {
        if self.tasks.len() >= MOST {
            return;
        }
        let t = self.socket_type();
        let timeout = |option| self.options.get(option).flatten();
        let (receive, send) = (timeout(opt::RCVTIMEO), timeout(opt::SNDTIMEO));
        let label = Label { sender: life, number: 0 };
        let asks = t == SocketType::Req;
        let task = if asks || sends && self.initiates() {
            let Some(message) = self.compose(label, topic) else { return };
            self.lives.push(life);
            if asks {
                Task::new(Job::Ask(self.socket.request_async(message, patience), label), Some(patience))
            } else {
                Task::new(Job::Send(self.socket.send_async(message), label), send)
            }
        } else if t.receives() {
            Task::new(Job::Receive(self.socket.recv_async()), receive)
        } else {
            return;
        };
        self.tasks.push(task);
        self.has_had_tasks = true;
    }

    /// Begins a task that waits with a poller to receive (0) or to send (1), for so many peers (2) or subscribers (3), or for
    /// an event.
    pub(crate) fn begin_look(&mut self, what: usize, count: usize, topic: u8, limit: Duration) -> Checked {
        if self.tasks.len() >= MOST {
            return Ok(());
        }
        let poller = |wanted| Look::poller(&self.socket, wanted, Some(limit));
        let look = match what {
            0 => poller(Ready::IN),
            1 => poller(Ready::OUT),
            2 => Ok(Look::others(self.socket.wait_for_peers_async(count, limit))),
            3 if self.socket_type().publishes() => {
                Ok(Look::others(self.socket.wait_for_subscribers_async([topic], count, limit)))
            }
            _ => {
                if let Some((monitor, _)) = &self.twins {
                    self.tasks.push(Task::new(Job::Event(monitor.recv_async()), None));
                }
                return Ok(());
            }
        };
        let look = look.map_err(|error| self.fault("a poller can be made", error))?;
        self.tasks.push(Task::new(Job::Look(look), Some(limit)));
        Ok(())
    }

    /// What a poller has found can be done at once.
    fn use_readiness(&mut self, ready: Ready) -> Checked {
        let t = self.socket_type();
        let is_held_up = t.answers() && !self.owed.is_empty() || self.asks_as_task();
        if ready.is_in() && !is_held_up && !self.receive(Wait::No)? {
            return Err(self.fault("what a poller has found can be received", format!("{ready:?}")));
        }
        let any_peer = self.initiates() && !t.publishes() && !t.is_raw() && t != SocketType::Peer;
        if ready.is_out() && any_peer && !self.asks_as_task() {
            self.send(FIRST, Wait::No)?;
            if self.is_full {
                return Err(self.fault("what a poller has found room for can be sent", format!("{ready:?}")));
            }
        }
        Ok(())
    }

    /// Each event comes once, in order: as at another monitor, which is read without tasks.
    fn take_event(&mut self, event: &Event) -> Checked {
        let other = self.twins.as_ref().map(|(_, other)| other.try_recv());
        match other {
            Some(Ok(other)) if format!("{other:?}") == format!("{event:?}") => Ok(()),
            other => {
                Err(self.fault("every event comes, once and in order", format!("{event:?} for {other:?}")))
            }
        }
    }

    /// Lets one of its tasks give up.
    pub(crate) fn drop_task(&mut self, at: usize, cancels: bool) -> Checked {
        let unsent = self.tasks.swap_remove(at).give_up(cancels);
        self.unsent.extend(unsent.map_err(|text| self.fault("what is not sent is given back", text))?);
        Ok(())
    }

    /// Whether it asks as a task. Then it does nothing else with its REQ.
    pub(crate) fn asks_as_task(&self) -> bool {
        self.tasks.iter().any(Task::asks)
    }

    /// Lets each task go on that is awake; returns whether there was one.
    pub(crate) fn poll_tasks(&mut self) -> Checked<bool> {
        let mut busy = false;
        while let Some(at) = self.tasks.iter().position(Task::is_awake) {
            self.poll_task(at)?;
            busy = true;
        }
        Ok(busy)
    }

    pub(crate) fn poll_task(&mut self, at: usize) -> Checked {
        match self.poll(at)? {
            None => Ok(()),
            Some(Ended::Closed(_)) => Err(self.fault("a task ends with its socket", "it is open")),
            Some(Ended::Received(message)) => self.take(message),
            Some(Ended::Replied(label, message)) => self.take_reply(label, &message),
            Some(Ended::Sent) => {
                self.sent += 1;
                Ok(())
            }
            Some(Ended::Ready(ready)) => self.use_readiness(ready),
            Some(Ended::Happened(event)) => self.take_event(&event),
            Some(Ended::TimedOut(unsent) | Ended::Refused(unsent)) => {
                self.unsent.extend(unsent);
                Ok(())
            }
        }
    }

    /// Polls a task, which is removed when it has ended.
    fn poll(&mut self, at: usize) -> Checked<Option<Ended>> {
        let ended = self.tasks[at].poll();
        let ended = ended.map_err(|text| self.fault("a task ends for a known cause alone", text))?;
        if ended.is_some() {
            self.tasks.swap_remove(at);
        }
        Ok(ended)
    }

    fn take_reply(&mut self, label: Label, message: &Message) -> Checked {
        self.sent += 1;
        let connection = message.peer().map_or(0, |peer| peer.connection);
        // A hostile peer replies what it likes.
        let Some(parsed) = Label::parse(message, self.shape()) else { return Ok(()) };
        let parsed = parsed.map_err(|text| self.fault("a message is whole", text))?;
        if parsed.reply_to != Some(label) {
            let text = format!("asked {label:?}, the reply is to {:?}", parsed.reply_to);
            return Err(self.fault("a reply is to the request", text));
        }
        let noted = self.received.note(parsed.label, connection);
        noted.map_err(|text| self.fault("a message comes once, in order", text))
    }

    /// When nothing moves and no task is awake, none of them could go on.
    pub(crate) fn no_task_sleeps(&mut self) -> Checked {
        for at in (0..self.tasks.len()).rev() {
            let is_late = self.tasks[at].is_late();
            let (text, forwarded) = (format!("{:?}", self.tasks[at]), self.tasks[at].forwarded());
            let ended = self.poll(at)?;
            if forwarded.is_some() && self.tasks.get(at).and_then(Task::forwarded) != forwarded {
                return Err(self.fault("no wake is lost", format!("{text} could go on")));
            }
            match ended {
                Some(Ended::TimedOut(_)) if is_late => {
                    return Err(self.fault("a task is woken when its time is over", text));
                }
                Some(Ended::TimedOut(unsent)) => self.unsent.extend(unsent),
                Some(ended) => {
                    return Err(self.fault("no wake is lost", format!("{text} could go on: {ended:?}")));
                }
                None => {}
            }
        }
        Ok(())
    }

    /// Its socket has closed, or its context ended, and that ends all its tasks.
    pub(crate) fn end_tasks(&mut self) -> Checked {
        // Events come until the closing is over, and a proxy has sockets of its own.
        self.tasks.retain(|task| !task.outlives_socket());
        while let Some(at) = self.tasks.iter().position(Task::is_awake) {
            match self.poll(at)? {
                Some(Ended::Closed(unsent)) => self.unsent.extend(unsent),
                // A request waits for its turn until the one before it ends.
                None => {}
                Some(other) => return Err(self.fault("a task ends with its socket", format!("{other:?}"))),
            }
        }
        match self.tasks.first() {
            None => Ok(()),
            Some(task) => Err(self.fault("a task ends with its socket", format!("{task:?} sleeps"))),
        }
    }
}
