//! Paranoid pirate: a worker that exchanges heartbeats with its queue. When the queue is silent, the worker begins anew.
//!
//! Arguments: the queue's endpoint for workers; the time between two heartbeats, in ms.

use std::time::{Duration, Instant};

use guide_reliable::pirate::{HEARTBEAT, READY, SILENT_BEATS, is};
use guide_reliable::{Every, Failure, argument};
use zeroxide::{Context, Error, Message, SocketType};

fn main() -> Result<(), Failure> {
    let queue = argument::text(1, "tcp://127.0.0.1:5556");
    let interval = argument::milliseconds(2, 1000);

    let context = Context::new();
    let mut pause = interval;
    loop {
        let heard = work_until_silence(&context, &queue, interval)?;
        // A queue that stays away is asked less and less often, so that a thousand workers do not storm it when it is back.
        pause = if heard { interval } else { (pause * 2).min(interval * 32) };
        println!("queue is silent: a new connection after {pause:?}");
        zeroxide::poll(&mut [], Some(pause))?;
    }
}

/// Works for the queue until it is silent for too long. Returns whether it was heard at all.
fn work_until_silence(context: &Context, queue: &str, interval: Duration) -> Result<bool, Failure> {
    // A new socket is a new worker for the queue, and takes no message that was meant for the old one.
    let dealer = context.socket(SocketType::Dealer)?;
    dealer.connect(queue)?;
    dealer.send(READY)?;

    let lifetime = interval * SILENT_BEATS;
    let mut heard = false;
    let mut silent_at = Instant::now() + lifetime;
    let mut beat = Every::new(interval);
    while Instant::now() < silent_at {
        match dealer.recv_timeout(beat.left()) {
            Ok(message) => {
                heard = true;
                if !is(&message, HEARTBEAT) {
                    dealer.send(reply_to(message)?)?;
                }
                // Not before the work: while this worker was busy, the queue had no chance to be heard.
                silent_at = Instant::now() + lifetime;
            }
            Err(Error::TimedOut(_)) => {}
            Err(error) => return Err(error.into()),
        }
        if beat.is_due() {
            dealer.send(HEARTBEAT)?;
        }
    }
    Ok(heard)
}

fn reply_to(request: Message) -> Result<Message, Failure> {
    let (mut reply, request) = request.split_envelope();
    let text = request[0].as_str()?;
    println!("request {text}");
    reply.push_back("");
    reply.push_back(format!("done: {text}"));
    Ok(reply)
}
