//! Which nodes are there, from their beacons. Time is an argument.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::Beacon;

/// More nodes than these are not noted: anybody can send beacons.
const MOST: usize = 1000;

/// The other nodes.
#[derive(Debug)]
pub struct Neighbours {
    me: Uuid,
    /// After so long without a beacon a node is gone.
    patience: Duration,
    /// When the last beacon came.
    heard: HashMap<Uuid, Instant>,
}

/// Something has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// A node is new.
    Found {
        /// Which one.
        node: Uuid,
        /// The endpoint of its ROUTER.
        endpoint: String,
    },
    /// A node has said that it leaves.
    Left(Uuid),
    /// A node was not heard for too long.
    Silent(Uuid),
}

impl Neighbours {
    /// Nobody is known yet. The beacons of the node `me` are not counted; who is silent for the time
    /// `patience` is gone.
    #[must_use]
    pub fn new(me: Uuid, patience: Duration) -> Neighbours {
        Neighbours { me, patience, heard: HashMap::new() }
    }

    /// Takes a beacon that has come from an address.
    pub fn hear(&mut self, beacon: Beacon, from: IpAddr, now: Instant) -> Option<News> {
        let node = beacon.node;
        if node == self.me {
            return None;
        }
        let Some(port) = beacon.port else {
            return self.heard.remove(&node).map(|_| News::Left(node));
        };
        if let Some(last) = self.heard.get_mut(&node) {
            *last = now;
            return None;
        }
        if self.heard.len() == MOST {
            return None;
        }
        self.heard.insert(node, now);
        Some(News::Found { node, endpoint: format!("tcp://{from}:{port}") })
    }

    /// Returns who has been silent for too long; they are forgotten.
    pub fn silent(&mut self, now: Instant) -> Vec<News> {
        let mut gone = Vec::new();
        self.heard.retain(|node, last| {
            let is_there = now.saturating_duration_since(*last) < self.patience;
            if !is_there {
                gone.push(News::Silent(*node));
            }
            is_there
        });
        gone
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const FROM: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 7));
    const PATIENCE: Duration = Duration::from_secs(3);

    fn node(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    fn here(number: u128) -> Beacon {
        Beacon { node: node(number), port: Some(4000) }
    }

    fn neighbours() -> Neighbours {
        Neighbours::new(node(1), PATIENCE)
    }

    #[test]
    fn a_node_is_found_once_and_never_oneself() {
        let (mut all, now) = (neighbours(), Instant::now());
        let found = News::Found { node: node(2), endpoint: "tcp://10.0.0.7:4000".to_owned() };
        assert_eq!(all.hear(here(2), FROM, now), Some(found));
        assert_eq!((all.hear(here(2), FROM, now), all.hear(here(1), FROM, now)), (None, None));
    }

    #[test]
    fn a_node_leaves_at_once_when_it_says_so() {
        let (mut all, now) = (neighbours(), Instant::now());
        all.hear(here(2), FROM, now);
        let leaves = Beacon { node: node(2), port: None };
        assert_eq!(all.hear(leaves, FROM, now), Some(News::Left(node(2))));
        assert_eq!(all.hear(leaves, FROM, now), None);
        assert!(all.silent(now + PATIENCE).is_empty());
    }

    #[test]
    fn a_node_is_gone_when_it_is_silent_and_not_before() {
        let (mut all, now) = (neighbours(), Instant::now());
        all.hear(here(2), FROM, now);
        let later = now + Duration::from_secs(2);
        assert!(all.silent(later).is_empty());
        all.hear(here(2), FROM, later);
        assert!(all.silent(now + PATIENCE).is_empty());
        assert_eq!(all.silent(later + PATIENCE), [News::Silent(node(2))]);
        assert!(all.silent(later + PATIENCE).is_empty());
        // It was only cut off.
        assert!(matches!(all.hear(here(2), FROM, later + PATIENCE), Some(News::Found { .. })));
    }

    #[test]
    fn a_flood_of_beacons_takes_no_more_memory() {
        let (mut all, now) = (neighbours(), Instant::now());
        let found = (2..=2000).filter(|number| all.hear(here(*number), FROM, now).is_some()).count();
        assert_eq!((found, all.heard.len()), (MOST, MOST));
    }
}
