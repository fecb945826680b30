//! Lazy pirate: the server, which is a plain REP. It returns each request with a word before it.
//!
//! Arguments: the endpoint to bind.

use guide_reliable::{Failure, argument};
use zeroxide::{Context, SocketType};

fn main() -> Result<(), Failure> {
    let endpoint = argument::text(1, "tcp://127.0.0.1:5555");

    let context = Context::new();
    let rep = context.socket(SocketType::Rep)?;
    println!("bound {}", rep.bind(endpoint)?);
    loop {
        let request = rep.recv()?;
        let text = request[0].as_str()?;
        println!("request {text}");
        rep.send(format!("done: {text}"))?;
    }
}
