//! How many messages may be on their way.

use std::fs;

use crate::peer::Failure;
use crate::stage::Stage;
use crate::words::numbered;

/// A high-water mark that was not set (libzmq ZMQ_SNDHWM, ZMQ_RCVHWM).
pub(super) const HWM: u32 = 1000;
/// What an engine reads at once, at most.
const READ_BUFFER: u64 = 64 << 10;
/// What libzmq's engine may have encoded and not written yet (config.hpp `out_batch_size`).
const WRITE_BATCH: u64 = 8 << 10;
/// What the stages of these scenarios ask the system for, each way of each side.
pub(super) const BUFFER: &str = "65536";
/// The most that is handed from one buffer to the next at once.
const SEGMENT: u64 = 64 << 10;
/// What the system's buffers may hold where nothing is known of them.
const LARGE: u64 = 64 << 20;

/// Fails when there are more messages of a kind than both high-water marks, the system's buffers, a read buffer and a
/// batch of libzmq's hold.
pub(super) fn check(stage: &Stage<'_>, kind: &str, count: u32, hwm: u32) -> Result<(), Failure> {
    at_most(stage, kind, count.into(), u64::from(hwm) + most_written(stage, hwm))
}

/// Fails when of what a sender has written more is missing than the receiver's high-water mark, the system's buffers and
/// a read buffer hold.
pub(super) fn check_written(stage: &Stage<'_>, kind: &str, count: u64) -> Result<(), Failure> {
    at_most(stage, kind, count, most_written(stage, HWM))
}

fn at_most(stage: &Stage<'_>, kind: &str, count: u64, most: u64) -> Result<(), Failure> {
    if count <= most {
        return Ok(());
    }
    Err(Failure::Broken { rule: format!("{kind} {count}, at most {most}: {}", stage.setting()) })
}

/// The most numbered messages that can be behind the pipe of a sender, before a receiver with this high-water mark.
fn most_written(stage: &Stage<'_>, hwm: u32) -> u64 {
    u64::from(hwm) + (system_buffers(stage) + READ_BUFFER + WRITE_BATCH) / smallest_average()
}

/// Numbered messages come in rounds of 301 sizes; a flag and a length stand before each frame.
fn smallest_average() -> u64 {
    (0..301).map(|n| numbered(n).len() as u64 + 2).sum::<u64>() / 301
}

/// What the system may hold of a connection, both sides together.
fn system_buffers(stage: &Stage<'_>) -> u64 {
    if stage.setting().transport == "ipc" {
        // Nobody sets them for ipc.
        let [send, receive] = ["core/wmem_default", "core/rmem_default"].map(largest);
        return send.zip(receive).map_or(LARGE, |(send, receive)| send + receive);
    }
    if stage.lacks("SNDBUF") || stage.lacks("RCVBUF") {
        let [send, receive] = ["ipv4/tcp_wmem", "ipv4/tcp_rmem"].map(largest);
        return send.zip(receive).map_or(LARGE, |(send, receive)| send + receive);
    }
    // Linux takes twice what is asked for (socket(7), SO_SNDBUF), and one segment more: it looks at the limit first.
    4 * BUFFER.parse::<u64>().unwrap_or(LARGE) + 2 * SEGMENT
}

/// The last number in a file of the system's settings: the default, or the limit to which a buffer grows.
fn largest(name: &str) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/sys/net/{name}")).ok()?;
    text.split_whitespace().last()?.parse().ok()
}
