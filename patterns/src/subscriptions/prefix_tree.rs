//! A compressed radix tree over byte strings, in an arena. Both ends of publish-subscribe use it to look up topics (RFC
//! 29: a subscription is a byte prefix of the first frame).
//!
//! Topics come from peers, so a peer must not be able to break any of these bounds:
//! - looking up a topic visits at most one node per byte of the topic, whatever else is stored;
//! - there is no recursion; a topic of many megabytes is a long chain, which is walked in a loop;
//! - a label has at most [`MAX_LABEL`] bytes, so that a short prefix of a long topic splits a short label, not the
//!   long rest of the topic;
//! - nodes are stored without gaps: the last node moves into the place of a removed one. So the memory of removed
//!   topics is freed at once, and not only when all topics are gone.

use std::collections::TryReserveError;

/// The node of the empty prefix. It always exists and never moves.
const ROOT: u32 = 0;

/// The longest label of one node, in bytes.
const MAX_LABEL: usize = 255;

/// Nodes per allocation. The arena grows and shrinks in these steps and is never copied.
const CHUNK: usize = 256;

/// The value of a prefix. The empty value means that the prefix is not in the tree.
pub(super) trait Value: Default {
    fn is_empty(&self) -> bool;
}

/// Maps prefixes to values. Node numbers are valid until the next `prune`.
#[derive(Debug)]
pub(super) struct PrefixTree<V> {
    chunks: Vec<Vec<Node<V>>>,
    len: u32,
}

#[derive(Debug, Default)]
struct Node<V> {
    /// The bytes between the parent's prefix and this one. Only the root's label is empty.
    label: Label,
    /// Sorted by byte.
    edges: Box<[Edge]>,
    value: V,
    parent: u32,
}

/// The edge to the child whose label begins with `byte`.
#[derive(Clone, Copy, Debug)]
struct Edge {
    byte: u8,
    node: u32,
}

impl<V: Value> PrefixTree<V> {
    pub(super) fn new() -> PrefixTree<V> {
        PrefixTree { chunks: vec![vec![Node::default()]], len: 1 }
    }

    /// Returns the number of nodes, including the root.
    pub(super) fn nodes(&self) -> u32 {
        self.len
    }

    /// Reserves room in the list of chunks for a prefix of this length.
    pub(super) fn try_reserve(&mut self, length: usize) -> Result<(), TryReserveError> {
        self.chunks.try_reserve((length / MAX_LABEL / CHUNK).saturating_add(2))
    }

    /// Returns the node of `prefix`, and creates it if needed. The caller sets its value next. Returns `None` if no
    /// node number is left, after four thousand million nodes.
    pub(super) fn insert(&mut self, prefix: &[u8]) -> Option<u32> {
        // One prefix needs at most one split and a chain of labels.
        let more = u32::try_from(prefix.len() / MAX_LABEL).ok()?;
        self.len.checked_add(more)?.checked_add(2)?;
        let (mut id, mut rest) = (ROOT, prefix);
        while let Some(&byte) = rest.first() {
            let Some(child) = self.node(id).child(byte) else {
                let (label, after) = rest.split_at_checked(MAX_LABEL).unwrap_or((rest, &[]));
                rest = after;
                id = self.push_leaf(id, label);
                continue;
            };
            let label = self.node(child).label.bytes();
            let common = label.iter().zip(rest).take_while(|(a, b)| a == b).count();
            rest = rest.get(common..).unwrap_or_default();
            id = if common == label.len() { child } else { self.split(child, common) };
        }
        Some(id)
    }

    /// Returns the node of `prefix`. Its value may be empty.
    pub(super) fn find(&self, prefix: &[u8]) -> Option<u32> {
        let (mut id, mut rest) = (ROOT, prefix);
        while let Some(&byte) = rest.first() {
            id = self.node(id).child(byte)?;
            rest = rest.strip_prefix(self.node(id).label.bytes())?;
        }
        Some(id)
    }

    /// Returns the values of all nodes whose prefix `topic` begins with, shortest first, including empty ones.
    #[inline]
    pub(super) fn along<'a>(&'a self, topic: &'a [u8]) -> Along<'a, V> {
        Along { tree: self, at: Some(self.node(ROOT)), rest: topic }
    }

    pub(super) fn value(&self, id: u32) -> &V {
        &self.node(id).value
    }

    pub(super) fn value_mut(&mut self, id: u32) -> &mut V {
        &mut self.node_mut(id).value
    }

    /// Writes the prefix of a node to `prefix`.
    pub(super) fn prefix(&self, mut id: u32, prefix: &mut Vec<u8>) {
        prefix.clear();
        while id != ROOT {
            let node = self.node(id);
            prefix.extend(node.label.bytes().iter().rev());
            id = node.parent;
        }
        prefix.reverse();
    }

    /// Cleans up after the value of a node was emptied. Removes the node if it has no children, then parents that led
    /// only to it, and joins nodes where possible. Calls `moved` with the new number of each node that moved.
    pub(super) fn prune(&mut self, mut id: u32, mut moved: impl FnMut(&V, u32)) {
        while id != ROOT && self.node(id).value.is_empty() && self.node(id).edges.is_empty() {
            let (parent, byte) = (self.node(id).parent, self.node(id).byte());
            self.node_mut(parent).unlink(byte);
            id = self.free(id, parent, &mut moved);
        }
        // An emptied node may be joined with its child. If that label would be too long, its parent may be joined with
        // it.
        let parent = self.node(id).parent;
        let parent = self.join(id, parent, &mut moved);
        let above = self.node(parent).parent;
        self.join(parent, above, &mut moved);
    }

    /// Joins a node that has only one child with that child, if the joined label is not too long. Returns the number of
    /// `keep`, which may have moved.
    fn join(&mut self, id: u32, keep: u32, moved: &mut impl FnMut(&V, u32)) -> u32 {
        let node = self.node(id);
        let [Edge { node: child, .. }] = *node.edges else { return keep };
        let (head, tail) = (node.label.bytes(), self.node(child).label.bytes());
        if id == ROOT || !node.value.is_empty() || head.len().saturating_add(tail.len()) > MAX_LABEL {
            return keep;
        }
        let (label, parent, byte) = (Label::new(head, tail), node.parent, node.byte());
        let joined = self.node_mut(child);
        (joined.label, joined.parent) = (label, parent);
        self.node_mut(parent).relink(byte, child);
        self.free(id, keep, moved)
    }

    /// Inserts a node without value between `child` and its parent, `at` bytes into the label of `child`.
    fn split(&mut self, child: u32, at: usize) -> u32 {
        let node = self.node(child);
        let (head, tail) = node.label.bytes().split_at(at);
        let (parent, byte) = (node.parent, node.byte());
        let (head, tail) = (Label::new(head, &[]), Label::new(tail, &[]));
        let edges = Box::new([Edge { byte: tail.first(), node: child }]);
        let middle = self.push(Node { label: head, edges, value: V::default(), parent });
        let node = self.node_mut(child);
        (node.label, node.parent) = (tail, middle);
        self.node_mut(parent).relink(byte, middle);
        middle
    }

    fn push_leaf(&mut self, parent: u32, label: &[u8]) -> u32 {
        let leaf = Node { label: Label::new(label, &[]), edges: Box::default(), value: V::default(), parent };
        let byte = leaf.byte();
        let node = self.push(leaf);
        self.node_mut(parent).link(Edge { byte, node });
        node
    }

    fn push(&mut self, node: Node<V>) -> u32 {
        let full = self.chunks.last().is_none_or(|chunk| chunk.len() == CHUNK);
        if full {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        if let Some(chunk) = self.chunks.last_mut() {
            chunk.push(node);
        }
        let id = self.len;
        self.len = id.saturating_add(1); // `insert` has checked that it fits
        id
    }

    /// Frees a node without incoming edge. The last node gets its number. Returns the number of `keep`.
    fn free(&mut self, id: u32, keep: u32, moved: &mut impl FnMut(&V, u32)) -> u32 {
        let Some(node) = self.pop() else { return keep };
        let last = self.len;
        if last == id {
            return keep;
        }
        let (parent, byte) = (node.parent, node.byte());
        moved(&node.value, id);
        for edge in &node.edges {
            self.node_mut(edge.node).parent = id;
        }
        *self.node_mut(id) = node;
        self.node_mut(parent).relink(byte, id);
        if keep == last { id } else { keep }
    }

    fn pop(&mut self) -> Option<Node<V>> {
        let chunk = self.chunks.last_mut()?;
        let node = chunk.pop()?;
        if chunk.is_empty() {
            self.chunks.pop();
            shrink(&mut self.chunks);
        }
        self.len = self.len.saturating_sub(1);
        Some(node)
    }

    #[inline]
    #[expect(
        clippy::indexing_slicing,
        reason = "the tree's links name existing nodes; the model test drives them"
    )]
    fn node(&self, id: u32) -> &Node<V> {
        &self.chunks[id as usize / CHUNK][id as usize % CHUNK]
    }

    #[inline]
    #[expect(clippy::indexing_slicing, reason = "as in `node`")]
    fn node_mut(&mut self, id: u32) -> &mut Node<V> {
        &mut self.chunks[id as usize / CHUNK][id as usize % CHUNK]
    }
}

/// Frees memory when three quarters are unused, so that a vector which grows and shrinks is not copied all the time.
pub(super) fn shrink<T>(list: &mut Vec<T>) {
    if list.capacity() > 16 && list.len() < list.capacity() / 4 {
        list.shrink_to(list.len().saturating_mul(2));
    }
}

/// The iterator of [`PrefixTree::along`].
pub(super) struct Along<'a, V> {
    tree: &'a PrefixTree<V>,
    at: Option<&'a Node<V>>,
    rest: &'a [u8],
}

impl<'a, V: Value> Iterator for Along<'a, V> {
    type Item = &'a V;

    #[inline]
    fn next(&mut self) -> Option<&'a V> {
        let node = self.at.take()?;
        if let Some(child) = self.rest.first().and_then(|byte| node.child(*byte)) {
            let child = self.tree.node(child);
            if let Some(rest) = self.rest.strip_prefix(child.label.bytes()) {
                (self.at, self.rest) = (Some(child), rest);
            }
        }
        Some(&node.value)
    }
}

impl<V> Node<V> {
    /// Returns the first byte of the label, which is the parent's key for this node. This is not called for the root,
    /// which has none.
    fn byte(&self) -> u8 {
        self.label.first()
    }

    #[inline]
    fn child(&self, byte: u8) -> Option<u32> {
        let at = self.edges.binary_search_by_key(&byte, |edge| edge.byte).ok()?;
        Some(self.edges.get(at)?.node)
    }

    fn relink(&mut self, byte: u8, node: u32) {
        let at = self.edges.binary_search_by_key(&byte, |edge| edge.byte);
        if let Some(edge) = at.ok().and_then(|at| self.edges.get_mut(at)) {
            edge.node = node;
        }
    }

    fn link(&mut self, edge: Edge) {
        if let Err(at) = self.edges.binary_search_by_key(&edge.byte, |edge| edge.byte) {
            let mut edges = std::mem::take(&mut self.edges).into_vec();
            edges.reserve_exact(1);
            edges.insert(at, edge);
            self.edges = edges.into_boxed_slice();
        }
    }

    fn unlink(&mut self, byte: u8) {
        if let Ok(at) = self.edges.binary_search_by_key(&byte, |edge| edge.byte) {
            let mut edges = std::mem::take(&mut self.edges).into_vec();
            edges.remove(at);
            self.edges = edges.into_boxed_slice();
        }
    }
}

/// The most bytes of a label that is stored in the node itself.
const SHORT: usize = 22;

#[derive(Debug)]
enum Label {
    Short { len: u8, bytes: [u8; SHORT] },
    Long(Box<[u8]>),
}

impl Label {
    /// Creates a label from two parts.
    fn new(head: &[u8], tail: &[u8]) -> Label {
        match u8::try_from(head.len().saturating_add(tail.len())) {
            Ok(len) if usize::from(len) <= SHORT => {
                let mut bytes = [0; SHORT];
                bytes.iter_mut().zip(head.iter().chain(tail)).for_each(|(place, byte)| *place = *byte);
                Label::Short { len, bytes }
            }
            _ => Label::Long([head, tail].concat().into_boxed_slice()),
        }
    }

    /// Returns the first byte; 0 for the root's label, which has none.
    fn first(&self) -> u8 {
        self.bytes().first().copied().unwrap_or_default()
    }

    #[inline]
    fn bytes(&self) -> &[u8] {
        match self {
            Label::Short { len, bytes } => bytes.get(..usize::from(*len)).unwrap_or(bytes),
            Label::Long(bytes) => bytes,
        }
    }
}

impl Default for Label {
    fn default() -> Label {
        Label::new(&[], &[])
    }
}

#[cfg(test)]
#[path = "prefix_tree_tests.rs"]
mod tests;
