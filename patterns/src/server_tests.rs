//! RFC 41, RFC 51 and the other types of one frame, rule by rule.

use zeroxide_zmtp::{Message, SocketType};

use crate::fake::Rig;
use crate::{Cause, Pattern, Refusal};

/// The types that receive messages of one frame.
const RECEIVERS: [SocketType; 5] =
    [SocketType::Server, SocketType::Client, SocketType::Gather, SocketType::Channel, SocketType::Peer];

#[test]
fn a_message_of_several_frames_is_thrown_away_and_counted() {
    for socket_type in RECEIVERS {
        let mut rig = Rig::new(socket_type);
        let peer = rig.accept(0);
        rig.deliver(peer, ("two", "frames"));
        assert!(!rig.has_in(), "{socket_type}");
        rig.deliver(peer, ("two", "more"));
        rig.deliver(peer, "one");
        assert_eq!(rig.recv(), Ok(Some(Message::from("one"))), "{socket_type}");
        assert_eq!(rig.pipes.dropped_for(Cause::Unwanted), 2, "{socket_type}");
    }
}

#[test]
fn scatter_and_client_send_to_their_peers_in_turn() {
    for socket_type in [SocketType::Scatter, SocketType::Client] {
        let mut rig = Rig::new(socket_type);
        let (a, b) = (rig.accept(0), rig.accept(0));
        rig.send("1").unwrap();
        rig.send("2").unwrap();
        assert_eq!((rig.take(a), rig.take(b)), (Some("1".into()), Some("2".into())));
    }
}

#[test]
fn channel_has_one_peer() {
    let mut rig = Rig::new(SocketType::Channel);
    let (first, second) = (rig.accept(0), rig.accept(0));
    rig.send("x").unwrap();
    assert_eq!((rig.take(first), rig.take(second)), (Some("x".into()), None));
}

#[test]
fn server_answers_the_peer_that_the_number_names() {
    for socket_type in [SocketType::Server, SocketType::Peer] {
        let mut rig = Rig::new(socket_type);
        let (a, b) = (rig.accept(0), rig.accept(0));
        rig.deliver(b, "from b");
        let number = rig.recv().unwrap().unwrap().routing_id();
        assert_ne!(number, 0);
        rig.address(number);
        rig.send("to b").unwrap();
        assert_eq!(rig.take(a), None);
        let taken = rig.take(b).unwrap();
        assert_eq!((&taken, taken.routing_id()), (&Message::from("to b"), 0), "the number ends here");
    }
}

#[test]
fn server_refuses_a_number_that_nobody_has() {
    let mut rig = Rig::new(SocketType::Server);
    let peer = rig.accept(1);
    rig.address(0);
    assert!(matches!(rig.send("x"), Err(Refusal::Unroutable(_))));
    rig.deliver(peer, "hello");
    let number = rig.recv().unwrap().unwrap().routing_id();
    rig.address(number);
    rig.send("x").unwrap();
    assert_eq!(rig.send("y"), Err(Refusal::Full { pipes: 1 }), "a full one is waited for");
    rig.detach(peer);
    assert!(matches!(rig.send("z"), Err(Refusal::Unroutable(_))));
}

#[test]
fn who_is_disconnected_is_closed_and_cannot_be_sent_to() {
    for socket_type in [SocketType::Server, SocketType::Peer] {
        let mut rig = Rig::new(socket_type);
        let (gone, stays) = (rig.accept(0), rig.accept(0));
        rig.deliver(gone, "unread");
        let numbers = [gone, stays].map(|pipe| rig.pattern.number(pipe));
        assert_eq!(rig.pattern.disconnect(numbers[0], &mut rig.pipes), Ok(()));
        assert!(rig.pipes.get(gone).closed && !rig.pipes.get(stays).closed);
        rig.address(numbers[0]);
        assert!(matches!(rig.send("x"), Err(Refusal::Unroutable(_))), "{socket_type}");
        rig.detach(gone);
        let again = rig.pattern.disconnect(numbers[0], &mut rig.pipes);
        assert!(matches!(again, Err(Refusal::Unroutable(_))), "{socket_type}");
        assert!(!rig.has_in());
        rig.address(numbers[1]);
        rig.send("x").unwrap();
    }
}

#[test]
fn only_types_with_numbers_disconnect_by_them() {
    let mut rig = Rig::new(SocketType::Router);
    rig.accept(0);
    assert_eq!(rig.pattern.disconnect(1, &mut rig.pipes), Err(Refusal::NotSupported));
}
