//! The relay between two plain sockets.

use super::*;

const LIMIT: Duration = Duration::from_secs(10);
/// How long nothing must arrive for nothing to have been sent.
const QUIET: Duration = Duration::from_millis(30);

/// A relay before a listener, and one connection through it: the side that connected, and the listener's.
fn through() -> (Relay, TcpListener, TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let relay = Relay::to(&format!("tcp://{}", listener.local_addr().unwrap())).unwrap();
    let near = dial(&relay);
    let far = listener.accept().unwrap().0;
    far.set_read_timeout(Some(LIMIT)).unwrap();
    (relay, listener, near, far)
}

fn dial(relay: &Relay) -> TcpStream {
    let stream = TcpStream::connect(relay.address).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    stream
}

fn read(stream: &mut TcpStream, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    stream.read_exact(&mut bytes).unwrap();
    bytes
}

/// Whether the other side has closed.
fn is_closed(stream: &mut TcpStream) -> bool {
    match stream.read(&mut [0]) {
        Ok(read) => read == 0,
        Err(error) => error.kind() == io::ErrorKind::ConnectionReset,
    }
}

#[test]
fn both_ways_pass_and_are_recorded_with_number_and_time() {
    let (relay, listener, mut near, mut far) = through();
    near.write_all(b"question").unwrap();
    assert_eq!(read(&mut far, 8), b"question");
    far.write_all(b"answer").unwrap();
    assert_eq!(read(&mut near, 6), b"answer");
    let mut second = dial(&relay);
    second.write_all(b"!").unwrap();
    assert_eq!(read(&mut listener.accept().unwrap().0, 1), b"!");
    let record = relay.record();
    assert_eq!(record.bytes(1, Way::ToTarget), b"question");
    assert_eq!(record.bytes(1, Way::FromTarget), b"answer");
    assert_eq!(record.bytes(2, Way::ToTarget), b"!");
    assert_eq!((relay.connections(), record.connections), (2, 2));
    assert!(record.chunks.is_sorted_by_key(|chunk| chunk.at));
    assert!(record.chunks[0].at <= relay.shared.started.elapsed());
}

#[test]
fn the_end_of_one_way_passes_and_leaves_the_other_open() {
    let (relay, _listener, near, mut far) = through();
    near.shutdown(Shutdown::Write).unwrap();
    assert!(is_closed(&mut far));
    far.write_all(b"late").unwrap();
    let mut near = near;
    assert_eq!(read(&mut near, 4), b"late");
    assert_eq!(relay.open(), 1);
    drop(far);
    assert!(is_closed(&mut near));
}

#[test]
fn a_stalled_way_holds_its_bytes_and_its_end_and_the_other_passes() {
    let (relay, _listener, mut near, mut far) = through();
    relay.stall(Way::ToTarget);
    near.write_all(b"held").unwrap();
    assert!(relay.wait(LIMIT, |record| record.bytes(1, Way::ToTarget) == b"held"));
    near.shutdown(Shutdown::Write).unwrap();
    far.write_all(b"passes").unwrap();
    assert_eq!(read(&mut near, 6), b"passes");
    far.set_read_timeout(Some(QUIET)).unwrap();
    assert!(!is_closed(&mut far), "nothing arrives, the end neither");
    far.set_read_timeout(Some(LIMIT)).unwrap();
    relay.resume(Way::ToTarget);
    assert_eq!(read(&mut far, 4), b"held");
    assert!(is_closed(&mut far));
}

#[test]
fn a_connection_made_while_stalled_reaches_the_target_and_carries_nothing() {
    let (relay, listener, _near, _far) = through();
    relay.stall(Way::ToTarget);
    let mut second = dial(&relay);
    let mut far = listener.accept().unwrap().0;
    second.write_all(b"held").unwrap();
    assert!(relay.wait(LIMIT, |record| record.bytes(2, Way::ToTarget) == b"held"));
    far.set_read_timeout(Some(QUIET)).unwrap();
    assert!(far.read(&mut [0]).is_err());
    relay.resume(Way::ToTarget);
    far.set_read_timeout(Some(LIMIT)).unwrap();
    assert_eq!(read(&mut far, 4), b"held");
}

#[test]
fn a_cut_closes_both_sides_also_while_stalled_and_the_next_connection_is_carried() {
    let (relay, listener, mut near, mut far) = through();
    relay.stall(Way::ToTarget);
    near.write_all(b"lost").unwrap();
    assert!(relay.wait(LIMIT, |record| record.bytes(1, Way::ToTarget) == b"lost"));
    relay.cut();
    assert!(is_closed(&mut near));
    assert!(is_closed(&mut far));
    assert_eq!(relay.open(), 0);
    relay.resume(Way::ToTarget);
    let mut next = dial(&relay);
    next.write_all(b"new").unwrap();
    assert_eq!(read(&mut listener.accept().unwrap().0, 3), b"new");
}

#[test]
fn a_target_that_is_away_closes_the_connection_and_one_that_is_back_gets_the_next() {
    // Where every loopback address is ours, one that no other test uses: nobody else takes the port meanwhile.
    let host = if cfg!(target_os = "linux") { "127.7.7.7:0" } else { "127.0.0.1:0" };
    let listener = TcpListener::bind(host).unwrap();
    let address = listener.local_addr().unwrap();
    let relay = Relay::to(&format!("tcp://{address}")).unwrap();
    drop(listener);
    assert!(is_closed(&mut dial(&relay)));
    assert_eq!(relay.connections(), 0);
    let listener = TcpListener::bind(address).unwrap();
    dial(&relay).write_all(b"hi").unwrap();
    assert_eq!(read(&mut listener.accept().unwrap().0, 2), b"hi");
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    relay.retarget(&format!("tcp://{}", elsewhere.local_addr().unwrap())).unwrap();
    dial(&relay).write_all(b"ho").unwrap();
    assert_eq!(read(&mut elsewhere.accept().unwrap().0, 2), b"ho");
}

#[test]
fn dropping_the_relay_closes_what_it_carries() {
    let (relay, _listener, mut near, mut far) = through();
    drop(relay);
    assert!(is_closed(&mut near));
    assert!(is_closed(&mut far));
}

#[test]
fn commands_are_counted_over_all_connections_and_frames_have_the_time_of_their_last_byte() {
    let (relay, listener, mut near, _far) = through();
    let ping = wire::command("PING", &[0, 0]);
    near.write_all(&[0; 64]).unwrap();
    near.write_all(&wire::ready("PUSH", None)).unwrap();
    near.write_all(&ping[..5]).unwrap();
    assert!(relay.wait_for_command(Way::ToTarget, "READY", 1, LIMIT));
    assert!(!relay.wait_for_command(Way::ToTarget, "PING", 1, Duration::ZERO));
    near.write_all(&ping[5..]).unwrap();
    assert!(relay.wait_for_command(Way::ToTarget, "PING", 1, LIMIT));
    let mut second = dial(&relay);
    let _far = listener.accept().unwrap();
    second.write_all(&[&[0; 64][..], &ping].concat()).unwrap();
    assert!(relay.wait_for_command(Way::ToTarget, "PING", 2, LIMIT));
    let record = relay.record();
    assert_eq!(record.commands(Way::FromTarget, "PING"), 0);
    let frames = record.frames(1, Way::ToTarget);
    let last = record.chunks_of(1, Way::ToTarget).last().unwrap().at;
    assert_eq!(frames.iter().map(|(at, _)| *at == last).collect::<Vec<_>>(), [false, true]);
    relay.forget();
    assert_eq!(relay.record().chunks, []);
    assert_eq!(relay.connections(), 2);
}

#[test]
fn an_endpoint_that_is_not_tcp_is_refused() {
    for endpoint in ["ipc:///tmp/x", "tcp://127.0.0.1", "127.0.0.1:1"] {
        assert!(Relay::to(endpoint).is_err(), "{endpoint}");
    }
}
