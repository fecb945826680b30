//! `zmq_setsockopt` and `zmq_getsockopt`. The number selects the option, and its type the form of the value (`forms`).
//!
//! Here are the options that are no value of a socket, or that C sets or reads in another form.

use std::ffi::{c_int, c_void};
use std::sync::atomic::Ordering;

use bytes::Bytes;
use zeroxide::face::{self, LockedOptions, number};
use zeroxide::{Error, opt};

use crate::boundary::{Errno, bytes, call};
use crate::forms::{form, int, to_int};
use crate::option_value::{CValue, give};
use crate::sock::Sock;

const INVALID: Errno = Errno(libc::EINVAL);

/// Texts that NULL removes, and that cannot be empty (libzmq options.cpp).
const NOT_EMPTY: &[c_int] =
    &[number::TCP_ACCEPT_FILTER, number::PLAIN_USERNAME, number::PLAIN_PASSWORD, number::SOCKS_PROXY];

/// `int` options that can be read into a buffer of more than four bytes. The others require exactly four (libzmq socket_base.cpp).
const ROOMY: &[c_int] =
    &[number::RCVMORE, number::FD, number::EVENTS, number::THREAD_SAFE, number::TOPICS_COUNT];

/// Sets an option. Fails with `EINVAL` for a wrong option or value, `ENOTSOCK`, `ETERM`.
///
/// # Safety
/// `optval` is NULL or points to `optvallen` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_setsockopt(
    socket: *mut c_void,
    option: c_int,
    optval: *const c_void,
    optvallen: usize,
) -> c_int {
    call(-1, || {
        let sock = Sock::of(socket)?;
        // SAFETY: the caller's promise.
        let value = unsafe { bytes(optval.cast(), optvallen) }.map_err(|_| INVALID)?;
        if value.is_empty() && !optval.is_null() && NOT_EMPTY.contains(&option) {
            return Err(INVALID);
        }
        set(&sock, option, value).map(|()| 0)
    })
}

fn set(sock: &Sock, option: c_int, value: &[u8]) -> Result<(), Errno> {
    match option {
        number::SUBSCRIBE => subscribed(sock.socket.subscribe(value)),
        number::UNSUBSCRIBE => subscribed(sock.socket.unsubscribe(value)),
        // The descriptor is no value of the socket, so it is kept here.
        number::USE_FD => {
            let fd = int(value).filter(|fd| *fd >= -1).ok_or(INVALID)?;
            face::alive(&sock.socket)?;
            sock.use_fd.store(fd, Ordering::SeqCst);
            Ok(())
        }
        _ => match sock.kept.set(option, value) {
            Some(true) => Ok(face::alive(&sock.socket)?),
            Some(false) => Err(INVALID),
            None => face::change_options(&sock.socket, |options| change(options, option, value)),
        },
    }
}

/// Turns the error of a socket without subscriptions into that of an option that it does not have.
fn subscribed(done: Result<(), Error>) -> Result<(), Errno> {
    done.map_err(|error| match error {
        Error::NotSupported { .. } => INVALID,
        other => other.into(),
    })
}

fn change(options: &mut LockedOptions<'_>, option: c_int, value: &[u8]) -> Result<(), Errno> {
    match option {
        // With NULL the socket is no PLAIN client any more (libzmq options.cpp).
        number::PLAIN_USERNAME | number::PLAIN_PASSWORD if value.is_empty() => {
            Ok(options.set(opt::PLAIN_SERVER, false, true)?)
        }
        // NULL removes the proxy. An invalid text is found when the socket dials (libzmq options.cpp,
        // socks_connecter.cpp).
        number::SOCKS_PROXY => {
            let proxy = (!value.is_empty()).then(|| Bytes::copy_from_slice(value));
            options.text(opt::SOCKS_PROXY).into_iter().for_each(|place| place.clone_from(&proxy));
            Ok(())
        }
        // The opposite of IPV6.
        number::IPV4ONLY => {
            let only = int(value).filter(|only| [0, 1].contains(only)).ok_or(INVALID)?;
            Ok(options.set(opt::IPV6, only == 0, true)?)
        }
        _ => (form(option)?.set)(options, value),
    }
}

/// Returns the value of an option. Fails with `EINVAL` for a wrong option or buffer, `ENOTSOCK`, `ETERM`.
///
/// # Safety
/// `optval` points to `*optvallen` writable bytes, `optvallen` to a `size_t`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_getsockopt(
    socket: *mut c_void,
    option: c_int,
    optval: *mut c_void,
    optvallen: *mut usize,
) -> c_int {
    call(-1, || {
        let value = get(&*Sock::of(socket)?, option)?;
        // SAFETY: the caller's promise.
        unsafe { give(&value, ROOMY.contains(&option), optval, optvallen) }
    })
}

fn get(sock: &Sock, option: c_int) -> Result<CValue, Errno> {
    let socket = &sock.socket;
    let kind = socket.socket_type();
    let alive = |value: CValue| face::alive(socket).map(|()| value);
    Ok(match option {
        number::EVENTS => {
            let ready = face::events(socket)?;
            CValue::Int(c_int::from(ready.is_in()) | (c_int::from(ready.is_out()) << 1))
        }
        // Several threads may use these, and a descriptor is for one (libzmq socket_base.cpp).
        number::FD if kind.has_single_frames() => return Err(INVALID),
        number::FD => CValue::Int(face::zmq_fd(socket)?),
        number::RCVMORE => CValue::Int(face::receives_more(socket)?.into()),
        number::THREAD_SAFE => alive(CValue::Int(kind.has_single_frames().into()))?,
        number::LAST_ENDPOINT => {
            alive(CValue::Text(socket.get(opt::LAST_ENDPOINT).unwrap_or_default().into_bytes()))?
        }
        number::TOPICS_COUNT => alive(to_int(socket.get(opt::TOPICS_COUNT)?))?,
        number::USE_FD => alive(CValue::Int(sock.use_fd.load(Ordering::SeqCst)))?,
        number::IPV4ONLY => face::read_options(socket, |options| {
            let ipv6 = options.get(opt::IPV6, true)?;
            Ok::<_, Errno>(CValue::Int((ipv6 != Some(true)).into()))
        })?,
        number::ROUTING_ID => match face::raw_peer(socket)? {
            Some(name) => CValue::Bytes(name),
            None => read(sock, option)?,
        },
        _ => match sock.kept.get(option) {
            Some(value) => alive(CValue::Int(value))?,
            None => read(sock, option)?,
        },
    })
}

fn read(sock: &Sock, option: c_int) -> Result<CValue, Errno> {
    face::read_options(&sock.socket, |options| (form(option)?.get)(options))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use zeroxide::SocketType;
    use zeroxide::opt::{CType, InC, Row, Scope, Support, TABLE};

    use super::*;
    use crate::kept::Kept;
    use crate::{zmq_close, zmq_ctx_new, zmq_ctx_term, zmq_errno, zmq_socket};

    /// Options that work in C and are no value of a row of their own: each has an arm in `set`, `change` or `get`.
    const WITHOUT_FORM: [c_int; 7] = [
        number::SUBSCRIBE,
        number::UNSUBSCRIBE,
        number::RCVMORE,
        number::FD,
        number::IPV4ONLY,
        number::THREAD_SAFE,
        number::USE_FD,
    ];

    #[test]
    fn c_has_every_option_with_a_number_in_one_way_as_its_row_says() {
        let kept = Kept::default();
        for row in TABLE {
            let Some(number) = row.number() else { continue };
            let ways = [form(number).is_ok(), kept.get(number).is_some(), WITHOUT_FORM.contains(&number)];
            let ways = ways.iter().filter(|way| **way).count();
            assert_eq!(ways, usize::from(row.in_c() != InC::Fails), "{row:?}");
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "reads the whole of zmq.h, which takes minutes")]
    fn every_number_is_that_of_zmq_h() {
        let header: BTreeSet<&str> = include_str!("../include/zmq.h").lines().map(str::trim).collect();
        for row in TABLE {
            let Some(number) = row.number() else { continue };
            assert!(header.contains(&format!("#define ZMQ_{} {number}", row.name())[..]), "{row:?}");
        }
    }

    /// Sets an option to 1 and reads it again, as C does.
    fn one_there_and_back(context: *mut c_void, row: &Row) -> (Result<(), c_int>, Result<i64, c_int>) {
        let kind = row.types().first().map_or(Some(SocketType::Dealer), |name| name.parse().ok());
        let socket = zmq_socket(context, kind.map_or(-1, |kind| kind as c_int));
        let wide = matches!(row.c_type(), CType::int64_t | CType::uint64_t);
        let (number, mut size) = (row.number().unwrap_or_default(), if wide { 8 } else { 4 });
        let (one, mut read) = (1i64.to_le_bytes(), [0; 8]);
        let errno = |failed: c_int| if failed == 0 { Ok(()) } else { Err(zmq_errno()) };
        // SAFETY: both buffers have eight bytes.
        let (set, got) = unsafe {
            let set = errno(zmq_setsockopt(socket, number, one.as_ptr().cast(), size));
            (set, errno(zmq_getsockopt(socket, number, read.as_mut_ptr().cast(), &mut size)))
        };
        zmq_close(socket);
        (set, got.map(|()| i64::from_le_bytes(read)))
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn every_number_that_c_sets_is_read_again_or_can_only_be_set() {
        let context = zmq_ctx_new();
        let mut only_set = Vec::new();
        for row in TABLE {
            let a_number =
                !matches!(row.c_type(), CType::bytes | CType::string | CType::curve_key | CType::none);
            let works = matches!(row.support(), Support::Works) && row.scope() != Scope::ReadOnly;
            if !a_number || !works {
                continue;
            }
            let (set, got) = one_there_and_back(context, row);
            assert_eq!(set, Ok(()), "{row:?}");
            match got {
                // Tenths of a second.
                Ok(read) if row.name() == "HEARTBEAT_TTL" => assert_eq!(read, 0),
                Ok(read) => assert_eq!(read, 1, "{row:?}"),
                Err(errno) => {
                    assert_eq!(errno, libc::EINVAL, "{row:?}");
                    only_set.push(row.name());
                }
            }
        }
        zmq_ctx_term(context);
        let routers = ["ROUTER_MANDATORY", "ROUTER_HANDOVER", "ROUTER_RAW", "PROBE_ROUTER"];
        let lists = ["IPC_FILTER_PID", "IPC_FILTER_UID", "IPC_FILTER_GID"];
        let others = ["REQ_CORRELATE", "REQ_RELAXED", "STREAM_NOTIFY", "XSUB_VERBOSE_UNSUBSCRIBE"];
        let publishers = [
            "XPUB_VERBOSE",
            "XPUB_VERBOSER",
            "XPUB_MANUAL",
            "XPUB_MANUAL_LAST_VALUE",
            "XPUB_NODROP",
            "ONLY_FIRST_SUBSCRIBE",
        ];
        let expected: BTreeSet<&str> =
            [&routers[..], &lists, &others, &publishers].concat().into_iter().collect();
        assert_eq!(only_set.into_iter().collect::<BTreeSet<_>>(), expected);
    }

    /// Numbers in the code that are none of an option, by file.
    const OTHER_NUMBERS: [(&str, &str, &[c_int]); 4] = [
        // A bit, and the bytes of an `int`; the lengths of Z85; the milliseconds of a tenth of a second.
        ("forms", include_str!("forms.rs"), &[4, 32, 40, 41, 100]),
        ("kept", include_str!("kept.rs"), &[4]),
        ("options", include_str!("options.rs"), &[]),
        ("face/options", include_str!("../../src/face/options.rs"), &[]),
    ];

    #[test]
    fn the_number_of_an_option_stands_in_the_table_alone() {
        for (file, source, others) in OTHER_NUMBERS {
            let production = source.split("#[cfg(test)]").next().unwrap_or_default();
            let code = production.lines().filter_map(|line| line.split("//").next());
            let words = code.flat_map(|line| line.split(|c: char| !c.is_alphanumeric() && c != '_'));
            let numbers: BTreeSet<c_int> = words.filter_map(|word| word.parse().ok()).collect();
            let options = TABLE.iter().filter_map(|row| row.number()).filter(|n| numbers.contains(n));
            let strays: Vec<c_int> = options.filter(|number| !others.contains(number)).collect();
            assert_eq!(strays, [], "{file}: say face::number::NAME");
        }
    }
}
