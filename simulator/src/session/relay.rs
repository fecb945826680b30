//! A session with a proxy: a task that forwards what some send to others, and that is dropped and begun anew.

use std::time::Duration;

use zeroxide::SocketType::{self, Pull, Push};
use zeroxide::{Context, Error, Options, Proxy, Socket, opt, simulation};

use super::Session;
use crate::actor::{Actor, Wait};
use crate::fault::{Checked, Fault};
use crate::ledger::{FIRST, Label};
use crate::task::{Job, Task};

/// The sockets between which it forwards.
struct Sides {
    front: Socket,
    back: Socket,
}

impl Session {
    /// Plays it. Returns how many messages were sent.
    pub(crate) fn relay(&mut self) -> Checked<u64> {
        let sides = self.open_sides()?;
        self.begin_proxy(&sides);
        let mut held = 0;
        let length = 20 + self.below(200);
        for _ in 0..length {
            let (steps, limit) = (self.below(8), simulation::now() + Duration::from_millis(1));
            for _ in 0..steps {
                self.motion.borrow_mut().go_on(Some(limit));
            }
            let at = self.below(self.actors.len());
            match self.below(8) {
                0..=2 if self.actors[at].initiates() => drop(self.actors[at].send(FIRST, Wait::No)?),
                0..=4 => drop(self.actors[at].receive(Wait::No)?),
                5 if self.one_in(8) => {
                    held += self.drop_proxy();
                    self.begin_proxy(&sides);
                }
                _ => self.poll_some()?,
            }
            self.check(at)?;
        }
        self.motion.borrow_mut().faults = false;
        let calm = self.motion.borrow().injected == 0;
        self.tasks_rest()?;
        if calm {
            self.all_is_forwarded(held)?;
        }
        self.drop_proxy();
        drop(sides);
        let sent = self.actors.iter().map(|actor| actor.sent).sum();
        self.end()?;
        Ok(sent)
    }

    fn open_sides(&mut self) -> Checked<Sides> {
        let scheme = self.pick(&["tcp", "ipc", "inproc"]);
        let place = |n: usize| match scheme {
            "tcp" => format!("tcp://127.0.0.1:{}", 20_000 + n),
            "ipc" => format!("ipc:///simulated/{n}"),
            _ => format!("inproc://{n}"),
        };
        let faults = scheme != "inproc" && self.one_in(2);
        let options = Options::new()
            .set(opt::SNDHWM, self.pick(&[1000, 1, 2, 7]))
            .set(opt::RCVHWM, self.pick(&[1000, 1, 2, 7]))
            .set(opt::RECONNECT_IVL, Some(Duration::from_millis(1)));
        let context = Context::new();
        let bound = |t: SocketType, n: usize| -> Result<Socket, Error> {
            let socket = context.socket_with(t, &options)?;
            socket.bind(place(n))?;
            Ok(socket)
        };
        let failed = |error: Error| Fault::new("a socket can be made", error.to_string());
        let sides = Sides { front: bound(Pull, 0).map_err(failed)?, back: bound(Push, 1).map_err(failed)? };
        for (n, t) in [(0, Push), (1, Pull)] {
            let count = 1 + self.below(2);
            for number in 0..count {
                self.lives += 1;
                let name = format!("{t}-{number}");
                let mut actor = Actor::new(name, context.clone(), t, options.clone(), self.lives)?;
                actor.far = faults;
                actor.endpoints.push(place(n));
                actor.open_endpoints()?;
                self.actors.push(actor);
            }
        }
        self.motion.borrow_mut().faults = faults;
        Ok(sides)
    }

    /// The first application's executor has the proxy.
    fn begin_proxy(&mut self, sides: &Sides) {
        let proxy = Proxy::new(&sides.front, &sides.back).run_async();
        self.actors[0].tasks.push(Task::new(Job::Forward(proxy), None));
    }

    /// Returns how many messages it held, which are lost with it.
    fn drop_proxy(&mut self) -> u64 {
        let stats = self.actors[0].tasks.pop().and_then(|proxy| proxy.forwarded());
        stats.map_or(0, |stats| stats.front.held + stats.back.held)
    }

    /// Everything that was sent arrives, but what proxies held that were dropped.
    fn all_is_forwarded(&mut self, held: u64) -> Checked {
        self.until("a proxy forwards everything", Duration::from_secs(20), |actors| {
            let came = |label| actors.iter().any(|actor| actor.received.has(label));
            let labels = |actor: &Actor| {
                let sender = actor.life;
                (0..actor.next()).map(move |number| Label { sender, number })
            };
            let senders = actors.iter().filter(|actor| actor.initiates());
            Ok(senders.flat_map(labels).filter(|label| !came(*label)).count() as u64 <= held)
        })
    }
}
