//! How one direction of a pipe is limited.

/// The settings of one direction of a pipe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// The high-water mark in messages; 0 for none (libzmq SNDHWM, RCVHWM).
    pub hwm: u32,
    /// Whether only the newest message is kept; the high-water mark is off then (libzmq CONFLATE).
    pub conflate: bool,
    /// Whether subscriptions count like messages. On the subscriber's side they do not; there libzmq loses those beyond
    /// SNDHWM. They count where too many subscriptions of a peer must be held back.
    pub count_control: bool,
    /// Whether the writer takes credit only in whole lots of (HWM + 1) / 2 messages, counted from the first, as libzmq's reader
    /// grants it. Programs for libzmq rely on the refusals that follow from that. The counters stay exact.
    pub lots: bool,
}
