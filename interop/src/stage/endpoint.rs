//! Endpoints that nobody else uses.

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use super::folder;
use crate::peer::Failure;

/// Where a stage meets, and the file that an ipc endpoint leaves behind when its binder is killed.
pub(super) struct Endpoint {
    /// As it is given to `bind`; afterwards as that resolved it.
    pub(super) name: String,
    file: Option<PathBuf>,
}

impl Endpoint {
    /// A fresh one; a lasting one is known, and stays the same, before and after it is bound.
    pub(super) fn fresh(transport: &str, lasting: bool) -> Result<Endpoint, Failure> {
        if transport == "ipc" {
            let path = folder::fresh_path()?;
            return Ok(Endpoint { name: format!("ipc://{}", path.display()), file: Some(path) });
        }
        let port = if lasting { free_port()?.to_string() } else { "*".to_owned() };
        Ok(Endpoint { name: format!("{transport}://127.0.0.1:{port}"), file: None })
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        if let Some(path) = self.file.take() {
            folder::leave(&path);
        }
    }
}

/// A port that nobody listens on, outside the range that systems give to outgoing connections: an endpoint that
/// dials it while it is free can then neither lose it to another nor meet itself.
fn free_port() -> Result<u16, Failure> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let spread = std::process::id().wrapping_mul(97);
    for _ in 0..12_000 {
        let n = NEXT.fetch_add(1, Ordering::Relaxed).wrapping_add(spread) % 12_000;
        let port = 20_000 + n as u16;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    Err(Failure::Io(std::io::ErrorKind::AddrInUse.into()))
}
