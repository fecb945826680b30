//! Rules of SUB and XSUB (RFC 29), on plain queues.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;
use zeroxide_zmtp::SocketType;

use super::*;
use crate::fake::Rig;

impl Rig {
    fn subscribe(&mut self, topic: &str) {
        self.pattern.subscribe(topic.as_bytes(), &mut self.pipes).unwrap();
    }

    fn unsubscribe(&mut self, topic: &str) {
        self.pattern.unsubscribe(topic.as_bytes(), &mut self.pipes).unwrap();
    }

    /// What the publisher has received since the last call: `+topic`, `-topic`, or a message's first frame.
    fn told(&mut self, pipe: PipeId) -> Vec<String> {
        let text = |frame: &Frame| frame.as_str().unwrap().to_owned();
        std::iter::from_fn(|| self.take_traffic(pipe))
            .map(|traffic| match traffic {
                Traffic::Subscribe(topic) => format!("+{}", text(&topic)),
                Traffic::Cancel(topic) => format!("-{}", text(&topic)),
                Traffic::Join(_) | Traffic::Leave(_) => panic!("an XSUB has no groups"),
                Traffic::Message(message) => text(&message[0]),
                Traffic::NextConnection => panic!("nobody writes that here"),
            })
            .collect()
    }

    fn received(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.recv().unwrap())
            .map(|message| message[0].as_str().unwrap().to_owned())
            .collect()
    }
}

#[test]
fn every_subscribe_is_forwarded_and_the_cancel_when_the_count_reaches_zero() {
    let mut rig = Rig::new(SocketType::Sub);
    let peer = rig.accept(0);
    rig.subscribe("t");
    rig.subscribe("t");
    rig.unsubscribe("t");
    assert_eq!(rig.told(peer), ["+t", "+t"]);
    rig.unsubscribe("t");
    rig.unsubscribe("t");
    assert_eq!(rig.told(peer), ["-t"], "an unknown topic is no error and no news");
}

#[test]
fn with_verbose_unsubscribe_every_cancel_is_forwarded() {
    let mut rig = Rig::with(SocketType::XSub, |o| o.xsub_verbose_unsubscribe = true);
    let peer = rig.accept(0);
    for request in ["\x01t", "\x01t", "\x00t", "\x00t"] {
        rig.send(request).unwrap();
    }
    assert_eq!(rig.told(peer), ["+t", "+t", "-t", "-t"]);
}

#[test]
fn a_new_publisher_is_told_each_distinct_topic_once() {
    let mut rig = Rig::new(SocketType::Sub);
    ["a", "b", "b", "gone"].iter().for_each(|topic| rig.subscribe(topic));
    rig.unsubscribe("gone");
    let (connected, accepted) = (rig.connect(1), rig.accept(1));
    rig.establish(connected, b"");
    for pipe in [connected, accepted] {
        let mut told = rig.told(pipe);
        told.sort_unstable();
        assert_eq!(told, ["+a", "+b"]);
    }
}

#[test]
fn a_publisher_that_comes_back_is_told_again_what_holds_then() {
    let mut rig = Rig::new(SocketType::Sub);
    rig.subscribe("old");
    rig.subscribe("both");
    let peer = rig.connect(0);
    rig.establish(peer, b"");
    rig.told(peer);
    rig.lose(peer);
    rig.unsubscribe("old");
    rig.subscribe("new");
    assert_eq!(rig.told(peer), [""; 0], "a dead connection's queue does not grow");
    rig.establish(peer, b"");
    let mut told = rig.told(peer);
    told.sort_unstable();
    assert_eq!(told, ["+both", "+new"]);
    rig.subscribe("live");
    assert_eq!(rig.told(peer), ["+live"]);
}

#[test]
fn a_number_that_is_used_again_starts_afresh() {
    let mut rig = Rig::new(SocketType::Sub);
    rig.subscribe("t");
    let first = rig.accept(0);
    rig.lose(first);
    rig.detach(first);
    let second = rig.accept(0);
    assert_eq!((first, rig.told(second)), (second, vec!["+t".to_owned()]));
}

#[test]
fn subscriptions_are_told_despite_the_high_water_mark() {
    let mut rig = Rig::new(SocketType::XSub);
    let peer = rig.accept(1);
    rig.send("user").unwrap();
    for i in 0..10 {
        rig.send(format!("\x01{i}")).unwrap();
    }
    assert_eq!(rig.told(peer).len(), 11);
    assert_eq!(rig.pipes.drops, [], "a request is no message that could be dropped");
}

#[test]
fn sub_lets_through_only_what_it_subscribed_to() {
    let mut rig = Rig::new(SocketType::Sub);
    let peer = rig.accept(0);
    rig.subscribe("a");
    rig.deliver(peer, ("b", "a"));
    assert!(!rig.has_in());
    rig.deliver(peer, ("ab", "x"));
    rig.deliver(peer, "b");
    assert!(rig.has_in() && rig.has_in());
    assert_eq!(rig.recv_from().unwrap(), Some((peer, ("ab", "x").into())));
    assert_eq!(rig.recv_from().unwrap(), None);
    assert_eq!(rig.pipes.drops, [(Some(peer), Cause::Unwanted); 2]);
    assert_eq!(rig.pipes.discarded.len(), 2);
}

#[test]
fn the_empty_topic_matches_everything_even_an_empty_message() {
    let mut rig = Rig::new(SocketType::Sub);
    let peer = rig.accept(0);
    rig.deliver(peer, "");
    assert_eq!(rig.received(), [""; 0]);
    rig.subscribe("");
    rig.deliver(peer, "");
    rig.deliver(peer, "x");
    assert_eq!(rig.received(), ["", "x"]);
}

#[test]
fn inverted_matching_lets_through_what_does_not_match() {
    let mut rig = Rig::with(SocketType::Sub, |o| o.invert_matching = true);
    let peer = rig.accept(0);
    rig.subscribe("a");
    ["ab", "b"].iter().for_each(|text| rig.deliver(peer, *text));
    assert_eq!(rig.received(), ["b"]);
}

#[test]
fn xsub_does_not_filter() {
    let mut rig = Rig::with(SocketType::XSub, |o| o.invert_matching = true);
    let peer = rig.accept(0);
    rig.send("\x01a").unwrap();
    ["ab", "b"].iter().for_each(|text| rig.deliver(peer, *text));
    assert_eq!(rig.received(), ["ab", "b"]);
}

#[test]
fn sub_cannot_send_and_xsub_subscribes_by_message_only() {
    let mut rig = Rig::new(SocketType::Sub);
    assert_eq!(rig.send("\x01a"), Err(Refusal::NotSupported));
    assert!(!rig.has_out());
    let mut rig = Rig::new(SocketType::XSub);
    assert!(rig.has_out());
    assert_eq!(rig.pattern.subscribe(b"a", &mut rig.pipes), Err(Refusal::NotSupported));
    assert_eq!(rig.pattern.unsubscribe(b"a", &mut rig.pipes), Err(Refusal::NotSupported));
}

#[test]
fn xsub_sends_user_messages_to_every_publisher_and_drops_for_the_full_ones() {
    let mut rig = Rig::new(SocketType::XSub);
    rig.send("nobody").unwrap();
    assert_eq!(rig.pipes.drops, [(None, Cause::NoPeer)]);
    let (slow, fast) = (rig.accept(1), rig.accept(0));
    ["1", "2", ""].iter().for_each(|text| rig.send(*text).unwrap());
    assert_eq!((rig.told(slow), rig.told(fast)), (vec!["1".into()], vec!["1".into(), "2".into(), "".into()]));
    assert_eq!(rig.pipes.drops[1..], [(Some(slow), Cause::Hwm); 2]);
    assert_eq!(rig.pipes.reserved(), 0);
}

#[test]
fn a_request_without_a_publisher_is_kept_for_the_first_one() {
    let mut rig = Rig::new(SocketType::XSub);
    rig.send("\x01t").unwrap();
    assert_eq!((rig.pattern.topics(), rig.pipes.drops.len()), (1, 0));
    let peer = rig.accept(0);
    assert_eq!(rig.told(peer), ["+t"]);
}

#[test]
fn each_frame_of_a_message_may_be_a_request() {
    let mut rig = Rig::new(SocketType::XSub);
    let peer = rig.accept(0);
    rig.send(["\x01a", "\x01b"]).unwrap();
    rig.send(["user", "\x00a", "data"]).unwrap();
    assert_eq!(rig.told(peer), ["+a", "+b", "-a", "user"]);
    assert_eq!((rig.pattern.topics(), rig.pipes.reserved()), (1, 0));
}

#[test]
fn with_only_first_subscribe_a_message_that_begins_with_user_data_is_sent_as_it_is() {
    let mut rig = Rig::with(SocketType::XSub, |o| o.only_first_subscribe = true);
    let peer = rig.accept(0);
    rig.send(["user", "\x01a"]).unwrap();
    assert_eq!(rig.take(peer), Some(["user", "\x01a"].into()));
    rig.send(["\x01a", "\x01b"]).unwrap();
    assert_eq!(rig.told(peer), ["+a", "+b"]);
}

#[test]
fn a_publisher_that_leaves_between_the_two_steps_counts_as_lost_and_its_number_is_free() {
    let mut rig = Rig::new(SocketType::XSub);
    let (leaver, full, stayer) = (rig.accept(0), rig.accept(1), rig.accept(0));
    rig.send("0").unwrap();
    let message = Message::from("1");
    rig.route(&message).unwrap();
    rig.detach(leaver);
    rig.detach(full);
    let newcomer = rig.accept(0);
    assert_eq!(newcomer, leaver);
    rig.commit(message);
    assert_eq!(rig.told(newcomer), [""; 0]);
    assert_eq!(rig.told(stayer), ["0", "1"]);
    assert_eq!(rig.pipes.drops, [(None, Cause::Hwm), (None, Cause::PeerLost)]);
}

#[test]
fn a_message_for_nobody_but_a_lost_publisher_is_put_aside() {
    let mut rig = Rig::new(SocketType::XSub);
    let only = rig.accept(0);
    let message = Message::from("1");
    rig.route(&message).unwrap();
    rig.detach(only);
    rig.commit(message);
    assert_eq!(rig.pipes.discarded, [Message::from("1")]);
    assert_eq!(rig.pipes.drops, [(None, Cause::PeerLost)]);
}

#[derive(Clone, Debug)]
enum Step {
    Subscribe(String),
    Unsubscribe(String),
    Lose,
    Publish(String),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => "[ab]{0,3}".prop_map(Step::Subscribe),
        3 => "[ab]{0,3}".prop_map(Step::Unsubscribe),
        1 => Just(Step::Lose),
        4 => "[ab]{0,4}".prop_map(Step::Publish),
    ]
}

proptest! {
    /// For any sequence of subscriptions and connections of a SUB, its PUB has exactly its topics, and the SUB receives
    /// what it subscribed to.
    #[test]
    fn a_pub_knows_what_a_sub_wants(steps in vec(step(), 1..60)) {
        let (mut sub, mut publisher) = (Rig::new(SocketType::Sub), Rig::new(SocketType::Pub));
        let (up, mut down) = (sub.connect(0), publisher.accept(0));
        sub.establish(up, b"");
        let mut wanted: Vec<String> = Vec::new();
        for step in steps {
            match step {
                Step::Subscribe(topic) => {
                    sub.subscribe(&topic);
                    wanted.push(topic);
                }
                Step::Unsubscribe(topic) => {
                    sub.unsubscribe(&topic);
                    if let Some(at) = wanted.iter().position(|held| *held == topic) {
                        wanted.swap_remove(at);
                    }
                }
                Step::Lose => {
                    sub.lose(up);
                    publisher.detach(down);
                    down = publisher.accept(0);
                    sub.establish(up, b"");
                }
                Step::Publish(text) => {
                    publisher.send(text.as_str()).unwrap();
                    if let Some(message) = publisher.take(down) {
                        sub.deliver(up, message);
                    }
                    let expected: Vec<String> =
                        wanted.iter().any(|topic| text.starts_with(topic)).then_some(text).into_iter().collect();
                    prop_assert_eq!(sub.received(), expected);
                }
            }
            while let Some(traffic) = sub.take_traffic(up) {
                publisher.deliver_traffic(down, traffic);
            }
            let distinct: BTreeSet<&String> = wanted.iter().collect();
            prop_assert_eq!(sub.pattern.topics(), distinct.len());
            prop_assert_eq!(publisher.pattern.topics(), distinct.len());
        }
        prop_assert_eq!(sub.pipes.drops.len(), 0, "nothing unwanted was sent");
    }
}

/// Dropping it may run code of the application, which must wait until the socket's lock is released.
#[test]
fn a_shared_frame_that_was_a_request_is_put_aside() {
    let mut rig = Rig::new(SocketType::XSub);
    let peer = rig.accept(0);
    rig.send(Frame::from_owner(*b"\x01t")).unwrap();
    assert_eq!(rig.told(peer), ["+t"]);
    assert_eq!(rig.pipes.discarded, [Message::from("\x01t")]);
}

#[test]
fn what_is_left_of_a_message_with_a_request_in_it_is_the_callers() {
    let mut rig = Rig::new(SocketType::XSub);
    let peer = rig.accept(0);
    let mut message = Message::from((Frame::from("\x01t"), Frame::from_owner(*b"body")));
    rig.pattern.route(&message[0], &mut rig.pipes).unwrap();
    rig.pattern.commit(&mut message, &mut rig.pipes);
    assert_eq!(rig.told(peer), ["+t", "body"]);
    assert_eq!(message[0], "body", "the pattern drops no body that its pipe has copied");
}
