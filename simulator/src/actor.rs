//! An application with one socket: what it sends and receives, and what it knows of it.

use std::time::Duration;

use zeroxide::{
    Context, Error, Message, Monitor, PipeStats, RoutingId, SendError, Socket, SocketStats, SocketType,
};

use crate::fault::{Checked, Fault};
use crate::ledger::{Label, Parsed, Received, Shape, TOPICS};

/// How a call waits.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wait {
    No,
    /// At most so long.
    For(Duration),
}

/// To whom the next reply goes.
#[derive(Clone, Debug)]
enum Asker {
    /// The socket knows.
    Last,
    Id(RoutingId, Message),
    Number(u32),
}

/// An application.
#[derive(Debug)]
pub(crate) struct Actor {
    pub(crate) name: String,
    pub(crate) context: Context,
    /// Nobody else uses its context.
    pub(crate) has_own_context: bool,
    /// What is unsent when it closes has a second.
    pub(crate) lingers: bool,
    pub(crate) socket: Socket,
    /// The endpoints that it connects to, or the one that it has bound.
    pub(crate) endpoints: Vec<String>,
    pub(crate) bound: bool,
    /// Its messages have an empty frame in front, for the sake of a REQ or REP at the other end.
    pub(crate) enveloped: bool,
    /// Its messages are small.
    pub(crate) small: bool,
    /// The number by which its messages name it.
    pub(crate) life: u32,
    next: u32,
    pub(crate) received: Received,
    asker: Option<(Asker, Label)>,
    /// The request of a REQ that has no reply.
    pub(crate) asked: Option<Label>,
    /// Messages of ours that it has sent.
    pub(crate) sent: u64,
    /// What happens to its socket, where somebody looks.
    pub(crate) events: Option<Monitor>,
}

impl Actor {
    pub(crate) fn new(name: String, context: Context, socket: Socket, life: u32) -> Actor {
        Actor {
            name,
            context,
            has_own_context: false,
            lingers: true,
            socket,
            endpoints: Vec::new(),
            bound: false,
            enveloped: false,
            small: false,
            life,
            next: 0,
            received: Received::default(),
            asker: None,
            asked: None,
            sent: 0,
            events: None,
        }
    }

    pub(crate) fn socket_type(&self) -> SocketType {
        self.socket.socket_type()
    }

    fn shape(&self) -> Shape {
        Shape { single: self.socket_type().has_single_frames(), small: self.small }
    }

    /// Whether it sends without having been asked.
    pub(crate) fn initiates(&self) -> bool {
        let t = self.socket_type();
        t.sends() && !t.resubscribes() && !self.replies()
    }

    /// Whether it sends only what it is asked for.
    pub(crate) fn replies(&self) -> bool {
        matches!(self.socket_type(), SocketType::Rep | SocketType::Router | SocketType::Server)
    }

    /// Begins a new life: from now on its messages may take another way than those before.
    pub(crate) fn begin_life(&mut self, life: u32) {
        (self.life, self.next) = (life, 0);
    }

    fn fault(&self, rule: &'static str, text: impl std::fmt::Display) -> Fault {
        Fault::new(rule, format!("{} ({}): {text}", self.name, self.socket_type()))
    }

    /// Sends a message; returns its label if the socket took it.
    pub(crate) fn send(&mut self, topic: u8, wait: Wait) -> Checked<Option<Label>> {
        let t = self.socket_type();
        let label = Label { sender: self.life, number: self.next };
        let mut message = label.message(topic, self.shape(), None);
        if self.enveloped {
            message.push_front("");
        }
        if t.has_groups() {
            message = message.with_group([topic].to_vec());
        }
        let sent = self.pass_on(message, wait)?;
        if sent && t == SocketType::Req {
            self.asked = Some(label);
        }
        Ok(sent.then_some(label))
    }

    /// Sends the reply that it owes, if it owes one.
    pub(crate) fn reply(&mut self, wait: Wait) -> Checked {
        let Some((asker, request)) = self.asker.clone() else { return Ok(()) };
        let label = Label { sender: self.life, number: self.next };
        let mut message = label.message(TOPICS[0], self.shape(), Some(request));
        match asker {
            Asker::Last => {}
            Asker::Id(id, envelope) => {
                if self.enveloped {
                    message.push_front("");
                }
                envelope.iter().rev().for_each(|frame| message.push_front(frame.clone()));
                message.push_front(id.to_frame());
            }
            Asker::Number(number) => message = message.with_routing_id(number),
        }
        self.pass_on(message, wait)?;
        // Sent, or its asker is gone: it is not owed any longer.
        self.asker = None;
        Ok(())
    }

    fn pass_on(&mut self, message: Message, wait: Wait) -> Checked<bool> {
        let sent = match wait {
            Wait::No => self.socket.try_send(message),
            Wait::For(limit) => self.socket.send_timeout(message, limit),
        };
        match sent {
            Ok(()) => {
                self.next += 1;
                self.sent += 1;
                Ok(true)
            }
            Err(SendError { error, .. }) => match error {
                Error::WouldBlock(_)
                | Error::TimedOut(_)
                | Error::WrongState { .. }
                | Error::Unroutable { .. } => Ok(false),
                error => Err(self.fault("a send fails for a known cause alone", error)),
            },
        }
    }

    /// Receives one message; `false` if there is none.
    pub(crate) fn receive(&mut self, wait: Wait) -> Checked<bool> {
        if !self.socket_type().receives() || self.asker.is_some() && self.socket_type().answers() {
            return Ok(false);
        }
        let received = match wait {
            Wait::No => self.socket.try_recv(),
            Wait::For(limit) => self.socket.recv_timeout(limit),
        };
        let message = match received {
            Ok(message) => message,
            Err(Error::WouldBlock(_) | Error::TimedOut(_) | Error::WrongState { .. }) => return Ok(false),
            Err(error) => return Err(self.fault("a receive fails for a known cause alone", error)),
        };
        self.take(message)?;
        Ok(true)
    }

    fn take(&mut self, mut message: Message) -> Checked {
        let t = self.socket_type();
        let connection = message.peer().map_or(0, |peer| peer.connection);
        let number = message.routing_id();
        let id = if t.addresses() { message.pop_front() } else { None };
        let mut envelope = Message::new();
        if self.enveloped {
            (envelope, message) = message.split_envelope();
        }
        let parsed = match Label::parse(&message, self.shape()) {
            Some(parsed) => parsed.map_err(|text| self.fault("a message is whole", text))?,
            // A notice, a subscription, or what a hostile peer has sent.
            None if t.answers() => {
                // Whoever it was gets an answer, too, for the next request to be read.
                let _ = self.socket.try_send("");
                return Ok(());
            }
            None => return Ok(()),
        };
        self.note(parsed, connection)?;
        if self.replies() {
            let asker = match id {
                Some(id) => Asker::Id(RoutingId::as_written(&id), envelope),
                None if number != 0 => Asker::Number(number),
                None => Asker::Last,
            };
            self.asker = Some((asker, parsed.label));
        }
        Ok(())
    }

    fn note(&mut self, parsed: Parsed, connection: u64) -> Checked {
        self.received
            .note(parsed.label, connection)
            .map_err(|text| self.fault("a message comes once, in order", text))?;
        if self.socket_type() == SocketType::Req {
            if parsed.reply_to != self.asked {
                let text = format!("asked {:?}, the reply is to {:?}", self.asked, parsed.reply_to);
                return Err(self.fault("a reply is to the request", text));
            }
            self.asked = None;
        }
        Ok(())
    }

    /// How it fares, for a report.
    pub(crate) fn summary(&self) -> String {
        let mut text = format!("{} ({}), life {}:", self.name, self.socket_type(), self.life);
        for row in self.socket.endpoints() {
            let state = format!("{:?}", row.state);
            text +=
                &format!(" {} {}, {} attempts;", row.endpoint, &state[..state.len().min(120)], row.attempts);
        }
        let stats = self.socket.stats();
        let pipe = |pipe: &PipeStats| {
            let peer = pipe.peer.as_ref().map_or(0, |peer| peer.connection);
            format!("{peer}: {} routed, {} queued, {} waiting", pipe.routed, pipe.queued, pipe.waiting)
        };
        let pipes: Vec<String> = stats.pipes.iter().map(pipe).collect();
        text += &format!(
            " {} accepted, {} refused, {} routed, {} written, {:?}; {} received; pipes {pipes:?}",
            stats.accepted, stats.refused, stats.routed, stats.written, stats.dropped, self.received.count
        );
        text
    }

    /// Whether its counters add up.
    pub(crate) fn check(&self) -> Checked<SocketStats> {
        let stats = self.socket.stats();
        let balanced =
            |routed: u64, written: u64, dropped: u64, queued: u64| routed == written + dropped + queued;
        let rule = "what is routed is written, dropped or queued";
        for pipe in &stats.pipes {
            if !balanced(pipe.routed, pipe.written, pipe.dropped.routed(), pipe.queued) {
                return Err(self.fault(rule, format!("{pipe:?}")));
            }
        }
        if !balanced(stats.routed, stats.written, stats.dropped.routed(), stats.queued) {
            return Err(self.fault(rule, format!("{stats:?}")));
        }
        Ok(stats)
    }
}
