//! Handles: from `void *` to what it refers to, safe for every pointer.
//!
//! A handle is the address of a slot. Slots are in blocks that are never freed. A handle is first compared with the addresses of the
//! blocks, and read only if it is in one. So a handle that is closed, or was never created here, is recognised without reading other
//! memory. Three things take the place of libzmq's tag:
//!
//! - Each kind of handle has a table with blocks of its own, so a socket that is given as a context is not found among the contexts.
//! - The slot's word has its state: open, full, and how many calls use it.
//! - The slot's generation, in the same word, is the number of closings in the table up to the slot's last one. A slot is used again
//!   only after [`QUARANTINE`] others were closed. A handle that is kept between calls ([`Lasting`]) contains the generation, and so
//!   is recognised when its slot is used again. The application has only the address, which the quarantine protects.
//!
//! Invariant: a slot's value lives from [`Slots::insert`] until it is retired and the last call that uses it has returned. The slot's
//! word counts those calls. So a close during another call, which libzmq forbids, ends that call and is safe.
//!
//! There are no locks, so a fork child can create and close handles, whatever the parent's other threads were doing. At worst it loses
//! a slot that one of them was changing.

use std::cell::UnsafeCell;
use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
use std::ops::Deref;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use crate::boundary::{ETERM, Errno};
use crate::fork::{Process, count_forks};

/// How many other slots must be closed before a slot is used again.
const QUARANTINE: u32 = 256;
/// The number of slots in the first block. Each further block has twice as many as the one before.
const FIRST: usize = 64;
/// The most blocks: four million slots.
const BLOCKS: usize = 16;

/// The slot may be used by calls.
const OPEN: u64 = 1 << 63;
/// The slot has a value.
const FULL: u64 = 1 << 62;
/// The number of calls that use the slot. If it has no value, a call fills or empties it, or looks at it.
const USERS: u64 = (1 << 32) - 1;
/// The bits between are the generation, which starts again after 2^30 closings.
const GENERATIONS: u32 = (1 << 30) - 1;

/// It has its own cache lines, because every call writes to the word, and another thread may use the next slot.
#[repr(align(128))]
struct Slot<T> {
    word: AtomicU64,
    value: UnsafeCell<MaybeUninit<Made<T>>>,
}

/// A value, and the process that made it.
struct Made<T> {
    process: Process,
    value: T,
}

/// The handles of one kind.
pub(crate) struct Slots<T: 'static> {
    blocks: [AtomicPtr<Slot<T>>; BLOCKS],
    /// Where the next search for a spare slot begins.
    next: AtomicUsize,
    /// The number of closed slots. It starts so high that a new slot is not in quarantine.
    closings: AtomicU32,
}

// SAFETY: a slot's value is only shared (`Held`) or, once nobody uses it, dropped by one thread; its word orders both.
unsafe impl<T: Send + Sync> Sync for Slot<T> {}

impl<T: Send + Sync> Slots<T> {
    pub(crate) const fn new() -> Slots<T> {
        Slots {
            blocks: [const { AtomicPtr::new(ptr::null_mut()) }; BLOCKS],
            next: AtomicUsize::new(0),
            closings: AtomicU32::new(QUARANTINE),
        }
    }

    /// Creates a handle. Returns NULL if there are too many.
    pub(crate) fn insert(&'static self, value: T) -> *mut c_void {
        count_forks();
        let Some(slot) = self.take_spare() else { return ptr::null_mut() };
        let made = Made { process: Process::this(), value };
        // SAFETY: a spare slot has no value and was taken by this call; those who try a stale handle look at its word only.
        unsafe { (*slot.value.get()).write(made) };
        // Added, as somebody who tries a stale handle may be counted for a moment; this call is so no more.
        slot.word.fetch_add((OPEN | FULL) - 1, Ordering::Release);
        ptr::from_ref(slot).cast_mut().cast()
    }

    /// Returns what a handle refers to, or `None` if it is closed or was not created here.
    #[inline]
    pub(crate) fn get(&'static self, handle: *mut c_void) -> Option<Held<T>> {
        let slot = self.find(handle)?;
        let held = Held { slots: self, slot };
        let before = slot.word.fetch_add(1, Ordering::Acquire);
        (before & OPEN != 0).then_some(held)
    }

    /// Returns what a handle refers to, for calls that may wait for a lock or a thread. A fork child must not use the handles of its
    /// parent in such calls: a lock that was held at the fork is never released there.
    ///
    /// # Errors
    /// Returns `absent` if the handle is closed or was not created here, and `ETERM` in a fork child.
    #[inline]
    pub(crate) fn own(&'static self, handle: *mut c_void, absent: c_int) -> Result<Held<T>, Errno> {
        match self.get(handle) {
            Some(held) if held.is_inherited() => Err(Errno(ETERM)),
            Some(held) => Ok(held),
            None => Err(Errno(absent)),
        }
    }

    /// Returns what a handle referred to when it was kept.
    ///
    /// # Errors
    /// Returns the errors of [`Slots::own`], also if the slot is used again.
    pub(crate) fn own_lasting(&'static self, kept: Lasting, absent: c_int) -> Result<Held<T>, Errno> {
        let held = self.own(kept.handle, absent)?;
        if held.lasting() == kept { Ok(held) } else { Err(Errno(absent)) }
    }

    /// Closes a handle. Returns what it referred to, or `None` if it was closed or was not created here.
    pub(crate) fn retire(&'static self, handle: *mut c_void) -> Option<Held<T>> {
        let held = self.get(handle)?;
        let before = held.slot.word.fetch_and(!OPEN, Ordering::AcqRel);
        (before & OPEN != 0).then_some(held)
    }

    #[inline]
    fn find(&'static self, handle: *mut c_void) -> Option<&'static Slot<T>> {
        let address = handle.addr();
        for (n, block) in self.blocks.iter().enumerate() {
            let block = block.load(Ordering::Acquire);
            if block.is_null() {
                return None;
            }
            let offset = address.wrapping_sub(block.addr());
            if offset < (FIRST << n) * size_of::<Slot<T>>() {
                let within = offset % size_of::<Slot<T>>() == 0;
                // SAFETY: the address of a slot of a block, which lives for ever.
                return within.then(|| unsafe { &*block.add(offset / size_of::<Slot<T>>()) });
            }
        }
        None
    }

    /// Takes a slot that is free and not in quarantine. Returns `None` if there are too many.
    ///
    /// The search goes round the table, and rarely finds no slot in a whole round: slots leave the quarantine one after the other.
    fn take_spare(&'static self) -> Option<&'static Slot<T>> {
        loop {
            let blocks =
                self.blocks.iter().take_while(|block| !block.load(Ordering::Acquire).is_null()).count();
            let count = FIRST * ((1 << blocks) - 1);
            for _ in 0..count {
                let at = self.next.fetch_add(1, Ordering::Relaxed) % count;
                if let Some(slot) = self.at(at).filter(|slot| self.take(slot)) {
                    return Some(slot);
                }
            }
            self.add_block(blocks)?;
        }
    }

    /// Returns the slot with this number, in the order of the blocks.
    fn at(&'static self, at: usize) -> Option<&'static Slot<T>> {
        let n = (at / FIRST + 1).ilog2() as usize;
        let block = self.blocks[n].load(Ordering::Acquire);
        // SAFETY: NULL, or a block that lives for ever, which has FIRST << n slots after the FIRST * (2^n - 1) before it.
        (!block.is_null()).then(|| unsafe { &*block.add(at - FIRST * ((1 << n) - 1)) })
    }

    fn take(&self, slot: &Slot<T>) -> bool {
        let word = slot.word.load(Ordering::Relaxed);
        let since = self.closings.load(Ordering::Relaxed).wrapping_sub(generation(word)) & GENERATIONS;
        word & (OPEN | FULL | USERS) == 0
            && since >= QUARANTINE
            && slot.word.compare_exchange(word, word + 1, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    /// Adds the block number `n`, unless another thread has just done it. Returns `None` if there are too many.
    fn add_block(&self, n: usize) -> Option<()> {
        let place = self.blocks.get(n)?;
        let slots: Box<[Slot<T>]> = (0..FIRST << n).map(|_| Slot::empty()).collect();
        let slots = Box::into_raw(slots);
        let added =
            place.compare_exchange(ptr::null_mut(), slots.cast(), Ordering::AcqRel, Ordering::Relaxed);
        if added.is_err() {
            // SAFETY: from `into_raw`, and nobody else knows it.
            drop(unsafe { Box::from_raw(slots) });
        }
        Some(())
    }
}

impl<T> Slot<T> {
    fn empty() -> Slot<T> {
        Slot { word: AtomicU64::new(0), value: UnsafeCell::new(MaybeUninit::uninit()) }
    }
}

fn generation(word: u64) -> u32 {
    (word >> 32) as u32 & GENERATIONS
}

/// A handle that is kept between calls. It refers to what it referred to when it was kept, or to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lasting {
    handle: *mut c_void,
    generation: u32,
}

impl Lasting {
    /// Returns the handle that the application has.
    pub(crate) fn handle(self) -> *mut c_void {
        self.handle
    }
}

/// What a handle refers to, while a call uses it.
pub(crate) struct Held<T: Send + Sync + 'static> {
    slots: &'static Slots<T>,
    slot: &'static Slot<T>,
}

impl<T: Send + Sync> Deref for Held<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.made().value
    }
}

impl<T: Send + Sync> Drop for Held<T> {
    #[inline]
    fn drop(&mut self) {
        let before = self.slot.word.fetch_sub(1, Ordering::AcqRel);
        if before & (OPEN | FULL) == FULL && before & USERS == 1 {
            self.empty(before - 1);
        }
    }
}

impl<T: Send + Sync> Held<T> {
    /// Returns the handle, to be kept after this call.
    pub(crate) fn lasting(&self) -> Lasting {
        // The generation does not change while this call is counted.
        let generation = generation(self.slot.word.load(Ordering::Relaxed));
        Lasting { handle: ptr::from_ref(self.slot).cast_mut().cast(), generation }
    }

    /// Returns whether a process that this one was forked from has created it.
    #[inline]
    pub(crate) fn is_inherited(&self) -> bool {
        self.made().process != Process::this()
    }

    #[inline]
    fn made(&self) -> &Made<T> {
        // SAFETY: made by `get`, which found the slot open: it has a value, and keeps it while this call is counted.
        unsafe { (*self.slot.value.get()).assume_init_ref() }
    }

    /// Empties a closed slot that the last call has left; `word` is what its word was then.
    #[cold]
    fn empty(&self, word: u64) {
        let closing = self.slots.closings.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        // With one user, so that no other call takes it before the value is moved out.
        let emptied = (u64::from(closing & GENERATIONS) << 32) | 1;
        // A call with a stale handle may be counted at this moment. Then it does this instead.
        if self.slot.word.compare_exchange(word, emptied, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            return;
        }
        // SAFETY: the slot was full, is closed and nobody was counted; the exchange made this thread the only one here.
        let made = unsafe { (*self.slot.value.get()).assume_init_read() };
        self.slot.word.fetch_sub(1, Ordering::Release);
        if made.process != Process::this() {
            // Its threads and the owners of its locks are in the parent, so nothing is dropped.
            std::mem::forget(made);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use super::*;

    #[test]
    fn a_handle_is_good_until_it_is_retired_and_never_twice() {
        static SLOTS: Slots<Arc<u32>> = Slots::new();
        let value = Arc::new(7);
        let handle = SLOTS.insert(Arc::clone(&value));
        let held = SLOTS.get(handle).unwrap();
        assert_eq!(**held, 7);
        let retired = SLOTS.retire(handle).unwrap();
        assert!(SLOTS.get(handle).is_none());
        assert!(SLOTS.retire(handle).is_none());
        drop(retired);
        assert_eq!(Arc::strong_count(&value), 2, "a call still uses it");
        drop(held);
        assert_eq!(Arc::strong_count(&value), 1);
    }

    #[test]
    fn what_is_no_handle_is_never_read() {
        static SLOTS: Slots<u32> = Slots::new();
        let handle = SLOTS.insert(1);
        for wrong in [0, 1, usize::MAX, handle.addr() + 1, handle.addr() + (1 << 30)] {
            assert!(SLOTS.get(ptr::without_provenance_mut(wrong)).is_none(), "{wrong:x}");
        }
    }

    #[test]
    fn a_handle_of_another_kind_is_none() {
        static SLOTS: Slots<u32> = Slots::new();
        static OTHERS: Slots<u32> = Slots::new();
        let handle = SLOTS.insert(1);
        OTHERS.insert(1);
        assert!(OTHERS.get(handle).is_none());
        assert_eq!(OTHERS.own(handle, libc::EFAULT).err(), Some(Errno(libc::EFAULT)));
    }

    #[test]
    fn a_slot_rests_before_it_is_used_again() {
        static SLOTS: Slots<u32> = Slots::new();
        let first = SLOTS.insert(0);
        drop(SLOTS.retire(first));
        for n in 0..QUARANTINE {
            let handle = SLOTS.insert(n);
            assert_ne!(handle, first);
            drop(SLOTS.retire(handle));
        }
        assert!(comes_again(&SLOTS, first));
    }

    #[test]
    fn a_handle_that_is_kept_is_not_taken_for_the_next_in_its_slot() {
        static SLOTS: Slots<u32> = Slots::new();
        let first = SLOTS.insert(0);
        let kept = SLOTS.get(first).unwrap().lasting();
        assert!(SLOTS.own_lasting(kept, libc::ENOTSOCK).is_ok());
        drop(SLOTS.retire(first));
        assert_eq!(SLOTS.own_lasting(kept, libc::ENOTSOCK).err(), Some(Errno(libc::ENOTSOCK)));
        assert!(comes_again(&SLOTS, first));
        assert!(SLOTS.get(first).is_some());
        assert_eq!(SLOTS.own_lasting(kept, libc::ENOTSOCK).err(), Some(Errno(libc::ENOTSOCK)));
    }

    /// Makes and closes handles until this one is made again.
    fn comes_again(slots: &'static Slots<u32>, handle: *mut c_void) -> bool {
        (0..10_000).any(|n| {
            let other = slots.insert(n);
            other == handle || slots.retire(other).is_none()
        })
    }

    #[test]
    fn slots_that_stay_open_are_passed_over() {
        const SOME: usize = if cfg!(miri) { 200 } else { 2000 };
        static SLOTS: Slots<usize> = Slots::new();
        let handles: Vec<*mut c_void> = (0..SOME).map(|n| SLOTS.insert(n)).collect();
        for (n, handle) in handles.iter().enumerate() {
            assert_eq!(*SLOTS.get(*handle).unwrap(), n);
        }
    }

    #[test]
    fn threads_that_open_close_and_try_stale_handles_drop_each_value_once() {
        const ROUNDS: usize = if cfg!(miri) { 100 } else { 5000 };
        static SLOTS: Slots<Arc<()>> = Slots::new();
        let value = Arc::new(());
        let work = || {
            let mut stale: *mut c_void = ptr::null_mut();
            for _ in 0..ROUNDS {
                let handle = SLOTS.insert(Arc::clone(&value));
                // Another thread's by now, perhaps.
                drop(SLOTS.get(stale));
                let retired = SLOTS.retire(handle);
                assert!(retired.is_some(), "nobody else closes it");
                stale = handle;
            }
        };
        thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(work))));
        assert_eq!(Arc::strong_count(&value), 1);
    }
}
