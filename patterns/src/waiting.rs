//! Pipes that wait for a place: that of the one peer of a PAIR, or a routing id that another pipe has.

use zeroxide_zmtp::Traffic;

use crate::{PipeId, Pipes};

/// The most pipes that may wait before messages of lost peers are dropped. Without a bound, peers that connect, send and leave
/// again and again would fill the memory although the application receives.
pub(crate) const MOST: usize = 64;

/// The peer of `pipe` is lost, which is one of those `waiting`, if it waits at all. If too many wait, what is unread in the
/// pipe is dropped and counted, and the pipe is closed.
pub(crate) fn ended<P: Pipes>(
    pipe: PipeId,
    mut waiting: impl ExactSizeIterator<Item = PipeId>,
    pipes: &mut P,
) {
    if waiting.len() <= MOST || !waiting.any(|waits| waits == pipe) {
        return;
    }
    while let Some(traffic) = pipes.read(pipe) {
        if let Traffic::Message(message) = traffic {
            pipes.reject(pipe, message);
        }
    }
    pipes.close(pipe);
}
