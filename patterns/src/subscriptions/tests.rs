//! The stores of the publisher and the subscriber, against the rules and against plain maps.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const A: PipeId = PipeId(0);
const B: PipeId = PipeId(1);

fn found(subscriptions: &Subscriptions, topic: &[u8]) -> Vec<u32> {
    let mut pipes = Vec::new();
    subscriptions.for_each_match(topic, |pipe| pipes.push(pipe.0));
    pipes.sort_unstable();
    pipes
}

#[test]
fn a_topic_matches_every_prefix_of_itself() {
    let mut subscriptions = Subscriptions::new();
    for (pipe, prefix) in ["", "w", "weather", "weather.paris", "weather.paris.x", "x"].iter().enumerate() {
        subscriptions.add(prefix.as_bytes(), PipeId(pipe as u32));
    }
    assert_eq!(found(&subscriptions, b"weather.paris"), [0, 1, 2, 3]);
    assert_eq!(found(&subscriptions, b"weather.rome"), [0, 1, 2]);
    assert_eq!(found(&subscriptions, b"xylophone"), [0, 5]);
    assert_eq!(found(&subscriptions, b""), [0]);
}

#[test]
fn one_cancel_ends_any_number_of_subscribes_of_one_peer() {
    let mut subscriptions = Subscriptions::new();
    assert_eq!(subscriptions.add(b"t", A), Added::First);
    assert_eq!(subscriptions.add(b"t", A), Added::Again);
    assert_eq!(subscriptions.remove(b"t", A), Removed::Last);
    assert_eq!(found(&subscriptions, b"topic"), [0u32; 0]);
}

#[test]
fn a_topic_ends_with_the_last_of_its_peers() {
    let mut subscriptions = Subscriptions::new();
    assert_eq!(subscriptions.add(b"t", B), Added::First);
    assert_eq!(subscriptions.add(b"t", A), Added::Another);
    assert_eq!(subscriptions.topics(), 1);
    assert_eq!(subscriptions.remove(b"t", B), Removed::OthersRemain);
    assert_eq!(subscriptions.remove(b"t", B), Removed::NotHeld);
    assert_eq!(subscriptions.remove(b"t", A), Removed::Last);
    assert_eq!((subscriptions.topics(), subscriptions.nodes()), (0, 1));
}

#[test]
fn the_end_of_a_topic_that_is_not_held_changes_nothing() {
    let mut subscriptions = Subscriptions::new();
    subscriptions.add(b"topic", A);
    for other in [&b""[..], b"t", b"topic.long", b"x"] {
        assert_eq!(subscriptions.remove(other, A), Removed::NotHeld);
    }
    assert_eq!(found(&subscriptions, b"topic"), [0]);
}

#[test]
fn a_pipe_with_several_prefixes_of_a_topic_counts_once() {
    let mut subscriptions = Subscriptions::new();
    for prefix in [&b""[..], b"a", b"ab"] {
        subscriptions.add(prefix, A);
        subscriptions.add(prefix, B);
    }
    assert_eq!(subscriptions.matching(b"abc", |_| true), 2);
}

#[test]
fn a_departing_pipe_names_its_topics_and_those_left_without_subscribers() {
    let mut subscriptions = Subscriptions::new();
    for prefix in [&b"both"[..], b"mine", b""] {
        subscriptions.add(prefix, A);
    }
    subscriptions.add(b"both", B);
    let mut ended = BTreeMap::new();
    subscriptions.remove_pipe(A, |prefix, last| assert!(ended.insert(prefix.to_vec(), last).is_none()));
    let expected = [(b"".to_vec(), true), (b"both".to_vec(), false), (b"mine".to_vec(), true)];
    assert_eq!(ended, BTreeMap::from(expected));
    assert_eq!(found(&subscriptions, b"both"), [1]);
    subscriptions.remove_pipe(A, |_, _| panic!("nothing is left of it"));
    subscriptions.remove_pipe(PipeId(77), |_, _| panic!("it never had any"));
}

/// A peer that subscribes to each prefix of a long topic makes the deepest possible tree. Recursion would need a stack
/// frame per level: several times the stack of this test.
#[test]
fn the_deepest_tree_is_built_matched_removed_and_dropped_on_a_small_stack() {
    let deep = || {
        // The number of bytes that a peer must send grows with the square of this.
        let topic = vec![b'x'; if cfg!(debug_assertions) { 2 << 10 } else { 16 << 10 }];
        let mut subscriptions = Subscriptions::new();
        let mut topics = Topics::new();
        for end in 0..=topic.len() {
            subscriptions.add(&topic[..end], A);
            topics.add(&topic[..end]);
            if end % 2 == 0 {
                subscriptions.add(&topic[..end], B);
            }
        }
        assert_eq!(subscriptions.visits(&topic), topic.len() + 1);
        assert_eq!(subscriptions.matching(&topic, |_| true), 2);
        subscriptions.remove_pipe(A, |_, _| ());
        assert_eq!(subscriptions.topics(), topic.len() / 2 + 1);
        assert!(topics.remove(&topic));
        drop(topics);
        subscriptions.remove(&topic, B);
        subscriptions
    };
    let subscriptions = std::thread::Builder::new().stack_size(64 << 10).spawn(deep).unwrap().join().unwrap();
    subscriptions.tree.check();
}

/// Counts steps, not time. The cost of a match does not depend on how much is stored.
#[test]
fn a_match_among_a_million_prefixes_visits_at_most_one_node_per_byte() {
    let topics: u64 = if cfg!(debug_assertions) { 100_000 } else { 1_000_000 };
    let mut subscriptions = Subscriptions::new();
    for i in 0..topics {
        subscriptions.add(format!("stock.{:018}", i.wrapping_mul(0x9e37_79b9)).as_bytes(), A);
    }
    assert_eq!(subscriptions.topics() as u64, topics);
    assert!(subscriptions.nodes() as u64 <= 2 * topics, "a radix tree never has more");
    for i in (0..topics).step_by(997) {
        let topic = format!("stock.{:018}.bid", i.wrapping_mul(0x9e37_79b9));
        assert_eq!(found(&subscriptions, topic.as_bytes()), [0]);
        assert!(subscriptions.visits(topic.as_bytes()) <= 1 + topic.len());
    }
    assert_eq!(subscriptions.visits(b"weather"), 1);
}

#[test]
fn an_unsubscribe_takes_back_one_subscribe() {
    let mut topics = Topics::new();
    topics.add(b"t");
    topics.add(b"t");
    assert_eq!(topics.len(), 1);
    assert!(!topics.remove(b"t"));
    assert!(topics.matches(b"topic"));
    assert!(topics.remove(b"t"));
    assert!(!topics.matches(b"topic") && topics.is_empty());
    assert!(!topics.remove(b"t"), "an unknown topic is no error");
}

#[derive(Clone, Debug)]
enum Step {
    Add(Vec<u8>, u32),
    Remove(Vec<u8>, u32),
    RemovePipe(u32),
}

/// Short topics of two letters, which often collide, and long ones with long common beginnings.
fn topic() -> impl Strategy<Value = Vec<u8>> {
    let short = vec(prop_oneof![Just(b'a'), Just(b'b'), any::<u8>()], 0..6);
    let long = (0..600usize, any::<Option<u8>>()).prop_map(|(length, end)| {
        let mut topic = vec![b'a'; length];
        topic.extend(end);
        topic
    });
    prop_oneof![3 => short, 1 => long]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (topic(), 0..5u32).prop_map(|(topic, pipe)| Step::Add(topic, pipe)),
        4 => (topic(), 0..5u32).prop_map(|(topic, pipe)| Step::Remove(topic, pipe)),
        1 => (0..5u32).prop_map(Step::RemovePipe),
    ]
}

type Model = BTreeMap<Vec<u8>, BTreeSet<u32>>;

fn apply(subscriptions: &mut Subscriptions, model: &mut Model, step: Step) {
    match step {
        Step::Add(topic, pipe) => {
            let pipes = model.entry(topic.clone()).or_default();
            let expected = match (pipes.is_empty(), pipes.insert(pipe)) {
                (true, _) => Added::First,
                (false, true) => Added::Another,
                (false, false) => Added::Again,
            };
            assert_eq!(subscriptions.add(&topic, PipeId(pipe)), expected);
        }
        Step::Remove(topic, pipe) => {
            let held = model.get_mut(&topic).is_some_and(|pipes| pipes.remove(&pipe));
            let last = held && model[&topic].is_empty();
            if last {
                model.remove(&topic);
            }
            let expected = match (held, last) {
                (false, _) => Removed::NotHeld,
                (true, false) => Removed::OthersRemain,
                (true, true) => Removed::Last,
            };
            assert_eq!(subscriptions.remove(&topic, PipeId(pipe)), expected);
        }
        Step::RemovePipe(pipe) => {
            let mut expected = BTreeMap::new();
            model.retain(|topic, pipes| {
                if pipes.remove(&pipe) {
                    expected.insert(topic.clone(), pipes.is_empty());
                }
                !pipes.is_empty()
            });
            let mut ended = BTreeMap::new();
            subscriptions.remove_pipe(PipeId(pipe), |topic, last| {
                assert!(ended.insert(topic.to_vec(), last).is_none(), "each topic once");
            });
            assert_eq!(ended, expected);
        }
    }
}

proptest! {
    #[test]
    fn subscriptions_agree_with_a_map_of_sets(steps in vec(step(), 1..120), topics in vec(topic(), 8)) {
        let (mut subscriptions, mut model) = (Subscriptions::new(), Model::new());
        for step in steps {
            apply(&mut subscriptions, &mut model, step);
            subscriptions.tree.check();
            prop_assert_eq!(subscriptions.topics(), model.len());
        }
        for topic in topics.iter().chain(model.keys()) {
            let mut expected: Vec<u32> = model
                .iter()
                .filter(|(prefix, _)| topic.starts_with(prefix))
                .flat_map(|(_, pipes)| pipes.iter().copied())
                .collect();
            expected.sort_unstable();
            prop_assert_eq!(found(&subscriptions, topic), &expected[..]);
            expected.dedup();
            prop_assert_eq!(subscriptions.matching(topic, |_| true), expected.len());
            prop_assert!(subscriptions.visits(topic) <= topic.len() + 1);
        }
        (0..5).for_each(|pipe| apply(&mut subscriptions, &mut model, Step::RemovePipe(pipe)));
        prop_assert_eq!((subscriptions.topics(), subscriptions.nodes()), (0, 1), "nothing is left behind");
        prop_assert!(subscriptions.held.iter().all(|(_, held)| held.nodes.capacity() == 0 && held.bytes == 0));
    }

    #[test]
    fn topics_agree_with_a_map_of_counts(steps in vec((any::<bool>(), topic()), 1..120), tried in vec(topic(), 8)) {
        let (mut topics, mut model) = (Topics::new(), BTreeMap::<Vec<u8>, u32>::new());
        for (add, topic) in steps {
            if add {
                topics.add(&topic);
                *model.entry(topic).or_default() += 1;
                continue;
            }
            let left = model.get_mut(&topic).map(|count| {
                *count -= 1;
                *count
            });
            prop_assert_eq!(topics.remove(&topic), left == Some(0));
            if left == Some(0) {
                model.remove(&topic);
            }
        }
        prop_assert_eq!(topics.len(), model.len());
        let mut listed = BTreeSet::new();
        topics.for_each(|topic| assert!(listed.insert(topic.to_vec()), "each topic once"));
        prop_assert!(listed.iter().eq(model.keys()));
        for topic in &tried {
            prop_assert_eq!(topics.matches(topic), model.keys().any(|prefix| topic.starts_with(prefix)));
        }
    }
}
