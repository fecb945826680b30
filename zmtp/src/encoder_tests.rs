//! The outbox, with a stream that takes any number of bytes at a time.

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::pair::drain;

const V3_1: Wire = Some(Version::V3_1);

fn shared(length: usize) -> Frame {
    Frame::from(Bytes::from(vec![7; length]))
}

fn slices(outbox: &Outbox, most: usize, quantum: usize) -> Vec<usize> {
    let mut slices = vec![IoSlice::new(&[]); most];
    let filled = outbox.io_slices(&mut slices, quantum);
    slices[..filled].iter().map(|slice| slice.len()).collect()
}

#[test]
fn an_empty_outbox_gives_nothing() {
    let mut outbox = Outbox::new();
    assert!(outbox.is_empty());
    assert_eq!(slices(&outbox, 4, 100), []);
    assert_eq!(outbox.advance(0), 0);
    assert_eq!(outbox.unwritten_messages(), 0);
}

#[test]
fn small_bodies_share_one_slice_and_large_ones_are_referenced() {
    let mut outbox = Outbox::new();
    for length in [5, COPY_LIMIT, COPY_LIMIT + 1, 5] {
        outbox.push(V3_1, Message::from(vec![1; length]).into());
    }
    assert_eq!(slices(&outbox, 8, usize::MAX), [7 + 9 + 2048 + 9, 2049, 7]);
    assert_eq!(outbox.len(), 7 + 2057 + 2058 + 7);
}

#[test]
fn slices_end_at_the_quantum_and_at_the_array() {
    let mut outbox = Outbox::new();
    outbox.push(V3_1, Message::from([vec![1; 3000], vec![2; 3000], vec![3; 3000]]).into());
    assert_eq!(slices(&outbox, 8, 3010), [9, 3000, 1]);
    assert_eq!(slices(&outbox, 8, 3009), [9, 3000]);
    assert_eq!(slices(&outbox, 8, 5), [5]);
    assert_eq!(slices(&outbox, 8, 0), [1]);
    assert_eq!(slices(&outbox, 3, usize::MAX), [9, 3000, 9]);
    assert_eq!(slices(&outbox, 0, usize::MAX), []);
    outbox.advance(10);
    assert_eq!(slices(&outbox, 2, usize::MAX), [2999, 9]);
}

#[test]
fn a_message_is_written_when_its_last_byte_is() {
    let mut outbox = Outbox::new();
    outbox.stage(b"handshake");
    outbox.push(V3_1, Message::from("a").into());
    outbox.push(V3_1, Traffic::Subscribe("t".into()));
    outbox.push(V3_1, Message::from(("b", vec![1; 5000])).into());
    assert_eq!(outbox.unwritten_messages(), 2);
    assert_eq!(outbox.advance(9 + 2), 0);
    assert_eq!(outbox.advance(1), 1);
    assert_eq!(outbox.unwritten_messages(), 1);
    let left = outbox.len();
    assert_eq!(outbox.advance(left - 1), 0);
    assert_eq!((outbox.len(), outbox.unwritten_messages()), (1, 1));
    assert_eq!(outbox.advance(1), 1);
    assert!(outbox.is_empty());
}

#[test]
fn a_message_that_is_disowned_is_written_and_not_told_of() {
    let mut outbox = Outbox::new();
    outbox.disown();
    outbox.push(V3_1, Message::from("hello").into());
    outbox.disown();
    outbox.push(V3_1, Message::from("a").into());
    assert_eq!((outbox.len(), outbox.unwritten_messages()), (10, 1));
    assert_eq!((outbox.advance(7), outbox.advance(3)), (0, 1));
}

#[test]
fn shared_frames_are_put_aside_when_they_are_done_with() {
    let mut outbox = Outbox::new();
    outbox.push(V3_1, Message::from(shared(100)).into());
    assert_eq!(outbox.take_garbage().len(), 1, "copied");
    outbox.push(V3_1, Message::from(shared(5000)).into());
    assert!(outbox.take_garbage().is_empty(), "referenced");
    outbox.advance(outbox.len() - 1);
    assert!(outbox.take_garbage().is_empty());
    outbox.advance(1);
    assert_eq!(outbox.take_garbage().len(), 1);
    outbox.push(V3_1, Message::from(Frame::from(bytes::BytesMut::zeroed(100))).into());
    assert!(outbox.take_garbage().is_empty(), "nobody else's");
    outbox.push(V3_1, Traffic::Cancel(shared(100)));
    outbox.discard(Message::from([shared(100), shared(65)]).into());
    outbox.discard(Traffic::Subscribe(shared(100)));
    assert_eq!(outbox.take_garbage().len(), 4);
}

#[test]
fn a_cleared_outbox_keeps_its_garbage_alone() {
    let mut outbox = Outbox::new();
    outbox.push(V3_1, Message::from(shared(100)).into());
    outbox.push(V3_1, Message::from(shared(5000)).into());
    outbox.advance(3);
    outbox.clear();
    assert!(outbox.is_empty());
    assert_eq!(outbox.unwritten_messages(), 0);
    assert_eq!(outbox.take_garbage().len(), 2);
    outbox.push(V3_1, Message::from("a").into());
    assert_eq!(drain(&mut outbox), (b"\0\x01a".to_vec(), 1));
}

/// A stream that never takes everything must not make the buffer grow without end.
#[test]
fn memory_stays_bounded_while_something_is_always_left() {
    const ROUNDS: usize = if cfg!(miri) { 600 } else { 10_000 };
    let mut outbox = Outbox::new();
    for _ in 0..ROUNDS {
        outbox.push(V3_1, Message::from(vec![1; 1000]).into());
        if outbox.len() > 4 * 1009 {
            outbox.advance(1009);
        }
    }
    assert!(outbox.staging.capacity() <= 4 * COMPACT, "{}", outbox.staging.capacity());
    assert!(outbox.ends.capacity() <= 4 * 128, "{}", outbox.ends.capacity());
}

#[test]
fn a_reused_outbox_allocates_nothing_new() {
    let mut outbox = Outbox::new();
    let round = |outbox: &mut Outbox| {
        (0..100).for_each(|_| outbox.push(V3_1, Message::from(vec![1; 60]).into()));
        let address = outbox.staging.as_ptr();
        outbox.advance(outbox.len());
        address
    };
    let first = round(&mut outbox);
    assert!((0..10).all(|_| round(&mut outbox) == first));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Partial writes yield the same bytes and the same count of messages as one write.
    #[test]
    fn writes_of_any_size_give_the_same_bytes(
        messages in prop::collection::vec(prop::collection::vec(0..6000_usize, 1..4), 1..30),
        writes in prop::collection::vec((0..20_000_usize, 1..6_usize), 1..80),
    ) {
        let traffic: Vec<Traffic> = messages
            .iter()
            .map(|sizes| sizes.iter().map(|size| Frame::from(vec![*size as u8; *size])).collect::<Message>().into())
            .collect();
        let mut whole = Outbox::new();
        traffic.iter().for_each(|traffic| whole.push(V3_1, traffic.clone()));
        let expected = drain(&mut whole);
        let mut outbox = Outbox::new();
        let (mut bytes, mut completed) = (Vec::new(), 0);
        let mut traffic = traffic.into_iter();
        for (quantum, most) in writes {
            traffic.by_ref().take(most / 2).for_each(|traffic| outbox.push(V3_1, traffic));
            let mut slices = vec![IoSlice::new(&[]); most];
            let filled = outbox.io_slices(&mut slices, quantum);
            let before = bytes.len();
            slices[..filled].iter().for_each(|slice| bytes.extend_from_slice(slice));
            prop_assert!(bytes.len() - before <= quantum.max(1));
            completed += outbox.advance(bytes.len() - before);
        }
        traffic.for_each(|traffic| outbox.push(V3_1, traffic));
        let (rest, messages) = drain(&mut outbox);
        bytes.extend(rest);
        prop_assert_eq!((bytes, completed + messages), expected);
    }
}
