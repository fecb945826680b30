//! Options of transports, systems and buffers that this library does not have. They can be set and read, without effect. libzmq
//! keeps them for every socket, too, whatever its transports (options.cpp).

use std::collections::BTreeMap;
use std::ffi::c_int;
use std::sync::{Mutex, MutexGuard, PoisonError};

use zeroxide::opt::{InC, TABLE};

/// The values that were set on one socket.
#[derive(Default)]
pub(crate) struct Kept(Mutex<BTreeMap<c_int, c_int>>);

impl Kept {
    /// Keeps a value. Returns whether it is allowed, or `None` for an option that is not kept here.
    pub(crate) fn set(&self, option: c_int, bytes: &[u8]) -> Option<bool> {
        let (_, low, high) = row(option)?;
        let value = <[u8; 4]>::try_from(bytes).ok().map(c_int::from_ne_bytes);
        let Some(value) = value.filter(|value| (low..=high).contains(value)) else { return Some(false) };
        self.values().insert(option, value);
        Some(true)
    }

    /// Returns the value of an option that is kept here.
    pub(crate) fn get(&self, option: c_int) -> Option<c_int> {
        let (default, ..) = row(option)?;
        Some(self.values().get(&option).copied().unwrap_or(default))
    }

    fn values(&self) -> MutexGuard<'_, BTreeMap<c_int, c_int>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the default, the smallest and the largest value of an option that is kept here.
fn row(option: c_int) -> Option<(c_int, c_int, c_int)> {
    match TABLE.iter().find(|row| row.number() == Some(option))?.in_c() {
        InC::Kept { default, low, high } => Some((default, low, high)),
        InC::Works | InC::Fails => None,
    }
}

#[cfg(test)]
mod tests {
    use zeroxide::face::number;

    use super::*;

    #[test]
    fn a_kept_option_is_read_as_it_was_set_within_libzmqs_limits() {
        let kept = Kept::default();
        let defaults =
            [number::RATE, number::RECOVERY_IVL, number::MULTICAST_LOOP, number::EVENTS].map(|n| kept.get(n));
        assert_eq!(defaults, [Some(100), Some(10_000), Some(1), None]);
        assert_eq!(kept.set(number::RATE, &250i32.to_ne_bytes()), Some(true));
        assert_eq!(kept.get(number::RATE), Some(250));
        for wrong in [&0i32.to_ne_bytes()[..], &[1], &(-1i32).to_ne_bytes()] {
            assert_eq!(kept.set(number::RATE, wrong), Some(false));
        }
        assert_eq!((kept.get(number::RATE), kept.set(number::EVENTS, &[0; 4])), (Some(250), None));
        for batch in [number::IN_BATCH_SIZE, number::OUT_BATCH_SIZE] {
            assert_eq!(kept.get(batch), Some(8192));
            let refused: Vec<Option<bool>> = [0, -1].map(|n: i32| kept.set(batch, &n.to_ne_bytes())).into();
            assert_eq!(refused, [Some(false); 2]);
            assert_eq!((kept.set(batch, &1i32.to_ne_bytes()), kept.get(batch)), (Some(true), Some(1)));
        }
    }
}
