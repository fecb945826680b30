//! What this socket itself has subscribed to.

use super::prefix_tree::{PrefixTree, Value};

/// The subscriptions of a SUB or XSUB: a count per prefix, because an application may subscribe to one prefix
/// twice and must then unsubscribe twice (libzmq `ZMQ_UNSUBSCRIBE`).
///
/// Matching costs one step per byte of the topic at most, however many prefixes there are.
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
    /// No topics: nothing matches.
    #[must_use]
    pub fn new() -> Topics {
        Topics { tree: PrefixTree::new(), len: 0 }
    }

    /// Adds one subscription to `prefix`.
    pub fn add(&mut self, prefix: &[u8]) {
        let Some(node) = self.tree.insert(prefix) else { return };
        let count = self.tree.value_mut(node);
        self.len += usize::from(count.is_empty());
        count.0 = count.0.saturating_add(1);
    }

    /// Takes one subscription to `prefix` back. Whether that was its last one; `false` also for a prefix that is
    /// not here.
    pub fn remove(&mut self, prefix: &[u8]) -> bool {
        let Some(node) = self.tree.find(prefix) else { return false };
        let count = self.tree.value_mut(node);
        if count.is_empty() {
            return false;
        }
        count.0 -= 1;
        if !count.is_empty() {
            return false;
        }
        self.len -= 1;
        self.tree.prune(node, |_, _| ());
        true
    }

    /// Whether `topic` begins with one of the prefixes.
    #[must_use]
    #[inline]
    pub fn matches(&self, topic: &[u8]) -> bool {
        self.tree.along(topic).any(|count| !count.is_empty())
    }

    /// Calls `each` with every distinct prefix.
    pub fn for_each(&self, mut each: impl FnMut(&[u8])) {
        let mut prefix = Vec::new();
        for node in (0..self.tree.nodes() as u32).filter(|node| !self.tree.value(*node).is_empty()) {
            self.tree.prefix(node, &mut prefix);
            each(&prefix);
        }
    }

    /// Number of distinct prefixes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no prefix at all.
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
