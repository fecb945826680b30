//! A chain of threads: each does its part when the one before it says that it is ready.

use std::thread;

use zeroxide::{Context, Result, SocketType};

fn main() -> Result<()> {
    let context = Context::new();
    thread::scope(|scope| {
        let first = scope.spawn(|| step(&context, 1));
        let second = scope.spawn(|| step(&context, 2));
        let end = context.socket(SocketType::Pair)?;
        end.bind("inproc://step 3")?;
        println!("the end has received {:?}", end.recv()?[0]);
        first.join().expect("the thread does not panic")?;
        second.join().expect("the thread does not panic")
    })
}

/// Waits for the signal of the step before, if there is one, and gives one to the step behind.
fn step(context: &Context, number: u32) -> Result<()> {
    let mut signal = "ready".to_owned();
    if number > 1 {
        let before = context.socket(SocketType::Pair)?;
        before.bind(format!("inproc://step {number}"))?;
        signal = before.recv()?[0].as_str().unwrap_or_default().to_owned();
    }
    println!("step {number} is done");
    let behind = context.socket(SocketType::Pair)?;
    behind.connect(format!("inproc://step {}", number + 1))?;
    behind.send(format!("{signal} {number}"))?;
    Ok(())
}
