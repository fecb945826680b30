//! Endpoints that nobody else uses.

use std::path::PathBuf;

use super::folder;
use super::ports::{self, Port};
use crate::peer::Failure;

/// Where a stage meets, and what was taken for it.
pub(super) struct Endpoint {
    /// As it is given to `bind`; afterwards as that resolved it.
    pub(super) name: String,
    /// What an ipc endpoint leaves behind when its binder is killed.
    file: Option<PathBuf>,
    /// The port of one that lasts, which nobody else gets before this is dropped.
    _port: Option<Port<'static>>,
}

impl Endpoint {
    /// A fresh one; a lasting one is known, and stays the same, before and after it is bound.
    pub(super) fn fresh(transport: &str, lasting: bool) -> Result<Endpoint, Failure> {
        if transport == "ipc" {
            let path = folder::fresh_path()?;
            return Ok(Endpoint { name: format!("ipc://{}", path.display()), file: Some(path), _port: None });
        }
        let port = if lasting { Some(ports::OURS.lease()?) } else { None };
        let word = port.as_ref().map_or("*".to_owned(), |port| port.number.to_string());
        Ok(Endpoint { name: format!("{transport}://127.0.0.1:{word}"), file: None, _port: port })
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        if let Some(path) = self.file.take() {
            folder::leave(&path);
        }
    }
}
