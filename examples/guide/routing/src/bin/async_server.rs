//! An asynchronous server: a task for each request, which sends three replies when it has them.

use std::env;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::sleep;
use zeroxide::{Context, Result, SocketType};

/// So many requests are under way at once; further ones wait in the socket.
const TASKS: usize = 1000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let endpoint = env::args().nth(1).unwrap_or("tcp://127.0.0.1:5570".into());
    let context = Context::new();
    let server = context.socket(SocketType::Router)?;
    println!("bound {}", server.bind(&endpoint)?);
    let tasks = Arc::new(Semaphore::new(TASKS));
    loop {
        let task = Arc::clone(&tasks).acquire_owned().await.expect("nobody closes it");
        let (client, request) = server.recv_from_async().await?;
        let server = server.clone();
        tokio::spawn(async move {
            for part in 1..=3 {
                // In the place of work: each request takes another time.
                sleep(Duration::from_millis(request.size() as u64 % 7 * part)).await;
                let reply = [request[0].clone(), format!("part {part}").into()];
                if server.send_to_async(&client, reply).await.is_err() {
                    break; // The client has left.
                }
            }
            drop(task);
        });
    }
}
