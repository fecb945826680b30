//! Files that commands write.

use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind};
use std::path::Path;

use crate::exit::{End, Outcome};

/// Creates a file. One that is there is replaced only with `force`.
pub(crate) fn create(path: &Path, force: bool) -> Outcome<File> {
    let created = OpenOptions::new().write(true).create(true).truncate(true).create_new(!force).open(path);
    created.map_err(|error| {
        let advice = if error.kind() == ErrorKind::AlreadyExists { "; --force replaces it" } else { "" };
        End::failed(format!("cannot write {}: {error}{advice}", path.display()))
    })
}

pub(crate) fn not_written(path: &Path, error: &Error) -> End {
    End::failed(format!("cannot write {}: {error}", path.display()))
}
