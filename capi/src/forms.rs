//! The conversion between the bytes of an option in C and its value.
//!
//! The form follows from the Rust type of the value and from the row of the option ([`zeroxide::opt`]), so a new row of a known
//! type needs nothing here. libzmq treats a few options differently from all others of their type. They are in the lists at the
//! end, each with its reason.

use std::ffi::c_int;
use std::time::Duration;

use bytes::Bytes;
use zeroxide::face::{LockedOptions, number, z85};
use zeroxide::opt::{self, CType, Row, Scope};
use zeroxide::{
    Mechanism, Net, Opt, PublicKey, ReconnectStop, RouterNotify, RoutingId, Secret, SecretKey, SocketType,
};

use crate::boundary::Errno;
use crate::option_value::CValue;

const INVALID: Errno = Errno(libc::EINVAL);

/// How C sets and gets one option.
pub(crate) struct Form {
    number: c_int,
    /// Sets the option from the bytes of its C type.
    pub(crate) set: fn(&mut LockedOptions<'_>, &[u8]) -> Result<(), Errno>,
    /// Returns its value.
    pub(crate) get: fn(&mut LockedOptions<'_>) -> Result<CValue, Errno>,
}

/// Returns the form of the option with a number.
///
/// # Errors
/// Returns `EINVAL` if no working option has the number.
pub(crate) fn form(number: c_int) -> Result<&'static Form, Errno> {
    FORMS.iter().flatten().find(|form| form.number == number).ok_or(INVALID)
}

macro_rules! form {
    ($name:ident own) => {
        None
    };
    ($name:ident $number:literal) => {
        Some(Form {
            number: $number,
            set: |options, bytes| set(options, opt::$name, bytes),
            get: |options| get(options, opt::$name),
        })
    };
}

macro_rules! forms {
    ($($name:ident $number:tt;)+) => {
        static FORMS: &[Option<Form>] = &[$(form!($name $number)),+];
    };
}

zeroxide::each_option!(forms);

fn set<T: CForm, S>(options: &mut LockedOptions<'_>, option: Opt<T, S>, bytes: &[u8]) -> Result<(), Errno> {
    if option.row().scope() == Scope::ReadOnly {
        return Err(INVALID);
    }
    T::put(options, option, bytes)
}

fn get<T: CForm, S>(options: &mut LockedOptions<'_>, option: Opt<T, S>) -> Result<CValue, Errno> {
    if !T::READABLE || !is_readable(option.row()) {
        return Err(INVALID);
    }
    T::take(options, option)
}

/// A type of option values that has a form in C.
pub(crate) trait CForm: Sized {
    /// Whether `zmq_getsockopt` can read such a value.
    const READABLE: bool = true;

    /// Returns the value that these bytes stand for, or `None` if they stand for none or the value can only be read.
    fn decode(_: &[u8], _: &Row) -> Option<Self> {
        None
    }

    fn encode(self, row: &Row) -> CValue;

    /// Returns whether these bytes stand for "no value".
    fn is_none(bytes: &[u8], row: &Row) -> bool {
        int(bytes).is_some_and(|value| row.none_in_c().contains(&value))
    }

    /// Sets an option.
    fn put<S>(options: &mut LockedOptions<'_>, option: Opt<Self, S>, bytes: &[u8]) -> Result<(), Errno> {
        let value = Self::decode(bytes, option.row()).ok_or(INVALID)?;
        Ok(options.set(option, value, is_set_on_every_type(option.row()))?)
    }

    /// Reads an option.
    fn take<S>(options: &mut LockedOptions<'_>, option: Opt<Self, S>) -> Result<CValue, Errno> {
        let row = option.row();
        let value = options.get(option, is_read_on_every_type(row))?;
        Ok(value.map_or_else(|| unset(row), |value| value.encode(row)))
    }
}

pub(crate) fn int(bytes: &[u8]) -> Option<c_int> {
    bytes.try_into().ok().map(c_int::from_ne_bytes)
}

/// Returns what C reads if the option was never set.
fn unset(row: &Row) -> CValue {
    match row.c_type() {
        CType::int | CType::zmq_fd_t => CValue::Int(0),
        CType::int64_t => CValue::Int64(0),
        CType::uint64_t => CValue::Uint64(0),
        CType::bytes | CType::pid_t | CType::uid_t | CType::gid_t | CType::none => CValue::Bytes(Vec::new()),
        CType::string => CValue::Text(Vec::new()),
        CType::curve_key => CValue::Key(Box::default()),
    }
}

/// Returns what C reads for "no value".
fn none(row: &Row) -> CValue {
    match row.none_in_c().first() {
        Some(none) if row.c_type() == CType::int64_t => CValue::Int64((*none).into()),
        Some(none) => CValue::Int(*none),
        None => unset(row),
    }
}

/// Returns a number as an `int`, or the largest `int` if it does not fit.
pub(crate) fn to_int(number: impl TryInto<c_int>) -> CValue {
    CValue::Int(number.try_into().unwrap_or(c_int::MAX))
}

/// A value, or one of the numbers that stand for "no value" in the row.
impl<T: CForm> CForm for Option<T> {
    fn decode(bytes: &[u8], row: &Row) -> Option<Option<T>> {
        if T::is_none(bytes, row) { Some(None) } else { T::decode(bytes, row).map(Some) }
    }

    fn encode(self, row: &Row) -> CValue {
        self.map_or_else(|| none(row), |value| value.encode(row))
    }
}

impl CForm for bool {
    fn decode(bytes: &[u8], row: &Row) -> Option<bool> {
        let value = int(bytes)?;
        takes(row, value).then_some(value != 0)
    }

    fn encode(self, _: &Row) -> CValue {
        CValue::Int(self.into())
    }
}

impl CForm for u32 {
    fn decode(bytes: &[u8], _: &Row) -> Option<u32> {
        u32::try_from(int(bytes)?).ok()
    }

    fn encode(self, _: &Row) -> CValue {
        to_int(self)
    }
}

/// 64 bits. If the C type is signed, negative numbers stand for "no value".
impl CForm for u64 {
    fn decode(bytes: &[u8], _: &Row) -> Option<u64> {
        bytes.try_into().ok().map(u64::from_ne_bytes)
    }

    fn encode(self, row: &Row) -> CValue {
        match row.c_type() {
            CType::int64_t => CValue::Int64(self.try_into().unwrap_or(i64::MAX)),
            _ => CValue::Uint64(self),
        }
    }

    fn is_none(bytes: &[u8], _: &Row) -> bool {
        bytes.try_into().is_ok_and(|bytes| i64::from_ne_bytes(bytes) < 0)
    }
}

/// Milliseconds, except for the options of `in_seconds`.
impl CForm for Duration {
    fn decode(bytes: &[u8], row: &Row) -> Option<Duration> {
        let count = u64::try_from(int(bytes)?).ok()?;
        Some(match () {
            () if in_seconds(row) => Duration::from_secs(count),
            () if in_tenths(row) => Duration::from_millis(count - count % 100),
            () => Duration::from_millis(count),
        })
    }

    fn encode(self, row: &Row) -> CValue {
        if in_seconds(row) { to_int(self.as_secs()) } else { to_int(self.as_millis()) }
    }
}

/// A routing id may begin with a zero byte here. Such ids are reserved for those that a ROUTER creates (RFC 28), but libzmq accepts
/// them, and programs that number their peers in network byte order use them.
impl CForm for RoutingId {
    fn decode(bytes: &[u8], _: &Row) -> Option<RoutingId> {
        RoutingId::new(bytes).ok()
    }

    fn encode(self, _: &Row) -> CValue {
        CValue::Bytes(self.as_bytes().to_vec())
    }

    fn put<S>(options: &mut LockedOptions<'_>, option: Opt<Self, S>, bytes: &[u8]) -> Result<(), Errno> {
        let id = Self::decode(bytes, option.row()).ok_or(INVALID)?;
        Ok(options.set_unchecked(option, id, is_set_on_every_type(option.row()))?)
    }
}

/// Bytes with a length. Length 0 stands for "no value".
impl CForm for Bytes {
    fn decode(bytes: &[u8], _: &Row) -> Option<Bytes> {
        Some(Bytes::copy_from_slice(bytes))
    }

    fn encode(self, _: &Row) -> CValue {
        CValue::Bytes(self.into())
    }

    fn is_none(bytes: &[u8], _: &Row) -> bool {
        bytes.is_empty()
    }
}

/// Most texts may have any bytes, also trailing NULs (libzmq options.cpp). Native programs set and get them as text.
impl CForm for String {
    fn decode(bytes: &[u8], _: &Row) -> Option<String> {
        let text = bytes.strip_suffix(b"\0").unwrap_or(bytes);
        std::str::from_utf8(text).ok().map(str::to_owned)
    }

    fn encode(self, _: &Row) -> CValue {
        CValue::Text(self.into_bytes())
    }

    fn put<S>(options: &mut LockedOptions<'_>, option: Opt<Self, S>, bytes: &[u8]) -> Result<(), Errno> {
        let of_any_bytes = options.text(option).is_some();
        // Sets any text of that length first, for the limits of the row and for what follows from setting the option.
        let stand_in = of_any_bytes.then(|| "?".repeat(bytes.len()));
        let text = stand_in.or_else(|| Self::decode(bytes, option.row())).ok_or(INVALID)?;
        options.set(option, text, is_set_on_every_type(option.row()))?;
        options.text(option).into_iter().for_each(|place| *place = Some(Bytes::copy_from_slice(bytes)));
        Ok(())
    }

    fn take<S>(options: &mut LockedOptions<'_>, option: Opt<Self, S>) -> Result<CValue, Errno> {
        if let Some(text) = options.text(option) {
            return Ok(CValue::Text(text.clone().unwrap_or_default().into()));
        }
        let text = options.get(option, is_read_on_every_type(option.row()))?;
        Ok(text.unwrap_or_default().encode(option.row()))
    }
}

impl CForm for Secret {
    fn decode(bytes: &[u8], _: &Row) -> Option<Secret> {
        Some(Secret::new(bytes))
    }

    fn encode(self, _: &Row) -> CValue {
        CValue::Text(self.expose().to_vec())
    }
}

/// Returns a key of CURVE: 32 bytes, or 40 characters of Z85 with or without a NUL.
fn key(bytes: &[u8]) -> Option<[u8; 32]> {
    let text = match bytes {
        [text @ .., 0] if bytes.len() == 41 => text,
        _ if bytes.len() == 40 => bytes,
        _ => return bytes.try_into().ok(),
    };
    z85::decode(std::str::from_utf8(text).ok()?).ok()?.try_into().ok()
}

impl CForm for PublicKey {
    fn decode(bytes: &[u8], _: &Row) -> Option<PublicKey> {
        key(bytes).map(PublicKey::from_bytes)
    }

    fn encode(self, _: &Row) -> CValue {
        CValue::Key(Box::new(*self.as_bytes()))
    }
}

impl CForm for SecretKey {
    fn decode(bytes: &[u8], _: &Row) -> Option<SecretKey> {
        key(bytes).map(SecretKey::from_bytes)
    }

    fn encode(self, _: &Row) -> CValue {
        CValue::Key(Box::new(*self.expose()))
    }
}

/// One entry of an option to which each call adds one.
trait Entry: Clone + PartialEq {
    /// Whether a call without bytes removes all entries.
    const CLEARED: bool = true;

    fn decode_one(bytes: &[u8]) -> Option<Self>;

    /// Returns whether `other` need not be added.
    fn covers(&self, other: &Self) -> bool {
        self == other
    }
}

/// Each call adds one entry, within the limits of the option (libzmq options.cpp).
impl<T: Entry> CForm for Vec<T> {
    const READABLE: bool = false;

    fn decode(bytes: &[u8], _: &Row) -> Option<Vec<T>> {
        if T::CLEARED && bytes.is_empty() {
            return Some(Vec::new());
        }
        T::decode_one(bytes).map(|one| vec![one])
    }

    fn encode(self, row: &Row) -> CValue {
        unset(row)
    }

    fn put<S>(options: &mut LockedOptions<'_>, option: Opt<Self, S>, bytes: &[u8]) -> Result<(), Errno> {
        let every_type = is_set_on_every_type(option.row());
        let added = Self::decode(bytes, option.row()).ok_or(INVALID)?;
        let mut all = options.get(option, every_type)?.unwrap_or_default();
        options.set(option, added.clone(), every_type)?;
        if let [one] = &added[..] {
            if !all.iter().any(|known| known.covers(one)) {
                all.push(one.clone());
            }
            options.set_unchecked(option, all, every_type)?;
        }
        Ok(())
    }
}

/// METADATA: `name:value`. The first entry with a name stays. The value may have any bytes.
impl Entry for (String, Bytes) {
    const CLEARED: bool = false;

    fn decode_one(bytes: &[u8]) -> Option<(String, Bytes)> {
        let colon = bytes.iter().position(|byte| *byte == b':')?;
        let (name, value) = (std::str::from_utf8(&bytes[..colon]).ok()?, &bytes[colon + 1..]);
        // Four bytes may be an `int`.
        let legal = name.starts_with("X-") && !value.is_empty() && bytes.len() != 4;
        legal.then(|| (name.to_owned(), Bytes::copy_from_slice(value)))
    }

    fn covers(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Entry for Net {
    fn decode_one(bytes: &[u8]) -> Option<Net> {
        let text = bytes.strip_suffix(b"\0").unwrap_or(bytes);
        std::str::from_utf8(text).ok().filter(|_| bytes.len() <= 255)?.parse().ok()
    }
}

/// `pid_t` is signed, but no process has a negative number.
impl Entry for u32 {
    fn decode_one(bytes: &[u8]) -> Option<u32> {
        bytes.try_into().ok().map(u32::from_ne_bytes)
    }
}

/// Returns an `int` if only its lowest `count` bits are set.
fn bits(bytes: &[u8], count: u32) -> Option<c_int> {
    int(bytes).filter(|bits| bits >> count == 0)
}

/// Returns an `int` with these bits, the lowest first.
fn from_bits(bits: &[bool]) -> CValue {
    CValue::Int(bits.iter().rev().fold(0, |sum, bit| sum << 1 | c_int::from(*bit)))
}

impl CForm for ReconnectStop {
    fn decode(bytes: &[u8], _: &Row) -> Option<ReconnectStop> {
        let bits = bits(bytes, 3)?;
        Some(ReconnectStop {
            conn_refused: bits & 1 != 0,
            handshake_failed: bits & 2 != 0,
            after_disconnect: bits & 4 != 0,
        })
    }

    fn encode(self, _: &Row) -> CValue {
        from_bits(&[self.conn_refused, self.handshake_failed, self.after_disconnect])
    }
}

impl CForm for RouterNotify {
    fn decode(bytes: &[u8], _: &Row) -> Option<RouterNotify> {
        let bits = bits(bytes, 2)?;
        Some(RouterNotify { connect: bits & 1 != 0, disconnect: bits & 2 != 0 })
    }

    fn encode(self, _: &Row) -> CValue {
        from_bits(&[self.connect, self.disconnect])
    }
}

/// Numbered as in zmq.h.
impl CForm for Mechanism {
    fn encode(self, _: &Row) -> CValue {
        CValue::Int(self as c_int)
    }
}

/// Numbered as in zmq.h.
impl CForm for SocketType {
    fn encode(self, _: &Row) -> CValue {
        CValue::Int(self as c_int)
    }
}

/// Returns whether libzmq allows the option on sockets of every type, although it has an effect on few (options.cpp). The other
/// options of few types can be set on those types only, and not be read (router.cpp, xpub.cpp and so on).
fn is_set_on_every_type(row: &Row) -> bool {
    let also = [
        number::ROUTING_ID,
        number::CONFLATE,
        number::INVERT_MATCHING,
        number::HELLO_MSG,
        number::DISCONNECT_MSG,
        number::HICCUP_MSG,
    ];
    row.types().is_empty() || is_one_of(row, &also)
}

/// Returns whether the option can be read on every type. Only ROUTER_NOTIFY can be set on some types and read on all
/// (options.cpp).
fn is_read_on_every_type(row: &Row) -> bool {
    is_set_on_every_type(row) || is_one_of(row, &[number::ROUTER_NOTIFY])
}

/// Returns whether the option can be read. The three messages can only be set (options.cpp).
fn is_readable(row: &Row) -> bool {
    is_read_on_every_type(row)
        && !is_one_of(row, &[number::HELLO_MSG, number::DISCONNECT_MSG, number::HICCUP_MSG])
}

/// Returns whether this number is valid for a `bool`.
fn takes(row: &Row, value: c_int) -> bool {
    // As in options.cpp and xsub.cpp.
    let any = [number::INVERT_MATCHING, number::ZAP_ENFORCE_DOMAIN, number::XSUB_VERBOSE_UNSUBSCRIBE];
    match () {
        () if is_one_of(row, &any) => true,
        // Options of few types: router.cpp, xpub.cpp and so on. stream.cpp requires 0 or 1, as options.cpp does.
        () if !is_set_on_every_type(row) && !is_one_of(row, &[number::STREAM_NOTIFY]) => value >= 0,
        () => value == 0 || value == 1,
    }
}

fn in_seconds(row: &Row) -> bool {
    is_one_of(row, &[number::TCP_KEEPALIVE_IDLE, number::TCP_KEEPALIVE_INTVL])
}

/// Returns whether the milliseconds are rounded down to tenths of a second, as they are sent (ZMTP 3.1).
fn in_tenths(row: &Row) -> bool {
    is_one_of(row, &[number::HEARTBEAT_TTL])
}

fn is_one_of(row: &Row, numbers: &[c_int]) -> bool {
    row.number().is_some_and(|number| numbers.contains(&number))
}
