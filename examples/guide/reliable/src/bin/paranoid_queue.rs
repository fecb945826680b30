//! Paranoid pirate: a queue that knows which of its workers live, because it exchanges heartbeats with them.
//!
//! Arguments: the endpoint to bind for clients; the endpoint to bind for workers; the time between two heartbeats, in ms.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use guide_reliable::pirate::{HEARTBEAT, READY, SILENT_BEATS, is};
use guide_reliable::{Every, Failure, argument};
use zeroxide::{Context, Message, PollItem, Ready, RoutingId, Socket, SocketType, poll};

fn main() -> Result<(), Failure> {
    let for_clients = argument::text(1, "tcp://127.0.0.1:5555");
    let for_workers = argument::text(2, "tcp://127.0.0.1:5556");
    let interval = argument::milliseconds(3, 1000);

    let context = Context::new();
    let (front, back) = (context.socket(SocketType::Router)?, context.socket(SocketType::Router)?);
    println!("bound {} for clients", front.bind(for_clients)?);
    println!("bound {} for workers", back.bind(for_workers)?);

    let mut workers = Workers { free: VecDeque::new(), lifetime: interval * SILENT_BEATS };
    let mut beat = Every::new(interval);
    loop {
        let wanted = if workers.free.is_empty() { Ready::NONE } else { Ready::IN };
        let mut items = [PollItem::new(&back, Ready::IN), PollItem::new(&front, wanted)];
        poll(&mut items, Some(beat.left()))?;
        let [from_worker, from_client] = items.map(|item| item.ready().is_in());

        if from_worker {
            let (worker, message) = back.recv_from()?;
            if is(&message, READY) {
                workers.add(worker);
            } else if is(&message, HEARTBEAT) {
                workers.renew(&worker);
            } else {
                // A client that has gone needs no reply.
                let _ = front.try_send(message);
                workers.add(worker);
            }
        }
        workers.forget_the_silent();
        if from_client && !workers.free.is_empty() {
            workers.dispatch(&back, front.recv()?);
        }
        if beat.is_due() {
            for (worker, _) in &workers.free {
                let _ = back.send_to(worker, HEARTBEAT);
            }
        }
    }
}

/// The workers that are free, the one that has been free for the longest time first, and until when each is taken to live.
struct Workers {
    free: VecDeque<(RoutingId, Instant)>,
    lifetime: Duration,
}

impl Workers {
    fn add(&mut self, worker: RoutingId) {
        println!("worker {worker} is free");
        self.free.retain(|(other, _)| *other != worker);
        self.free.push_back((worker, Instant::now() + self.lifetime));
    }

    fn renew(&mut self, worker: &RoutingId) {
        // A worker that is busy sends heartbeats, too; it is not in the list.
        for (_, until) in self.free.iter_mut().filter(|(other, _)| other == worker) {
            *until = Instant::now() + self.lifetime;
        }
    }

    fn forget_the_silent(&mut self) {
        let now = Instant::now();
        self.free.retain(|(worker, until)| {
            let lives = *until > now;
            if !lives {
                println!("worker {worker} is silent");
            }
            lives
        });
    }

    /// Sends a request to a worker that is connected, and drops it if there is none: the client sends it again.
    fn dispatch(&mut self, back: &Socket, mut request: Message) {
        while let Some((worker, _)) = self.free.pop_front() {
            match back.send_to(&worker, request) {
                Ok(()) => return,
                Err(refused) => {
                    println!("worker {worker} is gone: {refused}");
                    request = refused.message;
                }
            }
        }
    }
}
