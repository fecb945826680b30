//! What happens to the connections of a socket, on standard error.
//!
//! Without a flag only problems: each failure once, and once more that the peer is there after all. A failed connect is no error,
//! because dialling goes on; but whoever waits wants to know.

use std::collections::HashSet;
use std::thread::{self, JoinHandle};

use zeroxide::{Event, EventKind, Monitor, Socket};

use crate::words;

/// How much to print on standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Say {
    /// Errors that end the command.
    Errors,
    /// Problems, too.
    Problems,
    /// Every event.
    All,
}

/// Prints events until the socket is closed.
pub(crate) struct Notices(Option<JoinHandle<()>>);

impl Notices {
    pub(crate) fn of(socket: &Socket, say: Say) -> Notices {
        if say == Say::Errors {
            return Notices(None);
        }
        let monitor = socket.monitor();
        Notices(Some(thread::spawn(move || print_all(&monitor, say))))
    }

    /// Waits for the last event. The socket must be closed.
    pub(crate) fn end(self) {
        if let Some(thread) = self.0 {
            let _ = thread.join(); // a panic there was printed
        }
    }
}

fn print_all(monitor: &Monitor, say: Say) {
    let mut problems = Problems::default();
    for event in monitor {
        let text = if say == Say::All { Some(line(&event)) } else { problems.notice(&event) };
        if let Some(text) = text {
            eprintln!("zx: {text}");
        }
    }
}

/// The problems that were printed.
#[derive(Default)]
struct Problems {
    printed: HashSet<String>,
    /// Endpoints with a problem.
    failing: HashSet<String>,
}

impl Problems {
    /// Returns what to print about an event, if it is a problem that was not printed before, or its end.
    fn notice(&mut self, event: &Event) -> Option<String> {
        match &event.kind {
            EventKind::ConnectFailed(_) | EventKind::HandshakeFailed(_) => {
                self.failing.insert(event.remote.clone());
            }
            EventKind::HandshakeSucceeded { .. } => {
                return self.failing.remove(&event.remote).then(|| line(event));
            }
            // A bind that fails is an error of the command.
            EventKind::Exposed | EventKind::AcceptFailed(_) | EventKind::TurnedAway(_) => {}
            _ => return None,
        }
        let text = line(event);
        self.printed.insert(problem(event, &text)).then_some(text)
    }
}

/// Returns what makes an event another problem than one before. A peer that comes again has another port each time.
fn problem(event: &Event, text: &str) -> String {
    let accepted = match &event.kind {
        EventKind::HandshakeFailed(error) => !error.connecting,
        EventKind::TurnedAway(_) => true,
        _ => false,
    };
    if accepted { text.replacen(&event.remote, "", 1) } else { text.to_owned() }
}

/// Returns an event as one line.
pub(crate) fn line(event: &Event) -> String {
    let (local, remote) = (&event.local, &event.remote);
    match &event.kind {
        EventKind::Listening => format!("{local}: listening"),
        EventKind::Exposed => {
            format!("{local}: anybody who reaches it may come in (see --curve-server and --users)")
        }
        EventKind::BindFailed(error) => format!("{local}: bind failed: {error}"),
        EventKind::Accepted => format!("{remote}: accepted"),
        EventKind::AcceptFailed(error) => format!("{local}: accept failed: {error}"),
        EventKind::TurnedAway(_) => {
            format!("{remote}: turned away, too many connections are in their handshake (MAX_HANDSHAKES)")
        }
        EventKind::Filtered(_) => format!("{remote}: turned away by an accept filter"),
        EventKind::ListenerClosed => format!("{local}: no longer listening"),
        EventKind::ConnectDelayed => format!("{remote}: connecting"),
        EventKind::Connected => format!("{remote}: connected, handshake follows"),
        EventKind::ConnectFailed(error) => format!("{remote}: {error}; trying again"),
        EventKind::ConnectRetried { after, attempt } => {
            format!("{remote}: attempt {attempt} in {}", humantime::format_duration(*after))
        }
        EventKind::HandshakeSucceeded { .. } => format!("{remote}: peer is there"),
        EventKind::HandshakeFailed(error) => words::handshake(error),
        EventKind::Disconnected { why, .. } => format!("{remote}: peer is gone: {why}"),
        EventKind::Closed => "closed".to_owned(),
        other => format!("{remote}: {other:?}"),
    }
}
