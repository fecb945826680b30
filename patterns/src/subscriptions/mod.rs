//! The subscriptions of peers ([`Subscriptions`], at the publisher) and those of this socket ([`Topics`], at the
//! subscriber).
//!
//! Both match by prefix of the first frame (RFC 29; RFC 37 §3.4 SUBSCRIBE), with the same radix tree. They count
//! differently, as in libzmq. The publisher keeps a *set* of pipes per prefix, so that one CANCEL ends any number of
//! SUBSCRIBEs of one peer. The subscriber counts its own calls, and cancels at zero.

mod prefix_tree;
mod topics;

pub use topics::Topics;

use std::collections::TryReserveError;

use prefix_tree::{PrefixTree, Value, shrink};
use zeroxide_zmtp::ProtocolError;
use zeroxide_zmtp::memory::Headroom;

use crate::by_pipe::ByPipe;
use crate::{PatternOptions, PipeId};

/// The subscriptions of all peers of a publishing socket: a set of pipes per prefix.
///
/// Matching takes at most one step per byte of the topic, for any number of prefixes. A prefix takes about 90 bytes,
/// and those of its bytes that it does not share with others. Its memory is freed when it is removed.
#[derive(Debug)]
pub struct Subscriptions {
    tree: PrefixTree<Holders>,
    held: ByPipe<Held>,
    topics: usize,
    /// A buffer for the longest prefix of any peer, so that removing a peer allocates nothing.
    prefix: Vec<u8>,
    headroom: Headroom,
}

/// Bytes that a request takes beside its prefix: nodes, edges, its entries in lists, and a waiting report.
const REQUEST: usize = 512;

/// The subscriptions of one pipe.
#[derive(Debug, Default)]
struct Held {
    /// The nodes of its prefixes. So the cost of removing a peer depends on its own prefixes only.
    nodes: Vec<u32>,
    /// Bytes of its prefixes.
    bytes: u64,
}

/// What [`Subscriptions::add`] changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// No pipe had this prefix before.
    First,
    /// Other pipes already had the prefix, this one did not.
    Another,
    /// The pipe already had the prefix; nothing changed.
    Again,
}

/// What [`Subscriptions::remove`] changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removed {
    /// No pipe has this prefix any more.
    Last,
    /// Other pipes still have the prefix.
    OthersRemain,
    /// The pipe did not have the prefix; nothing changed.
    NotHeld,
}

impl Subscriptions {
    /// Creates an empty store.
    #[must_use]
    pub fn new() -> Subscriptions {
        Subscriptions {
            tree: PrefixTree::new(),
            held: ByPipe::new(),
            topics: 0,
            prefix: Vec::new(),
            headroom: Headroom::default(),
        }
    }

    /// Checks that there is memory for a request of the peer of `pipe`: for [`Subscriptions::add`], and for two copies
    /// of the prefix in a report.
    ///
    /// # Errors
    /// Returns [`ProtocolError::OutOfMemory`] if there is not enough.
    pub fn make_room(&mut self, prefix: &[u8], pipe: PipeId) -> Result<(), ProtocolError> {
        let bytes = REQUEST.saturating_add(prefix.len().saturating_mul(3));
        self.headroom.take(bytes)?;
        let none = |_: TryReserveError| ProtocolError::OutOfMemory { bytes: bytes as u64 };
        self.tree.try_reserve(prefix.len()).map_err(none)?;
        self.prefix.try_reserve_exact(prefix.len()).map_err(none)?;
        self.held.get_mut(pipe).map_or(Ok(()), |held| held.nodes.try_reserve(1)).map_err(none)
    }

    /// Subscribes `pipe` to every topic that begins with `prefix`.
    pub fn add(&mut self, prefix: &[u8], pipe: PipeId) -> Added {
        let Some(node) = self.tree.insert(prefix) else { return Added::Again };
        let Held { nodes, bytes } = self.held.entry(pipe);
        let holders = self.tree.value_mut(node);
        let first = holders.is_empty();
        // A pipe's list is never longer than the tree, whose node numbers are u32.
        let Ok(place) = u32::try_from(nodes.len()) else { return Added::Again };
        if !holders.insert(Holder { pipe, place }) {
            return Added::Again;
        }
        nodes.push(node);
        *bytes = bytes.saturating_add(prefix.len() as u64);
        self.topics = self.topics.saturating_add(usize::from(first));
        if first { Added::First } else { Added::Another }
    }

    /// Ends the subscription of `pipe` to `prefix`, however often it was added.
    pub fn remove(&mut self, prefix: &[u8], pipe: PipeId) -> Removed {
        self.tree.find(prefix).map_or(Removed::NotHeld, |node| self.release(node, prefix.len(), pipe))
    }

    /// Ends all subscriptions of `pipe`. Calls `ended` for each of its prefixes, with whether no pipe has that prefix
    /// any more.
    pub fn remove_pipe(&mut self, pipe: PipeId, mut ended: impl FnMut(&[u8], bool)) {
        let mut prefix = std::mem::take(&mut self.prefix);
        while let Some(&node) = self.held.get(pipe).and_then(|held| held.nodes.last()) {
            self.tree.prefix(node, &mut prefix);
            let removed = self.release(node, prefix.len(), pipe);
            ended(&prefix, removed == Removed::Last);
        }
        if let Some(held) = self.held.get_mut(pipe) {
            *held = Held::default();
        }
        if self.topics > 0 {
            prefix.clear();
            self.prefix = prefix;
        }
    }

    /// Calls `found` with each pipe that has a prefix of `topic`, once per such prefix.
    #[inline]
    pub fn for_each_match(&self, topic: &[u8], mut found: impl FnMut(PipeId)) {
        for holders in self.tree.along(topic) {
            holders.as_slice().iter().for_each(|holder| found(holder.pipe));
        }
    }

    /// Calls `found` with each pipe that has exactly `name`, once (groups, RFC 48).
    pub fn for_each_exact(&self, name: &[u8], mut found: impl FnMut(PipeId)) {
        if let Some(node) = self.tree.find(name) {
            self.tree.value(node).as_slice().iter().for_each(|holder| found(holder.pipe));
        }
    }

    /// Returns the number of pipes that have a prefix of `topic` and for which `counts` returns true. Each is counted
    /// once.
    #[must_use]
    pub fn matching(&self, topic: &[u8], counts: impl Fn(PipeId) -> bool) -> usize {
        let mut pipes = Vec::new();
        self.for_each_match(topic, |pipe| pipes.push(pipe));
        pipes.retain(|pipe| counts(*pipe));
        pipes.sort_unstable();
        pipes.dedup();
        pipes.len()
    }

    /// Returns the number of prefixes of `pipe`, and the sum of their lengths in bytes.
    #[must_use]
    pub fn held(&self, pipe: PipeId) -> (usize, u64) {
        self.held.get(pipe).map_or((0, 0), |held| (held.nodes.len(), held.bytes))
    }

    /// Returns the limit that the subscriptions of `pipe` exceed, as the fault of its peer.
    #[must_use]
    pub fn excess(&self, pipe: PipeId, options: &PatternOptions) -> Option<ProtocolError> {
        let (count, bytes) = self.held(pipe);
        let limit = options.max_subscriptions;
        if limit > 0 && count > limit as usize {
            return Some(ProtocolError::TooManySubscriptions { limit });
        }
        let limit = options.max_subscription_bytes.filter(|limit| bytes > *limit)?;
        Some(ProtocolError::SubscriptionsTooLong { limit })
    }

    /// Returns the number of distinct prefixes.
    #[must_use]
    pub fn topics(&self) -> usize {
        self.topics
    }

    /// Returns the number of nodes that matching `topic` visits, which is the cost of a match: at most one more than
    /// the length of the topic. For tests and statistics.
    #[must_use]
    pub fn visits(&self, topic: &[u8]) -> usize {
        self.tree.along(topic).count()
    }

    /// Returns the number of nodes of the tree; an empty tree has one. For tests and statistics.
    #[must_use]
    pub fn nodes(&self) -> usize {
        self.tree.nodes() as usize
    }

    /// Removes a pipe's prefix of `length` bytes at `node`.
    fn release(&mut self, node: u32, length: usize, pipe: PipeId) -> Removed {
        let holders = self.tree.value_mut(node);
        let Some(place) = holders.remove(pipe) else { return Removed::NotHeld };
        let last = holders.is_empty();
        let Held { nodes, bytes } = self.held.entry(pipe);
        *bytes = bytes.saturating_sub(length as u64);
        nodes.swap_remove(place as usize);
        if let Some(&moved) = nodes.get(place as usize) {
            self.tree.value_mut(moved).set_place(pipe, place);
        }
        shrink(nodes);
        if !last {
            return Removed::OthersRemain;
        }
        self.topics = self.topics.saturating_sub(1);
        let held = &mut self.held;
        self.tree.prune(node, |holders, to| {
            for holder in holders.as_slice() {
                if let Some(node) = held.entry(holder.pipe).nodes.get_mut(holder.place as usize) {
                    *node = to;
                }
            }
        });
        Removed::Last
    }
}

impl Default for Subscriptions {
    fn default() -> Subscriptions {
        Subscriptions::new()
    }
}

/// One pipe of a prefix, and the index of the prefix's node in that pipe's list.
#[derive(Clone, Copy, Debug)]
struct Holder {
    pipe: PipeId,
    place: u32,
}

/// The pipes of one prefix, sorted. Most prefixes have only one, which needs no allocation.
#[derive(Debug, Default)]
enum Holders {
    #[default]
    None,
    One(Holder),
    /// The vector is boxed to keep a node at 64 bytes, since there may be millions.
    #[allow(clippy::box_collection)]
    Many(Box<Vec<Holder>>),
}

impl Value for Holders {
    fn is_empty(&self) -> bool {
        matches!(self, Holders::None)
    }
}

impl Holders {
    #[inline]
    fn as_slice(&self) -> &[Holder] {
        match self {
            Holders::None => &[],
            Holders::One(holder) => std::slice::from_ref(holder),
            Holders::Many(holders) => holders,
        }
    }

    /// Returns `false` if the pipe is already in it.
    fn insert(&mut self, new: Holder) -> bool {
        match self {
            Holders::None => *self = Holders::One(new),
            Holders::One(one) if one.pipe == new.pipe => return false,
            Holders::One(one) if one.pipe < new.pipe => *self = Holders::Many(Box::new(vec![*one, new])),
            Holders::One(one) => *self = Holders::Many(Box::new(vec![new, *one])),
            Holders::Many(holders) => match holders.binary_search_by_key(&new.pipe, |holder| holder.pipe) {
                Ok(_) => return false,
                Err(at) => holders.insert(at, new),
            },
        }
        true
    }

    /// Removes a pipe. Returns the place in its holder.
    fn remove(&mut self, pipe: PipeId) -> Option<u32> {
        match self {
            Holders::One(one) if one.pipe == pipe => {
                let place = one.place;
                *self = Holders::None;
                Some(place)
            }
            Holders::None | Holders::One(_) => None,
            Holders::Many(holders) => {
                let at = holders.binary_search_by_key(&pipe, |holder| holder.pipe).ok()?;
                let place = holders.remove(at).place;
                shrink(holders);
                if let [one] = holders[..] {
                    *self = Holders::One(one);
                }
                Some(place)
            }
        }
    }

    fn set_place(&mut self, pipe: PipeId, place: u32) {
        match self {
            Holders::One(one) if one.pipe == pipe => one.place = place,
            Holders::None | Holders::One(_) => {}
            Holders::Many(holders) => {
                let at = holders.binary_search_by_key(&pipe, |holder| holder.pipe);
                if let Some(holder) = at.ok().and_then(|at| holders.get_mut(at)) {
                    holder.place = place;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
