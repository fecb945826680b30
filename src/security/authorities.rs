//! Who decides for which domain, and the thread on which authenticators do.
//!
//! The thread comes with the first question and ends with the context. It waits for nobody but the authenticators
//! themselves: a slow one makes other peers of the context wait, and they are gone when their handshake's time is
//! over; it never makes an I/O thread wait.

use std::collections::HashMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use zeroxide_zmtp::mechanism::{Decision, Status};

use super::{Authenticate, Credentials, Verdict};
use crate::error::Denial;
use crate::io::command::Command;
use crate::io::engine::Engine;
use crate::io::reactor::ReactorLink;

/// Questions that may wait for the authenticators of a context; who comes beyond that is to try later.
const MAX_QUESTIONS: usize = 4096;

/// The answer to a question about a peer, with the reason if it may not come in.
pub(crate) type Answer = (Decision, Option<Denial>);

/// A refusal for a reason.
pub(crate) fn denied(denial: Denial) -> Answer {
    (Decision::Refuse(denial.status()), Some(denial))
}

/// A question for an authenticator.
pub(crate) struct Question {
    pub(crate) judge: Arc<dyn Authenticate>,
    pub(crate) who: Credentials,
    pub(crate) connection: u64,
    /// Gone with the connection: nobody waits for the answer then.
    pub(crate) engine: Weak<Engine>,
    /// Where the answer goes.
    pub(crate) reactor: ReactorLink,
}

/// The authenticators of one context.
#[derive(Default)]
pub(crate) struct Authorities(Mutex<Table>);

#[derive(Default)]
struct Table {
    judges: HashMap<String, Arc<dyn Authenticate>>,
    questions: Option<Sender<Question>>,
    ended: bool,
}

impl Authorities {
    /// Gives a domain its authenticator; `false` if it has one.
    pub(crate) fn add(&self, domain: &str, judge: Arc<dyn Authenticate>) -> bool {
        let mut table = self.table();
        let free = !table.judges.contains_key(domain);
        if free {
            table.judges.insert(domain.to_owned(), judge);
        }
        free
    }

    /// Takes a domain's authenticator away.
    pub(crate) fn remove(&self, domain: &str) -> Option<Arc<dyn Authenticate>> {
        self.table().judges.remove(domain)
    }

    /// The authenticator of a domain.
    pub(crate) fn of(&self, domain: &str) -> Option<Arc<dyn Authenticate>> {
        self.table().judges.get(domain).cloned()
    }

    /// Puts a question; `thread_name` is how the thread is called if this is the first.
    pub(crate) fn ask(&self, question: Question, thread_name: &str) -> Result<(), Denial> {
        let questions = {
            let mut table = self.table();
            if table.ended {
                return Err(Denial::NobodyToAsk);
            }
            match &table.questions {
                Some(questions) => questions.clone(),
                None => {
                    let questions = start(thread_name).map_err(|_| Denial::Overloaded)?;
                    table.questions.insert(questions).clone()
                }
            }
        };
        questions.try_send(question).map_err(|refused| match refused {
            TrySendError::Full(_) => Denial::Overloaded,
            TrySendError::Disconnected(_) => Denial::NobodyToAsk,
        })
    }

    /// The context is gone: the thread leaves after the question that it is at.
    pub(crate) fn end(&self) {
        let mut table = self.table();
        table.ended = true;
        let (judges, questions) = (std::mem::take(&mut table.judges), table.questions.take());
        drop(table);
        // Theirs may be the last handles: what drops with them is not ours, and runs without the lock.
        drop((judges, questions));
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn start(name: &str) -> io::Result<Sender<Question>> {
    let (sender, questions) = bounded(MAX_QUESTIONS);
    thread::Builder::new().name(name.to_owned()).spawn(move || serve(&questions))?;
    Ok(sender)
}

fn serve(questions: &Receiver<Question>) {
    for question in questions {
        if question.engine.strong_count() == 0 {
            continue;
        }
        let verdict = catch_unwind(AssertUnwindSafe(|| question.judge.check(&question.who)));
        let answer = match verdict {
            Ok(Verdict::Allow { user_id, metadata }) => (Decision::Accept { user_id, metadata }, None),
            Ok(Verdict::Deny) => denied(Denial::said(Status::AuthenticationFailure, "")),
            Ok(Verdict::TryLater) => denied(Denial::said(Status::TemporaryError, "")),
            Err(_) => denied(Denial::Panicked),
        };
        question.reactor.send(Command::Decided(question.connection, Box::new(answer)));
    }
}
