use zeroxide_zmtp::{Frame, Message, Traffic};

use super::*;
use crate::pipe::{Flow, Pipe, Reader, Writer, budgeted_pipe};

/// What a frame adds to its body.
const FRAMING: usize = 2;

fn counted(most: u64, budget: &Budget) -> (Writer, Reader) {
    let (here, there) = budgeted_pipe(Flow::default(), Flow::default(), most, budget);
    let (Pipe { reader, .. }, Pipe { writer, .. }) = (here, there);
    (writer, reader)
}

fn of(size: usize) -> Traffic {
    Traffic::Message(Message::from(vec![7; size - FRAMING]))
}

/// Writes messages of `size` bytes until there is no room; returns their number.
fn fill(writer: &mut Writer, size: usize) -> u64 {
    let mut count = 0;
    while writer.has_credit() {
        writer.write(of(size));
        count += 1;
    }
    writer.flush();
    count
}

#[test]
fn a_writer_stops_when_its_bytes_reach_the_limit_and_goes_on_when_they_are_taken() {
    let budget = Budget::default();
    let (mut writer, mut reader) = counted(100, &budget);
    for _ in 0..3 {
        assert_eq!(fill(&mut writer, 30), 4, "the message that reaches the limit is written");
        assert_eq!((reader.waiting_bytes(), budget.held()), (120, 120));
        (0..4).for_each(|_| assert!(reader.read().is_some() && !reader.owes_wake()));
        assert_eq!(reader.waiting_bytes(), 0);
        assert!(
            reader.read().is_none() && reader.owes_wake(),
            "the batch is released by asking for the next"
        );
        assert!(!reader.owes_wake_to_all(), "the sum has no part in it");
        assert_eq!(budget.held(), 0);
    }
}

#[test]
fn a_message_larger_than_the_limit_goes_through_alone() {
    let (mut writer, mut reader) = counted(10, &Budget::new(10));
    for _ in 0..3 {
        assert_eq!(fill(&mut writer, 5000), 1);
        assert!(reader.read().is_some() && reader.read().is_none() && reader.owes_wake());
    }
}

#[test]
fn at_the_sum_every_writer_of_which_nothing_waits_may_write_one_message() {
    let budget = Budget::new(100);
    let mut pipes: Vec<_> = (0..12).map(|_| counted(0, &budget)).collect();
    let written: Vec<u64> = pipes.iter_mut().map(|(writer, _)| fill(writer, 25)).collect();
    assert_eq!(written, [4, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
    for (writer, reader) in &mut pipes[1..] {
        for _ in 0..3 {
            assert!(!writer.has_credit());
            assert!(reader.read().is_some() && reader.read().is_none() && reader.owes_wake());
            assert_eq!(fill(writer, 25), 1, "its turn has come again");
        }
    }
}

#[test]
fn what_peers_that_are_gone_left_shuts_others_out_at_the_limit_until_it_is_below() {
    let budget = Budget::new(100);
    let mut gone: Vec<_> = (0..4).map(|_| counted(0, &budget)).collect();
    let (mut writer, mut reader) = counted(0, &budget);
    assert_eq!((fill(&mut gone[0].0, 60), fill(&mut gone[1].0, 60)), (2, 1));
    for (writer, _) in &mut gone {
        writer.finish();
        writer.finish();
    }
    assert!(!writer.has_credit() && !budget.owes_wake());
    (0..2).for_each(|_| assert!(gone[0].1.read().is_some()));
    assert!(gone[0].1.read().is_none() && gone[0].1.owes_wake() && gone[0].1.owes_wake_to_all());
    assert!(reader.take_hungry());
    assert_eq!(fill(&mut writer, 60), 1);
    assert!(gone[1].1.read().is_some() && gone[1].1.read().is_none());
    assert_eq!(budget.held(), 60);
}

#[test]
fn writers_refused_for_the_sum_are_woken_once_when_it_has_fallen_to_its_half() {
    let budget = Budget::new(100);
    let (mut first, mut reader) = counted(0, &budget);
    let (mut second, mut other) = counted(0, &budget);
    for _ in 0..2 {
        assert_eq!((fill(&mut first, 50), fill(&mut second, 50)), (2, 1));
        assert!(!second.has_credit());
        (0..2).for_each(|_| assert!(reader.read().is_some()));
        assert!(!reader.owes_wake());
        assert!(reader.read().is_none() && reader.owes_wake() && reader.owes_wake_to_all());
        assert!(other.take_hungry() && !other.take_hungry() && second.has_credit());
        assert!(!budget.owes_wake());
        assert!(other.read().is_some() && other.read().is_none());
        let _ = (other.owes_wake(), other.owes_wake_to_all());
    }
}

#[test]
fn a_writer_that_had_room_looks_again_for_its_next_batch() {
    let budget = Budget::new(100);
    let (mut first, _reader) = counted(0, &budget);
    let (mut second, _other) = counted(0, &budget);
    assert!(first.has_credit());
    first.write(of(10));
    first.flush();
    assert_eq!(fill(&mut second, 30), 3);
    assert!(!first.has_credit(), "the other has taken the room meanwhile");
}

#[test]
fn a_heavy_batch_is_released_while_it_is_read() {
    const MIB: u64 = 1 << 20;
    let budget = Budget::default();
    let (mut writer, mut reader) = counted(8 * MIB, &budget);
    assert_eq!(fill(&mut writer, 512 << 10), 16);
    for n in 1..=16 {
        assert!(reader.read().is_some());
        assert_eq!(reader.waiting_bytes(), 8 * MIB - n * MIB / 2);
        assert_eq!(budget.held(), 8 * MIB - n / 2 * MIB);
        assert_eq!(reader.owes_wake(), n == 2, "the writer is told once, and has not looked since");
    }
    assert!(writer.has_credit());
}

#[test]
fn the_list_of_the_frames_of_a_message_counts() {
    let budget = Budget::default();
    let (mut writer, reader) = counted(0, &budget);
    writer.write(Traffic::Message(Message::from(vec![vec![1; 10]; 100])));
    writer.flush();
    assert_eq!(reader.waiting_bytes(), 100 * (10 + size_of::<Frame>() as u64));
}

#[test]
fn what_nobody_takes_counts_until_its_pipe_is_abandoned_or_gone() {
    let budget = Budget::new(100);
    let (mut writer, mut reader) = counted(0, &budget);
    let (mut other, mut others_reader) = counted(0, &budget);
    assert_eq!((fill(&mut writer, 40), fill(&mut other, 40)), (3, 1));
    assert!(reader.read().is_some());
    drop(reader.abandon());
    assert_eq!(budget.held(), 40);
    assert!(budget.owes_wake() && others_reader.take_hungry());
    writer.write(of(30));
    writer.flush();
    drop((writer, reader));
    assert_eq!(budget.held(), 40);
    drop((other, others_reader));
    assert_eq!(budget.held(), 0);
}

#[test]
fn a_higher_limit_makes_room() {
    let budget = Budget::new(1000);
    let (mut writer, mut reader) = counted(100, &budget);
    assert_eq!(fill(&mut writer, 50), 2);
    assert!(reader.set_most(200));
    assert_eq!(fill(&mut writer, 50), 2);
    assert!(reader.set_most(0));
    assert_eq!(fill(&mut writer, 50), 16);
    budget.set_limit(2000);
    assert!(reader.take_hungry());
    assert_eq!(fill(&mut writer, 50), 20);
}
