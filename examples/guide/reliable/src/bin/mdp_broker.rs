//! Majordomo: a broker of named services (RFC 7). Workers say which service they offer; clients say which one they want.
//!
//! Arguments: the endpoint to bind for clients and workers; the time between two heartbeats, in ms.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use guide_reliable::majordomo::{CLIENT, Command, SILENT_BEATS, WORKER};
use guide_reliable::{Every, Failure, argument};
use zeroxide::{Context, Error, Message, RoutingId, Socket, SocketType};

/// Requests of one service that may wait for a worker. More are dropped: their clients have given up long before.
const MOST_WAITING: usize = 1000;

fn main() -> Result<(), Failure> {
    let endpoint = argument::text(1, "tcp://127.0.0.1:5555");
    let interval = argument::milliseconds(2, 1000);

    let context = Context::new();
    let router = context.socket(SocketType::Router)?;
    println!("bound {}", router.bind(endpoint)?);

    let lifetime = interval * SILENT_BEATS;
    let mut broker = Broker { router, lifetime, services: HashMap::new(), workers: HashMap::new() };
    let mut beat = Every::new(interval);
    loop {
        match broker.router.recv_from_timeout(beat.left()) {
            Ok((sender, message)) => broker.receive(sender, message),
            Err(Error::TimedOut(_)) => {}
            Err(error) => return Err(error.into()),
        }
        if beat.is_due() {
            broker.beat();
        }
    }
}

struct Broker {
    router: Socket,
    lifetime: Duration,
    services: HashMap<String, Service>,
    workers: HashMap<RoutingId, Worker>,
}

#[derive(Default)]
struct Service {
    /// Requests as workers receive them: the client's address, an empty frame, the request.
    waiting: VecDeque<Message>,
    /// The worker that has been free for the longest time comes first.
    free: VecDeque<RoutingId>,
    workers: usize,
}

struct Worker {
    service: String,
    silent_at: Instant,
}

impl Broker {
    fn receive(&mut self, sender: RoutingId, message: Message) {
        // A client may put frames of its own before the empty one, as a REQ does that numbers its requests.
        let (envelope, mut message) = message.split_envelope();
        match message.pop_front() {
            Some(name) if name == CLIENT => self.receive_from_client(&sender, envelope, message),
            Some(name) if name == WORKER => self.receive_from_worker(sender, message),
            _ => println!("no message of majordomo, from {sender}"),
        }
    }

    fn receive_from_client(&mut self, client: &RoutingId, envelope: Message, mut request: Message) {
        let Some(service) = request.pop_front() else { return };
        let Ok(service) = service.as_str() else { return };
        let mut address = Message::from(client.to_frame());
        address.extend(envelope);
        if let Some(question) = service.strip_prefix("mmi.") {
            let code = self.answer(question, &request);
            return self.reply(address, service, code.into());
        }
        address.push_back("");
        address.extend(request);
        let waiting = &mut self.services.entry(service.to_owned()).or_default().waiting;
        if waiting.len() == MOST_WAITING {
            println!("a request to {service} is dropped: {MOST_WAITING} wait already");
        } else {
            waiting.push_back(address);
        }
        self.dispatch(service);
    }

    /// The broker's own services (RFC 8): `mmi.service` says whether a service has workers.
    fn answer(&self, question: &str, request: &Message) -> &'static str {
        if question != "service" {
            return "501";
        }
        let name = request.first().and_then(|frame| frame.as_str().ok()).unwrap_or_default();
        if self.services.get(name).is_some_and(|service| service.workers > 0) { "200" } else { "404" }
    }

    fn receive_from_worker(&mut self, sender: RoutingId, mut message: Message) {
        let command = Command::take(&mut message);
        if let Some(worker) = self.workers.get_mut(&sender) {
            worker.silent_at = Instant::now() + self.lifetime;
        }
        match (command, self.workers.get(&sender).map(|worker| worker.service.clone())) {
            (Some(Command::Ready), None) => {
                let service = message.first().map(|name| String::from_utf8_lossy(name).into_owned());
                self.add(sender, service.unwrap_or_default());
            }
            (Some(Command::Reply), Some(service)) => {
                let (address, body) = message.split_envelope();
                self.reply(address, &service, body);
                self.release(sender, &service);
            }
            (Some(Command::Heartbeat), Some(_)) => {}
            (Some(Command::Disconnect), Some(_)) => self.forget(&sender, "has left"),
            // An unknown worker must begin anew, and one that breaks the rules, too.
            _ => {
                self.forget(&sender, "is out of step");
                self.send(&sender, Command::Disconnect.with(Message::new()));
            }
        }
    }

    fn add(&mut self, sender: RoutingId, service: String) {
        println!("worker {sender} offers {service}");
        let silent_at = Instant::now() + self.lifetime;
        self.workers.insert(sender.clone(), Worker { service: service.clone(), silent_at });
        self.services.entry(service.clone()).or_default().workers += 1;
        self.release(sender, &service);
    }

    fn release(&mut self, worker: RoutingId, service: &str) {
        self.services.entry(service.to_owned()).or_default().free.push_back(worker);
        self.dispatch(service);
    }

    /// Brings requests and free workers of a service together.
    fn dispatch(&mut self, service: &str) {
        while let Some(entry) = self.services.get_mut(service) {
            if entry.waiting.is_empty() || entry.free.is_empty() {
                return;
            }
            let (Some(request), Some(worker)) = (entry.waiting.pop_front(), entry.free.pop_front()) else {
                return;
            };
            if !self.send(&worker, Command::Request.with(request.clone())) {
                self.forget(&worker, "is gone");
                // The request was refused, so the next worker may have it.
                self.services.entry(service.to_owned()).or_default().waiting.push_front(request);
            }
        }
    }

    fn beat(&mut self) {
        let now = Instant::now();
        let silent = |worker: &Worker| worker.silent_at <= now;
        let gone: Vec<_> = self.workers.iter().filter(|(_, w)| silent(w)).map(|(id, _)| id.clone()).collect();
        gone.iter().for_each(|worker| self.forget(worker, "is silent"));
        for worker in self.workers.keys() {
            self.send(worker, Command::Heartbeat.with(Message::new()));
        }
    }

    fn forget(&mut self, id: &RoutingId, why: &str) {
        let Some(worker) = self.workers.remove(id) else { return };
        println!("worker {id} {why}");
        if let Some(service) = self.services.get_mut(&worker.service) {
            service.workers -= 1;
            service.free.retain(|other| other != id);
        }
    }

    fn reply(&self, mut address: Message, service: &str, body: Message) {
        ["", CLIENT, service].into_iter().for_each(|frame| address.push_back(frame));
        address.extend(body);
        // A client that has gone, or does not receive, loses its reply. The broker does not wait for it.
        let _ = self.router.try_send(address);
    }

    /// Sends to a worker. Returns whether it is connected and has room.
    fn send(&self, worker: &RoutingId, mut message: Message) -> bool {
        message.push_front("");
        message.push_front(worker.to_frame());
        self.router.try_send(message).is_ok()
    }
}
