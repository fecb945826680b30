//! Options of transports, systems and buffers that are not here: kept for who reads them, without effect (libzmq options.cpp keeps
//! them for every socket, whatever it is connected by).

use std::ffi::c_int;
use std::sync::atomic::{AtomicI32, Ordering};

/// An option's number, its value in libzmq, and the least and the largest that may be set.
struct Row(c_int, c_int, c_int, c_int);

const ROWS: [Row; 8] = [
    // RATE, RECOVERY_IVL, MULTICAST_HOPS, MULTICAST_MAXTPDU, LOOPBACK_FASTPATH, MULTICAST_LOOP.
    Row(8, 100, 1, c_int::MAX),
    Row(9, 10_000, 0, c_int::MAX),
    Row(25, 1, 1, c_int::MAX),
    Row(84, 1500, 1, c_int::MAX),
    Row(94, 0, 0, 1),
    Row(96, 1, 0, 1),
    // IN_BATCH_SIZE, OUT_BATCH_SIZE: how much is read and written at once here follows the transport.
    Row(101, 8192, 1, c_int::MAX),
    Row(102, 8192, 1, c_int::MAX),
];

/// The values of one socket.
pub(crate) struct Kept([AtomicI32; ROWS.len()]);

impl Kept {
    pub(crate) fn new() -> Kept {
        Kept(ROWS.map(|Row(_, value, ..)| AtomicI32::new(value)))
    }

    /// Keeps a value: whether that is allowed, or `None` for an option that is not kept here.
    pub(crate) fn set(&self, option: c_int, bytes: &[u8]) -> Option<bool> {
        let at = ROWS.iter().position(|row| row.0 == option)?;
        let value = <[u8; 4]>::try_from(bytes).ok().map(c_int::from_ne_bytes);
        let value = value.filter(|value| (ROWS[at].2..=ROWS[at].3).contains(value));
        value.iter().for_each(|value| self.0[at].store(*value, Ordering::SeqCst));
        Some(value.is_some())
    }

    /// The value of an option that is kept here.
    pub(crate) fn get(&self, option: c_int) -> Option<c_int> {
        let at = ROWS.iter().position(|row| row.0 == option)?;
        Some(self.0[at].load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_option_is_read_as_it_was_set_within_libzmqs_limits() {
        let kept = Kept::new();
        assert_eq!(
            (kept.get(8), kept.get(9), kept.get(96), kept.get(15)),
            (Some(100), Some(10_000), Some(1), None)
        );
        assert_eq!(kept.set(8, &250i32.to_ne_bytes()), Some(true));
        assert_eq!(kept.get(8), Some(250));
        for wrong in [&0i32.to_ne_bytes()[..], &[1], &(-1i32).to_ne_bytes()] {
            assert_eq!(kept.set(8, wrong), Some(false));
        }
        assert_eq!((kept.get(8), kept.set(15, &[0; 4])), (Some(250), None));
        for batch in [101, 102] {
            assert_eq!(kept.get(batch), Some(8192));
            let refused: Vec<Option<bool>> = [0, -1].map(|n: i32| kept.set(batch, &n.to_ne_bytes())).into();
            assert_eq!(refused, [Some(false); 2]);
            assert_eq!((kept.set(batch, &1i32.to_ne_bytes()), kept.get(batch)), (Some(true), Some(1)));
        }
    }
}
