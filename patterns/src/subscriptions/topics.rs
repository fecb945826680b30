//! The subscriptions that a socket has made itself, as against those of its peers.

use super::prefix_tree::{PrefixTree, Value};

/// The subscriptions of a SUB or XSUB. Each prefix has a count, because an application that subscribes to one prefix
/// twice must unsubscribe twice (libzmq `ZMQ_UNSUBSCRIBE`).
///
/// Matching takes at most one step per byte of the topic, for any number of prefixes.
#[derive(Debug)]
pub struct Topics {
    tree: PrefixTree<Count>,
    len: usize,
}

#[derive(Debug, Default)]
struct Count(u32);

impl Value for Count {
    fn is_empty(&self) -> bool {
        self.0 == 0
    }
}

impl Topics {
    /// Creates an empty store, in which nothing matches.
    #[must_use]
    pub fn new() -> Topics {
        Topics { tree: PrefixTree::new(), len: 0 }
    }

    /// Adds one subscription to `prefix`.
    pub fn add(&mut self, prefix: &[u8]) {
        let Some(node) = self.tree.insert(prefix) else { return };
        let count = self.tree.value_mut(node);
        self.len = self.len.saturating_add(usize::from(count.is_empty()));
        count.0 = count.0.saturating_add(1);
    }

    /// Removes one subscription to `prefix`. Returns whether that was the last one; `false` also if there was none.
    pub fn remove(&mut self, prefix: &[u8]) -> bool {
        let Some(node) = self.tree.find(prefix) else { return false };
        let count = self.tree.value_mut(node);
        let Some(left) = count.0.checked_sub(1) else { return false };
        count.0 = left;
        if left > 0 {
            return false;
        }
        self.len = self.len.saturating_sub(1);
        self.tree.prune(node, |_, _| ());
        true
    }

    /// Returns whether `topic` begins with one of the prefixes.
    #[must_use]
    #[inline]
    pub fn matches(&self, topic: &[u8]) -> bool {
        self.tree.along(topic).any(|count| !count.is_empty())
    }

    /// Calls `each` with every distinct prefix.
    pub fn for_each(&self, each: impl FnMut(&[u8])) {
        self.for_each_of(usize::MAX, each);
    }

    /// Does the same for at most `most` prefixes.
    pub fn for_each_of(&self, most: usize, mut each: impl FnMut(&[u8])) {
        let mut prefix = Vec::new();
        for node in (0..self.tree.nodes()).filter(|node| !self.tree.value(*node).is_empty()).take(most) {
            self.tree.prefix(node, &mut prefix);
            each(&prefix);
        }
    }

    /// Returns the number of distinct prefixes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Returns whether there is no prefix.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl Default for Topics {
    fn default() -> Topics {
        Topics::new()
    }
}
