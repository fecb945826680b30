//! How much was sent and received.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use zeroxide::Message;

/// The messages and bytes that a command has sent and received. Several threads may add to them.
pub(crate) struct Totals {
    sent: Count,
    received: Count,
    since: Instant,
}

#[derive(Default)]
struct Count {
    messages: AtomicU64,
    bytes: AtomicU64,
}

impl Totals {
    pub(crate) fn new() -> Totals {
        Totals { sent: Count::default(), received: Count::default(), since: Instant::now() }
    }

    /// Counts a sent message of this size, and returns how many were sent.
    pub(crate) fn add_sent(&self, bytes: usize) -> u64 {
        self.sent.add(bytes)
    }

    /// Counts a received message, and returns how many were received.
    pub(crate) fn add_received(&self, message: &Message) -> u64 {
        self.received.add(message.size())
    }
}

impl Count {
    fn add(&self, bytes: usize) -> u64 {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        self.messages.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn get(&self) -> (u64, u64) {
        (self.messages.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed))
    }
}

/// `sent 3 messages (15 bytes), received 3 messages (15 bytes) in 2.0 s`.
impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let directions = [("sent", self.sent.get()), ("received", self.received.get())];
        let mut moved: Vec<String> = directions
            .iter()
            .filter(|(_, (messages, _))| *messages > 0)
            .map(|(verb, (messages, bytes))| {
                format!("{verb} {} ({})", counted(*messages, "message"), counted(*bytes, "byte"))
            })
            .collect();
        if moved.is_empty() {
            moved.push("no messages".to_owned());
        }
        write!(f, "{} in {:.1} s", moved.join(", "), self.since.elapsed().as_secs_f64())
    }
}

/// Returns `1 message`, `2 messages`.
pub(crate) fn counted(n: u64, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_moved_is_told() {
        let totals = Totals::new();
        assert!(totals.to_string().starts_with("no messages in "));
        assert_eq!((totals.add_received(&"a".into()), totals.add_received(&"bc".into())), (1, 2));
        assert!(totals.to_string().starts_with("received 2 messages (3 bytes) in "));
        totals.add_sent(1);
        assert!(totals.to_string().starts_with("sent 1 message (1 byte), received 2 messages (3 bytes) in "));
    }
}
