//! A peer of the interop harness with zmq.rs: see PROTOCOL.md, two folders up.

mod any;
mod refusal;
mod slot;
mod talk;
mod words;

use std::collections::HashMap;
use std::io::{self, BufRead, Write};

use refusal::Refusal;
use slot::Slot;

/// The version that Cargo.toml asks for; the crate does not tell its own.
const VERSION: &str = "0.7.0";

fn main() -> io::Result<()> {
    // One thread more than the one that reads commands: sockets connect while nobody uses them.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let mut slots = HashMap::new();
    let mut output = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let line = line?;
        let answer = match runtime.block_on(obey(&mut slots, &line)) {
            Ok(words) => format!("ok{words}\n"),
            Err(Refusal { code, text }) => format!("err {code} {}\n", text.replace('\n', " ")),
        };
        output.write_all(answer.as_bytes())?;
        output.flush()?;
        if line == "quit" {
            break;
        }
    }
    runtime.shutdown_background();
    Ok(())
}

/// Does what a line says; what follows `ok`, each word with a space before it.
async fn obey(slots: &mut HashMap<String, Slot>, line: &str) -> Result<String, Refusal> {
    let mut words = line.split(' ');
    let command = words.next().unwrap_or_default();
    let words: Vec<&str> = words.collect();
    match (command, &words[..]) {
        ("hello", ["1"]) => Ok(format!(" 1 zmq.rs-{VERSION} tcp ipc")),
        ("quit", []) => {
            for (_, slot) in slots.drain() {
                slot.close().await;
            }
            Ok(String::new())
        }
        ("socket", [name, kind]) => {
            slots.insert((*name).to_owned(), Slot::new(kind)?);
            Ok(String::new())
        }
        ("close", [name]) => {
            slots.remove(*name).ok_or_else(|| Refusal::usage("no such socket"))?.close().await;
            Ok(String::new())
        }
        (_, [name, rest @ ..]) => {
            let slot = slots.get_mut(*name).ok_or_else(|| Refusal::usage("no such socket"))?;
            slot.obey(command, rest).await
        }
        _ => Err(Refusal::usage("unknown command")),
    }
}
