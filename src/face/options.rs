//! Options by libzmq's numbers: for each that works, how its value looks in C.
//!
//! What an option is, its name, number and limits, stands in the one table ([`crate::options`]). A [`Form`] adds which
//! bytes mean which value: what libzmq says with -1 or 0 is `None` there.

use std::time::Duration;

use bytes::Bytes;
use zeroxide_patterns::RoutingId;
use zeroxide_zmtp::SocketType;
use zeroxide_zmtp::mechanism::{Secret, z85};

use crate::options::{Opt, OptionError, ReconnectStop, RouterNotify, Row, Values, opt};
use crate::security::{Mechanism, Net, PublicKey, SecretKey};

/// The value of an option as C sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Raw {
    /// `int`.
    Int(i32),
    /// `int64_t`.
    Int64(i64),
    /// `uint64_t`.
    Uint64(u64),
    /// Bytes with a length.
    Bytes(Vec<u8>),
    /// Text; C adds a NUL.
    Text(Vec<u8>),
    /// A key of CURVE: 32 bytes, or Z85 with a NUL, as there is room.
    Key(Box<[u8; 32]>),
}

/// Options whose answer is not among the socket's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Special {
    Events,
    Fd,
    ReceivesMore,
    LastEndpoint,
    Topics,
}

pub(super) fn special(number: i32) -> Option<Special> {
    match number {
        13 => Some(Special::ReceivesMore),
        14 => Some(Special::Fd),
        15 => Some(Special::Events),
        32 => Some(Special::LastEndpoint),
        116 => Some(Special::Topics),
        _ => None,
    }
}

const PLAIN_SERVER: i32 = 44;
const PLAIN_USERNAME: i32 = 45;
const PLAIN_PASSWORD: i32 = 46;
const TCP_ACCEPT_FILTER: i32 = 38;
const IPC_FILTER_PID: i32 = 58;
const IPC_FILTER_UID: i32 = 59;
const IPC_FILTER_GID: i32 = 60;
/// Options to which each call adds.
const ADDED_TO: [i32; 4] = [TCP_ACCEPT_FILTER, IPC_FILTER_PID, IPC_FILTER_UID, IPC_FILTER_GID];
const SOCKS_PROXY: i32 = 68;
const METADATA: i32 = 95;
const TYPE: i32 = 16;
const MECHANISM: i32 = 43;
const THREAD_SAFE: i32 = 81;
pub(super) const ROUTING_ID: i32 = 5;
const CONNECT_ROUTING_ID: i32 = 61;
pub(super) const SUBSCRIBE: i32 = 6;
pub(super) const UNSUBSCRIBE: i32 = 7;

/// Sets an option.
pub(super) fn set(
    values: &mut Values,
    socket: SocketType,
    number: i32,
    bytes: &[u8],
) -> Result<(), OptionError> {
    match find(number) {
        // NULL of no length: the socket is no client of PLAIN any more (libzmq options.cpp).
        Some(_) if bytes.is_empty() && matches!(number, PLAIN_USERNAME | PLAIN_PASSWORD) => {
            set(values, socket, PLAIN_SERVER, &0i32.to_ne_bytes())
        }
        // NULL: no proxy. What is wrong with another text shows when it is dialled (libzmq options.cpp,
        // socks_connecter.cpp).
        Some(_) if number == SOCKS_PROXY => {
            values.socks_proxy = (!bytes.is_empty()).then(|| Bytes::copy_from_slice(bytes));
            Ok(())
        }
        Some(form) if ADDED_TO.contains(&number) => add(form, values, socket, bytes),
        // Each call adds one; the first value of a name stays (libzmq options.cpp).
        Some(form) if number == METADATA => {
            let before = values.metadata.clone();
            (form.set)(values, socket, bytes)?;
            let added = std::mem::replace(&mut values.metadata, before);
            for (name, value) in added {
                if !values.metadata.iter().any(|(known, _)| *known == name) {
                    values.metadata.push((name, value));
                }
            }
            Ok(())
        }
        // Reserved for the names that sockets make themselves (RFC 28), but libzmq takes them, and programs that number
        // their peers in network byte order have them.
        Some(form) if [ROUTING_ID, CONNECT_ROUTING_ID].contains(&number) && bytes.first() == Some(&0) => {
            let id = RoutingId::new(bytes).ok();
            // Whether this socket takes one at all, and of this length.
            (form.set)(values, socket, if id.is_some() { b"id" } else { bytes })?;
            match number {
                ROUTING_ID => values.routing_id = id,
                _ => values.connect_routing_id = id,
            }
            Ok(())
        }
        Some(form) => (form.set)(values, socket, bytes),
        None => Err(unknown(number)),
    }
}

/// Adds one value to a list; none at all clears it (libzmq options.cpp).
fn add(form: &Form, values: &mut Values, socket: SocketType, bytes: &[u8]) -> Result<(), OptionError> {
    let mut before = values.clone();
    (form.set)(values, socket, bytes)?;
    if bytes.is_empty() {
        return Ok(());
    }
    match form.number {
        TCP_ACCEPT_FILTER => join(&mut before.tcp_accept_filter, &mut values.tcp_accept_filter),
        IPC_FILTER_PID => join(&mut before.ipc_filter_pid, &mut values.ipc_filter_pid),
        IPC_FILTER_UID => join(&mut before.ipc_filter_uid, &mut values.ipc_filter_uid),
        _ => join(&mut before.ipc_filter_gid, &mut values.ipc_filter_gid),
    }
    Ok(())
}

/// Puts what was there before in front.
fn join<T: PartialEq>(before: &mut Vec<T>, now: &mut Vec<T>) {
    now.retain(|value| !before.contains(value));
    before.append(now);
    std::mem::swap(before, now);
}

/// The value of an option.
pub(super) fn get(values: &Values, socket: SocketType, number: i32) -> Result<Raw, OptionError> {
    match number {
        TYPE => Ok(Raw::Int(socket as i32)),
        MECHANISM => Ok(Raw::Int(match values.role().mechanism {
            Mechanism::Null => 0,
            Mechanism::Plain => 1,
            Mechanism::Curve => 2,
        })),
        THREAD_SAFE => Ok(Raw::Int(socket.has_single_frames().into())),
        _ => {
            let get = find(number).and_then(|form| form.get).ok_or_else(|| unknown(number))?;
            get(values, socket)
        }
    }
}

fn find(number: i32) -> Option<&'static Form> {
    FORMS.iter().find(|form| form.number == number)
}

/// The error for an option that does not exist, cannot be read, or will come later.
fn unknown(number: i32) -> OptionError {
    let row = opt::TABLE.iter().find(|row| row.number() == Some(number));
    match row.map(|row| (row.name(), row.support())) {
        Some((option, opt::Support::NotYet(needs))) => OptionError::NotYet { option, needs },
        Some((option, _)) => OptionError::Unset { option },
        None => OptionError::Unknown { number },
    }
}

type Get = fn(&Values, SocketType) -> Result<Raw, OptionError>;

/// One option in C.
struct Form {
    number: i32,
    set: fn(&mut Values, SocketType, &[u8]) -> Result<(), OptionError>,
    get: Option<Get>,
}

/// How the values of a type look in C.
trait Codec<T> {
    /// `None`: these bytes mean nothing.
    fn decode(&self, bytes: &[u8]) -> Option<T>;
    /// `None`: the option was never set.
    fn encode(&self, value: Option<T>) -> Raw;
}

fn put<T, S>(
    option: Opt<T, S>,
    codec: impl Codec<T>,
    place: (&mut Values, SocketType),
    bytes: &[u8],
) -> Result<(), OptionError> {
    let row = option.row();
    let value = codec.decode(bytes).ok_or_else(|| malformed(row, bytes))?;
    option.write_for_c(place.0, value, place.1, is_generic(row))
}

fn read<T, S>(
    option: Opt<T, S>,
    codec: impl Codec<T>,
    values: &Values,
    socket: SocketType,
) -> Result<Raw, OptionError> {
    option.read_for_c(values, socket, is_read_by_all(option.row())).map(|value| codec.encode(value))
}

/// Options that libzmq keeps for sockets of every type, though few heed them (options.cpp).
fn is_generic(row: &Row) -> bool {
    matches!(
        row.name(),
        "ROUTING_ID" | "CONFLATE" | "INVERT_MATCHING" | "HELLO_MSG" | "DISCONNECT_MSG" | "HICCUP_MSG"
    )
}

/// Options whose value sockets of every type tell, though some cannot set it.
fn is_read_by_all(row: &Row) -> bool {
    is_generic(row) || row.name() == "ROUTER_NOTIFY"
}

fn malformed(row: &Row, bytes: &[u8]) -> OptionError {
    let value = match <[u8; 4]>::try_from(bytes) {
        _ if row.is_secret() => "***".to_owned(),
        Ok(int) => i32::from_ne_bytes(int).to_string(),
        Err(_) => format!("{} bytes", bytes.len()),
    };
    OptionError::OutOfRange { option: row.name(), value, allowed: format!("as {}", row.c_type()) }
}

fn int(bytes: &[u8]) -> Option<i32> {
    bytes.try_into().ok().map(i32::from_ne_bytes)
}

fn from_u32(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

fn from_millis(value: Duration) -> i32 {
    i32::try_from(value.as_millis()).unwrap_or(i32::MAX)
}

/// `bool` as `int`.
enum Flag {
    /// 0 or 1.
    Strict,
    /// 0, or anything positive.
    NotNegative,
    /// 0, or anything else.
    Any,
}

impl Codec<bool> for Flag {
    fn decode(&self, bytes: &[u8]) -> Option<bool> {
        let int = int(bytes)?;
        let legal = match self {
            Flag::Strict => int == 0 || int == 1,
            Flag::NotNegative => int >= 0,
            Flag::Any => true,
        };
        legal.then_some(int != 0)
    }

    fn encode(&self, value: Option<bool>) -> Raw {
        Raw::Int(value.unwrap_or_default().into())
    }
}

/// The opposite of a `bool` as `int`.
struct Not;

impl Codec<bool> for Not {
    fn decode(&self, bytes: &[u8]) -> Option<bool> {
        Flag::Strict.decode(bytes).map(|value| !value)
    }

    fn encode(&self, value: Option<bool>) -> Raw {
        Raw::Int((!value.unwrap_or_default()).into())
    }
}

/// A number; for an optional one, what `None` is called.
struct Number;
struct NumberOr(i32);

impl Codec<u32> for Number {
    fn decode(&self, bytes: &[u8]) -> Option<u32> {
        u32::try_from(int(bytes)?).ok()
    }

    fn encode(&self, value: Option<u32>) -> Raw {
        Raw::Int(from_u32(value.unwrap_or_default()))
    }
}

impl Codec<Option<u32>> for NumberOr {
    fn decode(&self, bytes: &[u8]) -> Option<Option<u32>> {
        let int = int(bytes)?;
        if int == self.0 { Some(None) } else { u32::try_from(int).ok().map(Some) }
    }

    fn encode(&self, value: Option<Option<u32>>) -> Raw {
        Raw::Int(value.flatten().map_or(self.0, from_u32))
    }
}

impl Codec<Option<bool>> for NumberOr {
    fn decode(&self, bytes: &[u8]) -> Option<Option<bool>> {
        let int = int(bytes)?;
        if int == self.0 { Some(None) } else { Flag::Strict.decode(bytes).map(Some) }
    }

    fn encode(&self, value: Option<Option<bool>>) -> Raw {
        Raw::Int(value.flatten().map_or(self.0, i32::from))
    }
}

/// A time in milliseconds; for an optional one, what `None` is called, and what else means it.
struct Millis;
struct MillisOr(i32, i32);
struct SecondsOr(i32);

impl Codec<Duration> for Millis {
    fn decode(&self, bytes: &[u8]) -> Option<Duration> {
        u64::try_from(int(bytes)?).ok().map(Duration::from_millis)
    }

    fn encode(&self, value: Option<Duration>) -> Raw {
        Raw::Int(from_millis(value.unwrap_or_default()))
    }
}

impl Codec<Option<Duration>> for MillisOr {
    fn decode(&self, bytes: &[u8]) -> Option<Option<Duration>> {
        let int = int(bytes)?;
        if int == self.0 || int == self.1 { Some(None) } else { Millis.decode(bytes).map(Some) }
    }

    fn encode(&self, value: Option<Option<Duration>>) -> Raw {
        Raw::Int(value.flatten().map_or(self.0, from_millis))
    }
}

impl Codec<Option<Duration>> for SecondsOr {
    fn decode(&self, bytes: &[u8]) -> Option<Option<Duration>> {
        let int = int(bytes)?;
        let seconds = u64::try_from(int).ok().map(Duration::from_secs);
        if int == self.0 { Some(None) } else { seconds.map(Some) }
    }

    fn encode(&self, value: Option<Option<Duration>>) -> Raw {
        let seconds = |value: Duration| i32::try_from(value.as_secs()).unwrap_or(i32::MAX);
        Raw::Int(value.flatten().map_or(self.0, seconds))
    }
}

/// HEARTBEAT_TTL: milliseconds that travel as tenths of a second, and read so.
struct Tenths;

impl Codec<Duration> for Tenths {
    fn decode(&self, bytes: &[u8]) -> Option<Duration> {
        // libzmq takes up to 6553599 and rounds down.
        let millis = u64::try_from(int(bytes)?).ok()?;
        (millis < 6_553_600).then(|| Duration::from_millis(millis - millis % 100))
    }

    fn encode(&self, value: Option<Duration>) -> Raw {
        Millis.encode(value)
    }
}

/// 64 bits.
struct Wide;

impl Codec<u64> for Wide {
    fn decode(&self, bytes: &[u8]) -> Option<u64> {
        bytes.try_into().ok().map(u64::from_ne_bytes)
    }

    fn encode(&self, value: Option<u64>) -> Raw {
        Raw::Uint64(value.unwrap_or_default())
    }
}

/// 64 bits with a sign: whatever is negative is `None`.
impl Codec<Option<u64>> for Wide {
    fn decode(&self, bytes: &[u8]) -> Option<Option<u64>> {
        let value: [u8; 8] = bytes.try_into().ok()?;
        Some(u64::try_from(i64::from_ne_bytes(value)).ok())
    }

    fn encode(&self, value: Option<Option<u64>>) -> Raw {
        Raw::Int64(value.flatten().map_or(-1, |value| i64::try_from(value).unwrap_or(i64::MAX)))
    }
}

/// Bytes with a length.
struct Plain;

impl Codec<RoutingId> for Plain {
    fn decode(&self, bytes: &[u8]) -> Option<RoutingId> {
        RoutingId::new(bytes).ok()
    }

    fn encode(&self, value: Option<RoutingId>) -> Raw {
        Raw::Bytes(value.map(|id| id.as_bytes().to_vec()).unwrap_or_default())
    }
}

impl Codec<Option<Bytes>> for Plain {
    fn decode(&self, bytes: &[u8]) -> Option<Option<Bytes>> {
        Some((!bytes.is_empty()).then(|| Bytes::copy_from_slice(bytes)))
    }

    fn encode(&self, value: Option<Option<Bytes>>) -> Raw {
        Raw::Bytes(value.flatten().map(|value| value.to_vec()).unwrap_or_default())
    }
}

impl Codec<String> for Plain {
    fn decode(&self, bytes: &[u8]) -> Option<String> {
        let text = bytes.strip_suffix(b"\0").unwrap_or(bytes);
        std::str::from_utf8(text).ok().map(str::to_owned)
    }

    fn encode(&self, value: Option<String>) -> Raw {
        Raw::Text(value.unwrap_or_default().into_bytes())
    }
}

impl Codec<Secret> for Plain {
    fn decode(&self, bytes: &[u8]) -> Option<Secret> {
        Some(Secret::new(bytes))
    }

    fn encode(&self, value: Option<Secret>) -> Raw {
        Raw::Text(value.map(|value| value.expose().to_vec()).unwrap_or_default())
    }
}

/// A key of CURVE: 32 bytes, or 40 characters of Z85 with or without a NUL.
struct Key;

impl Key {
    fn bytes(bytes: &[u8]) -> Option<[u8; 32]> {
        match bytes {
            [text @ .., 0] if bytes.len() == 41 => Key::bytes_of_text(text),
            _ if bytes.len() == 40 => Key::bytes_of_text(bytes),
            _ => bytes.try_into().ok(),
        }
    }

    fn bytes_of_text(text: &[u8]) -> Option<[u8; 32]> {
        z85::decode(std::str::from_utf8(text).ok()?).ok()?.try_into().ok()
    }
}

impl Codec<PublicKey> for Key {
    fn decode(&self, bytes: &[u8]) -> Option<PublicKey> {
        Key::bytes(bytes).map(PublicKey::from_bytes)
    }

    fn encode(&self, value: Option<PublicKey>) -> Raw {
        Raw::Key(Box::new(value.map(|key| *key.as_bytes()).unwrap_or_default()))
    }
}

impl Codec<SecretKey> for Key {
    fn decode(&self, bytes: &[u8]) -> Option<SecretKey> {
        Key::bytes(bytes).map(SecretKey::from_bytes)
    }

    fn encode(&self, value: Option<SecretKey>) -> Raw {
        Raw::Key(Box::new(value.map(|key| *key.expose()).unwrap_or_default()))
    }
}

/// METADATA: `name:value`, one more pair with each call (libzmq options.cpp). The value is of any bytes.
struct Pair;

impl Codec<Vec<(String, Bytes)>> for Pair {
    fn decode(&self, bytes: &[u8]) -> Option<Vec<(String, Bytes)>> {
        let colon = bytes.iter().position(|byte| *byte == b':')?;
        let (name, value) = (std::str::from_utf8(&bytes[..colon]).ok()?, &bytes[colon + 1..]);
        // Four bytes might be an `int`.
        let legal = name.starts_with("X-") && !value.is_empty() && bytes.len() != 4;
        legal.then(|| vec![(name.to_owned(), Bytes::copy_from_slice(value))])
    }

    fn encode(&self, _: Option<Vec<(String, Bytes)>>) -> Raw {
        Raw::Bytes(Vec::new())
    }
}

/// A filter: one more, or none at all.
struct One;

impl Codec<Vec<Net>> for One {
    fn decode(&self, bytes: &[u8]) -> Option<Vec<Net>> {
        match bytes {
            [] => Some(Vec::new()),
            _ if bytes.len() > 255 => None,
            _ => {
                let text: String = Plain.decode(bytes)?;
                text.parse().ok().map(|net| vec![net])
            }
        }
    }

    fn encode(&self, _: Option<Vec<Net>>) -> Raw {
        Raw::Bytes(Vec::new())
    }
}

/// `pid_t` has a sign, and no process a negative number.
impl Codec<Vec<u32>> for One {
    fn decode(&self, bytes: &[u8]) -> Option<Vec<u32>> {
        match bytes {
            [] => Some(Vec::new()),
            _ => bytes.try_into().ok().map(|number| vec![u32::from_ne_bytes(number)]),
        }
    }

    fn encode(&self, _: Option<Vec<u32>>) -> Raw {
        Raw::Bytes(Vec::new())
    }
}

/// RECONNECT_STOP: bits.
struct Stops;

impl Codec<ReconnectStop> for Stops {
    fn decode(&self, bytes: &[u8]) -> Option<ReconnectStop> {
        let bits = int(bytes).filter(|bits| bits & !7 == 0)?;
        Some(ReconnectStop {
            conn_refused: bits & 1 != 0,
            handshake_failed: bits & 2 != 0,
            after_disconnect: bits & 4 != 0,
        })
    }

    fn encode(&self, value: Option<ReconnectStop>) -> Raw {
        let stop = value.unwrap_or_default();
        let bit = |on: bool, place: i32| i32::from(on) << place;
        Raw::Int(bit(stop.conn_refused, 0) | bit(stop.handshake_failed, 1) | bit(stop.after_disconnect, 2))
    }
}

/// ROUTER_NOTIFY: bits.
struct Notices;

impl Codec<RouterNotify> for Notices {
    fn decode(&self, bytes: &[u8]) -> Option<RouterNotify> {
        let bits = int(bytes).filter(|bits| bits & !3 == 0)?;
        Some(RouterNotify { connect: bits & 1 != 0, disconnect: bits & 2 != 0 })
    }

    fn encode(&self, value: Option<RouterNotify>) -> Raw {
        let notify = value.unwrap_or_default();
        Raw::Int(i32::from(notify.connect) | (i32::from(notify.disconnect) << 1))
    }
}

macro_rules! get {
    (both, $name:ident, $codec:expr) => {
        Some(|values, socket| read(opt::$name, $codec, values, socket))
    };
    (set, $name:ident, $codec:expr) => {
        None
    };
}

macro_rules! forms {
    (
        texts {$($text_number:literal $text:ident $field:ident;)+}
        others {$($number:literal $way:ident $name:ident: $codec:expr;)+}
    ) => {
        static FORMS: &[Form] = &[
            $(Form {
                number: $text_number,
                set: |values, socket, bytes| {
                    // The limits of its row, and what follows from setting it, are those of any text of that length.
                    opt::$text.write_for_c(values, "?".repeat(bytes.len()), socket, false)?;
                    values.$field = Some(Bytes::copy_from_slice(bytes));
                    Ok(())
                },
                get: Some(|values, _| Ok(Raw::Text(values.$field.clone().unwrap_or_default().into()))),
            },)+
            $(Form {
                number: $number,
                set: |values, socket, bytes| put(opt::$name, $codec, (values, socket), bytes),
                get: get!($way, $name, $codec),
            },)+
        ];
    };
}

forms! {
    // Whatever their bytes, trailing NULs too (libzmq options.cpp); native programs set and get them as text.
    texts {
        45 PLAIN_USERNAME plain_username;
        55 ZAP_DOMAIN zap_domain;
        68 SOCKS_PROXY socks_proxy;
        99 SOCKS_USERNAME socks_username;
    }
    others {
        4 both AFFINITY: Wide;
        5 both ROUTING_ID: Plain;
        11 both SNDBUF: NumberOr(-1);
        12 both RCVBUF: NumberOr(-1);
        17 both LINGER: MillisOr(-1, -1);
        // Neither -1 nor 0 dials again.
        18 both RECONNECT_IVL: MillisOr(-1, 0);
        19 both BACKLOG: Number;
        21 both RECONNECT_IVL_MAX: MillisOr(0, 0);
        22 both MAXMSGSIZE: Wide;
        23 both SNDHWM: Number;
        24 both RCVHWM: Number;
        27 both RCVTIMEO: MillisOr(-1, -1);
        28 both SNDTIMEO: MillisOr(-1, -1);
        // IPV4ONLY.
        31 both IPV6: Not;
        33 set ROUTER_MANDATORY: Flag::NotNegative;
        34 both TCP_KEEPALIVE: NumberOr(-1);
        35 both TCP_KEEPALIVE_CNT: NumberOr(-1);
        36 both TCP_KEEPALIVE_IDLE: SecondsOr(-1);
        37 both TCP_KEEPALIVE_INTVL: SecondsOr(-1);
        38 set TCP_ACCEPT_FILTER: One;
        39 both IMMEDIATE: Flag::Strict;
        40 set XPUB_VERBOSE: Flag::NotNegative;
        41 set ROUTER_RAW: Flag::NotNegative;
        42 both IPV6: Flag::Strict;
        44 both PLAIN_SERVER: Flag::Strict;
        46 both PLAIN_PASSWORD: Plain;
        47 both CURVE_SERVER: Flag::Strict;
        48 both CURVE_PUBLICKEY: Key;
        49 both CURVE_SECRETKEY: Key;
        50 both CURVE_SERVERKEY: Key;
        51 set PROBE_ROUTER: Flag::NotNegative;
        52 set REQ_CORRELATE: Flag::NotNegative;
        53 set REQ_RELAXED: Flag::NotNegative;
        54 both CONFLATE: Flag::Strict;
        56 set ROUTER_HANDOVER: Flag::NotNegative;
        57 both TOS: Number;
        58 set IPC_FILTER_PID: One;
        59 set IPC_FILTER_UID: One;
        60 set IPC_FILTER_GID: One;
        61 set CONNECT_ROUTING_ID: Plain;
        66 both HANDSHAKE_IVL: MillisOr(0, 0);
        69 set XPUB_NODROP: Flag::NotNegative;
        71 set XPUB_MANUAL: Flag::NotNegative;
        72 set XPUB_WELCOME_MSG: Plain;
        73 set STREAM_NOTIFY: Flag::Strict;
        74 both INVERT_MATCHING: Flag::Any;
        75 both HEARTBEAT_IVL: MillisOr(0, 0);
        76 both HEARTBEAT_TTL: Tenths;
        77 both HEARTBEAT_TIMEOUT: MillisOr(-1, -1);
        78 set XPUB_VERBOSER: Flag::NotNegative;
        79 both CONNECT_TIMEOUT: MillisOr(0, 0);
        80 both TCP_MAXRT: MillisOr(0, 0);
        92 both BINDTODEVICE: Plain;
        93 both ZAP_ENFORCE_DOMAIN: Flag::Any;
        95 set METADATA: Pair;
        97 both ROUTER_NOTIFY: Notices;
        98 set XPUB_MANUAL_LAST_VALUE: Flag::NotNegative;
        100 both SOCKS_PASSWORD: Plain;
        108 set ONLY_FIRST_SUBSCRIBE: Flag::NotNegative;
        109 both RECONNECT_STOP: Stops;
        110 set HELLO_MSG: Plain;
        111 set DISCONNECT_MSG: Plain;
        112 both PRIORITY: Number;
        113 both BUSY_POLL: Number;
        114 set HICCUP_MSG: Plain;
        115 set XSUB_VERBOSE_UNSUBSCRIBE: Flag::Any;
    }
}
