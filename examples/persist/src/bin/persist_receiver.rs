//! Receives numbered messages by an inbox, and counts in the same database how often each was processed.

use std::path::{Path, PathBuf};

use clap::Parser;
use zeroxide::Context;
use zeroxide_persist::numbered::number_of;
use zeroxide_persist::redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use zeroxide_persist::{Delivered, Inbox};

/// How often each message was processed, by its sender and its number.
const PROCESSED: TableDefinition<'_, (u128, u64), u64> = TableDefinition::new("processed");

/// Receives numbered messages, and processes each exactly once: it counts it in its database.
#[derive(Parser)]
struct Arguments {
    /// The file of the inbox
    #[arg(long, value_name = "FILE", default_value = "inbox.redb")]
    file: PathBuf,
    /// Where senders connect to
    #[arg(long, value_name = "ENDPOINT", default_value = "tcp://127.0.0.1:5558")]
    bind: String,
    /// Messages in one transaction at most; it never waits for more
    #[arg(long, value_name = "N", default_value_t = 100)]
    batch: usize,
    /// Receives nothing, and prints what the file says
    #[arg(long)]
    report: bool,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    if arguments.report {
        return report(&arguments.file);
    }
    let context = Context::new();
    let mut inbox = Inbox::open(&arguments.file, &context, &*arguments.bind)?;
    println!("bound {}", inbox.endpoint());
    loop {
        let mut batch = vec![inbox.recv()?];
        while batch.len() < arguments.batch {
            let Some(delivered) = inbox.try_recv()? else { break };
            batch.push(delivered);
        }
        inbox.acknowledge_with(batch.iter().map(|delivered| delivered.id), |transaction| {
            let mut processed = transaction.open_table(PROCESSED)?;
            for Delivered { id, message } in &batch {
                // A message that is damaged or in another's place ends the program.
                assert_eq!(number_of(&message[0]), Some(id.number), "message {id}");
                let key = (id.sender.as_u128(), id.number);
                let times = processed.get(key)?.map_or(0, |times| times.value());
                processed.insert(key, times + 1)?;
            }
            Ok(())
        })?;
        let counts = inbox.counts();
        println!("processed {}, {} came again", counts.delivered, counts.duplicates);
    }
}

/// Prints how many messages of each sender there are, how many are missing below the last one, and how many were processed more
/// than once.
fn report(file: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let mut senders: Vec<(u128, u64, u64, u64)> = Vec::new();
    let database = Database::open(file)?;
    let transaction = database.begin_read()?;
    let table = transaction.open_table(PROCESSED)?;
    for entry in table.iter()? {
        let (key, times) = entry?;
        let (sender, number) = key.value();
        if senders.last().is_none_or(|last| last.0 != sender) {
            senders.push((sender, 0, 0, 0));
        }
        let Some((_, count, last, twice)) = senders.last_mut() else { continue };
        *count += 1;
        *last = number;
        *twice += u64::from(times.value() > 1);
    }
    for (sender, count, last, twice) in senders {
        println!("sender {sender:032x}: {count} processed, {} missing, {twice} more than once", last - count);
    }
    Ok(())
}
