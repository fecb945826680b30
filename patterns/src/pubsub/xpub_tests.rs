//! Rules of PUB and XPUB (RFC 29), on plain queues.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::prelude::*;
use zeroxide_zmtp::{ProtocolError, SocketType};

use super::super::requests::{MESSAGES, REPORTS};
use super::*;
use crate::Cause;
use crate::fake::Rig;

fn subscribe(rig: &mut Rig, pipe: PipeId, topic: &str) {
    rig.deliver_traffic(pipe, Traffic::Subscribe(Frame::from(topic)));
}

fn cancel(rig: &mut Rig, pipe: PipeId, topic: &str) {
    rig.deliver_traffic(pipe, Traffic::Cancel(Frame::from(topic)));
}

/// Receives everything: the pipe, and each message's first frame as `+topic`, `-topic` or text.
fn reports(rig: &mut Rig) -> Vec<(u32, String)> {
    std::iter::from_fn(|| rig.recv_from().unwrap())
        .map(|(pipe, message)| {
            let frame = &message[0];
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            let report = match frame.first() {
                Some(1) => format!("+{}", text(&frame[1..])),
                Some(0) => format!("-{}", text(&frame[1..])),
                _ => text(frame),
            };
            (pipe.0, report)
        })
        .collect()
}

fn texts(rig: &mut Rig) -> Vec<String> {
    reports(rig).into_iter().map(|(_, text)| text).collect()
}

/// Returns the first frames of the messages that were written to a pipe.
fn sent(rig: &mut Rig, pipe: PipeId) -> Vec<String> {
    std::iter::from_fn(|| rig.take(pipe)).map(|message| message[0].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_message_goes_to_the_peers_that_subscribed_to_a_prefix_of_its_first_frame() {
    let mut rig = Rig::new(SocketType::Pub);
    let (paris, all, other) = (rig.accept(0), rig.accept(0), rig.accept(0));
    subscribe(&mut rig, paris, "weather.paris");
    subscribe(&mut rig, all, "");
    subscribe(&mut rig, other, "sunny");
    rig.send(("weather.paris.now", "sunny")).unwrap();
    assert_eq!(rig.take(paris), Some(("weather.paris.now", "sunny").into()));
    assert_eq!(rig.take(all), Some(("weather.paris.now", "sunny").into()));
    assert_eq!(rig.take(other), None);
}

#[test]
fn a_peer_with_several_matching_prefixes_gets_one_copy() {
    let mut rig = Rig::new(SocketType::Pub);
    let peer = rig.accept(0);
    ["", "a", "ab"].iter().for_each(|topic| subscribe(&mut rig, peer, topic));
    rig.send("abc").unwrap();
    assert_eq!(sent(&mut rig, peer), ["abc"]);
}

#[test]
fn a_message_without_subscribers_is_dropped_with_success_and_counted() {
    let mut rig = Rig::new(SocketType::Pub);
    rig.send("1").unwrap();
    let peer = rig.accept(0);
    rig.send("2").unwrap();
    assert_eq!((rig.pipes.unmatched, rig.pipes.discarded.len()), (2, 2));
    assert_eq!(sent(&mut rig, peer), [""; 0]);
    assert!(rig.has_out());
}

#[test]
fn a_peer_at_its_high_water_mark_misses_whole_messages_and_the_others_do_not() {
    let mut rig = Rig::new(SocketType::Pub);
    let (slow, fast) = (rig.accept(1), rig.accept(0));
    subscribe(&mut rig, slow, "");
    subscribe(&mut rig, fast, "");
    ["1", "2"].iter().for_each(|text| rig.send(*text).unwrap());
    assert_eq!(sent(&mut rig, slow), ["1"]);
    rig.send("3").unwrap();
    assert_eq!(sent(&mut rig, slow), ["3"]);
    assert_eq!(sent(&mut rig, fast), ["1", "2", "3"]);
    assert_eq!((rig.pipes.drops.clone(), rig.pipes.unmatched), (vec![(Some(slow), Cause::Hwm)], 0));
}

#[test]
fn with_nodrop_a_full_subscriber_holds_back_and_one_without_the_topic_does_not() {
    let mut rig = Rig::with(SocketType::XPub, |o| o.xpub_nodrop = true);
    let (slow, fast) = (rig.accept(1), rig.accept(0));
    subscribe(&mut rig, slow, "a");
    subscribe(&mut rig, fast, "");
    rig.send("a1").unwrap();
    assert_eq!(rig.send("a2"), Err(Refusal::Full { pipes: 1 }));
    rig.send("b").unwrap();
    assert_eq!(sent(&mut rig, slow), ["a1"]);
    rig.send("a3").unwrap();
    assert_eq!(sent(&mut rig, fast), ["a1", "b", "a3"]);
    assert_eq!(rig.pipes.drops, []);
}

#[test]
fn inverted_matching_sends_to_the_peers_that_do_not_match() {
    let mut rig = Rig::with(SocketType::Pub, |o| o.invert_matching = true);
    let (a, b) = (rig.accept(0), rig.accept(0));
    subscribe(&mut rig, a, "a");
    subscribe(&mut rig, b, "b");
    rig.send("a!").unwrap();
    assert_eq!((sent(&mut rig, a), sent(&mut rig, b)), (vec![], vec!["a!".to_owned()]));
    assert_eq!((rig.pattern.subscribers(b"a!"), rig.pattern.subscribers(b"c")), (1, 2));
}

#[test]
fn pub_cannot_receive_and_ignores_user_messages() {
    let mut rig = Rig::new(SocketType::Pub);
    let peer = rig.accept(0);
    subscribe(&mut rig, peer, "a");
    rig.deliver(peer, "hello");
    assert_eq!(rig.recv(), Err(Refusal::NotSupported));
    assert!(!rig.has_in());
    assert_eq!(rig.pipes.drops, [(Some(peer), Cause::Unwanted)]);
    assert_eq!(rig.pipes.discarded.len(), 1);
}

#[test]
fn pub_keeps_nothing_for_a_receiver_it_does_not_have() {
    let mut rig = Rig::with(SocketType::Pub, |o| (o.xpub_verboser, o.xpub_manual) = (true, true));
    let peer = rig.accept(0);
    (0..2 * REPORTS.count).for_each(|_| subscribe(&mut rig, peer, "a"));
    cancel(&mut rig, peer, "a");
    subscribe(&mut rig, peer, "b");
    assert_eq!(rig.pattern.topics(), 1, "all of it was read and applied");
    rig.detach(peer);
    assert!(!rig.has_in());
}

#[test]
fn xpub_reports_the_first_subscribe_and_the_last_cancel_of_a_topic() {
    let mut rig = Rig::new(SocketType::XPub);
    let (a, b) = (rig.accept(0), rig.accept(0));
    assert!(!rig.has_in());
    subscribe(&mut rig, a, "t");
    subscribe(&mut rig, b, "t");
    subscribe(&mut rig, b, "t");
    cancel(&mut rig, a, "t");
    cancel(&mut rig, b, "t");
    assert!(rig.has_in());
    assert_eq!(reports(&mut rig), [(a.0, "+t".into()), (b.0, "-t".into())]);
}

#[test]
fn xpub_reports_the_end_of_a_subscription_that_the_peer_does_not_hold() {
    let mut rig = Rig::new(SocketType::XPub);
    let (a, b) = (rig.accept(0), rig.accept(0));
    cancel(&mut rig, a, "never");
    subscribe(&mut rig, b, "t");
    cancel(&mut rig, a, "t");
    assert_eq!(reports(&mut rig), [(a.0, "-never".into()), (b.0, "+t".into()), (a.0, "-t".into())]);
}

#[test]
fn verbose_reports_every_subscribe_and_verboser_every_cancel_too() {
    for (verboser, expected) in
        [(false, &["+t", "+t", "+t", "-t"][..]), (true, &["+t", "+t", "+t", "-t", "-t"])]
    {
        let mut rig =
            Rig::with(SocketType::XPub, |o| (o.xpub_verbose, o.xpub_verboser) = (!verboser, verboser));
        let (a, b) = (rig.accept(0), rig.accept(0));
        subscribe(&mut rig, a, "t");
        subscribe(&mut rig, a, "t");
        subscribe(&mut rig, b, "t");
        cancel(&mut rig, a, "t");
        cancel(&mut rig, b, "t");
        assert_eq!(texts(&mut rig), expected);
    }
}

#[test]
fn the_end_of_a_peer_reports_the_topics_left_without_subscribers() {
    for (verboser, expected) in [(false, &["-alone"][..]), (true, &["-alone", "-both"])] {
        let mut rig = Rig::with(SocketType::XPub, |o| o.xpub_verboser = verboser);
        let (a, b) = (rig.accept(0), rig.accept(0));
        subscribe(&mut rig, a, "alone");
        subscribe(&mut rig, a, "both");
        subscribe(&mut rig, b, "both");
        reports(&mut rig);
        rig.detach(a);
        let mut ended = texts(&mut rig);
        ended.sort_unstable();
        assert_eq!(ended, expected);
        assert_eq!((rig.pattern.subscribers(b"both"), rig.pattern.topics()), (1, 1));
    }
}

#[test]
fn what_a_connection_had_subscribed_to_ends_when_the_next_one_is_there() {
    let mut rig = Rig::new(SocketType::XPub);
    let peer = rig.connect(0);
    rig.establish(peer, b"");
    subscribe(&mut rig, peer, "t");
    rig.lose(peer);
    assert_eq!(rig.pattern.subscribers(b"t"), 0, "only who is up counts");
    rig.send("t while away").unwrap();
    rig.deliver_traffic(peer, Traffic::NextConnection);
    rig.establish(peer, b"");
    rig.send("t unasked").unwrap();
    assert_eq!(rig.pattern.topics(), 0);
    subscribe(&mut rig, peer, "t");
    rig.send("t again").unwrap();
    assert_eq!(sent(&mut rig, peer), ["t while away", "t again"]);
    assert_eq!(texts(&mut rig), ["+t", "-t", "+t"]);
}

#[test]
fn a_peer_that_is_not_up_does_not_count_as_a_subscriber() {
    let mut rig = Rig::with(SocketType::XPub, |o| o.invert_matching = true);
    let (up, _waiting) = (rig.accept(0), rig.connect(0));
    let gone = rig.accept(0);
    rig.deliver(gone, "unread");
    rig.end(gone);
    assert_eq!(rig.pattern.subscribers(b"t"), 1);
    subscribe(&mut rig, up, "t");
    assert_eq!(rig.pattern.subscribers(b"t"), 0);
}

#[test]
fn a_manual_answer_to_a_peer_that_left_a_message_unread_changes_nothing() {
    let mut rig = Rig::with(SocketType::XPub, |o| o.xpub_manual = true);
    let peer = rig.accept(0);
    subscribe(&mut rig, peer, "A");
    rig.recv().unwrap().unwrap();
    rig.end(peer);
    rig.pattern.subscribe(b"A", &mut rig.pipes).unwrap();
    assert_eq!(rig.pattern.topics(), 0);
}

#[test]
fn what_a_peer_asks_for_after_it_was_expelled_is_not_applied() {
    let mut rig = Rig::with(SocketType::XPub, |options| options.max_subscriptions = 1);
    let peer = rig.accept(0);
    ["a", "b", "c", "d"].into_iter().for_each(|topic| subscribe(&mut rig, peer, topic));
    cancel(&mut rig, peer, "never");
    assert_eq!(rig.pattern.topics(), 0);
    let told = texts(&mut rig);
    assert_eq!((told.len(), &told[..2]), (4, &["+a".to_owned(), "+b".to_owned()][..]));
    rig.detach(peer);
    let next = rig.accept(0);
    assert_eq!(next, peer, "numbers are used again");
    subscribe(&mut rig, next, "e");
    assert_eq!(texts(&mut rig), ["+e"]);
}

#[test]
fn manual_mode_only_reports_and_the_answer_is_about_the_request_read_last() {
    let mut rig = Rig::with(SocketType::XPub, |o| o.xpub_manual = true);
    let (a, b) = (rig.accept(0), rig.accept(0));
    let Rig { pattern, pipes } = &mut rig;
    pattern.subscribe(b"early", pipes).unwrap();
    subscribe(&mut rig, a, "A");
    subscribe(&mut rig, b, "B");
    subscribe(&mut rig, b, "B");
    assert_eq!(rig.pattern.topics(), 0);
    for _ in 0..2 {
        let (pipe, request) = rig.recv_from().unwrap().unwrap();
        let instead = format!("X{}", pipe.0);
        assert_eq!(request[0][0], 1);
        rig.pattern.subscribe(instead.as_bytes(), &mut rig.pipes).unwrap();
    }
    assert_eq!(texts(&mut rig), ["+B"], "every request is reported");
    rig.send("X0").unwrap();
    rig.send("X1").unwrap();
    rig.send("A").unwrap();
    assert_eq!((sent(&mut rig, a), sent(&mut rig, b)), (vec!["X0".to_owned()], vec!["X1".to_owned()]));
    rig.pattern.unsubscribe(b"X0", &mut rig.pipes).unwrap();
    rig.pattern.unsubscribe(b"X1", &mut rig.pipes).unwrap();
    assert_eq!(rig.pattern.subscribers(b"X0"), 1, "the request read last was b's");
    assert_eq!(rig.pattern.subscribers(b"X1"), 0);
}

/// Returns an XPUB with two peers that are subscribed to `topic`, one after the other.
fn with_two_last_values(topic: &str) -> (Rig, [PipeId; 2]) {
    let mut rig = Rig::with(SocketType::XPub, |o| o.xpub_manual_last_value = true);
    let peers = [rig.accept(0), rig.accept(0)];
    for peer in peers {
        subscribe(&mut rig, peer, "asked");
        rig.recv().unwrap().unwrap();
        rig.pattern.subscribe(topic.as_bytes(), &mut rig.pipes).unwrap();
    }
    (rig, peers)
}

#[test]
fn with_last_value_the_first_message_after_a_subscribe_is_for_its_peer_alone() {
    let (mut rig, [old, new]) = with_two_last_values("t");
    rig.send("t cached").unwrap();
    rig.send("t fresh").unwrap();
    assert_eq!(sent(&mut rig, new), ["t cached", "t fresh"]);
    assert_eq!(sent(&mut rig, old), ["t fresh"]);
}

#[test]
fn with_last_value_a_first_message_that_does_not_match_reaches_nobody() {
    let (mut rig, peers) = with_two_last_values("t");
    rig.send("other").unwrap();
    assert_eq!(rig.pipes.unmatched, 1);
    rig.send("t").unwrap();
    assert_eq!(peers.map(|peer| sent(&mut rig, peer)), [["t"], ["t"]]);
}

#[test]
fn with_last_value_a_refused_message_is_not_the_first() {
    let (mut rig, [old, new]) = with_two_last_values("t");
    rig.make_busy(new);
    assert_eq!(rig.send("t refused"), Err(Refusal::Full { pipes: 1 }));
    rig.send("t cached").unwrap();
    assert_eq!((sent(&mut rig, new), sent(&mut rig, old).len()), (vec!["t cached".to_owned()], 0));
}

#[test]
fn with_last_value_a_newcomer_that_has_left_takes_no_message_with_it() {
    let (mut rig, [old, new]) = with_two_last_values("t");
    rig.detach(new);
    rig.send("t").unwrap();
    assert_eq!(sent(&mut rig, old), ["t"]);
}

#[test]
fn a_manual_answer_to_a_peer_that_is_gone_reaches_nobody_else() {
    let mut rig = Rig::with(SocketType::XPub, |o| o.xpub_manual = true);
    let first = rig.accept(0);
    subscribe(&mut rig, first, "A");
    rig.detach(first);
    let second = rig.accept(0);
    assert_eq!(first, second, "numbers are used again");
    assert_eq!(rig.recv().unwrap().unwrap()[0], b"\x01A"[..]);
    rig.pattern.subscribe(b"A", &mut rig.pipes).unwrap();
    assert_eq!(rig.recv().unwrap().unwrap()[0], b"\x00A"[..]);
    rig.pattern.subscribe(b"A", &mut rig.pipes).unwrap();
    assert_eq!(rig.pattern.topics(), 0);
    subscribe(&mut rig, second, "A");
    rig.recv().unwrap().unwrap();
    rig.pattern.subscribe(b"A", &mut rig.pipes).unwrap();
    assert_eq!(rig.pattern.topics(), 1);
}

#[test]
fn in_manual_mode_the_end_of_a_peer_reports_what_it_had_asked_for() {
    let mut rig = Rig::with(SocketType::XPub, |o| o.xpub_manual = true);
    let (a, b) = (rig.accept(0), rig.accept(0));
    for pipe in [a, b] {
        subscribe(&mut rig, pipe, "A");
        subscribe(&mut rig, pipe, "B");
        cancel(&mut rig, pipe, "B");
    }
    reports(&mut rig);
    rig.pattern.subscribe(b"other", &mut rig.pipes).unwrap();
    rig.detach(b);
    assert_eq!(texts(&mut rig), ["-A"]);
    assert_eq!(rig.pattern.topics(), 0, "what it was given instead is gone as well");
}

#[test]
fn only_a_manual_xpub_takes_subscriptions_from_its_application() {
    for mut rig in [Rig::new(SocketType::XPub), Rig::with(SocketType::Pub, |o| o.xpub_manual = true)] {
        assert_eq!(rig.pattern.subscribe(b"", &mut rig.pipes), Err(Refusal::NotSupported));
        assert_eq!(rig.pattern.unsubscribe(b"", &mut rig.pipes), Err(Refusal::NotSupported));
    }
}

#[test]
fn the_welcome_message_comes_before_everything_and_despite_the_high_water_mark() {
    let mut rig = Rig::with(SocketType::Pub, |o| o.xpub_welcome_msg = Some("W".into()));
    let (accepted, connected) = (rig.accept(1), rig.connect(1));
    subscribe(&mut rig, accepted, "");
    subscribe(&mut rig, connected, "");
    assert_eq!((sent(&mut rig, accepted), sent(&mut rig, connected)), (vec!["W".into()], vec!["W".into()]));
    rig.configure(|o| o.xpub_welcome_msg = Some(bytes::Bytes::new()));
    let unwelcome = rig.accept(0);
    assert_eq!(sent(&mut rig, unwelcome), [""; 0]);
}

#[test]
fn xpub_receives_the_messages_of_its_peers_in_order_with_requests() {
    let mut rig = Rig::new(SocketType::XPub);
    let (a, b) = (rig.accept(0), rig.accept(0));
    rig.deliver(a, "one");
    subscribe(&mut rig, b, "t");
    rig.deliver(b, ("two", "frames"));
    rig.deliver(a, "");
    assert_eq!(rig.recv_from().unwrap(), Some((a, "one".into())));
    assert_eq!(rig.recv_from().unwrap(), Some((b, Message::from(b"\x01t"))));
    assert_eq!(rig.recv_from().unwrap(), Some((b, ("two", "frames").into())));
    assert_eq!(rig.recv_from().unwrap(), Some((a, "".into())));
    assert_eq!(rig.recv_from().unwrap(), None);
}

#[test]
fn every_frame_of_a_message_may_be_a_request_and_the_rest_is_user_data() {
    let mut rig = Rig::new(SocketType::XPub);
    let peer = rig.accept(0);
    rig.deliver(peer, ["\x01a", "\x01b", "\x00a", "user", "data"]);
    assert_eq!(rig.pattern.topics(), 1);
    assert_eq!(texts(&mut rig), ["+a", "+b", "-a", "user"]);
    rig.deliver(peer, ["user", "\x01c"]);
    assert_eq!(rig.pattern.topics(), 2);
}

#[test]
fn with_only_first_subscribe_a_message_that_begins_with_user_data_is_user_data() {
    let mut rig = Rig::with(SocketType::XPub, |o| o.only_first_subscribe = true);
    let peer = rig.accept(0);
    rig.deliver(peer, ["user", "\x01a"]);
    assert_eq!(rig.recv().unwrap(), Some(["user", "\x01a"].into()));
    rig.deliver(peer, ["\x01a", "\x01b"]);
    assert_eq!(texts(&mut rig), ["+a", "+b"]);
    assert_eq!(rig.pattern.topics(), 2);
}

/// Fills the room for reports. Their topics begin with `filler`.
fn fill(rig: &mut Rig) {
    let filler = rig.accept(0);
    (0..REPORTS.count).for_each(|i| subscribe(rig, filler, &format!("filler{i}")));
}

/// Returns what is reported beside the filler.
fn late_texts(rig: &mut Rig) -> Vec<String> {
    texts(rig).into_iter().filter(|report| !report.contains("filler")).collect()
}

#[test]
fn an_xpub_that_is_not_read_serves_everybody_and_learns_later_who_is_there() {
    let mut rig = Rig::new(SocketType::XPub);
    let peers = [rig.accept(0), rig.accept(0)];
    let total = 3 * REPORTS.count;
    for i in 0..total {
        subscribe(&mut rig, peers[i % 2], &format!("{i}"));
    }
    assert_eq!(rig.pattern.topics(), total);
    let got: BTreeSet<String> = texts(&mut rig).into_iter().collect();
    assert_eq!((got.len(), rig.pipes.unreported), (total, 0));
    subscribe(&mut rig, peers[0], "live again");
    assert_eq!(texts(&mut rig), ["+live again"]);
}

#[test]
fn peers_that_come_and_go_leave_no_more_unread_reports_than_the_bound() {
    for manual in [false, true] {
        let mut rig = Rig::with(SocketType::XPub, |options| options.xpub_manual = manual);
        let (peers, topics) = (1_000, 20);
        for peer in 0..peers {
            let pipe = rig.accept(0);
            (0..topics).for_each(|topic| subscribe(&mut rig, pipe, &format!("{peer} {topic}")));
            rig.detach(pipe);
        }
        let mut open = BTreeSet::new();
        let got = texts(&mut rig);
        for report in &got {
            let (sign, topic) = report.split_at(1);
            assert!(if sign == "+" { open.insert(topic) } else { open.remove(topic) }, "{report} twice");
        }
        assert!(open.is_empty(), "what began and is over has ended");
        assert!(got.len() <= 2 * REPORTS.count, "{}", got.len());
        assert_eq!(got.len() as u64 + rig.pipes.unreported, 2 * peers * topics);
    }
}

#[test]
fn a_late_report_tells_the_difference_and_nothing_that_came_and_went() {
    let mut rig = Rig::new(SocketType::XPub);
    let (a, b) = (rig.accept(0), rig.accept(0));
    subscribe(&mut rig, a, "known");
    fill(&mut rig);
    subscribe(&mut rig, a, "came and went");
    cancel(&mut rig, a, "came and went");
    cancel(&mut rig, a, "never held");
    cancel(&mut rig, a, "known");
    subscribe(&mut rig, b, "stays");
    assert_eq!(rig.pipes.unreported, 3);
    assert_eq!(late_texts(&mut rig), ["+known", "-known", "+stays"]);
}

#[test]
fn late_reports_of_a_verboser_xpub_come_as_often_as_there_are_peers() {
    let mut rig = Rig::with(SocketType::XPub, |options| options.xpub_verboser = true);
    fill(&mut rig);
    let peers = [(); 4].map(|()| rig.accept(0));
    peers.into_iter().for_each(|peer| subscribe(&mut rig, peer, "t"));
    subscribe(&mut rig, peers[0], "t");
    cancel(&mut rig, peers[0], "t");
    assert_eq!(late_texts(&mut rig), ["+t"; 3]);
    fill(&mut rig);
    peers.into_iter().for_each(|peer| rig.detach(peer));
    assert_eq!(late_texts(&mut rig), ["-t"; 3]);
}

#[test]
fn a_late_request_of_a_manual_xpub_is_each_peers_own() {
    let mut rig = Rig::with(SocketType::XPub, |options| options.xpub_manual = true);
    fill(&mut rig);
    let peers = [rig.accept(0), rig.accept(0)];
    peers.into_iter().for_each(|peer| subscribe(&mut rig, peer, "t"));
    cancel(&mut rig, peers[0], "t");
    let late: Vec<_> = reports(&mut rig).into_iter().filter(|(_, text)| text == "+t").collect();
    assert_eq!(late, [(peers[1].0, "+t".into())]);
}

#[test]
fn large_topics_fill_the_inbox_sooner() {
    let mut rig = Rig::new(SocketType::XPub);
    let peer = rig.accept(0);
    let large = |i: usize| format!("{i}{}", "x".repeat(1 << 20));
    for i in 0..10 {
        subscribe(&mut rig, peer, &large(i));
    }
    assert_eq!(rig.pattern.topics(), 10);
    (0..10).for_each(|i| cancel(&mut rig, peer, &large(i)));
    assert_eq!(texts(&mut rig).len(), 4, "two found room, and eight came and went");
}

#[test]
fn a_message_that_finds_no_room_holds_its_own_peer_back_and_no_other() {
    let mut rig = Rig::new(SocketType::XPub);
    let (loud, quiet) = (rig.accept(0), rig.accept(0));
    let total = MESSAGES.count + 10;
    (0..total).for_each(|i| rig.deliver(loud, format!("{i}").as_str()));
    subscribe(&mut rig, loud, "behind");
    rig.deliver(quiet, "one more");
    subscribe(&mut rig, quiet, "behind it");
    let third = rig.accept(0);
    subscribe(&mut rig, third, "served");
    assert_eq!(rig.pattern.topics(), 1);
    let got = texts(&mut rig);
    let of_loud: Vec<&String> = got.iter().filter(|text| text.parse::<usize>().is_ok()).collect();
    assert!(of_loud.iter().enumerate().all(|(i, text)| **text == format!("{i}")), "in order");
    assert_eq!((of_loud.len(), got.len(), rig.pattern.topics()), (total, total + 4, 3));
    rig.deliver(loud, "live again");
    assert_eq!(texts(&mut rig), ["live again"]);
}

#[test]
fn a_peer_that_leaves_while_it_is_held_back_is_not_read_again() {
    let mut rig = Rig::new(SocketType::XPub);
    let peer = rig.accept(0);
    subscribe(&mut rig, peer, "t");
    (0..MESSAGES.count + 2).for_each(|_| rig.deliver(peer, "x"));
    rig.detach(peer);
    let next = rig.accept(0);
    assert_eq!(next, peer, "the number is used again");
    subscribe(&mut rig, next, "u");
    let got = texts(&mut rig);
    assert_eq!(got.iter().filter(|text| *text == "x").count(), MESSAGES.count + 1, "the last was not read");
    assert_eq!((got.len(), rig.pattern.topics()), (MESSAGES.count + 4, 1));
}

/// Returns the fault for which a peer is to be closed.
fn fault(rig: &mut Rig, pipe: PipeId) -> Option<ProtocolError> {
    rig.pipes.get(pipe).fault.clone()
}

#[test]
fn a_peer_with_too_many_subscriptions_is_expelled_and_what_it_had_is_forgotten() {
    for socket_type in [SocketType::Pub, SocketType::XPub] {
        let mut rig = Rig::with(socket_type, |options| options.max_subscriptions = 2);
        let (good, bad) = (rig.accept(0), rig.accept(0));
        subscribe(&mut rig, good, "a");
        ["a", "b", "a"].into_iter().for_each(|topic| subscribe(&mut rig, bad, topic));
        cancel(&mut rig, bad, "b");
        subscribe(&mut rig, bad, "c");
        assert_eq!(fault(&mut rig, bad), None, "the same twice counts once, and what was cancelled does not");
        subscribe(&mut rig, bad, "d");
        assert_eq!(fault(&mut rig, bad), Some(ProtocolError::TooManySubscriptions { limit: 2 }));
        assert_eq!(fault(&mut rig, good), None);
        assert_eq!((rig.pattern.topics(), rig.pattern.subscribers(b"a")), (1, 1));
        rig.detach(bad);
        assert_eq!(rig.pattern.topics(), 1);
        if socket_type == SocketType::XPub {
            let told = texts(&mut rig);
            assert_eq!(told[..5], ["+a", "+b", "-b", "+c", "+d"]);
            assert_eq!(
                told[5..].iter().collect::<BTreeSet<_>>(),
                ["-c", "-d"].map(String::from).iter().collect()
            );
        }
    }
}

#[test]
fn a_peer_with_too_long_topics_is_expelled() {
    let mut rig = Rig::with(SocketType::Pub, |options| options.max_subscription_bytes = Some(10));
    let peer = rig.accept(0);
    ["12345", "67890", ""].into_iter().for_each(|topic| subscribe(&mut rig, peer, topic));
    assert_eq!(fault(&mut rig, peer), None);
    subscribe(&mut rig, peer, "1");
    assert_eq!(fault(&mut rig, peer), Some(ProtocolError::SubscriptionsTooLong { limit: 10 }));
    assert_eq!(rig.pattern.topics(), 0);
}

#[test]
fn a_manual_xpub_counts_what_its_peers_ask_for() {
    let mut rig = Rig::with(SocketType::XPub, |options| {
        (options.xpub_manual, options.max_subscriptions) = (true, 1);
    });
    let peer = rig.accept(0);
    subscribe(&mut rig, peer, "a");
    assert_eq!(fault(&mut rig, peer), None);
    subscribe(&mut rig, peer, "b");
    assert_eq!(fault(&mut rig, peer), Some(ProtocolError::TooManySubscriptions { limit: 1 }));
}

#[test]
fn over_inproc_no_limit_holds() {
    let mut rig = Rig::with(SocketType::Pub, |options| options.max_subscriptions = 1);
    let peer = rig.accept(0);
    rig.pipes.get(peer).inproc = true;
    ["a", "b", "c"].into_iter().for_each(|topic| subscribe(&mut rig, peer, topic));
    assert_eq!((fault(&mut rig, peer), rig.pattern.topics()), (None, 3));
}

#[test]
fn subscribers_counts_peers_and_topics_counts_prefixes() {
    let mut rig = Rig::new(SocketType::Pub);
    let (a, b) = (rig.accept(0), rig.accept(0));
    for topic in ["", "t", "to"] {
        subscribe(&mut rig, a, topic);
    }
    subscribe(&mut rig, b, "t");
    assert_eq!((rig.pattern.subscribers(b"topic"), rig.pattern.subscribers(b"x")), (2, 1));
    assert_eq!(rig.pattern.topics(), 3);
}

#[derive(Clone, Debug)]
enum Step {
    Accept,
    Detach(usize),
    Subscribe(usize, String),
    Cancel(usize, String),
    Send(String),
    /// The pipe of one peer that matches must be driven first, so the message is refused for all.
    SendBusy(usize, String),
}

fn step() -> impl Strategy<Value = Step> {
    let peer = || 0..4usize;
    prop_oneof![
        1 => Just(Step::Accept),
        1 => peer().prop_map(Step::Detach),
        4 => (peer(), "[ab]{0,3}").prop_map(|(peer, topic)| Step::Subscribe(peer, topic)),
        2 => (peer(), "[ab]{0,3}").prop_map(|(peer, topic)| Step::Cancel(peer, topic)),
        4 => "[ab]{0,4}".prop_map(Step::Send),
        1 => (peer(), "[ab]{0,4}").prop_map(|(peer, text)| Step::SendBusy(peer, text)),
    ]
}

#[derive(Default)]
struct Peer {
    topics: BTreeSet<String>,
    due: Vec<String>,
}

impl Peer {
    fn matches(&self, text: &str) -> bool {
        self.topics.iter().any(|topic| text.starts_with(topic))
    }
}

proptest! {
    /// Each peer gets its subscriptions, in order, and the application is told the beginning and the end of each topic
    /// in turn.
    #[test]
    fn xpub_agrees_with_a_set_of_topics_per_peer(steps in vec(step(), 1..80), is_crowded in prop::bool::weighted(0.1)) {
        let mut rig = Rig::new(SocketType::XPub);
        if is_crowded {
            fill(&mut rig);
        }
        let mut peers: BTreeMap<PipeId, Peer> = BTreeMap::new();
        for step in steps {
            let at = |n: usize| peers.keys().nth(n).copied();
            match step {
                Step::Accept if peers.len() < 4 => {
                    let pipe = rig.accept(0);
                    peers.insert(pipe, Peer::default());
                }
                Step::Detach(n) => if let Some(pipe) = at(n) {
                    prop_assert_eq!(sent(&mut rig, pipe), &peers.remove(&pipe).unwrap().due[..]);
                    rig.detach(pipe);
                }
                Step::Subscribe(n, topic) => if let Some(pipe) = at(n) {
                    subscribe(&mut rig, pipe, &topic);
                    peers.get_mut(&pipe).unwrap().topics.insert(topic);
                }
                Step::Cancel(n, topic) => if let Some(pipe) = at(n) {
                    if peers.get_mut(&pipe).unwrap().topics.remove(&topic) {
                        cancel(&mut rig, pipe, &topic);
                    }
                }
                Step::Send(text) => {
                    rig.send(text.as_str()).unwrap();
                    for peer in peers.values_mut() {
                        if peer.matches(&text) {
                            peer.due.push(text.clone());
                        }
                    }
                }
                Step::SendBusy(n, text) => if let Some(pipe) = at(n) {
                    if peers[&pipe].matches(&text) {
                        rig.make_busy(pipe);
                        prop_assert_eq!(rig.send(text.as_str()), Err(Refusal::Full { pipes: 1 }));
                    }
                }
                Step::Accept => {}
            }
            prop_assert_eq!(rig.pipes.reserved(), 0);
        }
        for (pipe, peer) in &peers {
            prop_assert_eq!(sent(&mut rig, *pipe), &peer.due[..]);
        }
        let mut open = BTreeSet::new();
        for report in late_texts(&mut rig) {
            let (sign, topic) = report.split_at(1);
            let news = if sign == "+" { open.insert(topic.to_owned()) } else { open.remove(topic) };
            prop_assert!(news, "{} twice", report);
        }
        let expected: BTreeSet<String> = peers.values().flat_map(|peer| peer.topics.iter().cloned()).collect();
        let filler = if is_crowded { REPORTS.count } else { 0 };
        prop_assert_eq!(rig.pattern.topics(), expected.len() + filler);
        prop_assert_eq!(open, expected);
    }
}
