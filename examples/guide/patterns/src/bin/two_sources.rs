//! Reads from two sockets, whichever has something: tasks from a PUSH, reports from a PUB.

use std::env;

use zeroxide::{Context, Poller, Ready, Result, SocketType};

const TASKS: usize = 1;
const REPORTS: usize = 2;

fn main() -> Result<()> {
    let tasks_at = env::args().nth(1).unwrap_or("tcp://127.0.0.1:5557".into());
    let reports_at = env::args().nth(2).unwrap_or("tcp://127.0.0.1:5556".into());
    let context = Context::new();
    let tasks = context.socket(SocketType::Pull)?;
    tasks.connect(&tasks_at)?;
    let reports = context.socket(SocketType::Sub)?;
    reports.subscribe("bergen")?;
    reports.connect(&reports_at)?;

    let mut poller = Poller::new();
    poller.add(&tasks, TASKS, Ready::IN)?;
    poller.add(&reports, REPORTS, Ready::IN)?;
    let mut events = Vec::new();
    loop {
        // No limit: waits until at least one of them has a message.
        poller.wait(&mut events, None)?;
        for event in &events {
            match event.key {
                TASKS => println!("task {:?}", tasks.try_recv()?[0]),
                _ => println!("report {:?}", reports.try_recv()?[1]),
            }
        }
    }
}
