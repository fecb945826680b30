//! Contact: messages pass from now on. What is lost before, for want of a subscription, a handshake or a reconnect, is
//! nobody's fault.

use std::time::Duration;

use super::{PATIENCE, Stage};
use crate::pair::{Flow, Side};
use crate::peer::Failure;
use crate::words;

/// How long one attempt to make contact waits before the next.
const ATTEMPT: Duration = Duration::from_millis(50);

/// What the messages say that make contact, before their number.
const CONTACT: &str = "contact ";

/// How long an answer waits for somebody who may be gone.
const GONE: Duration = Duration::from_secs(1);

impl Stage<'_> {
    /// Makes sure that messages pass, each way that they may: repeats a message until it comes through.
    ///
    /// # Errors
    /// [`Failure::NoContact`], or any other.
    pub fn make_contact(&mut self) -> Result<(), Failure> {
        match self.setting.pair.flow {
            Flow::OneWay => self.contact(Side::Left),
            Flow::BothWays => {
                // The side that connected is known to the other by its handshake; a ROUTER cannot begin before that.
                let first = self.setting.binder.other();
                self.contact(first)?;
                self.contact(first.other())
            }
            Flow::Turns { .. } => self.contact_in_turns(),
        }
    }

    /// Waits until a PAIR has noticed that its peer is gone and refuses to send. A newcomer before that is turned
    /// away, and libzmq leaves it in the belief that it is connected (libzmq pair.cpp `xattach_pipe`).
    pub(super) fn wait_until_missed(&mut self, side: Side) -> Result<(), Failure> {
        let deadline = self.deadline(PATIENCE);
        while !deadline.is_over() {
            let refuses = !self.attempt(side, "t:lost")?;
            // libzmq lets the old pipe go only when somebody has read to its end, and does it while somebody waits.
            self.recv(side, ATTEMPT)?;
            if refuses {
                return Ok(());
            }
        }
        Err(self.no_contact(side))
    }

    fn contact(&mut self, side: Side) -> Result<(), Failure> {
        let mut deadline = self.deadline(PATIENCE);
        let (mut due, mut last, mut connected) = (true, String::new(), false);
        while !deadline.is_over() {
            if due {
                last = self.next_contact();
                self.attempt(side, &last)?;
            }
            // What was sent first arrives first; so whatever arrives, the last is on its way.
            let seen = self.recv(side.other(), ATTEMPT)?;
            let is_last = is_last(seen.as_deref(), &last);
            // The first may have waited for the connection. A publisher that dials may forget with it what the subscriber
            // before had asked for, so only what is sent after it shows that more will pass.
            if is_last && std::mem::replace(&mut connected, true) {
                return Ok(());
            }
            due = is_last || seen.is_none();
            // A publisher may still have a whole stream for a subscriber that came back late.
            if seen.is_some_and(|seen| !is_contact(&seen)) {
                deadline = self.deadline(PATIENCE);
            }
        }
        Err(self.no_contact(side))
    }

    fn contact_in_turns(&mut self) -> Result<(), Failure> {
        let deadline = self.deadline(PATIENCE);
        let (mut due, mut last) = (true, String::new());
        while !deadline.is_over() {
            if due {
                let next = self.next_contact();
                if self.attempt(Side::Left, &next)? {
                    last = next;
                }
            }
            // While there are old questions nothing is asked anew: an answer that always comes a question late would
            // never be the last.
            let question = self.recv(Side::Right, ATTEMPT)?;
            due = question.is_none();
            if let Some(question) = question {
                self.answer(&question)?;
            }
            let seen = self.recv_unless_out_of_turn(Side::Left)?;
            if is_last(seen.as_deref(), &last) {
                return Ok(());
            }
        }
        Err(self.no_contact(Side::Left))
    }

    /// Answers the questions of an asker that is gone, until none has come for `quiet`.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub fn answer_the_gone(&mut self, quiet: Duration) -> Result<(), Failure> {
        while let Some(question) = self.recv(Side::Right, quiet)? {
            self.answer(&question)?;
        }
        Ok(())
    }

    /// Sends a question back from the right side, unless whoever asked it is gone.
    fn answer(&mut self, question: &[String]) -> Result<(), Failure> {
        // A long frame is told as its digest: it is none of those that make contact.
        let words = question.iter().map(|word| if word.starts_with("d:") { "t:late" } else { word });
        let words = words.collect::<Vec<_>>().join(" ");
        match self.ask(Side::Right, "send", &format!("{} {words}", GONE.as_millis())) {
            // JeroMQ's ROUTER says `again` of a peer that is gone.
            Err(failure) if !["unroutable", "again"].contains(&failure.code()) => Err(failure),
            _ => Ok(()),
        }
    }

    fn recv_unless_out_of_turn(&mut self, side: Side) -> Result<Option<Vec<String>>, Failure> {
        match self.recv(side, ATTEMPT) {
            Err(failure) if failure.code() == "state" => Ok(None),
            other => other,
        }
    }

    /// Tries to send; whether that worked.
    fn attempt(&mut self, side: Side, word: &str) -> Result<bool, Failure> {
        match self.send(side, &[word], ATTEMPT) {
            Ok(()) => Ok(true),
            Err(failure) if ["again", "unroutable", "state"].contains(&failure.code()) => Ok(false),
            Err(failure) => Err(failure),
        }
    }

    fn next_contact(&mut self) -> String {
        self.contacts += 1;
        words::told(format!("{CONTACT}{}", self.contacts).as_bytes())
    }

    /// The failure of messages of `side` that do not arrive.
    pub(super) fn no_contact(&self, side: Side) -> Failure {
        let (here, there) = (self.setting.program(side).name, self.setting.program(side.other()).name);
        let since = self.restarted.map(|side| format!(", the {} side restarted", side.name()));
        let what = format!("{here} to {there} for {} s{}", PATIENCE.as_secs(), since.unwrap_or_default());
        Failure::NoContact { what }
    }
}

fn is_contact(seen: &[String]) -> bool {
    seen.last().is_some_and(|word| word.starts_with(&words::told(CONTACT.as_bytes())))
}

fn is_last(seen: Option<&[String]>, last: &str) -> bool {
    !last.is_empty() && seen.and_then(<[String]>::last).is_some_and(|word| word == last)
}
