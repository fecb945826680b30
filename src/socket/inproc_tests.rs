//! The moment in which an inproc connect is met by its bind while its socket is at work: the news that says who is at
//! the other end lies in the mailbox, and the other end uses the pipe already.

use zeroxide_patterns::Pattern;

use crate::error::Error;
use crate::socket::base::SocketState;
use crate::{Context, Message, Options, Socket, SocketType, opt};

const NAME: &str = "inproc://meeting";

/// Sockets of these types; the first has connected to the name that the second has not bound yet.
fn waiting(context: &Context, connects: SocketType, binds: SocketType) -> (Socket, Socket) {
    let one = Options::new().set(opt::SNDHWM, 1).set(opt::RCVHWM, 1);
    let connector = context.socket_with(connects, &one).unwrap();
    let binder = context.socket_with(binds, &one).unwrap();
    if connects == SocketType::Sub {
        connector.subscribe("").unwrap();
    }
    connector.connect(NAME).unwrap();
    (connector, binder)
}

/// Binds, and does `then` with the binder, while the connector is at work under its lock; then the connector does `act`
/// under the same lock.
fn meet_at_work(
    connector: &Socket,
    binder: &Socket,
    then: impl FnOnce(&Socket) + Send,
    act: impl FnOnce(&mut SocketState),
) {
    connector.base().enter(|state| {
        std::thread::scope(|scope| {
            scope.spawn(|| {
                binder.bind(NAME).unwrap();
                then(binder);
            });
        });
        act(state);
    });
}

/// libzmq's test_proxy_hwm stood still here: a SUB that looked for a message made its subscription visible to an XPUB
/// that had just found none, and knew nobody to tell.
#[test]
fn what_leaves_while_the_bind_is_news_is_told_to_the_binder() {
    let context = Context::new();
    let (sub, xpub) = waiting(&context, SocketType::Sub, SocketType::XPub);
    meet_at_work(&sub, &xpub, |_| (), SocketState::flush_now);
    assert_eq!(xpub.try_recv().unwrap()[0], [1][..]);
}

#[test]
fn room_that_comes_while_the_bind_is_news_is_told_to_the_binder() {
    let context = Context::new();
    let (pull, push) = waiting(&context, SocketType::Pull, SocketType::Push);
    let fill = |push: &Socket| while push.try_send("x").is_ok() {};
    meet_at_work(&pull, &push, fill, |state| {
        while state.pattern.recv(&mut state.pipes, &mut Message::new()).unwrap().is_some() {}
    });
    push.try_send("there is room").unwrap();
}

#[test]
fn an_end_that_comes_while_the_bind_is_news_is_told_to_the_binder() {
    let context = Context::new();
    let (pull, push) = waiting(&context, SocketType::Pull, SocketType::Push);
    let base = std::sync::Arc::clone(pull.base());
    meet_at_work(
        &pull,
        &push,
        |push| push.try_send("lost").unwrap(),
        |state| {
            let ids: Vec<u64> = state.pipes.iter().map(|(_, entry)| entry.endpoint).collect();
            ids.into_iter().for_each(|endpoint| base.retire_endpoint(state, endpoint));
        },
    );
    assert_eq!(push.status().peers, 0);
    assert!(matches!(push.try_send("nobody").map_err(Error::from), Err(Error::WouldBlock(_))));
}
