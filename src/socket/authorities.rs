//! Who decides for which domain, and the threads on which authenticators do.
//!
//! Each authenticator has a thread of its own, which alone holds it: it begins when the domain gets its authenticator
//! and ends when the domain is released, or the context ends, after the questions that were put before. So a slow one
//! makes only those wait who ask it, and they are gone when their handshake's time is over; it never makes an I/O
//! thread wait. Whatever of the user's panics here, the call, a payload or the authenticator's drop, ends that alone.

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

/// Questions that may wait for one authenticator; who comes beyond that is to try later.
const MAX_QUESTIONS: usize = 4096;

/// A question for an authenticator.
pub(crate) struct Question {
    pub(crate) who: Credentials,
    pub(crate) connection: u64,
    /// Gone with the connection: nobody waits for the answer then.
    pub(crate) engine: Weak<Engine>,
    /// Where the answer goes.
    pub(crate) reactor: IoThread,
}

/// Where the questions for one authenticator go. Its thread ends with the last of these.
#[derive(Clone)]
pub(crate) struct Desk(Sender<Question>);

impl Desk {
    /// Puts a question; the answer comes as [`Order::Decided`].
    pub(crate) fn ask(&self, question: Question) -> Result<(), Denial> {
        self.0.try_send(question).map_err(|refused| match refused {
            TrySendError::Full(_) => Denial::Overloaded,
            TrySendError::Disconnected(_) => Denial::NobodyToAsk,
        })
    }
}

/// The authenticators of one context, by domain.
#[derive(Default)]
pub(crate) struct Authorities(Mutex<HashMap<String, Desk>>);

impl Authorities {
    /// Gives a domain its authenticator, and that a thread called `thread_name`; `false` if the domain has one.
    ///
    /// # Errors
    /// Returns an error if the system gives no thread.
    pub(crate) fn add(
        &self,
        domain: &str,
        judge: Box<dyn Authenticate>,
        threads: &Threads,
        thread_name: &str,
    ) -> io::Result<bool> {
        self.add_with(domain, |questions| {
            let code = move |in_user_code: &_| serve(&questions, judge, in_user_code);
            threads.spawn(thread_name, Kind::Other, code).map(drop)
        })
    }

    /// The thread is there before the domain has a desk: nobody puts a question that no thread will take, and nothing
    /// has to be taken back that may be another's by then.
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
            // Somebody was faster. The thread ends, and drops what it was given, for want of a desk.
            Entry::Occupied(_) => Ok(false),
            Entry::Vacant(place) => {
                place.insert(Desk(sender));
                Ok(true)
            }
        }
    }

    /// Takes a domain's authenticator away; `false` if it has none. Its thread answers what it was asked and leaves.
    pub(crate) fn remove(&self, domain: &str) -> bool {
        self.table().remove(domain).is_some()
    }

    /// Returns where the authenticator of a domain is asked. One that is not UTF-8, which the C library allows, has none.
    pub(crate) fn of(&self, domain: &[u8]) -> Option<Desk> {
        self.table().get(std::str::from_utf8(domain).ok()?).cloned()
    }

    /// The context is gone, and with it whoever could add one: the threads leave.
    pub(crate) fn end(&self) {
        self.table().clear();
    }

    fn table(&self) -> MutexGuard<'_, HashMap<String, Desk>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The thread of one authenticator.
fn serve(questions: &Receiver<Question>, judge: Box<dyn Authenticate>, in_user_code: &InUserCode) {
    for question in questions {
        // In this order: who waits for this thread looks at the mark when the connections are gone.
        in_user_code.store(true, Ordering::SeqCst);
        let wanted = question.engine.strong_count() > 0;
        let answer = wanted.then(|| contain(|| decide(&*judge, &question.who)));
        in_user_code.store(false, Ordering::SeqCst);
        let Some(answer) = answer else { continue };
        let answer = answer.unwrap_or_else(|| denied(Denial::Panicked));
        question.reactor.send(Order::Decided(question.connection, Box::new(answer)));
    }
    // Not marked: the end of a context waits for it, else an idle authenticator's thread might still be there after that.
    contain(|| drop(judge));
}

/// Returns the answer, free of anything whose drop would run the user's code elsewhere.
fn decide(judge: &dyn Authenticate, who: &Credentials) -> Answer {
    match judge.check(who) {
        Verdict::Allow { user_id, metadata } => {
            // Bytes may have an owner of the user's: here is the place for its drop, not on an I/O thread.
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
