//! REQ: a message from standard input, and its reply to standard output.

use std::io::StdoutLock;
use std::time::Duration;

use clap::Args;
use zeroxide::SocketType;

use super::{SocketArgs, Working};
use crate::exit::Outcome;
use crate::format::{Writer, now};
use crate::source::{Source, SourceArgs};

/// What `req` takes.
#[derive(Args, Clone, Debug)]
pub(crate) struct ReqArgs {
    #[command(flatten)]
    socket: SocketArgs,
    #[command(flatten)]
    source: SourceArgs,
}

pub(crate) fn run(arguments: &ReqArgs) -> Outcome {
    let t = SocketType::Req;
    let again = arguments.socket.count.is_some();
    let mut source = arguments.source.open(&arguments.socket.format, t, false, again)?;
    let working = arguments.socket.open(t, |_| Ok(()))?;
    let mut out = arguments.socket.writer(t);
    let done = exchange_all(&working, &mut source, &mut out);
    working.close(done)
}

fn exchange_all(working: &Working, source: &mut Source, out: &mut Writer<StdoutLock<'static>>) -> Outcome {
    let limit = working.timeout.unwrap_or(Duration::MAX);
    while let Some(request) = source.next(&working.attached.stop)? {
        let size = request.size();
        let reply = working.socket().request(request, limit).map_err(|refused| refused.error)?;
        working.totals.add_sent(size);
        out.write(&reply, now())?;
        out.flush()?;
        if working.is_enough(working.totals.add_received(&reply)) {
            break;
        }
    }
    Ok(())
}
