//! The rules for ipc only: its files.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use zeroxide_transports::{Endpoint, IpcAddress, Listener, SocketOptions, Stream, dial, resolve};

use crate::kit::{Directory, Link, bindable};

fn at(path: &Path) -> Endpoint {
    bindable(&format!("ipc://{}", path.display()))
}

fn listen(path: &Path) -> Result<Listener, ErrorKind> {
    Listener::bind(&at(path), &SocketOptions::default()).map_err(|error| error.source.kind())
}

fn path_of(listener: &Listener) -> PathBuf {
    match listener.endpoint() {
        Endpoint::Ipc(IpcAddress::Path(path)) => path.clone(),
        other => panic!("{other}"),
    }
}

fn is_socket(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket())
}

#[test]
fn a_path_is_removed_on_close() {
    let directory = Directory::new();
    let path = directory.file("s");
    let listener = listen(&path).unwrap();
    assert!(is_socket(&path));
    drop(listener);
    assert!(!path.exists());
}

#[test]
fn the_path_of_a_dead_listener_is_replaced() {
    let directory = Directory::new();
    let path = directory.file("s");
    // A std listener leaves its file behind, like a killed process.
    drop(UnixListener::bind(&path).unwrap());
    assert!(is_socket(&path));
    Link::new(listen(&path).unwrap(), &SocketOptions::default()).talks();
}

#[test]
fn the_path_of_a_live_listener_is_not_stolen() {
    let directory = Directory::new();
    let path = directory.file("s");
    let live = UnixListener::bind(&path).unwrap();
    assert_eq!(listen(&path).unwrap_err(), ErrorKind::AddrInUse);
    assert!(is_socket(&path));
    drop(live);
    listen(&path).unwrap();
}

#[test]
fn a_listener_whose_backlog_is_full_is_alive() {
    let directory = Directory::new();
    let path = directory.file("s");
    let options = SocketOptions { backlog: 0, ..SocketOptions::default() };
    let _live = Listener::bind(&at(&path), &options).unwrap();
    let to = &resolve::resolve(&at(&path), false).unwrap()[0];
    let mut waiting: Vec<Stream> = Vec::new();
    let refused = loop {
        match dial(to, &options) {
            Ok(stream) => waiting.push(stream),
            Err(error) => break error.kind(),
        }
        assert!(waiting.len() < 1000, "the backlog has no end");
    };
    // On Linux. Other systems refuse, so that a full backlog cannot be distinguished from a dead listener.
    if cfg!(any(target_os = "linux", target_os = "android")) {
        assert_eq!(refused, ErrorKind::WouldBlock);
        assert_eq!(listen(&path).unwrap_err(), ErrorKind::AddrInUse);
    }
}

#[test]
fn what_is_no_socket_is_kept() {
    let directory = Directory::new();
    let file = directory.file("letter");
    fs::write(&file, "dear reader").unwrap();
    assert_eq!(listen(&file).unwrap_err(), ErrorKind::AddrInUse);
    assert_eq!(fs::read_to_string(&file).unwrap(), "dear reader");
    let link = directory.file("link");
    std::os::unix::fs::symlink(&file, &link).unwrap();
    assert_eq!(listen(&link).unwrap_err(), ErrorKind::AddrInUse);
    assert!(link.exists() && file.exists());
}

#[test]
fn the_file_of_another_is_kept_on_close() {
    let directory = Directory::new();
    let path = directory.file("s");
    let listener = listen(&path).unwrap();
    // Another process takes the path, as libzmq does.
    fs::remove_file(&path).unwrap();
    let thief = UnixListener::bind(&path).unwrap();
    drop(listener);
    assert!(is_socket(&path));
    drop(thief);
}

#[test]
fn a_path_that_is_gone_already_is_no_trouble_on_close() {
    let directory = Directory::new();
    let path = directory.file("s");
    let listener = listen(&path).unwrap();
    fs::remove_file(&path).unwrap();
    drop(listener);
    assert!(!path.exists());
}

#[test]
fn no_directory_is_not_found() {
    let directory = Directory::new();
    assert_eq!(listen(&directory.file("none/s")).unwrap_err(), ErrorKind::NotFound);
}

#[test]
fn a_wildcard_is_a_private_directory_that_goes_on_close() {
    let listener = Listener::bind(&bindable("ipc://*"), &SocketOptions::default()).unwrap();
    let path = path_of(&listener);
    let directory = path.parent().unwrap().to_owned();
    assert!(is_socket(&path) && path.is_absolute());
    assert_eq!(fs::metadata(&directory).unwrap().permissions().mode() & 0o777, 0o700);
    let other = Listener::bind(&bindable("ipc://*"), &SocketOptions::default()).unwrap();
    assert_ne!(path_of(&other), path);
    drop(listener);
    assert!(!directory.exists() && path_of(&other).exists());
}

#[test]
fn a_wildcard_directory_in_which_somebody_put_something_is_kept() {
    let listener = Listener::bind(&bindable("ipc://*"), &SocketOptions::default()).unwrap();
    let directory = path_of(&listener).parent().unwrap().to_owned();
    fs::write(directory.join("letter"), "dear reader").unwrap();
    drop(listener);
    assert!(directory.join("letter").exists() && !directory.join("socket").exists());
    fs::remove_dir_all(directory).unwrap();
}

#[test]
fn a_path_longer_than_a_socket_address_is_invalid() {
    // The parser refuses this address, so it is made without it.
    let endpoint = Endpoint::Ipc(IpcAddress::Path("/".repeat(200).into()));
    let error = Listener::bind(&endpoint, &SocketOptions::default()).unwrap_err();
    assert_eq!(error.source.kind(), ErrorKind::InvalidInput);
}

#[test]
fn the_longest_path_can_be_bound() {
    let directory = Directory::new();
    let limit = if cfg!(any(target_os = "linux", target_os = "android")) { 107 } else { 103 };
    let used = directory.file("x").as_os_str().len() - 1;
    let path = directory.file(&"x".repeat(limit - used));
    let listener = listen(&path).unwrap();
    assert_eq!(path_of(&listener), path);
    Link::new(listener, &SocketOptions::default()).talks();
    assert!(Endpoint::parse_bind(&format!("ipc://{}x", path.display())).is_err());
}

#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn an_abstract_name_leaves_no_file_and_no_padding() {
    let text = format!("ipc://@zx-{}-plain", std::process::id());
    let listener = Listener::bind(&bindable(&text), &SocketOptions::default()).unwrap();
    assert_eq!(listener.endpoint().to_string(), text);
    let link = Link::new(listener, &SocketOptions::default());
    // With NULs at its end it would be another name, which libzmq's peers cannot reach.
    assert_eq!(link.client.remote(), text);
    let names = fs::read_to_string("/proc/net/unix").unwrap();
    assert!(names.lines().any(|line| line.ends_with(&format!(" {}", &text["ipc://".len()..]))));
}

#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn a_peer_is_named_by_user_group_and_process() {
    let link = Link::new(
        Listener::bind(&bindable("ipc://*"), &SocketOptions::default()).unwrap(),
        &SocketOptions::default(),
    );
    let who = link.accepted.credentials.unwrap();
    assert_eq!(who.pid.unsigned_abs(), std::process::id());
    assert_eq!(link.accepted.address, format!("localhost:{}:{}:{}", who.uid, who.gid, who.pid));
    assert_eq!(link.server.peer_address(), link.accepted.address);
    let ours = fs::metadata("/proc/self").unwrap();
    assert_eq!(std::os::unix::fs::MetadataExt::uid(&ours), who.uid);
}

#[test]
fn the_accepted_end_knows_where_it_was_reached() {
    let link = Link::new(
        Listener::bind(&bindable("ipc://*"), &SocketOptions::default()).unwrap(),
        &SocketOptions::default(),
    );
    assert_eq!(link.server.local(), link.listener.endpoint().to_string());
    assert_eq!((link.server.remote(), link.client.local()), ("ipc://".into(), "ipc://".into()));
}

#[test]
fn an_adopted_socket_keeps_its_file() {
    let directory = Directory::new();
    let path = directory.file("s");
    let theirs = UnixListener::bind(&path).unwrap();
    let options = SocketOptions::default();
    let listener = Listener::adopt(&bindable("ipc://*"), theirs.into(), &options).unwrap();
    assert_eq!(listener.endpoint(), &at(&path));
    Link::new(listener, &options).talks();
    assert!(is_socket(&path));
}
