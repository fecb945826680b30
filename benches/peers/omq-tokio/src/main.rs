//! omq-tokio in `cargo xtask bench compare`: on the caller's runtime of one thread (mode `tokio`), or by its calls that block, with
//! one I/O thread (mode `blocking`). Sends and receives try first and wait then, as its own benchmarks do.

mod blocking;
mod tasks;

use std::process::ExitCode;

use cell::{Kind, Spec};
use omq_tokio::message::MAX_INLINE_MESSAGE;
use omq_tokio::{CurveKeypair, CurveSecretKey, Message, Options, SocketType};

fn main() -> ExitCode {
    match cell::specs() {
        Ok(specs) if specs[0].mode == "blocking" => cell::program::<blocking::Blocking>(&specs),
        Ok(specs) => cell::program::<tasks::Tasks>(&specs),
        Err(code) => code,
    }
}

fn socket_type(spec: &Spec) -> SocketType {
    match spec.kind {
        Kind::Push => SocketType::Push,
        Kind::Pull => SocketType::Pull,
        Kind::Pub => SocketType::Pub,
        Kind::Sub => SocketType::Sub,
        Kind::Req => SocketType::Req,
        Kind::Rep => SocketType::Rep,
        Kind::Dealer => SocketType::Dealer,
        Kind::Router => SocketType::Router,
    }
}

/// Those of its own benchmarks: a PUB waits for slow subscribers. It takes keys as bytes.
fn options(spec: &Spec) -> Options {
    let mut options = Options::default();
    options.xpub_nodrop = spec.kind == Kind::Pub;
    match (&spec.curve, spec.binds()) {
        (None, _) => options,
        (Some(_), true) => options.curve_server(keys(1)),
        (Some(_), false) => options.curve_client(keys(2), keys(1).public),
    }
}

fn keys(byte: u8) -> CurveKeypair {
    let secret = CurveSecretKey::from_bytes([byte; 32]);
    CurveKeypair { public: secret.derive_public(), secret }
}

/// A short body is part of its message, a longer one is shared.
fn body(bytes: &[u8]) -> Message {
    if bytes.len() <= MAX_INLINE_MESSAGE {
        Message::from_slice(bytes)
    } else {
        Message::single(bytes::Bytes::copy_from_slice(bytes))
    }
}
