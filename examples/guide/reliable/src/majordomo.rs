//! Majordomo (RFC 7, MDP/0.1): what a client and a worker of a broker do.

use std::time::{Duration, Instant};

use zeroxide::{Context, Error, Message, Options, Result, Socket, SocketType, opt};

use crate::Every;

/// The first frame of what clients send and receive.
pub const CLIENT: &str = "MDPC01";
/// The first frame of what workers send and receive. A command follows.
pub const WORKER: &str = "MDPW01";

/// What a worker and the broker tell each other. The value is the byte on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Worker to broker: it offers the service whose name follows.
    Ready = 1,
    /// Broker to worker: the client's address, an empty frame and the request follow.
    Request = 2,
    /// Worker to broker: the client's address, an empty frame and the reply follow.
    Reply = 3,
    /// Both ways: the sender is still there.
    Heartbeat = 4,
    /// Both ways: the sender has no more to say to this peer.
    Disconnect = 5,
}

impl Command {
    /// Returns the message of this command, without the empty frame before it.
    #[must_use]
    pub fn with(self, rest: impl Into<Message>) -> Message {
        let mut message = Message::from((WORKER, &[self as u8]));
        message.extend(rest.into());
        message
    }

    /// Takes the command from the front of what follows [`WORKER`].
    pub fn take(message: &mut Message) -> Option<Command> {
        let all = [Command::Ready, Command::Request, Command::Reply, Command::Heartbeat, Command::Disconnect];
        let frame = message.pop_front()?;
        all.into_iter().find(|command| frame == [*command as u8])
    }
}

/// So many intervals between heartbeats may pass without a message before a peer is taken to be dead.
pub const SILENT_BEATS: u32 = 3;

/// A client: sends requests to services and repeats them if there is no reply.
pub struct Client {
    context: Context,
    broker: String,
    limit: Duration,
    tries: u32,
    req: Socket,
}

impl Client {
    /// Connects to a broker. Each request is sent up to `tries` times, and waits `limit` for its reply each time.
    ///
    /// # Errors
    /// Returns an error if the endpoint is wrong.
    pub fn new(context: &Context, broker: &str, limit: Duration, tries: u32) -> Result<Client> {
        let req = connected_req(context, broker)?;
        Ok(Client { context: context.clone(), broker: broker.to_owned(), limit, tries, req })
    }

    /// Sends a request to a service and returns the reply, or `None` if there is none.
    ///
    /// # Errors
    /// Returns an error if the context is shut down.
    pub fn request(&mut self, service: &str, body: impl Into<Message>) -> Result<Option<Message>> {
        let mut request = Message::from([CLIENT, service]);
        request.extend(body.into());
        for _ in 0..self.tries {
            self.req.send(request.clone())?;
            match self.req.recv_timeout(self.limit) {
                // The frames before the body are the protocol's name and the service.
                Ok(reply) => return Ok(Some(reply.into_iter().skip(2).collect())),
                // A late reply to this try must not be taken for that of the next request: a new socket does not receive it.
                // (Socket::request numbers requests instead. That adds a frame, which brokers of MDP need not know.)
                Err(Error::TimedOut(_)) => self.req = connected_req(&self.context, &self.broker)?,
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }
}

/// A REQ that forgets what it could not send when it is closed, so that a request is not sent after its client has given up.
fn connected_req(context: &Context, broker: &str) -> Result<Socket> {
    let req = context.socket_with(SocketType::Req, &Options::new().set(opt::LINGER, Some(Duration::ZERO)))?;
    req.connect(broker)?;
    Ok(req)
}

/// A worker: offers one service to a broker.
pub struct Worker {
    context: Context,
    broker: String,
    service: String,
    interval: Duration,
}

impl Worker {
    /// Creates a worker that exchanges heartbeats with the broker at this interval.
    #[must_use]
    pub fn new(context: &Context, broker: &str, service: &str, interval: Duration) -> Worker {
        Worker { context: context.clone(), broker: broker.to_owned(), service: service.to_owned(), interval }
    }

    /// Replies to requests with what `work` returns. When the broker is silent, it connects anew.
    ///
    /// # Errors
    /// Returns an error if the endpoint is wrong or the context is shut down.
    pub fn serve(&self, mut work: impl FnMut(Message) -> Message) -> Result<()> {
        loop {
            let dealer = self.context.socket(SocketType::Dealer)?;
            dealer.connect(&self.broker)?;
            send(&dealer, Command::Ready.with(&self.service))?;
            self.serve_until_silence(&dealer, &mut work)?;
        }
    }

    fn serve_until_silence(&self, dealer: &Socket, work: &mut impl FnMut(Message) -> Message) -> Result<()> {
        let lifetime = self.interval * SILENT_BEATS;
        let mut silent_at = Instant::now() + lifetime;
        let mut beat = Every::new(self.interval);
        while Instant::now() < silent_at {
            match dealer.recv_timeout(beat.left()) {
                Ok(message) => {
                    let (_, mut message) = message.split_envelope();
                    message.pop_front();
                    match Command::take(&mut message) {
                        Some(Command::Request) => {
                            let (mut reply, body) = message.split_envelope();
                            reply.push_back("");
                            reply.extend(work(body));
                            send(dealer, Command::Reply.with(reply))?;
                        }
                        // The broker does not know this worker, because it has begun anew, or takes it for dead.
                        Some(Command::Disconnect) => return Ok(()),
                        _ => {}
                    }
                    // Not before the work: while this worker was busy, the broker had no chance to be heard.
                    silent_at = Instant::now() + lifetime;
                }
                Err(Error::TimedOut(_)) => {}
                Err(error) => return Err(error),
            }
            if beat.is_due() {
                send(dealer, Command::Heartbeat.with(Message::new()))?;
            }
        }
        Ok(())
    }
}

/// Sends as a REQ would, with an empty frame first.
fn send(dealer: &Socket, mut message: Message) -> Result<()> {
    message.push_front("");
    Ok(dealer.send(message)?)
}
