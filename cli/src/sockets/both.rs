//! Sockets that send and receive at any time: standard input to the socket, and the socket to standard output.
//!
//! The end of standard input does not end the command, because replies may still come; `-n`, `--timeout` and a signal do.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use clap::Args;
use crossbeam_channel::{Receiver, bounded};
use zeroxide::{Error, Socket, SocketType};

use super::{SocketArgs, Working, send_one};
use crate::exit::{End, Outcome};
use crate::source::{Source, SourceArgs};
use crate::stop::Stop;
use crate::totals::Totals;

/// What `router`, `dealer`, `pair` and the like take.
#[derive(Args, Clone, Debug)]
pub(crate) struct BothArgs {
    #[command(flatten)]
    socket: SocketArgs,
    #[command(flatten)]
    source: SourceArgs,
}

/// What `xsub` takes.
#[derive(Args, Clone, Debug)]
pub(crate) struct XSubArgs {
    #[command(flatten)]
    both: BothArgs,
    /// Subscribe to messages that begin with this; repeatable. Lines of standard input are sent to the publishers
    #[arg(short, long = "topic", value_name = "PREFIX")]
    topics: Vec<String>,
}

pub(crate) fn run(arguments: &BothArgs, t: SocketType) -> Outcome {
    both(arguments, t, |_| Ok(()))
}

pub(crate) fn run_xsub(arguments: &XSubArgs) -> Outcome {
    both(&arguments.both, SocketType::XSub, |socket| {
        for topic in &arguments.topics {
            let subscription = [&[1], topic.as_bytes()].concat(); // RFC 29
            socket.send(subscription).map_err(|refused| refused.error)?;
        }
        Ok(())
    })
}

fn both(arguments: &BothArgs, t: SocketType, prepare: impl FnOnce(&Socket) -> Outcome) -> Outcome {
    let source = arguments.source.open(&arguments.socket.format, t, false, false)?;
    let working = arguments.socket.open(t, prepare)?;
    let mut out = arguments.socket.writer(t);
    let failed = send_in_background(&working, source);
    let received = working.receive_all(&mut out);
    let written = out.flush();
    // A sender that failed has stopped the command.
    let sent = failed.try_recv().map_or(Ok(()), Err);
    working.close(sent.and(received).and(written.map_err(Into::into)))
}

/// Sends on a thread of its own, and stops the command if that fails. Nobody waits for the thread: a terminal may never end.
fn send_in_background(working: &Working, mut source: Source) -> Receiver<End> {
    let (failed, failure) = bounded(1);
    let (socket, stop) = (working.socket().clone(), working.attached.stop.clone());
    let (totals, timeout) = (Arc::clone(&working.totals), working.timeout);
    thread::spawn(move || {
        if let Err(end) = send_all(&socket, timeout, &stop, &totals, &mut source) {
            let _ = failed.send(end); // there is room for one
            stop.now();
        }
    });
    failure
}

fn send_all(
    socket: &Socket,
    timeout: Option<Duration>,
    stop: &Stop,
    totals: &Totals,
    source: &mut Source,
) -> Outcome {
    while let Some(message) = source.next(stop)? {
        match send_one(socket, message, timeout, totals) {
            // The others can still be reached.
            Err(error @ Error::Unroutable { .. }) => eprintln!("zx: {error}; message dropped"),
            sent => drop(sent?),
        }
    }
    Ok(())
}
