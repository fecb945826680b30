//! Option values from text, as somebody types them: `LINGER=2s`, `SNDHWM=10`, `CURVE_SERVER=on`.

use std::time::Duration;

use bytes::Bytes;
use zeroxide_patterns::RoutingId;
use zeroxide_zmtp::mechanism::Secret;
use zeroxide_zmtp::{SocketType, Version};

use super::choices::{ReconnectStop, RouterNotify};
use crate::security::{Mechanism, Net, PublicKey, SecretKey};

/// A type of option values that can be typed.
pub(super) trait FromText: Sized {
    /// What to write, for an error.
    const FORM: &'static str;

    /// Returns the value of a text, or `None` if it is not of the form. `absent`: the text is one that stands for no value.
    fn from_text(text: &str, absent: bool) -> Option<Self>;
}

impl FromText for bool {
    const FORM: &'static str = "on or off";

    fn from_text(text: &str, _absent: bool) -> Option<bool> {
        match text.to_ascii_lowercase().as_str() {
            "on" | "true" | "yes" | "1" => Some(true),
            "off" | "false" | "no" | "0" => Some(false),
            _ => None,
        }
    }
}

impl FromText for u32 {
    const FORM: &'static str = "a whole number";

    fn from_text(text: &str, _absent: bool) -> Option<u32> {
        text.parse().ok()
    }
}

impl FromText for u64 {
    const FORM: &'static str = "a whole number";

    fn from_text(text: &str, _absent: bool) -> Option<u64> {
        text.parse().ok()
    }
}

/// A bare number is no time: libzmq's users would mean milliseconds, and everybody else seconds.
impl FromText for Duration {
    const FORM: &'static str = "a time with its unit, such as 250ms, 1.5s or 2m";

    fn from_text(text: &str, _absent: bool) -> Option<Duration> {
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at_checked(end)?;
        let number: f64 = number.parse().ok()?;
        let seconds = match unit.trim_start() {
            "us" | "µs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" | "min" => 60.0,
            "h" => 3600.0,
            "" if number == 0.0 => 0.0,
            _ => return None,
        };
        Duration::try_from_secs_f64(number * seconds).ok()
    }
}

impl<T: FromText> FromText for Option<T> {
    const FORM: &'static str = T::FORM;

    fn from_text(text: &str, absent: bool) -> Option<Option<T>> {
        if absent { Some(None) } else { T::from_text(text, false).map(Some) }
    }
}

impl FromText for String {
    const FORM: &'static str = "a text";

    fn from_text(text: &str, _absent: bool) -> Option<String> {
        Some(text.to_owned())
    }
}

impl FromText for Bytes {
    const FORM: &'static str = "a text";

    fn from_text(text: &str, _absent: bool) -> Option<Bytes> {
        Some(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl FromText for Secret {
    const FORM: &'static str = "a text";

    fn from_text(text: &str, _absent: bool) -> Option<Secret> {
        Some(text.into())
    }
}

impl FromText for RoutingId {
    const FORM: &'static str = "a text of 1 to 255 bytes";

    fn from_text(text: &str, _absent: bool) -> Option<RoutingId> {
        RoutingId::new(text).ok()
    }
}

impl FromText for Vec<(String, Bytes)> {
    const FORM: &'static str = "names and values, such as X-site=lab,X-rack=7";

    fn from_text(text: &str, absent: bool) -> Option<Vec<(String, Bytes)>> {
        let pair = |text: &str| {
            let (name, value) = text.split_once('=')?;
            Some((name.trim().to_owned(), Bytes::copy_from_slice(value.as_bytes())))
        };
        listed(text, absent, pair)
    }
}

impl FromText for Vec<Net> {
    const FORM: &'static str = "networks, such as 10.0.0.0/8,192.168.1.7";

    fn from_text(text: &str, absent: bool) -> Option<Vec<Net>> {
        listed(text, absent, |text| text.parse().ok())
    }
}

impl FromText for Vec<u32> {
    const FORM: &'static str = "numbers with a comma between them";

    fn from_text(text: &str, absent: bool) -> Option<Vec<u32>> {
        listed(text, absent, |text| text.parse().ok())
    }
}

fn listed<T>(text: &str, absent: bool, mut one: impl FnMut(&str) -> Option<T>) -> Option<Vec<T>> {
    if absent { Some(Vec::new()) } else { text.split(',').map(|part| one(part.trim())).collect() }
}

/// Returns a set of switches; those are on whose names are listed.
fn chosen<T: Default>(
    text: &str,
    absent: bool,
    switch: impl for<'a> Fn(&'a mut T, &str) -> Option<&'a mut bool>,
) -> Option<T> {
    let mut switches = T::default();
    listed(text, absent, |name| switch(&mut switches, name).map(|on| *on = true))?;
    Some(switches)
}

impl FromText for Version {
    const FORM: &'static str = "a version of ZMTP: 1.0, 2.0, 3.0 or 3.1";

    fn from_text(text: &str, _absent: bool) -> Option<Version> {
        [Version::V1_0, Version::V2_0, Version::V3_0, Version::V3_1]
            .into_iter()
            .find(|version| version.to_string() == text)
    }
}

impl FromText for PublicKey {
    const FORM: &'static str = "a public key: 40 characters of Z85";

    #[cfg(feature = "curve")]
    fn from_text(text: &str, _absent: bool) -> Option<PublicKey> {
        text.parse().ok()
    }

    #[cfg(not(feature = "curve"))]
    fn from_text(_text: &str, _absent: bool) -> Option<PublicKey> {
        None
    }
}

impl FromText for SecretKey {
    const FORM: &'static str = "a secret key: 40 characters of Z85";

    #[cfg(feature = "curve")]
    fn from_text(text: &str, _absent: bool) -> Option<SecretKey> {
        text.parse().ok()
    }

    #[cfg(not(feature = "curve"))]
    fn from_text(_text: &str, _absent: bool) -> Option<SecretKey> {
        None
    }
}

impl FromText for ReconnectStop {
    const FORM: &'static str = "some of conn-refused,handshake-failed,after-disconnect";

    fn from_text(text: &str, absent: bool) -> Option<ReconnectStop> {
        chosen(text, absent, |stop: &mut ReconnectStop, name| match name {
            "conn-refused" => Some(&mut stop.conn_refused),
            "handshake-failed" => Some(&mut stop.handshake_failed),
            "after-disconnect" => Some(&mut stop.after_disconnect),
            _ => None,
        })
    }
}

impl FromText for RouterNotify {
    const FORM: &'static str = "some of connect,disconnect";

    fn from_text(text: &str, absent: bool) -> Option<RouterNotify> {
        chosen(text, absent, |notify: &mut RouterNotify, name| match name {
            "connect" => Some(&mut notify.connect),
            "disconnect" => Some(&mut notify.disconnect),
            _ => None,
        })
    }
}

/// Only for options that can only be read.
impl FromText for Mechanism {
    const FORM: &'static str = "nothing";

    fn from_text(_text: &str, _absent: bool) -> Option<Mechanism> {
        None
    }
}

/// Only for options that can only be read.
impl FromText for SocketType {
    const FORM: &'static str = "nothing";

    fn from_text(_text: &str, _absent: bool) -> Option<SocketType> {
        None
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use super::*;
    use crate::options::opt::{self, Scope, Support, TABLE};
    use crate::options::{OptionError, Options};

    #[track_caller]
    fn reads<T: FromText + PartialEq + Debug>(texts: &[(&str, Option<T>)]) {
        for (text, expected) in texts {
            assert_eq!(&T::from_text(text, false), expected, "{text:?}");
        }
    }

    #[test]
    fn switches_and_numbers() {
        reads(&[("on", Some(true)), ("OFF", Some(false)), ("1", Some(true)), ("", None), ("2", None)]);
        reads(&[("0", Some(0_u32)), ("4294967295", Some(u32::MAX)), ("4294967296", None), ("-1", None)]);
        reads(&[("18446744073709551615", Some(u64::MAX)), ("1k", None), ("", None)]);
    }

    #[test]
    fn a_time_has_a_unit() {
        let millis = |n| Some(Duration::from_millis(n));
        reads(&[
            ("250ms", millis(250)),
            ("250 ms", millis(250)),
            ("1.5s", millis(1500)),
            ("2m", millis(120_000)),
        ]);
        reads(&[("20us", Some(Duration::from_micros(20))), ("1h", millis(3_600_000)), ("0", millis(0))]);
        reads::<Duration>(&[
            ("5", None),
            ("-1s", None),
            ("s", None),
            ("", None),
            ("1..2s", None),
            ("9e9s", None),
        ]);
    }

    #[test]
    fn lists_have_commas() {
        reads(&[("1, 20", Some(vec![1_u32, 20])), ("1,,2", None), ("", None)]);
        reads(&[(
            "10.0.0.0/8,::1",
            Some(vec!["10.0.0.0/8".parse::<Net>().unwrap(), "::1".parse().unwrap()]),
        )]);
        let pair = |name: &str, value: &'static str| (name.to_owned(), Bytes::from_static(value.as_bytes()));
        reads(&[("X-a=1,X-b=c=d", Some(vec![pair("X-a", "1"), pair("X-b", "c=d")])), ("X-a", None)]);
        let refused = ReconnectStop { conn_refused: true, ..ReconnectStop::default() };
        let both = ReconnectStop { after_disconnect: true, ..refused };
        reads(&[
            ("conn-refused", Some(refused)),
            ("after-disconnect,conn-refused", Some(both)),
            ("refused", None),
        ]);
        let notify = RouterNotify { connect: true, disconnect: false };
        reads(&[("connect", Some(notify)), ("connect,", None)]);
        assert_eq!(Vec::<u32>::from_text("all", true), Some(Vec::new()));
        assert_eq!(RouterNotify::from_text("nothing", true), Some(RouterNotify::default()));
    }

    #[test]
    fn texts_versions_and_names() {
        reads(&[("a=b", Some("a=b".to_owned())), ("", Some(String::new()))]);
        reads(&[("hello", Some(Bytes::from_static(b"hello")))]);
        reads(&[("w1", Some(RoutingId::new("w1").unwrap())), ("", None)]);
        reads(&[("3.1", Some(Version::V3_1)), ("1.0", Some(Version::V1_0)), ("4", None)]);
        assert_eq!(Secret::from_text("hunter2", false).unwrap().expose(), b"hunter2");
    }

    #[test]
    #[cfg(feature = "curve")]
    fn keys_are_z85() {
        let text = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";
        reads(&[(text, text.parse::<PublicKey>().ok()), (&text[1..], None)]);
        assert!(
            SecretKey::from_text(text, false).is_some() && SecretKey::from_text("short", false).is_none()
        );
    }

    fn error_of(name: &str, text: &str) -> String {
        Options::new().set_text(opt::by_name(name).unwrap(), text).check().unwrap_err().to_string()
    }

    #[test]
    fn an_absent_value_has_the_words_of_the_table_and_cs_numbers() {
        for text in ["none", "for ever", "-1"] {
            let options = Options::new().set_text(opt::by_name("LINGER").unwrap(), text);
            assert_eq!(options.get(opt::LINGER), Some(None), "{text}");
        }
        assert!(error_of("LINGER", "-2").contains("250ms"));
        assert_eq!(error_of("SNDHWM", "none"), r#"SNDHWM = "none": write a whole number"#);
    }

    #[test]
    fn limits_hold_for_texts() {
        assert_eq!(error_of("HEARTBEAT_TTL", "7000s"), "HEARTBEAT_TTL = 7000 s: allowed 0..6553.5 s");
        assert!(error_of("TOS", "256").contains("allowed 0..255"));
    }

    #[test]
    fn what_cannot_be_set_says_so() {
        assert_eq!(error_of("TYPE", "SUB"), "TYPE: can only be read");
        assert!(error_of("SUBSCRIBE", "a").contains("`Socket::subscribe`"));
        assert!(error_of("RATE", "100").contains("needs multicast"));
    }

    #[test]
    fn a_secret_is_in_no_error() {
        let row = opt::by_name("CURVE_SECRETKEY").unwrap();
        let error = Options::new().set_text(row, "hunter2").check().unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }

    /// What docs/OPTIONS.md shows as the default can be typed.
    #[test]
    fn every_default_can_be_typed_as_it_is_shown() {
        for row in TABLE {
            let works = row.support() == Support::Works && row.scope() != Scope::ReadOnly;
            // A key, a name or a message that is not set is shown as `none`, and cannot be unset.
            if works && !row.name().starts_with("CURVE_") {
                let set = Options::new().set_text(row, &row.native_default(None)).check();
                assert!(!matches!(set, Err(OptionError::Malformed { .. })), "{set:?}");
            }
        }
    }

    #[test]
    fn names_may_be_typed_as_in_c() {
        assert_eq!(opt::by_name("ZMQ_LINGER").unwrap().name(), "LINGER");
        assert_eq!(opt::by_name("linger").unwrap().name(), "LINGER");
        assert!(
            opt::by_name("LINGERS").is_none() && opt::by_name("ZMQ_").is_none() && opt::by_name("").is_none()
        );
    }
}
