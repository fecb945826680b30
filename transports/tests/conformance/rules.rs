//! The rules for every scheme.

use std::io::{ErrorKind, IoSlice};
use std::net::Shutdown;

use mio::Interest;
use socket2::SockRef;
use zeroxide_transports::{Endpoint, Listener, Scheme, SocketOptions, Stream};

use crate::kit::{Case, Link, Waiter, bindable, connect, target};

pub(crate) fn a_bound_endpoint_is_resolved(case: &Case) {
    let listener = case.listener();
    let endpoint = listener.endpoint();
    assert!(!endpoint.to_string().contains('*'), "{endpoint}");
    assert_eq!(endpoint.scheme(), bindable(&case.bind).scheme());
    assert_eq!(endpoint.port().is_some(), endpoint.scheme() == Scheme::Tcp);
    assert_eq!(&bindable(&endpoint.to_string()), endpoint);
    Link::new(listener, &case.options).talks();
}

pub(crate) fn accepting_nobody_would_block(case: &Case) {
    assert_eq!(case.listener().accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    // Nor does it after a connection was accepted.
    let link = case.link();
    assert_eq!(link.listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
}

pub(crate) fn both_ends_are_named(case: &Case) {
    let link = case.link();
    assert_eq!(link.client.remote(), link.server.local());
    assert_eq!(link.client.remote(), target(&link.listener).to_string());
    assert_eq!(link.server.remote(), link.accepted.remote);
    assert_eq!(link.server.peer_address(), link.accepted.address);
    assert_eq!(link.client.peer_address(), link.server.peer_address());
    assert!(link.client.raw() > 0 && link.client.raw() != link.server.raw());
    let scheme = link.listener.endpoint().scheme();
    match link.accepted.ip {
        Some(ip) => {
            assert_eq!((scheme, link.accepted.address), (Scheme::Tcp, ip.to_string()));
            assert!(ip.is_loopback());
            assert_eq!(link.client.local(), link.server.remote());
        }
        None => {
            assert_eq!(scheme, Scheme::Ipc);
            assert!(link.accepted.address.starts_with("localhost"));
        }
    }
}

pub(crate) fn bytes_go_both_ways(case: &Case) {
    let mut link = case.link();
    link.talks();
    link.talks();
}

pub(crate) fn slices_arrive_in_order(case: &Case) {
    let mut link = case.link();
    // More slices than any system accepts in one call, some of them empty.
    let bytes: Vec<u8> = (0..5000).map(|n| n as u8).collect();
    let mut sent = 0;
    while sent < bytes.len() {
        let slices: Vec<IoSlice<'_>> =
            bytes[sent..].chunks(1).flat_map(|one| [IoSlice::new(one), IoSlice::new(&[])]).collect();
        let client = &mut link.client;
        sent += link.waiter.ready(|| client.send(&slices)).unwrap();
    }
    assert_eq!(link.server_hears(bytes.len()), bytes);
}

pub(crate) fn a_full_kernel_takes_part_and_then_would_block(case: &Case) {
    let mut link = case.link();
    let bytes: Vec<u8> = (0..16_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let (mut sent, mut heard, mut partial) = (0, Vec::new(), 0);
    while sent < bytes.len() {
        // An odd size, so that the kernel's room is not a multiple of it.
        let some = &bytes[sent..bytes.len().min(sent + 999_983)];
        match link
            .client
            .send(&[IoSlice::new(&some[..some.len() / 3]), IoSlice::new(&some[some.len() / 3..])])
        {
            Ok(taken) => {
                partial += usize::from(taken < some.len());
                sent += taken;
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                assert!(heard.len() < sent, "nothing is under way, and yet it would block");
                let mut buffer = vec![0; 65_536];
                let server = &mut link.server;
                let read = link.waiter.ready(|| server.read(&mut buffer)).unwrap();
                heard.extend_from_slice(&buffer[..read]);
            }
        }
    }
    assert!(partial > 0, "the kernel was never full");
    let rest = link.server_hears(bytes.len() - heard.len());
    heard.extend(rest);
    assert!(heard == bytes, "bytes were lost, repeated or reordered");
}

pub(crate) fn reading_nothing_would_block(case: &Case) {
    let mut link = case.link();
    assert_eq!(link.server.read(&mut [0; 8]).unwrap_err().kind(), ErrorKind::WouldBlock);
    link.client_says(b"once");
    assert_eq!(link.server_hears(4), b"once");
    assert_eq!(link.server.read(&mut [0; 8]).unwrap_err().kind(), ErrorKind::WouldBlock);
}

pub(crate) fn a_shut_direction_ends_after_its_last_byte(case: &Case) {
    let mut link = case.link();
    link.client_says(b"last");
    link.client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(link.server_hears(4), b"last");
    let server = &mut link.server;
    assert_eq!(link.waiter.ready(|| server.read(&mut [0; 8])).unwrap(), 0);
    link.server_says(b"still");
    assert_eq!(link.client_hears(5), b"still");
    drop(link.server);
    let client = &mut link.client;
    assert_eq!(link.waiter.ready(|| client.read(&mut [0; 8])).unwrap(), 0);
}

pub(crate) fn a_closed_peer_is_an_error_to_send_to(case: &Case) {
    let Link { mut waiter, mut client, server, .. } = case.link();
    drop(server);
    assert!(send_until_error(&mut waiter, &mut client));
}

/// Sends until the peer's absence is known; over tcp the first bytes only provoke the reset.
fn send_until_error(waiter: &mut Waiter, stream: &mut Stream) -> bool {
    loop {
        match waiter.ready(|| stream.send(&[IoSlice::new(b"anybody?")])) {
            Ok(8) => {}
            Ok(sent) => panic!("{sent} of 8 bytes"),
            Err(error) => return matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset),
        }
    }
}

pub(crate) fn dialling_nobody_is_refused(case: &Case) {
    let listener = case.listener();
    let gone = target(&listener);
    drop(listener);
    let error = connect(&mut Waiter::new(), &gone, &case.options).unwrap_err();
    // A removed path is not found.
    let is_gone = [ErrorKind::ConnectionRefused, ErrorKind::NotFound].contains(&error.kind());
    assert!(is_gone, "{error}");
}

pub(crate) fn a_closed_endpoint_can_be_bound_again_at_once(case: &Case) {
    let mut listener = case.listener();
    let endpoint = listener.endpoint().clone();
    if bindable(&case.bind).to_string() == "ipc://*" {
        // Its directory is removed too; each bind has its own.
        drop(listener);
        assert_ne!(case.listener().endpoint(), &endpoint);
        return;
    }
    for round in 0..12 {
        let mut link = Link::new(listener, &case.options);
        link.talks();
        let Link { waiter, listener: old, client, server, .. } = link;
        // Each way to leave a connection behind. Over tcp, the side that closes first keeps the port for minutes
        // (TIME_WAIT).
        let left = match round % 4 {
            0 => vec![client, server],
            1 => {
                drop(client);
                vec![server]
            }
            2 => {
                drop(server);
                vec![client]
            }
            _ => {
                drop((server, client));
                vec![connect(&mut Waiter::new(), &target(&old), &case.options).unwrap()]
            }
        };
        drop((waiter, old));
        listener = Listener::bind(&endpoint, &case.options).unwrap();
        drop(left);
    }
    Link::new(listener, &case.options).talks();
}

pub(crate) fn a_second_bind_is_address_in_use(case: &Case) {
    let first = case.listener();
    let second = Listener::bind(first.endpoint(), &case.options).unwrap_err();
    assert_eq!(second.source.kind(), ErrorKind::AddrInUse, "{second}");
    assert_eq!(&second.endpoint, first.endpoint());
    assert!(second.to_string().starts_with(&format!("cannot bind {}: ", first.endpoint())), "{second}");
    // The second may have connected, to check whether the first is alive.
    let mut link = Link::new(first, &case.options);
    if link.client.raw() > 0 && link.server.read(&mut [0; 8]).is_ok_and(|read| read == 0) {
        let listener = &link.listener;
        link.server = link.waiter.ready(|| listener.accept()).unwrap().0;
        link.waiter.add(&mut link.server, Interest::READABLE | Interest::WRITABLE);
    }
    link.talks();
}

pub(crate) fn a_source_can_move_to_another_poll(case: &Case) {
    let mut link = case.link();
    let registry = link.waiter.poll.registry();
    registry.deregister(&mut link.server).unwrap();
    registry.deregister(&mut link.listener).unwrap();
    link.client_says(b"moved");
    let mut other = Waiter::new();
    other.add(&mut link.server, Interest::READABLE);
    other.add(&mut link.listener, Interest::READABLE);
    // Waiting input is an edge for the new poll.
    other.edge();
    link.waiter = other;
    assert_eq!(link.server_hears(5), b"moved");
    let to = target(&link.listener);
    let mut waiter = Waiter::new();
    let _client = connect(&mut waiter, &to, &case.options).unwrap();
    let listener = &link.listener;
    link.waiter.ready(|| listener.accept()).unwrap();
}

pub(crate) fn the_quantum_is_what_was_measured(case: &Case) {
    let link = case.link();
    assert_eq!((link.client.quantum(), link.server.quantum()), (case.quantum, case.quantum));
}

pub(crate) fn what_does_not_fit_into_one_send_is_cut_into_equal_pieces(case: &Case) {
    let stream = case.link().client;
    let longest = (1..200_000).take_while(|pending| stream.piece(*pending) == *pending).count();
    assert!(longest > stream.quantum());
    assert_eq!(stream.piece(longest + 1), longest / 2 + 1);
    for pending in [3 * longest, 3 * longest + 1, 1 << 20, usize::MAX] {
        let sends = pending.div_ceil(longest);
        assert!(stream.piece(pending) <= longest && stream.piece(pending) > (pending - 1) / (sends + 1));
    }
    assert_eq!(stream.piece(0), 0);
}

pub(crate) fn buffer_options_reach_both_ends(case: &Case) {
    let options = SocketOptions { sndbuf: Some(40_000), rcvbuf: Some(50_000), ..case.options.clone() };
    let link = Link::new(Listener::bind(&bindable(&case.bind), &options).unwrap(), &options);
    for stream in [&link.client, &link.server] {
        let (send, receive) = match stream {
            Stream::Tcp(stream) => buffers(&SockRef::from(stream)),
            #[cfg(unix)]
            Stream::Ipc(stream) => buffers(&SockRef::from(stream)),
        };
        // Linux doubles the requested size, for its own records.
        assert!([40_000, 80_000].contains(&send), "{send}");
        assert!([50_000, 100_000].contains(&receive), "{receive}");
    }
}

fn buffers(socket: &SockRef<'_>) -> (usize, usize) {
    (socket.send_buffer_size().unwrap(), socket.recv_buffer_size().unwrap())
}

#[cfg(target_os = "linux")]
pub(crate) fn descriptors_are_closed_on_exec_and_do_not_block(case: &Case) {
    const O_NONBLOCK: u32 = 0o4000;
    const O_CLOEXEC: u32 = 0o2_000_000;
    let link = case.link();
    for descriptor in [link.listener.raw(), link.client.raw(), link.server.raw()] {
        let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{descriptor}")).unwrap();
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:")).unwrap();
        let flags = u32::from_str_radix(flags.trim(), 8).unwrap();
        assert_eq!(flags & (O_CLOEXEC | O_NONBLOCK), O_CLOEXEC | O_NONBLOCK, "{info}");
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn descriptors_are_closed_on_exec_and_do_not_block(_: &Case) {
    crate::kit::skip("the flags of a descriptor are read from Linux' /proc");
}

/// Rust programs ignore SIGPIPE, but hosts of the C library may not. Neither a handler nor a mask can be set without
/// unsafe code. So this test runs itself again under `env --block-signal`: a blocked signal stays pending, where /proc
/// shows it.
#[cfg(target_os = "linux")]
pub(crate) fn sending_raises_no_sigpipe(case: &Case) {
    const MARK: &str = "ZEROXIDE_TEST_SIGPIPE_BLOCKED";
    if std::env::var_os(MARK).is_none() {
        let mut command = std::process::Command::new("env");
        command.arg("--block-signal=PIPE").arg(std::env::current_exe().unwrap()).args(["--exact", case.test]);
        let output = match command.env(MARK, "1").output() {
            Ok(output) if !String::from_utf8_lossy(&output.stderr).contains("block-signal") => output,
            _ => return crate::kit::skip("no env --block-signal here"),
        };
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && said.contains("1 passed"), "{said}");
        return;
    }
    let Link { mut waiter, mut client, server, .. } = case.link();
    drop(server);
    assert!(send_until_error(&mut waiter, &mut client));
    assert!(!is_sigpipe_pending(), "send raised SIGPIPE");
    // For comparison: write(2), which must not be used, raises it.
    let (end, other) = std::os::unix::net::UnixStream::pair().unwrap();
    drop(other);
    let written = std::io::Write::write(&mut std::fs::File::from(std::os::fd::OwnedFd::from(end)), b"x");
    assert_eq!(written.unwrap_err().kind(), ErrorKind::BrokenPipe);
    assert!(is_sigpipe_pending(), "the test is blind");
}

#[cfg(target_os = "linux")]
fn is_sigpipe_pending() -> bool {
    const SIGPIPE: u32 = 13;
    let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
    let pending = status
        .lines()
        .filter_map(|line| line.strip_prefix("SigPnd:").or_else(|| line.strip_prefix("ShdPnd:")))
        .map(|mask| u64::from_str_radix(mask.trim(), 16).unwrap());
    pending.fold(0, |all, mask| all | mask) & (1 << (SIGPIPE - 1)) != 0
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn sending_raises_no_sigpipe(_: &Case) {
    crate::kit::skip("pending signals are read from Linux' /proc");
}

#[test]
fn inproc_has_no_streams() {
    let endpoint = Endpoint::Inproc("a".into());
    let bound = Listener::bind(&endpoint, &SocketOptions::default()).unwrap_err();
    assert_eq!(bound.source.kind(), ErrorKind::Unsupported);
    let resolved = zeroxide_transports::resolve::resolve(&endpoint, true).unwrap_err();
    assert_eq!(resolved.kind(), ErrorKind::Unsupported);
}
