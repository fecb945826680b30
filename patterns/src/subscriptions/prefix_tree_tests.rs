//! The tree's own invariants. Its use is tested in `subscriptions/tests.rs`.

use super::*;

#[derive(Debug, Default, PartialEq)]
struct Mark(bool);

impl Value for Mark {
    fn is_empty(&self) -> bool {
        !self.0
    }
}

impl<V: Value> PrefixTree<V> {
    /// Panics if the tree is not in its canonical shape.
    pub(in super::super) fn check(&self) {
        assert_eq!(self.len as usize, self.chunks.iter().map(Vec::len).sum::<usize>());
        assert!(self.chunks.iter().rev().skip(1).all(|chunk| chunk.len() == CHUNK));
        assert!(self.node(ROOT).label.bytes().is_empty());
        let mut edges = 0;
        for id in 0..self.len {
            let node = self.node(id);
            edges += node.edges.len();
            assert!(node.edges.windows(2).all(|pair| pair[0].byte < pair[1].byte), "edges are sorted");
            for edge in &node.edges {
                let child = self.node(edge.node);
                assert_eq!((child.parent, child.byte()), (id, edge.byte), "an edge and its child agree");
                assert!((1..=MAX_LABEL).contains(&child.label.bytes().len()));
            }
            assert!(id == ROOT || !node.value.is_empty() || !node.edges.is_empty(), "no node is useless");
        }
        assert_eq!(edges, self.len as usize - 1, "every node but the root has one parent");
    }
}

fn tree_of(prefixes: &[&[u8]]) -> PrefixTree<Mark> {
    let mut tree = PrefixTree::new();
    for prefix in prefixes {
        let node = tree.insert(prefix).unwrap();
        *tree.value_mut(node) = Mark(true);
    }
    tree.check();
    tree
}

fn remove(tree: &mut PrefixTree<Mark>, prefix: &[u8]) {
    let node = tree.find(prefix).unwrap();
    *tree.value_mut(node) = Mark(false);
    tree.prune(node, |_, _| ());
    tree.check();
}

#[test]
fn a_node_of_subscriptions_has_64_bytes() {
    assert_eq!(size_of::<Node<super::super::Holders>>(), 64);
}

#[test]
fn a_branch_splits_a_label_and_its_end_joins_it_again() {
    let mut tree = tree_of(&[b"weather.paris", b"weather.prague"]);
    assert_eq!(tree.nodes(), 4, "root, the common part, two ends");
    remove(&mut tree, b"weather.paris");
    assert_eq!(tree.nodes(), 2);
    assert!(tree.find(b"weather.prague").is_some());
}

#[test]
fn a_prefix_that_ends_inside_a_label_is_not_there() {
    let tree = tree_of(&[b"weather"]);
    assert_eq!(tree.find(b"weath"), None);
    assert_eq!(tree.find(b"weather."), None);
    assert_eq!(tree.along(b"weath").filter(|mark| mark.0).count(), 0);
}

#[test]
fn a_long_topic_is_a_chain_of_short_labels_and_goes_as_a_whole() {
    let topic = vec![7; 10 * MAX_LABEL + 1];
    let mut tree = tree_of(&[&topic]);
    assert_eq!(tree.nodes(), 1 + 11);
    remove(&mut tree, &topic);
    assert_eq!(tree.nodes(), 1);
}

#[test]
fn splits_of_a_long_topic_heal_when_their_cause_goes() {
    let topic: Vec<u8> = (0..2000).map(|i| (i % 251) as u8).collect();
    let mut tree = tree_of(&[&topic]);
    let whole = tree.nodes();
    for at in (1..2000).step_by(7) {
        let node = tree.insert(&topic[..at]).unwrap();
        *tree.value_mut(node) = Mark(true);
        tree.check();
    }
    assert!(tree.nodes() > 200);
    for at in (1..2000).step_by(7).rev() {
        remove(&mut tree, &topic[..at]);
    }
    assert!(tree.nodes() <= 2 * whole, "{} nodes, {whole} before", tree.nodes());
}

#[test]
fn the_node_above_an_emptied_one_is_joined_too() {
    let topic: Vec<u8> = (0..400).map(|i| (i % 251) as u8).collect();
    let mut tree = tree_of(&[&topic[..300], &topic, &topic[..200]]);
    assert_eq!(tree.nodes(), 5, "labels of 200, 55, 45 and 100 bytes");
    remove(&mut tree, &topic[..300]);
    assert_eq!(tree.nodes(), 3, "labels of 200 and 200 bytes");
    assert!(tree.find(&topic).is_some());
}

#[test]
fn a_moved_node_is_reported_with_its_value() {
    let mut tree = tree_of(&[b"a", b"b", b"c"]);
    let (a, c) = (tree.find(b"a").unwrap(), tree.find(b"c").unwrap());
    *tree.value_mut(a) = Mark(false);
    let mut moves = Vec::new();
    tree.prune(a, |mark, to| moves.push((mark.0, to)));
    assert_eq!(moves, [(true, a)], "the last node, c, took the free place");
    assert_ne!(tree.find(b"c"), Some(c));
    assert_eq!(tree.find(b"c"), Some(a));
    let mut prefix = Vec::new();
    tree.prefix(a, &mut prefix);
    assert_eq!(prefix, b"c");
}

#[test]
fn chunks_are_returned_as_they_empty() {
    let topics: Vec<[u8; 2]> = (0..2000u16).map(u16::to_be_bytes).collect();
    let mut tree = tree_of(&topics.iter().map(|t| &t[..]).collect::<Vec<_>>());
    assert_eq!(tree.chunks.len(), (tree.nodes() as usize).div_ceil(CHUNK));
    for topic in &topics[..1500] {
        remove(&mut tree, topic);
    }
    assert_eq!(tree.chunks.len(), (tree.nodes() as usize).div_ceil(CHUNK));
}
