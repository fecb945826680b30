//! One side of a run: it sends or receives numbered messages until it is stopped or killed, and reports each one.
//!
//! The side that is killed is a process of its own, and reports on its standard output, a record for each event. A record is
//! written in one call before the next message is looked at, so a kill loses none that was reported.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Result;
use fastrand::Rng;
use zeroxide::{Context, Message, Options, Socket, SocketType, opt};

use crate::numbered::{self, Number};

/// The high-water mark each way, in messages.
pub const HWM: u32 = 100;
/// Bytes asked of the kernel for each buffer of a connection; it takes twice as many.
pub const BUFFER: u32 = 128 * 1024;
/// Until a call that waits looks whether it shall stop.
const LOOK: Duration = Duration::from_millis(20);

/// In which direction a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    /// From the one who made it.
    There,
    /// Back to the one who made it.
    Back,
}

/// What happens at a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A message is about to be sent.
    Sent,
    /// A message arrived that is not whole.
    Torn,
    /// A message arrived.
    Got {
        /// Which way.
        way: Way,
        /// Who sent it last: its maker, or the one that sent it back.
        from: u32,
        /// Who received it.
        to: u32,
        /// Which one.
        number: Number,
    },
}

impl Event {
    /// Bytes of a record.
    const RECORD: usize = 1 + 4 + 4 + 4 + 8;

    fn write(self, to: &mut File) -> Result<()> {
        let mut record = Vec::with_capacity(Event::RECORD);
        match self {
            Event::Sent => record.push(0),
            Event::Torn => record.push(1),
            Event::Got { way, from, to, number } => {
                record.push(if way == Way::There { 2 } else { 3 });
                record.extend([from, to, number.sender].map(u32::to_be_bytes).concat());
                record.extend(number.seq.to_be_bytes());
            }
        }
        record.resize(Event::RECORD, 0);
        Ok(to.write_all(&record)?)
    }

    /// The next record of a player; `None` at its end.
    pub fn read(from: &mut impl Read) -> Option<Event> {
        let mut record = [0; Event::RECORD];
        from.read_exact(&mut record).ok()?;
        let word =
            |at: usize| u32::from_be_bytes([record[at], record[at + 1], record[at + 2], record[at + 3]]);
        let seq = u64::from(word(13)) << 32 | u64::from(word(17));
        let got =
            |way| Event::Got { way, from: word(1), to: word(5), number: Number { sender: word(9), seq } };
        match record[0] {
            0 => Some(Event::Sent),
            2 => Some(got(Way::There)),
            3 => Some(got(Way::Back)),
            _ => Some(Event::Torn),
        }
    }
}

/// What a player is.
#[derive(Clone, Debug, clap::Args)]
pub struct Settings {
    /// The socket's type.
    #[arg(long = "type")]
    pub socket: SocketType,
    /// Which life this is.
    #[arg(long)]
    pub me: u32,
    /// Where it binds.
    #[arg(long)]
    pub bind: Option<String>,
    /// Where it connects.
    #[arg(long)]
    pub connect: Option<String>,
    /// Bytes of the largest message.
    #[arg(long)]
    pub largest: usize,
}

/// Who plays: the socket and the number of its life.
#[derive(Debug)]
pub struct Player {
    socket: Socket,
    me: u32,
    largest: usize,
    rng: Rng,
}

/// What a killed process does until then.
///
/// # Errors
/// The socket cannot be made or attached.
pub fn run(settings: &Settings) -> Result<()> {
    let context = Context::new();
    let mut player = Player::new(&context, settings)?;
    let mut output = File::from(std::io::stdout().as_fd().try_clone_to_owned()?);
    let never = AtomicBool::new(false);
    player.play(&never, &mut |event| event.write(&mut output))
}

impl Player {
    /// Makes the socket and attaches it.
    ///
    /// # Errors
    /// The system's.
    pub fn new(context: &Context, settings: &Settings) -> Result<Player> {
        let options = Options::new()
            .set(opt::SNDHWM, HWM)
            .set(opt::RCVHWM, HWM)
            .set(opt::SNDBUF, Some(BUFFER))
            .set(opt::RCVBUF, Some(BUFFER))
            .set(opt::LINGER, Some(Duration::ZERO))
            // What a ROUTER sends to a peer that is gone waits for its return, until the pipe is full.
            .set(opt::SNDTIMEO, Some(LOOK))
            .set(opt::RECONNECT_IVL, Some(Duration::from_millis(5)));
        let socket = context.socket_with(settings.socket, &options)?;
        if settings.socket == SocketType::Sub {
            socket.subscribe("")?;
        }
        if let Some(endpoint) = &settings.bind {
            socket.bind(endpoint)?;
        }
        if let Some(endpoint) = &settings.connect {
            socket.connect(endpoint)?;
        }
        Ok(Player {
            socket,
            me: settings.me,
            largest: settings.largest,
            rng: Rng::with_seed(u64::from(settings.me)),
        })
    }

    /// The socket.
    #[must_use]
    pub fn socket(&self) -> &Socket {
        &self.socket
    }

    /// Sends and receives until it is stopped, and reports what happens.
    ///
    /// # Errors
    /// Those of `report`.
    pub fn play(&mut self, stop: &AtomicBool, report: &mut dyn FnMut(Event) -> Result<()>) -> Result<()> {
        let mut seq = 0;
        while !stop.load(Ordering::Relaxed) {
            match self.socket.socket_type() {
                SocketType::Pull | SocketType::Sub => self.receive(report)?,
                SocketType::Router => self.send_back(report)?,
                SocketType::Rep => self.reply(report)?,
                SocketType::Req => self.request(&mut seq, report)?,
                _ => self.send(&mut seq, stop, report)?,
            }
        }
        Ok(())
    }

    /// The next message of this life.
    fn next(&mut self, seq: &mut u64, report: &mut dyn FnMut(Event) -> Result<()>) -> Result<Message> {
        let number = Number { sender: self.me, seq: *seq };
        *seq += 1;
        report(Event::Sent)?;
        Ok(numbered::make(number, self.largest, &mut self.rng))
    }

    /// PUSH, PUB, DEALER. A DEALER receives in between what was sent back.
    fn send(
        &mut self,
        seq: &mut u64,
        stop: &AtomicBool,
        report: &mut dyn FnMut(Event) -> Result<()>,
    ) -> Result<()> {
        if self.socket.socket_type() == SocketType::Pub
            && self.socket.wait_for_subscribers("", 1, LOOK).is_err()
        {
            return Ok(());
        }
        let mut message = self.next(seq, report)?;
        loop {
            let sent = self.socket.send_timeout(message, LOOK);
            while let Ok(message) = self.socket.try_recv() {
                self.got_back(message, report)?;
            }
            match sent {
                Err(refused) if !stop.load(Ordering::Relaxed) => message = refused.message,
                _ => return Ok(()),
            }
        }
    }

    /// PULL, SUB.
    fn receive(&mut self, report: &mut dyn FnMut(Event) -> Result<()>) -> Result<()> {
        match self.socket.recv_timeout(LOOK) {
            Ok(message) => self.got_there(&message, report),
            Err(_) => Ok(()),
        }
    }

    /// ROUTER. What cannot go back, because its maker is gone or full, is lost.
    fn send_back(&mut self, report: &mut dyn FnMut(Event) -> Result<()>) -> Result<()> {
        let Ok((id, mut message)) = self.socket.recv_from_timeout(LOOK) else { return Ok(()) };
        self.got_there(&message, report)?;
        message.push_front(self.me.to_be_bytes().to_vec());
        let _ = self.socket.send_to(&id, message);
        Ok(())
    }

    /// REP.
    fn reply(&mut self, report: &mut dyn FnMut(Event) -> Result<()>) -> Result<()> {
        let Ok(mut message) = self.socket.recv_timeout(LOOK) else { return Ok(()) };
        self.got_there(&message, report)?;
        message.push_front(self.me.to_be_bytes().to_vec());
        let _ = self.socket.send_timeout(message, LOOK);
        Ok(())
    }

    /// REQ. A request that gets no reply is given up; the next one has the next number.
    fn request(&mut self, seq: &mut u64, report: &mut dyn FnMut(Event) -> Result<()>) -> Result<()> {
        let (wanted, message) = (*seq, self.next(seq, report)?);
        let Ok(reply) = self.socket.request(message, 10 * LOOK) else { return Ok(()) };
        // A reply to another request is as bad as one that was torn.
        let right = reply.get(1).is_some_and(|head| head.get(4..12) == Some(&wanted.to_be_bytes()[..]));
        if right { self.got_back(reply, report) } else { report(Event::Torn) }
    }

    fn got_there(&self, message: &Message, report: &mut dyn FnMut(Event) -> Result<()>) -> Result<()> {
        report(match numbered::read(message) {
            Ok(number) => Event::Got { way: Way::There, from: number.sender, to: self.me, number },
            Err(_) => Event::Torn,
        })
    }

    /// Its first frame says who sent it back.
    fn got_back(&self, mut message: Message, report: &mut dyn FnMut(Event) -> Result<()>) -> Result<()> {
        let from = message.pop_front().and_then(|frame| Some(u32::from_be_bytes(frame[..].try_into().ok()?)));
        report(match (from, numbered::read(&message)) {
            (Some(from), Ok(number)) => Event::Got { way: Way::Back, from, to: self.me, number },
            _ => Event::Torn,
        })
    }
}
