//! A broker that gives each request to the worker that has been idle for the longest time.
//!
//! A worker says "ready" when it comes, and is idle again when it has sent a reply.

use std::collections::VecDeque;
use std::env;

use zeroxide::{Context, Error, Frame, Message, Poller, Ready, Result, RoutingId, Socket, SocketType};

const CLIENTS: usize = 1;
const WORKERS: usize = 2;

fn main() -> Result<()> {
    let clients_at = env::args().nth(1).unwrap_or("tcp://127.0.0.1:5559".into());
    let workers_at = env::args().nth(2).unwrap_or("tcp://127.0.0.1:5560".into());
    let context = Context::new();
    let clients = context.socket(SocketType::Router)?;
    println!("clients at {}", clients.bind(&clients_at)?);
    let workers = context.socket(SocketType::Router)?;
    println!("workers at {}", workers.bind(&workers_at)?);

    let mut idle = VecDeque::new();
    let mut poller = Poller::new();
    poller.add(&workers, WORKERS, Ready::IN)?;
    poller.add(&clients, CLIENTS, Ready::NONE)?;
    let mut events = Vec::new();
    loop {
        // Requests wait in the socket while no worker is idle.
        poller.modify(CLIENTS, if idle.is_empty() { Ready::NONE } else { Ready::IN })?;
        poller.wait(&mut events, None)?;
        for event in &events {
            match event.key {
                WORKERS => idle.push_back(take_reply(&workers, &clients)?),
                _ => give_request(clients.recv()?, &workers, &mut idle)?,
            }
        }
    }
}

/// Receives from a worker, and sends its reply to the client. Returns the worker, which is idle now.
fn take_reply(workers: &Socket, clients: &Socket) -> Result<RoutingId> {
    let (worker, message) = workers.recv_from()?;
    // The worker is a REQ: an empty frame, then "ready", or the client, an empty frame and the reply.
    let (_, reply) = message.split_envelope();
    if reply.len() > 1 {
        match clients.send(reply).map_err(|refused| refused.error) {
            // A client may leave before its reply comes.
            Ok(()) | Err(Error::Unroutable { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(worker)
}

/// Sends a request, with its client in front, to the first idle worker that is still there.
fn give_request(mut request: Message, workers: &Socket, idle: &mut VecDeque<RoutingId>) -> Result<()> {
    request.push_front(Frame::new());
    while let Some(worker) = idle.pop_front() {
        match workers.send_to(&worker, request) {
            Ok(()) => return Ok(()),
            Err(refused) if matches!(refused.error, Error::Unroutable { .. }) => request = refused.message,
            Err(refused) => return Err(refused.error),
        }
    }
    println!("lost a request: all idle workers have left");
    Ok(())
}
