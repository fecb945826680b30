use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use bytes::Bytes;
use zeroxide_zmtp::{Frame, Message, Traffic};

use super::*;
use crate::options::{Options, Values, opt};
use crate::signal::{Parker, Signal, Waiter};
use crate::socket::pipe_ends::{leave_pipe, make_pipe};
use crate::{Context, Socket, SocketType};

/// A payload whose drop says whether a waiter has been woken by then.
struct Payload {
    waiter: Arc<Parker>,
    woken: Sender<bool>,
}

impl AsRef<[u8]> for Payload {
    fn as_ref(&self) -> &[u8] {
        &[7; 4096]
    }
}

impl Drop for Payload {
    fn drop(&mut self) {
        self.woken.send(self.waiter.park(Some(Instant::now()))).unwrap();
    }
}

/// A waiter at `signal`, and a payload whose drop says whether it has been woken.
fn payload(signal: &Signal) -> (Frame, Receiver<bool>) {
    let (woken, result) = channel();
    let waiter = Parker::new();
    signal.register(Waiter::Thread(Arc::clone(&waiter)));
    (Frame::from(Bytes::from_owner(Payload { waiter, woken })), result)
}

/// A ROUTER and a DEALER over inproc, whose name is "d".
fn joined(cx: &Context) -> (Socket, Socket) {
    let router = cx.socket(SocketType::Router).unwrap();
    router.bind("inproc://settle").unwrap();
    let dealer = cx.socket_with(SocketType::Dealer, &Options::new().set(opt::ROUTING_ID, "d")).unwrap();
    dealer.connect("inproc://settle").unwrap();
    router.wait_for_peers(1, Duration::from_secs(60)).unwrap();
    (router, dealer)
}

/// The place of the only pipe of a socket.
fn slot(socket: &Socket) -> Slot {
    socket.base().enter(|state| state.pipes.iter().next().map(|(_, entry)| entry.slot.clone()).unwrap())
}

#[test]
fn a_drive_wakes_those_who_wait_for_room_before_it_frees_what_it_has_sent() {
    let cx = Context::new();
    let (router, _dealer) = joined(&cx);
    let (frame, woken) = payload(&router.base().output);
    let effects = Effects { credit: true, garbage: vec![frame], ..Effects::default() };
    router.base().take_effects(&slot(&router), effects);
    assert_eq!(woken.try_recv(), Ok(true));
}

#[test]
fn a_close_wakes_those_who_wait_at_the_other_socket_before_it_frees_what_is_unread() {
    let cx = Context::new();
    let (router, dealer) = joined(&cx);
    let (frame, woken) = payload(&router.base().output);
    router.send(Message::from_iter([Frame::from("d"), frame])).unwrap();
    drop(dealer.close());
    assert_eq!(woken.try_recv(), Ok(true));
}

#[test]
fn the_end_of_a_connection_wakes_those_who_wait_before_it_frees_what_is_unsent() {
    let cx = Context::new();
    let (router, _dealer) = joined(&cx);
    let (frame, woken) = payload(&router.base().output);
    let (mut ours, theirs) = make_pipe(router.base(), &Values::native(None));
    ours.writer.write(Traffic::Message(frame.into()));
    ours.writer.flush();
    leave_pipe(router.base(), &slot(&router), theirs);
    assert_eq!(woken.try_recv(), Ok(true));
}
