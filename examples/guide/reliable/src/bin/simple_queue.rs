//! Simple pirate: a queue between clients and workers. Each request goes to the worker that has been free for the longest time.
//!
//! Arguments: the endpoint to bind for clients; the endpoint to bind for workers.

use std::collections::VecDeque;

use guide_reliable::pirate::{READY, is};
use guide_reliable::{Failure, argument};
use zeroxide::{Context, Message, PollItem, Ready, RoutingId, Socket, SocketType, poll};

fn main() -> Result<(), Failure> {
    let for_clients = argument::text(1, "tcp://127.0.0.1:5555");
    let for_workers = argument::text(2, "tcp://127.0.0.1:5556");

    let context = Context::new();
    let (front, back) = (context.socket(SocketType::Router)?, context.socket(SocketType::Router)?);
    println!("bound {} for clients", front.bind(for_clients)?);
    println!("bound {} for workers", back.bind(for_workers)?);

    let mut free: VecDeque<RoutingId> = VecDeque::new();
    loop {
        // While no worker is free, requests wait in the socket.
        let wanted = if free.is_empty() { Ready::NONE } else { Ready::IN };
        let mut items = [PollItem::new(&back, Ready::IN), PollItem::new(&front, wanted)];
        poll(&mut items, None)?;
        let [from_worker, from_client] = items.map(|item| item.ready().is_in());

        if from_worker {
            let (worker, message) = back.recv_from()?;
            // A worker is a REQ: an empty frame precedes what it sends.
            let (_, message) = message.split_envelope();
            if !is(&message, READY) {
                // A client that has gone needs no reply.
                let _ = front.try_send(message);
            }
            println!("worker {worker} is free");
            free.push_back(worker);
        }
        if from_client {
            dispatch(&back, &mut free, front.recv()?);
        }
    }
}

/// Sends a request to a worker that is connected, and drops it if there is none: the client sends it again.
fn dispatch(back: &Socket, free: &mut VecDeque<RoutingId>, mut request: Message) {
    // The empty frame is the envelope of the worker's REQ.
    request.push_front("");
    while let Some(worker) = free.pop_front() {
        match back.send_to(&worker, request) {
            Ok(()) => return,
            // A refused message comes back, so that the next worker can have it.
            Err(refused) => {
                println!("worker {worker} is gone: {refused}");
                request = refused.message;
            }
        }
    }
}
