//! A socket from the command line: its endpoints, options and security; and how it closes.

use std::time::Duration;

use clap::Args;
use crossbeam_channel::{Receiver, bounded};
use zeroxide::{CloseReport, Context, ContextOptions, Error, Options, Socket, SocketType, opt};

use crate::exit::{End, Outcome};
use crate::notices::{Notices, Say};
use crate::security::SecurityArgs;
use crate::stop::Stop;
use crate::totals::counted;
use crate::words;

/// How long a command that was stopped waits for unsent messages.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// Where a socket is bound and connected, and how.
#[derive(Args, Clone, Debug)]
pub(crate) struct AttachArgs {
    /// Endpoints to connect to, such as tcp://127.0.0.1:5555 or ipc:///run/feed
    #[arg(value_name = "ENDPOINT")]
    endpoints: Vec<String>,
    /// Connect to this endpoint; repeatable
    #[arg(short, long, value_name = "ENDPOINT")]
    connect: Vec<String>,
    /// Bind to this endpoint, such as tcp://*:5555; repeatable
    #[arg(short, long, value_name = "ENDPOINT")]
    bind: Vec<String>,
    /// Set an option of docs/OPTIONS.md, such as SNDHWM=10 or HEARTBEAT_IVL=2s; repeatable
    #[arg(long = "opt", value_name = "NAME=VALUE")]
    options: Vec<String>,
    /// Print every event of the socket, and the totals at the end
    #[arg(short, long, conflicts_with = "quiet")]
    verbose: bool,
    /// Print no notices, only errors
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    security: SecurityArgs,
}

/// A socket that is bound and connected.
pub(crate) struct Attached {
    pub(crate) context: Context,
    pub(crate) socket: Socket,
    pub(crate) stop: Stop,
    pub(crate) say: Say,
    notices: Notices,
}

impl AttachArgs {
    pub(crate) fn say(&self) -> Say {
        match (self.quiet, self.verbose) {
            (true, _) => Say::Errors,
            (_, true) => Say::All,
            _ => Say::Problems,
        }
    }

    /// Opens a socket. `prepare` acts on it before it is bound and connected.
    pub(crate) fn open(&self, t: SocketType, prepare: impl FnOnce(&Socket) -> Outcome) -> Outcome<Attached> {
        let context = context()?;
        let stop = Stop::at_signals(&context)?;
        let (socket, notices) = self.open_in(&context, t, prepare)?;
        Ok(Attached { context, socket, stop, say: self.say(), notices })
    }

    /// Opens a socket of `context`.
    pub(crate) fn open_in(
        &self,
        context: &Context,
        t: SocketType,
        prepare: impl FnOnce(&Socket) -> Outcome,
    ) -> Outcome<(Socket, Notices)> {
        let connect: Vec<&String> = self.endpoints.iter().chain(&self.connect).collect();
        if connect.is_empty() && self.bind.is_empty() {
            return Err(End::failed(
                "no endpoint: give tcp://HOST:PORT to connect to, or -b 'tcp://*:PORT' to bind",
            ));
        }
        let socket = context.socket_with(t, &self.options(context, t)?)?;
        let notices = Notices::of(&socket, self.say());
        prepare(&socket)?;
        for text in &self.bind {
            let bound = socket.bind(text).map_err(|error| attach_failed(error, text))?;
            if self.say() != Say::Errors && bound.to_string() != *text {
                eprintln!("zx: bound to {bound}");
            }
        }
        for text in connect {
            socket.connect(text).map_err(|error| attach_failed(error, text))?;
        }
        Ok((socket, notices))
    }

    /// Unsent messages are kept for ever unless an option says otherwise: what was piped in is to arrive.
    fn options(&self, context: &Context, t: SocketType) -> Outcome<Options> {
        let mut options = Options::new();
        if !t.never_lingers() {
            options = options.set(opt::LINGER, None);
        }
        options = self.security.apply(context, options)?;
        for text in &self.options {
            options = set(options, text)?;
        }
        options.check().map_err(End::failed)?;
        Ok(options)
    }
}

/// Returns a context that leaves the waiting for unsent messages to the command.
pub(crate) fn context() -> Outcome<Context> {
    Ok(Context::with(ContextOptions::new().linger(Some(Duration::ZERO)))?)
}

/// Sets the option of `NAME=VALUE`.
pub(crate) fn set(options: Options, text: &str) -> Outcome<Options> {
    let Some((name, value)) = text.split_once('=') else {
        return Err(End::failed(format!("--opt {text}: write NAME=VALUE, such as SNDHWM=10")));
    };
    let Some(row) = opt::by_name(name) else {
        let similar = |row: &&opt::Row| strsim::jaro_winkler(&name.to_ascii_uppercase(), row.name());
        let nearest = opt::TABLE.iter().copied().max_by(|a, b| similar(a).total_cmp(&similar(b)));
        let meant = nearest.map(|row| format!("; did you mean {}?", row.name())).unwrap_or_default();
        return Err(End::failed(format!("--opt {name}: there is no such option{meant} (docs/OPTIONS.md)")));
    };
    Ok(options.set_text(row, value))
}

/// An error of bind or connect, which names its endpoint.
pub(crate) fn attach_failed(error: Error, text: &str) -> End {
    match &error {
        Error::Endpoint(_) | Error::Bind(_) => End::failed(error),
        Error::Handshake(handshake) => End::failed(words::handshake(handshake)),
        other => End::failed(format!("{text}: {other}")),
    }
}

impl Attached {
    /// Closes the socket and waits until its messages are sent, LINGER is over, or the command is stopped.
    ///
    /// # Errors
    /// Returns what was not sent.
    pub(crate) fn close(self, timeout: Option<Duration>) -> Outcome {
        let (done, closed) = bounded(1);
        let (context, socket) = (self.context.clone(), self.socket.clone());
        std::thread::spawn(move || {
            if socket.socket_type().publishes() {
                give_up_lost_subscribers(&socket);
            }
            done.send(context.term().wait())
        });
        let waited = self.wait_for(&closed, timeout);
        let report = match waited {
            Ok(report) => report,
            Err(_) => closed.recv_timeout(LAST_WAIT).ok(),
        };
        let dropped = report.map_or_else(|| self.socket.stats().queued, |report| report.dropped);
        if report.is_some() {
            // Otherwise the socket goes on trying, and the last event is still to come.
            self.notices.end();
        }
        if self.socket.socket_type().publishes() && report.is_some() {
            if self.say != Say::Errors && dropped > 0 {
                eprintln!("zx: {} for subscribers that are gone", counted(dropped, "message"));
            }
            return Ok(());
        }
        let what = format!("{} not sent", counted(dropped, "message"));
        match (dropped, waited.is_ok() && report.is_none()) {
            (0, _) => Ok(()),
            (_, true) => Err(End::TimedOut(format!("{what} in time"))),
            (_, false) => Err(End::failed(what)),
        }
    }

    /// Waits until the socket is closed, at most for `timeout`; says so if that takes long.
    fn wait_for(
        &self,
        closed: &Receiver<CloseReport>,
        timeout: Option<Duration>,
    ) -> Outcome<Option<CloseReport>> {
        let first = timeout.map_or(LAST_WAIT, |timeout| timeout.min(LAST_WAIT));
        let report = self.stop.wait_for(closed, Some(first))?;
        let rest = timeout.map(|timeout| timeout.saturating_sub(first));
        if report.is_some() || rest == Some(Duration::ZERO) {
            return Ok(report);
        }
        let queued = self.socket.stats().queued;
        if self.say != Say::Errors && queued > 0 {
            eprintln!("zx: {} waiting to be sent; Ctrl-C gives up", counted(queued, "message"));
        }
        self.stop.wait_for(closed, rest)
    }
}

/// How long a publisher goes without a look at what is unsent. The end of a connection makes it look at once.
const LOOK: Duration = Duration::from_millis(50);

/// Waits until a publisher's messages are sent or no subscriber is left. Without a subscriber nobody wants them: they would wait
/// for its return, which may never come, although it subscribes anew then.
fn give_up_lost_subscribers(socket: &Socket) {
    let events = socket.monitor();
    while socket.stats().queued > 0 && !socket.peers().is_empty() {
        if matches!(events.recv_timeout(LOOK), Err(Error::Closed | Error::Terminated)) {
            return;
        }
    }
    // It fails if the socket has ended, and then there is nothing to wait for.
    let _ = socket.set(opt::LINGER, Some(Duration::ZERO));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> String {
        let set = set(Options::new(), text).and_then(|options| options.check().map_err(End::failed));
        set.unwrap_err().text().unwrap().to_owned()
    }

    #[test]
    fn options_are_set_by_name() {
        let options = set(Options::new(), "ZMQ_SNDHWM=10").unwrap();
        assert_eq!(options.get(opt::SNDHWM), Some(10));
        let options = set(options, "METADATA=X-a=b").unwrap();
        assert_eq!(options.get(opt::METADATA).unwrap()[0].0, "X-a");
    }

    #[test]
    fn a_wrong_option_says_what_to_write() {
        assert_eq!(fault("SNDHWM"), "--opt SNDHWM: write NAME=VALUE, such as SNDHWM=10");
        assert!(fault("SENDHWM=1").contains("did you mean SNDHWM?"), "{}", fault("SENDHWM=1"));
        assert!(fault("LINGER=5").contains("250ms"));
    }
}
