//! RFC 48, DISH, rule by rule.

use zeroxide_zmtp::{Message, SocketType, Traffic};

use crate::fake::Rig;
use crate::{Cause, Pattern, PipeId, Refusal};

fn dish() -> Rig {
    Rig::new(SocketType::Dish)
}

/// Returns what the RADIO at the other end has received since the last call.
fn told(rig: &mut Rig, pipe: PipeId) -> Vec<Traffic> {
    std::iter::from_fn(|| rig.take_traffic(pipe)).collect()
}

fn joined(group: &str) -> Traffic {
    Traffic::Join(group.into())
}

fn left(group: &str) -> Traffic {
    Traffic::Leave(group.into())
}

fn deliver(rig: &mut Rig, pipe: PipeId, group: &str, body: &str) {
    rig.deliver(pipe, Message::from(body).with_group(group));
}

#[test]
fn every_radio_is_told_of_groups_joined_before_and_after_it_came() {
    let mut rig = dish();
    rig.join("before").unwrap();
    let (a, b) = (rig.connect(0), rig.accept(0));
    rig.join("after").unwrap();
    rig.leave("before").unwrap();
    for radio in [a, b] {
        assert_eq!(told(&mut rig, radio), [joined("before"), joined("after"), left("before")]);
    }
    assert_eq!(rig.pattern.topics(), 1);
}

#[test]
fn a_radio_that_comes_back_is_told_every_group_anew() {
    let mut rig = dish();
    let radio = rig.connect(0);
    rig.join("a").unwrap();
    rig.establish(radio, b"");
    assert_eq!(told(&mut rig, radio), [joined("a")], "once for the first connection");
    rig.lose(radio);
    rig.join("b").unwrap();
    rig.leave("a").unwrap();
    assert_eq!(told(&mut rig, radio), [], "nothing fills a queue meanwhile");
    rig.establish(radio, b"");
    assert_eq!(told(&mut rig, radio), [joined("b")]);
    rig.join("c").unwrap();
    assert_eq!(told(&mut rig, radio), [joined("c")]);
    rig.detach(radio);
    rig.join("d").unwrap();
}

#[test]
fn a_group_is_joined_once_and_left_once() {
    let mut rig = dish();
    let radio = rig.accept(0);
    rig.join("g").unwrap();
    assert_eq!(rig.join("g"), Err(Refusal::Joined));
    assert_eq!(rig.leave("other"), Err(Refusal::NotJoined));
    rig.leave("g").unwrap();
    assert_eq!(rig.leave("g"), Err(Refusal::NotJoined));
    assert_eq!(told(&mut rig, radio), [joined("g"), left("g")], "a refusal is told to nobody");
}

#[test]
fn the_name_of_a_group_has_at_most_255_bytes() {
    let mut rig = dish();
    rig.join(&"g".repeat(255)).unwrap();
    rig.join("").unwrap();
    assert_eq!(rig.join(&"g".repeat(256)), Err(Refusal::InvalidGroup));
    assert_eq!(rig.join("a\0b"), Err(Refusal::InvalidGroup));
}

#[test]
fn radios_are_received_from_in_turn_with_their_groups() {
    let mut rig = dish();
    rig.join("g").unwrap();
    let (a, b) = (rig.accept(0), rig.accept(0));
    ["a1", "a2"].into_iter().for_each(|body| deliver(&mut rig, a, "g", body));
    deliver(&mut rig, b, "g", "b1");
    for expected in ["a1", "b1", "a2"] {
        let message = rig.recv().unwrap().unwrap();
        assert_eq!((&message, message.group()), (&Message::from(expected), &b"g"[..]));
    }
    assert_eq!(rig.recv(), Ok(None));
}

#[test]
fn what_comes_for_another_group_is_thrown_away_and_counted() {
    let mut rig = dish();
    rig.join("g").unwrap();
    let radio = rig.accept(0);
    for group in ["", "g2", "G"] {
        deliver(&mut rig, radio, group, "no");
    }
    assert!(!rig.has_in());
    deliver(&mut rig, radio, "g", "yes");
    rig.deliver(radio, Message::from(("two", "frames")).with_group("g"));
    assert_eq!((rig.recv(), rig.recv()), (Ok(Some("yes".into())), Ok(None)));
    assert_eq!(rig.pipes.dropped_for(Cause::Unwanted), 4);
    rig.leave("g").unwrap();
    deliver(&mut rig, radio, "g", "too late");
    assert_eq!(rig.recv(), Ok(None));
}

#[test]
fn a_dish_sends_nothing() {
    let mut rig = dish();
    rig.accept(0);
    assert_eq!((rig.send("x"), rig.has_out()), (Err(Refusal::NotSupported), false));
}

#[test]
fn no_other_type_has_groups() {
    for number in 0..21 {
        let socket_type = SocketType::from_number(number).unwrap();
        if !socket_type.has_groups() && socket_type != SocketType::Dgram {
            let mut rig = Rig::new(socket_type);
            assert_eq!(rig.join("g"), Err(Refusal::NotSupported), "{socket_type}");
            assert_eq!(rig.leave("g"), Err(Refusal::NotSupported), "{socket_type}");
        }
    }
}
