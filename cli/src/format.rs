//! How messages are written on standard output and read from standard input.
//!
//! | form | on one line, or in one record |
//! |---|---|
//! | lines | the frames with a separator between them (a tab, or `--frames SEP`); one frame alone is the line |
//! | `--json` | `{"time":1764519454.12,"frames":["text",{"hex":"00ff"}]}`; a frame that is not UTF-8 is written as hex |
//! | `--hex` | the frames as hexadecimal digits, a comma between frames |
//! | `--len` | for each frame four bytes with its length, big-endian, then the frame; the topmost bit says that another frame of the same message follows |
//! | `--raw` | the frames and nothing else; all of the input is one message |
//!
//! What does not travel in a frame is a frame here, before all others: the group of RADIO and DISH, the number of a peer of SERVER
//! and PEER. In JSON it is a field, `group` or `routing_id`.
//!
//! On a terminal, lines have `\x1b` in place of control characters and of bytes that are not UTF-8: a peer must not move the cursor.

mod binary;
mod form;
mod json;
mod lines;
mod reader;
#[cfg(test)]
mod tests;
mod writer;

pub(crate) use form::{Format, FormatArgs};
pub(crate) use reader::Reader;
pub(crate) use writer::{Writer, now};
