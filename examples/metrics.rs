//! The counters of all sockets of a program, served as OpenMetrics text over HTTP:
//! `cargo run --example metrics --features metrics`, then `curl` what it prints.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

use zeroxide::{Context, SocketType};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let context = Context::new();
    let (push, pull) = (context.socket(SocketType::Push)?, context.socket(SocketType::Pull)?);
    push.connect(pull.bind("tcp://127.0.0.1:*")?)?;
    for n in 0..3 {
        push.send(format!("job {n}"))?;
        pull.recv()?;
    }
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("http://{}/metrics", listener.local_addr()?);
    Ok(serve(&context, &listener, usize::MAX)?)
}

/// Serves so many requests, whatever they ask for.
pub fn serve(context: &Context, listener: &TcpListener, requests: usize) -> std::io::Result<()> {
    for stream in listener.incoming().take(requests) {
        let mut stream = stream?;
        // The head of a request ends with an empty line.
        let head = BufReader::new(&stream).lines();
        head.map_while(Result::ok).take_while(|line| !line.is_empty()).for_each(drop);
        let text = context.metrics();
        let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
            text.len()
        )?;
    }
    Ok(())
}
