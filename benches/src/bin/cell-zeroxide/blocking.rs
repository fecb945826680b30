//! The calls that block.

use bytes::Bytes;
use cell::{Peer, Spec};
use zeroxide::{Context, Socket};

/// One socket, on a thread of its own.
pub(crate) struct Blocking(Socket);

impl Peer for Blocking {
    type Context = Context;
    type Body = Bytes;

    fn context(_: &Spec) -> Context {
        Context::new()
    }

    async fn open(context: &Context, spec: &Spec, bound: impl FnOnce(&str)) -> Result<Blocking, String> {
        crate::socket::open(context, spec, bound).map(Blocking)
    }

    fn body(bytes: &[u8]) -> Bytes {
        Bytes::copy_from_slice(bytes)
    }

    async fn send(&mut self, body: &Bytes) {
        self.0.send(body.clone()).expect("a message sent");
    }

    async fn recv<T>(&mut self, look: impl FnOnce(&[u8]) -> T) -> T {
        look(&self.0.recv().expect("a message")[0])
    }

    async fn echo(&mut self) {
        self.0.send(self.0.recv().expect("a message")).expect("a message sent");
    }
}
