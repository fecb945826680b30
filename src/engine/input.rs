//! The way in: reads the stream, and decodes what has come into the pipe.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use zeroxide_transports::pipe::Writer;
use zeroxide_zmtp::{Peer, Traffic};

use super::buffers::{Buffers, Leftover, READ_SIZE};
use super::end::End;
use super::{Driver, State, Turn};
use crate::stats::Counters;

/// The most full reads in one drive, so that one busy stream cannot occupy a thread.
const MAX_ROUNDS: usize = 16;

/// The bytes to read for the header of a body that is likely to be large. The rest of the body is read into its message.
const BRIEF: usize = 4096;

/// The bytes that one item in a pipe takes without its bodies, with what the allocator adds.
const QUEUED: usize = 128;

impl State {
    /// Reads and decodes into the pipe, and flushes it once.
    pub(super) fn drive_in(
        &mut self,
        by: Driver,
        now: Instant,
        buffers: &Buffers,
        turn: &mut Turn,
    ) -> Option<End> {
        let end = self.read(by, now, buffers, turn);
        if let Some(pipe) = &mut self.pipe {
            pipe.writer.came(now);
            turn.input |= pipe.writer.flush();
        }
        end
    }

    fn read(&mut self, by: Driver, now: Instant, buffers: &Buffers, turn: &mut Turn) -> Option<End> {
        if let Some(mut left) = self.leftover.take() {
            match self.decode(left.bytes(), now, turn) {
                Ok(used) => left.start = left.start.saturating_add(used),
                Err(end) => {
                    buffers.give(left.buffer);
                    return Some(end);
                }
            }
            if !left.bytes().is_empty() {
                self.leftover = Some(left);
                return None;
            }
            buffers.give(left.buffer);
        }
        if !self.readable || !self.has_room() {
            return None;
        }
        let mut buffer = match buffers.take() {
            Ok(buffer) => buffer,
            Err(fault) => return Some(End::Protocol(fault.into())),
        };
        for _ in 0..MAX_ROUNDS {
            let known = self.connection.is_ready();
            let brief = known && self.connection.expects_large_body();
            let size = if brief {
                BRIEF
            } else if known {
                READ_SIZE
            } else {
                self.first_read
            };
            let (place, _) = buffer.split_at_mut(size.min(buffer.len()));
            match self.read_into(place, now, turn) {
                Ok((used, read)) if used < read => {
                    let left = Leftover { buffer, start: used, end: read };
                    self.leftover = Some(if known {
                        left
                    } else {
                        // So much of an unknown peer is not worth a whole buffer.
                        let (short, buffer) = left.shortened();
                        buffers.give(buffer);
                        short
                    });
                    return None;
                }
                Ok(_) => {}
                Err(end) => {
                    buffers.give(buffer);
                    return Some(end);
                }
            }
            if !self.readable || !self.has_room() {
                buffers.give(buffer);
                return None;
            }
            if by == Driver::Reactor && !brief {
                break;
            }
        }
        buffers.give(buffer);
        turn.outcome.again = true;
        turn.told = true;
        None
    }

    /// Reads once, into the buffer or into a large body that is incomplete. Returns how many bytes of the buffer were decoded
    /// and how many were read.
    fn read_into(&mut self, buffer: &mut [u8], now: Instant, turn: &mut Turn) -> Result<(usize, usize), End> {
        let Some(stream) = &mut self.stream else { return Ok((0, 0)) };
        let (result, room, direct) = match self.connection.arriving() {
            Some(body) => {
                let room = body.spare_capacity_mut().len();
                (stream.read_body(body), room, true)
            }
            None => (stream.read(buffer), buffer.len(), false),
        };
        let in_vain = matches!(&result, Err(error) if error.kind() == io::ErrorKind::WouldBlock);
        let counter =
            if in_vain && self.listening.is_led() { &self.counters.polls } else { &self.counters.reads };
        Counters::add(counter, 1);
        match result {
            Ok(0) => Err(End::Lost(io::ErrorKind::UnexpectedEof.into())),
            Ok(read) => {
                Counters::add(&self.counters.bytes_read, read as u64);
                self.take_memory(read)?;
                // On Linux, after a short read the next byte sends an edge, and so does the end unless it came with the last
                // edge. On other systems only `WouldBlock` is reliable.
                self.readable = read == room || self.hung_up || !cfg!(target_os = "linux");
                if direct {
                    Counters::add(&self.counters.bytes_direct, read as u64);
                    self.connection.heard(now);
                    return self.decode(&[], now, turn).map(|_| (0, 0));
                }
                let known = self.connection.is_ready();
                #[expect(
                    clippy::indexing_slicing,
                    reason = "as many as were read into it; none must be lost"
                )]
                let arrived = &mut buffer[..read];
                let used = self.decode(arrived, now, turn);
                if !known {
                    // Cleared, because other connections use the buffer next, and a HELLO may have contained a password.
                    let used = *used.as_ref().unwrap_or(&read);
                    arrived.iter_mut().take(used).for_each(|byte| *byte = 0);
                }
                Ok((used?, read))
            }
            Err(_) if in_vain => {
                self.readable = false;
                Ok((0, 0))
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok((0, 0)),
            Err(error) => Err(End::Lost(error.into())),
        }
    }

    /// Decodes while the pipe has room. Returns how many bytes were used.
    fn decode(&mut self, bytes: &[u8], now: Instant, turn: &mut Turn) -> Result<usize, End> {
        let mut input = bytes;
        let mut decoded = 0;
        while self.has_room() {
            if let (Some(pipe), None) = (&mut self.pipe, &self.sender) {
                if let Some(run) = self.connection.decode_run(&mut input, pipe.writer.run_room(), now) {
                    decoded = usize::saturating_add(decoded, run.messages());
                    pipe.writer.write_run(run);
                    continue;
                }
            }
            match self.connection.decode(&mut input, now) {
                Ok(Some(traffic)) => {
                    decoded = usize::saturating_add(decoded, 1);
                    match &mut self.pipe {
                        Some(pipe) => write(&mut pipe.writer, &mut self.sender, traffic),
                        None => self.early = Some(traffic),
                    }
                }
                Ok(None) if input.is_empty() => {
                    self.look_for_ready(turn);
                    break;
                }
                Ok(None) => {}
                Err(fault) => return Err(End::Protocol(fault.into())),
            }
            // A fault behind the handshake is reported for the peer, which must be known by then (has_room).
            self.look_for_ready(turn);
        }
        self.take_memory(decoded.saturating_mul(QUEUED))?;
        Ok(bytes.len().saturating_sub(input.len()))
    }

    fn take_memory(&mut self, bytes: usize) -> Result<(), End> {
        self.headroom.take(bytes).map_err(|fault| End::Protocol(fault.into()))
    }
}

/// Writes an item that has arrived to the pipe. The first message carries `sender`. With CONFLATE every message does,
/// because the first one may be replaced.
#[inline]
pub(super) fn write(writer: &mut Writer, sender: &mut Option<Arc<Peer>>, mut traffic: Traffic) {
    if let (Traffic::Message(message), Some(peer)) = (&mut traffic, sender.as_ref()) {
        message.set_peer(Some(Arc::clone(peer)));
        if !writer.conflates() {
            *sender = None;
        }
    }
    writer.write(traffic);
}
