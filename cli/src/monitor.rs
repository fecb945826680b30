//! `zx monitor`: the events of a socket on standard output.

use std::io::{self, Write};
use std::time::{Duration, SystemTime};

use clap::Args;
use serde::Serialize;
use zeroxide::{Event, SocketType};

use crate::attach::AttachArgs;
use crate::exit::Outcome;
use crate::format::now;
use crate::notices::line;
use crate::time::duration;

/// What `monitor` takes.
#[derive(Args, Clone, Debug)]
pub(crate) struct MonitorArgs {
    #[command(flatten)]
    attach: AttachArgs,
    /// The type of the socket. A REQ that sends nothing disturbs nobody
    #[arg(long = "as", value_name = "TYPE", default_value = "REQ", value_parser = crate::doctor::socket_type)]
    own: SocketType,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
    /// End after so many events
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// Give up (exit code 2) when nothing happens for so long
    #[arg(long, value_name = "TIME", value_parser = duration)]
    timeout: Option<Duration>,
}

/// An event as JSON has it.
#[derive(Serialize)]
struct Object<'a> {
    time: f64,
    event: &'a str,
    connection: u64,
    local: &'a str,
    remote: &'a str,
    text: &'a str,
}

pub(crate) fn run(arguments: &MonitorArgs) -> Outcome {
    let mut monitor = None;
    let attached = arguments.attach.open(arguments.own, |socket| {
        monitor = Some(socket.monitor());
        Ok(())
    })?;
    let Some(monitor) = monitor else { return Ok(()) };
    let mut out = io::stdout().lock();
    for n in 1_u64.. {
        let event = match arguments.timeout {
            Some(limit) => monitor.recv_timeout(limit)?,
            None => monitor.recv()?,
        };
        if attached.stop.is_by_signal() {
            break;
        }
        writeln!(out, "{}", shown(&event, arguments.json))?;
        out.flush()?;
        if arguments.count == Some(n) {
            break;
        }
    }
    attached.close(Some(Duration::ZERO))
}

fn shown(event: &Event, json: bool) -> String {
    let text = line(event);
    if !json {
        let time = humantime::format_rfc3339_millis(SystemTime::now());
        return format!("{time}  {text}");
    }
    let kind = format!("{:?}", event.kind);
    let name = kind.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    let (local, remote) = (event.local.as_str(), event.remote.as_str());
    let object =
        Object { time: now(), event: name, connection: event.connection, local, remote, text: &text };
    serde_json::to_string(&object).unwrap_or_default()
}
