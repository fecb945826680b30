//! News that is taken up in one go.

use std::time::Duration;

use bytes::Bytes;
use zeroxide_patterns::{Origin, Pattern};
use zeroxide_zmtp::Traffic;

use super::*;
use crate::socket::pipe_ends::make_pipe;
use crate::{Context, Options, SocketType, opt};

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
