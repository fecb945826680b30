//! A server: receives a request, and sends a reply.

use std::env;

use zeroxide::{Context, Result, SocketType};

fn main() -> Result<()> {
    let endpoint = env::args().nth(1).unwrap_or("tcp://127.0.0.1:5555".into());
    let context = Context::new();
    let server = context.socket(SocketType::Rep)?;
    println!("bound {}", server.bind(&endpoint)?);
    loop {
        let request = server.recv()?;
        println!("received {:?}", request[0]);
        server.send("world")?;
    }
}
