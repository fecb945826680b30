//! Reads from two sockets, whichever has something, as futures.

use std::env;

use zeroxide::{Context, Result, SocketType};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let tasks_at = env::args().nth(1).unwrap_or("tcp://127.0.0.1:5557".into());
    let reports_at = env::args().nth(2).unwrap_or("tcp://127.0.0.1:5556".into());
    let context = Context::new();
    let tasks = context.socket(SocketType::Pull)?;
    tasks.connect(&tasks_at)?;
    let reports = context.socket(SocketType::Sub)?;
    reports.subscribe("bergen")?;
    reports.connect(&reports_at)?;

    loop {
        // The future that loses is dropped. It has taken no message.
        tokio::select! {
            task = tasks.recv_async() => println!("task {:?}", task?[0]),
            report = reports.recv_async() => println!("report {:?}", report?[1]),
        }
    }
}
