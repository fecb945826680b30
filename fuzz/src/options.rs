//! Options by their types.

use std::time::Duration;

use zeroxide::face::{self, LockedOptions};
use zeroxide::{
    Bytes, Context, Error, Mechanism, Net, Opt, OptionError, Options, PublicKey, ReconnectStop, RouterNotify,
    RoutingId, Secret, SecretKey, Socket, SocketType, Version, opt,
};

use crate::feed::Feed;

/// A type of option values that the fuzzer can choose.
trait Chosen: Sized {
    fn choose(feed: &mut Feed<'_>) -> Self;
}

macro_rules! chosen {
    ($($type:ty: $feed:ident => $make:expr;)+) => {$(
        impl Chosen for $type {
            fn choose($feed: &mut Feed<'_>) -> $type {
                $make
            }
        }
    )+};
}

fn text(feed: &mut Feed<'_>) -> String {
    String::from_utf8_lossy(feed.run()).into_owned()
}

chosen! {
    bool: feed => feed.byte() & 1 == 1;
    u32: feed => feed.number() as u32;
    u64: feed => feed.number();
    Duration: feed => match feed.byte() {
        0xFF => Duration::MAX,
        0xFE => Duration::from_nanos(feed.number()),
        _ => Duration::from_millis(feed.number()),
    };
    String: feed => text(feed);
    Bytes: feed => Bytes::copy_from_slice(feed.run());
    RoutingId: feed => {
        let bytes = feed.run();
        RoutingId::new(bytes).unwrap_or_else(|_| RoutingId::new(b"id").unwrap())
    };
    Secret: feed => Secret::from(feed.run());
    SecretKey: feed => SecretKey::from_bytes(feed.array());
    PublicKey: feed => PublicKey::from_bytes(feed.array());
    Version: feed => feed.pick(&[Version::V1_0, Version::V2_0, Version::V3_0, Version::V3_1]);
    SocketType: feed => SocketType::from_number(i32::from(feed.byte() % 21)).unwrap();
    Mechanism: feed => feed.pick(&[Mechanism::Null, Mechanism::Plain, Mechanism::Curve]);
    ReconnectStop: feed => {
        let bits = feed.byte();
        ReconnectStop {
            conn_refused: bits & 1 != 0,
            handshake_failed: bits & 2 != 0,
            after_disconnect: bits & 4 != 0,
        }
    };
    RouterNotify: feed => {
        let bits = feed.byte();
        RouterNotify { connect: bits & 1 != 0, disconnect: bits & 2 != 0 }
    };
    Vec<(String, Bytes)>: feed => (0..feed.below(5))
        .map(|_| (if feed.byte() & 1 == 0 { "X-a".to_owned() } else { text(feed) }, Bytes::copy_from_slice(feed.run())))
        .collect();
    Vec<Net>: feed => (0..feed.below(4))
        .filter_map(|_| match feed.byte() {
            0xFF => text(feed).parse().ok(),
            length => format!("10.0.0.{length}/{}", length % 33).parse().ok(),
        })
        .collect();
    Vec<u32>: feed => (0..feed.below(4)).map(|_| feed.number() as u32).collect();
}

impl<T: Chosen> Chosen for Option<T> {
    fn choose(feed: &mut Feed<'_>) -> Option<T> {
        (feed.byte() & 3 != 0).then(|| T::choose(feed))
    }
}

/// Sets an option within its limits and reads it again: it has the new value, or it was refused and has the old one.
fn there_and_back<T: Chosen + Clone, S>(
    options: &mut LockedOptions<'_>,
    option: Opt<T, S>,
    feed: &mut Feed<'_>,
    shown: impl Fn(&T) -> String,
) {
    let value = T::choose(feed);
    let every_type = feed.byte() & 1 == 0;
    let before = options.get(option, true).unwrap().as_ref().map(&shown);
    let set = options.set(option, value.clone(), every_type);
    let after = options.get(option, true).unwrap().as_ref().map(&shown);
    match set {
        Ok(()) => assert_eq!(after, Some(shown(&value)), "{:?}", option.row()),
        Err(error) => {
            assert_eq!(after, before, "{:?}: refused, and changed", option.row());
            assert_eq!(error.option(), option.row().name());
            assert!(
                !matches!(error, OptionError::OutOfRange { .. }) || error.to_string().contains("allowed")
            );
        }
    }
}

/// How a value is compared. A secret is not printed, but compared all the same.
trait Shown {
    fn shown(&self) -> String;
}

macro_rules! shown {
    ($($type:ty)+) => {$(
        impl Shown for $type {
            fn shown(&self) -> String {
                format!("{self:?}")
            }
        }
    )+};
}

shown! {
    bool u32 u64 Duration String Bytes RoutingId PublicKey Version SocketType Mechanism ReconnectStop RouterNotify
    Vec<(String, Bytes)> Vec<Net> Vec<u32>
}

impl Shown for Secret {
    fn shown(&self) -> String {
        format!("{:?}", self.expose())
    }
}

impl Shown for SecretKey {
    fn shown(&self) -> String {
        format!("{:?}", self.expose())
    }
}

impl<T: Shown> Shown for Option<T> {
    fn shown(&self) -> String {
        self.as_ref().map_or_else(|| "none".to_owned(), T::shown)
    }
}

type Try = fn(&mut LockedOptions<'_>, &mut Feed<'_>);

macro_rules! tries {
    ($($name:ident $number:tt;)+) => {
        const TRIES: &[Try] = &[$(|options, feed| there_and_back(options, opt::$name, feed, Shown::shown)),+];
    };
}

zeroxide::each_option!(tries);

thread_local! {
    static CONTEXT: Context = Context::new();
}

/// Tests that a value that was set is the one that is read, that a refused one changes nothing, and that a socket with
/// any legal options works over inproc or says why it does not.
pub fn options(data: &[u8]) {
    let mut feed = Feed::new(data);
    let socket_type = SocketType::from_number(i32::from(feed.byte() % 21)).unwrap();
    let defaults = if feed.byte() & 1 == 0 { Options::new() } else { Options::with_libzmq_defaults() };
    let Ok(socket) = CONTEXT.with(|context| context.socket_with(socket_type, &defaults)) else {
        return assert_eq!(socket_type, SocketType::Dgram, "the one type that is not implemented");
    };
    while !feed.is_empty() {
        let at = feed.below(TRIES.len());
        face::change_options(&socket, |options| {
            TRIES[at](options, &mut feed);
            Ok::<(), Error>(())
        })
        .unwrap();
    }
    use_it(&socket);
    drop(socket.close());
}

fn use_it(socket: &Socket) {
    let bound = socket.bind("inproc://options");
    let peer =
        socket.context().socket(socket.socket_type().peers().first().copied().unwrap_or(SocketType::Pair));
    if let (Ok(endpoint), Ok(peer)) = (&bound, peer) {
        // Refused or not, it must not panic.
        let _ = peer.connect(endpoint);
        let _ = socket.try_send("one").map_err(|refused| refused.error.to_string());
        let _ = peer.try_recv();
        let _ = peer.try_send("two");
        let _ = socket.try_recv();
        assert!(socket.stats().accepted <= 1);
        drop(peer.close());
    }
    if let Err(error) = bound {
        assert!(!error.to_string().is_empty());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn options(data in prop::collection::vec(any::<u8>(), 0..400)) {
            super::options(&data);
        }
    }
}
