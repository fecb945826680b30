//! A connection behind a pipe: two ends of ZMTP, and what is on its way between them.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::time::Instant;

use zeroxide_transports::pipe::{Reader, Writer};
use zeroxide_zmtp::{Config, Connection, Outbox, SocketType, Traffic};

use super::model::Model;

pub(crate) struct Line {
    from: Connection,
    to: Connection,
    outbox: Outbox,
    /// Items that are framed and not completely written, each with the bytes that are missing.
    framed: VecDeque<(Traffic, usize)>,
    now: Instant,
}

impl Line {
    pub(crate) fn new(from: SocketType, to: SocketType, now: Instant) -> Line {
        let [mut from, mut to] = [from, to].map(|kind| Connection::new(Config::new(kind), now));
        let mut outbox = Outbox::new();
        while !(from.is_ready() && to.is_ready()) {
            for turn in [true, false] {
                let (one, other) = if turn { (&mut from, &mut to) } else { (&mut to, &mut from) };
                one.poll_transmit(&mut outbox);
                let bytes = written(&mut outbox, usize::MAX).0;
                assert_eq!(other.decode(&mut &bytes[..], now), Ok(None));
                other.poll_ready();
            }
        }
        Line { from, to, outbox, framed: VecDeque::new(), now }
    }

    // A sending engine.

    /// Frames what the pipe has, up to a quantum, as an engine does.
    pub(crate) fn fill(&mut self, reader: &mut Reader, quantum: usize, model: &mut Model) {
        let mut expected = self.outbox.len();
        assert_eq!(expected, self.framed.iter().map(|(_, missing)| missing).sum::<usize>());
        while expected < quantum {
            let Some(traffic) = model.take() else { break };
            let size = on_the_wire(&traffic);
            expected += size;
            self.framed.push_back((traffic, size));
        }
        let Line { from, outbox, .. } = self;
        while outbox.len() < quantum {
            if reader.take_run(|run| from.encode_run(run, outbox, quantum)) > 0 {
                continue;
            }
            match reader.take() {
                Some(traffic) => from.encode(traffic, outbox),
                None => break,
            }
        }
        assert_eq!(self.outbox.len(), expected, "framed up to a quantum of {quantum}");
        assert_eq!(self.outbox.unwritten_messages(), self.unwritten());
    }

    /// Writes some bytes to the peer, which must receive what is complete by them. Returns the number of messages.
    pub(crate) fn transmit(&mut self, most: usize) -> u64 {
        let (bytes, messages) = written(&mut self.outbox, most);
        let mut completed = Vec::new();
        let mut left = bytes.len();
        while let Some((_, missing)) =
            self.framed.front_mut().filter(|(_, missing)| left > 0 || *missing == 0)
        {
            let step = left.min(*missing);
            *missing -= step;
            left -= step;
            if *missing > 0 {
                break;
            }
            completed.extend(self.framed.pop_front().map(|(traffic, _)| traffic));
        }
        let mut input = &bytes[..];
        let mut received = Vec::new();
        while let Some(traffic) = self.to.decode(&mut input, self.now).expect("what we encode is legal") {
            received.push(traffic);
        }
        assert_eq!(received, completed);
        assert_eq!(messages, completed.iter().filter(|traffic| traffic.is_message()).count());
        messages as u64
    }

    pub(crate) fn unwritten(&self) -> usize {
        self.framed.iter().filter(|(traffic, _)| traffic.is_message()).count()
    }

    // A receiving engine.

    /// Sends an item into the bytes that have not been decoded.
    pub(crate) fn send(&mut self, traffic: Traffic) {
        let size = on_the_wire(&traffic);
        self.from.encode(traffic.clone(), &mut self.outbox);
        self.framed.push_back((traffic, size));
    }

    /// Decodes up to so many of the bytes into the pipe while it has room, as an engine does.
    pub(crate) fn decode(&mut self, writer: &mut Writer, bytes: usize, model: &mut Model) {
        let mut slices = vec![IoSlice::new(&[]); 4096];
        let count = self.outbox.io_slices(&mut slices, bytes);
        let arrived = slices[..count].iter().map(|slice| &**slice).collect::<Vec<_>>().concat();
        let mut input = &arrived[..];
        let mut next = |item: Option<&Traffic>| {
            let (expected, _) = self.framed.pop_front().expect("nothing comes that was not sent");
            assert!(item.is_none_or(|item| *item == expected), "{item:?} instead of {expected:?}");
            expected
        };
        loop {
            let room = model.has_credit();
            assert_eq!(writer.has_credit(), room);
            if !room {
                break;
            }
            if let Some(run) = self.to.decode_run(&mut input, writer.run_room(), self.now) {
                for nth in 0..run.messages() {
                    assert!(model.may_write(), "message {nth} of a run is one too many");
                    model.write(next(None));
                }
                writer.write_run(run);
                continue;
            }
            match self.to.decode(&mut input, self.now).expect("what we encode is legal") {
                Some(traffic) => {
                    model.write(next(Some(&traffic)));
                    writer.write(traffic);
                }
                None => break assert!(input.is_empty()),
            }
        }
        let used = arrived.len() - input.len();
        self.outbox.advance(used);
    }
}

/// Takes up to so many bytes. Returns them and the number of messages that are completely written.
fn written(outbox: &mut Outbox, most: usize) -> (Vec<u8>, usize) {
    let mut bytes = Vec::new();
    let mut messages = 0;
    while bytes.len() < most && !outbox.is_empty() {
        let mut slices = [IoSlice::new(&[]); 4];
        let count = outbox.io_slices(&mut slices, most - bytes.len());
        let before = bytes.len();
        slices[..count].iter().for_each(|slice| bytes.extend_from_slice(slice));
        messages += outbox.advance(bytes.len() - before);
    }
    (bytes, messages)
}

/// Returns the bytes that an item has on the wire in ZMTP 3.1 (RFC 37, `short-frame` and `long-frame`).
fn on_the_wire(traffic: &Traffic) -> usize {
    let framed = |body: usize| body + if body > 255 { 9 } else { 2 };
    match traffic {
        Traffic::Message(message) => message.iter().map(|frame| framed(frame.len())).sum(),
        Traffic::Subscribe(topic) => framed(topic.len() + b"\x09SUBSCRIBE".len()),
        Traffic::Cancel(topic) => framed(topic.len() + b"\x06CANCEL".len()),
        other => panic!("{other:?} is not sent"),
    }
}
