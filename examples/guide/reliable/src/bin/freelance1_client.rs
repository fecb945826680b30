//! Freelance, model 1: the client asks one server after the other.
//!
//! Arguments: how long to wait for each server, in ms; the number of requests; the endpoints of the servers.

use std::time::Duration;

use guide_reliable::{Failure, argument};
use zeroxide::{Context, Error, Message, Socket, SocketType};

fn main() -> Result<(), Failure> {
    let limit = argument::milliseconds(1, 1000);
    let requests = argument::number(2, 10);
    let servers = argument::texts(3, &["tcp://127.0.0.1:5551", "tcp://127.0.0.1:5552"]);

    let context = Context::new();
    let mut reqs = Vec::new();
    for server in &servers {
        let req = context.socket(SocketType::Req)?;
        req.connect(server)?;
        reqs.push(req);
    }
    for number in 1..=requests {
        let reply = ask(&reqs, &number.to_string(), limit)?.ok_or("no server replies")?;
        println!("reply {}", reply[0].as_str()?);
    }
    Ok(())
}

/// Asks each server once, and returns the first reply.
fn ask(reqs: &[Socket], request: &str, limit: Duration) -> Result<Option<Message>, Error> {
    for (server, req) in reqs.iter().enumerate() {
        match req.request(request, limit).map_err(Error::from) {
            Ok(reply) => return Ok(Some(reply)),
            Err(Error::TimedOut(_)) => println!("server {server} does not reply"),
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}
