//! What somebody who knows ZeroMQ writes at the first try compiles and does what it says.
#![allow(clippy::unwrap_used)] // a test's helpers

mod common;

use std::error::Error as StdError;
use std::time::Duration;

use common::{LONG, no_linger};
use zeroxide::{
    Closing, Context, Error, EventKind, Frame, Message, Monitor, Options, RoutingId, Socket, SocketType, opt,
};

/// A ROUTER that is bound, and a DEALER called `name` that is connected to it.
fn named(cx: &Context, name: &str) -> (Socket, Socket) {
    let router = cx.socket(SocketType::Router).unwrap();
    let options = no_linger().set(opt::ROUTING_ID, name);
    let dealer = cx.socket_with(SocketType::Dealer, &options).unwrap();
    let endpoint = router.bind("tcp://127.0.0.1:*").unwrap();
    dealer.connect(&endpoint).unwrap();
    (router, dealer)
}

#[test]
fn every_call_that_names_an_endpoint_takes_its_text_or_the_endpoint_itself() {
    let cx = Context::new();
    let (pull, push) = (cx.socket(SocketType::Pull).unwrap(), cx.socket(SocketType::Push).unwrap());
    let endpoint = pull.bind(String::from("tcp://127.0.0.1:*")).unwrap();
    push.connect_ready(&endpoint, LONG).unwrap();
    push.disconnect(&endpoint).unwrap();
    push.connect_with(&endpoint, &Options::new()).unwrap();
    push.disconnect(endpoint.clone()).unwrap();
    push.connect(endpoint.to_string()).unwrap();
    pull.unbind(&endpoint).unwrap();
    let inproc = pull.bind_with("inproc://itself", &Options::new()).unwrap();
    push.connect(&inproc).unwrap();
    pull.unbind(&inproc).unwrap();
    pull.bind(&inproc).unwrap();
}

#[test]
fn a_routing_id_is_whatever_a_frame_can_be_made_of_within_its_length() {
    let cx = Context::new();
    let (router, dealer) = named(&cx, "w1");
    dealer.send("hello").unwrap();
    let (from, message) = router.recv_from_timeout(LONG).unwrap();
    assert_eq!((from.as_bytes(), &message[0]), (&b"w1"[..], &Frame::from("hello")));
    for options in [
        Options::new().set(opt::ROUTING_ID, vec![7; 256]),
        Options::new().set(opt::ROUTING_ID, b""),
        Options::new().set(opt::ROUTING_ID, String::new()),
    ] {
        let text = options.check().unwrap_err().to_string();
        assert!(text.contains("ROUTING_ID = ") && text.contains("allowed 1..255 bytes"), "{text}");
    }
    assert_eq!(RoutingId::new("").unwrap_err().length, 0);
}

#[test]
fn a_message_and_its_sender_are_received_at_once_or_within_a_limit() {
    let cx = Context::new();
    let (router, dealer) = named(&cx, "w1");
    assert!(matches!(router.try_recv_from(), Err(Error::WouldBlock(_))));
    assert!(matches!(router.recv_from_timeout(Duration::from_millis(1)), Err(Error::TimedOut(_))));
    dealer.send("hello").unwrap();
    router.recv_from_timeout(LONG).unwrap();
    assert!(matches!(dealer.try_recv_from(), Err(Error::NotSupported { .. })));
    assert!(matches!(dealer.recv_from_timeout(LONG), Err(Error::NotSupported { .. })));
}

#[test]
fn a_message_of_another_number_of_frames_is_an_error_that_has_the_message() {
    fn two(message: Message) -> Result<[Frame; 2], Box<dyn StdError + Send + Sync>> {
        let [topic, body] = message.try_into()?;
        Ok([topic, body])
    }
    assert_eq!(two(Message::from(["a", "b"])).unwrap(), ["a", "b"]);
    let error = <[Frame; 2]>::try_from(Message::from("alone")).unwrap_err();
    assert_eq!(error.to_string(), "a message of 1 frames; 2 were expected");
    assert_eq!(error.message, Message::from("alone"));
}

#[test]
fn a_frame_is_compared_with_bytes_and_text_of_every_kind() {
    let frame = Frame::from("abc");
    assert!(frame == "abc" && frame == *"abc" && frame == *b"abc" && frame == b"abc" && frame == b"abc"[..]);
    assert!(frame != *b"abd" && frame != *"abcd" && frame != b"ab");
}

#[test]
fn a_socket_type_is_read_from_its_name_in_upper_or_lower_case() {
    for (name, socket_type) in
        [("REQ", SocketType::Req), ("XPub", SocketType::XPub), ("dish", SocketType::Dish)]
    {
        assert_eq!(name.parse(), Ok(socket_type));
        assert_eq!(socket_type.name().parse(), Ok(socket_type));
    }
    let error = "REQUEST".parse::<SocketType>().unwrap_err();
    assert!(error.to_string().starts_with("\"REQUEST\" is no socket type (known: PAIR PUB "), "{error}");
}

#[test]
fn a_monitor_is_an_iterator_that_ends_with_the_socket() {
    let cx = Context::new();
    let pull = cx.socket(SocketType::Pull).unwrap();
    let events: Monitor = pull.monitor();
    pull.bind("tcp://127.0.0.1:*").unwrap();
    let first = (&events).next().unwrap();
    assert!(matches!(first.kind, EventKind::Listening), "{first:?}");
    let closing: Closing = pull.close();
    assert!(format!("{closing:?}").starts_with("Closing"));
    closing.wait();
    let kinds: Vec<EventKind> = events.map(|event| event.kind).collect();
    assert!(matches!(kinds[..], [EventKind::ListenerClosed, EventKind::Closed]), "{kinds:?}");
}

#[test]
fn the_limit_on_sockets_names_its_option_and_says_that_closing_sockets_count() {
    let cx = Context::with(zeroxide::ContextOptions::new().max_sockets(1)).unwrap();
    let push = cx.socket(SocketType::Push).unwrap();
    push.connect("tcp://127.0.0.1:1").unwrap();
    push.send("lingers").unwrap();
    let closing = push.close();
    let error = cx.socket(SocketType::Pull).unwrap_err();
    assert!(matches!(error, Error::Limit(_)), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("the context has 1 sockets, its limit (ContextOptions::max_sockets)"), "{text}");
    assert!(text.contains("a closed socket counts until"), "{text}");
    closing.wait();
    cx.socket(SocketType::Pull).unwrap();
}

#[test]
fn the_readme_links_to_where_its_text_is_shown_without_the_repository() {
    let relative: Vec<&str> = include_str!("../README.md")
        .split("](")
        .skip(1)
        .filter(|link| !link.starts_with("https://"))
        .collect();
    assert!(relative.is_empty(), "{relative:?}");
}

#[test]
fn a_message_to_a_router_needs_a_frame_behind_the_routing_id_and_the_error_says_so() {
    let cx = Context::new();
    let (router, dealer) = named(&cx, "w1");
    dealer.send("hello").unwrap();
    let (from, _) = router.recv_from_timeout(LONG).unwrap();
    for (refused, given) in [
        (router.send("hi"), Message::from("hi")),
        (router.try_send("w1"), Message::from("w1")),
        (router.send_to(&from, Message::new()), Message::new()),
    ] {
        let refused = refused.unwrap_err();
        assert!(matches!(refused.error, Error::EmptyMessage), "{refused:?}");
        assert!(refused.error.to_string().contains("the first frame is the routing id"), "{refused}");
        assert_eq!(refused.message, given, "it comes back");
    }
}
