//! Endpoints by the texts that they were asked for with, where those are not the endpoints' own: `tcp://localhost:5555` is
//! bound as `tcp://127.0.0.1:5555`, and ends by either name (libzmq socket_base.cpp, resolve_tcp_addr; there by resolving
//! once more, here by remembering).

use std::sync::{Mutex, MutexGuard, PoisonError};

/// What one socket was asked for. Invariant: no pair is there twice.
#[derive(Default)]
pub(crate) struct Asked(Mutex<Vec<(String, String)>>);

impl Asked {
    /// The endpoint that was asked for as `text` is called `name`. What each bind resolves anew (a port or a path that the
    /// system chooses) names nothing afterwards.
    pub(crate) fn keep(&self, text: &str, name: &str) {
        let wildcard = text.ends_with('*') || text.ends_with(":0");
        let pair = (text.to_owned(), name.to_owned());
        if text != name && !wildcard && !self.pairs().contains(&pair) {
            self.pairs().push(pair);
        }
    }

    /// The endpoint that was asked for as `text`.
    pub(crate) fn meant(&self, text: &str) -> Option<String> {
        self.pairs().iter().find(|(asked, _)| asked == text).map(|(_, name)| name.clone())
    }

    /// The endpoint has ended.
    pub(crate) fn forget(&self, name: &str) {
        self.pairs().retain(|(_, known)| known != name);
    }

    fn pairs(&self) -> MutexGuard<'_, Vec<(String, String)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_known_by_what_was_asked_for_until_it_ends() {
        let asked = Asked::default();
        asked.keep("tcp://localhost:1", "tcp://127.0.0.1:1");
        asked.keep("tcp://localhost:1", "tcp://127.0.0.1:1");
        asked.keep("tcp://localhost:*", "tcp://127.0.0.1:2");
        asked.keep("inproc://a", "inproc://a");
        assert_eq!(asked.meant("tcp://localhost:1").as_deref(), Some("tcp://127.0.0.1:1"));
        assert_eq!((asked.meant("tcp://localhost:*"), asked.meant("inproc://a")), (None, None));
        asked.forget("tcp://127.0.0.1:1");
        assert_eq!(asked.meant("tcp://localhost:1"), None);
    }
}
