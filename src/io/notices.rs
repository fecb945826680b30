//! Notices: messages that a socket receives when a peer connects or is lost (ROUTER_NOTIFY, HICCUP_MSG, DISCONNECT_MSG).
//!
//! A notice is put into the peer's pipe, behind all that the peer has sent, even if the pipe is at its high-water mark. A pipe
//! can exceed the mark only by the notices of one connection: while it is full its stream is not read, so the next loss is not
//! noticed.
//!
//! But each accepted peer has a pipe of its own. If peers connect and leave while the application receives nothing, each leaves
//! a pipe with notices; libzmq has no limit for that (pipe.cpp `send_disconnect_msg`). Here no notice is added while
//! [`MAX_DEPARTED`] lost peers have unread messages. Dropped notices are counted.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use zeroxide_transports::pipe::Pipe;
use zeroxide_zmtp::{Message, Peer};

use crate::socket::base::SocketBase;
use crate::socket::pipe_ends::tell;
use crate::stats::Counters;

/// The most lost peers with unread messages; beyond that no notice is added.
const MAX_DEPARTED: usize = 16 * 1024;

/// Appends notices to a pipe. Returns whether the socket must be told, because its reader has found the pipe empty.
pub(super) fn notify(base: &SocketBase, pipe: &mut Pipe, notices: impl IntoIterator<Item = Message>) -> bool {
    if base.departed.load(Ordering::Relaxed) >= MAX_DEPARTED {
        Counters::add(&base.counters.notices_dropped, notices.into_iter().count() as u64);
        return pipe.writer.flush();
    }
    tell(pipe, notices)
}

/// Sets the peer of each notice ([`Message::peer`]).
pub(super) fn named(
    notices: impl IntoIterator<Item = Message>,
    peer: &Option<Arc<Peer>>,
) -> impl Iterator<Item = Message> {
    notices.into_iter().map(|mut notice| {
        notice.set_peer(peer.clone());
        notice
    })
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use bytes::Bytes;

    use super::*;
    use crate::signal::wait_until;
    use crate::{Context, Message, Options, RouterNotify, Socket, SocketType, opt};

    #[track_caller]
    fn until(socket: &Socket, so: impl Fn(&SocketBase) -> bool) {
        let (base, limit) = (socket.base(), Instant::now() + Duration::from_secs(60));
        wait_until(&[&base.watch], Some(limit), || so(base).then_some(())).expect("in time");
    }

    #[test]
    fn no_notice_is_added_while_too_many_who_are_gone_left_something_unread() {
        let cx = Context::new();
        let options = Options::new()
            .set(opt::ROUTER_NOTIFY, RouterNotify { connect: true, disconnect: true })
            .set(opt::DISCONNECT_MSG, Some(Bytes::from_static(b"gone")));
        let router = cx.socket_with(SocketType::Router, &options).unwrap();
        let endpoint = router.bind("tcp://127.0.0.1:*").unwrap().to_string();
        for (departed, notices) in [(MAX_DEPARTED - 1, 3), (MAX_DEPARTED, 0)] {
            let before = router.stats().io.notices_dropped;
            router.base().departed.store(departed, Ordering::Relaxed);
            let dealer = cx.socket(SocketType::Dealer).unwrap();
            dealer.connect(&endpoint).unwrap();
            router.wait_for_peers(1, Duration::from_secs(60)).unwrap();
            router.base().departed.store(departed, Ordering::Relaxed);
            dealer.close().wait();
            until(&router, |base| base.peers.table().is_empty());
            for _ in 0..notices {
                let message: Message = router.recv_timeout(Duration::from_secs(60)).unwrap();
                assert_eq!(message.len(), 2);
            }
            let dropped = 3 - notices;
            until(&router, |base| base.counters.notices_dropped.load(Ordering::Relaxed) == before + dropped);
            assert!(router.try_recv().is_err());
        }
    }

    #[test]
    fn a_peer_that_is_gone_counts_until_what_it_left_is_received() {
        let cx = Context::new();
        let pull = cx.socket(SocketType::Pull).unwrap();
        let endpoint = pull.bind("tcp://127.0.0.1:*").unwrap().to_string();
        let departed = |base: &SocketBase| base.departed.load(Ordering::Relaxed);
        for n in 1..=2 {
            let push = cx.socket(SocketType::Push).unwrap();
            push.connect(&endpoint).unwrap();
            push.send("left").unwrap();
            push.close().wait();
            until(&pull, |base| departed(base) == n);
        }
        for _ in 0..2 {
            pull.recv().unwrap();
        }
        assert!(pull.try_recv().is_err());
        assert_eq!(departed(pull.base()), 0);
    }
}
