use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use zeroxide_patterns::PatternOptions;
use zeroxide_transports::{Endpoint, Scheme, SocketOptions};
use zeroxide_zmtp::Version;

use super::kind::check;
use super::opt::{CType, InC, TABLE};
use super::row::Support;
use super::row::Unit;
use super::*;

fn socket_type(name: &str) -> SocketType {
    SocketType::from_name(name.as_bytes()).unwrap()
}

fn all_types() -> impl Iterator<Item = SocketType> {
    (0..=20).map(|number| SocketType::from_number(number).unwrap())
}

fn values(options: &Options, t: &str) -> Values {
    options.values(socket_type(t)).unwrap()
}

fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}

#[test]
fn every_number_of_libzmq_has_one_row() {
    let unused = [10, 20, 26, 29, 30, 67, 70, 82, 83];
    let libzmqs = (4..=124).filter(|number| !unused.contains(number));
    // Options of this library that the C interface has are far beyond.
    let expected: Vec<i32> = libzmqs.chain(10_001..=10_002).collect();
    let mut numbers: Vec<i32> = TABLE.iter().filter_map(|row| row.number()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, expected, "70 is a context's option, the others are nobody's");
}

#[test]
fn names_are_unique_and_types_exist() {
    let names: BTreeSet<&str> = TABLE.iter().map(|row| row.name()).collect();
    assert_eq!(names.len(), TABLE.len());
    for row in TABLE {
        assert!(row.types().iter().all(|name| SocketType::from_name(name.as_bytes()).is_some()), "{row:?}");
        assert!(row.doc().ends_with('.'), "{row:?}");
        assert_eq!(row.number().is_none(), row.c_type() == CType::none, "{row:?}");
    }
}

#[test]
fn own_options_are_those_that_no_number_names() {
    let own: Vec<&str> = TABLE.iter().filter(|row| row.number().is_none()).map(|row| row.name()).collect();
    let expected = [
        "REDIAL_AFTER_FAULT",
        "SIGNATURE_IVL",
        "MAX_HANDSHAKES",
        "MAX_HANDSHAKES_PER_HOST",
        "HANDSHAKE_BUFFER",
        "ACCEPT_BACKOFF",
        "MIN_VERSION",
        "MAX_MULTIPART",
        "MAX_FRAMES",
        "MAX_TOPIC",
        "MAX_SUBSCRIPTIONS",
        "MAX_SUBSCRIPTION_BYTES",
        "AUTH_REQUIRED",
        "IPC_TAKE_OVER",
    ];
    assert_eq!(own, expected);
}

#[test]
fn defaults_are_inside_their_limits() {
    for t in all_types() {
        assert_eq!(Values::native(Some(t)).check_all(), Ok(()));
        assert_eq!(Values::libzmq(Some(t)).check_all(), Ok(()));
    }
}

#[test]
fn native_defaults_bound_every_wait_and_size() {
    let values = values(&Options::new(), "ROUTER");
    assert_eq!(values.linger, Some(Duration::from_secs(1)));
    assert_eq!(values.maxmsgsize, Some(64 << 20));
    assert_eq!(values.max_multipart, Some(256 << 20));
    assert_eq!(values.max_frames, 65_536);
    assert_eq!((values.max_handshakes, values.handshakes_per_host()), (1024, 128));
    assert_eq!((values.signature_ivl, values.handshake_buffer), (Some(Duration::from_secs(2)), 4096));
    assert_eq!(values.handshake_ivl, Some(Duration::from_secs(10)));
    assert_eq!(values.min_version, Version::V3_0);
    assert!(values.router_mandatory);
}

#[test]
fn never_lingering_types_have_linger_0_under_both_defaults() {
    for t in all_types() {
        let zero = Some(Duration::ZERO);
        assert_eq!(Values::native(Some(t)).linger == zero, t.never_lingers(), "{t}");
        assert_eq!(Values::libzmq(Some(t)).linger, if t.never_lingers() { zero } else { None }, "{t}");
    }
}

#[test]
fn native_and_libzmq_defaults_differ_only_where_the_design_says() {
    let push = Some(socket_type("PUSH"));
    let differing: Vec<&str> = TABLE
        .iter()
        .filter(|row| row.native_default(push) != row.libzmq_default(push))
        .map(|row| row.name())
        .collect();
    assert_eq!(
        differing,
        [
            "RCVHWM_BYTES",
            "RCVHWM_BYTES_TOTAL",
            "LINGER",
            "REDIAL_AFTER_FAULT",
            "CONNECT_TIMEOUT",
            "HANDSHAKE_IVL",
            "SIGNATURE_IVL",
            "MAX_HANDSHAKES",
            "MAX_HANDSHAKES_PER_HOST",
            "HANDSHAKE_BUFFER",
            "MIN_VERSION",
            "MAXMSGSIZE",
            "MAX_MULTIPART",
            "MAX_FRAMES",
            "MAX_TOPIC",
            "MAX_SUBSCRIPTIONS",
            "MAX_SUBSCRIPTION_BYTES",
            "ZAP_ENFORCE_DOMAIN",
            "AUTH_REQUIRED",
            "IPC_TAKE_OVER",
            "ROUTER_MANDATORY"
        ]
    );
}

#[test]
fn libzmq_defaults_are_libzmqs() {
    let values = values(&Options::with_libzmq_defaults(), "DEALER");
    assert_eq!((values.sndhwm, values.rcvhwm, values.backlog), (1000, 1000, 100));
    assert_eq!((values.linger, values.sndtimeo, values.rcvtimeo), (None, None, None));
    assert_eq!((values.reconnect_ivl, values.reconnect_ivl_max), (Some(millis(100)), None));
    assert_eq!((values.handshake_ivl, values.heartbeat_ivl), (Some(millis(30_000)), None));
    assert_eq!((values.maxmsgsize, values.min_version), (None, Version::V1_0));
    assert!(!values.router_mandatory && values.stream_notify);
    assert_eq!(values.pattern_options(), PatternOptions::default());
    assert_eq!(values.socket_options(), SocketOptions { take_over: true, ..SocketOptions::default() });
}

#[test]
fn live_options_are_those_that_act_on_existing_connections() {
    let live: BTreeSet<&str> = TABLE
        .iter()
        .filter(|row| row.support() == Support::Works && row.scope() == opt::Scope::Live)
        .map(|row| row.name())
        .collect();
    let expected = [
        "INVERT_MATCHING",
        "LINGER",
        "MAX_SUBSCRIPTIONS",
        "MAX_SUBSCRIPTION_BYTES",
        "ONLY_FIRST_SUBSCRIBE",
        "PROBE_ROUTER",
        "RCVHWM",
        "RCVHWM_BYTES",
        "RCVHWM_BYTES_TOTAL",
        "RCVTIMEO",
        "REQ_CORRELATE",
        "REQ_RELAXED",
        "ROUTER_HANDOVER",
        "ROUTER_MANDATORY",
        "SNDHWM",
        "SNDTIMEO",
        "STREAM_NOTIFY",
        "XPUB_MANUAL",
        "XPUB_MANUAL_LAST_VALUE",
        "XPUB_NODROP",
        "XPUB_VERBOSE",
        "XPUB_VERBOSER",
        "XPUB_WELCOME_MSG",
        "XSUB_VERBOSE_UNSUBSCRIBE",
    ];
    assert_eq!(live.into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn conflate_belongs_to_the_types_that_conflate() {
    for t in all_types() {
        assert_eq!(opt::CONFLATE.row().applies_to(t), t.conflates(), "{t}");
    }
}

#[test]
fn limits_include_their_ends() {
    let ttl = |d| Options::new().set(opt::HEARTBEAT_TTL, d).check().is_ok();
    assert!(ttl(Duration::ZERO) && ttl(millis(6_553_500)));
    assert!(!ttl(millis(6_553_500) + Duration::from_nanos(1)) && !ttl(Duration::MAX));

    let reconnect = |d| Options::new().set(opt::RECONNECT_IVL, d).check().is_ok();
    assert!(reconnect(None) && reconnect(Some(millis(1))) && reconnect(Some(millis(i32::MAX as u64))));
    assert!(!reconnect(Some(Duration::ZERO)) && !reconnect(Some(millis(1 << 31))));

    let hwm = |n| Options::new().set(opt::SNDHWM, n).check().is_ok();
    assert!(hwm(0) && hwm(i32::MAX as u32) && !hwm(1 << 31));

    let size = |n| Options::new().set(opt::MAXMSGSIZE, n).check().is_ok();
    assert!(size(None) && size(Some(0)) && size(Some(i64::MAX as u64)) && !size(Some(1 << 63)));

    let device = |name: &str| Options::new().set(opt::BINDTODEVICE, name.to_owned()).check().is_ok();
    assert!(device("eth0") && device("123456789012345"));
    assert!(!device("") && !device("1234567890123456") && !device("eth\0"));
}

#[test]
fn a_routing_id_does_not_begin_with_a_zero_byte() {
    let set = |bytes: &[u8]| Options::new().set(opt::ROUTING_ID, RoutingId::new(bytes).unwrap()).check();
    assert_eq!(set(b"w\0"), Ok(()));
    assert_eq!(
        set(b"\0w").unwrap_err().to_string(),
        "ROUTING_ID = (hex 0077): allowed 1..255 bytes, not beginning with a zero byte"
    );
}

#[test]
fn metadata_names_are_those_of_applications() {
    let set = |name: &str| Options::new().set(opt::METADATA, vec![(name.to_owned(), Bytes::new())]).check();
    assert_eq!(set("X-key"), Ok(()));
    assert_eq!(set("x-a.b_c+1"), Ok(()));
    for name in ["", "X-", "key", "Identity", "X-a b", "X-ä", &format!("X-{}", "a".repeat(254))] {
        assert!(matches!(set(name), Err(OptionError::OutOfRange { option: "METADATA", .. })), "{name}");
    }
    let big = vec![("X-k".to_owned(), Bytes::from(vec![0; 4096]))];
    assert!(Options::new().set(opt::METADATA, big).check().is_err());
    let many = vec![("X-k".to_owned(), Bytes::new()); 65];
    assert!(Options::new().set(opt::METADATA, many).check().is_err());
}

#[test]
fn an_invalid_value_is_reported_when_used_and_forgotten_when_corrected() {
    let wrong = Options::new().set(opt::SNDHWM, u32::MAX).set(opt::TOS, 256);
    let error = OptionError::OutOfRange {
        option: "SNDHWM",
        value: u32::MAX.to_string(),
        allowed: "0..2147483647".to_owned(),
    };
    assert_eq!(wrong.check(), Err(error.clone()), "the first counts");
    assert_eq!(wrong.values(socket_type("PUSH")).unwrap_err(), error);
    assert_eq!(wrong.get(opt::SNDHWM), None);

    let right = wrong.set(opt::SNDHWM, 5);
    assert_eq!(values(&right, "PUSH").sndhwm, 5);
}

#[test]
fn an_option_of_another_type_is_refused() {
    let options = Options::new().set(opt::ROUTER_HANDOVER, true);
    assert!(values(&options, "ROUTER").router_handover);
    assert_eq!(
        options.values(socket_type("SUB")).unwrap_err().to_string(),
        "ROUTER_HANDOVER: SUB sockets do not have it, only ROUTER"
    );
}

#[test]
fn an_endpoint_takes_its_own_options_over_the_sockets() {
    let dealer = socket_type("DEALER");
    let socket = values(&Options::new().set(opt::SNDHWM, 7).set(opt::RCVHWM, 8), "DEALER");
    let endpoint = Options::new().set(opt::RCVHWM, 9).endpoint_values(dealer, &socket).unwrap();
    assert_eq!((endpoint.sndhwm, endpoint.rcvhwm), (7, 9));
    let endpoint = Options::with_libzmq_defaults().endpoint_values(dealer, &socket).unwrap();
    assert_eq!(format!("{endpoint:?}"), format!("{socket:?}"));

    let whole = Options::new().set(opt::SNDTIMEO, None);
    assert_eq!(
        whole.endpoint_values(dealer, &socket).unwrap_err(),
        OptionError::NotForEndpoint { option: "SNDTIMEO" }
    );
}

#[test]
fn an_option_of_a_missing_feature_is_refused_by_name() {
    let options = Options::new().set(opt::WSS_HOSTNAME, "example.org".to_owned());
    assert_eq!(options.check().unwrap_err().to_string(), "WSS_HOSTNAME: not supported yet (needs wss)");
    let read = opt::WSS_HOSTNAME.read_from(&Values::native(None));
    assert_eq!(read, Err(OptionError::NotYet { option: "WSS_HOSTNAME", needs: "wss" }));
}

#[test]
fn a_proxy_is_a_tcp_address_and_is_dialled_in_place_of_tcp_peers_alone() {
    for wrong in ["", "127.0.0.1", "tcp://127.0.0.1:1080", "*:1080", "proxy:0"] {
        assert!(Options::new().set(opt::SOCKS_PROXY, wrong.to_owned()).check().is_err(), "{wrong}");
    }
    let with = |proxy: &str| values(&Options::new().set(opt::SOCKS_PROXY, proxy.to_owned()), "PUSH");
    let hop = |values: &Values, peer: &str| {
        let peer = Endpoint::parse_connect(peer).unwrap();
        assert_eq!(values.socks(&peer).unwrap().is_some(), peer.scheme() == Scheme::Tcp);
        values.first_hop(&peer).unwrap().to_string()
    };
    let plain = with("proxy:1080");
    assert_eq!(hop(&plain, "tcp://peer:5555"), "tcp://proxy:1080");
    assert_eq!(hop(&plain, "tcp://10.0.0.1:0;peer:5555"), "tcp://10.0.0.1:*;proxy:1080");
    assert_eq!(hop(&plain, "inproc://peer"), "inproc://peer");
    assert_eq!(hop(&with("lo:0;proxy:1080"), "tcp://10.0.0.1:0;peer:5555"), "tcp://lo:*;proxy:1080");
}

#[test]
fn live_values_are_read_and_written_one_by_one() {
    let (router, sub) = (socket_type("ROUTER"), socket_type("SUB"));
    let mut values = Values::native(Some(router));
    assert_eq!(opt::TYPE.read_from(&values), Ok(router));
    assert_eq!(opt::ROUTING_ID.read_from(&values), Err(OptionError::Unset { option: "ROUTING_ID" }));
    assert_eq!(opt::SNDHWM.write_to(&mut values, 3, router), Ok(()));
    assert_eq!(opt::SNDHWM.read_from(&values), Ok(3));

    assert!(matches!(opt::REQ_RELAXED.read_from(&values), Err(OptionError::NotForType { .. })));

    let before = values.clone();
    assert!(opt::SNDHWM.write_to(&mut values, u32::MAX, router).is_err());
    assert!(opt::ROUTER_HANDOVER.write_to(&mut values, true, sub).is_err());
    assert_eq!(format!("{values:?}"), format!("{before:?}"));
}

#[test]
fn debug_shows_what_was_set_and_no_secret() {
    let id = RoutingId::new("w7").unwrap();
    let options = Options::new().set(opt::ROUTING_ID, id).set(opt::LINGER, None);
    assert_eq!(format!("{options:?}"), r#"Options { ROUTING_ID: "w7", LINGER: for ever }"#);

    for options in [
        Options::new().set(opt::PLAIN_PASSWORD, "hunter2"),
        Options::new().set(opt::SOCKS_PASSWORD, "hunter2"),
        Options::new().set(opt::WSS_KEY_PEM, "hunter2".to_owned()),
    ] {
        assert!(!format!("{options:?} {:?}", options.check()).contains("hunter2"));
    }
}

#[test]
fn an_error_shows_no_secret() {
    let row = Row { unit: Unit::Length, range: Some((1, 3)), ..secret_row() };
    let error = check(&row, &"hunter2".to_owned(), None).unwrap_err();
    assert_eq!(error.to_string(), "SECRET = ***: allowed 1..3 bytes");
}

fn secret_row() -> Row {
    Row {
        name: "SECRET",
        number: None,
        c_type: CType::none,
        rust_type: "String",
        scope: opt::Scope::AtAttach,
        place: Place::Endpoint,
        types: &[],
        unit: Unit::Any,
        range: None,
        none: None,
        none_in_c: &[],
        rule: None,
        secret: true,
        support: Support::Works,
        in_c: InC::Works,
        feature: None,
        doc: "",
        show: |_| String::new(),
        copy: |_, _| {},
        text: |_| None,
        set_text: |_, _| Ok(()),
    }
}

/// Each switch reaches the field of its name, and no other.
#[test]
fn patterns_get_every_option_of_theirs() {
    let mut on = Values::libzmq(None);
    on.router_mandatory = true;
    assert_eq!(on.pattern_options(), PatternOptions { router_mandatory: true, ..PatternOptions::default() });

    macro_rules! reaches {
        ($($field:ident)+) => {$({
            let mut values = Values::libzmq(None);
            values.$field = !values.$field;
            let mut expected = PatternOptions::default();
            expected.$field = !expected.$field;
            assert_eq!(values.pattern_options(), expected, stringify!($field));
        })+};
    }
    reaches!(router_mandatory router_handover router_raw probe_router req_correlate req_relaxed xpub_verbose
        xpub_verboser xpub_manual xpub_manual_last_value xpub_nodrop xsub_verbose_unsubscribe only_first_subscribe invert_matching
        stream_notify);

    let welcome = Some(Bytes::from_static(b"hello"));
    let options = Options::new()
        .set(opt::XPUB_WELCOME_MSG, welcome.clone())
        .set(opt::MAX_SUBSCRIPTIONS, 5)
        .set(opt::MAX_SUBSCRIPTION_BYTES, Some(6));
    let got = values(&options, "XPUB").pattern_options();
    assert_eq!(got.xpub_welcome_msg, welcome);
    assert_eq!((got.max_subscriptions, got.max_subscription_bytes), (5, Some(6)));
}

#[test]
fn transports_get_every_option_of_theirs() {
    let options = Options::new()
        .set(opt::SNDBUF, Some(1))
        .set(opt::RCVBUF, Some(2))
        .set(opt::TCP_KEEPALIVE, Some(true))
        .set(opt::TCP_KEEPALIVE_CNT, Some(3))
        .set(opt::TCP_KEEPALIVE_IDLE, Some(millis(4000)))
        .set(opt::TCP_KEEPALIVE_INTVL, Some(millis(5000)))
        .set(opt::TOS, 6)
        .set(opt::PRIORITY, 7)
        .set(opt::TCP_MAXRT, Some(millis(8)))
        .set(opt::BINDTODEVICE, "lo".to_owned())
        .set(opt::BUSY_POLL, 9)
        .set(opt::BACKLOG, 10)
        .set(opt::IPV6, true)
        .set(opt::IPC_TAKE_OVER, true);
    let expected = SocketOptions {
        sndbuf: Some(1),
        rcvbuf: Some(2),
        keepalive: Some(true),
        keepalive_cnt: Some(3),
        keepalive_idle: Some(millis(4000)),
        keepalive_intvl: Some(millis(5000)),
        tos: 6,
        priority: 7,
        maxrt: Some(millis(8)),
        bind_to_device: Some("lo".to_owned()),
        busy_poll: Some(9),
        backlog: 10,
        ipv6: true,
        take_over: true,
    };
    assert_eq!(values(&options, "PUSH").socket_options(), expected);
}

#[test]
fn connections_get_every_option_of_theirs() {
    let metadata = vec![("X-k".to_owned(), Bytes::from_static(b"v"))];
    let options = Options::new()
        .set(opt::ROUTING_ID, RoutingId::new("w7").unwrap())
        .set(opt::MIN_VERSION, Version::V3_1)
        .set(opt::MAXMSGSIZE, Some(1))
        .set(opt::MAX_MULTIPART, Some(2))
        .set(opt::MAX_FRAMES, 3)
        .set(opt::MAX_TOPIC, 4)
        .set(opt::HANDSHAKE_IVL, Some(millis(5)))
        .set(opt::HEARTBEAT_IVL, Some(millis(6)))
        .set(opt::HEARTBEAT_TTL, millis(700))
        .set(opt::METADATA, metadata.clone());
    let config = values(&options, "ROUTER").connection_config(socket_type("ROUTER"));
    assert_eq!(config.socket_type, socket_type("ROUTER"));
    assert_eq!(config.routing_id, "w7");
    assert_eq!(config.min_version, Version::V3_1);
    assert_eq!((config.max_frame, config.max_message), (Some(1), 2));
    assert_eq!((config.max_parts, config.max_topic), (3, 4));
    assert_eq!((config.handshake_timeout, config.heartbeat), (Some(millis(5)), Some(millis(6))));
    assert_eq!(config.heartbeat_ttl, millis(700));
    assert_eq!(config.properties, metadata);
    assert!(!config.raw);
    assert_eq!(config.signature_timeout, None, "a peer that was dialled is not hurried");
    let accepted = values(&options, "ROUTER").accepted_config(socket_type("ROUTER"));
    assert_eq!(accepted.signature_timeout, Some(Duration::from_secs(2)));

    let raw = Options::new().set(opt::ROUTER_RAW, true);
    assert!(values(&raw, "ROUTER").connection_config(socket_type("ROUTER")).raw);
    assert!(values(&Options::new(), "STREAM").connection_config(socket_type("STREAM")).raw);
}

#[test]
fn no_limit_is_no_limit_to_a_connection() {
    let config = Values::libzmq(None).connection_config(socket_type("PULL"));
    assert_eq!((config.max_frame, config.max_message), (None, u64::MAX));
    assert_eq!((config.max_parts, config.max_topic), (u32::MAX, usize::MAX));
}

#[test]
fn heartbeat_timeout_is_the_interval_unless_set_and_0_is_for_ever() {
    let silence = |ivl: Option<u64>, timeout: Option<u64>| {
        let options = Options::new()
            .set(opt::HEARTBEAT_IVL, ivl.map(millis))
            .set(opt::HEARTBEAT_TIMEOUT, timeout.map(millis));
        values(&options, "PUSH").connection_config(socket_type("PUSH")).heartbeat_timeout
    };
    assert_eq!(silence(Some(10), None), Some(millis(10)));
    assert_eq!(silence(Some(10), Some(25)), Some(millis(25)));
    assert_eq!(silence(Some(10), Some(0)), None);
    assert_eq!(silence(None, None), None);
}

#[test]
fn context_options_have_limits() {
    assert_eq!(ContextOptions::new().check(), Ok(()));
    assert_eq!(ContextOptions::new().io_threads(0).max_sockets(65_535).check(), Ok(()));
    let text = |options: ContextOptions| options.check().unwrap_err().to_string();
    assert_eq!(text(ContextOptions::new().max_sockets(0)), "MAX_SOCKETS = 0: allowed 1..65535");
    assert_eq!(text(ContextOptions::new().io_threads(1025)), "IO_THREADS = 1025: allowed 0..1024");
    assert_eq!(
        text(ContextOptions::new().thread_name("a\0")),
        r#"THREAD_NAME_PREFIX = "a\0": allowed 1..15 bytes, no NUL"#
    );
    assert_eq!(
        text(ContextOptions::new().linger(Some(Duration::from_secs(3_000_000)))),
        "linger = 3000000 s: allowed 0..2147483.647 s"
    );
}

#[test]
fn durations_are_shown_in_the_unit_that_reads_best() {
    let shown =
        [0, 20, 250_000, 1_500_000, 2_000_000, 7_000_000_000].map(Duration::from_micros).map(show_duration);
    assert_eq!(shown, ["0 s", "20 µs", "250 ms", "1.5 s", "2 s", "7000 s"]);
}

/// The page that users read is the table. `ZEROXIDE_WRITE_DOCS=1` writes it anew.
#[test]
fn docs_options_md_is_generated_from_the_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/OPTIONS.md");
    let page = page();
    if std::env::var_os("ZEROXIDE_WRITE_DOCS").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(found == page, "docs/OPTIONS.md is out of date: run the tests with ZEROXIDE_WRITE_DOCS=1");
}

/// Options that bound what a peer can take; docs/LIMITS.md has them all, with the defaults of the table.
const LIMITS: &[&str] = &[
    "CONNECT_TIMEOUT",
    "SNDHWM",
    "RCVHWM",
    "RCVHWM_BYTES",
    "RCVHWM_BYTES_TOTAL",
    "HANDSHAKE_IVL",
    "SIGNATURE_IVL",
    "MAX_HANDSHAKES",
    "MAX_HANDSHAKES_PER_HOST",
    "HANDSHAKE_BUFFER",
    "ACCEPT_BACKOFF",
    "MIN_VERSION",
    "HEARTBEAT_TIMEOUT",
    "MAXMSGSIZE",
    "MAX_MULTIPART",
    "MAX_FRAMES",
    "MAX_TOPIC",
    "MAX_SUBSCRIPTIONS",
    "MAX_SUBSCRIPTION_BYTES",
    "BACKLOG",
];

#[test]
fn docs_limits_md_tells_every_limit_with_its_defaults() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/LIMITS.md")).unwrap();
    let rows: Vec<Vec<&str>> =
        page.lines().map(|line| line.trim_matches('|').split('|').map(str::trim).collect()).collect();
    let told: BTreeSet<&str> = rows.iter().filter_map(|row| row.get(1)?.strip_prefix('`')).collect();
    assert_eq!(told.len(), LIMITS.len(), "{told:?}");
    for name in LIMITS {
        let row = TABLE.iter().find(|row| row.name() == *name).unwrap();
        let shown = rows.iter().find(|cells| cells.get(1) == Some(&&format!("`{name}`")[..]));
        let shown = shown.unwrap_or_else(|| panic!("docs/LIMITS.md does not tell of {name}"));
        let defaults = [row.native_default(None), row.libzmq_default(None)];
        assert_eq!([shown[2], shown[3]], [&defaults[0][..], &defaults[1]], "{name}");
    }
}

/// An option that is named as limits are is one, and so stands in the list.
#[test]
fn no_limit_is_missing_in_the_list() {
    let named = |name: &str| name.starts_with("MAX") || name.ends_with("HWM");
    let works = TABLE.iter().filter(|row| row.support() == Support::Works);
    for row in works.filter(|row| named(row.name())) {
        assert!(LIMITS.contains(&row.name()), "{row:?}");
    }
}

const INTRODUCTION: &str = "\
# Socket options

Generated from the table in `src/options/table.rs`; change that, then run the tests with `ZEROXIDE_WRITE_DOCS=1`.

Every option is a constant of `zeroxide::opt` under libzmq's name without `ZMQ_`. `Options::set` collects values for a
new socket (`socket_with`) or for one endpoint (`bind_with`, `connect_with`); `Socket::set` changes those marked *live*
on a socket in use. Times are `Duration`s; `None` stands for what libzmq writes as -1 or 0. Options of a cargo feature
that is off are an error that names it.

*default* is that of the Rust API, *libzmq* that of libzmq, of its C interface and of `Options::with_libzmq_defaults()`.
*when*: **live** takes effect at once; **attach** is read at bind or connect; **read** can only be read. A `*` behind it:
for the whole socket only, not for one endpoint.
";

fn page() -> String {
    let mut page = INTRODUCTION.to_owned();
    page += "\n## Options that work\n\n";
    page += "| option | no. | C type | Rust type | when | sockets | default | libzmq | allowed | meaning |\n";
    page += "|---|---|---|---|---|---|---|---|---|---|\n";
    for row in TABLE.iter().filter(|row| matches!(row.support(), Support::Works | Support::NotBuilt(_))) {
        let number = row.number().map_or("–".to_owned(), |n| n.to_string());
        let columns = [
            format!("`{}`", row.name()),
            number,
            c_form(row),
            format!("`{}`", row.rust_type()),
            when(row),
            sockets(row),
            row.native_default(None),
            row.libzmq_default(None),
            row.allowed(),
            row.feature().map_or(row.doc().to_owned(), |name| format!("{} Feature `{name}`.", row.doc())),
        ];
        page += &format!("| {} |\n", columns.join(" | "));
    }
    page += "\n## Options that are not supported yet\n\nIn Rust, setting one is an error that names what is missing.\n\n";
    page += "| option | no. | C type | in C | sockets | libzmq | needs | meaning |\n";
    page += "|---|---|---|---|---|---|---|---|\n";
    for row in TABLE {
        let (Support::NotYet(needs), Some(number)) = (row.support(), row.number()) else { continue };
        let (name, c_type, doc) = (row.name(), row.c_type(), row.doc());
        let in_c = match row.in_c() {
            InC::Works => "works",
            InC::Kept { .. } => "kept, without effect",
            InC::Fails => "`EINVAL`",
        };
        let (types, default) = (sockets(row), row.libzmq_default(None));
        page +=
            &format!("| `{name}` | {number} | {c_type} | {in_c} | {types} | {default} | {needs} | {doc} |\n");
    }
    page += "\n## Options of libzmq's C interface alone\n\n";
    page += "| option | no. | C type | sockets | meaning | in Rust |\n|---|---|---|---|---|---|\n";
    for row in TABLE {
        let (Support::COnly(instead), Some(number)) = (row.support(), row.number()) else { continue };
        let (name, c_type, doc) = (row.name(), row.c_type(), row.doc());
        page += &format!("| `{name}` | {number} | {c_type} | {} | {doc} | {instead} |\n", sockets(row));
    }
    page
}

fn c_form(row: &Row) -> String {
    let none: Vec<String> = row.none_in_c().iter().map(i32::to_string).collect();
    if none.is_empty() {
        return row.c_type().to_string();
    }
    format!("{}, `None`: {}", row.c_type(), none.join(" or "))
}

fn when(row: &Row) -> String {
    let scope = match row.scope() {
        opt::Scope::Live => "live",
        opt::Scope::AtAttach => "attach",
        opt::Scope::ReadOnly => return "read".to_owned(),
    };
    if row.place() == Place::Socket { format!("{scope}*") } else { scope.to_owned() }
}

fn sockets(row: &Row) -> String {
    if row.types().is_empty() { "all".to_owned() } else { row.types().join(", ") }
}

#[test]
fn a_dialogue_with_a_proxy_never_lasts_for_ever() {
    let limit = |handshake_ivl, connect_timeout| {
        Values { handshake_ivl, connect_timeout, ..Values::native(None) }.dialogue_limit()
    };
    let (one, two) = (Duration::from_secs(1), Duration::from_secs(2));
    assert_eq!(
        [limit(Some(one), None), limit(Some(one), Some(two)), limit(None, Some(two))],
        [one, one, two]
    );
    assert_eq!(limit(None, None), Duration::from_secs(120));
}
