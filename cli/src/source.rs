//! The messages to send: from `--message`, or from standard input.

use std::collections::VecDeque;
use std::io::{self, BufReader};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use crossbeam_channel::{Receiver, bounded};
use zeroxide::{Message, SocketType};

use crate::exit::{End, Outcome};
use crate::format::{Format, FormatArgs, Reader};
use crate::stop::Stop;

/// How many messages are read ahead.
const AHEAD: usize = 1000;

/// The delay that a rate makes up for.
const MADE_UP: Duration = Duration::from_millis(50);

/// What is sent, and how fast.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct SourceArgs {
    /// Send this text as a message, instead of standard input; repeatable
    #[arg(short, long = "message", value_name = "TEXT")]
    pub(crate) messages: Vec<String>,
    /// Send at most so many messages a second
    #[arg(long, value_name = "N", value_parser = rate)]
    rate: Option<f64>,
}

/// The messages to send, one after the other.
pub(crate) struct Source {
    from: From,
    pace: Option<Pace>,
}

enum From {
    /// The messages of `--message`; with `again` from the start for ever.
    Given {
        messages: VecDeque<Message>,
        again: bool,
    },
    Input(Receiver<Result<Message, String>>),
}

/// The moments at which messages may go.
struct Pace {
    next: Instant,
    each: Duration,
}

impl SourceArgs {
    /// Returns the messages for a socket of type `t`; those of standard input are in the form of `format`. With `again`, those of `--message` never end.
    pub(crate) fn open(
        &self,
        format: &FormatArgs,
        t: SocketType,
        grouped: bool,
        again: bool,
    ) -> Outcome<Source> {
        let one = |text: &String| {
            format.message(text, t, grouped).map_err(|error| End::failed(format!("--message: {error}")))
        };
        let from = if self.messages.is_empty() {
            read_input(format.input(t, grouped))
        } else {
            From::Given { messages: self.messages.iter().map(one).collect::<Outcome<_>>()?, again }
        };
        let each = self.rate.map(|rate| Duration::from_secs_f64(1.0 / rate));
        Ok(Source { from, pace: each.map(|each| Pace { next: Instant::now(), each }) })
    }
}

/// Reads on a thread of its own, which nobody needs to wait for: a terminal may never end.
fn read_input(format: Format) -> From {
    let (sender, receiver) = bounded(AHEAD);
    thread::spawn(move || {
        let mut reader = Reader::new(format, BufReader::with_capacity(64 << 10, io::stdin()));
        while let Some(read) = reader.read().transpose() {
            let failed = read.is_err();
            if sender.send(read).is_err() || failed {
                return;
            }
        }
    });
    From::Input(receiver)
}

impl Source {
    /// Returns the next message when it is time for it; `None` after the last.
    pub(crate) fn next(&mut self, stop: &Stop) -> Outcome<Option<Message>> {
        let message = match &mut self.from {
            From::Given { messages, again } => {
                let message = messages.pop_front();
                if let (true, Some(message)) = (*again, &message) {
                    messages.push_back(message.clone());
                }
                message
            }
            From::Input(input) => stop.wait_for(input, None)?.transpose().map_err(End::Failed)?,
        };
        if let (Some(_), Some(pace)) = (&message, &mut self.pace) {
            pace.wait(stop)?;
        }
        Ok(message)
    }
}

impl Pace {
    fn wait(&mut self, stop: &Stop) -> Outcome {
        let now = Instant::now();
        if self.next > now {
            stop.wait_until(self.next)?;
        }
        // A little delay is made up for, a long one is not: it would become a burst.
        let earliest = now.checked_sub(MADE_UP).unwrap_or(now);
        self.next = self.next.max(earliest) + self.each;
        Ok(())
    }
}

fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if rate.is_finite() && (1e-6..=1e9).contains(&rate) {
        Ok(rate)
    } else {
        Err("not a rate in messages a second".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use zeroxide::Context;

    use super::*;

    fn given(messages: &[&str], again: bool) -> Source {
        let messages = messages.iter().map(|text| (*text).to_owned()).collect();
        let arguments = SourceArgs { messages, rate: None };
        arguments.open(&FormatArgs::default(), SocketType::Push, false, again).unwrap()
    }

    #[test]
    fn given_messages_end_or_begin_again() {
        let stop = Stop::without_signals(&Context::new());
        let mut source = given(&["a", ""], false);
        let mut texts = || source.next(&stop).unwrap().map(|message| message[0].as_str().unwrap().to_owned());
        assert_eq!((texts().as_deref(), texts().as_deref(), texts()), (Some("a"), Some(""), None));
        let mut source = given(&["a", "b"], true);
        let all: Vec<_> = (0..3).map(|_| source.next(&stop).unwrap().unwrap()[0].to_vec()).collect();
        assert_eq!(all, [b"a", b"b", b"a"]);
    }

    #[test]
    fn a_rate_spaces_messages_out() {
        let mut source = given(&["a"], true);
        let start = Instant::now();
        source.pace = Some(Pace { next: start, each: Duration::from_millis(5) });
        for _ in 0..5 {
            source.next(&Stop::without_signals(&Context::new())).unwrap();
        }
        assert!(start.elapsed() >= Duration::from_millis(20));
    }

    #[test]
    fn rates_are_positive() {
        assert_eq!(rate("0.5"), Ok(0.5));
        for wrong in ["0", "-1", "inf", "NaN", "x"] {
            rate(wrong).unwrap_err();
        }
    }
}
