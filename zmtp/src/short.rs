//! A few bytes, stored in place.

use std::fmt;
use std::hash::{Hash, Hasher};

/// At most `N` bytes, in place. `N` is at most 255.
#[derive(Clone, Copy)]
pub(crate) struct Short<const N: usize> {
    /// Never above `N`.
    len: u8,
    bytes: [u8; N],
}

impl<const N: usize> Short<N> {
    const FITS: () = assert!(N <= u8::MAX as usize);

    pub(crate) const fn new() -> Short<N> {
        let () = Self::FITS;
        Short { len: 0, bytes: [0; N] }
    }

    /// Copies `bytes`, or returns `None` if they are more than `N`.
    #[inline]
    pub(crate) fn copy_from(bytes: &[u8]) -> Option<Short<N>> {
        if let Ok(block) = bytes.try_into() {
            return Short::copy_block(block, N);
        }
        let mut short = Short::new();
        short.bytes.get_mut(..bytes.len())?.copy_from_slice(bytes);
        short.len = u8::try_from(bytes.len()).ok()?;
        Some(short)
    }

    /// Copies the first `N` of `bytes`, or all if they are fewer.
    pub(crate) fn head_of(bytes: &[u8]) -> Short<N> {
        Short::copy_from(bytes.get(..N).unwrap_or(bytes)).unwrap_or_default()
    }

    /// Copies the first `len` bytes of `block`, or returns `None` if `len` is more than `N`. It copies the whole block,
    /// which is faster.
    #[inline]
    pub(crate) fn copy_block(block: &[u8; N], len: usize) -> Option<Short<N>> {
        let len = u8::try_from(len).ok().filter(|len| usize::from(*len) <= N)?;
        Some(Short { len, bytes: *block })
    }

    /// Adds a byte. Returns `false` and changes nothing if there are `N` already.
    #[inline]
    pub(crate) fn push(&mut self, byte: u8) -> bool {
        let place = self.bytes.get_mut(usize::from(self.len));
        let Some(place) = place else { return false };
        *place = byte;
        self.len = self.len.saturating_add(1);
        true
    }

    pub(crate) fn clear(&mut self) {
        self.len = 0;
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns the bytes.
    #[inline]
    pub(crate) fn as_slice(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or(&self.bytes)
    }

    /// Returns the bytes for writing.
    pub(crate) fn as_mut_slice(&mut self) -> &mut [u8] {
        let len = usize::from(self.len).min(N);
        self.bytes.split_at_mut_checked(len).map_or(&mut [], |(bytes, _)| bytes)
    }

    /// Returns all `N` bytes, of which the first ones count, and their number.
    #[inline]
    pub(crate) fn block(&self) -> (&[u8; N], u8) {
        (&self.bytes, self.len)
    }
}

impl<const N: usize> PartialEq for Short<N> {
    fn eq(&self, other: &Short<N>) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl<const N: usize> Eq for Short<N> {}

impl<const N: usize> Hash for Short<N> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_slice().hash(state);
    }
}

impl<const N: usize> Default for Short<N> {
    fn default() -> Short<N> {
        Short::new()
    }
}

impl<const N: usize> fmt::Debug for Short<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.as_slice().escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_bytes_fit_as_it_says_and_no_more() {
        let mut short = Short::<3>::copy_from(b"ab").unwrap();
        assert!(short.push(b'c') && !short.push(b'd'));
        assert_eq!(short.as_slice(), b"abc");
        assert_eq!(short.as_mut_slice(), b"abc");
        assert!(Short::<3>::copy_from(b"abcd").is_none());
        assert_eq!(Short::<3>::head_of(b"abcd").as_slice(), b"abc");
        assert_eq!(Short::<3>::head_of(b"").as_slice(), b"");
        assert_eq!(Short::copy_block(b"xyz", 2).unwrap().as_slice(), b"xy");
        assert!(Short::copy_block(b"xyz", 4).is_none());
    }

    #[test]
    fn a_cleared_one_begins_anew() {
        let mut short = Short::<3>::head_of(b"abc");
        short.clear();
        assert!(short.is_empty() && short.push(b'z'));
        assert_eq!(short.as_slice(), b"z");
    }
}
