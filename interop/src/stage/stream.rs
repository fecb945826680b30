//! Numbered messages: whole streams of them, at the peers' own speed.

use std::time::Duration;

use super::{PATIENCE, Stage, spaced};
use crate::pair::Side;
use crate::peer::Failure;

/// How long one of two peers is waited for before it is the other's turn.
const TURN: Duration = Duration::from_millis(20);

/// What came of a stream: how many messages, and the numbers of the first and the last.
pub type Drained = Option<(u32, u32, u32)>;

/// What a publisher with one subscriber did with the messages that it was given.
#[derive(Clone, Copy, Debug)]
pub struct Tally {
    /// All of them.
    pub taken: u64,
    /// Those that nobody had subscribed to.
    pub unmatched: u64,
    /// Those that the system took.
    pub written: u64,
    /// Those that still wait for it.
    pub queued: u64,
    /// Those that were dropped, at the high-water mark or with the connection.
    pub dropped: u64,
}

impl Tally {
    /// What came after an earlier one.
    #[must_use]
    pub fn since(self, before: Tally) -> Tally {
        // Those that waited then are of that time, whatever became of them.
        Tally {
            taken: self.taken - before.taken,
            unmatched: self.unmatched - before.unmatched,
            written: self.written - before.written - before.queued.min(self.written - before.written),
            queued: self.queued,
            dropped: self.dropped - before.dropped,
        }
    }
}

impl Stage<'_> {
    /// What `side` did with the messages that it was given; `None` if it does not count.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub fn tally(&mut self, side: Side) -> Result<Option<Tally>, Failure> {
        let words = match self.ask(side, "tally", "") {
            Err(Failure::Lacks { .. }) => return Ok(None),
            other => other?,
        };
        let numbers: Vec<u64> = words.iter().filter_map(|word| word.parse().ok()).collect();
        match numbers[..] {
            [taken, unmatched, written, queued, dropped] => {
                Ok(Some(Tally { taken, unmatched, written, queued, dropped }))
            }
            _ => Err(self.unlike(side, "tally", "five numbers", words.join(" "))),
        }
    }

    /// Passes `count` numbered messages from `side` to the other, as fast as they go.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub fn flood(&mut self, side: Side, count: u32) -> Result<(), Failure> {
        let (there, patience) = (side.other(), PATIENCE.as_millis());
        let sends = spaced(self.setting.pair.role(side).sends);
        let finds = spaced(self.setting.pair.role(there).finds);
        self.tell(there, "expect", &format!("{patience} {count}{finds}"))?;
        self.tell(side, "burst", &format!("{patience} {count}{sends}"))?;
        self.both_answers(side)
    }

    /// Lets the left side ask `count` numbered questions and the right side echo them.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub fn interrogate(&mut self, count: u32, window: u32) -> Result<(), Failure> {
        let patience = PATIENCE.as_millis();
        let sends = spaced(self.setting.pair.role(Side::Left).sends);
        self.tell(Side::Right, "echo", &format!("{patience} {count}"))?;
        self.tell(Side::Left, "request", &format!("{patience} {count} {window}{sends}"))?;
        self.both_answers(Side::Left)
    }

    /// Has `side` receive `count` numbered messages, meanwhile.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub fn tell_take(&mut self, side: Side, count: u32) -> Result<(), Failure> {
        let finds = spaced(self.setting.pair.role(side).finds);
        self.tell(side, "take", &format!("{} {count}{finds}", PATIENCE.as_millis()))
    }

    /// Has `side` send `count` numbered messages, or as many as are taken within `limit` each, meanwhile.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub fn tell_fill(&mut self, side: Side, count: u32, limit: Duration) -> Result<(), Failure> {
        let sends = spaced(self.setting.pair.role(side).sends);
        self.tell(side, "fill", &format!("{} {count}{sends}", limit.as_millis()))
    }

    /// How many the `fill` of `side` has sent.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub fn filled(&mut self, side: Side) -> Result<u32, Failure> {
        let words = self.answer_of(side, 3 * PATIENCE)?;
        self.sent(side, &words)
    }

    fn sent(&self, side: Side, words: &[String]) -> Result<u32, Failure> {
        match words {
            [sent] => sent.parse().map_err(|_| self.unlike(side, "fill", "a number", sent.clone())),
            _ => Err(self.unlike(side, "fill", "a number", words.join(" "))),
        }
    }

    /// Receives numbered messages until none has come for `quiet`.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub fn drain(&mut self, side: Side, quiet: Duration) -> Result<Drained, Failure> {
        let finds = spaced(self.setting.pair.role(side).finds);
        self.tell(side, "drain", &format!("{}{finds}", quiet.as_millis()))?;
        let words = self.answer_of(side, 3 * PATIENCE)?;
        let numbers: Vec<u32> = words.iter().filter_map(|word| word.parse().ok()).collect();
        match (&numbers[..], words.len()) {
            ([0], 3) => Ok(None),
            ([count, first, last], 3) => Ok(Some((*count, *first, *last))),
            _ => Err(self.unlike(side, "drain", "a count, the first and the last", words.join(" "))),
        }
    }

    /// Receives numbered messages up to number `last`, or until none has come for [`PATIENCE`].
    ///
    /// # Errors
    /// Any [`Failure`].
    pub fn drain_to(&mut self, side: Side, last: u32, quiet: Duration) -> Result<Drained, Failure> {
        let (mut all, mut deadline) = (None, self.deadline(PATIENCE));
        loop {
            match self.drain(side, quiet)? {
                None if deadline.is_over() => return Ok(all),
                None => {}
                part => {
                    all = self.joined(side, all, part)?;
                    deadline = self.deadline(PATIENCE);
                }
            }
            if all.is_some_and(|(_, _, seen)| seen >= last) {
                return Ok(all);
            }
        }
    }

    /// Receives numbered messages on `side` until the `fill` of the other is over and no more have come for `quiet`,
    /// although none is known to be on its way; how many were sent. It may take as long as messages come, but not
    /// [`PATIENCE`] without one.
    ///
    /// # Errors
    /// [`Failure::NoContact`], or any other.
    pub fn drain_a_fill(&mut self, side: Side, quiet: Duration) -> Result<(u32, Drained), Failure> {
        let sender = side.other();
        let (mut all, mut sent, mut deadline) = (None, None, self.deadline(PATIENCE));
        loop {
            match (self.drain(side, quiet)?, sent) {
                (None, None) if deadline.is_over() => return Err(self.no_contact(sender)),
                (None, None) => {}
                (None, Some(sent)) => {
                    if deadline.is_over() || !self.is_on_its_way(sender, sent, all)? {
                        return Ok((sent, all));
                    }
                }
                (part, _) => {
                    all = self.joined(side, all, part)?;
                    deadline = self.deadline(PATIENCE);
                }
            }
            if let Some(answer) =
                sent.is_none().then(|| self.peers[sender as usize].answer_within(TURN)).flatten()
            {
                sent = Some(self.sent(sender, &answer?)?);
            }
        }
    }

    /// Whether more must come of what was sent. A publisher may have dropped the rest, unless it says that it has not.
    fn is_on_its_way(&mut self, sender: Side, sent: u32, seen: Drained) -> Result<bool, Failure> {
        if self.setting.socket_type(sender).ends_with("PUB") {
            return Ok(self.tally(sender)?.is_some_and(|tally| tally.queued > 0));
        }
        Ok(seen.is_none_or(|(_, _, last)| last + 1 < sent))
    }

    /// Two drains as one.
    fn joined(&self, side: Side, before: Drained, then: Drained) -> Result<Drained, Failure> {
        match (before, then) {
            (Some((_, _, last)), Some((_, first, _))) if first <= last => {
                Err(self.unlike(side, "drain", &format!("after {last}"), first.to_string()))
            }
            (Some((count, first, _)), Some((more, _, last))) => Ok(Some((count + more, first, last))),
            (before, then) => Ok(then.or(before)),
        }
    }

    /// Has `side` echo `count` messages, meanwhile.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub fn tell_echo(&mut self, side: Side, count: u32) -> Result<(), Failure> {
        self.tell(side, "echo", &format!("{} {count}", PATIENCE.as_millis()))
    }

    /// Has `side` ask `count` numbered questions, meanwhile.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub fn tell_request(
        &mut self,
        side: Side,
        count: u32,
        window: u32,
        limit: Duration,
    ) -> Result<(), Failure> {
        let sends = spaced(self.setting.pair.role(side).sends);
        self.tell(side, "request", &format!("{} {count} {window}{sends}", limit.as_millis()))
    }

    /// The answer of `side` to the oldest command that it was told.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub fn answer_of(&mut self, side: Side, limit: Duration) -> Result<Vec<String>, Failure> {
        self.peers[side as usize].answer(limit)
    }

    /// Both peers work. Whoever waits for the other in vain is asked last: what the other says is why.
    fn both_answers(&mut self, side: Side) -> Result<(), Failure> {
        // As many messages as there are may each take their time, but not all of them.
        let deadline = self.deadline(3 * PATIENCE);
        let (mut due, mut vain) = (vec![side, side.other()], None);
        while let Some(next) = due.pop() {
            let is_late = deadline.is_over();
            let answer = match self.peers[next as usize].answer_within(TURN) {
                Some(answer) => answer,
                None if is_late => self.answer_of(next, Duration::ZERO),
                None => {
                    due.insert(0, next);
                    continue;
                }
            };
            match answer {
                Err(failure) if failure.code() == "again" => vain = vain.or(Some(failure)),
                other => drop(other?),
            }
        }
        vain.map_or(Ok(()), Err)
    }
}
