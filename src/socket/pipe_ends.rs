//! The pipe between a socket and a connection: creating it, and closing the connection's end.

use std::sync::Arc;

use zeroxide_transports::pipe::{Flow, Pipe, budgeted_pipe};
use zeroxide_zmtp::{Message, Traffic};

use super::after_unlock::free_unread;
use super::base::SocketBase;
use super::news::News;
use crate::engine::slot::Slot;
use crate::options::Values;

/// Creates the pipe between a socket and an engine. Returns the socket's end and the engine's end.
pub(crate) fn make_pipe(base: &SocketBase, values: &Values) -> (Pipe, Pipe) {
    let conflate = values.conflate && base.socket_type.conflates();
    let lots = values.credit_in_lots;
    let out = Flow { hwm: values.sndhwm, conflate, count_control: false, lots, packs: true };
    let inp = Flow { hwm: values.rcvhwm, conflate, count_control: true, lots, packs: true };
    budgeted_pipe(out, inp, values.rcvhwm_bytes, &base.budget)
}

/// Appends messages of the library itself to a pipe, even if it is at its high-water mark. Returns whether the socket must be
/// told, because its reader has found the pipe empty.
pub(crate) fn tell(pipe: &mut Pipe, notices: impl IntoIterator<Item = Message>) -> bool {
    notices.into_iter().for_each(|notice| pipe.writer.write(Traffic::Message(notice)));
    pipe.writer.flush()
}

/// Writes the HELLO_MSG into a new pipe of inproc. It does not count as routed, as over a connection.
pub(crate) fn greet(pipe: &mut Pipe, hello: Option<Message>) {
    hello.into_iter().for_each(|hello| pipe.writer.write_own(hello));
    pipe.writer.flush();
}

/// Closes the I/O end of a pipe: tells the socket, and drops the messages that were not sent.
pub(crate) fn leave_pipe(base: &Arc<SocketBase>, slot: &Slot, mut pipe: Pipe) {
    pipe.writer.finish();
    let unread = pipe.reader.abandon();
    base.post(News::Ended(slot.clone()));
    // Last, because a drop may wait for a thread that is told here.
    free_unread(unread);
}
