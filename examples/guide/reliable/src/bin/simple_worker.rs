//! Simple pirate: a worker. It says once that it is ready; each reply says the same again.
//!
//! Arguments: the queue's endpoint for workers.

use guide_reliable::pirate::READY;
use guide_reliable::{Failure, argument};
use zeroxide::{Context, SocketType};

fn main() -> Result<(), Failure> {
    let queue = argument::text(1, "tcp://127.0.0.1:5556");

    let context = Context::new();
    let req = context.socket(SocketType::Req)?;
    req.connect(queue)?;
    req.send(READY)?;
    loop {
        // The envelope says which client asks. It goes back with the reply.
        let (mut reply, request) = req.recv()?.split_envelope();
        let text = request[0].as_str()?;
        println!("request {text}");
        reply.push_back("");
        reply.push_back(format!("done: {text}"));
        req.send(reply)?;
    }
}
