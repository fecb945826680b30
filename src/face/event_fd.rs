//! ZMQ_FD: a descriptor that becomes readable when what a socket can do may have changed.
//!
//! It is an edge: it is signalled by the first change after it was armed, and arming takes the signal back. Whoever asks
//! for ZMQ_EVENTS, or is refused by a send or receive, arms it first and looks then, so no change falls between.

use std::os::fd::RawFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Result};
use crate::io::signaler::{FdParker, Signal, Sleeper, Ticket};
use crate::poller::{Ready, readiness};
use crate::socket::base::SocketBase;

/// The descriptor of one socket, once somebody has asked for it.
#[derive(Default)]
pub(crate) struct EventFd(Mutex<Option<Bell>>);

/// A poll whose own descriptor tells that its waker was used.
struct Bell {
    poll: FdParker,
    ticket: Option<Ticket>,
}

impl EventFd {
    fn lock(&self) -> MutexGuard<'_, Option<Bell>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bell {
    /// Silent until the next change.
    fn arm(&mut self, changes: &Signal) {
        // What is broken here shows where the application polls.
        let _ = self.poll.look(0).map(drop);
        if let Some(ticket) = self.ticket.take() {
            changes.cancel(ticket);
        }
        self.ticket = Some(changes.register(self.poll.waiter()));
    }

    fn ring(&self) {
        if let crate::io::signaler::Waiter::Task(waker) = self.poll.waiter() {
            waker.wake();
        }
    }
}

impl SocketBase {
    /// The descriptor, made when it is first asked for. It is signalled at once if there is something to do.
    pub(crate) fn event_descriptor(self: &Arc<Self>) -> Result<RawFd> {
        self.enter(|state| state.alive())?;
        self.context.check_process()?;
        let mut bell = self.event_fd.lock();
        if let Some(bell) = &*bell {
            return Ok(bell.poll.descriptor());
        }
        let mut made = Bell { poll: FdParker::new().map_err(Error::Limit)?, ticket: None };
        made.arm(&self.watch);
        let descriptor = made.poll.descriptor();
        *bell = Some(made);
        drop(bell);
        if !readiness(self, Ready::IN | Ready::OUT)?.is_none() {
            if let Some(bell) = &*self.event_fd.lock() {
                bell.ring();
            }
        }
        Ok(descriptor)
    }

    /// Takes the signal back; `true` when there is a descriptor. Look at the state after this.
    pub(crate) fn rearm_event_fd(&self) -> bool {
        let mut bell = self.event_fd.lock();
        if let Some(bell) = &mut *bell {
            bell.arm(&self.watch);
        }
        bell.is_some()
    }
}
