//! How one direction of a pipe is limited.

/// The settings of one direction of a pipe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// The high-water mark in messages; 0 for none (libzmq SNDHWM, RCVHWM).
    pub hwm: u32,
    /// Whether only the newest message is kept; the high-water mark is off then (libzmq CONFLATE).
    pub conflate: bool,
    /// Whether subscriptions count like messages. Subscriptions that are sent do not count, so none is lost at the
    /// high-water mark (libzmq drops those beyond SNDHWM). Those that are received from a connection count, so that a
    /// peer cannot queue any number.
    pub count_control: bool,
    /// Whether the writer takes credit only in whole lots of (HWM + 1) / 2 messages, counted from the first, as libzmq's reader
    /// grants it. Programs for libzmq rely on the refusals that follow from that. The counters stay exact.
    pub lots: bool,
    /// Whether short messages are stored as runs, because an engine is at one end
    /// ([`TrafficQueue::packed`](zeroxide_zmtp::queue::TrafficQueue::packed)).
    pub packs: bool,
}

/// Returns how many messages a direction may hold.
pub(super) fn limit(hwm: u32, conflate: bool) -> u64 {
    if hwm == 0 || conflate { u64::MAX } else { u64::from(hwm) }
}
