//! News that is taken up in one go.

use bytes::Bytes;
use zeroxide_patterns::{Origin, Pattern};

use super::*;
use crate::socket::pipe_ends::make_pipe;
use crate::{Context, Options, SocketType, opt};

/// News of a newcomer that calls itself `name`, with the other end of its pipe.
fn newcomer(base: &SocketBase, name: &'static str) -> (News, Slot, zeroxide_transports::pipe::Pipe) {
    let (ours, theirs) = make_pipe(base, &Values::native(None));
    let slot = Slot::new();
    let entry = Entry::new(ours, Link::Offline, slot.clone(), 0);
    let routing_id = Bytes::from_static(name.as_bytes());
    (News::Attach(Box::new(Attach { entry, origin: Origin::default(), routing_id })), slot, theirs)
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
