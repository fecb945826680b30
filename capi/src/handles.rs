//! From `void *` to what it stands for, whatever the pointer is.
//!
//! A handle is the address of a slot. Slots lie in blocks that are never freed, so a handle is first compared with the
//! blocks' addresses and only then read: one that is closed, or was never made here, is told apart without touching
//! foreign memory. A slot that was closed is used again only after [`QUARANTINE`] others.
//!
//! Invariant: a slot's value lives from [`Slots::insert`] until it was retired and the last call that uses it has
//! returned. The slot's word counts those calls, so a close beside another call, which libzmq forbids, ends that call
//! and breaks nothing.

use std::cell::UnsafeCell;
use std::collections::VecDeque;
use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::ops::Deref;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Slots that were closed since, before one is used again.
const QUARANTINE: usize = 256;
/// Slots of the first block; each further block has twice as many as the one before.
const FIRST: usize = 64;
const BLOCKS: usize = 20;

/// The slot takes calls.
const OPEN: u64 = 1 << 63;
/// The slot has a value.
const FULL: u64 = 1 << 62;
/// How many calls use the slot.
const USERS: u64 = (1 << 32) - 1;

struct Slot<T> {
    word: AtomicU64,
    value: UnsafeCell<MaybeUninit<T>>,
}

/// The handles of one kind.
pub(crate) struct Slots<T: 'static> {
    blocks: [AtomicPtr<Slot<T>>; BLOCKS],
    spare: Mutex<Spare<T>>,
}

/// Slots that nobody uses.
struct Spare<T: 'static> {
    /// Never used.
    fresh: Vec<&'static Slot<T>>,
    /// Closed, the longest ago first.
    closed: VecDeque<&'static Slot<T>>,
    blocks: usize,
}

// SAFETY: a slot's value is only shared (`Held`) or, once nobody uses it, dropped by one thread; its word orders both.
unsafe impl<T: Send + Sync> Sync for Slot<T> {}

impl<T: Send + Sync> Slots<T> {
    pub(crate) const fn new() -> Slots<T> {
        Slots {
            blocks: [const { AtomicPtr::new(std::ptr::null_mut()) }; BLOCKS],
            spare: Mutex::new(Spare { fresh: Vec::new(), closed: VecDeque::new(), blocks: 0 }),
        }
    }

    /// Makes a handle; NULL when there are too many.
    pub(crate) fn insert(&'static self, value: T) -> *mut c_void {
        let Some(slot) = self.take_spare() else { return std::ptr::null_mut() };
        // SAFETY: a spare slot has no value and nobody else has it; those who try a stale handle look at its word only.
        unsafe { (*slot.value.get()).write(value) };
        // Added, as somebody who tries a stale handle may be counted for a moment.
        slot.word.fetch_or(OPEN | FULL, Ordering::Release);
        std::ptr::from_ref(slot).cast_mut().cast()
    }

    /// What a handle stands for; `None` when it is closed or none of ours.
    #[inline]
    pub(crate) fn get(&'static self, handle: *mut c_void) -> Option<Held<T>> {
        let slot = self.find(handle)?;
        let held = Held { slots: self, slot };
        let before = slot.word.fetch_add(1, Ordering::Acquire);
        (before & OPEN != 0).then_some(held)
    }

    /// Closes a handle: it stands for nothing from now on. `None` when it already did.
    pub(crate) fn retire(&'static self, handle: *mut c_void) -> Option<Held<T>> {
        let held = self.get(handle)?;
        let before = held.slot.word.fetch_and(!OPEN, Ordering::AcqRel);
        (before & OPEN != 0).then_some(held)
    }

    #[inline]
    fn find(&'static self, handle: *mut c_void) -> Option<&'static Slot<T>> {
        let address = handle as usize;
        for (n, block) in self.blocks.iter().enumerate() {
            let block = block.load(Ordering::Acquire);
            if block.is_null() {
                return None;
            }
            let offset = address.wrapping_sub(block as usize);
            if offset < (FIRST << n) * size_of::<Slot<T>>() {
                let within = offset % size_of::<Slot<T>>() == 0;
                // SAFETY: the address of a slot of a block, which lives for ever.
                return within.then(|| unsafe { &*block.add(offset / size_of::<Slot<T>>()) });
            }
        }
        None
    }

    fn take_spare(&'static self) -> Option<&'static Slot<T>> {
        let mut spare = self.spare();
        if spare.closed.len() > QUARANTINE {
            return spare.closed.pop_front();
        }
        if spare.fresh.is_empty() {
            let n = spare.blocks;
            let block = self.blocks.get(n)?;
            let slots: Box<[Slot<T>]> = (0..FIRST << n).map(|_| Slot::empty()).collect();
            let slots: &'static mut [Slot<T>] = Box::leak(slots);
            block.store(slots.as_mut_ptr(), Ordering::Release);
            let slots: &'static [Slot<T>] = slots;
            spare.fresh.extend(slots.iter().rev());
            spare.blocks += 1;
        }
        spare.fresh.pop()
    }

    fn spare(&self) -> MutexGuard<'_, Spare<T>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Slot<T> {
    fn empty() -> Slot<T> {
        Slot { word: AtomicU64::new(0), value: UnsafeCell::new(MaybeUninit::uninit()) }
    }
}

/// What a handle stands for, while a call uses it.
pub(crate) struct Held<T: Send + Sync + 'static> {
    slots: &'static Slots<T>,
    slot: &'static Slot<T>,
}

impl<T: Send + Sync> Deref for Held<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: made by `get`, which found the slot open: it has a value, and keeps it while this call is counted.
        unsafe { (*self.slot.value.get()).assume_init_ref() }
    }
}

impl<T: Send + Sync> Drop for Held<T> {
    #[inline]
    fn drop(&mut self) {
        let before = self.slot.word.fetch_sub(1, Ordering::AcqRel);
        if before & (OPEN | FULL) == FULL && before & USERS == 1 {
            self.empty();
        }
    }
}

impl<T: Send + Sync> Held<T> {
    /// The last call has left a closed slot.
    #[cold]
    fn empty(&self) {
        // Somebody who tries a stale handle may be counted, and then does this in our place.
        if self.slot.word.compare_exchange(FULL, 0, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            return;
        }
        // SAFETY: the slot was full, is closed and nobody is counted; the exchange made this thread the only one here.
        let value = unsafe { (*self.slot.value.get()).assume_init_read() };
        drop(value);
        self.slots.spare().closed.push_back(self.slot);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

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
        for wrong in [0, 1, usize::MAX, handle as usize + 1, handle as usize + (1 << 30)] {
            assert!(SLOTS.get(wrong as *mut c_void).is_none(), "{wrong:x}");
        }
    }

    #[test]
    fn a_slot_rests_before_it_is_used_again() {
        static SLOTS: Slots<u32> = Slots::new();
        let first = SLOTS.insert(0);
        drop(SLOTS.retire(first));
        for n in 0..QUARANTINE {
            let handle = SLOTS.insert(n as u32);
            assert_ne!(handle, first);
            drop(SLOTS.retire(handle));
        }
        assert_eq!(SLOTS.insert(0), first);
    }
}
