//! What somebody who knows ZeroMQ writes at the first try compiles and does what it says.
#![allow(clippy::unwrap_used)] // a test's helpers

mod common;

use std::error::Error as StdError;
use std::time::Duration;

use common::{LONG, no_linger, task};
use zeroxide::{
    Closing, Context, Error, ErrorKind, EventKind, Frame, Message, Monitor, Options, RoutingId, Socket,
    SocketType, opt,
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
fn the_pictures_of_the_readme_are_there() {
    let pictures: Vec<&str> = include_str!("../README.md")
        .split("<img src=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert_eq!(pictures.len(), 2, "{pictures:?}");
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    assert!(pictures.iter().all(|path| root.join(path).is_file()), "{pictures:?}");
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

#[test]
fn a_call_with_a_limit_times_out_even_if_the_limit_is_zero() {
    let cx = Context::new();
    let (router, dealer) = (cx.socket(SocketType::Router).unwrap(), cx.socket(SocketType::Dealer).unwrap());
    let req = cx.socket_with(SocketType::Req, &no_linger()).unwrap();
    req.connect("tcp://127.0.0.1:1").unwrap();
    let now = Duration::ZERO;
    for (call, error) in [
        ("recv_timeout", router.recv_timeout(now).unwrap_err()),
        ("recv_from_timeout", router.recv_from_timeout(now).unwrap_err()),
        ("send_timeout", dealer.send_timeout("x", now).unwrap_err().error),
        ("request", req.request("x", now).unwrap_err().error),
        ("request_async", task::block_on(req.request_async("x", now)).unwrap_err().error),
        ("connect_ready", req.connect_ready("tcp://127.0.0.1:2", now).unwrap_err()),
        ("wait_for_peers", req.wait_for_peers(1, now).unwrap_err()),
        ("Monitor::recv_timeout", router.monitor().recv_timeout(now).unwrap_err()),
    ] {
        assert_eq!(error.kind(), ErrorKind::TimedOut, "{call}: {error}");
    }
    // A call that does not wait says so, and so does one whose option allows no time.
    assert_eq!(router.try_recv().unwrap_err().kind(), ErrorKind::WouldBlock);
    router.set(opt::RCVTIMEO, Some(now)).unwrap();
    assert_eq!(router.recv().unwrap_err().kind(), ErrorKind::WouldBlock);
    assert_eq!(dealer.try_send("x").unwrap_err().error.kind(), ErrorKind::WouldBlock);
}

#[test]
fn what_a_main_prints_that_returns_an_error_is_its_kind_and_its_text() {
    let cx = Context::new();
    let pull = cx.socket(SocketType::Pull).unwrap();
    let endpoint = pull.bind("tcp://127.0.0.1:*").unwrap();
    let error = cx.socket(SocketType::Pull).unwrap().bind(&endpoint).unwrap_err();
    let text = format!(
        "Bind: cannot bind {endpoint} (PULL): address in use; another socket or process listens there"
    );
    assert_eq!(format!("{error:?}"), text);
    let timed_out = pull.recv_timeout(Duration::from_millis(1)).unwrap_err();
    assert_eq!(format!("{timed_out:?}"), "TimedOut: no message for this PULL in 1 ms");
}

#[test]
fn the_high_water_mark_in_an_error_is_what_fits_also_over_inproc() {
    let cx = Context::new();
    let push = cx.socket_with(SocketType::Push, &no_linger().set(opt::SNDHWM, 10)).unwrap();
    let pull = cx.socket_with(SocketType::Pull, &Options::new().set(opt::RCVHWM, 5)).unwrap();
    push.connect(pull.bind("inproc://marks").unwrap()).unwrap();
    let mut fitted = 0;
    let refused = loop {
        match push.try_send("x") {
            Ok(()) => fitted += 1,
            Err(refused) => break refused.to_string(),
        }
    };
    assert_eq!(fitted, 15);
    assert_eq!(refused, "the peer of this PUSH is at its high-water mark (15); message returned");
}

#[test]
fn a_wrong_routing_id_is_an_error_of_the_library_and_routing_ids_have_an_order() {
    fn named(id: &[u8]) -> zeroxide::Result<RoutingId> {
        Ok(RoutingId::new(id)?)
    }
    let error = named(b"").unwrap_err();
    assert_eq!((error.kind(), error.errno()), (ErrorKind::RoutingId, 22));
    assert_eq!(error.to_string(), "a routing id of 0 bytes: allowed 1..255 bytes");
    // Short and long, inline and shared.
    let long = vec![b'b'; 200];
    let mut ids = [named(b"c"), named(&long), named(b"a"), named(b"b")].map(Result::unwrap);
    ids.sort();
    let bytes = ids.each_ref().map(RoutingId::as_bytes);
    assert_eq!(bytes, [b"a", b"b", &long[..], b"c"]);
    let mut frames = [Frame::from("ab"), Frame::from(long), Frame::from("a")];
    frames.sort();
    assert!(frames[0] == "a" && frames[1] == "ab" && frames[2].len() == 200);
}

#[test]
fn a_wait_for_peers_that_times_out_names_the_last_failure() {
    let cx = Context::new();
    let (rep, publisher) = (cx.socket(SocketType::Rep).unwrap(), cx.socket(SocketType::Pub).unwrap());
    let (served, published) =
        (rep.bind("tcp://127.0.0.1:*").unwrap(), publisher.bind("tcp://127.0.0.1:*").unwrap());
    let sub = cx.socket(SocketType::Sub).unwrap();
    sub.connect_ready(&served, LONG).unwrap_err();
    let brief = Duration::from_millis(1);
    let (of_sub, of_rep) =
        (sub.wait_for_peers(1, brief).unwrap_err(), rep.wait_for_peers(1, brief).unwrap_err());
    let text = "timed out: 0 of 1 peers are connected; the last attempt failed: peer is ";
    assert!(of_sub.to_string().starts_with(&format!("{text}REP, we are SUB")), "{of_sub}");
    assert!(of_rep.to_string().starts_with(&format!("{text}SUB, we are REP")), "{of_rep}");
    // Nobody listens there.
    let push = cx.socket_with(SocketType::Push, &no_linger()).unwrap();
    push.connect_ready("tcp://127.0.0.1:1", Duration::from_millis(100)).unwrap_err();
    let refused = push.wait_for_peers(1, brief).unwrap_err().to_string();
    assert!(
        refused.ends_with("peers are connected; the last attempt failed: connection refused"),
        "{refused}"
    );
    // Without a failure there is nothing to add. The same holds for subscribers.
    let alone = publisher.wait_for_peers(1, brief).unwrap_err().to_string();
    assert_eq!(alone, "timed out: 0 of 1 peers are connected");
    let pull = cx.socket(SocketType::Pull).unwrap();
    pull.connect_ready(&published, LONG).unwrap_err();
    let failed = publisher.wait_for_subscribers("", 1, brief).unwrap_err().to_string();
    let text = "timed out: 0 of 1 subscribers are there; the last attempt failed: peer is PULL, we are PUB";
    assert!(failed.starts_with(text), "{failed}");
}

#[test]
fn the_table_of_peers_shows_the_routing_id_that_a_router_has_given() {
    let cx = Context::new();
    let options = Options::new().set(opt::ROUTING_ID, "its-own");
    let dealer = cx.socket_with(SocketType::Dealer, &options).unwrap();
    let endpoint = dealer.bind("tcp://127.0.0.1:*").unwrap();
    let router = cx.socket(SocketType::Router).unwrap();
    router.connect_with(&endpoint, &Options::new().set(opt::CONNECT_ROUTING_ID, "given")).unwrap();
    router.wait_for_peers(1, LONG).unwrap();
    let peers = router.peers();
    assert_eq!((&peers[0].given_id[..], &peers[0].routing_id[..]), (&b"given"[..], &b"its-own"[..]));
    assert!(peers.to_string().contains(r#" id "given""#), "{peers}");
    router.send_to(&RoutingId::new("given").unwrap(), "hello").unwrap();
    assert_eq!(dealer.recv_timeout(LONG).unwrap()[0], "hello");
}
