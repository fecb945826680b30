//! What `route` chose for `commit`, for the types that send each message to at most one peer.

use zeroxide_zmtp::{Frame, Message};

use crate::{Cause, PipeId, Pipes};

/// The state between the two steps of sending.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Chosen {
    /// No message is being sent.
    #[default]
    Nothing,
    /// The message goes to this pipe, where one credit is reserved.
    Pipe(PipeId),
    /// The message will be dropped: the rules require it, or the pipe is gone since `route`.
    Drop(Option<PipeId>, Cause),
}

impl Chosen {
    /// Returns whether a message is being sent.
    #[inline]
    pub(crate) fn is_some(self) -> bool {
        self != Chosen::Nothing
    }

    /// Moves the message. Returns the pipe that it was written to.
    #[inline]
    pub(crate) fn commit<P: Pipes>(&mut self, message: &mut Message, pipes: &mut P) -> Option<PipeId> {
        match std::mem::take(self) {
            Chosen::Pipe(pipe) => {
                pipes.write(pipe, message);
                Some(pipe)
            }
            Chosen::Drop(pipe, cause) => {
                drop_message(pipe, cause, std::mem::take(message), pipes);
                None
            }
            Chosen::Nothing => {
                debug_assert!(false, "commit follows route");
                drop_message(None, Cause::NoPeer, std::mem::take(message), pipes);
                None
            }
        }
    }

    /// Replaces the chosen pipe: the message will be dropped for `cause` instead.
    pub(crate) fn refuse<P: Pipes>(&mut self, cause: Cause, pipes: &mut P) {
        if let Chosen::Pipe(pipe) = *self {
            pipes.release(pipe);
            *self = Chosen::Drop(Some(pipe), cause);
        }
    }

    /// Releases the reservation: no message follows.
    pub(crate) fn release<P: Pipes>(&mut self, pipes: &mut P) {
        if let Chosen::Pipe(pipe) = std::mem::take(self) {
            pipes.release(pipe);
        }
    }

    /// Forgets a detached pipe. Its number may be given to another pipe, and its credit no longer exists.
    pub(crate) fn forget(&mut self, pipe: PipeId) {
        match *self {
            Chosen::Pipe(p) if p == pipe => *self = Chosen::Drop(None, Cause::PeerLost),
            Chosen::Drop(Some(p), cause) if p == pipe => *self = Chosen::Drop(None, cause),
            _ => {}
        }
    }
}

/// Counts one dropped message, and releases its memory outside the lock.
#[cold]
pub(crate) fn drop_message<P: Pipes>(pipe: Option<PipeId>, cause: Cause, message: Message, pipes: &mut P) {
    pipes.dropped(pipe, cause);
    pipes.discard(message);
}

/// Releases a frame that is no longer needed. Dropping a shared frame may run code of the application, so that must
/// wait until the socket's lock is released.
pub(crate) fn drop_frame<P: Pipes>(frame: Frame, pipes: &mut P) {
    if frame.is_shared() {
        pipes.discard(frame.into());
    }
}
