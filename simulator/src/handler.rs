//! A ZAP handler (RFC 27): it admits every peer of the good hosts, and decides about the others as chance has it.

use zeroxide::{Context, Error, Message, Socket, SocketType};

use crate::choices::Choices;

/// The handler of one context.
#[derive(Debug)]
pub(crate) struct Handler {
    socket: Socket,
}

impl Handler {
    pub(crate) fn new(context: &Context) -> Result<Handler, Error> {
        let socket = context.socket(SocketType::Rep)?;
        socket.bind("inproc://zeromq.zap.01")?;
        Ok(Handler { socket })
    }

    /// Answers one request, if there is one.
    pub(crate) fn answer(&self, choices: &mut Choices) -> bool {
        let Ok(request) = self.socket.try_recv() else { return false };
        let text = |at: usize| request.get(at).map(|frame| frame.to_vec()).unwrap_or_default();
        let good = text(3) == b"127.0.0.1" || text(3) == b"localhost";
        let status = if good { "200" } else { choices.pick(&["200", "300", "400", "500", "nonsense"]) };
        let user = if status == "200" { "user" } else { "" };
        let mut reply = Message::new();
        reply.push_back("1.0");
        reply.push_back(text(1));
        [status, "text", user, ""].into_iter().for_each(|frame| reply.push_back(frame));
        // Who asked may be gone by now.
        let _ = self.socket.try_send(reply);
        true
    }
}
