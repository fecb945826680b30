//! What CURVE's cryptography alone costs: one box sealed and one opened, by the library that does it in the runs, in the
//! process that the run was in.

use std::time::{Duration, Instant};

/// A key, and a body of one size.
pub(crate) trait Boxes {
    /// With a body of `size` bytes.
    fn new(size: usize) -> Self;

    /// Seals the body.
    fn seal(&mut self);

    /// Opens what was sealed last.
    fn open(&mut self);
}

/// Enough for one that nothing disturbs.
const ROUNDS: usize = 31;
/// How long a round lasts, about.
const ROUND: Duration = Duration::from_millis(1);

/// The shortest time of one seal and of one open, with the byte of flags that CURVE adds to a body of `size` bytes.
pub(crate) fn measure<B: Boxes>(size: usize) -> [Duration; 2] {
    let mut boxes = B::new(size + 1);
    let seal = fastest(|| boxes.seal());
    let both = fastest(|| {
        boxes.seal();
        boxes.open();
    });
    [seal, both.saturating_sub(seal)]
}

fn fastest(mut once: impl FnMut()) -> Duration {
    let (start, mut calls) = (Instant::now(), 0_u32);
    while start.elapsed() < ROUND {
        once();
        calls += 1;
    }
    let round = |_| {
        let start = Instant::now();
        (0..calls).for_each(|_| once());
        start.elapsed() / calls
    };
    (0..ROUNDS).map(round).min().unwrap_or_default()
}

const KEY: [u8; 32] = [7; 32];
const NONCE: [u8; 24] = [9; 24];

/// Those that zeroxide was built with.
#[cfg(feature = "curve")]
pub(crate) struct Ours {
    body: Vec<u8>,
    tag: [u8; 16],
}

#[cfg(feature = "curve-simd")]
impl Boxes for Ours {
    fn new(size: usize) -> Ours {
        Ours { body: vec![b'x'; size], tag: [0; 16] }
    }

    fn seal(&mut self) {
        use dryoc::classic::crypto_box::crypto_box_detached_afternm_inplace;
        crypto_box_detached_afternm_inplace(&mut self.body, &mut self.tag, &NONCE, &KEY);
    }

    fn open(&mut self) {
        use dryoc::classic::crypto_box::crypto_box_open_detached_afternm_inplace;
        crypto_box_open_detached_afternm_inplace(&mut self.body, &self.tag, &NONCE, &KEY)
            .expect("a box that was sealed");
    }
}

#[cfg(all(feature = "curve", not(feature = "curve-simd")))]
impl Boxes for Ours {
    fn new(size: usize) -> Ours {
        Ours { body: vec![b'x'; size], tag: [0; 16] }
    }

    fn seal(&mut self) {
        use crypto_secretbox::{AeadInPlace, KeyInit, XSalsa20Poly1305};
        let cipher = XSalsa20Poly1305::new((&KEY).into());
        let tag = cipher.encrypt_in_place_detached((&NONCE).into(), &[], &mut self.body);
        self.tag = tag.expect("a body that is not too long").into();
    }

    fn open(&mut self) {
        use crypto_secretbox::{AeadInPlace, KeyInit, XSalsa20Poly1305};
        let cipher = XSalsa20Poly1305::new((&KEY).into());
        cipher
            .decrypt_in_place_detached((&NONCE).into(), &[], &mut self.body, (&self.tag).into())
            .expect("a box that was sealed");
    }
}

/// libsodium's, as libzmq calls it.
#[cfg(all(sodium, feature = "curve"))]
pub(crate) struct Sodium {
    body: Vec<u8>,
    sealed: Vec<u8>,
}

#[cfg(all(sodium, feature = "curve"))]
impl Boxes for Sodium {
    fn new(size: usize) -> Sodium {
        Sodium { body: vec![b'x'; size], sealed: vec![0; size + 16] }
    }

    fn seal(&mut self) {
        let (to, from, length) = (self.sealed.as_mut_ptr(), self.body.as_ptr(), self.body.len() as u64);
        // SAFETY: `sealed` is 16 bytes longer than `body`, and nonce and key have the sizes that libsodium wants.
        let code = unsafe {
            benches::libzmq::crypto_box_easy_afternm(to, from, length, NONCE.as_ptr(), KEY.as_ptr())
        };
        assert_eq!(code, 0, "a box");
    }

    fn open(&mut self) {
        let (to, from, length) = (self.body.as_mut_ptr(), self.sealed.as_ptr(), self.sealed.len() as u64);
        // SAFETY: as above.
        let code = unsafe {
            benches::libzmq::crypto_box_open_easy_afternm(to, from, length, NONCE.as_ptr(), KEY.as_ptr())
        };
        assert_eq!(code, 0, "a box that was sealed");
    }
}
