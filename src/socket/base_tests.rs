//! News that is taken up in one go.

use std::time::Duration;

use bytes::Bytes;
use zeroxide_patterns::{Origin, Pattern};
use zeroxide_zmtp::Traffic;

use super::*;
use crate::socket::pipe_ends::make_pipe;
use crate::{Context, EventKind, Options, SocketType, opt};

const LONG: Duration = Duration::from_secs(60);

/// News of a newcomer that calls itself `name`, with the other end of its pipe.
fn newcomer(base: &SocketBase, name: &'static str) -> (News, Slot, zeroxide_transports::pipe::Pipe) {
    let (ours, theirs) = make_pipe(base, &Values::native(None));
    let slot = Slot::new();
    let entry = Entry::new(ours, Link::Offline, slot.clone(), 0);
    let routing_id = Bytes::from_static(name.as_bytes());
    (News::Attach(Box::new(Attach { entry, origin: Origin::default(), routing_id })), slot, theirs)
}

/// A peer that is gone and unread has the name, and a peer waits for it: a third one comes after that.
#[test]
fn the_name_of_a_peer_that_is_gone_goes_to_the_first_that_waits_and_not_to_a_newcomer() {
    let cx = Context::new();
    let router = cx.socket_with(SocketType::Router, &Options::with_libzmq_defaults()).unwrap();
    let base = router.base();
    let mut peers = Vec::new();
    for text in ["gone", "first", "second"] {
        let (attach, slot, mut pipe) = newcomer(base, "x");
        pipe.writer.write(Traffic::Message(text.into()));
        pipe.writer.flush();
        base.post(attach);
        peers.push((slot, pipe));
        if text == "first" {
            base.post(News::Ended(peers[0].0.clone()));
        }
    }
    let holder = || base.enter(|state| state.pattern.find(b"x"));
    assert_eq!(router.recv_timeout(LONG).unwrap()[1], "gone");
    assert_eq!(router.recv_timeout(LONG).unwrap()[1], "first");
    assert!(router.try_recv().is_err(), "the second waits while the first is there");
    assert_eq!(holder(), peers[1].0.get());
    base.post(News::Ended(peers[1].0.clone()));
    assert_eq!(router.recv_timeout(LONG).unwrap()[1], "second");
    assert_eq!(holder(), peers[2].0.get());
}

/// The newcomer gets the number of the pipe that handover closed, and that was to be detached when the lock is released.
#[test]
fn who_gets_the_number_of_a_pipe_that_was_handed_over_and_ended_keeps_it() {
    let cx = Context::new();
    let router = cx.socket_with(SocketType::Router, &Options::new().set(opt::ROUTER_HANDOVER, true)).unwrap();
    let base = router.base();
    let (old, old_slot, _old) = newcomer(base, "a");
    base.post(old);
    assert!(router.try_recv().is_err());
    let number = old_slot.get().unwrap();
    let (heir, _, _heir) = newcomer(base, "a");
    let (next, next_slot, _next) = newcomer(base, "newcomer");
    let (last, last_slot, _last) = newcomer(base, "last");
    for news in [heir, News::Ended(old_slot), next, last] {
        base.mailbox.put(news);
    }
    base.post(News::Changed);
    assert_eq!(next_slot.get(), Some(number), "or this tests nothing");
    base.enter(|state| {
        for (name, slot) in [("newcomer", &next_slot), ("last", &last_slot)] {
            assert_eq!(state.pattern.find(name.as_bytes()), slot.get());
            assert!(state.pipes.get(slot.get().unwrap()).is_some());
        }
        assert!(state.pattern.find(b"a").is_some());
    });
}

/// The I/O thread has made the next connection before the socket takes up the loss of the one before it. It can where it does not enter
/// the socket at the end of a handshake, to look whether there is a place: in the C library.
#[test]
fn a_connection_gets_no_subscription_of_the_one_before_whose_loss_the_socket_does_not_know_yet() {
    let (cx, other) = (Context::new(), Context::new());
    let xsub = cx.socket(SocketType::XSub).unwrap();
    xsub.base().enter(|state| state.values.credit_in_lots = true);
    // Its pings make the I/O thread drive the new connection, which the socket does not know.
    let pings = Options::new().set(opt::HEARTBEAT_IVL, Some(Duration::from_millis(5)));
    let xpub = other.socket_with(SocketType::XPub, &pings).unwrap();
    let endpoint = xpub.bind("tcp://127.0.0.1:*").unwrap();
    let once = Options::new().set(opt::RECONNECT_IVL, Some(Duration::from_millis(1)));
    xsub.connect_with(&endpoint, &once).unwrap();
    xsub.wait_for_peers(1, LONG).unwrap();
    let (events, base) = (xsub.monitor(), xsub.base());
    let mut received = Vec::new();
    let mut receive_until = |last: &[u8]| {
        while received.last().is_none_or(|frame: &Vec<u8>| frame != last) {
            received.push(xpub.recv_timeout(LONG).unwrap()[0].to_vec());
        }
        received.clone()
    };
    base.enter(|state| {
        let mut send = |bytes: &[u8]| assert!(state.try_send(&mut Some(bytes.into())).is_ok());
        xpub.unbind(&endpoint).unwrap();
        while !matches!(events.recv_timeout(LONG).unwrap().kind, EventKind::Disconnected { .. }) {}
        send(b"\x01stale");
        send(b"message");
        state.flush_now();
        xpub.bind(&endpoint).unwrap();
        // It came over the next connection.
        receive_until(b"message");
        assert!(state.try_send(&mut Some((&b"\0stale"[..]).into())).is_ok());
    });
    xsub.send(&b"\x01next"[..]).unwrap();
    assert_eq!(receive_until(b"\x01next"), [&b"message"[..], b"\x01next"]);
}
