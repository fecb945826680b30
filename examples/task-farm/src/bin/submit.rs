//! A submitter of the task farm: gives tasks, and prints each result once.

use std::collections::{BTreeMap, HashSet};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use task_farm::{Failure, wire};
use zeroxide::{Context, Error, Message, Socket};

#[derive(Parser)]
struct Arguments {
    /// The broker's endpoint
    #[arg(default_value = "tcp://127.0.0.1:5555")]
    broker: String,
    /// The name of the job, with which the ids of its tasks begin
    #[arg(long, default_value = "job")]
    job: String,
    /// How many tasks
    #[arg(long, default_value_t = 10)]
    tasks: usize,
    /// What each task is: to count the primes up to this number
    #[arg(long, default_value_t = 1000)]
    primes: u32,
    /// How many tasks may be unfinished at once
    #[arg(long, default_value_t = 1000)]
    window: usize,
    /// After how many milliseconds without a message it says everything again
    #[arg(long, default_value_t = 1000)]
    silence: u64,
}

/// How far a task is, if it is not finished.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// The broker may not have it yet.
    Sent,
    /// It is on the broker's disk.
    Stored,
    /// The result is here, and the broker may not know that yet.
    Seen,
}

struct Submitter {
    dealer: Socket,
    job: String,
    body: String,
    /// The tasks that are begun and not finished, by their ids.
    open: BTreeMap<String, State>,
    /// The tasks whose results were printed.
    printed: HashSet<String>,
    /// Results that came again. They are not printed.
    repeated: usize,
    refused: usize,
}

fn main() -> Result<ExitCode, Failure> {
    let arguments = Arguments::parse();
    let context = Context::new();
    let begin = Instant::now();
    let mut submitter = Submitter {
        dealer: wire::dealer(&context, &arguments.broker)?,
        job: arguments.job,
        body: arguments.primes.to_string(),
        open: BTreeMap::new(),
        printed: HashSet::new(),
        repeated: 0,
        refused: 0,
    };
    submitter.collect()?;
    let mut next = 0;
    while next < arguments.tasks || !submitter.open.is_empty() {
        while next < arguments.tasks && submitter.open.len() < arguments.window {
            submitter.submit(next)?;
            next += 1;
        }
        match submitter.dealer.recv_timeout(Duration::from_millis(arguments.silence)) {
            Ok(message) => submitter.take(&message)?,
            Err(Error::TimedOut(_)) => submitter.repeat()?,
            Err(error) => return Err(error.into()),
        }
    }
    let Submitter { printed, repeated, refused, .. } = submitter;
    let (results, time) = (printed.len(), begin.elapsed().as_secs_f64());
    let rate = results as f64 / time;
    eprintln!("{results} results, {repeated} repeated, {refused} refused; {time:.2} s, {rate:.0} tasks/s");
    Ok(if refused == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Submitter {
    fn collect(&self) -> Result<(), Failure> {
        Ok(self.dealer.send(["COLLECT", &format!("{}/", self.job)])?)
    }

    fn submit(&mut self, number: usize) -> Result<(), Failure> {
        let id = format!("{}/{number:06}", self.job);
        // An earlier run of this job may have submitted it, and its result is here already.
        if self.printed.contains(&id) {
            return Ok(());
        }
        self.dealer.send(["SUBMIT", &id, &self.body])?;
        self.open.insert(id, State::Sent);
        Ok(())
    }

    fn take(&mut self, message: &Message) -> Result<(), Failure> {
        let frames = message.iter().map(|frame| frame.as_str()).collect::<Result<Vec<&str>, _>>()?;
        match frames[..] {
            ["OK", "SUBMIT", id] => {
                if let Some(state @ State::Sent) = self.open.get_mut(id) {
                    *state = State::Stored;
                }
            }
            ["OK", "SEEN", id] => {
                self.open.remove(id);
            }
            ["RESULT", id, result] => {
                if self.printed.insert(id.to_owned()) {
                    println!("{id} {result}");
                    self.open.insert(id.to_owned(), State::Seen);
                } else {
                    self.repeated += 1;
                }
                self.dealer.send(["SEEN", id])?;
            }
            ["NO", id, why] => {
                eprintln!("refused: {id}: {why}");
                self.open.remove(id);
                self.refused += 1;
            }
            ["LOST"] => self.repeat()?,
            _ => eprintln!("not understood: {message:?}"),
        }
        Ok(())
    }

    /// Says everything again that the broker may not have. It may be another one, started after the first was
    /// killed.
    fn repeat(&self) -> Result<(), Failure> {
        self.collect()?;
        for (id, state) in &self.open {
            match state {
                State::Sent => self.dealer.send(["SUBMIT", id, &self.body])?,
                State::Seen => self.dealer.send(["SEEN", id])?,
                State::Stored => {}
            }
        }
        Ok(())
    }
}
