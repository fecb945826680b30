//! What `route` chose and `commit` carries out, for the types that send each message to one peer at most.

use zeroxide_zmtp::{Frame, Message};

use crate::{Cause, PipeId, Pipes};

/// The state between the two steps of sending.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Chosen {
    /// No message is under way.
    #[default]
    Nothing,
    /// One credit of this pipe is reserved.
    Pipe(PipeId),
    /// The message will be dropped: the rules say so, or the pipe has gone since.
    Drop(Option<PipeId>, Cause),
}

impl Chosen {
    /// Whether a message is under way.
    #[inline]
    pub(crate) fn is_some(self) -> bool {
        self != Chosen::Nothing
    }

    /// Moves the message. Returns the pipe that took it.
    #[inline]
    pub(crate) fn commit<P: Pipes>(&mut self, message: Message, pipes: &mut P) -> Option<PipeId> {
        match std::mem::take(self) {
            Chosen::Pipe(pipe) => {
                pipes.write(pipe, message);
                Some(pipe)
            }
            Chosen::Drop(pipe, cause) => {
                drop_message(pipe, cause, message, pipes);
                None
            }
            Chosen::Nothing => {
                debug_assert!(false, "commit follows route");
                drop_message(None, Cause::NoPeer, message, pipes);
                None
            }
        }
    }

    /// Takes the choice of a pipe back: the message will be dropped for `cause` instead.
    pub(crate) fn refuse<P: Pipes>(&mut self, cause: Cause, pipes: &mut P) {
        if let Chosen::Pipe(pipe) = *self {
            pipes.release(pipe);
            *self = Chosen::Drop(Some(pipe), cause);
        }
    }

    /// Gives back what was reserved.
    pub(crate) fn rollback<P: Pipes>(&mut self, pipes: &mut P) {
        if let Chosen::Pipe(pipe) = std::mem::take(self) {
            pipes.release(pipe);
        }
    }

    /// `pipe` is detached: its number may mean another pipe from now on, and its credit went with it.
    pub(crate) fn forget(&mut self, pipe: PipeId) {
        match *self {
            Chosen::Pipe(p) if p == pipe => *self = Chosen::Drop(None, Cause::PeerLost),
            Chosen::Drop(Some(p), cause) if p == pipe => *self = Chosen::Drop(None, cause),
            _ => {}
        }
    }
}

/// Counts one dropped message and puts it aside.
#[cold]
pub(crate) fn drop_message<P: Pipes>(pipe: Option<PipeId>, cause: Cause, message: Message, pipes: &mut P) {
    pipes.dropped(pipe, cause);
    pipes.discard(message);
}

/// Puts aside a frame that has done its work. Dropping a shared one may run code of its creator, which must wait until
/// the socket's lock is released.
pub(crate) fn drop_frame<P: Pipes>(frame: Frame, pipes: &mut P) {
    if frame.is_shared() {
        pipes.discard(frame.into());
    }
}
