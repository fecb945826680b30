//! Pipes that wait for a place: that of the one peer of a PAIR, or a routing id that another pipe has.

use zeroxide_zmtp::Traffic;

use crate::{Cause, PipeId, Pipes};

/// While so many pipes wait, the messages of one whose peer is lost are not kept: peers that connect, send and leave, again and
/// again, would fill the memory although the application receives.
pub(crate) const MOST: usize = 64;

/// Drops and counts what is unread in a pipe whose peer is lost, and detaches it.
pub(crate) fn give_up<P: Pipes>(pipe: PipeId, pipes: &mut P) {
    while let Some(traffic) = pipes.read(pipe) {
        if let Traffic::Message(message) = traffic {
            pipes.dropped(Some(pipe), Cause::Unwanted);
            pipes.discard(message);
        }
    }
    pipes.close(pipe);
}
