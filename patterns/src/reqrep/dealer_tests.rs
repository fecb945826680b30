//! RFC 28 §DEALER, rule by rule.

use zeroxide_zmtp::{Message, SocketType};

use crate::Refusal;
use crate::fake::Rig;

#[test]
fn dealer_sends_in_turn_and_receives_in_turn_without_touching_a_frame() {
    let mut dealer = Rig::new(SocketType::Dealer);
    let (a, b) = (dealer.accept(1), dealer.connect(1));
    dealer.send(("", "one")).unwrap();
    dealer.send("two").unwrap();
    assert_eq!(dealer.send("three"), Err(Refusal::Full { pipes: 2 }));
    assert_eq!(dealer.take(a), Some(Message::from(("", "one"))));
    assert_eq!(dealer.take(b), Some(Message::from("two")));
    for (peer, text) in [(b, "b1"), (b, "b2"), (a, "a1")] {
        dealer.deliver(peer, ("", text));
    }
    for (peer, text) in [(a, "a1"), (b, "b1"), (b, "b2")] {
        assert_eq!(dealer.recv_from(), Ok(Some((peer, ("", text).into()))));
    }
}

#[test]
fn dealer_with_probe_router_sends_one_empty_message_into_each_new_pipe() {
    let mut dealer = Rig::with(SocketType::Dealer, |o| o.probe_router = true);
    let a = dealer.connect(1);
    dealer.establish(a, b"");
    dealer.lose(a);
    dealer.establish(a, b"");
    assert_eq!(dealer.take(a), Some(Message::from("")));
    assert_eq!(dealer.take(a), None, "a reconnection uses the pipe again: no second probe");
    let b = dealer.accept(1);
    assert_eq!(dealer.take(b), Some(Message::from("")));
}
