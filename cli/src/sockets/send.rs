//! PUB, PUSH, RADIO and SCATTER: from standard input to the socket.

use std::time::Duration;

use clap::Args;
use zeroxide::{Cause, Error, ErrorKind, Message, Socket, SocketType};

use super::{SocketArgs, Working};
use crate::exit::{End, Outcome};
use crate::notices::Say;
use crate::source::{Source, SourceArgs};
use crate::totals::counted;

/// A subscriber that is already there is found in this time, and nothing is said about it.
const SOON: Duration = Duration::from_millis(300);

/// What `push` and `scatter` take.
#[derive(Args, Clone, Debug)]
pub(crate) struct SendArgs {
    #[command(flatten)]
    socket: SocketArgs,
    #[command(flatten)]
    source: SourceArgs,
}

/// What `pub` takes.
#[derive(Args, Clone, Debug)]
pub(crate) struct PubArgs {
    #[command(flatten)]
    send: SendArgs,
    /// Send this as the first frame of each message
    #[arg(short, long, value_name = "TOPIC")]
    topic: Option<String>,
    /// Wait until so many subscribers want the first message; 0 publishes at once, to whoever is there
    #[arg(long, value_name = "N", default_value_t = 1)]
    wait: usize,
}

/// What `radio` takes.
#[derive(Args, Clone, Debug)]
pub(crate) struct RadioArgs {
    #[command(flatten)]
    send: SendArgs,
    /// The group of all messages [default: what stands before the first tab of each line]
    #[arg(short, long, value_name = "NAME")]
    group: Option<String>,
    /// Wait until so many members of the group are there; 0 sends at once, to whoever is there
    #[arg(long, value_name = "N", default_value_t = 1)]
    wait: usize,
}

pub(crate) fn run(arguments: &SendArgs, t: SocketType) -> Outcome {
    send(arguments, t, false, |message| message, |_, _| Ok(()))
}

pub(crate) fn run_pub(arguments: &PubArgs) -> Outcome {
    let topic = arguments.topic.as_deref();
    let with_topic = |mut message: Message| {
        topic.into_iter().for_each(|topic| message.push_front(topic));
        message
    };
    send(&arguments.send, SocketType::Pub, false, with_topic, |working, first| {
        wait_for(working, first.first().map_or(&[][..], |frame| frame), arguments.wait)
    })
}

pub(crate) fn run_radio(arguments: &RadioArgs) -> Outcome {
    let group = arguments.group.as_deref();
    let with_group = |message: Message| match group {
        Some(group) => message.with_group(group),
        None => message,
    };
    send(&arguments.send, SocketType::Radio, group.is_some(), with_group, |working, first| {
        wait_for(working, first.group(), arguments.wait)
    })
}

/// Sends all messages. `complete` adds to each; `ready` waits before the first.
fn send(
    arguments: &SendArgs,
    t: SocketType,
    grouped: bool,
    complete: impl Fn(Message) -> Message,
    ready: impl FnOnce(&Working, &Message) -> Outcome,
) -> Outcome {
    let again = arguments.socket.count.is_some();
    let mut source = arguments.source.open(&arguments.socket.format, t, grouped, again)?;
    let working = arguments.socket.open(t, |_| Ok(()))?;
    let done = send_all(&working, &mut source, complete, ready);
    let (socket, say) = (working.socket().clone(), working.attached.say);
    let closed = working.close(done);
    if say != Say::Errors {
        losses(&socket).iter().for_each(|loss| eprintln!("zx: {loss}"));
    }
    closed
}

fn send_all(
    working: &Working,
    source: &mut Source,
    complete: impl Fn(Message) -> Message,
    ready: impl FnOnce(&Working, &Message) -> Outcome,
) -> Outcome {
    let mut ready = Some(ready);
    while let Some(message) = source.next(&working.attached.stop)? {
        let message = complete(message);
        if let Some(ready) = ready.take() {
            ready(working, &message)?;
        }
        if working.is_enough(working.send(message)?) {
            return Ok(());
        }
    }
    Ok(())
}

/// Waits for subscribers of the first message.
pub(super) fn wait_for(working: &Working, topic: &[u8], wanted: usize) -> Outcome {
    let wait = |limit| working.socket().wait_for_subscribers(topic, wanted, limit);
    let soon = working.timeout.unwrap_or(SOON).min(SOON);
    match wait(soon) {
        Err(error) if error.kind() == ErrorKind::TimedOut => {}
        found => return Ok(found?),
    }
    if working.attached.say != Say::Errors {
        let whom = if wanted == 1 { "a subscriber".to_owned() } else { format!("{wanted} subscribers") };
        eprintln!("zx: waiting for {whom} (--wait 0 publishes at once)");
    }
    wait(working.timeout.map_or(Duration::MAX, |timeout| timeout.saturating_sub(soon))).map_err(|error| {
        match error {
            Error::TimedOut(why) => End::TimedOut(format!("{why}; --wait 0 publishes to whoever is there")),
            other => other.into(),
        }
    })
}

/// Returns what was lost of the messages that the socket took, and why.
pub(super) fn losses(socket: &Socket) -> Vec<String> {
    let stats = socket.stats();
    let (unmatched, full) = (stats.unmatched, stats.dropped.by(Cause::Hwm));
    let mut losses = Vec::new();
    if unmatched > 0 {
        losses.push(format!(
            "{} sent without a subscriber, and lost (see --wait)",
            counted(unmatched, "message")
        ));
    }
    if full > 0 {
        losses.push(format!(
            "{} dropped, because a subscriber was slow (--opt XPUB_NODROP=on waits for it)",
            counted(full, "message")
        ));
    }
    losses
}
