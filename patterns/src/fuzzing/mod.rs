//! The bodies of the fuzz targets, which also run as property tests.

mod script;

use std::collections::{BTreeMap, BTreeSet};

use crate::PipeId;
use crate::model::{self, Op};
use crate::subscriptions::{Added, Removed, Subscriptions, Topics};

/// Runs a script on a socket of any type: on the model of its type where there is one, else beside the rules that all
/// types have in common.
pub fn patterns(data: &[u8]) {
    let Some((select, data)) = data.split_first() else { return };
    match model::TYPES.get(usize::from(*select)) {
        Some(socket_type) => model::run(*socket_type, data.chunks_exact(2).map(|pair| op(pair[0], pair[1]))),
        None => script::run(*select, data),
    }
}

fn op(verb: u8, amount: u8) -> Op {
    let at = usize::from(amount % 5);
    match verb % 10 {
        0 => Op::Attach { hwm: 1 + usize::from(amount % 3) },
        1 => Op::Leave(at),
        2 => Op::Take(at),
        3 | 4 => Op::Send(at),
        5 | 6 => Op::SendInto { peer: at, leaving: usize::from(amount / 5 % 5) },
        7 => Op::Recv,
        8 if amount & 1 == 0 => Op::HasIn,
        8 => Op::HasOut,
        _ => Op::Deliver(at),
    }
}

/// Runs additions, removals and matches on the publisher's and the subscriber's store, and on plain maps.
pub fn prefix_tree(mut data: &[u8]) {
    let (mut subscriptions, mut topics) = (Subscriptions::new(), Topics::new());
    let mut pipes: BTreeSet<(Vec<u8>, u32)> = BTreeSet::new();
    let mut counts: BTreeMap<Vec<u8>, u32> = BTreeMap::new();
    while let Some(([verb, length], rest)) = data.split_first_chunk() {
        let (text, rest) = rest.split_at(usize::from(*length % 32).min(rest.len()));
        data = rest;
        let pipe = PipeId(u32::from(*verb >> 4 & 3));
        let others = pipes.iter().any(|(prefix, other)| prefix == text && *other != pipe.0);
        match verb % 8 {
            0..3 => {
                subscriptions.make_room(text, pipe).expect("there is memory");
                let new = pipes.insert((text.to_vec(), pipe.0));
                let expected = match (new, others) {
                    (false, _) => Added::Again,
                    (true, true) => Added::Another,
                    (true, false) => Added::First,
                };
                assert_eq!(subscriptions.add(text, pipe), expected);
                topics.add(text);
                *counts.entry(text.to_vec()).or_default() += 1;
            }
            3 | 4 => {
                let held = pipes.remove(&(text.to_vec(), pipe.0));
                let expected = match (held, others) {
                    (false, _) => Removed::NotHeld,
                    (true, true) => Removed::OthersRemain,
                    (true, false) => Removed::Last,
                };
                assert_eq!(subscriptions.remove(text, pipe), expected);
                let count = counts.get(text).copied().unwrap_or(0);
                assert_eq!(topics.remove(text), count == 1);
                if count <= 1 {
                    counts.remove(text)
                } else {
                    counts.insert(text.to_vec(), count - 1)
                };
            }
            5 => {
                let mut ended = BTreeMap::new();
                subscriptions.remove_pipe(pipe, |prefix, last| {
                    assert!(ended.insert(prefix.to_vec(), last).is_none(), "named twice");
                });
                let (gone, left) = pipes.into_iter().partition(|(_, other)| *other == pipe.0);
                pipes = left;
                let gone: BTreeSet<(Vec<u8>, u32)> = gone;
                let expected = gone.into_iter().map(|(prefix, _)| {
                    let last = !pipes.iter().any(|(other, _)| *other == prefix);
                    (prefix, last)
                });
                assert_eq!(ended, expected.collect());
            }
            _ => same_matches(&subscriptions, &topics, &pipes, &counts, text),
        }
        let distinct: BTreeSet<&[u8]> = pipes.iter().map(|(prefix, _)| &prefix[..]).collect();
        assert_eq!((subscriptions.topics(), topics.len()), (distinct.len(), counts.len()));
        assert!(subscriptions.nodes() <= 2 * distinct.len() + 1, "a node that no prefix needs");
    }
    let mut named = BTreeSet::new();
    topics.for_each(|prefix| assert!(named.insert(prefix.to_vec()), "named twice"));
    assert!(named.iter().eq(counts.keys()));
}

fn same_matches(
    subscriptions: &Subscriptions,
    topics: &Topics,
    pipes: &BTreeSet<(Vec<u8>, u32)>,
    counts: &BTreeMap<Vec<u8>, u32>,
    topic: &[u8],
) {
    let sorted = |mut found: Vec<u32>| {
        found.sort_unstable();
        found
    };
    let mut found = Vec::new();
    subscriptions.for_each_match(topic, |pipe| found.push(pipe.0));
    let expected = pipes.iter().filter(|(prefix, _)| topic.starts_with(prefix)).map(|(_, pipe)| *pipe);
    assert_eq!(sorted(found), sorted(expected.collect()));
    let mut found = Vec::new();
    subscriptions.for_each_exact(topic, |pipe| found.push(pipe.0));
    let expected = pipes.iter().filter(|(name, _)| topic == name).map(|(_, pipe)| *pipe);
    assert_eq!(sorted(found), sorted(expected.collect()));
    assert_eq!(topics.matches(topic), counts.keys().any(|prefix| topic.starts_with(prefix)));
    assert!(subscriptions.visits(topic) <= topic.len() + 1, "more than one step for each byte");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn patterns(select in 0..60_u8, data in prop::collection::vec(any::<u8>(), 0..400)) {
            super::patterns(&[&[select][..], &data].concat());
        }

        #[test]
        fn prefix_tree(ops in prop::collection::vec(
            (any::<u8>(), prop::collection::vec(0..3_u8, 0..6)),
            0..60,
        )) {
            let bytes = ops.into_iter().map(|(verb, text)| [&[verb, text.len() as u8][..], &text].concat());
            super::prefix_tree(&bytes.collect::<Vec<_>>().concat());
        }
    }
}
