//! News that comes while somebody holds a socket's lock, and is taken up in one go.

use std::time::{Duration, Instant};

use crate::{Context, Options, RoutingId, Socket, SocketType, opt};

const LONG: Duration = Duration::from_secs(60);

fn named(cx: &Context, endpoint: &str, name: &str) -> Socket {
    let options = Options::new().set(opt::ROUTING_ID, RoutingId::new(name).unwrap());
    let dealer = cx.socket_with(SocketType::Dealer, &options).unwrap();
    dealer.connect(endpoint).unwrap();
    dealer
}

/// The I/O thread has these peers on its list, and has posted all that it had to say of those before the last. Nobody is
/// woken for that while the lock is held.
#[track_caller]
fn until_known(router: &Socket, names: &[&str]) {
    let deadline = Instant::now() + LONG;
    let known = || {
        let table = router.base().peers.table();
        let ids: Vec<&[u8]> = table.iter().map(|peer| &peer.routing_id[..]).collect();
        ids.len() == names.len() && names.iter().all(|name| ids.contains(&name.as_bytes()))
    };
    while !known() {
        assert!(Instant::now() < deadline, "never came: {names:?}");
        std::thread::yield_now();
    }
}

/// The newcomer gets the number of the pipe that handover closed, and that was to be detached when the lock is released.
#[test]
fn who_gets_the_number_of_a_pipe_that_was_handed_over_and_ended_keeps_it() {
    let cx = Context::new();
    let router = cx.socket_with(SocketType::Router, &Options::new().set(opt::ROUTER_HANDOVER, true)).unwrap();
    let endpoint = router.bind("tcp://127.0.0.1:*").unwrap().to_string();
    let old = named(&cx, &endpoint, "a");
    router.wait_for_peers(1, LONG).unwrap();
    assert!(router.try_recv().is_err());
    let sockets = router.base().enter(|_| {
        let heir = named(&cx, &endpoint, "a");
        until_known(&router, &["a", "a"]);
        drop(old.close());
        until_known(&router, &["a"]);
        let newcomer = named(&cx, &endpoint, "newcomer");
        until_known(&router, &["a", "newcomer"]);
        let last = named(&cx, &endpoint, "last");
        until_known(&router, &["a", "newcomer", "last"]);
        [heir, newcomer, last]
    });
    for (socket, name) in sockets.iter().zip(["a", "newcomer"]) {
        router.send([name, "yours"]).unwrap();
        assert_eq!(socket.recv_timeout(LONG).unwrap()[0], "yours");
    }
}
