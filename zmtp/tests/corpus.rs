//! Replays the golden corpus: recorded connections of libzmq, JeroMQ and peers of old versions, with Zeroxide in the
//! place of one side. `interop/corpus/README.md` describes the files.

mod corpus_file;

use std::io::IoSlice;
use std::sync::Arc;
use std::time::Instant;

use corpus_file::{File, Item, Side};
use zeroxide_zmtp::{
    Config, Connection, Established, Frame, Message, Outbox, ProtocolError, SocketType, Traffic, Version,
};

/// Inputs shorter than this are also cut in two at every place. For longer ones that takes too long, since the time
/// grows with the square of the length.
const CUT_EVERYWHERE: usize = 1024;

/// What Zeroxide decoded and sent.
#[derive(Debug, Default)]
struct Heard {
    established: Option<Established>,
    traffic: Vec<Traffic>,
    /// What it sent, without greeting and handshake.
    answered: Vec<u8>,
    fault: Option<ProtocolError>,
}

/// Returns Zeroxide in the place of a side.
fn in_place_of(side: &Side, now: Instant) -> Connection {
    let config = Config {
        routing_id: side.identity.clone().into(),
        min_version: Version::V1_0,
        ..Config::new(side.socket_type)
    };
    Connection::new(Arc::new(config), now)
}

/// Passes some pieces to a connection.
fn hear<'a>(connection: &mut Connection, pieces: impl Iterator<Item = &'a [u8]>, now: Instant) -> Heard {
    let mut heard = Heard::default();
    let mut outbox = Outbox::new();
    for mut piece in pieces {
        loop {
            match connection.decode(&mut piece, now) {
                Ok(Some(traffic)) => heard.traffic.push(traffic),
                Ok(None) => match connection.poll_ready() {
                    Some(established) => {
                        connection.poll_transmit(&mut outbox);
                        drain(&mut outbox);
                        heard.established = Some(established);
                    }
                    None => break,
                },
                Err(fault) => {
                    heard.fault = Some(fault);
                    return heard;
                }
            }
        }
        connection.poll_transmit(&mut outbox);
        let said = drain(&mut outbox);
        if heard.established.is_some() {
            heard.answered.extend(said);
        }
    }
    heard
}

fn drain(outbox: &mut Outbox) -> Vec<u8> {
    let mut bytes = Vec::new();
    while !outbox.is_empty() {
        let mut slices = [IoSlice::new(&[]); 16];
        let filled = outbox.io_slices(&mut slices, usize::MAX);
        let before = bytes.len();
        slices[..filled].iter().for_each(|slice| bytes.extend_from_slice(slice));
        outbox.advance(bytes.len() - before);
    }
    bytes
}

fn traffic(item: &Item) -> Option<Traffic> {
    match item {
        Item::Message(frames) => Some(Traffic::Message(Message::from(frames.clone()))),
        Item::Subscribe(topic) => Some(Traffic::Subscribe(Frame::copy_from(topic))),
        Item::Cancel(topic) => Some(Traffic::Cancel(Frame::copy_from(topic))),
        Item::Ping(_) | Item::Pong(_) | Item::Error(_) => None,
    }
}

/// Checks that Zeroxide, in the place of `listener`, has decoded what `speaker` sent.
fn check_heard(name: &str, listener: &Side, speaker: &Side, heard: &Heard, whole: bool) {
    if let Some(Item::Error(reason)) = speaker.items.first() {
        let reason = reason.clone().into();
        assert_eq!(heard.fault, Some(ProtocolError::Refused { reason }), "{name}");
        assert_eq!(heard.established, None, "{name}");
        return;
    }
    assert_eq!(heard.fault, None, "{name}");
    let established = heard.established.as_ref().unwrap_or_else(|| panic!("{name}: no handshake"));
    assert_eq!(established.version, Some(speaker.version), "{name}");
    assert_eq!(established.routing_id, speaker.identity, "{name}");
    assert_eq!(established.properties, [], "{name}");
    // Version 1.0 sends no socket type. 2.0 has no XPUB and XSUB, although libzmq sends them.
    let told = (speaker.version > Version::V1_0).then_some(speaker.socket_type);
    assert_eq!(established.socket_type, told, "{name}");
    // Subscribers of version 1.0 send no subscriptions and want everything.
    let publishes = matches!(listener.socket_type, SocketType::Pub | SocketType::XPub);
    let phantom = publishes && speaker.version == Version::V1_0;
    let meant: Vec<Traffic> = phantom
        .then(|| Traffic::Subscribe(Frame::new()))
        .into_iter()
        .chain(speaker.items.iter().filter_map(traffic))
        .collect();
    assert_eq!(heard.traffic, meant, "{name}");
    let pongs: Vec<Vec<u8>> = speaker.items.iter().filter_map(Item::pong_due).collect();
    // If many PINGs arrive together, only the newest sixteen get a PONG.
    let due = if whole { &pongs[pongs.len().saturating_sub(16)..] } else { &pongs[..] };
    assert_eq!(heard.answered, due.concat(), "{name}");
}

/// Returns each side with the side that received from it. A receiver below 3.0 is left out, because its peer sent in
/// that older version.
fn dialogues(file: &File) -> impl Iterator<Item = (&Side, &Side)> {
    let [left, right] = &file.sides;
    [(left, right), (right, left)].into_iter().filter(|(listener, _)| listener.version >= Version::V3_0)
}

#[test]
fn what_others_say_means_what_they_meant_whole_and_cut_anywhere() {
    let now = Instant::now();
    for file in corpus_file::all() {
        for (listener, speaker) in dialogues(&file) {
            let name = format!("{}: {} heard by {}", file.name, speaker.program, listener.socket_type);
            let bytes = &speaker.bytes[..];
            let check = |pieces: &[&[u8]], whole| {
                let heard = hear(&mut in_place_of(listener, now), pieces.iter().copied(), now);
                check_heard(&name, listener, speaker, &heard, whole);
            };
            check(&[bytes], true);
            for size in [1, 2, 3, 7] {
                check(&bytes.chunks(size).collect::<Vec<_>>(), size > 1 && !speaker.has_pings());
            }
            if bytes.len() < CUT_EVERYWHERE && !speaker.has_pings() {
                for cut in 1..bytes.len() {
                    let (first, second) = bytes.split_at(cut);
                    check(&[first, second], true);
                }
            }
        }
    }
}

#[test]
fn a_record_cut_short_is_never_taken_for_more_than_was_said() {
    let now = Instant::now();
    for file in corpus_file::all() {
        for (listener, speaker) in dialogues(&file) {
            let whole = hear(&mut in_place_of(listener, now), [&speaker.bytes[..]].into_iter(), now);
            let cuts = (0..speaker.bytes.len()).step_by(1 + speaker.bytes.len() / CUT_EVERYWHERE);
            for cut in cuts {
                let short = hear(&mut in_place_of(listener, now), [&speaker.bytes[..cut]].into_iter(), now);
                assert_eq!(short.fault, None, "{} cut at {cut}", file.name);
                assert!(whole.traffic.starts_with(&short.traffic), "{} cut at {cut}", file.name);
            }
        }
    }
}

#[test]
fn in_the_place_of_libzmq_the_same_bytes_are_said() {
    let now = Instant::now();
    let mut compared = 0;
    for file in corpus_file::all() {
        let [left, right] = &file.sides;
        for (speaker, other) in [(left, right), (right, left)] {
            if !speaker.program.contains("libzmq") || !speaker.is_repeatable() {
                continue;
            }
            let mut connection = in_place_of(speaker, now);
            let mut outbox = Outbox::new();
            let mut input = &other.bytes[..];
            while connection.decode(&mut input, now).is_ok_and(|traffic| traffic.is_some())
                || connection.poll_ready().is_some()
            {}
            speaker.items.iter().filter_map(traffic).for_each(|item| connection.encode(item, &mut outbox));
            connection.poll_transmit(&mut outbox);
            let said = drain(&mut outbox);
            assert!(said == speaker.bytes, "{}: {} as {}", file.name, speaker.program, speaker.socket_type);
            compared += 1;
        }
    }
    assert!(compared >= 40, "{compared} sides of libzmq");
}

#[test]
fn the_corpus_has_each_implementation_and_each_type() {
    let files = corpus_file::all();
    assert!(files.len() >= 40, "{} files", files.len());
    let said = |program: &str, socket_type: SocketType| {
        let mut sides = files.iter().flat_map(|file| &file.sides);
        sides.any(|side| side.program.contains(program) && side.socket_type == socket_type)
    };
    for number in 0..11 {
        let socket_type = SocketType::from_number(number).unwrap();
        for program in ["libzmq-4.3.5", "jeromq-0.5.2", "jeromq-0.6.0"] {
            assert!(said(program, socket_type), "{program} {socket_type}");
        }
    }
}
