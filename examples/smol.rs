//! A store of values on smol, in one thread: a REP to set and get values, and a PUB that tells of each change.
//!
//! Start it with `cargo run --example smol -- tcp://127.0.0.1:5555 tcp://127.0.0.1:5556`. A request is `set NAME VALUE` or `get
//! NAME`, a frame for each word; the reply is the value. A change is published as `NAME VALUE`.
//!
//! Zeroxide's futures need no runtime of their own, so this file would be the same on any other executor but for the name
//! of `block_on`.

use std::collections::HashMap;
use std::error::Error;

use smol::future;
use zeroxide::{Context, Frame, Message, Socket, SocketType};

fn main() -> Result<(), Box<dyn Error>> {
    let [requests, changes] = &std::env::args().skip(1).collect::<Vec<_>>()[..] else {
        return Err("arguments: the endpoint for requests, the endpoint for changes".into());
    };
    run(requests, changes)
}

pub(crate) fn run(requests_at: &str, changes_at: &str) -> Result<(), Box<dyn Error>> {
    let context = Context::new();
    let (requests, changes) = (context.socket(SocketType::Rep)?, context.socket(SocketType::Pub)?);
    println!("requests at {}, changes at {}", requests.bind(requests_at)?, changes.bind(changes_at)?);

    let (interrupt, interrupted) = smol::channel::bounded(1);
    ctrlc::set_handler(move || {
        let _ = interrupt.try_send(());
    })?;

    smol::block_on(async {
        let mut values = HashMap::new();
        let interrupted = async {
            interrupted.recv().await?;
            Ok(())
        };
        // `or` drops the future that is not ready. That takes no message out of a socket, and sends none by half.
        future::or(interrupted, serve(&requests, &changes, &mut values)).await?;
        let report = context.term().await;
        println!("{} values, {} messages dropped", values.len(), report.dropped);
        Ok(())
    })
}

async fn serve(
    requests: &Socket,
    changes: &Socket,
    values: &mut HashMap<Vec<u8>, Frame>,
) -> Result<(), Box<dyn Error>> {
    loop {
        let request = requests.recv_async().await?;
        let words: Vec<&[u8]> = request.iter().map(|frame| &frame[..]).collect();
        let reply: Message = match words[..] {
            [b"set", _, _] => {
                let (name, value) = (&request[1], &request[2]);
                changes.send_async([name.clone(), value.clone()]).await?;
                values.insert(name.to_vec(), value.clone());
                value.clone().into()
            }
            [b"get", name] => values.get(name).cloned().unwrap_or_default().into(),
            _ => "set NAME VALUE, or get NAME".into(),
        };
        requests.send_async(reply).await?;
    }
}
