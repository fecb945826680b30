//! Sources of packages that nothing here links: where cargo keeps them.

use std::path::{Path, PathBuf};

use crate::run;

/// The folder of `package`, which the lock file beside `manifest` names.
pub(crate) fn source(root: &Path, manifest: &str, package: &str) -> Result<PathBuf, String> {
    let arguments = ["metadata", "--format-version", "1", "--locked", "--manifest-path", manifest];
    let metadata = run::output(&mut run::cargo(root, &arguments))
        .ok_or_else(|| format!("cargo cannot fetch the packages of {manifest}"))?;
    find(&metadata, package).ok_or_else(|| format!("cargo's answer to {manifest} does not name {package}"))
}

/// The folder with libzmq's own sources.
pub(crate) fn libzmq(root: &Path) -> Result<PathBuf, String> {
    Ok(source(root, "xtask/conformance/Cargo.toml", "zeromq-src")?.join("vendor"))
}

/// One string of a JSON text: the manifest in a folder named after the package and its version.
fn find(metadata: &str, package: &str) -> Option<PathBuf> {
    let paths = metadata.split("\"manifest_path\":\"").skip(1).filter_map(|rest| rest.split('"').next());
    let mut folders = paths.filter_map(|path| Path::new(path).parent());
    let folder = folders.find(|folder| {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let version = name.strip_prefix(package).and_then(|rest| rest.strip_prefix('-'));
        version.is_some_and(|version| version.starts_with(|first: char| first.is_ascii_digit()))
    });
    folder.map(Path::to_path_buf)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_told_from_one_whose_name_begins_alike() {
        let metadata = r#"{"manifest_path":"/r/zmq-sys-0.12.0/Cargo.toml"},{"manifest_path":"/r/zmq-0.10.0/Cargo.toml"}"#;
        assert_eq!(find(metadata, "zmq"), Some("/r/zmq-0.10.0".into()));
        assert_eq!(find(metadata, "zmq-sys"), Some("/r/zmq-sys-0.12.0".into()));
        assert_eq!(find(metadata, "sys"), None);
    }
}
