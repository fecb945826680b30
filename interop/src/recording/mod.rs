//! Recording what two implementations say to each other, for the golden corpus in `interop/corpus`.
//!
//! Two peers talk through a [`Relay`](crate::relay::Relay): each sends a few messages that are known beforehand, and the
//! bytes of both are kept, together with what they are supposed to mean. What they mean is not read from the bytes: it
//! is what the peers were told to send. `interop/corpus/README.md` describes the files.
//!
//! | module | holds |
//! |---|---|
//! | [`scene`] | two peers, the relay between them, and what was said |
//! | [`takes`] | what is recorded |

pub mod scene;
pub mod takes;

use std::fmt::Write as _;

use crate::program::Program;
use crate::words::hex;

pub use scene::Scene;
pub use takes::{TAKES, Take};

/// A program, and the version of ZMTP that it announces.
#[derive(Clone, Debug)]
pub struct Actor {
    /// How it is started.
    pub program: Program,
    /// What folders are called after it.
    pub folder: &'static str,
    /// Such as `3.1`.
    pub zmtp: &'static str,
}

impl Actor {
    /// Whether it speaks a version below 3.0, which has neither READY nor commands.
    #[must_use]
    pub fn is_legacy(&self) -> bool {
        self.zmtp < "3"
    }
}

/// One side of a recorded connection.
#[derive(Clone, Debug)]
pub struct Said {
    /// What the program calls itself.
    pub name: String,
    /// The version that it announces.
    pub zmtp: &'static str,
    /// Its socket type.
    pub socket_type: &'static str,
    /// Its routing id as a word.
    pub identity: String,
    /// What it meant to say, one item a line.
    pub items: Vec<String>,
    /// What it said.
    pub bytes: Vec<u8>,
}

/// A recorded connection as the text of a file.
#[must_use]
pub fn text(left: &Said, right: &Said) -> String {
    let mut text = format!(
        "# {} of {} connected to {} of {}, over tcp with NULL.\n\
         # Made by `cargo run -p interop --bin record`; README.md here tells how to read it.\n",
        left.socket_type, left.name, right.socket_type, right.name
    );
    for (side, said) in [("left", left), ("right", right)] {
        let Said { name, zmtp, socket_type, identity, items, bytes } = said;
        let _ = writeln!(text, "\n{side} {name} {zmtp} {socket_type} {identity}");
        items.iter().for_each(|item| text += &format!("{item}\n"));
        text += "bytes\n";
        bytes.chunks(32).for_each(|line| text += &format!("{}\n", hex(line)));
    }
    text
}
