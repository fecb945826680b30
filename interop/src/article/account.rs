//! What each subscriber must receive, to the message.

use crate::words;

/// What is published, in turn.
pub(super) const TOPICS: [&str; 5] = ["A", "B", "C", "D", "E"];

/// Who publishes.
pub(super) const PUBLISHERS: [&str; 2] = ["first", "second"];

/// Message `n` of a publisher, as words: its topic, who sent it, its number, and a body that tells torn messages and
/// crosses the border between short and long frames.
pub(super) fn message(publisher: usize, n: u32) -> [String; 4] {
    let topic = format!("t:{}", TOPICS[n as usize % TOPICS.len()]);
    [topic, format!("t:{}", PUBLISHERS[publisher]), format!("t:{n}"), format!("f:{}:{n}", n % 301)]
}

/// What a publisher sends until it is heard, as words.
pub(super) fn probe(publisher: usize, topic: &str) -> [String; 3] {
    [format!("t:{topic}"), format!("t:{}", PUBLISHERS[publisher]), "t:probe".to_owned()]
}

/// A message as it was told, with its text as text: reports are read by people.
pub(super) fn read(told: &[String]) -> String {
    let text = |word: &String| {
        let frame =
            words::frame(word).filter(|frame| !frame.is_empty() && frame.iter().all(u8::is_ascii_graphic))?;
        String::from_utf8(frame).ok()
    };
    let frames = told.iter().enumerate().map(|(at, word)| {
        // The fourth is the body, and its bytes say nothing.
        text(word).filter(|_| at < 3).unwrap_or_else(|| word.clone())
    });
    frames.collect::<Vec<_>>().join(" ")
}

/// What one subscriber has received, and what must come next.
///
/// From each publisher it must be every message on its topics, each once, in order; only before the first of them
/// there may be probes.
pub(super) struct Account {
    topics: &'static [&'static str],
    /// The number of the first message that it wants.
    first: u32,
    /// The number of the next message of each publisher.
    next: [u32; PUBLISHERS.len()],
    /// The probes heard of each publisher, on each topic.
    heard: [[bool; TOPICS.len()]; PUBLISHERS.len()],
    taken: u32,
}

impl Account {
    /// Of a subscriber that has heard nothing.
    pub(super) fn new(topics: &'static [&'static str]) -> Account {
        let heard = [[false; TOPICS.len()]; PUBLISHERS.len()];
        let mut account = Account { topics, first: 0, next: [0; PUBLISHERS.len()], heard, taken: 0 };
        account.skip();
        account.first = account.next[0];
        account
    }

    /// Checks a message as it was told; the error says what was due.
    pub(super) fn take(&mut self, told: &[String]) -> Result<(), String> {
        let is = |words: &[String]| words.iter().map(|word| words::retold(word)).eq(told.iter().cloned());
        for publisher in 0..PUBLISHERS.len() {
            let n = self.next[publisher];
            if is(&message(publisher, n)) {
                self.next[publisher] = n + 1;
                self.taken += 1;
                self.skip();
                return Ok(());
            }
            for (at, topic) in TOPICS.into_iter().enumerate() {
                if n == self.first && self.wants(topic) && is(&probe(publisher, topic)) {
                    self.heard[publisher][at] = true;
                    return Ok(());
                }
            }
        }
        let due: Vec<String> = (0..PUBLISHERS.len()).map(|publisher| self.due(publisher)).collect();
        Err(due.join(" or "))
    }

    /// How many messages it has received, probes not counted.
    pub(super) fn taken(&self) -> u32 {
        self.taken
    }

    /// Whether every publisher has been heard on every topic.
    pub(super) fn is_in_contact(&self) -> bool {
        self.unheard().is_none()
    }

    /// What has not been heard.
    pub(super) fn unheard(&self) -> Option<String> {
        let missing = |publisher: usize| {
            let topic =
                (0..TOPICS.len()).find(|at| self.wants(TOPICS[*at]) && !self.heard[publisher][*at])?;
            Some(format!("topic {} of the {} publisher", TOPICS[topic], PUBLISHERS[publisher]))
        };
        (0..PUBLISHERS.len()).find_map(missing)
    }

    /// How many messages are due when each publisher has sent those before `end`.
    pub(super) fn due_before(&self, end: u32) -> usize {
        let due = |next: u32| (next..end).filter(|n| self.wants(TOPICS[*n as usize % TOPICS.len()])).count();
        self.next.into_iter().map(due).sum()
    }

    fn due(&self, publisher: usize) -> String {
        read(&message(publisher, self.next[publisher]).map(|word| words::retold(&word)))
    }

    fn wants(&self, topic: &str) -> bool {
        self.topics.contains(&topic)
    }

    /// Passes over the messages on other topics.
    fn skip(&mut self) {
        for publisher in 0..PUBLISHERS.len() {
            while !self.wants(TOPICS[self.next[publisher] as usize % TOPICS.len()]) {
                self.next[publisher] += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(words: &[String]) -> Vec<String> {
        words.iter().map(|word| words::retold(word)).collect()
    }

    fn sent(publisher: usize, n: u32) -> Vec<String> {
        told(&message(publisher, n))
    }

    fn heard(publisher: usize, topic: &str) -> Vec<String> {
        told(&probe(publisher, topic))
    }

    #[test]
    fn all_of_its_topics_in_the_order_of_each_publisher_is_right() {
        let mut account = Account::new(&["C", "D"]);
        assert_eq!(account.due_before(20), 16);
        for (publisher, n) in [(0, 2), (0, 3), (1, 2), (0, 7), (1, 3), (1, 7), (0, 8)] {
            assert_eq!(account.take(&sent(publisher, n)), Ok(()), "{n}");
        }
        assert_eq!((account.due_before(20), account.due_before(8)), (9, 0));
    }

    #[test]
    fn lost_repeated_reordered_torn_and_foreign_messages_are_wrong() {
        let torn = |n: u32| {
            let mut torn = sent(0, n);
            torn.pop();
            torn
        };
        let mut other_body = sent(0, 7);
        other_body[3] = sent(0, 8)[3].clone();
        let wrong = [sent(0, 8), sent(0, 2), sent(0, 4), sent(1, 3), torn(7), other_body, vec![]];
        for message in wrong {
            let mut account = Account::new(&["C", "D"]);
            account.take(&sent(0, 2)).unwrap();
            account.take(&sent(0, 3)).unwrap();
            let due = format!("C first 7 {} or C second 2 {}", sent(0, 7)[3], sent(1, 2)[3]);
            assert_eq!(account.take(&message), Err(due));
            assert_eq!(account.taken(), 2);
        }
    }

    #[test]
    fn messages_are_shown_as_people_read_them() {
        assert_eq!(read(&sent(1, 70)), format!("A second 70 {}", sent(1, 70)[3]));
        assert_eq!(
            read(&["h:1b".to_owned(), "-".to_owned(), "d:70:00000000".to_owned()]),
            "h:1b - d:70:00000000"
        );
    }

    #[test]
    fn probes_make_contact_and_end_with_the_first_message() {
        let mut account = Account::new(&["C", "D"]);
        for (publisher, topic) in [(0, "C"), (0, "D"), (1, "C"), (1, "C")] {
            assert_eq!(account.take(&heard(publisher, topic)), Ok(()));
            assert!(!account.is_in_contact());
        }
        assert_eq!(account.unheard().as_deref(), Some("topic D of the second publisher"));
        assert!(account.take(&heard(1, "E")).is_err(), "not its topic");
        account.take(&heard(1, "D")).unwrap();
        assert!(account.is_in_contact());
        account.take(&sent(1, 2)).unwrap();
        assert!(account.take(&heard(1, "D")).is_err(), "after a message");
        assert!(account.take(&heard(0, "D")).is_ok(), "before those of the other publisher");
    }
}
