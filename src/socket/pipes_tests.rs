//! The table alone: its pipes lead nowhere, or to a socket that is never looked at.

use zeroxide_transports::pipe::{Flow, pipe};

use super::*;
use crate::socket::after_unlock::NewsOf;
use crate::{Context, SocketType};

/// A table with one pipe to `link`, and the other end of that.
fn table(link: Link, hwm: u32) -> (PipeTable, PipeId, Pipe) {
    let mut table = PipeTable::default();
    let flow = Flow { hwm, ..Flow::default() };
    let (ours, theirs) = pipe(flow, flow);
    let id = table.insert(Entry::new(ours, link, Slot::new(), 0));
    (table, id, theirs)
}

/// A socket of some context, as the other end of a pipe.
fn owner(context: &Context) -> Owner {
    let socket = context.socket(SocketType::Pull).unwrap();
    Owner { base: Arc::clone(socket.base()), slot: Slot::new() }
}

/// What other sockets would be told, in words.
fn news(table: &PipeTable) -> Vec<String> {
    let word = |(owner, news): &(Owner, NewsOf)| match news(owner.slot.clone()) {
        News::Readable(_) => "readable",
        News::Writable(_) => "writable",
        News::Ended(_) => "ended",
        _ => "something else",
    };
    table.after_unlock.news.iter().map(|told| word(told).to_owned()).collect()
}

#[test]
fn what_is_written_to_a_connection_waits_for_the_flush() {
    let (mut table, id, mut theirs) = table(Link::Offline, 0);
    table.write(id, &mut "one".into());
    table.write(id, &mut "two".into());
    assert_eq!(table.dirty_pipes(), 1);
    assert!(theirs.reader.take().is_none());
    table.flush_all(FlushCause::Wait);
    assert_eq!(table.dirty_pipes(), 0);
    assert_eq!(theirs.reader.waiting(), 2);
    assert_eq!(table.flushes[FlushCause::Wait as usize], 1);
    assert!(table.after_unlock.is_empty(), "nobody is at the other end");
}

#[test]
fn what_is_written_over_inproc_is_there_at_once_and_tells_a_reader_that_found_nothing() {
    let context = Context::new();
    let (mut table, id, mut theirs) = table(Link::Inproc(owner(&context)), 0);
    table.write(id, &mut "nobody has looked".into());
    assert_eq!(table.dirty_pipes(), 0);
    assert_eq!(news(&table), [""; 0]);
    while theirs.reader.take().is_some() {}
    table.write(id, &mut "somebody waits".into());
    table.write(id, &mut "and is told already".into());
    assert_eq!(news(&table), ["readable"]);
    assert_eq!(theirs.reader.waiting(), 2);
}

#[test]
fn reading_tells_a_writer_that_found_no_credit() {
    let context = Context::new();
    let (mut table, id, mut theirs) = table(Link::Inproc(owner(&context)), 1);
    theirs.writer.put(Traffic::Message("one".into()));
    assert!(table.read(id).is_some());
    assert_eq!(news(&table), [""; 0], "the writer never asked");
    theirs.writer.put(Traffic::Message("two".into()));
    assert!(!theirs.writer.has_credit());
    assert!(table.read(id).is_some());
    assert_eq!(news(&table), ["writable"]);
}

fn receive(hwm: u32) -> Changes {
    Changes { send: None, receive: Some(hwm), peer: None, total: None }
}

#[test]
fn a_higher_mark_tells_a_writer_that_found_no_credit() {
    let context = Context::new();
    let (mut table, _, mut theirs) = table(Link::Inproc(owner(&context)), 1);
    table.set_limits(&receive(2));
    assert_eq!(news(&table), [""; 0]);
    while theirs.writer.has_credit() {
        theirs.writer.put(Traffic::Message("x".into()));
    }
    table.set_limits(&receive(3));
    assert_eq!(news(&table), ["writable"]);
}

#[test]
fn a_pipe_that_the_pattern_closes_ends_for_the_other_side() {
    let context = Context::new();
    let (mut inproc, id, _theirs) = table(Link::Inproc(owner(&context)), 0);
    inproc.close(id);
    assert_eq!(news(&inproc), ["ended"]);
    assert_eq!(inproc.take_drained(), [id]);
    // With nobody there, what would dial again has to end.
    let (mut offline, id, theirs) = table(Link::Offline, 0);
    offline.close(id);
    assert_eq!(offline.after_unlock.ended_endpoints, [0]);
    assert!(theirs.writer.is_abandoned());
}

#[test]
fn an_ended_pipe_is_read_to_its_end_and_then_detached() {
    let (mut table, id, mut theirs) = table(Link::Offline, 0);
    theirs.writer.put(Traffic::Message("left".into()));
    assert!(!table.end(id, true), "something is unread");
    assert_eq!(table.departed(), 1);
    assert!(table.read(id).is_some());
    assert!(!table.has_drained());
    assert!(table.read(id).is_none());
    assert_eq!(table.take_drained(), [id]);
    assert!(table.remove(id).is_some());
    assert_eq!(table.departed(), 0);
}

#[test]
fn a_message_for_a_peer_that_is_gone_is_counted_and_freed_outside_the_lock() {
    let (mut table, id, _theirs) = table(Link::Offline, 0);
    assert!(table.end(id, true), "nothing is unread");
    assert!(matches!(table.reserve(id), Credit::Gone));
    table.write(id, &mut "late".into());
    table.signal(id, Traffic::Subscribe("counts for nothing".into()));
    assert_eq!(table.drops[Cause::PeerLost as usize], 1);
    assert_eq!(table.past.routed, 1);
    assert_eq!(table.after_unlock.garbage.traffic.len(), 2);
}

#[test]
fn a_slot_leads_to_the_newest_pipe_and_to_none_once_that_is_gone() {
    let (mut table, first, _theirs) = table(Link::Offline, 0);
    let slot = table.get(first).unwrap().slot.clone();
    assert_eq!(slot.get(), Some(first));
    let (ours, _theirs) = pipe(Flow::default(), Flow::default());
    let second = table.insert(Entry::new(ours, Link::Offline, slot.clone(), 0));
    assert_eq!(slot.get(), Some(second));
    table.remove(first);
    assert_eq!(slot.get(), Some(second));
    table.remove(second);
    assert_eq!(slot.get(), None);
}

/// `routed = written + dropped + queued`, also when the pipe is gone.
#[test]
fn what_a_pipe_had_counted_stays_with_the_socket() {
    let (mut table, id, mut theirs) = table(Link::Offline, 0);
    (0..3).for_each(|_| table.write(id, &mut "x".into()));
    table.flush_all(FlushCause::Wait);
    assert!(theirs.reader.take().is_some());
    theirs.reader.ack(1);
    let entry = table.remove(id).unwrap();
    table.keep_counts(entry, Cause::Linger);
    assert_eq!((table.past.routed, table.past.leaving.len()), (0, 1), "the other end may still write them");
    drop(theirs);
    table.add_ended_counts();
    assert_eq!((table.past.routed, table.past.written, table.drops[Cause::Linger as usize]), (3, 1, 2));
    assert!(table.past.leaving.is_empty());
}
