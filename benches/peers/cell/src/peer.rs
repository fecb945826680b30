//! What a library must be able to do.

use std::future::Future;
use std::time::Duration;

use crate::spec::Spec;

/// One socket of one library, as an application of that library uses it.
///
/// Functions are asynchronous because most libraries are. One that blocks does so in them and is run by [`Peer::run`] on a thread
/// for each socket. A failed call ends the process with a message: the parent reports it.
#[expect(
    async_fn_in_trait,
    reason = "every implementation is a program; some have futures that stay on their thread"
)]
pub trait Peer: Sized {
    /// What sockets of one process share.
    type Context: Clone + Send + Sync;
    /// A body that is sent many times.
    type Body;

    /// A context with default options, for the mode of [`Spec::mode`].
    fn context(spec: &Spec) -> Self::Context;

    /// Runs `task` for each of `specs` at the same time, on one thread each.
    ///
    /// A library with a runtime runs them on that.
    fn run<F: Future<Output = ()>>(specs: &[Spec], task: impl Fn(Spec) -> F + Sync) {
        let task = &task;
        std::thread::scope(|scope| {
            for spec in specs {
                scope.spawn(move || pollster::block_on(task(spec.clone())));
            }
        });
    }

    /// A socket, bound or connected. One that binds calls `bound` with the endpoint that others connect to.
    ///
    /// # Errors
    /// What this library cannot do, in words.
    async fn open(context: &Self::Context, spec: &Spec, bound: impl FnOnce(&str)) -> Result<Self, String>;

    /// A body of these bytes.
    fn body(bytes: &[u8]) -> Self::Body;

    /// Sends a body, and waits for room.
    async fn send(&mut self, body: &Self::Body);

    /// Sends whatever the library has kept back to send it with more.
    async fn flush(&mut self) {}

    /// Receives a message and looks at its body.
    async fn recv<T>(&mut self, look: impl FnOnce(&[u8]) -> T) -> T;

    /// Receives a message and sends it back to where it came from.
    async fn echo(&mut self);

    /// Does nothing for this time.
    async fn pause(&self, time: Duration) {
        #[expect(
            clippy::disallowed_methods,
            reason = "bursts have pauses between them: that is what is measured"
        )]
        std::thread::sleep(time);
    }
}
