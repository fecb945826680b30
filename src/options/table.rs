//! THE options table, and the macro that makes constants, values and rows of it.
//!
//! A row of `works` reads
//! `NAME field: type (as stored type); number C-type; scope place types; native default, libzmq default; limits`.
//! Limits are `range low, high` (numbers as they are, times in milliseconds, texts in bytes), `none` (how an absent
//! value is called, and what C says for it: the first number is what it reads) and `rule` (a further check and its
//! text). `types` is `all` or a list in brackets. The defaults may use the socket's type, which the first line names.
//! A row of `later` says what the C library does with the option: nothing, unless it `works` or is `kept` (default, low, high).

use std::time::Duration;

use bytes::Bytes;
use zeroxide_patterns::RoutingId;
use zeroxide_transports::Endpoint;
use zeroxide_zmtp::mechanism::Secret;
use zeroxide_zmtp::{SocketType, Version};

use super::choices::{ReconnectStop, RouterNotify};
use super::kind::{Field, Kind, check};
use super::row::{CType, InC, Place, Row, Scope, Support, Unit};
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

/// What else a copied option brings along: with one of a mechanism, the mechanism.
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
            /// Credit is counted as libzmq counts it; no option, but what the C library sets on each of its sockets.
            pub(crate) credit_in_lots: bool,
        }

        impl Values {
            /// This library's defaults for sockets of type `t`.
            pub(crate) fn native($t: Option<SocketType>) -> Values {
                Values { $($field: $native,)+ credit_in_lots: false }
            }

            /// libzmq's defaults for sockets of type `t`.
            pub(crate) fn libzmq($t: Option<SocketType>) -> Values {
                Values { $($field: $libzmq,)+ credit_in_lots: false }
            }

            /// Whether every value is inside the limits of its row.
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
            };)+
        }

        /// Every option as a typed constant, named as libzmq names it (without `ZMQ_`), and the table of them.
        ///
        /// Times are [`Duration`]s, exact to the nanosecond where libzmq counts milliseconds; `None` says in words what
        /// libzmq says with -1 or 0. Options of features that do not exist yet are here too; setting one is an error.
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

            /// Every row of the table: those that work, those that will, and those of the C interface alone.
            pub static TABLE: &[&Row] = &[$(&rows::$name,)+ $(&rows::$later,)+ $(&rows::$c_name,)+];
        }

        /// libzmq's number of every option that has one.
        #[cfg(feature = "face")]
        #[allow(missing_docs)] // the names of the table
        pub mod number {
            $(constant!($name $number);)+
            $(constant!($later $later_number);)+
            $(constant!($c_name $c_number);)+
        }

        /// Calls a macro with the name and the number (or `own`) of every option that works, for the C library.
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

/// Ids that begin with a zero byte are those that sockets make themselves (RFC 28).
fn not_reserved(id: &RoutingId) -> bool {
    id.as_bytes().first() != Some(&0)
}

/// As the names of READY properties (RFC 37 §3.6), under the prefix for applications.
fn application_names(pairs: &[(String, Bytes)]) -> bool {
    pairs.len() <= 64
        && pairs.iter().all(|(name, _)| {
            let prefixed = name.get(..2).is_some_and(|prefix| prefix.eq_ignore_ascii_case("X-"));
            let legal = |b: u8| b.is_ascii_alphanumeric() || b"-_.+".contains(&b);
            prefixed && (3..=255).contains(&name.len()) && name.bytes().all(legal)
        })
}

/// What the kernel takes as the name of a network interface.
fn no_nul(text: &str) -> bool {
    !text.contains('\0')
}

/// Whether a proxy can be dialled by this text.
fn is_proxy(text: &str) -> bool {
    Endpoint::parse_connect(&format!("tcp://{text}")).is_ok()
}

options! {
    dollar $
    defaults |t|
    works {
        // Queues.
        /// Messages that may wait to be sent to one peer; 0 is no limit.
        SNDHWM sndhwm: u32; 23 int; Live Endpoint all; native 1000, libzmq 1000, range 0, INT;
        /// Messages received from one peer that may wait for the application; 0 is no limit.
        RCVHWM rcvhwm: u32; 24 int; Live Endpoint all; native 1000, libzmq 1000, range 0, INT;
        /// Keep only the newest message in each direction; messages must have one frame, and the high-water marks have no effect.
        CONFLATE conflate: bool; 54 int; AtAttach Endpoint [PUB SUB DEALER PULL PUSH]; native false, libzmq false;
        /// Queue messages only for peers whose handshake is over, instead of for every connecting endpoint.
        IMMEDIATE immediate: bool; 39 int; AtAttach Endpoint all; native false, libzmq false;
        /// How long unsent messages outlive `close`, `disconnect` and `unbind`; `None` is for ever. 0 on SUB, XSUB and DISH.
        LINGER linger: Option<Duration>; 17 int; Live Endpoint all;
        native if never_lingers(t) { secs(0) } else { secs(1) }, libzmq if never_lingers(t) { secs(0) } else { None }, range 0, INT, none "for ever" = -1;
        /// How long a send waits; `None` is for ever, 0 not at all.
        SNDTIMEO sndtimeo: Option<Duration>; 28 int; Live Socket all; native None, libzmq None, range 0, INT, none "for ever" = -1;
        /// How long a receive waits; `None` is for ever, 0 not at all.
        RCVTIMEO rcvtimeo: Option<Duration>; 27 int; Live Socket all; native None, libzmq None, range 0, INT, none "for ever" = -1;

        // Connections.
        /// Which I/O threads may serve the socket's connections: bit n is thread n; 0 is the least loaded of all.
        AFFINITY affinity: u64; 4 uint64_t; AtAttach Endpoint all; native 0, libzmq 0;
        /// How long from a lost or refused connection to the next attempt; `None` is never again.
        RECONNECT_IVL reconnect_ivl: Option<Duration>; 18 int; AtAttach Endpoint all; native millis(100), libzmq millis(100), range 1, INT, none "never" = -1 0;
        /// The longest wait between attempts: each is twice the one before, up to this; `None` keeps RECONNECT_IVL.
        RECONNECT_IVL_MAX reconnect_ivl_max: Option<Duration>; 21 int; AtAttach Endpoint all; native None, libzmq None, range 1, INT, none "constant" = 0;
        /// After what an endpoint is not dialled again until the application connects once more.
        RECONNECT_STOP reconnect_stop: ReconnectStop; 109 int; AtAttach Endpoint all; native ReconnectStop::default(), libzmq ReconnectStop::default(), none "nothing";
        /// Whether an endpoint is dialled again after its peer broke the protocol or refused; libzmq gives it up.
        REDIAL_AFTER_FAULT redial_after_fault: bool; own none; AtAttach Endpoint all; native true, libzmq false;
        /// The longest time for one attempt to connect, and separately for the lookup of its name; `None` is the system's limit, and 30 s for the lookup. tcp.
        CONNECT_TIMEOUT connect_timeout: Option<Duration>; 79 int; AtAttach Endpoint all; native None, libzmq None, range 1, INT, none "system's" = 0;
        /// How long a handshake may take, from connection to the peer's READY; `None` is for ever.
        HANDSHAKE_IVL handshake_ivl: Option<Duration>; 66 int; AtAttach Endpoint all; native secs(10), libzmq secs(30), range 1, INT, none "for ever" = 0;
        /// How long the first ten bytes of a peer that was accepted may take, its signature; `None` is as long as HANDSHAKE_IVL.
        SIGNATURE_IVL signature_ivl: Option<Duration>; own none; AtAttach Endpoint all; native secs(2), libzmq None, range 1, INT, none "HANDSHAKE_IVL";
        /// Connections of one bound endpoint that may be in their handshake at once; 0 is no limit.
        MAX_HANDSHAKES max_handshakes: u32; own none; AtAttach Endpoint all; native 1024, libzmq 0, range 0, INT;
        /// Of these, connections from one host: an IPv4 address, an IPv6 network of 64 bits. `None` is an eighth of MAX_HANDSHAKES, 0 is no limit. tcp.
        MAX_HANDSHAKES_PER_HOST max_handshakes_per_host: Option<u32>; own none; AtAttach Endpoint all; native None, libzmq Some(0), range 0, INT, none "an eighth";
        /// Bytes in one read during the handshake; at most so many undecoded bytes are held, besides the command that is arriving.
        HANDSHAKE_BUFFER handshake_buffer: u32; own none; AtAttach Endpoint all; native 4096, libzmq 8192, range 64, 65_536;
        /// How long nothing is accepted after the system had no descriptor or no memory for a connection.
        ACCEPT_BACKOFF accept_backoff: Duration; own none; AtAttach Endpoint all; native Duration::from_millis(50), libzmq Duration::from_millis(50), range 1, INT;
        /// The oldest ZMTP that a peer may speak; 3.0 is that of libzmq 4.0.
        MIN_VERSION min_version: Version; own none; AtAttach Endpoint all; native Version::V3_0, libzmq Version::V1_0;
        /// Send a PING as often as this; `None` is never.
        HEARTBEAT_IVL heartbeat_ivl: Option<Duration>; 75 int; AtAttach Endpoint all; native None, libzmq None, range 1, INT, none "never" = 0;
        /// How long after a PING the peer may be silent before it counts as lost; `None` is HEARTBEAT_IVL, 0 is for ever.
        HEARTBEAT_TIMEOUT heartbeat_timeout: Option<Duration>; 77 int; AtAttach Endpoint all; native None, libzmq None, range 0, INT, none "HEARTBEAT_IVL" = -1;
        /// After how long without a PING the peer is to close the connection; 0 is never. Travels in tenths of a second, rounded down.
        HEARTBEAT_TTL heartbeat_ttl: Duration; 76 int; AtAttach Endpoint all; native Duration::ZERO, libzmq Duration::ZERO, range 0, 6_553_500;
        /// The longest frame that a peer may send, in bytes; its connection is closed otherwise. `None` is no limit.
        MAXMSGSIZE maxmsgsize: Option<u64>; 22 int64_t; AtAttach Endpoint all; native Some(64 << 20), libzmq None, range 0, INT64, none "no limit" = -1;
        /// The longest message that a peer may send, all frames together, in bytes. `None` is no limit.
        MAX_MULTIPART max_multipart: Option<u64>; own none; AtAttach Endpoint all; native Some(256 << 20), libzmq None, range 0, INT64, none "no limit";
        /// How many frames a message of a peer may have; 0 is no limit.
        MAX_FRAMES max_frames: u32; own none; AtAttach Endpoint all; native 65_536, libzmq 0, range 0, INT;
        /// The longest topic that a peer may subscribe to, in bytes; 0 is no limit.
        MAX_TOPIC max_topic: u32; own none; AtAttach Endpoint all; native 65_536, libzmq 0, range 0, INT;
        /// How many subscriptions one peer may have; its connection is closed otherwise. 0 is no limit. Not over inproc.
        MAX_SUBSCRIPTIONS max_subscriptions: u32; own none; Live Socket [PUB XPUB RADIO]; native 1_000_000, libzmq 0, range 0, INT;
        /// How many bytes the topics of one peer may have together, likewise. `None` is no limit.
        MAX_SUBSCRIPTION_BYTES max_subscription_bytes: Option<u64>; own none; Live Socket [PUB XPUB RADIO]; native Some(64 << 20), libzmq None, range 0, INT64, none "no limit";
        /// Properties that a handshake tells the peer, beside the protocol's own: at most 64.
        METADATA metadata: Vec<(String, Bytes)>; 95 string; AtAttach Endpoint all;
        native Vec::new(), libzmq Vec::new(), range 0, 4096, none "none", rule application_names, "names such as X-key, of letters, digits and -_.+";

        // Security. Of the options of PLAIN and CURVE the last one that is set decides on the mechanism, as in libzmq.
        /// Demand a name and a password of peers, which the authenticator or the ZAP handler judges; off is NULL.
        PLAIN_SERVER plain_server: bool; 44 int; AtAttach Endpoint all; native false, libzmq false, feature "plain", then Values::plain_server_set;
        /// The name to show to a PLAIN server, and the wish to be its client.
        PLAIN_USERNAME plain_username: String as Option<Bytes>; 45 string; AtAttach Endpoint all; native None, libzmq None, range 1, 255, none "none", feature "plain", then Values::plain_client_set;
        /// The password to show to a PLAIN server, in clear text, and the wish to be its client.
        PLAIN_PASSWORD plain_password: Secret as Option<Secret>; 46 string; AtAttach Endpoint all; native None, libzmq None, range 1, 255, none "none", feature "plain", then Values::plain_client_set, hidden true;
        /// Be the side whose key the others know, and judge theirs; off is NULL. Needs CURVE_SECRETKEY.
        CURVE_SERVER curve_server: bool; 47 int; AtAttach Endpoint all; native false, libzmq false, feature "curve", then Values::curve_server_set;
        /// This side's public key. It follows from CURVE_SECRETKEY and need not be set; if it is, it must belong to that.
        CURVE_PUBLICKEY curve_publickey: PublicKey as Option<PublicKey>; 48 curve_key; AtAttach Endpoint all; native None, libzmq None, none "none", feature "curve", then Values::curve_key_set;
        /// This side's secret key.
        CURVE_SECRETKEY curve_secretkey: SecretKey as Option<SecretKey>; 49 curve_key; AtAttach Endpoint all; native None, libzmq None, none "none", feature "curve", then Values::curve_key_set, hidden true;
        /// The server's public key, and the wish to be its client. Needs CURVE_SECRETKEY.
        CURVE_SERVERKEY curve_serverkey: PublicKey as Option<PublicKey>; 50 curve_key; AtAttach Endpoint all; native None, libzmq None, none "none", feature "curve", then Values::curve_client_set;
        /// The domain whose authenticator decides about peers, or which the ZAP handler is told; with NULL nobody is asked without one.
        ZAP_DOMAIN zap_domain: String as Option<Bytes>; 55 string; AtAttach Endpoint all; native None, libzmq None, range 1, 255, none "none";
        /// Refuse the peers of a socket with a ZAP_DOMAIN while there is nobody to be asked about them. Needs AUTH_REQUIRED off: that refuses more.
        ZAP_ENFORCE_DOMAIN zap_enforce_domain: bool; 93 int; AtAttach Endpoint all; native true, libzmq false;
        /// Refuse every peer about whom nobody could be asked, and a bind or connect while there is nobody; off, as in libzmq, NULL and CURVE then accept any.
        AUTH_REQUIRED auth_required: bool; own none; AtAttach Endpoint all; native true, libzmq false;

        // tcp, ipc.
        /// The kernel's send buffer, in bytes; `None` is the system's default.
        SNDBUF sndbuf: Option<u32>; 11 int; AtAttach Endpoint all; native None, libzmq None, range 0, INT, none "system's" = -1;
        /// The kernel's receive buffer, in bytes; `None` is the system's default.
        RCVBUF rcvbuf: Option<u32>; 12 int; AtAttach Endpoint all; native None, libzmq None, range 0, INT, none "system's" = -1;
        /// How many connections may wait to be accepted.
        BACKLOG backlog: u32; 19 int; AtAttach Endpoint all; native 100, libzmq 100, range 0, INT;
        /// Whether names may resolve to IPv6 addresses, and a bound `*` takes both families.
        IPV6 ipv6: bool; 42 int; AtAttach Endpoint all; native false, libzmq false;
        /// Whether a bind takes the path of ipc away from who listens there, whom nobody new finds then.
        IPC_TAKE_OVER ipc_take_over: bool; own none; AtAttach Endpoint all; native false, libzmq true;
        /// SO_KEEPALIVE; `None` is the system's default. tcp.
        TCP_KEEPALIVE tcp_keepalive: Option<bool>; 34 int; AtAttach Endpoint all; native None, libzmq None, none "system's" = -1;
        /// TCP_KEEPCNT: unanswered probes that end a connection. Needs TCP_KEEPALIVE.
        TCP_KEEPALIVE_CNT tcp_keepalive_cnt: Option<u32>; 35 int; AtAttach Endpoint all; native None, libzmq None, range 1, 127, none "system's" = -1;
        /// TCP_KEEPIDLE: silence before the first probe, in whole seconds. Needs TCP_KEEPALIVE.
        TCP_KEEPALIVE_IDLE tcp_keepalive_idle: Option<Duration>; 36 int; AtAttach Endpoint all; native None, libzmq None, range 1000, 32_767_000, none "system's" = -1;
        /// TCP_KEEPINTVL: time between probes, in whole seconds. Needs TCP_KEEPALIVE.
        TCP_KEEPALIVE_INTVL tcp_keepalive_intvl: Option<Duration>; 37 int; AtAttach Endpoint all; native None, libzmq None, range 1000, 32_767_000, none "system's" = -1;
        /// TCP_USER_TIMEOUT: how long sent bytes may stay unacknowledged; `None` is the system's default.
        TCP_MAXRT tcp_maxrt: Option<Duration>; 80 int; AtAttach Endpoint all; native None, libzmq None, range 1, INT, none "system's" = 0;
        /// IP_TOS and IPV6_TCLASS of tcp connections.
        TOS tos: u32; 57 int; AtAttach Endpoint all; native 0, libzmq 0, range 0, 255;
        /// SO_PRIORITY of tcp connections, on Linux; 0 leaves it alone.
        PRIORITY priority: u32; 112 int; AtAttach Endpoint all; native 0, libzmq 0, range 0, INT;
        /// SO_BUSY_POLL of tcp connections, in microseconds, on Linux; 0 leaves it alone.
        BUSY_POLL busy_poll: u32; 113 int; AtAttach Endpoint all; native 0, libzmq 0, range 0, INT;
        /// The network interface that tcp traffic must use, on Linux.
        BINDTODEVICE bindtodevice: String as Option<String>; 92 string; AtAttach Endpoint all; native None, libzmq None, range 1, 15, none "any", rule no_nul, "no NUL";
        /// Networks whose tcp connections are accepted, others are closed at once; empty is all. Each `zmq_setsockopt` adds one,
        /// NULL clears (deprecated in libzmq).
        TCP_ACCEPT_FILTER tcp_accept_filter: Vec<Net>; 38 string; AtAttach Endpoint all; native Vec::new(), libzmq Vec::new(), none "all";
        /// Processes whose ipc connections are accepted, beside those of IPC_FILTER_UID and IPC_FILTER_GID; all three empty is all. Linux.
        IPC_FILTER_PID ipc_filter_pid: Vec<u32>; 58 pid_t; AtAttach Endpoint all; native Vec::new(), libzmq Vec::new(), none "all";
        /// Users whose ipc connections are accepted, as IPC_FILTER_PID.
        IPC_FILTER_UID ipc_filter_uid: Vec<u32>; 59 uid_t; AtAttach Endpoint all; native Vec::new(), libzmq Vec::new(), none "all";
        /// Groups whose ipc connections are accepted, as IPC_FILTER_PID: the peer's own, or one that /etc/group puts its user in.
        IPC_FILTER_GID ipc_filter_gid: Vec<u32>; 60 gid_t; AtAttach Endpoint all; native Vec::new(), libzmq Vec::new(), none "all";
        /// The SOCKS5 proxy through which tcp connections are made: `host:port`, or `source;host:port`. It looks the peers' names up.
        /// A source address of the endpoint is where the proxy is dialled from. Events and `peers()` show the proxy's address.
        SOCKS_PROXY socks_proxy: String as Option<Bytes>; 68 string; AtAttach Endpoint all; native None, libzmq None, none "none", rule is_proxy, "host:port";
        /// The name to show to the SOCKS5 proxy, with SOCKS_PASSWORD; without one, or with an empty one, none is offered.
        SOCKS_USERNAME socks_username: String as Option<Bytes>; 99 string; AtAttach Endpoint all; native None, libzmq None, range 0, 255, none "none";
        /// The password to show to the SOCKS5 proxy. It travels in clear text.
        SOCKS_PASSWORD socks_password: Secret as Option<Secret>; 100 string; AtAttach Endpoint all; native None, libzmq None, range 0, 255, none "none", hidden true;

        // REQ, DEALER, ROUTER, STREAM.
        /// The name under which this socket's peers that are ROUTERs know it.
        ROUTING_ID routing_id: RoutingId as Option<RoutingId>; 5 bytes; AtAttach Endpoint [REQ REP DEALER ROUTER];
        native None, libzmq None, range 1, 255, none "none", rule not_reserved, "not beginning with a zero byte";
        /// The name that this socket gives to the peer of one connect.
        CONNECT_ROUTING_ID connect_routing_id: RoutingId as Option<RoutingId>; 61 bytes; AtAttach Endpoint [ROUTER STREAM];
        native None, libzmq None, range 1, 255, none "none", rule not_reserved, "not beginning with a zero byte";
        /// Refuse a message for an unknown or full peer, instead of dropping it.
        ROUTER_MANDATORY router_mandatory: bool; 33 int; Live Socket [ROUTER]; native true, libzmq false;
        /// A new peer with the routing id of an old one takes its place, if it is the same user, instead of being ignored.
        ROUTER_HANDOVER router_handover: bool; 56 int; Live Socket [ROUTER]; native false, libzmq false;
        /// Talk bytes instead of ZMTP, as STREAM does (deprecated in libzmq).
        ROUTER_RAW router_raw: bool; 41 int; AtAttach Socket [ROUTER]; native false, libzmq false;
        /// Send an empty message to each new peer, so that a ROUTER learns of this socket.
        PROBE_ROUTER probe_router: bool; 51 int; Live Socket [REQ DEALER ROUTER]; native false, libzmq false;
        /// Number the requests, and take only the reply that has the number of the last.
        REQ_CORRELATE req_correlate: bool; 52 int; Live Socket [REQ]; native false, libzmq false;
        /// A new request may be sent before the reply to the last came; that reply is then ignored if REQ_CORRELATE is on.
        REQ_RELAXED req_relaxed: bool; 53 int; Live Socket [REQ]; native false, libzmq false;
        /// Receive an empty message from a peer when its handshake is over, when it is lost, or both. Not over inproc.
        ROUTER_NOTIFY router_notify: RouterNotify; 97 int; AtAttach Endpoint [ROUTER]; native RouterNotify::default(), libzmq RouterNotify::default(), none "nothing";
        /// A message of one frame that each peer is sent ahead of all others, on each connection anew; `None` is none.
        HELLO_MSG hello_msg: Option<Bytes>; 110 bytes; AtAttach Endpoint [DEALER ROUTER SERVER CLIENT PEER]; native None, libzmq None, none "none";
        /// A message of one frame to receive, as if from the peer, when a peer that was accepted is lost, or over inproc has left; `None` is none.
        DISCONNECT_MSG disconnect_msg: Option<Bytes>; 111 bytes; AtAttach Endpoint [ROUTER SERVER PEER]; native None, libzmq None, none "none";
        /// A message of one frame to receive, as if from the peer, when the peer of a connect is lost; `None` is none. Not over inproc.
        HICCUP_MSG hiccup_msg: Option<Bytes>; 114 bytes; AtAttach Endpoint [DEALER CLIENT PEER]; native None, libzmq None, none "none";
        /// Receive an empty message from a peer when it connects and when it is gone.
        STREAM_NOTIFY stream_notify: bool; 73 int; Live Socket [STREAM]; native true, libzmq true;

        // PUB, SUB, XPUB, XSUB.
        /// Receive every subscription, not only the first to each topic.
        XPUB_VERBOSE xpub_verbose: bool; 40 int; Live Socket [PUB XPUB]; native false, libzmq false;
        /// Receive every subscription and every end of one.
        XPUB_VERBOSER xpub_verboser: bool; 78 int; Live Socket [PUB XPUB]; native false, libzmq false;
        /// Received subscriptions have no effect by themselves; `subscribe` and `unsubscribe` apply to the peer of the last one received.
        XPUB_MANUAL xpub_manual: bool; 71 int; Live Socket [PUB XPUB]; native false, libzmq false;
        /// As XPUB_MANUAL, and the first message after a `subscribe` is for the peer that it was about alone, if it matches.
        XPUB_MANUAL_LAST_VALUE xpub_manual_last_value: bool; 98 int; Live Socket [XPUB]; native false, libzmq false;
        /// If a subscriber is at its high-water mark, `send` waits or is refused, instead of dropping the message for it.
        XPUB_NODROP xpub_nodrop: bool; 69 int; Live Socket [PUB XPUB RADIO]; native false, libzmq false;
        /// A message of one frame for each new subscriber; `None` is none.
        XPUB_WELCOME_MSG xpub_welcome_msg: Option<Bytes>; 72 bytes; Live Socket [PUB XPUB]; native None, libzmq None, none "none";
        /// Send what does *not* match a subscription (PUB, XPUB), or take it (SUB). Must be set at both ends.
        INVERT_MATCHING invert_matching: bool; 74 int; Live Socket [PUB SUB XPUB]; native false, libzmq false;
        /// Only the first frame of a message may be a subscription.
        ONLY_FIRST_SUBSCRIBE only_first_subscribe: bool; 108 int; Live Socket [PUB XPUB XSUB]; native false, libzmq false;
        /// Pass on every end of a subscription, not only the last of each topic.
        XSUB_VERBOSE_UNSUBSCRIBE xsub_verbose_unsubscribe: bool; 115 int; Live Socket [XSUB]; native false, libzmq false;

        // Read only.
        /// The security mechanism: that of the last option set that belongs to one.
        MECHANISM role: Mechanism as Role; 43 int; ReadOnly Socket all; native Role::default(), libzmq Role::default();
        /// The socket's type.
        TYPE socket_type: SocketType as Option<SocketType>; 16 int; ReadOnly Socket all; native t, libzmq t, none "–";
        /// The endpoint last bound or connected, with its real port; unset before the first.
        LAST_ENDPOINT last_endpoint: String as Option<String>; 32 string; ReadOnly Socket all; native None, libzmq None, none "none";
        /// What the socket can do without waiting: bit 0 receive, bit 1 send.
        EVENTS events: u32; 15 int; ReadOnly Socket all; native 0, libzmq 0;
        /// How many distinct topics are subscribed to: by this socket (SUB, XSUB) or by its peers (PUB, XPUB).
        TOPICS_COUNT topics_count: u32; 116 int; ReadOnly Socket [PUB SUB XPUB XSUB]; native 0, libzmq 0;
    }
    later {
        /// Whether this end is the GSSAPI server.
        GSSAPI_SERVER: bool; 62 int; AtAttach all; libzmq "off", needs "GSSAPI";
        /// This end's GSSAPI principal.
        GSSAPI_PRINCIPAL: String; 63 string; AtAttach all; libzmq "none", needs "GSSAPI";
        /// The GSSAPI principal of the server.
        GSSAPI_SERVICE_PRINCIPAL: String; 64 string; AtAttach all; libzmq "none", needs "GSSAPI";
        /// Authenticate without encryption.
        GSSAPI_PLAINTEXT: bool; 65 int; AtAttach all; libzmq "off", needs "GSSAPI";
        /// Kind of name that GSSAPI_PRINCIPAL is.
        GSSAPI_PRINCIPAL_NAMETYPE: u32; 90 int; AtAttach all; libzmq "0", needs "GSSAPI";
        /// Kind of name that GSSAPI_SERVICE_PRINCIPAL is.
        GSSAPI_SERVICE_PRINCIPAL_NAMETYPE: u32; 91 int; AtAttach all; libzmq "0", needs "GSSAPI";
        /// A file descriptor that already listens, for the next bind.
        USE_FD: u32; 89 int; AtAttach all; libzmq "none", needs "adopted descriptors", c works;
        /// The fast path of tcp over loopback, on Windows.
        LOOPBACK_FASTPATH: bool; 94 int; AtAttach all; libzmq "off", needs "Windows tuning", c kept 0 0, 1;
        /// Bytes read at once.
        IN_BATCH_SIZE: u32; 101 int; AtAttach all; libzmq "8192", needs "tunable buffers", c kept 8192 1, i32::MAX;
        /// Bytes written at once.
        OUT_BATCH_SIZE: u32; 102 int; AtAttach all; libzmq "8192", needs "tunable buffers", c kept 8192 1, i32::MAX;
        /// Multicast rate in kbit/s.
        RATE: u32; 8 int; AtAttach all; libzmq "100", needs "multicast", c kept 100 1, i32::MAX;
        /// How long multicast keeps data for retransmission.
        RECOVERY_IVL: Duration; 9 int; AtAttach all; libzmq "10 s", needs "multicast", c kept 10_000 0, i32::MAX;
        /// How many routers a multicast datagram may pass.
        MULTICAST_HOPS: u32; 25 int; AtAttach all; libzmq "1", needs "multicast", c kept 1 1, i32::MAX;
        /// The longest multicast datagram, in bytes.
        MULTICAST_MAXTPDU: u32; 84 int; AtAttach all; libzmq "1500", needs "multicast", c kept 1500 1, i32::MAX;
        /// Whether this machine hears its own multicasts.
        MULTICAST_LOOP: bool; 96 int; AtAttach all; libzmq "on", needs "multicast", c kept 1 0, 1;
        /// VMCI buffer, in bytes.
        VMCI_BUFFER_SIZE: u64; 85 uint64_t; AtAttach all; libzmq "0", needs "VMCI";
        /// Smallest VMCI buffer, in bytes.
        VMCI_BUFFER_MIN_SIZE: u64; 86 uint64_t; AtAttach all; libzmq "0", needs "VMCI";
        /// Largest VMCI buffer, in bytes.
        VMCI_BUFFER_MAX_SIZE: u64; 87 uint64_t; AtAttach all; libzmq "0", needs "VMCI";
        /// How long a VMCI connect may take.
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
        /// NORM congestion control.
        NORM_MODE: u32; 117 int; AtAttach all; libzmq "1", needs "NORM";
        /// NORM unicast NACKs.
        NORM_UNICAST_NACK: bool; 118 int; AtAttach all; libzmq "off", needs "NORM";
        /// NORM buffer, in KiB.
        NORM_BUFFER_SIZE: u32; 119 int; AtAttach all; libzmq "2048", needs "NORM";
        /// NORM segment, in bytes.
        NORM_SEGMENT_SIZE: u32; 120 int; AtAttach all; libzmq "1400", needs "NORM";
        /// NORM block, in segments.
        NORM_BLOCK_SIZE: u32; 121 int; AtAttach all; libzmq "16", needs "NORM";
        /// NORM parity segments of a block.
        NORM_NUM_PARITY: u32; 122 int; AtAttach all; libzmq "4", needs "NORM";
        /// NORM parity segments sent unasked.
        NORM_NUM_AUTOPARITY: u32; 123 int; AtAttach all; libzmq "0", needs "NORM";
        /// NORM stream flushing.
        NORM_PUSH: bool; 124 int; AtAttach all; libzmq "off", needs "NORM";
    }
    c_only {
        /// Adds a subscription.
        SUBSCRIBE; 6 bytes; Live [SUB XPUB]; libzmq "–", instead "`Socket::subscribe`";
        /// Takes a subscription back.
        UNSUBSCRIBE; 7 bytes; Live [SUB XPUB]; libzmq "–", instead "`Socket::unsubscribe`";
        /// Whether the part last received is followed by another of its message.
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
