//! `zx doctor`: why an endpoint does not work, step by step, and what to do.
//!
//! | step | asks |
//! |---|---|
//! | address | does the name have an address? |
//! | connect | does a program listen there? |
//! | greeting | does it speak ZMTP, and which version? (`greeting`) |
//! | mechanism | does it want what this side offers? |
//! | handshake | does it let this side in, and what type has it? (`probe`) |
//! | round trip | how long does a PING take? (`ping`) |
//!
//! Nothing is sent to the peer's application, and none of its messages is taken: it is never connected to with a type to which the
//! peer would send work or requests.

mod found;
mod greeting;
mod ping;
mod probe;
mod stream;

use std::time::{Duration, Instant};

use clap::Args;
use zeroxide::{Endpoint, SocketType};

use crate::exit::{End, Outcome};
use crate::security::SecurityArgs;
use crate::time::duration;
use crate::words;
use found::Found;
use greeting::Greeting;
use stream::Stream;

/// What `doctor` takes.
#[derive(Args, Clone, Debug)]
pub(crate) struct DoctorArgs {
    /// The endpoint to look at, such as tcp://127.0.0.1:5555
    #[arg(value_name = "ENDPOINT")]
    endpoint: String,
    /// The type of your socket, such as SUB: whether it fits the peer
    #[arg(long = "as", value_name = "TYPE", value_parser = socket_type)]
    own: Option<SocketType>,
    /// How long each step may take
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "3s")]
    timeout: Duration,
    #[command(flatten)]
    security: SecurityArgs,
}

/// Returns the type with this name, in capitals or not.
pub(crate) fn socket_type(text: &str) -> Result<SocketType, String> {
    text.to_ascii_uppercase().parse().map_err(|_| "no socket type; try SUB, PULL, REQ or DEALER".to_owned())
}

pub(crate) fn run(arguments: &DoctorArgs) -> Outcome {
    let endpoint = Endpoint::parse_connect(&arguments.endpoint).map_err(End::failed)?;
    let limit = arguments.timeout;
    let addresses = step("address", || stream::addresses(&endpoint))?;
    let mut stream = step("connect", || connect(&addresses, limit))?;
    let greeting = step("greeting", || greet(&mut stream, limit))?;
    drop(stream);
    step("mechanism", || mechanism(&greeting, &arguments.security))?;
    let peer = step("handshake", || probe::peer(&endpoint, &arguments.security, limit))?;
    if let Some(own) = arguments.own {
        step("type", || fits(own, peer))?;
    }
    step("round trip", || round_trip(&addresses, &greeting, peer, limit)).map(drop)
}

/// Runs a step and prints what it has found.
fn step<T>(name: &str, run: impl FnOnce() -> Outcome<Found<T>>) -> Outcome<T> {
    match run() {
        Ok(found) => {
            println!("ok    {name:<11} {}", found.text);
            Ok(found.value)
        }
        Err(end) => {
            println!("FAIL  {name:<11} {}", end.text().unwrap_or("stopped"));
            Err(End::Printed(end.exit()))
        }
    }
}

/// Connects to the first address that listens.
fn connect(addresses: &[stream::Address], limit: Duration) -> Outcome<Found<Stream>> {
    let mut failure = None;
    for address in addresses {
        let start = Instant::now();
        match Stream::connect(address, limit) {
            Ok(stream) => return Ok(Found::new(format!("{address} in {}", millis(start.elapsed())), stream)),
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    Err(failure.unwrap_or_else(|| End::failed("there is no address")))
}

fn greet(stream: &mut Stream, limit: Duration) -> Outcome<Found<Greeting>> {
    let greeting = greeting::exchange(stream, limit)?;
    let text = match greeting.version {
        (3, 0) => "ZMTP 3.0 (libzmq 4.0 to 4.3.2, JeroMQ)".to_owned(),
        (3, 1) => "ZMTP 3.1 (libzmq since 4.3.3, Zeroxide)".to_owned(),
        (major, minor) => format!("ZMTP {major}.{minor}"),
    };
    Ok(Found::new(text, greeting))
}

fn mechanism(greeting: &Greeting, security: &SecurityArgs) -> Outcome<Found<()>> {
    let ours = security.mechanism();
    if greeting.mechanism == ours.to_string() {
        return Ok(Found::new(greeting.mechanism.clone(), ()));
    }
    let advice = words::mismatch(greeting.mechanism.as_bytes(), ours, true);
    let unknown = || format!("peer wants {}, which is not known here", greeting.mechanism);
    Err(End::failed(advice.unwrap_or_else(unknown)))
}

fn fits(own: SocketType, peer: Option<SocketType>) -> Outcome<Found<()>> {
    match peer {
        Some(peer) if own.talks_to(peer) => Ok(Found::new(format!("{own} talks to {peer}"), ())),
        Some(peer) => {
            let names = peer.peers().iter().map(|t| t.name()).collect::<Vec<_>>().join(", ");
            Err(End::failed(format!("{own} does not talk to {peer}; use {names}")))
        }
        None => Ok(Found::new("the peer does not say its type", ())),
    }
}

fn round_trip(
    addresses: &[stream::Address],
    greeting: &Greeting,
    peer: Option<SocketType>,
    limit: Duration,
) -> Outcome<Found<()>> {
    let Some(own) = peer.and_then(probe::harmless).filter(|_| greeting.mechanism == "NULL") else {
        return Ok(Found::new("not measured: it needs NULL, and a peer that does not send work", ()));
    };
    let mut stream = connect(addresses, limit)?.value;
    greeting::exchange(&mut stream, limit)?;
    let measured = greeting::finish(&mut stream).and_then(|()| ping::round_trip(&mut stream, own, limit));
    Ok(match measured {
        Ok(time) => Found::new(millis(time), ()),
        Err(_) => Found::new("not measured: the peer does not reply to PING", ()),
    })
}

pub(crate) fn millis(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1e3)
}
