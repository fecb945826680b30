//! X25519: the multiplications on the curve, which are nearly all that a handshake costs.
//!
//! A fuzzer's keys are the same in every run. With `cfg(fuzzing)` each product is computed once and kept.

use x25519_dalek::StaticSecret;
use zeroize::Zeroizing;

/// Returns the public key of a secret one.
pub(super) fn public_of(secret: &[u8; 32]) -> [u8; 32] {
    #[cfg(fuzzing)]
    return kept::public_of(secret);
    #[cfg(not(fuzzing))]
    multiply_base(secret)
}

/// Returns what two keys have in common; `None` for a public key of low order, with which that is zero for every secret
/// (RFC 7748 §6.1).
pub(super) fn shared(secret: &[u8; 32], public: &[u8; 32]) -> Option<Zeroizing<[u8; 32]>> {
    #[cfg(fuzzing)]
    return kept::shared(secret, public);
    #[cfg(not(fuzzing))]
    multiply(secret, public)
}

fn multiply_base(secret: &[u8; 32]) -> [u8; 32] {
    x25519_dalek::PublicKey::from(&StaticSecret::from(*secret)).to_bytes()
}

fn multiply(secret: &[u8; 32], public: &[u8; 32]) -> Option<Zeroizing<[u8; 32]>> {
    let shared = StaticSecret::from(*secret).diffie_hellman(&x25519_dalek::PublicKey::from(*public));
    shared.was_contributory().then(|| Zeroizing::new(*shared.as_bytes()))
}

#[cfg(fuzzing)]
mod kept {
    use std::cell::RefCell;
    use std::collections::HashMap;
    use std::hash::Hash;
    use std::thread::LocalKey;

    use super::{Zeroizing, multiply, multiply_base};

    type Key = [u8; 32];
    type Table<K, V> = RefCell<HashMap<K, V>>;

    /// More than the honest keys of all targets need; keys that the fuzzer makes up pass through.
    const MOST: usize = 1024;

    thread_local! {
        static PUBLIC: Table<Key, Key> = RefCell::default();
        static SHARED: Table<(Key, Key), Option<Zeroizing<Key>>> = RefCell::default();
    }

    pub(super) fn public_of(secret: &Key) -> Key {
        look_up(&PUBLIC, *secret, || multiply_base(secret))
    }

    pub(super) fn shared(secret: &Key, public: &Key) -> Option<Zeroizing<Key>> {
        look_up(&SHARED, (*secret, *public), || multiply(secret, public))
    }

    fn look_up<K: Eq + Hash, V: Clone>(
        table: &'static LocalKey<Table<K, V>>,
        key: K,
        compute: impl FnOnce() -> V,
    ) -> V {
        table.with_borrow_mut(|table| {
            if table.len() >= MOST {
                table.clear();
            }
            table.entry(key).or_insert_with(compute).clone()
        })
    }
}
