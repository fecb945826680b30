//! The commands that are a socket each.
//!
//! | file | sockets |
//! |---|---|
//! | `send` | PUB PUSH RADIO SCATTER: from standard input to the socket |
//! | `receive` | SUB PULL DISH GATHER: from the socket to standard output |
//! | `request` | REQ: a message from standard input, its reply to standard output |
//! | `reply` | REP: a request to standard output, its reply from standard input or a command |
//! | `record` | SUB or PULL: from the socket to a file |
//! | `replay` | PUB or PUSH: from a file to the socket |
//! | `both` | all others: both ways at the same time |

pub(crate) mod both;
pub(crate) mod receive;
pub(crate) mod record;
pub(crate) mod replay;
pub(crate) mod reply;
pub(crate) mod request;
pub(crate) mod send;

use std::io::{self, StdoutLock};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use zeroxide::{ErrorKind, Message, Socket, SocketType};

use crate::attach::{AttachArgs, Attached};
use crate::exit::Outcome;
use crate::format::{FormatArgs, Writer, now};
use crate::notices::Say;
use crate::time::duration;
use crate::totals::Totals;

/// What every socket command takes.
#[derive(Args, Clone, Debug)]
pub(crate) struct SocketArgs {
    #[command(flatten)]
    pub(crate) attach: AttachArgs,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
    /// End after so many messages
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) count: Option<u64>,
    /// Give up (exit code 2) when there is no message, no peer or no room for so long: 5, 250ms, 2m
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,
}

/// A socket that works, and what it has moved.
struct Working {
    attached: Attached,
    totals: Arc<Totals>,
    count: Option<u64>,
    timeout: Option<Duration>,
}

impl SocketArgs {
    fn open(&self, t: SocketType, prepare: impl FnOnce(&Socket) -> Outcome) -> Outcome<Working> {
        let attached = self.attach.open(t, prepare)?;
        Ok(Working { attached, totals: Arc::new(Totals::new()), count: self.count, timeout: self.timeout })
    }

    fn writer(&self, t: SocketType) -> Writer<StdoutLock<'static>> {
        Writer::new(self.format.output(t), io::stdout().lock())
    }
}

impl Working {
    fn socket(&self) -> &Socket {
        &self.attached.socket
    }

    /// Returns whether so many messages are all that were asked for.
    fn is_enough(&self, messages: u64) -> bool {
        self.count.is_some_and(|count| messages >= count)
    }

    /// Sends a message, and returns how many were sent.
    fn send(&self, message: Message) -> Outcome<u64> {
        Ok(send_one(self.socket(), message, self.timeout, &self.totals)?)
    }

    /// Returns the next message. Before it waits for one, it writes what is in the buffer of `out`.
    fn recv(&self, out: &mut Writer<StdoutLock<'static>>) -> Outcome<Message> {
        match self.socket().try_recv() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            received => return Ok(received?),
        }
        out.flush()?;
        Ok(match self.timeout {
            Some(limit) => self.socket().recv_timeout(limit)?,
            None => self.socket().recv()?,
        })
    }

    /// Receives messages and writes them, until there are enough.
    fn receive_all(&self, out: &mut Writer<StdoutLock<'static>>) -> Outcome {
        loop {
            let message = self.recv(out)?;
            out.write(&message, now())?;
            if self.is_enough(self.totals.add_received(&message)) {
                return Ok(());
            }
        }
    }

    /// Closes the socket. Prints the totals if a signal has ended the command, or every event is printed.
    fn close(self, done: Outcome) -> Outcome {
        let (say, stop) = (self.attached.say, self.attached.stop.clone());
        let closed = self.attached.close(self.timeout);
        if say == Say::All || stop.is_by_signal() && say != Say::Errors {
            eprintln!("zx: {}", self.totals);
        }
        done.and(closed)
    }
}

/// Sends a message, and returns how many were sent.
fn send_one(
    socket: &Socket,
    message: Message,
    timeout: Option<Duration>,
    totals: &Totals,
) -> zeroxide::Result<u64> {
    let size = message.size();
    match timeout {
        Some(limit) => socket.send_timeout(message, limit),
        None => socket.send(message),
    }?;
    Ok(totals.add_sent(size))
}
