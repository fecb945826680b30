//! Proof of what clippy.toml bans: an `expect` that is not fulfilled fails `cargo clippy -- -D warnings`.
//!
//! Nothing here runs. Take a row out of clippy.toml, and clippy fails on its function.
#![allow(dead_code)]

use std::io::{IoSlice, Result, Write};
use std::net::TcpStream;
use std::time::Duration;

#[expect(clippy::disallowed_methods)]
fn sleep() {
    std::thread::sleep(Duration::ZERO);
}

#[expect(clippy::disallowed_methods)]
fn park() {
    std::thread::park();
}

#[expect(clippy::disallowed_methods)]
fn park_timeout() {
    std::thread::park_timeout(Duration::ZERO);
}

#[expect(clippy::disallowed_methods)]
fn poll(poll: &mut mio::Poll, events: &mut mio::Events) -> Result<()> {
    poll.poll(events, None)
}

#[expect(clippy::disallowed_methods)]
fn write_vectored(stream: &mut TcpStream, parts: &[IoSlice<'_>]) -> Result<usize> {
    stream.write_vectored(parts)
}

#[cfg(target_os = "linux")]
#[expect(clippy::disallowed_methods)]
fn writev(stream: &TcpStream, parts: &[IoSlice<'_>]) -> rustix::io::Result<usize> {
    rustix::io::writev(stream, parts)
}

#[expect(clippy::disallowed_methods)]
fn unbounded() {
    drop(crossbeam_channel::unbounded::<u8>());
}

#[expect(clippy::disallowed_methods)]
fn unbounded_channel() {
    drop(tokio::sync::mpsc::unbounded_channel::<u8>());
}

#[expect(clippy::disallowed_types)]
struct Waits(std::sync::Condvar);
