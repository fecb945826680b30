//! Notices that nobody reads the standard output any more.

use std::{io, thread};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

/// Calls `then` when the other end of the standard output is closed. `head`, for example, closes it after its last line. Without
/// this, a command would notice it only when it writes the next message.
pub(crate) fn when_closed(then: impl FnOnce() + Send + 'static) {
    thread::spawn(move || {
        let stdout = io::stdout();
        let mut watched = [PollFd::new(&stdout, PollFlags::empty())];
        while poll(&mut watched, None) == Err(Errno::INTR) {}
        if watched[0].revents().intersects(PollFlags::ERR | PollFlags::HUP) {
            then();
        }
    });
}
