//! Tasks on the caller's runtime.

use std::time::Duration;

use cell::{Kind, Peer, Spec};
use omq_tokio::{Endpoint, Error, Message, Socket, TrySendError};

/// A task gives its thread to others after so many messages, and after so many bytes.
const TURN: usize = 128;
const TURN_BYTES: usize = 64 * 1024;

/// One socket of a task.
pub(crate) struct Tasks {
    socket: Socket,
    /// Messages of a turn, and those that are left of it.
    turn: usize,
    left: usize,
}

impl Peer for Tasks {
    type Context = ();
    type Body = Message;

    fn context(_: &Spec) {}

    fn run<F: Future<Output = ()>>(specs: &[Spec], task: impl Fn(Spec) -> F + Sync) {
        cell::tokio::run_on_one_thread(specs, task);
    }

    async fn open(_: &(), spec: &Spec, bound: impl FnOnce(&str)) -> Result<Tasks, String> {
        let socket = Socket::new(crate::socket_type(spec), crate::options(spec));
        let endpoint = |text: &str| text.parse::<Endpoint>().map_err(|error| format!("{text}: {error:?}"));
        match &spec.endpoint {
            None => {
                let address = spec.bind_address().map_err(|error| error.to_string())?;
                socket.bind(endpoint(&address)?).await.map_err(|error| error.to_string())?;
                bound(&address);
            }
            Some(text) => socket.connect(endpoint(text)?).await.map_err(|error| error.to_string())?,
        }
        if spec.kind == Kind::Sub {
            socket.subscribe("").await.map_err(|error| error.to_string())?;
        }
        let turn = (TURN_BYTES / spec.size).clamp(1, TURN);
        Ok(Tasks { socket, turn, left: turn })
    }

    fn body(bytes: &[u8]) -> Message {
        crate::body(bytes)
    }

    async fn send(&mut self, body: &Message) {
        match self.socket.try_send(body.clone()) {
            Ok(()) => {}
            Err(TrySendError::Full(message)) => self.socket.send(message).await.expect("a message sent"),
            Err(error) => panic!("a message is not sent: {error}"),
        }
    }

    async fn recv<T>(&mut self, look: impl FnOnce(&[u8]) -> T) -> T {
        if self.left == 0 {
            tokio::task::coop::consume_budget().await;
            self.left = self.turn;
        }
        self.left -= 1;
        let message = match self.socket.try_recv() {
            Err(Error::WouldBlock) => self.socket.recv().await,
            received => received,
        };
        look(&message.expect("a message")[0])
    }

    async fn echo(&mut self) {
        let message = self.socket.recv().await.expect("a message");
        self.socket.send(message).await.expect("a message sent");
    }

    async fn pause(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}
