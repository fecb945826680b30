//! RADIO and DISH (RFC 48), end to end over every transport.
#![allow(clippy::unwrap_used)] // a test's helpers

mod common;

use common::{LONG, Soon, assert_balanced, impatient, until};
use zeroxide::{Cause, Context, Error, GroupError, Message, Options, Socket, SocketType, Why, opt};

const ENDPOINTS: [&str; 3] = ["tcp://127.0.0.1:*", "ipc://*", "inproc://live"];

fn say(radio: &Socket, group: &str, body: &str) {
    radio.send(Message::from(body).with_group(group)).unwrap();
}

#[track_caller]
fn assert_heard(dish: &Socket, group: &str, body: &str) {
    let message = dish.recv_soon();
    assert_eq!((message.group(), message.len(), &message[0]), (group.as_bytes(), 1, &body.into()));
}

fn pair(cx: &Context) -> (Socket, Socket) {
    (cx.socket(SocketType::Radio).unwrap(), cx.socket(SocketType::Dish).unwrap())
}

#[test]
fn groups_joined_before_and_after_connecting_are_heard_whoever_binds() {
    for at in ENDPOINTS {
        for radio_binds in [true, false] {
            let cx = Context::new();
            let (radio, dish) = pair(&cx);
            dish.join("before").unwrap();
            let (bound, other) = if radio_binds { (&radio, &dish) } else { (&dish, &radio) };
            other.connect(bound.bind(at).unwrap().to_string()).unwrap();
            dish.join("after").unwrap();
            for group in ["before", "after"] {
                radio.wait_for_subscribers(group, 1, LONG).unwrap();
            }
            say(&radio, "befor", "nobody's");
            say(&radio, "before", "1");
            say(&radio, "after", "2");
            assert_heard(&dish, "before", "1");
            assert_heard(&dish, "after", "2");
            dish.leave("before").unwrap();
            dish.join("").unwrap();
            radio.wait_for_subscribers("", 1, LONG).unwrap();
            say(&radio, "before", "left");
            radio.send("of the empty group").unwrap();
            assert_heard(&dish, "", "of the empty group");
            assert_eq!(radio.stats().unmatched, 2, "{at}");
            assert_balanced(&radio.stats());
        }
    }
}

#[test]
fn a_group_of_255_bytes_and_a_long_body_arrive() {
    for at in ENDPOINTS {
        let cx = Context::new();
        let (radio, dish) = pair(&cx);
        let (group, body) = ("g".repeat(255), "b".repeat(1 << 20));
        dish.connect(radio.bind(at).unwrap().to_string()).unwrap();
        dish.join(&group).unwrap();
        radio.wait_for_subscribers(&group, 1, LONG).unwrap();
        say(&radio, &group, &body);
        assert_heard(&dish, &group, &body);
    }
}

#[test]
fn a_dish_that_is_connected_again_is_in_its_groups_again() {
    let cx = Context::new();
    let first = cx.socket(SocketType::Radio).unwrap();
    let dish = cx.socket_with(SocketType::Dish, &impatient()).unwrap();
    let endpoint = first.bind("tcp://127.0.0.1:*").unwrap().to_string();
    dish.connect(&endpoint).unwrap();
    dish.join("kept").unwrap();
    dish.join("left").unwrap();
    first.wait_for_subscribers("left", 1, LONG).unwrap();
    first.close().wait();
    until("the loss is known", || dish.peers().is_empty());
    dish.leave("left").unwrap();
    let second = cx.socket(SocketType::Radio).unwrap();
    until("the port is free", || second.bind(&endpoint).is_ok());
    second.wait_for_subscribers("kept", 1, LONG).unwrap();
    say(&second, "left", "1");
    say(&second, "kept", "2");
    assert_heard(&dish, "kept", "2");
}

#[test]
fn what_is_wrong_with_a_group_is_said() {
    let cx = Context::new();
    let (radio, dish) = pair(&cx);
    dish.join("g").unwrap();
    let cause = |error| match error {
        Error::Group(cause) => cause,
        other => panic!("{other:?}"),
    };
    assert_eq!(cause(dish.join("g").unwrap_err()), GroupError::Joined);
    assert_eq!(cause(dish.leave("other").unwrap_err()), GroupError::NotJoined);
    assert_eq!(cause(dish.join("g".repeat(256)).unwrap_err()), GroupError::Invalid);
    assert_eq!(cause(dish.join("a\0b").unwrap_err()), GroupError::Invalid);
    let refused = radio.send(Message::from("x").with_group("g".repeat(256))).unwrap_err();
    assert_eq!((cause(refused.error), refused.message), (GroupError::Invalid, "x".into()));
    assert_eq!(dish.join("g").unwrap_err().errno(), 22, "EINVAL");
    assert!(matches!(radio.join("g").unwrap_err(), Error::NotSupported { .. }));
    assert!(matches!(radio.try_recv().unwrap_err(), Error::NotSupported { .. }));
    assert!(matches!(dish.send("x").unwrap_err().error, Error::NotSupported { .. }));
    assert_eq!(radio.send(["two", "frames"]).unwrap_err().error.errno(), 22, "EINVAL");
    let idle = cx.socket(SocketType::Dish).unwrap();
    let error = idle.try_recv().unwrap_err();
    assert!(matches!(error, Error::WouldBlock(Why::NoSubscription { .. })), "{error:?}");
    assert!(error.to_string().contains("call join()"), "{error}");
}

#[test]
fn a_dish_that_does_not_read_makes_the_radio_drop_and_count() {
    let cx = Context::new();
    let radio = cx.socket_with(SocketType::Radio, &Options::new().set(opt::SNDHWM, 2)).unwrap();
    let dish = cx.socket_with(SocketType::Dish, &Options::new().set(opt::RCVHWM, 2)).unwrap();
    dish.connect(radio.bind("inproc://full").unwrap().to_string()).unwrap();
    dish.join("g").unwrap();
    radio.wait_for_subscribers("g", 1, LONG).unwrap();
    (0..10).for_each(|n| say(&radio, "g", &n.to_string()));
    let dropped = radio.stats().dropped.by(Cause::Hwm);
    assert_eq!(dropped, 6, "the marks add up over inproc");
    (0..4).for_each(|n| assert_heard(&dish, "g", &n.to_string()));
    assert_balanced(&radio.stats());
    radio.set(opt::XPUB_NODROP, true).unwrap();
    (0..4).for_each(|n| say(&radio, "g", &n.to_string()));
    let refused = radio.try_send(Message::from("x").with_group("g")).unwrap_err();
    assert!(matches!(refused.error, Error::WouldBlock(Why::Full { .. })), "{refused:?}");
    assert_eq!((refused.message.group(), radio.stats().dropped.by(Cause::Hwm)), (&b"g"[..], 6));
}
