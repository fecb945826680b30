//! `zx record`: what a SUB or a PULL receives, into a file.

use std::fs::File;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use zeroxide::{ErrorKind, SocketType};

use super::Working;
use crate::attach::AttachArgs;
use crate::exit::Outcome;
use crate::files::{create, not_written};
use crate::recording::{Recorder, since_1970};
use crate::time::duration;
use crate::totals::Totals;

/// What `record` takes.
#[derive(Args, Clone, Debug)]
pub(crate) struct RecordArgs {
    /// The file to write
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Replace a file that is there
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    attach: AttachArgs,
    /// The type of the socket
    #[arg(long = "as", value_name = "TYPE", value_enum, default_value_t = Receiver::Sub)]
    own: Receiver,
    /// SUB: record only messages that begin with this; repeatable [default: all messages]
    #[arg(short, long = "topic", value_name = "PREFIX")]
    topics: Vec<String>,
    /// End after so many messages
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// Give up (exit code 2) when there is no message for so long
    #[arg(long, value_name = "TIME", value_parser = duration)]
    timeout: Option<std::time::Duration>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Receiver {
    Sub,
    Pull,
}

pub(crate) fn run(arguments: &RecordArgs) -> Outcome {
    let t = match arguments.own {
        Receiver::Sub => SocketType::Sub,
        Receiver::Pull => SocketType::Pull,
    };
    let file = create(&arguments.output, arguments.force)?;
    let mut recorder = Recorder::new(file).map_err(|error| not_written(&arguments.output, &error))?;
    let attached = arguments.attach.open(t, |socket| {
        if t == SocketType::Sub && arguments.topics.is_empty() {
            socket.subscribe("")?;
        }
        Ok(arguments.topics.iter().try_for_each(|topic| socket.subscribe(topic))?)
    })?;
    let (count, timeout) = (arguments.count, arguments.timeout);
    let working = Working { attached, totals: Totals::new().into(), count, timeout };
    let done = record_all(&working, &mut recorder, &arguments.output);
    let written = recorder.flush().map_err(|error| not_written(&arguments.output, &error));
    working.close(done.and(written))
}

fn record_all(working: &Working, recorder: &mut Recorder<File>, path: &Path) -> Outcome {
    let failed = |error| not_written(path, &error);
    loop {
        let message = match working.socket().try_recv() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                // A reader of the file sees all that has come.
                recorder.flush().map_err(failed)?;
                match working.timeout {
                    Some(limit) => working.socket().recv_timeout(limit)?,
                    None => working.socket().recv()?,
                }
            }
            received => received?,
        };
        recorder.write(&message, since_1970()).map_err(failed)?;
        if working.is_enough(working.totals.add_received(&message)) {
            return Ok(());
        }
    }
}
