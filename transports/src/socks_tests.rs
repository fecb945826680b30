use proptest::prelude::*;

use super::*;

const OPEN_CHOICE: [u8; 2] = [5, 0];

fn port() -> Port {
    Port::new(5555)
}

fn name() -> Host {
    Host::Name("example.org".into())
}

fn socks() -> Socks {
    Socks::new(&name(), port(), None).unwrap()
}

fn login(username: &str, password: &str) -> Option<Login> {
    Some(Login { username: username.to_owned().into(), password: password.into() })
}

fn with_login() -> Socks {
    Socks::new(&name(), port(), login("ann", "hunter2")).unwrap()
}

/// Sends all output and returns it.
fn sends(socks: &mut Socks) -> Vec<u8> {
    let output = socks.output().to_vec();
    socks.sent(output.len());
    output
}

/// Runs the dialogue with a proxy that sends `bytes`, of which each read returns up to `cut`. Returns what was sent,
/// how much was read, and the result.
fn talk(mut socks: Socks, bytes: &[u8], cut: usize) -> (Vec<u8>, usize, Result<bool, SocksError>) {
    let (mut all, mut read) = (sends(&mut socks), 0);
    while !socks.is_done() && read < bytes.len() {
        let end = bytes.len().min(read + cut.min(socks.missing()));
        match socks.receive(&bytes[read..end]) {
            Ok(taken) => {
                assert_eq!(taken, end - read, "asked for no more than it takes");
                read = end;
            }
            Err(error) => return (all, read, Err(error)),
        }
        all.extend(sends(&mut socks));
    }
    (all, read, Ok(socks.is_done()))
}

fn reply(code: u8, address: &[u8]) -> Vec<u8> {
    [&[5, code, 0], address, &[0x12, 0x34]].concat()
}

fn replies() -> Vec<Vec<u8>> {
    let longest = [&[NAME, 255][..], &[b'x'; 255]].concat();
    [
        &[V4, 127, 0, 0, 1][..],
        &[V6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
        b"\x03\x09localhost",
        &[NAME, 0],
        &longest,
    ]
    .map(|address| reply(0, address))
    .to_vec()
}

#[test]
fn the_request_names_the_target_by_its_kind() {
    let sent = |host: Host| talk(Socks::new(&host, port(), None).unwrap(), &OPEN_CHOICE, 9).0;
    assert_eq!(sent(name()), b"\x05\x01\x00\x05\x01\x00\x03\x0bexample.org\x15\xb3");
    assert_eq!(sent(Host::V4([10, 0, 0, 1].into())), b"\x05\x01\x00\x05\x01\x00\x01\x0a\x00\x00\x01\x15\xb3");
    let v6 = sent(Host::V6 { address: "fe80::1".parse().unwrap(), zone: Some("eth0".into()) });
    assert_eq!(v6, b"\x05\x01\x00\x05\x01\x00\x04\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x15\xb3");
}

#[test]
fn a_login_is_the_only_method_offered_and_goes_before_the_request() {
    let bytes = [&[5, 2, 1, 0][..], &replies()[0]].concat();
    let (sent, _, end) = talk(with_login(), &bytes, 99);
    assert_eq!(end, Ok(true));
    assert_eq!(sent, b"\x05\x01\x02\x01\x03ann\x07hunter2\x05\x01\x00\x03\x0bexample.org\x15\xb3");
    let (sent, _, _) = talk(Socks::new(&name(), port(), login("ann", "")).unwrap(), &[5, 2], 99);
    assert_eq!(sent, b"\x05\x01\x02\x01\x03ann\x00", "no password is an empty one");
}

#[test]
fn a_dialogue_is_the_same_however_its_bytes_are_cut_and_leaves_the_peers_bytes_alone() {
    for reply in replies() {
        for (make, before) in [(socks as fn() -> Socks, &[5, 0][..]), (with_login, &[5, 2, 1, 0])] {
            let dialogue = [before, &reply].concat();
            let bytes = [&dialogue, &b"\xff\0\0\0\0\0\0\0\x01\x7f"[..]].concat();
            let whole = talk(make(), &bytes, bytes.len());
            assert_eq!((whole.1, &whole.2), (dialogue.len(), &Ok(true)));
            for cut in 1..dialogue.len() {
                assert_eq!(talk(make(), &bytes, cut), whole, "{cut}");
            }
            for end in 0..dialogue.len() {
                assert_eq!(talk(make(), &bytes[..end], 3).2, Ok(false), "cut off at {end}");
            }
        }
    }
}

#[test]
fn output_may_be_sent_piece_by_piece_and_nothing_is_read_meanwhile() {
    let mut socks = socks();
    for left in (1..=3).rev() {
        assert_eq!((socks.output().len(), socks.missing()), (left, 0));
        assert_eq!(socks.receive(&OPEN_CHOICE), Ok(0));
        socks.sent(1);
    }
    assert_eq!((socks.output(), socks.missing()), (&[][..], 2));
}

#[test]
fn each_fault_of_a_proxy_has_its_name_however_it_is_cut() {
    let open: &[(&[u8], SocksError)] = &[
        (&[4], SocksError::NotSocks5 { version: 4 }),
        (b"HTTP/1.1", SocksError::NotSocks5 { version: b'H' }),
        (&[5, 0xff], SocksError::NoMethod),
        (&[5, 2], SocksError::UnofferedMethod(2)),
        (&[5, 1], SocksError::UnofferedMethod(1)),
        (&[5, 0, 4], SocksError::NotSocks5 { version: 4 }),
        (&[5, 0, 5, 0, 0, 2], SocksError::AddressKind(2)),
        (&[5, 0, 5, 0, 0, 0xff], SocksError::AddressKind(0xff)),
        (&[5, 0, 5, 9, 0, 0xff], SocksError::Refused(Refusal::Other(9))),
    ];
    let asked: &[(&[u8], SocksError)] = &[
        (&[5, 0], SocksError::UnofferedMethod(0)),
        (&[5, 0xff], SocksError::NoMethod),
        (&[5, 2, 5], SocksError::LoginVersion(5)),
        (&[5, 2, 1, 1], SocksError::LoginRefused(1)),
        (&[5, 2, 1, 0xff], SocksError::LoginRefused(0xff)),
        (&[5, 2, 1, 0, 5, 1], SocksError::Refused(Refusal::Failure)),
    ];
    for (make, faults) in [(socks as fn() -> Socks, open), (with_login, asked)] {
        for (bytes, fault) in faults {
            for cut in 1..=bytes.len() {
                assert_eq!(talk(make(), bytes, cut).2, Err(*fault), "{bytes:?} by {cut}");
            }
        }
    }
}

#[test]
fn a_refusal_is_that_of_its_code_and_has_a_kind_of_its_own() {
    let kind = |code| {
        let Err(error) = talk(socks(), &[&OPEN_CHOICE[..], &[5, code]].concat(), 9).2 else {
            panic!("{code}")
        };
        assert!(!error.is_of_proxy());
        io::Error::from(error).kind()
    };
    use io::ErrorKind::*;
    let kinds = [Other, PermissionDenied, NetworkUnreachable, HostUnreachable, ConnectionRefused, TimedOut];
    assert_eq!([1, 2, 3, 4, 5, 6].map(kind), kinds);
    assert_eq!([7, 8, 9, 255].map(kind), [Unsupported, Unsupported, Other, Other]);
}

#[test]
fn what_does_not_fit_is_refused_before_anything_is_sent() {
    let long = "x".repeat(256);
    let refused = |host: &Host, login| Socks::new(host, port(), login).err();
    assert_eq!(refused(&Host::Name(long.clone()), None), Some(SocksError::NameTooLong));
    for wrong in [login("", "p"), login(&long, "p"), login("u", &long)] {
        assert_eq!(refused(&name(), wrong), Some(SocksError::LoginTooLong));
    }
    assert!(Socks::new(&Host::Name(long[1..].into()), port(), login(&long[1..], &long[1..])).is_ok());
}

#[test]
fn the_password_is_never_printed() {
    let mut socks = with_login();
    let mut printed = format!("{socks:?}");
    sends(&mut socks);
    socks.receive(&[5, 2]).unwrap();
    printed += &format!("{socks:?}");
    assert!(socks.output().ends_with(b"hunter2"));
    let bytes = format!("{:?}", b"hunter2");
    assert!(!printed.contains("hunter2") && !printed.contains(bytes.trim_matches(['[', ']'])), "{printed}");
}

proptest! {
    #[test]
    fn whatever_a_proxy_says_ends_and_keeps_no_more_than_a_message(
        bytes in proptest::collection::vec(prop_oneof![0_u8..6, any::<u8>()], 0..600),
        asks in any::<bool>(),
        cut in 1_usize..40,
    ) {
        let mut socks = if asks { with_login() } else { socks() };
        sends(&mut socks);
        let mut rest = &bytes[..];
        while !rest.is_empty() && !socks.is_done() {
            prop_assert!((1..=LONGEST).contains(&socks.missing()));
            let end = cut.min(rest.len());
            let Ok(taken) = socks.receive(&rest[..end]) else { return Ok(()) };
            prop_assert!(taken > 0 && taken <= end && socks.received.len() < LONGEST);
            rest = &rest[taken..];
            sends(&mut socks);
        }
        prop_assert_eq!(socks.is_done(), socks.missing() == 0);
    }
}
