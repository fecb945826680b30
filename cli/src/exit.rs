//! How a command ends.

use std::fmt;
use std::io;
use std::process::ExitCode;

use zeroxide::{Error, ErrorKind};

/// The exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Everything went well. So does a command that SIGINT ends, or whose output nobody reads any more.
    Well = 0,
    /// Something failed, or the command line is wrong.
    Failed = 1,
    /// A time limit passed (`--timeout`, an option such as RCVTIMEO).
    TimedOut = 2,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// Why a command ends before its work is done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It was stopped: by a signal, or because nobody reads its output.
    Stopped,
    /// Something failed. The text says what, where and what to do.
    Failed(String),
    /// A time limit passed.
    TimedOut(String),
    /// The command has printed why.
    Printed(Exit),
}

/// The result of a command, or of a part of one.
pub(crate) type Outcome<T = ()> = Result<T, End>;

impl End {
    pub(crate) fn failed(text: impl fmt::Display) -> End {
        End::Failed(text.to_string())
    }

    pub(crate) fn exit(&self) -> Exit {
        match self {
            End::Stopped => Exit::Well,
            End::Failed(_) => Exit::Failed,
            End::TimedOut(_) => Exit::TimedOut,
            End::Printed(exit) => *exit,
        }
    }

    /// Returns what is to be printed.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            End::Stopped | End::Printed(_) => None,
            End::Failed(text) | End::TimedOut(text) => Some(text),
        }
    }
}

/// The context of a command is shut down only to stop it.
impl From<Error> for End {
    fn from(error: Error) -> End {
        match error.kind() {
            ErrorKind::Terminated | ErrorKind::Closed => End::Stopped,
            ErrorKind::TimedOut => End::TimedOut(error.to_string()),
            _ => End::Failed(error.to_string()),
        }
    }
}

/// For output. A reader that has gone away, as `head` does, is no failure.
impl From<io::Error> for End {
    fn from(error: io::Error) -> End {
        match error.kind() {
            io::ErrorKind::BrokenPipe => End::Stopped,
            _ => End::Failed(format!("cannot write the output: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_output_ends_well() {
        assert_eq!(End::from(io::Error::from(io::ErrorKind::BrokenPipe)).exit(), Exit::Well);
        assert_eq!(End::from(io::Error::from(io::ErrorKind::StorageFull)).exit(), Exit::Failed);
    }

    #[test]
    fn codes_are_those_that_the_help_names() {
        assert_eq!((Exit::Well as u8, Exit::Failed as u8, Exit::TimedOut as u8), (0, 1, 2));
        assert_eq!(End::from(Error::Terminated).exit(), Exit::Well);
        assert_eq!(End::from(Error::EmptyMessage).exit(), Exit::Failed);
    }
}
