//! The rules for tcp only.

use std::io::ErrorKind;
use std::net::IpAddr;
use std::time::Duration;

use socket2::SockRef;
use zeroxide_transports::resolve::{needs_lookup, resolve};
use zeroxide_transports::{Endpoint, Listener, Resolved, SocketOptions, Stream};

use crate::kit::{Link, Waiter, bindable, connect, has_ipv6, skip};

fn connectable(text: &str) -> Endpoint {
    Endpoint::parse_connect(text).unwrap()
}

fn ipv6() -> SocketOptions {
    SocketOptions { ipv6: true, ..SocketOptions::default() }
}

fn listen(text: &str, options: &SocketOptions) -> Listener {
    Listener::bind(&bindable(text), options).unwrap()
}

/// Checks a listener at `text` that each of `hosts` reaches.
fn is_reached_by(text: &str, options: &SocketOptions, hosts: &[&str]) {
    let mut listener = listen(text, options);
    let port = listener.endpoint().port().unwrap();
    for host in hosts {
        let mut link = Link::to(listener, &connectable(&format!("tcp://{host}:{port}")), options);
        link.talks();
        let registry = link.waiter.poll.registry();
        registry.deregister(&mut link.listener).unwrap();
        listener = link.listener;
    }
}

#[test]
fn localhost_listens_on_both_families() {
    if has_ipv6() {
        is_reached_by("tcp://localhost:*", &ipv6(), &["127.0.0.1", "[::1]", "localhost"]);
    }
}

#[test]
fn localhost_without_ipv6_is_the_ipv4_one() {
    let options = SocketOptions::default();
    is_reached_by("tcp://localhost:*", &options, &["127.0.0.1", "localhost", "LocalHost"]);
}

#[test]
fn any_host_listens_on_both_families() {
    if has_ipv6() {
        assert!(listen("tcp://*:*", &ipv6()).endpoint().to_string().starts_with("tcp://[::]:"));
        is_reached_by("tcp://*:*", &ipv6(), &["127.0.0.1", "[::1]", "localhost"]);
        is_reached_by("tcp://[::]:*", &ipv6(), &["127.0.0.1", "[::1]"]);
    }
}

#[test]
fn any_host_without_ipv6_is_the_ipv4_one() {
    let options = SocketOptions::default();
    assert!(listen("tcp://*:*", &options).endpoint().to_string().starts_with("tcp://0.0.0.0:"));
    is_reached_by("tcp://*:*", &options, &["127.0.0.1"]);
}

#[test]
fn connecting_to_localhost_tries_the_next_address_after_a_refusal() {
    if has_ipv6() {
        is_reached_by("tcp://[::1]:*", &ipv6(), &["localhost"]);
        is_reached_by("tcp://127.0.0.1:*", &ipv6(), &["localhost"]);
    }
}

#[test]
fn a_peer_mapped_into_ipv6_is_named_by_its_ipv4_address() {
    if !has_ipv6() {
        return;
    }
    let listener = listen("tcp://*:*", &ipv6());
    let to = connectable(&format!("tcp://127.0.0.1:{}", listener.endpoint().port().unwrap()));
    let link = Link::to(listener, &to, &ipv6());
    assert_eq!(link.accepted.ip, Some(IpAddr::from([127, 0, 0, 1])));
    assert_eq!(link.accepted.address, "127.0.0.1");
    assert_eq!(link.server.peer_address(), "127.0.0.1");
    assert_eq!(link.server.local(), to.to_string());
}

#[test]
fn an_interface_name_is_its_address() {
    let Some(loopback) = loopback() else { return skip("no loopback interface with an IPv4 address") };
    let listener = listen(&format!("tcp://{loopback}:*"), &SocketOptions::default());
    let port = listener.endpoint().port().unwrap();
    assert_eq!(listener.endpoint().to_string(), format!("tcp://127.0.0.1:{port}"));
}

fn loopback() -> Option<String> {
    let all = if_addrs::get_if_addrs().unwrap();
    all.into_iter().find(|found| found.ip() == IpAddr::from([127, 0, 0, 1])).map(|found| found.name)
}

#[test]
fn a_zone_is_a_number_or_an_interface() {
    let scope_of = |zone: &str| {
        let to = connectable(&format!("tcp://[fe80::1%{zone}]:5555"));
        resolve(&to, true).map(|found| match found[0] {
            Resolved::Tcp { address: std::net::SocketAddr::V6(address), .. } => address.scope_id(),
            _ => panic!("{found:?}"),
        })
    };
    assert_eq!(scope_of("7").unwrap(), 7);
    assert_eq!(scope_of("no-such-interface").unwrap_err().kind(), ErrorKind::NotFound);
    let all = if_addrs::get_if_addrs().unwrap();
    let Some(any) = all.iter().find(|found| found.index.is_some()) else { return skip("no interface") };
    assert_eq!(Some(scope_of(&any.name).unwrap()), any.index);
}

#[test]
fn a_source_address_is_connected_from() {
    let options = SocketOptions::default();
    let sources = ["127.0.0.1".to_owned(), "localhost".to_owned(), "*".to_owned()];
    for source in sources.into_iter().chain(loopback()) {
        let listener = listen("tcp://127.0.0.1:*", &options);
        let port = listener.endpoint().port().unwrap();
        let to = connectable(&format!("tcp://{source}:*;127.0.0.1:{port}"));
        let link = Link::to(listener, &to, &options);
        assert_eq!(link.accepted.address, "127.0.0.1", "from {source}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_source_port_is_connected_from() {
    let options = SocketOptions::default();
    let listener = listen("tcp://127.0.0.1:*", &options);
    let free = listen("tcp://127.0.0.2:*", &options).endpoint().port().unwrap();
    let port = listener.endpoint().port().unwrap();
    // On Linux, all of 127/8 is this machine.
    let to = connectable(&format!("tcp://127.0.0.2:{free};127.0.0.1:{port}"));
    let link = Link::to(listener, &to, &options);
    assert_eq!(link.accepted.remote, format!("tcp://127.0.0.2:{free}"));
}

#[test]
fn a_source_of_the_other_family_has_no_target() {
    let to = connectable("tcp://[::1]:*;127.0.0.1:5555");
    assert_eq!(resolve(&to, true).unwrap_err().kind(), ErrorKind::Unsupported);
    let to = connectable("tcp://no-such-interface:*;127.0.0.1:5555");
    assert_eq!(resolve(&to, true).unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn a_foreign_address_is_not_available() {
    // RFC 5737: addresses for documentation, which no machine should have.
    let error = Listener::bind(&bindable("tcp://198.51.100.77:5555"), &ipv6()).unwrap_err();
    assert_eq!(error.source.kind(), ErrorKind::AddrNotAvailable, "{error}");
}

#[test]
fn a_name_that_cannot_exist_is_not_found() {
    // A label of 64 bytes is refused before any lookup (RFC 1035 §2.3.4).
    let name = format!("{}.invalid", "x".repeat(64));
    let error = Listener::bind(&bindable(&format!("tcp://{name}:*")), &ipv6()).unwrap_err();
    assert_eq!(error.source.kind(), ErrorKind::NotFound, "{error}");
    let to = connectable(&format!("tcp://{name}:5555"));
    assert_eq!(resolve(&to, true).unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn an_ipv6_address_without_ipv6_is_unsupported() {
    let off = SocketOptions::default();
    let error = Listener::bind(&bindable("tcp://[::1]:*"), &off).unwrap_err();
    assert_eq!(error.source.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("IPV6 is off"), "{error}");
    assert_eq!(resolve(&connectable("tcp://[::1]:5"), false).unwrap_err().kind(), ErrorKind::Unsupported);
}

#[test]
fn only_host_names_need_a_lookup() {
    for (text, needs) in [
        ("tcp://127.0.0.1:5555", false),
        ("tcp://[::1]:5555", false),
        ("tcp://localhost:5555", false),
        ("tcp://eth0:*;127.0.0.1:5555", false),
        ("tcp://example.org:5555", true),
        ("tcp://127.0.0.1:*;example.org:5555", true),
        ("inproc://example.org", false),
    ] {
        assert_eq!(needs_lookup(&connectable(text)), needs, "{text}");
    }
}

#[test]
fn a_connection_to_itself_is_a_refusal() {
    let options = SocketOptions::default();
    let free = listen("tcp://127.0.0.1:*", &options).endpoint().port().unwrap();
    // This happens by chance when a process dials a dead port again and again. Here it is forced.
    let to = connectable(&format!("tcp://127.0.0.1:{free};127.0.0.1:{free}"));
    let error = connect(&mut Waiter::new(), &to, &options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused, "{error}");
}

#[test]
fn options_reach_both_ends() {
    let options = SocketOptions {
        keepalive: Some(true),
        keepalive_cnt: Some(3),
        keepalive_idle: Some(Duration::from_secs(71)),
        keepalive_intvl: Some(Duration::from_secs(13)),
        tos: 0x28,
        priority: 3,
        maxrt: Some(Duration::from_millis(4321)),
        ..SocketOptions::default()
    };
    let link = Link::new(listen("tcp://127.0.0.1:*", &options), &options);
    for stream in [&link.client, &link.server] {
        let socket = socket(stream);
        assert!(socket.tcp_nodelay().unwrap() && socket.keepalive().unwrap());
        #[cfg(target_os = "linux")]
        {
            assert_eq!(socket.tcp_keepalive_retries().unwrap(), 3);
            assert_eq!(socket.tcp_keepalive_time().unwrap(), Duration::from_secs(71));
            assert_eq!(socket.tcp_keepalive_interval().unwrap(), Duration::from_secs(13));
            assert_eq!(socket.tos_v4().unwrap(), 0x28);
            assert_eq!(socket.priority().unwrap(), 3);
            assert_eq!(socket.tcp_user_timeout().unwrap(), Some(Duration::from_millis(4321)));
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_tos_of_ipv6_is_its_traffic_class() {
    if has_ipv6() {
        let options = SocketOptions { tos: 0x28, ..ipv6() };
        let link = Link::new(listen("tcp://[::1]:*", &options), &options);
        assert_eq!(socket(&link.client).tclass_v6().unwrap(), 0x28);
        assert_eq!(socket(&link.server).tclass_v6().unwrap(), 0x28);
    }
}

#[test]
fn without_options_only_nagle_is_off() {
    let options = SocketOptions::default();
    let link = Link::new(listen("tcp://127.0.0.1:*", &options), &options);
    for stream in [&link.client, &link.server] {
        assert!(socket(stream).tcp_nodelay().unwrap());
        assert!(!socket(stream).keepalive().unwrap());
    }
}

fn socket(stream: &Stream) -> SockRef<'_> {
    match stream {
        Stream::Tcp(stream) => SockRef::from(stream),
        #[cfg(unix)]
        other => panic!("{other:?}"),
    }
}

#[cfg(unix)]
#[test]
fn a_listening_socket_is_adopted() {
    let options = SocketOptions::default();
    let theirs = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = theirs.local_addr().unwrap().port();
    let listener = Listener::adopt(&bindable("tcp://*:*"), theirs.into(), &options).unwrap();
    assert_eq!(listener.endpoint().to_string(), format!("tcp://127.0.0.1:{port}"));
    Link::new(listener, &options).talks();
    let theirs = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let error = Listener::adopt(&bindable("ipc://*"), theirs.into(), &options).unwrap_err();
    assert_eq!(error.source.kind(), ErrorKind::InvalidInput);
}
