//! Endpoints: what is valid, how it is printed, and the errors for the rest.

use proptest::prelude::*;
use zeroxide_transports::{Endpoint, EndpointError, Host, Port, Scheme, Source};

fn bind(text: &str) -> Endpoint {
    Endpoint::parse_bind(text).unwrap_or_else(|error| panic!("{error}"))
}

fn connect(text: &str) -> Endpoint {
    Endpoint::parse_connect(text).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn what_is_written_is_what_is_meant() {
    let tcp = |host, port| Endpoint::Tcp { source: None, host, port: Port::new(port) };
    let name = |name: &str| Host::Name(name.into());
    let v6 = |text: &str, zone: Option<&str>| Host::V6 {
        address: text.parse().unwrap(),
        zone: zone.map(str::to_owned),
    };
    for (text, endpoint) in [
        ("tcp://*:*", tcp(Host::Any, 0)),
        ("tcp://*:0", tcp(Host::Any, 0)),
        ("tcp://127.0.0.1:5555", tcp(Host::V4([127, 0, 0, 1].into()), 5555)),
        ("tcp://127.0.0.1:05555", tcp(Host::V4([127, 0, 0, 1].into()), 5555)),
        ("tcp://[::1]:65535", tcp(v6("::1", None), 65535)),
        ("tcp://[fe80::1%eth0]:1", tcp(v6("fe80::1", Some("eth0")), 1)),
        ("tcp://[fe80::1%2]:1", tcp(v6("fe80::1", Some("2")), 1)),
        ("tcp://lo:*", tcp(name("lo"), 0)),
        ("tcp://eth0.100:1", tcp(name("eth0.100"), 1)),
        ("tcp://my_host-1.example.org:1", tcp(name("my_host-1.example.org"), 1)),
        ("inproc:// any text: even // this", Endpoint::Inproc(" any text: even // this".into())),
    ] {
        assert_eq!(bind(text), endpoint, "{text}");
    }
    let source = Source { host: name("eth0"), port: Port::ANY };
    let endpoint = Endpoint::Tcp { source: Some(source), host: v6("::1", None), port: Port::new(5) };
    assert_eq!(connect("tcp://eth0:0;[::1]:5"), endpoint);
    assert_eq!(endpoint.to_string(), "tcp://eth0:*;[::1]:5");
}

#[cfg(unix)]
#[test]
fn an_ipc_address_is_a_path_a_name_or_any() {
    use zeroxide_transports::IpcAddress;

    for (text, address) in [
        ("ipc:///tmp/x", IpcAddress::Path("/tmp/x".into())),
        ("ipc://x;y:z", IpcAddress::Path("x;y:z".into())),
        ("ipc://./@x", IpcAddress::Path("./@x".into())),
        ("ipc://*", IpcAddress::Wildcard),
        ("ipc://*anything", IpcAddress::Wildcard),
    ] {
        assert_eq!(bind(text), Endpoint::Ipc(address), "{text}");
    }
    #[cfg(any(target_os = "linux", target_os = "android"))]
    assert_eq!(connect("ipc://@a@b"), Endpoint::Ipc(IpcAddress::Abstract(b"a@b".to_vec())));
}

#[test]
fn the_canonical_text_is_shortest() {
    assert_eq!(bind("tcp://*:0").to_string(), "tcp://*:*");
    assert_eq!(bind("tcp://[0:0:0:0:0:0:0:1]:0007").to_string(), "tcp://[::1]:7");
    assert_eq!(format!("{:?}", bind("tcp://*:7")), "tcp://*:7");
}

#[test]
fn scheme_and_port_are_known() {
    assert_eq!(bind("tcp://*:7").scheme(), Scheme::Tcp);
    assert_eq!(bind("inproc://a").scheme(), Scheme::Inproc);
    assert_eq!(bind("tcp://*:7").port(), Some(7));
    assert_eq!(bind("tcp://*:*").port(), None);
    assert_eq!(bind("inproc://a:7").port(), None);
}

#[test]
fn a_wildcard_host_is_connectable_on_this_machine() {
    for (bound, reached) in [
        ("tcp://0.0.0.0:5555", "tcp://127.0.0.1:5555"),
        ("tcp://*:5555", "tcp://127.0.0.1:5555"),
        ("tcp://[::]:5555", "tcp://[::1]:5555"),
        ("tcp://10.0.0.1:5555", "tcp://10.0.0.1:5555"),
        ("tcp://[fe80::1%3]:5555", "tcp://[fe80::1%3]:5555"),
        ("inproc://*", "inproc://*"),
    ] {
        assert_eq!(bind(bound).connectable(), connect(reached));
    }
}

#[test]
fn a_socket_address_becomes_an_endpoint() {
    for (address, text) in [
        ("1.2.3.4:5", "tcp://1.2.3.4:5"),
        ("[::1]:5", "tcp://[::1]:5"),
        ("[::ffff:1.2.3.4]:5", "tcp://1.2.3.4:5"),
        ("[fe80::1%7]:5", "tcp://[fe80::1%7]:5"),
    ] {
        assert_eq!(Endpoint::from(address.parse::<std::net::SocketAddr>().unwrap()).to_string(), text);
    }
}

/// Every error text, as a user reads it.
#[test]
fn every_error_says_what_where_and_what_to_do() {
    for (text, said) in [
        (
            "localhost:5555",
            r#""localhost:5555": no transport; write "tcp://localhost:5555" (known: tcp, ipc, inproc)"#,
        ),
        ("/tmp/a", r#""/tmp/a": no transport; write "ipc:///tmp/a" (known: tcp, ipc, inproc)"#),
        ("", r#""": no transport; write "tcp://127.0.0.1:5555" (known: tcp, ipc, inproc)"#),
        ("://a:1", r#""://a:1": no transport; write "tcp://a:1" (known: tcp, ipc, inproc)"#),
        ("udp://a:1", r#""udp://a:1": the transport "udp" is not there yet (known: tcp, ipc, inproc)"#),
        ("ws://a:1/", r#""ws://a:1/": the transport "ws" is not there yet (known: tcp, ipc, inproc)"#),
        ("http://a:1", r#""http://a:1": unknown transport "http" (known: tcp, ipc, inproc)"#),
        ("TCP://a:1", r#""TCP://a:1": a transport is in lower case; write "tcp://a:1""#),
        ("tcp:/a:1", r#""tcp:/a:1": no transport; write "tcp://a:1" (known: tcp, ipc, inproc)"#),
        ("tcp:a:1", r#""tcp:a:1": no transport; write "tcp://a:1" (known: tcp, ipc, inproc)"#),
        ("TCP:/a:1", r#""TCP:/a:1": no transport; write "tcp://a:1" (known: tcp, ipc, inproc)"#),
        ("ipc:/tmp/a", r#""ipc:/tmp/a": no transport; write "ipc:///tmp/a" (known: tcp, ipc, inproc)"#),
        ("tcp//a:1", r#""tcp//a:1": no transport; write "tcp://a:1" (known: tcp, ipc, inproc)"#),
        ("Tcp//a:1", r#""Tcp//a:1": no transport; write "tcp://a:1" (known: tcp, ipc, inproc)"#),
        ("tcp//*:*", r#""tcp//*:*": no transport; write "tcp://*:*" (known: tcp, ipc, inproc)"#),
        ("tcp//[::1]:1", r#""tcp//[::1]:1": no transport; write "tcp://[::1]:1" (known: tcp, ipc, inproc)"#),
        ("inproc//a", r#""inproc//a": no transport; write "inproc://a" (known: tcp, ipc, inproc)"#),
        ("ipc///tmp/a", r#""ipc///tmp/a": no transport; write "ipc:///tmp/a" (known: tcp, ipc, inproc)"#),
        ("inproc:/a", r#""inproc:/a": no transport; write "inproc://a" (known: tcp, ipc, inproc)"#),
        ("tcp://", r#""tcp://": no address after "://""#),
        ("inproc://", r#""inproc://": no address after "://""#),
        ("tcp://127.0.0.1", r#""tcp://127.0.0.1": no port; add ":5555", or ":*" to let the system choose"#),
        ("tcp://h:", r#""tcp://h:": no port; add ":5555", or ":*" to let the system choose"#),
        ("tcp://[::1]", r#""tcp://[::1]": no port; add ":5555", or ":*" to let the system choose"#),
        ("tcp://h:70000", r#""tcp://h:70000": port "70000" is not in 1..65535"#),
        ("tcp://h:5555x", r#""tcp://h:5555x": port "5555x" is not in 1..65535"#),
        ("tcp://h:+5", r#""tcp://h:+5": port "+5" is not in 1..65535"#),
        ("tcp://h:-1", r#""tcp://h:-1": port "-1" is not in 1..65535"#),
        (
            "tcp://h:99999999999999999999",
            r#""tcp://h:99999999999999999999": port "99999999999999999999" is not in 1..65535"#,
        ),
        ("tcp://a b:1", r#""tcp://a b:1": "a b" is not an address, an interface or a host name"#),
        ("tcp://:1", r#""tcp://:1": "" is not an address, an interface or a host name"#),
        ("tcp://[::g]:1", r#""tcp://[::g]:1": "[::g]" is not an address, an interface or a host name"#),
        (
            "tcp://[fe80::1%]:1",
            r#""tcp://[fe80::1%]:1": "[fe80::1%]" is not an address, an interface or a host name"#,
        ),
        ("tcp://::1:1", r#""tcp://::1:1": IPv6 addresses are written in brackets: "[::1]""#),
        (
            "tcp://a:1;b:2",
            r#""tcp://a:1;b:2": a source address before ";" is for connect; bind takes one address"#,
        ),
    ] {
        assert_eq!(Endpoint::parse_bind(text).unwrap_err().to_string(), said);
    }
    for (text, said) in [
        ("tcp://*:5555", r#""tcp://*:5555": "*" is for bind; connect needs a host such as 127.0.0.1"#),
        ("tcp://h", r#""tcp://h": no port; add ":5555""#),
        ("tcp://h:*", r#""tcp://h:*": port "*" or 0 is for bind; connect needs a port such as 5555"#),
        ("tcp://h:0", r#""tcp://h:0": port "*" or 0 is for bind; connect needs a port such as 5555"#),
        ("tcp://eth0;h:1", r#""tcp://eth0;h:1": no port; add ":5555""#),
        (
            "tcp://a:1;b:2;c:3",
            r#""tcp://a:1;b:2;c:3": "b:2;c" is not an address, an interface or a host name"#,
        ),
        (
            "tcp://fe80::1%lo:1",
            r#""tcp://fe80::1%lo:1": IPv6 addresses are written in brackets: "[fe80::1%lo]""#,
        ),
    ] {
        assert_eq!(Endpoint::parse_connect(text).unwrap_err().to_string(), said);
    }
}

#[cfg(unix)]
#[test]
fn every_ipc_error_says_what_where_and_what_to_do() {
    let long = format!("ipc:///{}", "x".repeat(107));
    let limit = if cfg!(any(target_os = "linux", target_os = "android")) { 107 } else { 103 };
    let too_long = format!("{long:?}: longer than the {limit} bytes that a local socket's name may have");
    for (text, said) in [
        ("ipc://", r#""ipc://": no address after "://""#),
        (long.as_str(), too_long.as_str()),
        ("ipc:///a\0b", r#""ipc:///a\0b": a path cannot hold a NUL"#),
        ("ipc://@", r#""ipc://@": no name after "@""#),
    ] {
        assert_eq!(Endpoint::parse_bind(text).unwrap_err().to_string(), said);
        assert_eq!(Endpoint::parse_connect(text).unwrap_err().to_string(), said);
    }
    let error = Endpoint::parse_connect("ipc://*").unwrap_err();
    let said = r#""ipc://*": "*" is for bind; connect needs the path that bind returned"#;
    assert_eq!(error.to_string(), said);
}

#[test]
fn errors_of_other_platforms_have_texts_too() {
    let text = || "ipc://@a".to_owned();
    assert_eq!(
        EndpointError::AbstractUnsupported(text()).to_string(),
        r#""ipc://@a": abstract names are for Linux and Android; use a path"#
    );
    assert_eq!(
        EndpointError::IpcUnsupported(text()).to_string(),
        r#""ipc://@a": ipc is not supported on this platform; use "tcp://127.0.0.1:5555""#
    );
}

#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn a_name_may_fill_the_socket_address_and_no_more() {
    for prefix in ["ipc://@", "ipc:///"] {
        let room = if prefix.ends_with('@') { 107 } else { 106 };
        assert!(Endpoint::parse_bind(&format!("{prefix}{}", "x".repeat(room))).is_ok());
        let error = Endpoint::parse_bind(&format!("{prefix}{}", "x".repeat(room + 1))).unwrap_err();
        assert!(matches!(error, EndpointError::PathTooLong(_)), "{error}");
    }
}

fn host() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<std::net::Ipv4Addr>().prop_map(|address| address.to_string()),
        any::<std::net::Ipv6Addr>().prop_map(|address| format!("[{address}]")),
        (any::<std::net::Ipv6Addr>(), "[a-z0-9]{1,8}").prop_map(|(ip, zone)| format!("[{ip}%{zone}]")),
        "[a-zA-Z0-9._-]{1,30}",
    ]
}

fn endpoint() -> impl Strategy<Value = String> {
    let source = proptest::option::of((host(), any::<u16>()));
    prop_oneof![
        (source, host(), 1..=u16::MAX).prop_map(|(source, host, port)| match source {
            Some((ours, any)) => format!("tcp://{ours}:{any};{host}:{port}"),
            None => format!("tcp://{host}:{port}"),
        }),
        "[^\0*@][^\0]{0,20}".prop_map(|path| format!("ipc://{path}")),
        ".{1,20}".prop_map(|name| format!("inproc://{name}")),
    ]
}

/// Returns texts that are almost valid endpoints.
fn nonsense() -> impl Strategy<Value = String> {
    prop_oneof![
        ".{0,40}",
        "(tcp|ipc|inproc|udp|)(://|:/|)[]\\[*@;:%0-9a-f./\0é-]{0,24}",
        endpoint().prop_flat_map(|text| {
            let length = text.chars().count();
            (Just(text), 0..length, any::<char>()).prop_map(|(text, at, other)| {
                text.chars().enumerate().map(|(n, c)| if n == at { other } else { c }).collect()
            })
        }),
    ]
}

proptest! {
    #[test]
    fn printing_and_parsing_again_is_the_identity(text in endpoint()) {
        if let Ok(endpoint) = Endpoint::parse_connect(&text) {
            prop_assert_eq!(connect(&endpoint.to_string()), endpoint);
        } else {
            prop_assert!(!cfg!(unix), "{:?}", Endpoint::parse_connect(&text));
        }
    }

    #[test]
    fn nonsense_never_panics_and_what_passes_prints_and_parses(text in nonsense()) {
        match Endpoint::parse_bind(&text) {
            Ok(endpoint) => {
                prop_assert_eq!(bind(&endpoint.to_string()), endpoint.clone());
                let _ = endpoint.connectable();
            }
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
        match Endpoint::parse_connect(&text) {
            Ok(endpoint) => prop_assert_eq!(connect(&endpoint.to_string()), endpoint),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }

    #[test]
    fn only_ports_in_range_pass(port in any::<u32>()) {
        let passes = Endpoint::parse_connect(&format!("tcp://h:{port}")).is_ok();
        prop_assert_eq!(passes, (1..=65535).contains(&port));
    }

    #[test]
    fn what_may_be_connected_to_without_source_may_be_bound(text in endpoint()) {
        if !text.contains(';') {
            prop_assert_eq!(Endpoint::parse_bind(&text), Endpoint::parse_connect(&text));
        }
    }
}
