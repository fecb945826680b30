//! The rules of each type, without a stream.

use super::*;

fn socket(version: Version, kind: Kind, peers: &[&str]) -> Rules {
    let mut rules = Rules::new(version, kind);
    for (n, name) in peers.iter().enumerate() {
        assert_eq!(rules.join(n as u64, None, name.as_bytes().to_vec()), Joined::New);
    }
    rules
}

fn message(frames: &[&str]) -> Message {
    frames.iter().map(|frame| frame.as_bytes().to_vec()).collect()
}

/// What waits for a connection, as one message of version 2.0.
fn sent(rules: &mut Rules, number: u64) -> Message {
    let bytes = rules.take_outbox(number);
    if bytes.is_empty() { Message::new() } else { rules.framing.read_message(&mut &bytes[..]).unwrap() }
}

#[test]
fn a_push_sends_in_turns_and_waits_for_room() {
    let mut push = socket(Version::Two, Kind::Push, &["a", "b"]);
    push.options.send_limit = 1;
    assert_eq!(push.send(message(&["1"])), Ok(true));
    assert_eq!(push.send(message(&["2"])), Ok(true));
    assert_eq!(push.send(message(&["3"])), Ok(false));
    assert_eq!((sent(&mut push, 0), sent(&mut push, 1)), (message(&["1"]), message(&["2"])));
    assert_eq!(push.recv(), Err(Refusal::Unsupported));
    assert_eq!(socket(Version::Two, Kind::Push, &[]).send(message(&["1"])), Ok(false));
}

#[test]
fn a_req_puts_the_delimiter_before_and_takes_only_the_answer_of_whom_it_asked() {
    let mut req = socket(Version::Two, Kind::Req, &["a", "b"]);
    assert_eq!(req.recv(), Err(Refusal::State));
    req.send(message(&["?"])).unwrap();
    assert_eq!(sent(&mut req, 0), message(&["", "?"]));
    assert_eq!(req.send(message(&["?"])), Err(Refusal::State));
    req.deliver(1, message(&["", "from another"]));
    req.deliver(0, message(&["no delimiter"]));
    req.deliver(0, message(&["", "!"]));
    assert_eq!(req.recv(), Ok(Some(message(&["!"]))));
    assert_eq!(req.recv(), Err(Refusal::State));
}

#[test]
fn a_rep_keeps_the_envelope_and_puts_it_back() {
    let mut rep = socket(Version::Two, Kind::Rep, &["a"]);
    assert_eq!(rep.send(message(&["!"])), Err(Refusal::State));
    rep.deliver(0, message(&["no", "delimiter"]));
    rep.deliver(0, message(&["x", "y", "", "?", ""]));
    assert_eq!(rep.recv(), Ok(Some(message(&["?", ""]))));
    assert_eq!(rep.recv(), Err(Refusal::State));
    rep.send(message(&["!"])).unwrap();
    assert_eq!(sent(&mut rep, 0), message(&["x", "y", "", "!"]));
}

#[test]
fn a_router_names_its_peers() {
    let mut router = socket(Version::Two, Kind::Router, &["a", ""]);
    router.deliver(1, message(&["hi"]));
    let seen = router.recv().unwrap().unwrap();
    assert_eq!((seen[0].len(), seen[0][0], &seen[1][..]), (5, 0, &b"hi"[..]));
    router.send(message(&["a", "ho"])).unwrap();
    assert_eq!(sent(&mut router, 0), message(&["ho"]));
    assert_eq!(router.send(message(&["who", "ho"])), Ok(true));
    router.options.mandatory = true;
    assert_eq!(router.send(message(&["who", "ho"])), Err(Refusal::Unroutable));
}

#[test]
fn a_name_that_is_taken_goes_to_the_newcomer_only_where_it_may() {
    let mut router = socket(Version::Two, Kind::Router, &["a"]);
    assert_eq!(router.join(7, None, b"a".to_vec()), Joined::Unwanted);
    router.options.handover = true;
    assert_eq!(router.join(8, None, b"a".to_vec()), Joined::InsteadOf(0));
    assert!(!router.is_there(0) && router.is_there(8));
    let mut dealer = socket(Version::Two, Kind::Dealer, &["a"]);
    assert_eq!(dealer.join(7, None, b"a".to_vec()), Joined::New);
    assert!(dealer.is_there(0));
}

#[test]
fn a_publisher_sends_what_was_asked_for_as_long_as_it_is() {
    let mut publisher = socket(Version::Two, Kind::Pub, &["a"]);
    for _ in 0..2 {
        publisher.deliver(0, vec![b"\x01t".to_vec()]);
    }
    publisher.send(message(&["topic"])).unwrap();
    publisher.send(message(&["other"])).unwrap();
    assert_eq!(sent(&mut publisher, 0), message(&["topic"]));
    publisher.deliver(0, vec![b"\x00t".to_vec()]);
    publisher.send(message(&["topic"])).unwrap();
    assert!(publisher.is_flushed());
}

#[test]
fn a_subscriber_counts_and_tells_the_last_end() {
    let mut subscriber = socket(Version::Two, Kind::Sub, &["a"]);
    for _ in 0..2 {
        subscriber.subscribe(b"t").unwrap();
        assert_eq!(sent(&mut subscriber, 0), message(&["\x01t"]));
    }
    subscriber.unsubscribe(b"t").unwrap();
    assert!(subscriber.is_flushed());
    subscriber.deliver(0, message(&["topic"]));
    assert_eq!(subscriber.recv(), Ok(Some(message(&["topic"]))));
    subscriber.unsubscribe(b"t").unwrap();
    assert_eq!(sent(&mut subscriber, 0), message(&["\0t"]));
}

#[test]
fn a_publisher_of_version_1_sends_everything_and_its_subscriber_says_nothing_and_filters() {
    let mut publisher = socket(Version::One, Kind::Pub, &["a"]);
    publisher.send(message(&["anything"])).unwrap();
    assert!(!publisher.is_flushed());
    let mut subscriber = socket(Version::One, Kind::Sub, &["a"]);
    subscriber.subscribe(b"t").unwrap();
    assert!(subscriber.take_outbox(0).is_empty());
    subscriber.deliver(0, message(&["other"]));
    subscriber.deliver(0, message(&["topic", "x"]));
    assert_eq!(subscriber.recv(), Ok(Some(message(&["topic", "x"]))));
    assert_eq!(subscriber.recv(), Ok(None));
}

#[test]
fn a_subscriber_tells_whoever_comes_what_it_wants() {
    let mut subscriber = socket(Version::Two, Kind::Sub, &["a"]);
    subscriber.subscribe(b"t").unwrap();
    assert_eq!(sent(&mut subscriber, 0), message(&["\x01t"]));
    subscriber.join(1, None, Vec::new());
    assert_eq!(sent(&mut subscriber, 1), message(&["\x01t"]));
    subscriber.unsubscribe(b"t").unwrap();
    assert_eq!(sent(&mut subscriber, 0), message(&["\0t"]));
    assert_eq!(socket(Version::Two, Kind::Pub, &[]).subscribe(b"t"), Err(Refusal::Unsupported));
}

#[test]
fn a_pair_has_one_peer() {
    let mut pair = socket(Version::Two, Kind::Pair, &["a"]);
    assert_eq!(pair.join(1, None, Vec::new()), Joined::Unwanted);
    pair.leave(0);
    assert_eq!(pair.join(2, None, Vec::new()), Joined::New);
}
