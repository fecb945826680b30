//! A pipe beside a plain model of it. Random operations are carried out on both, and after each everything that can be
//! seen at either end is compared: items and their order, credit, wakes, counters, bytes.
//!
//! There are three kinds of direction: from a socket to an engine that frames what it takes, from an engine that decodes to a
//! socket, and between two sockets. The engine's part is played by two ends of a connection, cut at any byte.
#![cfg(not(loom))]

mod line;
mod model;

use std::time::{Duration, Instant};

use proptest::prelude::*;
use zeroxide_transports::budget::Budget;
use zeroxide_transports::pipe::{Flow, Reader, Writer, budgeted_pipe, pipe};
use zeroxide_zmtp::{Frame, Message, Next, SocketType, Traffic};

use self::line::Line;
use self::model::{Limits, Model};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    ToEngine,
    FromEngine,
    Inproc,
}

/// The sizes of the frames of a message.
type Sizes = Vec<usize>;

#[derive(Clone, Debug)]
enum Op {
    // A socket that sends.
    Send(Sizes),
    SendMany(usize, usize),
    Subscribe(usize, bool),
    Reserve,
    Release,
    Put(Sizes),
    Greet(usize),
    Recall(usize),
    // An engine that receives.
    Arrive(Sizes),
    ArriveMany(usize, usize),
    Decode(usize),
    Notice(usize),
    // Any writer.
    Flush,
    Finish,
    WriterHwm(u32),
    // A socket that receives.
    Read(usize),
    HasInput,
    ReaderHwm(u32),
    Most(u64),
    // An engine that sends.
    Fill(usize),
    Transmit(usize),
    PutBack,
    Reconnect,
    // Any reader.
    Abandon,
}

fn size() -> impl Strategy<Value = usize> {
    prop_oneof![
        4 => 0..70_usize,
        2 => prop::sample::select(vec![0, 1, 62, 63, 64, 65, 253, 254, 255, 256, 257, 2047, 2048, 2049]),
        1 => 70..5000_usize,
    ]
}

fn sizes() -> impl Strategy<Value = Sizes> {
    prop_oneof![4 => size().prop_map(|size| vec![size]), 1 => prop::collection::vec(size(), 1..4)]
}

/// Bytes of a read or a write.
fn piece() -> impl Strategy<Value = usize> {
    prop_oneof![1..20_usize, 1..3000_usize, Just(64 * 1024), Just(4 << 20)]
}

fn many() -> impl Strategy<Value = usize> {
    prop_oneof![1..40_usize, Just(400_usize)]
}

fn hwm() -> impl Strategy<Value = u32> {
    prop_oneof![Just(0), 1..12_u32, Just(1000)]
}

fn most() -> impl Strategy<Value = u64> {
    prop_oneof![Just(u64::MAX), 1..3000_u64, 1000..100_000_u64, Just(2 << 20)]
}

fn op(kind: Kind) -> BoxedStrategy<Op> {
    let reads = prop_oneof![
        10 => prop_oneof![1..20_usize, Just(2000)].prop_map(Op::Read),
        2 => Just(Op::HasInput),
        1 => hwm().prop_map(Op::ReaderHwm),
    ];
    let sends = prop_oneof![
        8 => sizes().prop_map(Op::Send),
        3 => (many(), size()).prop_map(|(count, size)| Op::SendMany(count, size)),
        2 => (0..40_usize, any::<bool>()).prop_map(|(size, ends)| Op::Subscribe(size, ends)),
        1 => Just(Op::Reserve),
        1 => Just(Op::Release),
        1 => hwm().prop_map(Op::WriterHwm),
        5 => Just(Op::Flush),
    ];
    let ends = prop_oneof![Just(Op::Finish), Just(Op::Abandon)];
    match kind {
        Kind::ToEngine => prop_oneof![
            60 => sends,
            2 => (0..20_usize).prop_map(Op::Recall),
            20 => piece().prop_map(Op::Fill),
            20 => piece().prop_map(Op::Transmit),
            5 => Just(Op::PutBack),
            3 => Just(Op::Reconnect),
            1 => ends,
        ]
        .boxed(),
        Kind::FromEngine => prop_oneof![
            20 => sizes().prop_map(Op::Arrive),
            10 => (many(), size()).prop_map(|(count, size)| Op::ArriveMany(count, size)),
            // More than 1 MiB, which is released in parts.
            1 => (1024..3000_usize).prop_map(|size| Op::ArriveMany(1100, size)),
            30 => piece().prop_map(Op::Decode),
            5 => (0..40_usize, any::<bool>()).prop_map(|(size, ends)| Op::Subscribe(size, ends)),
            2 => size().prop_map(Op::Notice),
            20 => Just(Op::Flush),
            1 => hwm().prop_map(Op::WriterHwm),
            40 => reads,
            2 => most().prop_map(Op::Most),
            1 => ends,
        ]
        .boxed(),
        Kind::Inproc => prop_oneof![
            20 => sends,
            30 => sizes().prop_map(Op::Put),
            30 => reads,
            1 => ends,
        ]
        .boxed(),
    }
}

/// One direction and its model.
struct Rig {
    kind: Kind,
    writer: Writer,
    reader: Reader,
    budget: Budget,
    model: Model,
    line: Line,
    now: Instant,
    /// The number of the next message.
    next: usize,
    /// A message was [`Writer::put`], so bytes are not counted.
    has_put: bool,
}

impl Rig {
    fn new(kind: Kind, flow: Flow, limits: Limits) -> Rig {
        let flow = Flow { packs: kind != Kind::Inproc, count_control: kind == Kind::FromEngine, ..flow };
        let budget = Budget::new(if limits.total == u64::MAX { 0 } else { limits.total });
        let now = Instant::now();
        let (writer, reader, limits, line) = if kind == Kind::FromEngine {
            let most = if limits.most == u64::MAX { 0 } else { limits.most };
            let (socket, engine) = budgeted_pipe(Flow::default(), flow, most, &budget);
            let limits = Some(limits).filter(|_| !flow.conflate);
            (engine.writer, socket.reader, limits, Line::new(SocketType::Dealer, SocketType::Dealer, now))
        } else {
            let (socket, other) = pipe(flow, Flow::default());
            (socket.writer, other.reader, None, Line::new(SocketType::XSub, SocketType::XPub, now))
        };
        let model = Model::new(flow, limits);
        Rig { kind, writer, reader, budget, model, line, now, next: 0, has_put: false }
    }

    /// Returns the next message, which has its number in each frame that has room for it.
    fn message(&mut self, sizes: &[usize]) -> Message {
        self.next += 1;
        let number = self.next;
        let body = |(nth, size): (usize, &usize)| {
            let mut body = vec![(number + nth) as u8; *size];
            let digits = [mark(number), (number >> 8) as u8, number as u8];
            body.iter_mut().zip(digits).for_each(|(byte, digit)| *byte = digit);
            Frame::from(body)
        };
        sizes.iter().enumerate().map(body).collect()
    }

    fn play(&mut self, op: &Op) {
        match op {
            Op::Read(_)
            | Op::HasInput
            | Op::ReaderHwm(_)
            | Op::Most(_)
            | Op::Fill(_)
            | Op::Transmit(_)
            | Op::PutBack
            | Op::Reconnect
            | Op::Abandon
                if self.model.abandoned => {}
            Op::Read(_) | Op::HasInput | Op::ReaderHwm(_) | Op::Most(_) | Op::Abandon => self.receive(op),
            Op::Fill(_) | Op::Transmit(_) | Op::PutBack | Op::Reconnect => self.drive_out(op),
            _ if self.model.finished => {}
            _ => self.send(op),
        }
        self.compare();
    }

    fn send(&mut self, op: &Op) {
        match op {
            Op::Send(sizes) => self.send_one(sizes),
            Op::SendMany(count, size) => (0..*count).for_each(|_| self.send_one(&[*size])),
            Op::Subscribe(size, ends) => {
                if self.kind == Kind::FromEngine && !self.has_credit() {
                    return;
                }
                let topic = self.message(&[*size])[0].clone();
                let traffic = if *ends { Traffic::Cancel(topic) } else { Traffic::Subscribe(topic) };
                self.write(traffic);
            }
            Op::Reserve => assert_eq!(self.writer.reserve(), self.model.reserve()),
            Op::Release => {
                self.writer.release();
                self.model.release();
            }
            Op::Put(sizes) => {
                if self.writer.reserve_known() {
                    assert!(self.model.reserve_known());
                } else {
                    assert!(!self.model.reserve_known());
                    let granted = self.model.reserve();
                    assert_eq!(self.writer.reserve(), granted);
                    if !granted {
                        return;
                    }
                }
                let traffic = Traffic::from(self.message(sizes));
                self.has_put = true;
                self.model.write(traffic.clone());
                assert_eq!(self.writer.put(traffic), self.model.flush());
            }
            Op::Greet(size) => {
                let hello = self.message(&[*size]);
                self.model.write_own(hello.clone().into());
                self.writer.write_own(hello);
            }
            Op::Recall(back) => {
                let mark = mark(self.next.saturating_sub(*back));
                let is_wanted =
                    |message: &Message| message.first().and_then(|frame| frame.first()) == Some(&mark);
                assert_eq!(self.writer.recall(is_wanted), self.model.recall(is_wanted));
            }
            Op::Arrive(sizes) => self.arrive(sizes),
            Op::ArriveMany(count, size) => (0..*count).for_each(|_| self.arrive(&[*size])),
            Op::Decode(bytes) => self.line.decode(&mut self.writer, *bytes, &mut self.model),
            Op::Notice(size) => {
                let notice = self.message(&[*size]);
                self.write(notice.into());
            }
            Op::Flush => {
                if self.kind == Kind::FromEngine {
                    self.now += Duration::from_millis(1);
                    self.writer.came(self.now);
                    self.model.came(self.now);
                }
                assert_eq!(self.writer.flush(), self.model.flush(), "the reader's wake");
            }
            Op::Finish => assert_eq!(self.writer.finish(), self.model.finish(), "the reader's wake"),
            Op::WriterHwm(hwm) => {
                self.writer.set_hwm(*hwm);
                self.model.set_hwm_by_writer(*hwm);
            }
            other => unreachable!("{other:?}"),
        }
    }

    fn has_credit(&mut self) -> bool {
        let credit = self.model.has_credit();
        assert_eq!(self.writer.has_credit(), credit);
        credit
    }

    fn send_one(&mut self, sizes: &[usize]) {
        let granted = self.model.reserve();
        assert_eq!(self.writer.reserve(), granted, "credit");
        if granted {
            let message = self.message(sizes);
            self.model.write(message.clone().into());
            if !self.writer.write_copy(&message) {
                self.writer.write(message.into());
            }
        }
    }

    fn write(&mut self, traffic: Traffic) {
        self.model.write(traffic.clone());
        self.writer.write(traffic);
    }

    fn arrive(&mut self, sizes: &[usize]) {
        let message = self.message(sizes);
        self.line.send(message.into());
    }

    fn receive(&mut self, op: &Op) {
        match op {
            Op::Read(count) => {
                for n in 0..*count {
                    let expected = self.model.read();
                    let traffic = if n % 2 == 0 {
                        self.reader.read()
                    } else {
                        let mut message = Message::from("what was here before");
                        match self.reader.read_into(&mut message) {
                            Next::Message => Some(message.into()),
                            Next::Control(traffic) => Some(traffic),
                            Next::Nothing => None,
                        }
                    };
                    assert_eq!(traffic, expected);
                    let wakes = self.model.wakes();
                    assert_eq!((self.reader.owes_wake(), self.reader.owes_wake_to_all()), wakes);
                    if expected.is_none() {
                        break;
                    }
                }
            }
            Op::HasInput => {
                assert_eq!(self.reader.has_input(), self.model.has_input());
            }
            Op::ReaderHwm(hwm) => {
                assert_eq!(
                    self.reader.set_hwm(*hwm),
                    self.model.set_hwm_by_reader(*hwm),
                    "the writer's wake"
                );
            }
            Op::Most(most) => {
                let zero_is_none = if *most == u64::MAX { 0 } else { *most };
                assert_eq!(
                    self.reader.set_most(zero_is_none),
                    self.model.set_most(*most),
                    "the writer's wake"
                );
            }
            Op::Abandon => {
                assert_eq!(Vec::from_iter(self.reader.abandon()), Vec::from(self.model.abandon()));
            }
            other => unreachable!("{other:?}"),
        }
    }

    fn drive_out(&mut self, op: &Op) {
        match op {
            Op::Fill(quantum) => self.line.fill(&mut self.reader, *quantum, &mut self.model),
            Op::Transmit(most) => {
                let messages = self.line.transmit(*most);
                assert_eq!(self.reader.ack(messages), self.model.ack(messages), "the writer's wake");
            }
            Op::PutBack => {
                self.reader.put_back();
                self.model.put_back();
            }
            Op::Reconnect => {
                let lost = self.line.unwritten() as u64;
                assert_eq!(self.reader.lose(lost), self.model.lose(lost), "the writer's wake");
                self.reader.put_back();
                self.model.put_back();
                self.line = Line::new(SocketType::XSub, SocketType::XPub, self.now);
                assert_eq!(self.writer.take_controls(), self.model.take_controls(), "unsent subscriptions");
            }
            other => unreachable!("{other:?}"),
        }
    }

    /// Compares all that can be seen of the direction.
    fn compare(&mut self) {
        let Rig { kind, writer, reader, budget, model, has_put, .. } = self;
        assert_eq!(writer.tally(), model.tally());
        assert_eq!(writer.uncredited(), model.uncredited());
        assert_eq!(writer.is_open(), !model.open.is_empty());
        assert_eq!(writer.open_bytes() as u64, model.open_bytes(), "bytes of the open batch");
        assert_eq!(writer.is_abandoned(), model.abandoned);
        assert_eq!(writer.take_replaced(), model.replaced());
        assert_eq!(reader.waiting(), model.waiting());
        assert_eq!(reader.is_finished(), model.is_finished());
        assert_eq!(reader.waiting_bytes(), model.waiting_bytes(), "waiting bytes");
        assert_eq!(budget.held(), model.held(), "bytes of the budget");
        if *kind != Kind::ToEngine {
            let (mut arrivals, mut expected) = (reader.arrivals(), model.arrivals());
            if *has_put {
                (arrivals.bytes, expected.bytes) = (0, 0);
            }
            assert_eq!(arrivals, expected);
        }
    }
}

/// Returns the first byte of a message. At an XPUB, a message that begins with 0 or 1 is a subscription.
fn mark(number: usize) -> u8 {
    2 + (number % 250) as u8
}

fn flow() -> impl Strategy<Value = Flow> {
    (hwm(), prop::bool::weighted(0.15), prop::bool::weighted(0.25)).prop_map(|(hwm, conflate, lots)| Flow {
        hwm,
        conflate,
        lots,
        ..Flow::default()
    })
}

fn limits() -> impl Strategy<Value = Limits> {
    (most(), most()).prop_map(|(most, total)| Limits { most, total })
}

fn ops(kind: Kind) -> impl Strategy<Value = Vec<Op>> {
    prop::collection::vec(op(kind), 0..120)
}

fn play<'a>(kind: Kind, flow: Flow, limits: Limits, ops: impl IntoIterator<Item = &'a Op>) {
    let mut rig = Rig::new(kind, flow, limits);
    ops.into_iter().for_each(|op| rig.play(op));
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(miri) { 4 } else { 256 },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn from_a_socket_to_an_engine(flow in flow(), limits in limits(), ops in ops(Kind::ToEngine)) {
        play(Kind::ToEngine, flow, limits, &ops);
    }

    #[test]
    fn from_an_engine_to_a_socket(flow in flow(), limits in limits(), ops in ops(Kind::FromEngine)) {
        play(Kind::FromEngine, flow, limits, &ops);
    }

    #[test]
    fn from_a_socket_to_a_socket(
        flow in flow(),
        limits in limits(),
        hello in prop::option::weighted(0.3, size()),
        ops in ops(Kind::Inproc),
    ) {
        let greeting = hello.map(Op::Greet);
        play(Kind::Inproc, flow, limits, greeting.iter().chain(&ops));
    }
}
