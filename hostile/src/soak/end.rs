//! One end of a link: a socket, whom it sends to, and what came in part.

use std::time::Duration;

use anyhow::{Result, bail};
use zeroxide::{Error, Frame, Message, Socket, SocketType};

/// The group of RADIO and DISH.
pub(super) const GROUP: &str = "soak";
/// What each PEER sends first, so that the other one knows its number.
pub(super) const HELLO: &[u8] = b"hello";
/// In front of each message over a raw connection: its length, in network byte order.
const PREFIX: usize = 4;

/// To whom a message goes, or from whom it came.
#[derive(Clone, Debug)]
pub(super) enum Address {
    /// The only peer there is.
    Only,
    /// A peer of a ROUTER or a STREAM.
    Id(Frame),
    /// A peer of a SERVER or a PEER.
    Number(u32),
}

/// What became of a message.
pub(super) enum Sent {
    /// It is sent.
    Yes,
    /// There is no room, or nobody yet: it comes back.
    NotNow(Message),
    /// Its receiver is gone.
    Gone,
}

/// One end.
pub(super) struct End {
    pub(super) socket: Socket,
    /// To whom it sends: the newest peer, by its first message.
    peer: Option<Address>,
    /// The raw connections that are open.
    open: Vec<Frame>,
    /// Bytes of a raw connection that are no whole message yet.
    part: Vec<u8>,
}

impl End {
    pub(super) fn new(socket: Socket) -> End {
        let kind = socket.socket_type();
        let peer = (!addresses(kind)).then_some(Address::Only);
        End { socket, peer, open: Vec::new(), part: Vec::new() }
    }

    /// Sends to the newest peer, if that is possible now.
    pub(super) fn send(&self, message: Message) -> Result<Sent> {
        match &self.peer {
            Some(peer) => self.send_to(peer, message),
            None => Ok(Sent::NotNow(message)),
        }
    }

    /// Sends to a peer, if that is possible now.
    pub(super) fn send_to(&self, peer: &Address, message: Message) -> Result<Sent> {
        let kind = self.socket.socket_type();
        let message = match (peer, kind) {
            (Address::Only, _) if kind.has_groups() => message.with_group(GROUP),
            (Address::Number(number), _) => message.with_routing_id(*number),
            (Address::Id(_), _) if kind.is_raw() => prefixed(&message),
            _ => message,
        };
        let whole = match peer {
            Address::Id(id) => {
                let mut whole = message;
                whole.push_front(id.clone());
                whole
            }
            _ => message,
        };
        let Err(refused) = self.socket.try_send(whole) else { return Ok(Sent::Yes) };
        match refused.error {
            Error::WouldBlock(_) => {
                let mut message = refused.message;
                if matches!(peer, Address::Id(_)) {
                    message.pop_front();
                }
                Ok(Sent::NotNow(if kind.is_raw() { without_prefix(&message) } else { message }))
            }
            Error::Unroutable { .. } => Ok(Sent::Gone),
            error => bail!("a {} cannot send: {error}", kind.name()),
        }
    }

    /// Receives a message and the address of its sender; waits at most for `limit`.
    pub(super) fn take(&mut self, limit: Duration) -> Result<Option<(Address, Message)>> {
        let kind = self.socket.socket_type();
        if !kind.receives() || kind.publishes() {
            return Ok(None);
        }
        let received = if limit.is_zero() { self.socket.try_recv() } else { self.socket.recv_timeout(limit) };
        let mut message = match received {
            Ok(message) => message,
            Err(Error::WouldBlock(_) | Error::TimedOut(_) | Error::WrongState { .. }) => return Ok(None),
            Err(error) => bail!("a {} cannot receive: {error}", kind.name()),
        };
        let id = if kind.addresses() { message.pop_front() } else { None };
        let address = match (id, message.routing_id()) {
            (Some(id), _) if kind.is_raw() => return Ok(self.take_bytes(id, &message)),
            (Some(id), _) => Address::Id(id),
            (None, 0) => Address::Only,
            (None, number) => Address::Number(number),
        };
        if message.len() == 1 && message[0] == *HELLO {
            self.peer = Some(address);
            return Ok(None);
        }
        Ok(Some((address, message)))
    }

    /// Adds the bytes of a raw connection to what is there of it, and takes a whole message off. An empty message begins or
    /// ends a connection.
    fn take_bytes(&mut self, from: Frame, bytes: &Message) -> Option<(Address, Message)> {
        let is_newest = matches!(&self.peer, Some(Address::Id(id)) if *id == from);
        match (bytes.size(), self.open.iter().position(|id| *id == from)) {
            (0, Some(at)) => {
                self.open.swap_remove(at);
                self.peer = if is_newest { None } else { self.peer.take() };
            }
            (0, None) => {
                self.open.push(from.clone());
                self.peer = Some(Address::Id(from.clone()));
                self.part.clear();
            }
            (_, Some(_)) if is_newest => {
                bytes.iter().for_each(|frame| self.part.extend_from_slice(frame));
            }
            // The rest of a connection that was followed by another one.
            _ => {}
        }
        self.whole().map(|message| (Address::Id(from), message))
    }

    /// Takes a whole message off the bytes that are there.
    pub(super) fn whole(&mut self) -> Option<Message> {
        let length = u32::from_be_bytes(self.part.get(..PREFIX)?.try_into().ok()?) as usize;
        let body = self.part.get(PREFIX..PREFIX + length)?.to_vec();
        self.part.drain(..PREFIX + length);
        Some(Message::from(body))
    }
}

/// Whether it sends to the peer that it names only.
fn addresses(kind: SocketType) -> bool {
    kind.addresses() || matches!(kind, SocketType::Server | SocketType::Peer)
}

fn prefixed(message: &Message) -> Message {
    let body = &message[0];
    let mut bytes = (body.len() as u32).to_be_bytes().to_vec();
    bytes.extend_from_slice(body);
    Message::from(bytes)
}

fn without_prefix(message: &Message) -> Message {
    Message::from(&message[0][PREFIX..])
}
