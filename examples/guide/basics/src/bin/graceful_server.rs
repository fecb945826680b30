//! A server that ends well on Ctrl-C: replies to what it has received, sends what waits, says what it has done.

use std::env;

use zeroxide::{Context, Error, SocketType};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let endpoint = env::args().nth(1).unwrap_or("tcp://127.0.0.1:5555".into());
    let context = Context::new();
    let server = context.socket(SocketType::Rep)?;
    println!("bound {}", server.bind(&endpoint)?);

    // A handle is cheap to clone, and closing one closes the socket: the call that waits below returns.
    let interrupted = server.clone();
    ctrlc::set_handler(move || drop(interrupted.close()))?;

    let mut replies = 0;
    loop {
        let request = match server.recv() {
            Ok(request) => request,
            Err(Error::Closed) => break,
            Err(error) => return Err(error.into()),
        };
        match server.send(request).map_err(|unsent| unsent.error) {
            Ok(()) => replies += 1,
            // Ctrl-C came between the request and its reply.
            Err(Error::Closed) => break,
            Err(error) => return Err(error.into()),
        }
    }

    let report = context.term().wait();
    println!("{replies} replies, {} dropped", report.dropped);
    Ok(())
}
