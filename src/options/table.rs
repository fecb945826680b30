//! The one table of options, and the macro that makes constants, values and rows from it.
//!
//! A row of `works` reads
//! `NAME field: type (as stored type); number C-type; scope place types; native default, libzmq default; limits`.
//! Limits are `range low, high` (numbers as they are, times in milliseconds, texts in bytes), `none` (the word for an absent
//! value, and the numbers that stand for it in C, of which `zmq_getsockopt` returns the first) and `rule` (a further check
//! and its text). `types` is `all` or a list in brackets. The defaults may use the socket's type, which the first line names.
//! In the C library, an option of `later` fails, unless its row says `c works` or `c kept` (default, low, high).

use std::time::Duration;

use bytes::Bytes;
use zeroxide_patterns::RoutingId;
use zeroxide_transports::Endpoint;
use zeroxide_zmtp::mechanism::Secret;
use zeroxide_zmtp::{SocketType, Version};

use super::choices::{ReconnectStop, RouterNotify};
use super::kind::{Field, Kind, check};
use super::row::{CType, InC, Place, Row, Scope, Support, Unit};
use super::text::FromText;
use crate::security::{Mechanism, Net, PublicKey, Role, SecretKey};

/// The largest number that fits in C's `int`, where libzmq's options live.
const INT: u64 = i32::MAX as u64;
/// The largest `int64_t`.
const INT64: u64 = i64::MAX as u64;

macro_rules! number {
    (own) => {
        None
    };
    ($number:literal) => {
        Some($number)
    };
}

/// The number of an option as a constant of its name.
#[cfg(feature = "face")]
macro_rules! constant {
    ($name:ident own) => {};
    ($name:ident $number:literal) => {
        pub const $name: i32 = $number;
    };
}

macro_rules! in_c {
    () => {
        InC::Fails
    };
    (works) => {
        InC::Works
    };
    (kept $default:literal $low:expr, $high:expr) => {
        InC::Kept { default: $default, low: $low, high: $high }
    };
}

macro_rules! types {
    (all) => {
        &[]
    };
    ([$($name:ident)+]) => {
        &[$(stringify!($name)),+]
    };
}

macro_rules! optional {
    () => {
        None
    };
    ($some:expr) => {
        Some($some)
    };
    ($low:expr, $high:expr) => {
        Some(($low, $high))
    };
}

macro_rules! first {
    ($first:ty $(, $rest:ty)*) => {
        $first
    };
}

macro_rules! hidden {
    () => {
        false
    };
    ($hidden:literal) => {
        $hidden
    };
}

macro_rules! support {
    () => {
        Support::Works
    };
    ($feature:tt) => {
        if cfg!(feature = $feature) { Support::Works } else { Support::NotBuilt($feature) }
    };
}

/// What else is copied with an option: the mechanism, with an option of a mechanism.
macro_rules! copied {
    ($to:ident, $from:ident) => {};
    ($to:ident, $from:ident, $then:path) => {
        $to.take_role($from)
    };
}

macro_rules! options {
    (
        dollar $d:tt
        defaults |$t:ident|
        works {$(
            $(#[doc = $doc:literal])+
            $name:ident $field:ident: $ty:ty $(as $stored:ty)?; $number:tt $c:ident; $scope:ident $place:ident $types:tt;
            native $native:expr, libzmq $libzmq:expr
            $(, range $low:expr, $high:expr)? $(, none $none:literal $(= $($c_none:literal)+)?)? $(, rule $rule:path, $rule_text:literal)?
            $(, feature $feature:tt)? $(, then $then:path)? $(, hidden $hidden:literal)?;
        )+}
        later {$(
            $(#[doc = $later_doc:literal])+
            $later:ident: $later_ty:ty; $later_number:literal $later_c:ident; $later_scope:ident $later_types:tt;
            libzmq $later_default:literal, needs $needs:literal $(, hidden $later_hidden:literal)? $(, c $in_c:ident $($kept:literal $kept_low:expr, $kept_high:expr)?)?;
        )+}
        c_only {$(
            $(#[doc = $c_doc:literal])+
            $c_name:ident; $c_number:literal $c_c:ident; $c_scope:ident $c_types:tt; libzmq $c_default:literal, instead $instead:literal;
        )+}
    ) => {
        /// The value of every option that works, one plain field each.
        #[derive(Clone, Debug)]
        pub(crate) struct Values {
            $($(#[doc = $doc])+ pub(crate) $field: first!($($stored,)? $ty),)+
            /// Whether credit is counted as libzmq counts it. It is no option: the C library sets it on each socket.
            pub(crate) credit_in_lots: bool,
        }

        impl Values {
            /// Returns this library's defaults for sockets of type `t`.
            pub(crate) fn native($t: Option<SocketType>) -> Values {
                Values { $($field: $native,)+ credit_in_lots: false }
            }

            /// Returns libzmq's defaults for sockets of type `t`.
            pub(crate) fn libzmq($t: Option<SocketType>) -> Values {
                Values { $($field: $libzmq,)+ credit_in_lots: false }
            }

            /// Checks that every value is inside the limits of its row.
            #[cfg(test)]
            pub(super) fn check_all(&self) -> Result<(), super::error::OptionError> {
                $(if let Some(value) = Field::<$ty>::value(&self.$field) {
                    (opt::$name.check)(&value)?;
                })+
                Ok(())
            }
        }

        #[allow(non_upper_case_globals)]
        mod rows {
            use super::*;

            $(pub(super) static $name: Row = Row {
                name: stringify!($name),
                number: number!($number),
                c_type: CType::$c,
                rust_type: stringify!($ty),
                scope: Scope::$scope,
                place: Place::$place,
                types: types!($types),
                unit: <$ty as Kind>::UNIT,
                range: optional!($($low, $high)?),
                none: optional!($($none)?),
                none_in_c: &[$($($($c_none),+)?)?],
                rule: optional!($($rule_text)?),
                secret: hidden!($($hidden)?),
                support: support!($($feature)?),
                in_c: InC::Works,
                feature: optional!($($feature)?),
                doc: concat!($($doc),+),
                show: |values| Kind::show(&Field::<$ty>::value(&values.$field), rows::$name.none.unwrap_or("–")),
                copy: |to, from| {
                    to.$field.clone_from(&from.$field);
                    copied!(to, from $(, $then)?);
                },
                text: |values| Field::<$ty>::text(&mut values.$field),
                set_text: |values, text| {
                    let (row, option) = (&rows::$name, opt::$name);
                    let value = <$ty>::from_text(text, row.means_none(text));
                    let value = value.ok_or_else(|| row.malformed(text, <$ty>::FORM))?;
                    option.admit(&value)?;
                    (option.write)(values, value);
                    Ok(())
                },
            };)+

            $(pub(super) static $later: Row = Row {
                name: stringify!($later),
                number: Some($later_number),
                c_type: CType::$later_c,
                rust_type: stringify!($later_ty),
                scope: Scope::$later_scope,
                place: Place::Endpoint,
                types: types!($later_types),
                unit: Unit::Any,
                range: None,
                none: None,
                none_in_c: &[],
                rule: None,
                secret: hidden!($($later_hidden)?),
                support: Support::NotYet($needs),
                in_c: in_c!($($in_c $($kept $kept_low, $kept_high)?)?),
                feature: None,
                doc: concat!($($later_doc),+),
                show: |_| $later_default.to_owned(),
                copy: |_, _| {},
                text: |_| None,
                set_text: |_, _| Ok(()),
            };)+

            $(pub(super) static $c_name: Row = Row {
                name: stringify!($c_name),
                number: Some($c_number),
                c_type: CType::$c_c,
                rust_type: "",
                scope: Scope::$c_scope,
                place: Place::Socket,
                types: types!($c_types),
                unit: Unit::Any,
                range: None,
                none: None,
                none_in_c: &[],
                rule: None,
                secret: false,
                support: Support::COnly($instead),
                in_c: InC::Works,
                feature: None,
                doc: concat!($($c_doc),+),
                show: |_| $c_default.to_owned(),
                copy: |_, _| {},
                text: |_| None,
                set_text: |_, _| Ok(()),
            };)+
        }

        /// Every option as a typed constant, named as libzmq names it (without `ZMQ_`), and the table of them.
        ///
        /// Times are [`Duration`]s, exact to the nanosecond; libzmq counts milliseconds. `None` stands for what libzmq writes
        /// as -1 or 0. Options of features that do not exist yet are here too; setting one is an error.
        pub mod opt {
            use super::*;
            use super::super::typed::{AtAttach, Live, Opt, ReadOnly};
            use std::marker::PhantomData;

            pub use super::super::row::{CType, InC, Place, Row, Scope, Support};

            $($(#[doc = $doc])+
            pub const $name: Opt<$ty, $scope> = Opt {
                row: &rows::$name,
                check: |value| check(&rows::$name, value, optional!($((|value: &$ty| $rule(value)) as fn(&$ty) -> bool)?)),
                write: |values, value| {
                    values.$field = Field::from_value(value);
                    $($then(values);)?
                },
                read: |values| Field::<$ty>::value(&values.$field),
                scope: PhantomData,
            };)+

            $($(#[doc = $later_doc])+
            #[doc = concat!(" Not supported yet (needs ", $needs, "); setting it is an error.")]
            pub const $later: Opt<$later_ty, $later_scope> = Opt {
                row: &rows::$later,
                check: |_| Ok(()),
                write: |_, _| {},
                read: |_| None,
                scope: PhantomData,
            };)+

            /// Every row of the table: options that work, options that will, and options of the C interface alone.
            pub static TABLE: &[&Row] = &[$(&rows::$name,)+ $(&rows::$later,)+ $(&rows::$c_name,)+];

            /// Returns the row with this name, in capitals or not, with `ZMQ_` before it or not.
            ///
            /// ```
            /// use zeroxide::opt;
            ///
            /// assert_eq!(opt::by_name("zmq_sndhwm").map(opt::Row::name), Some("SNDHWM"));
            /// ```
            #[must_use]
            pub fn by_name(name: &str) -> Option<&'static Row> {
                let bare = match name.split_at_checked(4) {
                    Some((start, rest)) if start.eq_ignore_ascii_case("ZMQ_") => rest,
                    _ => name,
                };
                TABLE.iter().copied().find(|row| row.name().eq_ignore_ascii_case(bare))
            }
        }

        /// The numbers of all options that the C interface has.
        #[cfg(feature = "face")]
        #[allow(missing_docs)] // the names of the table
        pub mod number {
            $(constant!($name $number);)+
            $(constant!($later $later_number);)+
            $(constant!($c_name $c_number);)+
        }

        /// Calls a macro with the name and the number (or `own`) of every option that works. For the C library.
        #[cfg(feature = "face")]
        #[doc(hidden)]
        #[macro_export]
        macro_rules! each_option {
            ($d make:ident) => {
                $d make! { $($name $number;)+ }
            };
        }
    };
}

const fn secs(n: u64) -> Option<Duration> {
    Some(Duration::from_secs(n))
}

const fn millis(n: u64) -> Option<Duration> {
    Some(Duration::from_millis(n))
}

/// Returns whether an application may use this routing id. A zero byte begins the ids that a ROUTER creates (RFC 28).
fn not_reserved(id: &RoutingId) -> bool {
    id.as_bytes().first() != Some(&0)
}

/// Returns whether these are at most 64 legal property names (RFC 37 §3.6), with the prefix for applications.
fn application_names(pairs: &[(String, Bytes)]) -> bool {
    pairs.len() <= 64
        && pairs.iter().all(|(name, _)| {
            let prefixed = name.get(..2).is_some_and(|prefix| prefix.eq_ignore_ascii_case("X-"));
            let legal = |b: u8| b.is_ascii_alphanumeric() || b"-_.+".contains(&b);
            prefixed && (3..=255).contains(&name.len()) && name.bytes().all(legal)
        })
}

/// Returns whether the kernel can take this text as the name of a network interface.
fn no_nul(text: &str) -> bool {
    !text.contains('\0')
}

/// Returns whether this text is the address of a proxy.
fn is_proxy(text: &str) -> bool {
    Endpoint::parse_connect(&format!("tcp://{text}")).is_ok()
}

options! {
    dollar $
    defaults |t|
    works {
        // Queues.
        /// The most messages that may wait to be sent to one peer; 0 is no limit.
        SNDHWM sndhwm: u32; 23 int; Live Endpoint all; native 1000, libzmq 1000, range 0, INT;
        /// The most messages received from one peer that may wait for the application; 0 is no limit.
        RCVHWM rcvhwm: u32; 24 int; Live Endpoint all; native 1000, libzmq 1000, range 0, INT;
        /// The most bytes received from one peer that may wait for the application. At the limit the peer's stream is not read; the
        /// message that reaches the limit is still received, however long it is. 0 is no limit. Not over inproc.
        RCVHWM_BYTES rcvhwm_bytes: u64; 10001 uint64_t; Live Endpoint all; native 128 << 20, libzmq 0;
        /// The same for the bytes received from all peers together. A peer of which no message waits may nevertheless send one.
        /// 0 is no limit. Not over inproc.
        RCVHWM_BYTES_TOTAL rcvhwm_bytes_total: u64; 10002 uint64_t; Live Socket all; native 1 << 30, libzmq 0;
        /// Keep only the newest message in each direction. Messages must have one frame, and the high-water marks have no effect.
        CONFLATE conflate: bool; 54 int; AtAttach Endpoint [PUB SUB DEALER PULL PUSH]; native false, libzmq false;
        /// Queue messages only for peers that have completed the handshake. Off: also for endpoints that are not connected yet.
        IMMEDIATE immediate: bool; 39 int; AtAttach Endpoint all; native false, libzmq false;
        /// How long unsent messages are kept after `close`, `disconnect` and `unbind`; `None` is for ever. 0 on SUB, XSUB and DISH.
        LINGER linger: Option<Duration>; 17 int; Live Endpoint all;
        native if never_lingers(t) { secs(0) } else { secs(1) }, libzmq if never_lingers(t) { secs(0) } else { None }, range 0, INT, none "for ever" = -1;
        /// How long a send waits; `None` is for ever, 0 is not at all.
        SNDTIMEO sndtimeo: Option<Duration>; 28 int; Live Socket all; native None, libzmq None, range 0, INT, none "for ever" = -1;
        /// How long a receive waits; `None` is for ever, 0 is not at all.
        RCVTIMEO rcvtimeo: Option<Duration>; 27 int; Live Socket all; native None, libzmq None, range 0, INT, none "for ever" = -1;

        // Connections.
        /// The I/O threads that may serve the socket's connections: bit n stands for thread n. 0 is any: the least loaded one.
        AFFINITY affinity: u64; 4 uint64_t; AtAttach Endpoint all; native 0, libzmq 0;
        /// The wait between a lost or refused connection and the next attempt; `None` is no further attempt.
        RECONNECT_IVL reconnect_ivl: Option<Duration>; 18 int; AtAttach Endpoint all; native millis(100), libzmq millis(100), range 1, INT, none "never" = -1 0;
        /// The longest wait between two attempts: each wait is twice the one before, up to this. `None`: every wait is RECONNECT_IVL.
        RECONNECT_IVL_MAX reconnect_ivl_max: Option<Duration>; 21 int; AtAttach Endpoint all; native None, libzmq None, range 1, INT, none "constant" = 0;
        /// Failures after which an endpoint is not dialled again until the application connects once more.
        RECONNECT_STOP reconnect_stop: ReconnectStop; 109 int; AtAttach Endpoint all; native ReconnectStop::default(), libzmq ReconnectStop::default(), none "nothing";
        /// Whether an endpoint is dialled again after its peer has broken the protocol or refused the connection. libzmq gives up.
        REDIAL_AFTER_FAULT redial_after_fault: bool; own none; AtAttach Endpoint all; native true, libzmq false;
        /// The longest time for one attempt to connect, and separately for the lookup of the host name. `None` is the system's limit (Linux: 127 s), and 30 s for the lookup. A lost first packet is sent again after 1, 3 and 7 s, so 10 s allow three more attempts. The next attempt to connect looks up the name again. tcp.
        CONNECT_TIMEOUT connect_timeout: Option<Duration>; 79 int; AtAttach Endpoint all; native secs(10), libzmq None, range 1, INT, none "system's" = 0;
        /// The longest time for a handshake, from the connection to the peer's READY; `None` is no limit.
        HANDSHAKE_IVL handshake_ivl: Option<Duration>; 66 int; AtAttach Endpoint all; native secs(10), libzmq secs(30), range 1, INT, none "for ever" = 0;
        /// The longest time until an accepted peer has sent its signature, the first ten bytes; `None` is HANDSHAKE_IVL.
        SIGNATURE_IVL signature_ivl: Option<Duration>; own none; AtAttach Endpoint all; native secs(2), libzmq None, range 1, INT, none "HANDSHAKE_IVL";
        /// The most connections of one bound endpoint that may be in their handshake at the same time; 0 is no limit.
        MAX_HANDSHAKES max_handshakes: u32; own none; AtAttach Endpoint all; native 1024, libzmq 0, range 0, INT;
        /// The same for the connections from one host, which is one IPv4 address or one IPv6 network of 64 bits. `None` is an eighth of MAX_HANDSHAKES, 0 is no limit. tcp.
        MAX_HANDSHAKES_PER_HOST max_handshakes_per_host: Option<u32>; own none; AtAttach Endpoint all; native None, libzmq Some(0), range 0, INT, none "an eighth";
        /// The number of bytes in one read during the handshake. It is also the limit for undecoded bytes, not counting the command that is arriving.
        HANDSHAKE_BUFFER handshake_buffer: u32; own none; AtAttach Endpoint all; native 4096, libzmq 8192, range 64, 65_536;
        /// The pause in accepting after the system had no descriptor or no memory for a connection.
        ACCEPT_BACKOFF accept_backoff: Duration; own none; AtAttach Endpoint all; native Duration::from_millis(50), libzmq Duration::from_millis(50), range 1, INT;
        /// The oldest ZMTP version that a peer may speak. libzmq speaks 3.0 since its version 4.0.
        MIN_VERSION min_version: Version; own none; AtAttach Endpoint all; native Version::V3_0, libzmq Version::V1_0;
        /// The time between two PINGs to a peer; `None` is no PING.
        HEARTBEAT_IVL heartbeat_ivl: Option<Duration>; 75 int; AtAttach Endpoint all; native None, libzmq None, range 1, INT, none "never" = 0;
        /// How long the peer may be silent after a PING before its connection is closed. `None` is HEARTBEAT_IVL, 0 is for ever.
        HEARTBEAT_TIMEOUT heartbeat_timeout: Option<Duration>; 77 int; AtAttach Endpoint all; native None, libzmq None, range 0, INT, none "HEARTBEAT_IVL" = -1;
        /// The time without a PING after which the peer is to close the connection; 0 is never. It is sent in tenths of a second, rounded down.
        HEARTBEAT_TTL heartbeat_ttl: Duration; 76 int; AtAttach Endpoint all; native Duration::ZERO, libzmq Duration::ZERO, range 0, 6_553_500;
        /// The longest frame that a peer may send, in bytes; a longer one closes its connection. `None` is no limit.
        MAXMSGSIZE maxmsgsize: Option<u64>; 22 int64_t; AtAttach Endpoint all; native Some(64 << 20), libzmq None, range 0, INT64, none "no limit" = -1;
        /// The longest message that a peer may send, in bytes of all its frames. `None` is no limit.
        MAX_MULTIPART max_multipart: Option<u64>; own none; AtAttach Endpoint all; native Some(256 << 20), libzmq None, range 0, INT64, none "no limit";
        /// The most frames in a message of a peer; 0 is no limit.
        MAX_FRAMES max_frames: u32; own none; AtAttach Endpoint all; native 65_536, libzmq 0, range 0, INT;
        /// The longest topic that a peer may subscribe to, in bytes; 0 is no limit.
        MAX_TOPIC max_topic: u32; own none; AtAttach Endpoint all; native 65_536, libzmq 0, range 0, INT;
        /// The most subscriptions of one peer; one more closes its connection. 0 is no limit. Not over inproc.
        MAX_SUBSCRIPTIONS max_subscriptions: u32; own none; Live Socket [PUB XPUB RADIO]; native 1_000_000, libzmq 0, range 0, INT;
        /// The most bytes in all topics of one peer; more close its connection. `None` is no limit. Not over inproc.
        MAX_SUBSCRIPTION_BYTES max_subscription_bytes: Option<u64>; own none; Live Socket [PUB XPUB RADIO]; native Some(64 << 20), libzmq None, range 0, INT64, none "no limit";
        /// Properties of the application that the handshake sends to the peer: at most 64.
        METADATA metadata: Vec<(String, Bytes)>; 95 string; AtAttach Endpoint all;
        native Vec::new(), libzmq Vec::new(), range 0, 4096, none "none", rule application_names, "names such as X-key, of letters, digits and -_.+";

        // Security. The option of PLAIN or CURVE that is set last selects the mechanism, as in libzmq.
        /// Be a PLAIN server: a peer sends a name and a password, and the authenticator or the ZAP handler decides about it. Off selects NULL.
        PLAIN_SERVER plain_server: bool; 44 int; AtAttach Endpoint all; native false, libzmq false, feature "plain", then Values::plain_server_set;
        /// The name for a PLAIN server. Setting it makes this socket a PLAIN client.
        PLAIN_USERNAME plain_username: String as Option<Bytes>; 45 string; AtAttach Endpoint all; native None, libzmq None, range 1, 255, none "none", feature "plain", then Values::plain_client_set;
        /// The password for a PLAIN server, sent in clear text. Setting it makes this socket a PLAIN client.
        PLAIN_PASSWORD plain_password: Secret as Option<Secret>; 46 string; AtAttach Endpoint all; native None, libzmq None, range 1, 255, none "none", feature "plain", then Values::plain_client_set, hidden true;
        /// Be a CURVE server, whose public key the clients know. Off selects NULL. Needs CURVE_SECRETKEY.
        CURVE_SERVER curve_server: bool; 47 int; AtAttach Endpoint all; native false, libzmq false, feature "curve", then Values::curve_server_set;
        /// This socket's public key. It need not be set, because it follows from CURVE_SECRETKEY; if it is set, the two must match.
        CURVE_PUBLICKEY curve_publickey: PublicKey as Option<PublicKey>; 48 curve_key; AtAttach Endpoint all; native None, libzmq None, none "none", feature "curve", then Values::curve_key_set;
        /// This socket's secret key.
        CURVE_SECRETKEY curve_secretkey: SecretKey as Option<SecretKey>; 49 curve_key; AtAttach Endpoint all; native None, libzmq None, none "none", feature "curve", then Values::curve_key_set, hidden true;
        /// The server's public key. Setting it makes this socket a CURVE client. Needs CURVE_SECRETKEY.
        CURVE_SERVERKEY curve_serverkey: PublicKey as Option<PublicKey>; 50 curve_key; AtAttach Endpoint all; native None, libzmq None, none "none", feature "curve", then Values::curve_client_set;
        /// The security domain. Its authenticator decides about peers; without one the ZAP handler does, which gets the domain with each request. A NULL socket without a domain asks neither.
        ZAP_DOMAIN zap_domain: String as Option<Bytes>; 55 string; AtAttach Endpoint all; native None, libzmq None, range 1, 255, none "none";
        /// Whether a socket with a ZAP_DOMAIN refuses peers while there is no authenticator and no ZAP handler. It only matters with AUTH_REQUIRED off, because AUTH_REQUIRED refuses more.
        ZAP_ENFORCE_DOMAIN zap_enforce_domain: bool; 93 int; AtAttach Endpoint all; native true, libzmq false;
        /// Whether a socket that must ask about its peers refuses them, and fails to bind and connect, while there is no authenticator and no ZAP handler. Off, as in libzmq: NULL and CURVE accept them.
        AUTH_REQUIRED auth_required: bool; own none; AtAttach Endpoint all; native true, libzmq false;

        // tcp, ipc.
        /// The kernel's send buffer, in bytes; `None` is the system's default.
        SNDBUF sndbuf: Option<u32>; 11 int; AtAttach Endpoint all; native None, libzmq None, range 0, INT, none "system's" = -1;
        /// The kernel's receive buffer, in bytes; `None` is the system's default.
        RCVBUF rcvbuf: Option<u32>; 12 int; AtAttach Endpoint all; native None, libzmq None, range 0, INT, none "system's" = -1;
        /// The most connections that may wait to be accepted.
        BACKLOG backlog: u32; 19 int; AtAttach Endpoint all; native 100, libzmq 100, range 0, INT;
        /// Whether names may resolve to IPv6 addresses, and whether a bound `*` accepts IPv6 as well as IPv4.
        IPV6 ipv6: bool; 42 int; AtAttach Endpoint all; native false, libzmq false;
        /// Whether a bind may take the path of an ipc endpoint from a socket that listens there. New peers no longer find that socket.
        IPC_TAKE_OVER ipc_take_over: bool; own none; AtAttach Endpoint all; native false, libzmq true;
        /// SO_KEEPALIVE; `None` is the system's default. tcp.
        TCP_KEEPALIVE tcp_keepalive: Option<bool>; 34 int; AtAttach Endpoint all; native None, libzmq None, none "system's" = -1;
        /// TCP_KEEPCNT: the number of unanswered probes after which a connection ends. Needs TCP_KEEPALIVE.
        TCP_KEEPALIVE_CNT tcp_keepalive_cnt: Option<u32>; 35 int; AtAttach Endpoint all; native None, libzmq None, range 1, 127, none "system's" = -1;
        /// TCP_KEEPIDLE: the time without traffic before the first probe, in whole seconds. Needs TCP_KEEPALIVE.
        TCP_KEEPALIVE_IDLE tcp_keepalive_idle: Option<Duration>; 36 int; AtAttach Endpoint all; native None, libzmq None, range 1000, 32_767_000, none "system's" = -1;
        /// TCP_KEEPINTVL: the time between two probes, in whole seconds. Needs TCP_KEEPALIVE.
        TCP_KEEPALIVE_INTVL tcp_keepalive_intvl: Option<Duration>; 37 int; AtAttach Endpoint all; native None, libzmq None, range 1000, 32_767_000, none "system's" = -1;
        /// TCP_USER_TIMEOUT: how long sent bytes may stay unacknowledged before the connection ends; `None` is the system's default.
        TCP_MAXRT tcp_maxrt: Option<Duration>; 80 int; AtAttach Endpoint all; native None, libzmq None, range 1, INT, none "system's" = 0;
        /// IP_TOS and IPV6_TCLASS of tcp connections.
        TOS tos: u32; 57 int; AtAttach Endpoint all; native 0, libzmq 0, range 0, 255;
        /// SO_PRIORITY of tcp connections, on Linux; 0 is the system's default.
        PRIORITY priority: u32; 112 int; AtAttach Endpoint all; native 0, libzmq 0, range 0, INT;
        /// SO_BUSY_POLL of tcp connections, in microseconds, on Linux; 0 is the system's default.
        BUSY_POLL busy_poll: u32; 113 int; AtAttach Endpoint all; native 0, libzmq 0, range 0, INT;
        /// The network interface that tcp traffic must use, on Linux.
        BINDTODEVICE bindtodevice: String as Option<String>; 92 string; AtAttach Endpoint all; native None, libzmq None, range 1, 15, none "any", rule no_nul, "no NUL";
        /// Networks whose tcp connections are accepted; others are closed at once. Empty is all networks. Each `zmq_setsockopt` adds
        /// one network, and NULL removes all (deprecated in libzmq).
        TCP_ACCEPT_FILTER tcp_accept_filter: Vec<Net>; 38 string; AtAttach Endpoint all; native Vec::new(), libzmq Vec::new(), none "all";
        /// Processes whose ipc connections are accepted. A peer needs to be in one of IPC_FILTER_PID, IPC_FILTER_UID and IPC_FILTER_GID; if all three are empty, every peer is accepted. Linux.
        IPC_FILTER_PID ipc_filter_pid: Vec<u32>; 58 pid_t; AtAttach Endpoint all; native Vec::new(), libzmq Vec::new(), none "all";
        /// Users whose ipc connections are accepted; see IPC_FILTER_PID.
        IPC_FILTER_UID ipc_filter_uid: Vec<u32>; 59 uid_t; AtAttach Endpoint all; native Vec::new(), libzmq Vec::new(), none "all";
        /// Groups whose ipc connections are accepted; see IPC_FILTER_PID. The peer has its own group and those that /etc/group lists for its user.
        IPC_FILTER_GID ipc_filter_gid: Vec<u32>; 60 gid_t; AtAttach Endpoint all; native Vec::new(), libzmq Vec::new(), none "all";
        /// The SOCKS5 proxy for outgoing tcp connections: `host:port`, or `source;host:port`. The proxy looks up the peers' names.
        /// If the endpoint has a source address, the connection to the proxy starts there. Events and `peers()` show the proxy's address.
        SOCKS_PROXY socks_proxy: String as Option<Bytes>; 68 string; AtAttach Endpoint all; native None, libzmq None, none "none", rule is_proxy, "host:port";
        /// The name for the SOCKS5 proxy, sent with SOCKS_PASSWORD. If it is unset or empty, neither is sent.
        SOCKS_USERNAME socks_username: String as Option<Bytes>; 99 string; AtAttach Endpoint all; native None, libzmq None, range 0, 255, none "none";
        /// The password for the SOCKS5 proxy, sent in clear text.
        SOCKS_PASSWORD socks_password: Secret as Option<Secret>; 100 string; AtAttach Endpoint all; native None, libzmq None, range 0, 255, none "none", hidden true;

        // REQ, DEALER, ROUTER, STREAM.
        /// The name under which a ROUTER knows this socket.
        ROUTING_ID routing_id: RoutingId as Option<RoutingId>; 5 bytes; AtAttach Endpoint [REQ REP DEALER ROUTER];
        native None, libzmq None, range 1, 255, none "none", rule not_reserved, "not beginning with a zero byte";
        /// The routing id that this socket gives to the peer of the next connect.
        CONNECT_ROUTING_ID connect_routing_id: RoutingId as Option<RoutingId>; 61 bytes; AtAttach Endpoint [ROUTER STREAM];
        native None, libzmq None, range 1, 255, none "none", rule not_reserved, "not beginning with a zero byte";
        /// Refuse a message whose peer is unknown or at its high-water mark. Off: drop it.
        ROUTER_MANDATORY router_mandatory: bool; 33 int; Live Socket [ROUTER]; native true, libzmq false;
        /// Whether a new peer takes over the routing id of a connected peer; with AUTH_REQUIRED it must be of the same user. Off: the new peer gets no place while the routing id is in use.
        ROUTER_HANDOVER router_handover: bool; 56 int; Live Socket [ROUTER]; native false, libzmq false;
        /// Exchange plain bytes instead of ZMTP, as STREAM does (deprecated in libzmq).
        ROUTER_RAW router_raw: bool; 41 int; AtAttach Socket [ROUTER]; native false, libzmq false;
        /// Send an empty message to each new peer, so that a ROUTER learns of this socket.
        PROBE_ROUTER probe_router: bool; 51 int; Live Socket [REQ DEALER ROUTER]; native false, libzmq false;
        /// Put a number into each request, and accept only the reply with the number of the last request.
        REQ_CORRELATE req_correlate: bool; 52 int; Live Socket [REQ]; native false, libzmq false;
        /// Allow a new request before the reply to the last one. The late reply is dropped only if REQ_CORRELATE is on.
        REQ_RELAXED req_relaxed: bool; 53 int; Live Socket [REQ]; native false, libzmq false;
        /// Receive an empty message from a peer when it has completed its handshake, when it is lost, or both. Not over inproc.
        ROUTER_NOTIFY router_notify: RouterNotify; 97 int; AtAttach Endpoint [ROUTER]; native RouterNotify::default(), libzmq RouterNotify::default(), none "nothing";
        /// A message of one frame that is sent first on each connection; `None` is no message.
        HELLO_MSG hello_msg: Option<Bytes>; 110 bytes; AtAttach Endpoint [DEALER ROUTER SERVER CLIENT PEER]; native None, libzmq None, none "none";
        /// A message of one frame that is received, as if the peer had sent it, when an accepted peer is lost or an inproc peer has left; `None` is no message.
        DISCONNECT_MSG disconnect_msg: Option<Bytes>; 111 bytes; AtAttach Endpoint [ROUTER SERVER PEER]; native None, libzmq None, none "none";
        /// A message of one frame that is received, as if the peer had sent it, when the connection of a `connect` is lost; `None` is no message. Not over inproc.
        HICCUP_MSG hiccup_msg: Option<Bytes>; 114 bytes; AtAttach Endpoint [DEALER CLIENT PEER]; native None, libzmq None, none "none";
        /// Receive an empty message from a peer when it has connected and when it is gone.
        STREAM_NOTIFY stream_notify: bool; 73 int; Live Socket [STREAM]; native true, libzmq true;

        // PUB, SUB, XPUB, XSUB.
        /// Receive every subscription. Off: only the first one to each topic.
        XPUB_VERBOSE xpub_verbose: bool; 40 int; Live Socket [PUB XPUB]; native false, libzmq false;
        /// Receive every subscription and every unsubscription.
        XPUB_VERBOSER xpub_verboser: bool; 78 int; Live Socket [PUB XPUB]; native false, libzmq false;
        /// Received subscriptions have no effect by themselves. `subscribe` and `unsubscribe` apply to the peer of the subscription received last.
        XPUB_MANUAL xpub_manual: bool; 71 int; Live Socket [PUB XPUB]; native false, libzmq false;
        /// As XPUB_MANUAL; in addition, the first message after a `subscribe` goes only to that peer, if it matches.
        XPUB_MANUAL_LAST_VALUE xpub_manual_last_value: bool; 98 int; Live Socket [XPUB]; native false, libzmq false;
        /// If a subscriber is at its high-water mark, `send` waits or is refused. Off: the message is dropped for that subscriber.
        XPUB_NODROP xpub_nodrop: bool; 69 int; Live Socket [PUB XPUB RADIO]; native false, libzmq false;
        /// A message of one frame that is sent to each new subscriber; `None` is no message.
        XPUB_WELCOME_MSG xpub_welcome_msg: Option<Bytes>; 72 bytes; Live Socket [PUB XPUB]; native None, libzmq None, none "none";
        /// Send the messages that match no subscription (PUB, XPUB), or receive them (SUB). Must be on at both ends.
        INVERT_MATCHING invert_matching: bool; 74 int; Live Socket [PUB SUB XPUB]; native false, libzmq false;
        /// Only the first frame of a message may be a subscription. Off: each frame may be one.
        ONLY_FIRST_SUBSCRIBE only_first_subscribe: bool; 108 int; Live Socket [PUB XPUB XSUB]; native false, libzmq false;
        /// Send every unsubscription to the peers. Off: only the last one of each topic.
        XSUB_VERBOSE_UNSUBSCRIBE xsub_verbose_unsubscribe: bool; 115 int; Live Socket [XSUB]; native false, libzmq false;

        // Read only.
        /// The security mechanism: that of the option of a mechanism that was set last.
        MECHANISM role: Mechanism as Role; 43 int; ReadOnly Socket all; native Role::default(), libzmq Role::default();
        /// The type of the socket.
        TYPE socket_type: SocketType as Option<SocketType>; 16 int; ReadOnly Socket all; native t, libzmq t, none "–";
        /// The endpoint that was bound or connected last, with its real port; unset before the first one.
        LAST_ENDPOINT last_endpoint: String as Option<String>; 32 string; ReadOnly Socket all; native None, libzmq None, none "none";
        /// What the socket can do without waiting: bit 0 is to receive, bit 1 is to send.
        EVENTS events: u32; 15 int; ReadOnly Socket all; native 0, libzmq 0;
        /// The number of distinct topics to which this socket (SUB, XSUB) or its peers (PUB, XPUB) have subscribed.
        TOPICS_COUNT topics_count: u32; 116 int; ReadOnly Socket [PUB SUB XPUB XSUB]; native 0, libzmq 0;
    }
    later {
        /// Whether this socket is the GSSAPI server.
        GSSAPI_SERVER: bool; 62 int; AtAttach all; libzmq "off", needs "GSSAPI";
        /// The GSSAPI principal of this socket.
        GSSAPI_PRINCIPAL: String; 63 string; AtAttach all; libzmq "none", needs "GSSAPI";
        /// The GSSAPI principal of the server.
        GSSAPI_SERVICE_PRINCIPAL: String; 64 string; AtAttach all; libzmq "none", needs "GSSAPI";
        /// Authenticate without encryption.
        GSSAPI_PLAINTEXT: bool; 65 int; AtAttach all; libzmq "off", needs "GSSAPI";
        /// The kind of name in GSSAPI_PRINCIPAL.
        GSSAPI_PRINCIPAL_NAMETYPE: u32; 90 int; AtAttach all; libzmq "0", needs "GSSAPI";
        /// The kind of name in GSSAPI_SERVICE_PRINCIPAL.
        GSSAPI_SERVICE_PRINCIPAL_NAMETYPE: u32; 91 int; AtAttach all; libzmq "0", needs "GSSAPI";
        /// A listening file descriptor for the next bind.
        USE_FD: u32; 89 int; AtAttach all; libzmq "none", needs "adopted descriptors", c works;
        /// Whether tcp uses its fast path over loopback, on Windows.
        LOOPBACK_FASTPATH: bool; 94 int; AtAttach all; libzmq "off", needs "Windows tuning", c kept 0 0, 1;
        /// The number of bytes in one read.
        IN_BATCH_SIZE: u32; 101 int; AtAttach all; libzmq "8192", needs "tunable buffers", c kept 8192 1, i32::MAX;
        /// The number of bytes in one write.
        OUT_BATCH_SIZE: u32; 102 int; AtAttach all; libzmq "8192", needs "tunable buffers", c kept 8192 1, i32::MAX;
        /// The multicast rate, in kbit/s.
        RATE: u32; 8 int; AtAttach all; libzmq "100", needs "multicast", c kept 100 1, i32::MAX;
        /// How long multicast keeps messages for retransmission.
        RECOVERY_IVL: Duration; 9 int; AtAttach all; libzmq "10 s", needs "multicast", c kept 10_000 0, i32::MAX;
        /// The most routers that a multicast datagram may pass.
        MULTICAST_HOPS: u32; 25 int; AtAttach all; libzmq "1", needs "multicast", c kept 1 1, i32::MAX;
        /// The longest multicast datagram, in bytes.
        MULTICAST_MAXTPDU: u32; 84 int; AtAttach all; libzmq "1500", needs "multicast", c kept 1500 1, i32::MAX;
        /// Whether this machine receives its own multicasts.
        MULTICAST_LOOP: bool; 96 int; AtAttach all; libzmq "on", needs "multicast", c kept 1 0, 1;
        /// The size of the VMCI buffer, in bytes.
        VMCI_BUFFER_SIZE: u64; 85 uint64_t; AtAttach all; libzmq "0", needs "VMCI";
        /// The smallest size of the VMCI buffer, in bytes.
        VMCI_BUFFER_MIN_SIZE: u64; 86 uint64_t; AtAttach all; libzmq "0", needs "VMCI";
        /// The largest size of the VMCI buffer, in bytes.
        VMCI_BUFFER_MAX_SIZE: u64; 87 uint64_t; AtAttach all; libzmq "0", needs "VMCI";
        /// The longest time for a VMCI connect.
        VMCI_CONNECT_TIMEOUT: Duration; 88 int; AtAttach all; libzmq "system's", needs "VMCI";
        /// The key of a wss server, as PEM.
        WSS_KEY_PEM: String; 103 string; AtAttach all; libzmq "none", needs "wss", hidden true;
        /// The certificate of a wss server, as PEM.
        WSS_CERT_PEM: String; 104 string; AtAttach all; libzmq "none", needs "wss";
        /// Certificates that a wss client trusts, as PEM.
        WSS_TRUST_PEM: String; 105 string; AtAttach all; libzmq "none", needs "wss";
        /// The host name that a wss client expects.
        WSS_HOSTNAME: String; 106 string; AtAttach all; libzmq "none", needs "wss";
        /// Whether a wss client trusts the system's certificates.
        WSS_TRUST_SYSTEM: bool; 107 int; AtAttach all; libzmq "off", needs "wss";
        /// The congestion control of NORM.
        NORM_MODE: u32; 117 int; AtAttach all; libzmq "1", needs "NORM";
        /// Whether NORM sends its NACKs by unicast.
        NORM_UNICAST_NACK: bool; 118 int; AtAttach all; libzmq "off", needs "NORM";
        /// The size of the NORM buffer, in KiB.
        NORM_BUFFER_SIZE: u32; 119 int; AtAttach all; libzmq "2048", needs "NORM";
        /// The size of a NORM segment, in bytes.
        NORM_SEGMENT_SIZE: u32; 120 int; AtAttach all; libzmq "1400", needs "NORM";
        /// The size of a NORM block, in segments.
        NORM_BLOCK_SIZE: u32; 121 int; AtAttach all; libzmq "16", needs "NORM";
        /// The number of NORM parity segments in a block.
        NORM_NUM_PARITY: u32; 122 int; AtAttach all; libzmq "4", needs "NORM";
        /// The number of NORM parity segments that are sent without a request.
        NORM_NUM_AUTOPARITY: u32; 123 int; AtAttach all; libzmq "0", needs "NORM";
        /// Whether NORM flushes its stream after each message.
        NORM_PUSH: bool; 124 int; AtAttach all; libzmq "off", needs "NORM";
    }
    c_only {
        /// Adds a subscription.
        SUBSCRIBE; 6 bytes; Live [SUB XPUB]; libzmq "–", instead "`Socket::subscribe`";
        /// Removes a subscription.
        UNSUBSCRIBE; 7 bytes; Live [SUB XPUB]; libzmq "–", instead "`Socket::unsubscribe`";
        /// Whether another part of the same message follows the part received last.
        RCVMORE; 13 int; ReadOnly all; libzmq "0", instead "`Socket::recv` gives whole messages";
        /// A descriptor that becomes readable when EVENTS may have changed.
        FD; 14 zmq_fd_t; ReadOnly all; libzmq "–", instead "the futures of `Socket`, and `Poller`";
        /// The opposite of IPV6 (deprecated in libzmq).
        IPV4ONLY; 31 int; AtAttach all; libzmq "on", instead "`IPV6`";
        /// Whether several threads may use the socket.
        THREAD_SAFE; 81 int; ReadOnly all; libzmq "–", instead "every socket is";
    }
}

fn never_lingers(t: Option<SocketType>) -> bool {
    t.is_some_and(SocketType::never_lingers)
}
