//! The README's recipe for users of tokio loses nothing.
#![allow(clippy::unwrap_used)] // a test's helpers

use std::time::Duration;

use zeroxide::{Context, Message, Socket, SocketType};

include!("messages.rs");

#[test]
fn the_recipe_in_the_readme_is_the_one_that_is_tested() {
    let recipe = include_str!("messages.rs");
    assert!(include_str!("../../README.md").contains(recipe));
}

#[test]
fn timeouts_that_end_a_wait_for_a_message_lose_none() {
    const COUNT: u32 = 2000;
    let cx = Context::new();
    let (pull, push) = (cx.socket(SocketType::Pull).unwrap(), cx.socket(SocketType::Push).unwrap());
    push.connect(pull.bind("tcp://127.0.0.1:*").unwrap()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let mut received = messages(pull.clone());
    let (mut next, mut timeouts) = (0, 0);
    runtime.block_on(async {
        while next < COUNT {
            // One message for each wait that failed: every other message comes while nobody waits, or as a wait ends.
            let limit = Duration::from_micros(u64::from(next % 300));
            match tokio::time::timeout(limit, received.recv()).await {
                Ok(message) => {
                    let number = u32::from_be_bytes(message.unwrap()[0][..].try_into().unwrap());
                    assert_eq!(number, next, "in order, none missing");
                    next += 1;
                }
                Err(_) => {
                    if timeouts < COUNT {
                        push.send(&u32::to_be_bytes(timeouts)).unwrap();
                    }
                    timeouts += 1;
                }
            }
        }
        assert!(timeouts >= COUNT, "each message was sent after a timeout");
        let _ = pull.close().wait();
        assert!(received.recv().await.is_none(), "the end of the socket is the end of the messages");
    });
}
