//! Connections without ZMTP (STREAM, ROUTER_RAW; libzmq raw_engine.cpp): bytes in, bytes out.

use crate::{Frame, Message};

/// The longest chunk that is delivered as one message: libzmq's default read size (`IN_BATCH_SIZE`).
pub(crate) const CHUNK: usize = 8192;

/// Takes the next chunk from `input`.
pub(crate) fn chunk(input: &mut &[u8]) -> Option<Message> {
    let (chunk, rest) = input.split_at(input.len().min(CHUNK));
    *input = rest;
    (!chunk.is_empty()).then(|| Frame::copy_from(chunk).into())
}
