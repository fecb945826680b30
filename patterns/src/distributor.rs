//! Fan-out: sends one message to every chosen pipe, and never waits for one of them (RFC 29, "PUB"; libzmq's `dist_t`).
//!
//! `reserve` fixes the receivers of a message; a pipe that joins before `commit` gets only the next message. A pipe at
//! its high-water mark is not tried again until it has room, so that a stuck subscriber costs only the check of a flag.
//! After the vectors have grown, nothing is allocated.

use zeroxide_zmtp::Message;

use crate::by_pipe::ByPipe;
use crate::{Cause, Credit, PipeId, Pipes, Refusal};

/// The pipes of a publishing socket, and the receivers of the message that is being sent.
#[derive(Debug, Default)]
pub(crate) struct Distributor {
    slots: ByPipe<Slot>,
    attached: Vec<PipeId>,
    chosen: Vec<PipeId>,
    /// Pipes with a reservation; `None` once such a pipe is detached.
    targets: Vec<Option<PipeId>>,
    /// Pipes that were chosen but full; `None` once such a pipe is detached.
    skipped: Vec<Option<PipeId>>,
    round: u64,
}

/// What is known of the pipe with this number.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    /// The last round for which the pipe was chosen, so that no message goes to it twice.
    round: u64,
    /// Its index in `attached`.
    place: usize,
    room: Room,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Room {
    #[default]
    Detached,
    Open,
    Full,
    Gone,
}

impl Distributor {
    /// Creates a distributor without pipes.
    #[must_use]
    pub(crate) fn new() -> Distributor {
        Distributor::default()
    }

    /// Adds a pipe.
    pub(crate) fn attach(&mut self, pipe: PipeId) {
        let slot = self.slots.entry(pipe);
        if slot.room == Room::Detached {
            slot.place = self.attached.len();
            self.attached.push(pipe);
        }
        slot.room = Room::Open;
        slot.round = 0;
    }

    /// Removes a pipe. Its number may be used again.
    pub(crate) fn detach(&mut self, pipe: PipeId) {
        let Some(slot) = self.slots.get_mut(pipe).filter(|slot| slot.room != Room::Detached) else { return };
        let place = slot.place;
        *slot = Slot::default();
        self.attached.swap_remove(place);
        if let Some(moved) = self.attached.get(place) {
            self.slots.entry(*moved).place = place;
        }
        for entry in self.targets.iter_mut().chain(&mut self.skipped).filter(|entry| **entry == Some(pipe)) {
            *entry = None;
        }
    }

    /// Takes note that a full pipe has room again.
    pub(crate) fn writable(&mut self, pipe: PipeId) {
        if let Some(slot) = self.slots.get_mut(pipe).filter(|slot| slot.room == Room::Full) {
            slot.room = Room::Open;
        }
    }

    /// Begins to choose the receivers of a message. No pipe is chosen yet.
    pub(crate) fn begin(&mut self) {
        debug_assert!(self.is_idle(), "the message before was neither committed nor released");
        self.round += 1;
        self.chosen.clear();
    }

    /// Chooses a pipe. Choosing it again changes nothing.
    #[inline]
    pub(crate) fn choose(&mut self, pipe: PipeId) {
        if let Some(slot) = self.slots.get_mut(pipe).filter(|slot| slot.round != self.round) {
            slot.round = self.round;
            self.chosen.push(pipe);
        }
    }

    /// Chooses every attached pipe.
    pub(crate) fn choose_all(&mut self) {
        self.chosen.clone_from(&self.attached);
    }

    /// Inverts the choice (libzmq `ZMQ_INVERT_MATCHING`).
    pub(crate) fn invert(&mut self) {
        let (slots, round) = (&self.slots, self.round);
        self.chosen.clear();
        self.chosen.extend(
            self.attached.iter().filter(|pipe| slots.get(**pipe).is_none_or(|slot| slot.round != round)),
        );
    }

    /// Removes every pipe but `pipe` from the choice.
    pub(crate) fn keep_only(&mut self, pipe: PipeId) {
        self.chosen.retain(|chosen| *chosen == pipe);
    }

    /// Reserves room on the chosen pipes. Full pipes are skipped; with `nodrop` the message is refused instead (libzmq
    /// `ZMQ_XPUB_NODROP`).
    ///
    /// # Errors
    /// Returns [`Refusal::Full`]; then nothing is reserved.
    pub(crate) fn reserve<P: Pipes>(&mut self, nodrop: bool, pipes: &mut P) -> Result<(), Refusal> {
        let mut after_drive = 0;
        for &pipe in &self.chosen {
            let Some(slot) = self.slots.get_mut(pipe) else { continue };
            match slot.room {
                Room::Open => match pipes.reserve(pipe) {
                    Credit::Granted => self.targets.push(Some(pipe)),
                    // The pipe stays open, so that it is tried again after the drive.
                    Credit::AfterDrive => after_drive += 1,
                    Credit::Full => {
                        slot.room = Room::Full;
                        self.skipped.push(Some(pipe));
                    }
                    Credit::Gone => slot.room = Room::Gone,
                },
                Room::Full => self.skipped.push(Some(pipe)),
                Room::Gone | Room::Detached => {}
            }
        }
        if after_drive > 0 || (nodrop && !self.skipped.is_empty()) {
            let full = after_drive + self.skipped.len();
            self.release(pipes);
            return Err(Refusal::Full { pipes: full });
        }
        Ok(())
    }

    /// Returns whether no pipe was chosen that can take the message, now or later.
    #[must_use]
    pub(crate) fn is_idle(&self) -> bool {
        self.targets.is_empty() && self.skipped.is_empty()
    }

    /// Writes the message to the reserved pipes. Counts it as dropped for each full pipe, and for each one that is gone
    /// since. Its bytes are shared, not copied.
    pub(crate) fn commit<P: Pipes>(&mut self, message: &mut Message, pipes: &mut P) {
        for skipped in self.skipped.drain(..) {
            pipes.dropped(skipped, Cause::Hwm);
        }
        let live = self.targets.iter().flatten().count();
        if live > 1 {
            message.share();
        }
        for target in self.targets.drain(..) {
            match target {
                Some(pipe) if live == 1 => pipes.write(pipe, message),
                Some(pipe) => pipes.write_copy(pipe, message),
                None => pipes.dropped(None, Cause::PeerLost),
            }
        }
        if live == 0 {
            pipes.discard(std::mem::take(message));
        }
    }

    /// Releases all reservations: no message follows.
    pub(crate) fn release<P: Pipes>(&mut self, pipes: &mut P) {
        self.skipped.clear();
        for pipe in self.targets.drain(..).flatten() {
            pipes.release(pipe);
        }
    }
}

#[cfg(test)]
#[path = "distributor_tests.rs"]
mod tests;
