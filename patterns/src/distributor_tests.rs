//! Rules of fan-out on plain queues.

use zeroxide_zmtp::{Frame, Traffic};

use super::*;
use crate::fake::FakePipes;

struct Bench {
    distributor: Distributor,
    pipes: FakePipes,
}

impl Bench {
    fn new() -> Bench {
        Bench { distributor: Distributor::new(), pipes: FakePipes::default() }
    }

    fn attach(&mut self, hwm: usize) -> PipeId {
        let pipe = self.pipes.open(hwm);
        self.distributor.attach(pipe);
        pipe
    }

    fn route(&mut self, nodrop: bool) -> Result<(), Refusal> {
        self.distributor.begin();
        self.distributor.choose_all();
        self.distributor.reserve(nodrop, &mut self.pipes)
    }

    fn send(&mut self, message: impl Into<Message>) -> Result<(), Refusal> {
        self.route(false)?;
        self.distributor.commit(&mut message.into(), &mut self.pipes);
        assert_eq!(self.pipes.reserved(), 0);
        Ok(())
    }

    /// What was written to a pipe, as text.
    fn sent(&mut self, pipe: PipeId) -> Vec<String> {
        let text = |traffic: Traffic| match traffic {
            Traffic::Message(message) => message[0].as_str().unwrap().to_owned(),
            other => panic!("{other:?}"),
        };
        self.pipes.get(pipe).output.drain(..).map(text).collect()
    }
}

#[test]
fn every_receiver_shares_the_bytes_of_one_message() {
    let mut bench = Bench::new();
    let pipes = [bench.attach(0), bench.attach(0), bench.attach(0)];
    let body = Frame::copy_from(&[7; 1000]);
    let bytes = body.as_ptr();
    bench.send(body).unwrap();
    for pipe in pipes {
        let Some(Traffic::Message(message)) = bench.pipes.get(pipe).output.pop_front() else { panic!() };
        assert_eq!(message[0].as_ptr(), bytes);
    }
}

#[test]
fn a_full_pipe_is_left_out_and_its_loss_counted() {
    let mut bench = Bench::new();
    let (slow, fast) = (bench.attach(1), bench.attach(0));
    for text in ["1", "2", "3"] {
        bench.send(text).unwrap();
    }
    assert_eq!(bench.sent(slow), ["1"]);
    assert_eq!(bench.sent(fast), ["1", "2", "3"]);
    assert_eq!(bench.pipes.drops, [(Some(slow), Cause::Hwm); 2]);
}

#[test]
fn a_full_pipe_stays_out_until_it_is_writable() {
    let mut bench = Bench::new();
    let slow = bench.attach(1);
    bench.send("1").unwrap();
    bench.send("2").unwrap();
    bench.pipes.get(slow).hwm = 10;
    bench.send("3").unwrap();
    bench.distributor.writable(slow);
    bench.send("4").unwrap();
    assert_eq!(bench.sent(slow), ["1", "4"]);
}

#[test]
fn output_that_may_still_move_refuses_instead_of_dropping() {
    let mut bench = Bench::new();
    let (slow, fast) = (bench.attach(1), bench.attach(0));
    bench.send("1").unwrap();
    bench.pipes.get(slow).drivable = true;
    assert_eq!(bench.route(false), Err(Refusal::Full { pipes: 1 }));
    assert_eq!((bench.pipes.reserved(), bench.pipes.drops.len()), (0, 0));
    assert_eq!(bench.sent(slow), ["1"], "the drive moves it");
    bench.send("2").unwrap();
    assert_eq!((bench.sent(slow), bench.sent(fast)), (vec!["2".into()], vec!["1".into(), "2".into()]));
}

#[test]
fn with_nodrop_one_full_pipe_holds_back_all() {
    let mut bench = Bench::new();
    let (slow, fast) = (bench.attach(1), bench.attach(0));
    bench.send("1").unwrap();
    for _ in 0..2 {
        assert_eq!(bench.route(true), Err(Refusal::Full { pipes: 1 }));
        assert_eq!((bench.pipes.reserved(), bench.pipes.drops.len()), (0, 0));
    }
    assert_eq!((bench.sent(slow), bench.sent(fast)), (vec!["1".into()], vec!["1".into()]));
    bench.distributor.writable(slow);
    assert_eq!(bench.route(true), Ok(()));
    bench.distributor.commit(&mut "2".into(), &mut bench.pipes);
    assert_eq!((bench.sent(slow), bench.sent(fast)), (vec!["2".into()], vec!["2".into()]));
    assert_eq!(bench.pipes.reserved(), 0);
}

#[test]
fn a_pipe_that_joins_between_the_two_steps_starts_with_the_next_message() {
    let mut bench = Bench::new();
    let first = bench.attach(0);
    bench.route(false).unwrap();
    let second = bench.attach(0);
    bench.distributor.commit(&mut "1".into(), &mut bench.pipes);
    bench.send("2").unwrap();
    assert_eq!((bench.sent(first), bench.sent(second)), (vec!["1".into(), "2".into()], vec!["2".into()]));
}

#[test]
fn a_pipe_whose_peer_is_gone_is_no_receiver() {
    let mut bench = Bench::new();
    let (gone, live) = (bench.attach(0), bench.attach(0));
    bench.pipes.get(gone).gone = true;
    bench.send("1").unwrap();
    assert_eq!(bench.route(true), Ok(()), "nor does it hold back others");
    bench.distributor.commit(&mut "2".into(), &mut bench.pipes);
    assert_eq!(bench.sent(live), ["1", "2"]);
    assert_eq!(bench.pipes.drops, []);
}

#[test]
fn a_pipe_chosen_twice_gets_one_copy() {
    let mut bench = Bench::new();
    let pipe = bench.attach(0);
    bench.distributor.begin();
    bench.distributor.choose(pipe);
    bench.distributor.choose(pipe);
    bench.distributor.reserve(false, &mut bench.pipes).unwrap();
    bench.distributor.commit(&mut "1".into(), &mut bench.pipes);
    assert_eq!(bench.sent(pipe), ["1"]);
}

#[test]
fn inversion_chooses_all_the_others() {
    let mut bench = Bench::new();
    let pipes = [bench.attach(0), bench.attach(0), bench.attach(0)];
    bench.distributor.begin();
    bench.distributor.choose(pipes[1]);
    bench.distributor.invert();
    bench.distributor.reserve(false, &mut bench.pipes).unwrap();
    bench.distributor.commit(&mut "1".into(), &mut bench.pipes);
    assert_eq!(pipes.map(|pipe| bench.sent(pipe).len()), [1, 0, 1]);
}

#[test]
fn the_steady_state_allocates_nothing() {
    let mut bench = Bench::new();
    let pipes: Vec<PipeId> = (0..100).map(|i| bench.attach(i % 3)).collect();
    bench.send("warm up").unwrap();
    let lists = |d: &Distributor| (d.chosen.capacity(), d.targets.capacity(), d.skipped.capacity());
    bench.distributor.skipped.reserve(100);
    let before = lists(&bench.distributor);
    for _ in 0..100 {
        bench.send("on").unwrap();
        pipes.iter().for_each(|pipe| bench.pipes.get(*pipe).output.clear());
    }
    assert_eq!(lists(&bench.distributor), before);
}

#[test]
fn leaving_in_any_order_keeps_the_others() {
    let mut bench = Bench::new();
    let pipes: Vec<PipeId> = (0..5).map(|_| bench.attach(0)).collect();
    for (gone, left) in [(0, 4), (4, 3), (2, 2), (1, 1), (3, 0)] {
        bench.distributor.detach(pipes[gone]);
        bench.distributor.detach(pipes[gone]);
        assert_eq!(bench.distributor.attached.len(), left);
        assert!(!bench.distributor.attached.contains(&pipes[gone]));
    }
}
