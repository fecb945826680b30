//! Futures as tasks of tokio, on its runtime of one thread.

use std::time::Duration;

use bytes::Bytes;
use cell::{Peer, Spec};
use zeroxide::{Context, Socket};

/// One socket of a task.
pub(crate) struct Tasks(Socket);

impl Peer for Tasks {
    type Context = Context;
    type Body = Bytes;

    fn context(_: &Spec) -> Context {
        Context::new()
    }

    fn run<F: Future<Output = ()>>(specs: &[Spec], task: impl Fn(Spec) -> F + Sync) {
        cell::tokio::run_on_one_thread(specs, task);
    }

    async fn open(context: &Context, spec: &Spec, bound: impl FnOnce(&str)) -> Result<Tasks, String> {
        crate::socket::open(context, spec, bound).map(Tasks)
    }

    fn body(bytes: &[u8]) -> Bytes {
        Bytes::copy_from_slice(bytes)
    }

    async fn send(&mut self, body: &Bytes) {
        self.0.send_async(body.clone()).await.expect("a message sent");
    }

    async fn recv<T>(&mut self, look: impl FnOnce(&[u8]) -> T) -> T {
        look(&self.0.recv_async().await.expect("a message")[0])
    }

    async fn echo(&mut self) {
        let message = self.0.recv_async().await.expect("a message");
        self.0.send_async(message).await.expect("a message sent");
    }

    async fn pause(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}
