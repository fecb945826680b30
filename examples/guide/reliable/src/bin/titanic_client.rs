//! Titanic: a client that stores requests, and fetches their replies later.
//!
//! Arguments: the broker's endpoint; the name of the service; the number of requests; how long to wait for a reply of titanic, in
//! ms.

use std::time::Duration;

use guide_reliable::majordomo::Client;
use guide_reliable::{Failure, argument};
use uuid::Uuid;
use zeroxide::{Context, Message};

fn main() -> Result<(), Failure> {
    let broker = argument::text(1, "tcp://127.0.0.1:5555");
    let service = argument::text(2, "echo");
    let requests = argument::number(3, 10);
    let limit = argument::milliseconds(4, 2500);

    let context = Context::new();
    let mut client = Client::new(&context, &broker, limit, 1)?;

    let mut stored = Vec::new();
    for number in 1..=requests {
        // The id is chosen here, and once. So a request that is sent again is still the same one.
        let id = Uuid::now_v7();
        let request = Message::from([id.as_bytes(), service.as_bytes(), number.to_string().as_bytes()]);
        until_200(&mut client, "titanic.request", &request, limit)?;
        println!("stored {number}");
        stored.push((number, id));
    }
    for (number, id) in stored {
        let id = Message::from(id.as_bytes());
        let reply = until_200(&mut client, "titanic.reply", &id, limit)?;
        println!("reply to {number}: {}", reply[1].as_str()?);
        until_200(&mut client, "titanic.close", &id, limit)?;
    }
    Ok(())
}

/// Sends a request to titanic until its reply has the code 200.
fn until_200(
    client: &mut Client,
    service: &str,
    request: &Message,
    pause: Duration,
) -> Result<Message, Failure> {
    loop {
        match client.request(service, request.clone())? {
            Some(reply) if reply[0] == "200" => return Ok(reply),
            // It is not done yet.
            Some(reply) if reply[0] == "300" => {
                zeroxide::poll(&mut [], Some(pause / 10))?;
            }
            Some(reply) => return Err(format!("{service}: {reply:?}").into()),
            None => println!("{service}: no reply, once more"),
        }
    }
}
