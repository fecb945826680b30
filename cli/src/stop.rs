//! Stops a command at a signal, or when nobody reads its standard output.
//!
//! Invariant: a stop shuts the context down. So every call on a socket ends, and every wait in this module ends.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, never, select};
use zeroxide::Context;

use crate::exit::{End, Outcome};
#[cfg(unix)]
use crate::stdout;

/// The type of a channel that carries no message. The channel closes when the command is stopped.
enum Nothing {}

/// Stops a command, and shows whether it was stopped. Clones stop the same command.
#[derive(Clone)]
pub(crate) struct Stop {
    stopped: Receiver<Nothing>,
    by_signal: Arc<AtomicBool>,
    trigger: Arc<Trigger>,
}

impl Stop {
    /// Returns a stop that only [`Stop::now`] triggers.
    pub(crate) fn without_signals(context: &Context) -> Stop {
        let (sender, stopped) = bounded(0);
        let trigger = Arc::new(Trigger { sender: Mutex::new(Some(sender)), context: context.clone() });
        Stop { stopped, by_signal: Arc::default(), trigger }
    }

    /// Stops at SIGINT, SIGTERM, SIGHUP and Ctrl-C, and when nobody reads the standard output any more. A second signal ends the
    /// process at once.
    pub(crate) fn at_signals(context: &Context) -> Outcome<Stop> {
        let stop = Stop::without_signals(context);
        #[cfg(unix)]
        {
            let trigger = Arc::clone(&stop.trigger);
            stdout::when_closed(move || trigger.pull());
        }
        let (by_signal, trigger) = (Arc::clone(&stop.by_signal), Arc::clone(&stop.trigger));
        let handler = move || {
            if by_signal.swap(true, Ordering::SeqCst) {
                std::process::exit(1);
            }
            trigger.pull();
        };
        ctrlc::set_handler(handler)
            .map_err(|error| End::failed(format!("no handler for signals: {error}")))?;
        Ok(stop)
    }

    /// Stops the command.
    pub(crate) fn now(&self) {
        self.trigger.pull();
    }

    /// Returns whether a signal has stopped the command.
    pub(crate) fn is_by_signal(&self) -> bool {
        self.by_signal.load(Ordering::SeqCst)
    }

    /// Waits until `moment`. Returns [`End::Stopped`] as soon as the command is stopped.
    pub(crate) fn wait_until(&self, moment: Instant) -> Outcome {
        match self.stopped.recv_deadline(moment) {
            Err(RecvTimeoutError::Timeout) => Ok(()),
            _ => Err(End::Stopped),
        }
    }

    /// Waits for the next value, at most for `limit`. Returns `None` if the channel is closed, or `limit` has passed, and
    /// [`End::Stopped`] as soon as the command is stopped.
    pub(crate) fn wait_for<T>(&self, values: &Receiver<T>, limit: Option<Duration>) -> Outcome<Option<T>> {
        let timer = limit.map_or_else(never, crossbeam_channel::after);
        select! {
            recv(values) -> value => Ok(value.ok()),
            recv(self.stopped) -> _ => Err(End::Stopped),
            recv(timer) -> _ => Ok(None),
        }
    }
}

struct Trigger {
    sender: Mutex<Option<Sender<Nothing>>>,
    context: Context,
}

impl Trigger {
    fn pull(&self) {
        self.sender.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.context.shutdown();
    }
}
