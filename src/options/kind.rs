//! The Rust types of option values: how each is compared with its range, and how it is shown.

use std::time::Duration;

use bytes::Bytes;
use zeroxide_patterns::RoutingId;
use zeroxide_zmtp::mechanism::Secret;
use zeroxide_zmtp::{SocketType, Version};

use super::choices::{ReconnectStop, RouterNotify};
use super::error::OptionError;
use super::row::{Row, Unit};
use crate::security::{Mechanism, Net, PublicKey, Role, SecretKey};

/// A type of option values.
pub(super) trait Kind {
    /// The unit of its magnitude.
    const UNIT: Unit;

    /// Returns the number that must be in the range of the row; `None` is always in range.
    fn magnitude(&self) -> Option<u64> {
        None
    }

    /// Returns the value as text. An absent value is shown as `none`.
    fn show(&self, none: &str) -> String;
}

/// A field of `Values` for an option of type `T`: a `T`, or an `Option<T>` if the option may be unset.
pub(super) trait Field<T> {
    fn from_value(value: T) -> Self;
    fn value(&self) -> Option<T>;

    /// Returns the bytes of a text that need not be UTF-8; `None` for other types.
    fn text(&mut self) -> Option<&mut Option<Bytes>> {
        None
    }
}

impl<T: Clone> Field<T> for T {
    fn from_value(value: T) -> T {
        value
    }

    fn value(&self) -> Option<T> {
        Some(self.clone())
    }
}

impl<T: Clone> Field<T> for Option<T> {
    fn from_value(value: T) -> Option<T> {
        Some(value)
    }

    fn value(&self) -> Option<T> {
        self.clone()
    }
}

/// A text that is kept as bytes, because those of the C library need not be UTF-8.
impl Field<String> for Option<Bytes> {
    fn from_value(text: String) -> Option<Bytes> {
        Some(text.into())
    }

    fn value(&self) -> Option<String> {
        self.as_ref().map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    fn text(&mut self) -> Option<&mut Option<Bytes>> {
        Some(self)
    }
}

/// Checks `value` against the range and the rule of its row.
pub(super) fn check<T: Kind>(row: &Row, value: &T, rule: Option<fn(&T) -> bool>) -> Result<(), OptionError> {
    let in_range = match (value.magnitude(), row.range) {
        (Some(magnitude), Some((low, high))) => (low..=high).contains(&magnitude),
        _ => true,
    };
    if in_range && rule.is_none_or(|rule| rule(value)) {
        return Ok(());
    }
    let value = if row.secret { "***".to_owned() } else { value.show(row.none.unwrap_or("none")) };
    Err(OptionError::OutOfRange { option: row.name, value, allowed: row.allowed() })
}

impl Kind for bool {
    const UNIT: Unit = Unit::Any;

    fn show(&self, _none: &str) -> String {
        if *self { "on" } else { "off" }.to_owned()
    }
}

impl Kind for u32 {
    const UNIT: Unit = Unit::Number;

    fn magnitude(&self) -> Option<u64> {
        Some(u64::from(*self))
    }

    fn show(&self, _none: &str) -> String {
        self.to_string()
    }
}

impl Kind for u64 {
    const UNIT: Unit = Unit::Number;

    fn magnitude(&self) -> Option<u64> {
        Some(*self)
    }

    fn show(&self, _none: &str) -> String {
        self.to_string()
    }
}

impl Kind for Duration {
    const UNIT: Unit = Unit::Time;

    /// Returns the milliseconds, rounded up, so that no value above the limit is allowed.
    fn magnitude(&self) -> Option<u64> {
        let millis = self.as_nanos().div_ceil(1_000_000);
        Some(u64::try_from(millis).unwrap_or(u64::MAX))
    }

    fn show(&self, _none: &str) -> String {
        show_duration(*self)
    }
}

impl<T: Kind> Kind for Option<T> {
    const UNIT: Unit = T::UNIT;

    fn magnitude(&self) -> Option<u64> {
        self.as_ref().and_then(T::magnitude)
    }

    fn show(&self, none: &str) -> String {
        self.as_ref().map_or_else(|| none.to_owned(), |value| value.show(none))
    }
}

impl Kind for String {
    const UNIT: Unit = Unit::Length;

    fn magnitude(&self) -> Option<u64> {
        Some(self.len() as u64)
    }

    fn show(&self, _none: &str) -> String {
        format!("{self:?}")
    }
}

impl Kind for Bytes {
    const UNIT: Unit = Unit::Length;

    fn magnitude(&self) -> Option<u64> {
        Some(self.len() as u64)
    }

    fn show(&self, _none: &str) -> String {
        format!("{} bytes", self.len())
    }
}

impl Kind for RoutingId {
    const UNIT: Unit = Unit::Length;

    fn magnitude(&self) -> Option<u64> {
        Some(self.as_bytes().len() as u64)
    }

    fn show(&self, _none: &str) -> String {
        self.to_string()
    }
}

impl Kind for Vec<(String, Bytes)> {
    const UNIT: Unit = Unit::Length;

    /// Returns the number of bytes of all names and values.
    fn magnitude(&self) -> Option<u64> {
        Some(self.iter().map(|(name, value)| (name.len() + value.len()) as u64).sum())
    }

    fn show(&self, none: &str) -> String {
        let names: Vec<&str> = self.iter().map(|(name, _)| name.as_str()).collect();
        if names.is_empty() { none.to_owned() } else { format!("{names:?}") }
    }
}

impl Kind for Vec<Net> {
    const UNIT: Unit = Unit::Any;

    fn show(&self, none: &str) -> String {
        listed(self, none)
    }
}

impl Kind for Vec<u32> {
    const UNIT: Unit = Unit::Any;

    fn show(&self, none: &str) -> String {
        listed(self, none)
    }
}

fn listed<T: ToString>(values: &[T], none: &str) -> String {
    let texts: Vec<String> = values.iter().map(T::to_string).collect();
    if texts.is_empty() { none.to_owned() } else { texts.join(", ") }
}

impl Kind for Version {
    const UNIT: Unit = Unit::Any;

    fn show(&self, _none: &str) -> String {
        self.to_string()
    }
}

impl Kind for SocketType {
    const UNIT: Unit = Unit::Any;

    fn show(&self, _none: &str) -> String {
        self.to_string()
    }
}

impl Kind for Secret {
    const UNIT: Unit = Unit::Length;

    fn magnitude(&self) -> Option<u64> {
        Some(self.expose().len() as u64)
    }

    fn show(&self, _none: &str) -> String {
        "***".to_owned()
    }
}

impl Kind for SecretKey {
    const UNIT: Unit = Unit::Any;

    fn show(&self, _none: &str) -> String {
        "***".to_owned()
    }
}

impl Kind for PublicKey {
    const UNIT: Unit = Unit::Any;

    fn show(&self, _none: &str) -> String {
        self.to_string()
    }
}

impl Kind for Role {
    const UNIT: Unit = Unit::Any;

    fn show(&self, _none: &str) -> String {
        self.mechanism.to_string()
    }
}

impl Kind for Mechanism {
    const UNIT: Unit = Unit::Any;

    fn show(&self, _none: &str) -> String {
        self.to_string()
    }
}

/// The option MECHANISM shows the mechanism of a role.
impl Field<Mechanism> for Role {
    fn from_value(mechanism: Mechanism) -> Role {
        Role { mechanism, server: false }
    }

    fn value(&self) -> Option<Mechanism> {
        Some(self.mechanism)
    }
}

impl Kind for ReconnectStop {
    const UNIT: Unit = Unit::Any;

    fn show(&self, none: &str) -> String {
        if *self == ReconnectStop::default() { none.to_owned() } else { format!("{self:?}") }
    }
}

impl Kind for RouterNotify {
    const UNIT: Unit = Unit::Any;

    fn show(&self, none: &str) -> String {
        if *self == RouterNotify::default() { none.to_owned() } else { format!("{self:?}") }
    }
}

/// Returns a duration as text: `7000 s`, `1.5 s`, `250 ms`, `20 µs`.
pub(crate) fn show_duration(duration: Duration) -> String {
    match duration {
        Duration::ZERO => "0 s".to_owned(),
        d if d >= Duration::from_secs(1) => {
            let text = format!("{}.{:09}", d.as_secs(), d.subsec_nanos());
            format!("{} s", text.trim_end_matches('0').trim_end_matches('.'))
        }
        d if d.subsec_nanos() % 1_000_000 == 0 => format!("{} ms", d.as_millis()),
        d => format!("{} µs", d.as_micros()),
    }
}
