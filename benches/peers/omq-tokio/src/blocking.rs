//! The calls that block.

use cell::{Kind, Peer, Spec};
use omq_tokio::blocking::Socket;
use omq_tokio::{Context, ContextConfig, Endpoint, Error, Message, TrySendError};

/// One socket, on a thread of its own.
pub(crate) struct Blocking(Socket);

impl Peer for Blocking {
    type Context = Context;
    type Body = Message;

    fn context(_: &Spec) -> Context {
        Context::with_config(ContextConfig { io_threads: 1 })
    }

    async fn open(context: &Context, spec: &Spec, bound: impl FnOnce(&str)) -> Result<Blocking, String> {
        let socket = context.blocking_socket(crate::socket_type(spec), crate::options(spec));
        let endpoint = |text: &str| text.parse::<Endpoint>().map_err(|error| format!("{text}: {error:?}"));
        match &spec.endpoint {
            None => {
                let address = spec.bind_address().map_err(|error| error.to_string())?;
                socket.bind(endpoint(&address)?).map_err(|error| error.to_string())?;
                bound(&address);
            }
            Some(text) => socket.connect(endpoint(text)?).map_err(|error| error.to_string())?,
        }
        if spec.kind == Kind::Sub {
            socket.subscribe("").map_err(|error| error.to_string())?;
        }
        Ok(Blocking(socket))
    }

    fn body(bytes: &[u8]) -> Message {
        crate::body(bytes)
    }

    async fn send(&mut self, body: &Message) {
        match self.0.try_send(body.clone()) {
            Ok(()) => {}
            Err(TrySendError::Full(message)) => self.0.send(message).expect("a message sent"),
            Err(error) => panic!("a message is not sent: {error}"),
        }
    }

    async fn recv<T>(&mut self, look: impl FnOnce(&[u8]) -> T) -> T {
        let message = match self.0.try_recv() {
            Err(Error::WouldBlock) => self.0.recv(),
            received => received,
        };
        look(&message.expect("a message")[0])
    }

    async fn echo(&mut self) {
        self.0.send(self.0.recv().expect("a message")).expect("a message sent");
    }
}
