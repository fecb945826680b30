//! Live video over PUB and SUB: the latest picture wins.
//!
//! `source` publishes one JPEG picture after the other. `viewer` has CONFLATE on its SUB, which then keeps one message: the
//! newest. A viewer that is too slow for the source misses pictures, and never falls behind.
//!
//! CONFLATE knows messages of one frame only, so number, time and picture are in the same frame. [`Header`] is its layout.

mod header;
mod input;
mod meter;
mod pictures;

pub use header::Header;
pub use input::Recording;
pub use meter::Meter;
pub use pictures::{Size, jpeg, scene};

/// What ends a program: an error of a socket, a file or a picture.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
