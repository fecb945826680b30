//! The folder of the ipc endpoints of this run: one that nobody else uses, and that goes with the last of them. That of a
//! run that was ended in the middle goes when the next one begins.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::{Mutex, PoisonError};

/// What the names of such folders begin with; the id of the process follows. Short: the system's limit for the whole path
/// is.
const NAME: &str = "zx-interop-";

/// The endpoints that were made, and those that are still there.
static COUNTS: Mutex<(u32, u32)> = Mutex::new((0, 0));

/// A path for an ipc endpoint that nobody used before.
pub(super) fn fresh_path() -> io::Result<PathBuf> {
    let mut counts = COUNTS.lock().unwrap_or_else(PoisonError::into_inner);
    let (base, (made, there)) = (std::env::temp_dir(), &mut *counts);
    if *made == 0 {
        sweep(&base);
    }
    let folder = base.join(format!("{NAME}{}", process::id()));
    fs::create_dir_all(&folder)?;
    (*made, *there) = (*made + 1, *there + 1);
    Ok(folder.join(made.to_string()))
}

/// Removes what an endpoint has left behind, and with the last one the folder.
pub(super) fn leave(path: &Path) {
    let mut counts = COUNTS.lock().unwrap_or_else(PoisonError::into_inner);
    let _ = fs::remove_file(path);
    counts.1 -= 1;
    if let (0, Some(folder)) = (counts.1, path.parent()) {
        let _ = fs::remove_dir_all(folder);
    }
}

/// Removes the folders of runs that are over, where the system tells which processes there are.
fn sweep(base: &Path) {
    let processes = Path::new("/proc");
    if !processes.join(process::id().to_string()).exists() {
        return;
    }
    for entry in fs::read_dir(base).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(id) = name.strip_prefix(NAME).filter(|id| id.parse::<u32>().is_ok()) else { continue };
        if !processes.join(id).exists() {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn the_folder_of_a_run_that_is_over_goes_and_that_of_one_that_lives_stays() {
        let base = std::env::temp_dir().join(format!("zx-sweep-{}", process::id()));
        let of = |id: &str| base.join(format!("{NAME}{id}"));
        // No process has so high a number (proc(5), pid_max).
        let (dead, living, other) = (of("4194305"), of(&process::id().to_string()), base.join("other"));
        for folder in [&dead, &living, &other] {
            fs::create_dir_all(folder).unwrap();
            fs::write(folder.join("1"), "").unwrap();
        }
        sweep(&base);
        assert_eq!([&dead, &living, &other].map(|folder| folder.exists()), [false, true, true]);
        fs::remove_dir_all(&base).unwrap();
    }

    #[test]
    fn paths_are_fresh_and_go_with_their_endpoints() {
        let (one, two) = (fresh_path().unwrap(), fresh_path().unwrap());
        assert_ne!(one, two);
        fs::write(&one, "").unwrap();
        leave(&one);
        assert!(!one.exists());
        leave(&two);
    }
}
