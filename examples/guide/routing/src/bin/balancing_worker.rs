//! A worker of the broker: says that it is ready, then does one request after the other.

use std::{env, process};

use zeroxide::{Context, Frame, Result, SocketType};

fn main() -> Result<()> {
    let endpoint = env::args().nth(1).unwrap_or("tcp://127.0.0.1:5560".into());
    let name = env::args().nth(2).unwrap_or(process::id().to_string());
    let context = Context::new();
    let worker = context.socket(SocketType::Req)?;
    worker.connect(&endpoint)?;
    worker.send("ready")?;
    loop {
        // Before the empty frame: whose request it is. The reply takes that along.
        let (mut reply, request) = worker.recv()?.split_envelope();
        reply.push_back(Frame::new());
        reply.push_back(request[0].clone());
        reply.push_back(format!("from worker {name}"));
        worker.send(reply)?;
    }
}
