//! The map that is cloned.

use std::collections::BTreeMap;
use std::time::Instant;

use crate::Entry;

/// Keys with their values, and the number of the last update.
#[derive(Debug, Default)]
pub struct Map {
    /// With the time at which the value expires.
    entries: BTreeMap<String, (Entry, Option<Instant>)>,
    sequence: u64,
}

impl Map {
    /// Returns the number of the last update.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Returns the number of keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns whether there is no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns the entries whose keys begin with `subtree`.
    pub fn under(&self, subtree: &str) -> impl Iterator<Item = &Entry> {
        let from_there = self.entries.range(subtree.to_owned()..);
        from_there.map(|(_, (entry, _))| entry).take_while(move |entry| entry.key.starts_with(subtree))
    }

    /// At a server: gives the update the next number and stores it. Returns it as it is to be published.
    pub fn set(&mut self, entry: Entry) -> Entry {
        let numbered = Entry { sequence: self.sequence + 1, ..entry };
        self.apply(numbered.clone());
        numbered
    }

    /// At a client: stores an update of the server. Returns whether it is new: one that was in the snapshot is not.
    pub fn apply(&mut self, entry: Entry) -> bool {
        let is_new = entry.sequence > self.sequence;
        if is_new {
            self.sequence = entry.sequence;
            self.store(entry);
        }
        is_new
    }

    /// Stores an entry of a snapshot, whose entries have no order.
    pub fn store(&mut self, entry: Entry) {
        if entry.value.is_empty() {
            self.entries.remove(&entry.key);
        } else {
            let expires = entry.ttl.map(|ttl| Instant::now() + ttl);
            self.entries.insert(entry.key.clone(), (entry, expires));
        }
    }

    /// Says that a snapshot is complete, and which update is the last one in it.
    pub fn complete(&mut self, sequence: u64) {
        self.sequence = sequence;
    }

    /// At a server: returns the deletions of the values that have expired, which are to be set and published.
    #[must_use]
    pub fn expired(&self) -> Vec<Entry> {
        let now = Instant::now();
        let old = self.entries.iter().filter(|(_, (_, expires))| expires.is_some_and(|at| at <= now));
        old.map(|(key, _)| Entry::new(key, "")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(map: &Map, subtree: &str) -> Vec<String> {
        map.under(subtree).map(|entry| entry.key.clone()).collect()
    }

    #[test]
    fn updates_are_numbered_and_old_ones_are_not_applied() {
        let mut server = Map::default();
        let first = server.set(Entry::new("a", "1"));
        let second = server.set(Entry::new("a", "2"));
        assert_eq!((first.sequence, second.sequence), (1, 2));

        let mut client = Map::default();
        assert!(client.apply(second.clone()) && !client.apply(first) && !client.apply(second));
        assert_eq!(client.under("").next().map(|entry| entry.value.as_str()), Some("2"));
    }

    #[test]
    fn a_subtree_is_what_begins_with_it_and_an_empty_value_deletes() {
        let mut map = Map::default();
        for key in ["/a", "/a/x", "/a/y", "/b/x"] {
            map.set(Entry::new(key, "1"));
        }
        assert_eq!(keys(&map, "/a/"), ["/a/x", "/a/y"]);
        map.set(Entry::new("/a/x", ""));
        assert_eq!((keys(&map, "/a/"), map.len(), map.sequence()), (vec!["/a/y".to_owned()], 3, 5));
    }

    #[test]
    fn a_value_with_a_lifetime_expires() {
        let mut map = Map::default();
        map.set(Entry::new("stays", "1"));
        map.set(Entry { ttl: Some(std::time::Duration::ZERO), ..Entry::new("goes", "1") });
        assert_eq!(map.expired().iter().map(|entry| &entry.key[..]).collect::<Vec<_>>(), ["goes"]);
    }
}
