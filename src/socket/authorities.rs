//! The authenticators of a context, by domain, and their threads.
//!
//! Each authenticator has a thread of its own, which owns it. The thread starts when the authenticator is added. It ends when
//! the authenticator is removed or the context ends, after it has answered the questions asked until then. So a slow
//! authenticator delays only the peers that it is asked about, at most until HANDSHAKE_IVL is over, and never an I/O
//! thread. A panic in its code, in the drop of a payload or in its own drop ends nothing else.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError, Weak};

use bytes::Bytes;
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use zeroxide_zmtp::mechanism::{Decision, Status};

use super::orders::{Answer, IoThread, Order, denied};
use crate::engine::Engine;
use crate::error::Denial;
use crate::security::{Authenticate, Credentials, Verdict};
use crate::threads::{InUserCode, Kind, Threads};
use crate::user_code::contain;

/// The most questions that may wait for one authenticator. Further peers are told to try later.
const MAX_QUESTIONS: usize = 4096;

/// A question for an authenticator.
pub(crate) struct Question {
    pub(crate) who: Credentials,
    pub(crate) connection: u64,
    /// Dangling when the connection is gone: then no answer is needed.
    pub(crate) engine: Weak<Engine>,
    /// Where the answer goes.
    pub(crate) reactor: IoThread,
}

/// The sending end of the questions for one authenticator. Its thread ends when the last sending end is dropped.
#[derive(Clone)]
pub(crate) struct QuestionQueue(Sender<Question>);

impl QuestionQueue {
    /// Asks a question. The answer comes as [`Order::Decided`].
    pub(crate) fn ask(&self, question: Question) -> Result<(), Denial> {
        self.0.try_send(question).map_err(|refused| match refused {
            TrySendError::Full(_) => Denial::Overloaded,
            TrySendError::Disconnected(_) => Denial::NobodyToAsk,
        })
    }
}

/// The authenticators of one context, by domain.
#[derive(Default)]
pub(crate) struct Authorities(Mutex<HashMap<String, QuestionQueue>>);

impl Authorities {
    /// Adds the authenticator of a domain, with a thread called `thread_name`. Returns `false` if the domain has one already.
    ///
    /// # Errors
    /// Returns an error if the system gives no thread.
    pub(crate) fn add(
        &self,
        domain: &str,
        authenticator: Box<dyn Authenticate>,
        threads: &Threads,
        thread_name: &str,
    ) -> io::Result<bool> {
        self.add_with(domain, |questions| {
            let code = move |in_user_code: &_| serve(&questions, authenticator, in_user_code);
            threads.spawn(thread_name, Kind::Other, code).map(drop)
        })
    }

    /// Starts the thread before the domain is in the table. So no question is asked that no thread will answer, and if the
    /// thread cannot start, nothing has to be removed from the table.
    fn add_with(
        &self,
        domain: &str,
        start: impl FnOnce(Receiver<Question>) -> io::Result<()>,
    ) -> io::Result<bool> {
        if self.of(domain.as_bytes()).is_some() {
            return Ok(false);
        }
        let (sender, questions) = bounded(MAX_QUESTIONS);
        start(questions)?;
        match self.table().entry(domain.to_owned()) {
            // Another thread has added one meanwhile. The new thread ends, because its sending end is dropped.
            Entry::Occupied(_) => Ok(false),
            Entry::Vacant(place) => {
                place.insert(QuestionQueue(sender));
                Ok(true)
            }
        }
    }

    /// Removes the authenticator of a domain. Returns `false` if there is none. Its thread answers the questions asked until
    /// now, and ends.
    pub(crate) fn remove(&self, domain: &str) -> bool {
        self.table().remove(domain).is_some()
    }

    /// Returns where to ask the authenticator of a domain. A domain that is not UTF-8 (C library) has none.
    pub(crate) fn of(&self, domain: &[u8]) -> Option<QuestionQueue> {
        self.table().get(std::str::from_utf8(domain).ok()?).cloned()
    }

    /// Removes all, so that the threads end. The context has ended, so no more are added.
    pub(crate) fn end(&self) {
        self.table().clear();
    }

    fn table(&self) -> MutexGuard<'_, HashMap<String, QuestionQueue>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The thread of one authenticator.
fn serve(questions: &Receiver<Question>, authenticator: Box<dyn Authenticate>, in_user_code: &InUserCode) {
    for question in questions {
        // In this order: a thread that waits for this one checks the mark after the connections are gone.
        in_user_code.store(true, Ordering::SeqCst);
        let wanted = question.engine.strong_count() > 0;
        let answer = wanted.then(|| contain(|| decide(&*authenticator, &question.who)));
        in_user_code.store(false, Ordering::SeqCst);
        let Some(answer) = answer else { continue };
        let answer = answer.unwrap_or_else(|| denied(Denial::Panicked));
        question.reactor.send(Order::Decided(question.connection, Box::new(answer)));
    }
    // Not marked as user code, so that the end of a context waits for this thread.
    contain(|| drop(authenticator));
}

/// Returns the answer, without anything whose drop would run code of the application on another thread.
fn decide(authenticator: &dyn Authenticate, who: &Credentials) -> Answer {
    match authenticator.check(who) {
        Verdict::Allow { user_id, metadata } => {
            // Copied, because `Bytes` may run code of the application when they are dropped: not on an I/O thread.
            let copy = |(name, value): &(String, Bytes)| (name.clone(), Bytes::copy_from_slice(value));
            let metadata = metadata.iter().map(copy).collect();
            (Decision::Accept { user_id, metadata }, None)
        }
        Verdict::Deny => denied(Denial::said(Status::AuthenticationFailure, "")),
        Verdict::TryLater => denied(Denial::said(Status::TemporaryError, "")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Adds one whose thread holds its questions here.
    fn add(authorities: &Authorities, kept: &mut Vec<Receiver<Question>>) -> bool {
        let keep = |questions| {
            kept.push(questions);
            Ok(())
        };
        authorities.add_with("lab", keep).unwrap()
    }

    #[test]
    fn an_authenticator_whose_thread_could_not_be_made_takes_nobody_elses_place() {
        let (authorities, mut kept) = (Authorities::default(), Vec::new());
        let failed = authorities.add_with("lab", |_| {
            // Meanwhile another thread gives the domain its own.
            assert!(authorities.of(b"lab").is_none(), "no question is put to a thread that is not there");
            assert!(add(&authorities, &mut kept));
            Err(io::ErrorKind::WouldBlock.into())
        });
        assert_eq!(failed.unwrap_err().kind(), io::ErrorKind::WouldBlock);
        assert!(authorities.of(b"lab").is_some());
    }

    #[test]
    fn of_two_authenticators_for_one_domain_the_slower_one_loses_its_thread() {
        let (authorities, mut kept, mut slower) = (Authorities::default(), Vec::new(), None);
        let added = authorities.add_with("lab", |questions| {
            slower = Some(questions);
            assert!(add(&authorities, &mut kept));
            Ok(())
        });
        assert!(!added.unwrap());
        let ended = Err(crossbeam_channel::TryRecvError::Disconnected);
        assert_eq!(slower.unwrap().try_recv().map(drop), ended);
        assert_eq!(kept[0].try_recv().map(drop), Err(crossbeam_channel::TryRecvError::Empty));
    }
}
