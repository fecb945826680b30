//! RFC 48, RADIO, rule by rule.

use zeroxide_zmtp::{Message, ProtocolError, SocketType, Traffic};

use crate::fake::Rig;
use crate::{Cause, Pattern, PipeId, Refusal};

fn radio() -> Rig {
    Rig::new(SocketType::Radio)
}

fn join(rig: &mut Rig, pipe: PipeId, group: &str) {
    rig.deliver_traffic(pipe, Traffic::Join(group.into()));
}

fn leave(rig: &mut Rig, pipe: PipeId, group: &str) {
    rig.deliver_traffic(pipe, Traffic::Leave(group.into()));
}

#[test]
fn a_message_goes_to_those_who_joined_its_group_and_to_no_others() {
    let mut rig = radio();
    let (movies, tv, both) = (rig.accept(0), rig.accept(0), rig.accept(0));
    join(&mut rig, movies, "Movies");
    join(&mut rig, tv, "TV");
    join(&mut rig, both, "Movies");
    join(&mut rig, both, "TV");
    rig.send_to_group("TV", "news").unwrap();
    assert_eq!(rig.take(movies), None);
    for peer in [tv, both] {
        let taken = rig.take(peer).unwrap();
        assert_eq!((&taken, taken.group()), (&Message::from("news"), &b"TV"[..]));
    }
    assert_eq!((rig.pattern.subscribers(b"Movies"), rig.pattern.topics()), (2, 2));
}

#[test]
fn a_group_is_matched_whole() {
    let mut rig = radio();
    let peer = rig.accept(0);
    join(&mut rig, peer, "TV");
    for other in ["", "T", "TV1", "tv"] {
        rig.send_to_group(other, "x").unwrap();
    }
    assert_eq!((rig.take(peer), rig.pipes.unmatched), (None, 4), "what nobody wants is counted");
    join(&mut rig, peer, "");
    rig.send_to_group("", "y").unwrap();
    assert_eq!(rig.take(peer), Some("y".into()), "the empty group is a group");
    rig.send_to_group("T", "z").unwrap();
    assert_eq!(rig.take(peer), None, "and not everybody's prefix");
}

#[test]
fn one_leave_ends_any_number_of_joins() {
    let mut rig = radio();
    let peer = rig.accept(0);
    join(&mut rig, peer, "TV");
    join(&mut rig, peer, "TV");
    rig.send_to_group("TV", "1").unwrap();
    assert_eq!((rig.take(peer), rig.take(peer)), (Some("1".into()), None), "once, however often it joined");
    leave(&mut rig, peer, "TV");
    leave(&mut rig, peer, "never joined");
    rig.send_to_group("TV", "2").unwrap();
    assert_eq!((rig.take(peer), rig.pattern.topics()), (None, 0));
}

#[test]
fn who_is_full_misses_the_message_and_that_is_counted() {
    let mut rig = radio();
    let (slow, quick) = (rig.accept(1), rig.accept(0));
    join(&mut rig, slow, "g");
    join(&mut rig, quick, "g");
    rig.send_to_group("g", "1").unwrap();
    rig.send_to_group("g", "2").unwrap();
    assert_eq!((rig.take(slow), rig.take(slow)), (Some("1".into()), None));
    assert_eq!((rig.take(quick), rig.take(quick)), (Some("1".into()), Some("2".into())));
    assert_eq!(rig.pipes.drops, [(Some(slow), Cause::Hwm)]);
}

#[test]
fn with_nodrop_a_full_peer_makes_everybody_wait() {
    let mut rig = Rig::with(SocketType::Radio, |options| options.xpub_nodrop = true);
    let (slow, quick) = (rig.accept(1), rig.accept(0));
    join(&mut rig, slow, "g");
    join(&mut rig, quick, "g");
    rig.send_to_group("g", "1").unwrap();
    assert_eq!(rig.send_to_group("g", "2"), Err(Refusal::Full { pipes: 1 }));
    assert_eq!((rig.take(quick), rig.take(quick)), (Some("1".into()), None));
    assert_eq!(rig.pipes.reserved(), 0);
}

#[test]
fn a_group_has_at_most_255_bytes() {
    let mut rig = radio();
    let peer = rig.accept(0);
    let long = "g".repeat(255);
    join(&mut rig, peer, &long);
    rig.send_to_group(&long, "x").unwrap();
    assert_eq!(rig.take(peer), Some("x".into()));
    assert_eq!(rig.send_to_group(&"g".repeat(256), "x"), Err(Refusal::InvalidGroup));
    assert_eq!(rig.send_to_group("a\0b", "x"), Err(Refusal::InvalidGroup));
}

#[test]
fn a_peer_that_goes_takes_its_groups_with_it() {
    let mut rig = radio();
    let first = rig.accept(0);
    join(&mut rig, first, "g");
    rig.detach(first);
    let second = rig.accept(0);
    assert_eq!(first, second, "the number is used again");
    rig.send_to_group("g", "x").unwrap();
    assert_eq!((rig.take(second), rig.pattern.topics()), (None, 0));
}

#[test]
fn a_peer_that_joins_too_many_groups_is_expelled() {
    let mut rig = Rig::with(SocketType::Radio, |options| options.max_subscriptions = 2);
    let (bad, good) = (rig.accept(0), rig.accept(0));
    join(&mut rig, good, "a");
    ["a", "b", "b"].into_iter().for_each(|group| join(&mut rig, bad, group));
    assert_eq!(rig.pipes.get(bad).fault, None, "the same twice counts once");
    join(&mut rig, bad, "c");
    assert_eq!(rig.pipes.get(bad).fault, Some(ProtocolError::TooManySubscriptions { limit: 2 }));
    assert_eq!((rig.pattern.topics(), rig.pipes.get(good).fault.is_none()), (1, true));
}

#[test]
fn what_a_peer_joins_after_it_was_expelled_is_not_applied() {
    let mut rig = Rig::with(SocketType::Radio, |options| options.max_subscriptions = 1);
    let peer = rig.accept(0);
    ["a", "b", "c", "d"].into_iter().for_each(|group| join(&mut rig, peer, group));
    assert_eq!(rig.pattern.topics(), 0);
    rig.detach(peer);
    let next = rig.accept(0);
    assert_eq!(next, peer, "the number is used again");
    join(&mut rig, next, "e");
    assert_eq!(rig.pattern.topics(), 1);
}

#[test]
fn what_a_connection_had_joined_ends_when_the_next_one_is_there() {
    let mut rig = radio();
    let peer = rig.connect(0);
    rig.establish(peer, b"");
    join(&mut rig, peer, "g");
    rig.lose(peer);
    assert_eq!(rig.pattern.subscribers(b"g"), 0, "only who is up counts");
    rig.deliver_traffic(peer, Traffic::NextConnection);
    rig.establish(peer, b"");
    rig.send_to_group("g", "x").unwrap();
    assert_eq!((rig.take(peer), rig.pattern.topics()), (None, 0));
}

#[test]
fn a_radio_receives_nothing() {
    let mut rig = radio();
    let peer = rig.accept(0);
    rig.deliver(peer, "x");
    rig.deliver_traffic(peer, Traffic::Subscribe("".into()));
    assert_eq!((rig.recv(), rig.has_in()), (Err(Refusal::NotSupported), false));
    assert_eq!(rig.pipes.dropped_for(Cause::Unwanted), 1);
    assert_eq!(rig.join("g"), Err(Refusal::NotSupported));
    assert!(rig.has_out());
}
