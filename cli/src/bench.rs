//! `zx bench`: round trips and throughput, against a second process of its own or any peer.
//!
//! | file | holds |
//! |---|---|
//! | `measure` | the loops, and what they measure |
//! | `report` | the result as text and as JSON |
//! | `chart` | a distribution as bars, on the terminal and as SVG |
//! | `page` | the result as one HTML page |

mod chart;
mod measure;
mod page;
mod report;

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use clap::{Args, ValueEnum};
use zeroxide::{Context, Endpoint, Options, Socket, SocketType, opt};

use crate::attach::{attach_failed, context};
use crate::exit::{End, Outcome};
use crate::files::not_written;
use crate::stop::Stop;
use crate::time::duration;
pub(crate) use measure::Kind;
use measure::Plan;
use report::Report;

/// What `bench` takes.
#[derive(Args, Clone, Debug)]
pub(crate) struct BenchArgs {
    /// What is measured
    #[arg(value_enum)]
    kind: Kind,
    /// Measure with the peer at this endpoint, not with a second process: for `latency` it replies with the request, as
    /// `zx rep --echo` does; for `throughput` it pushes
    #[arg(short, long, value_name = "ENDPOINT")]
    connect: Option<String>,
    /// The bytes of each message
    #[arg(short, long, value_name = "BYTES", default_value_t = 64)]
    size: usize,
    /// How long to measure
    #[arg(short, long, value_name = "TIME", value_parser = duration, default_value = "3s")]
    duration: Duration,
    /// How the two processes are connected: tcp://127.0.0.1:* or ipc://*
    #[arg(long, value_name = "ENDPOINT", default_value = "tcp://127.0.0.1:*", conflicts_with = "connect")]
    over: String,
    /// The result as one JSON object
    #[arg(long)]
    json: bool,
    /// Write the result with a chart into this file, too
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// What the second process takes.
#[derive(Args, Clone, Debug)]
pub(crate) struct PeerArgs {
    #[arg(value_enum)]
    kind: Kind,
    endpoint: String,
    size: usize,
}

pub(crate) fn run(arguments: &BenchArgs) -> Outcome {
    let context = context()?;
    let stop = Stop::at_signals(&context)?;
    let own = match arguments.kind {
        Kind::Latency => SocketType::Req,
        Kind::Throughput => SocketType::Pull,
    };
    let socket = context.socket_with(own, &Options::new().set(opt::LINGER, Some(Duration::ZERO)))?;
    let (endpoint, _peer) = meet(&socket, arguments)?;
    let plan = Plan { socket, size: arguments.size, duration: arguments.duration, quiet: arguments.json };
    let measured = match arguments.kind {
        Kind::Latency => measure::latency(&plan),
        Kind::Throughput => measure::throughput(&plan),
    };
    let measured = match measured {
        // What was measured until a signal counts, if there is any.
        Err(End::Stopped) if stop.is_by_signal() => {
            return Err(End::failed("stopped before anything was measured"));
        }
        measured => measured?,
    };
    let report = Report::new(arguments.kind, &endpoint, measured);
    println!("{}", if arguments.json { report.json()? } else { report.text() });
    if let Some(path) = &arguments.html {
        std::fs::write(path, page::html(&report)).map_err(|error| not_written(path, &error))?;
    }
    Ok(())
}

/// The second process; it ends with this one.
struct Peer(Child);

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.0.kill(); // it may have ended
        let _ = self.0.wait();
    }
}

/// Connects to the peer, or starts one that connects to this socket. Returns the endpoint.
fn meet(socket: &Socket, arguments: &BenchArgs) -> Outcome<(Endpoint, Option<Peer>)> {
    if let Some(text) = &arguments.connect {
        let endpoint = socket.connect(text).map_err(|error| attach_failed(error, text))?;
        return Ok((endpoint, None));
    }
    let endpoint = socket.bind(&arguments.over).map_err(|error| attach_failed(error, &arguments.over))?;
    let kind = arguments.kind.to_possible_value();
    let kind = kind.as_ref().map_or("latency", |value| value.get_name());
    let failed = |error| End::failed(format!("cannot start a second process: {error}"));
    let mut command = Command::new(std::env::current_exe().map_err(failed)?);
    command.args(["bench-peer", kind, &endpoint.connectable().to_string(), &arguments.size.to_string()]);
    // It notices by its standard input that this process has ended.
    let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().map_err(failed)?;
    Ok((endpoint, Some(Peer(child))))
}

/// Runs the second process, until its standard input ends.
pub(crate) fn run_peer(arguments: &PeerArgs) -> Outcome {
    let context = context()?;
    end_with_input(context.clone());
    let options = Options::new().set(opt::LINGER, Some(Duration::ZERO));
    match arguments.kind {
        Kind::Latency => {
            let socket = context.socket_with(SocketType::Rep, &options)?;
            socket.connect(&arguments.endpoint)?;
            loop {
                let request = socket.recv()?;
                socket.send(request).map_err(|refused| refused.error)?;
            }
        }
        Kind::Throughput => {
            let socket = context.socket_with(SocketType::Push, &options)?;
            socket.connect(&arguments.endpoint)?;
            let message = zeroxide::Frame::from(vec![b'x'; arguments.size]);
            loop {
                socket.send(message.clone()).map_err(|refused| refused.error)?;
            }
        }
    }
}

fn end_with_input(context: Context) {
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink()); // its end is what matters
        context.shutdown();
    });
}
