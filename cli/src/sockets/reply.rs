//! REP: a request to standard output, and its reply from standard input, a text, the request itself or a command.

use std::io::{StdoutLock, Write};
use std::process::{Command, Stdio};
use std::thread;

use clap::Args;
use zeroxide::{Message, SocketType};

use super::{SocketArgs, Working};
use crate::exit::{End, Outcome};
use crate::format::{Writer, now};
use crate::source::{Source, SourceArgs};

/// What `rep` takes.
#[derive(Args, Clone, Debug)]
pub(crate) struct RepArgs {
    #[command(flatten)]
    socket: SocketArgs,
    #[command(flatten)]
    source: SourceArgs,
    /// Reply with the request
    #[arg(long, conflicts_with_all = ["messages", "exec"])]
    echo: bool,
    /// Reply with what this shell command prints; it gets the request on its standard input
    #[arg(long, value_name = "COMMAND", conflicts_with = "messages")]
    exec: Option<String>,
}

/// Where replies come from.
enum Replies {
    Echo,
    Exec(String),
    Source(Source),
}

pub(crate) fn run(arguments: &RepArgs) -> Outcome {
    let t = SocketType::Rep;
    let mut replies = match (arguments.echo, &arguments.exec) {
        (true, _) => Replies::Echo,
        (_, Some(command)) => Replies::Exec(command.clone()),
        _ => Replies::Source(arguments.source.open(&arguments.socket.format, t, false, true)?),
    };
    let working = arguments.socket.open(t, |_| Ok(()))?;
    let mut out = arguments.socket.writer(t);
    let done = reply_all(&working, &mut replies, &mut out);
    working.close(done)
}

fn reply_all(working: &Working, replies: &mut Replies, out: &mut Writer<StdoutLock<'static>>) -> Outcome {
    loop {
        let request = working.recv(out)?;
        out.write(&request, now())?;
        out.flush()?;
        let count = working.totals.add_received(&request);
        let Some(reply) = replies.reply_to(request, working)? else {
            return Err(End::failed(
                "standard input has ended, and a request has no reply (see --echo, -m, --exec)",
            ));
        };
        working.send(reply)?;
        if working.is_enough(count) {
            return Ok(());
        }
    }
}

impl Replies {
    fn reply_to(&mut self, request: Message, working: &Working) -> Outcome<Option<Message>> {
        match self {
            Replies::Echo => Ok(Some(request)),
            Replies::Exec(command) => output_of(command, request).map(Some),
            Replies::Source(source) => source.next(&working.attached.stop),
        }
    }
}

/// Returns what a command prints. A command that fails is noticed on standard error, and its output is the reply all the same: the
/// requester waits.
fn output_of(command: &str, request: Message) -> Outcome<Message> {
    let failed = |error| End::failed(format!("--exec {command}: {error}"));
    let (shell, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let mut running = Command::new(shell);
    running.args([flag, command]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = running.spawn().map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        // On a thread: a command may print before it has read everything. It may also leave its input unread.
        thread::spawn(move || request.iter().try_for_each(|frame| stdin.write_all(frame)));
    }
    let output = child.wait_with_output().map_err(failed)?;
    if !output.status.success() {
        eprintln!("zx: --exec {command}: {}", output.status);
    }
    Ok(output.stdout.into())
}
