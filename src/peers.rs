//! Who is there: the table of connected peers, which loses nothing.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use zeroxide_zmtp::Peer;

/// The peers of a socket at one moment, in the order in which they came. Peers over inproc are not among them.
#[derive(Clone, Debug, Default)]
pub struct PeerTable(Vec<Arc<Peer>>);

impl Deref for PeerTable {
    type Target = [Arc<Peer>];

    fn deref(&self) -> &[Arc<Peer>] {
        &self.0
    }
}

impl IntoIterator for PeerTable {
    type Item = Arc<Peer>;
    type IntoIter = std::vec::IntoIter<Arc<Peer>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// One line for each peer.
impl fmt::Display for PeerTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for peer in &self.0 {
            write!(f, "{peer}")?;
            writeln!(f, ", {} s", peer.since.elapsed().as_secs())?;
        }
        Ok(())
    }
}

/// The live list behind [`PeerTable`].
#[derive(Default)]
pub(crate) struct PeerList(Mutex<Vec<Arc<Peer>>>);

impl PeerList {
    pub(crate) fn add(&self, peer: Arc<Peer>) {
        self.peers().push(peer);
    }

    pub(crate) fn remove(&self, connection: u64) {
        self.peers().retain(|peer| peer.connection != connection);
    }

    pub(crate) fn table(&self) -> PeerTable {
        PeerTable(self.peers().clone())
    }

    pub(crate) fn get(&self, connection: u64) -> Option<Arc<Peer>> {
        self.peers().iter().find(|peer| peer.connection == connection).cloned()
    }

    fn peers(&self) -> MutexGuard<'_, Vec<Arc<Peer>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
