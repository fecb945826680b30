//! The state of a server, sent to a client that has just come (RFC 12).

use zeroxide::{Message, Result, Socket};

use crate::{Entry, Map};

/// The first frame of a request for a snapshot. The subtree may follow.
pub const WANTED: &str = "ICANHAZ?";
/// The key of the last entry of a snapshot. Its sequence number is that of the last update in the snapshot.
pub const COMPLETE: &str = "KTHXBAI";
/// What a server publishes at intervals, so that clients know that it lives and has their subscriptions.
pub const ALIVE: &str = "HUGZ";

/// At a server: replies to one request, which a ROUTER has received.
pub fn reply(router: &Socket, request: Message, map: &Map) {
    let text = |frame: usize| request.get(frame).and_then(|frame| frame.as_str().ok());
    if text(1) != Some(WANTED) {
        return println!("no request for a snapshot: {request:?}");
    }
    let last = Entry { sequence: map.sequence(), ..Entry::new(COMPLETE, "") };
    let all = map.under(text(2).unwrap_or_default()).chain([&last]);
    for entry in all {
        let mut message = entry.to_message();
        message.push_front(&request[0]);
        // A client that has gone needs no more.
        if router.try_send(message).is_err() {
            return;
        }
    }
}

/// At a client: asks for the snapshot of a subtree, and receives it by a DEALER.
///
/// # Errors
/// Returns the errors of [`Socket::send`] and [`Socket::recv`].
pub fn receive(dealer: &Socket, subtree: &str) -> Result<Map> {
    dealer.send([WANTED, subtree])?;
    let mut map = Map::default();
    loop {
        let Some(entry) = Entry::from_message(dealer.recv()?) else { continue };
        if entry.key == COMPLETE {
            map.complete(entry.sequence);
            return Ok(map);
        }
        map.store(entry);
    }
}
