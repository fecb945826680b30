//! What the programs of the chapter "Advanced publishing" share.

mod entry;
mod map;
pub mod replica;
pub mod snapshot;

pub use entry::Entry;
pub use map::Map;
