//! Local (Unix domain) sockets: paths, abstract names, private directories.
//!
//! Bind never takes the path of a live listener, but replaces that of a dead one. On close the path is removed if it is
//! still the socket that was bound. A fork child never removes it, because its parent still listens there. (libzmq
//! removes any file at the path, and does not remove its own.)

#[cfg(unix)]
pub use unix::IpcListener;
#[cfg(unix)]
pub(crate) use unix::{credentials, dial, inherit, peer_address, text};

#[cfg(unix)]
mod unix {
    use std::fs::{self, DirBuilder};
    use std::hash::{BuildHasher, RandomState};
    use std::io::{self, ErrorKind};
    use std::os::fd::OwnedFd;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt};
    use std::os::unix::net::SocketAddr;
    use std::path::{Path, PathBuf};
    use std::{env, ffi::OsStr, process};

    use mio::event::Source;
    use mio::net;
    use socket2::{Domain, SockAddr, SockRef, Socket, Type};

    use crate::credentials::Credentials;
    use crate::endpoint::{Endpoint, IpcAddress};
    use crate::options::SocketOptions;
    use crate::scheme::IPC_PATH_LIMIT;
    use crate::system::{self, apply_buffers};

    /// The most attempts to find a free directory name, or to bind a path that other processes also bind.
    const ATTEMPTS: usize = 16;

    /// A listening local socket.
    #[derive(Debug)]
    pub struct IpcListener {
        /// Dropped before `socket`: while the socket is open, no other file can have its inode number.
        _file: Option<OwnedFile>,
        _directory: Option<OwnedDirectory>,
        socket: net::UnixListener,
        endpoint: Endpoint,
        options: SocketOptions,
    }

    impl IpcListener {
        /// Listens at a path or name. For `*` it creates a private directory.
        ///
        /// # Errors
        /// Returns `AddrInUse` if a live listener, or something that is not a socket, is there; `NotFound` if there is
        /// no such directory; `InvalidInput` if the path is longer than a socket address can be.
        pub fn bind(address: &IpcAddress, options: &SocketOptions) -> io::Result<IpcListener> {
            let (address, directory) = match address {
                IpcAddress::Wildcard => {
                    let directory = OwnedDirectory::create()?;
                    (IpcAddress::Path(directory.path.join("socket")), Some(directory))
                }
                address => (address.clone(), None),
            };
            let (socket, file) = match &address {
                IpcAddress::Path(path) => (listen_at(path, options)?, Some(OwnedFile::new(path)?)),
                _ => (listen(&address, options)?, None),
            };
            let socket = net::UnixListener::from_std(socket.into());
            let endpoint = Endpoint::Ipc(address);
            Ok(IpcListener { _file: file, _directory: directory, socket, endpoint, options: options.clone() })
        }

        /// Takes over a socket that is already listening (libzmq USE_FD). Its file is not removed on close.
        ///
        /// # Errors
        /// Returns `InvalidInput` if it is not a local socket.
        pub fn adopt(socket: OwnedFd, options: &SocketOptions) -> io::Result<IpcListener> {
            let socket = Socket::from(socket);
            let address = socket.local_addr()?;
            if !address.is_unix() {
                return Err(ErrorKind::InvalidInput.into());
            }
            socket.set_nonblocking(true)?;
            let socket = net::UnixListener::from_std(socket.into());
            let endpoint = name(&socket.local_addr()?).ok_or(ErrorKind::InvalidInput)?;
            Ok(IpcListener { _file: None, _directory: None, socket, endpoint, options: options.clone() })
        }

        /// Returns the endpoint at which it listens.
        #[must_use]
        pub fn endpoint(&self) -> &Endpoint {
            &self.endpoint
        }

        /// Accepts one waiting connection.
        ///
        /// # Errors
        /// Returns `WouldBlock` if none waits. Other errors concern one connection or the process (descriptors), never
        /// the listener.
        pub fn accept(&self) -> io::Result<net::UnixStream> {
            let (stream, _) = self.socket.accept()?;
            // These can fail if the peer is already gone. Then reading returns the error.
            let _ = apply(&SockRef::from(&stream), &self.options);
            Ok(stream)
        }

        pub(crate) fn source(&mut self) -> &mut dyn Source {
            &mut self.socket
        }

        pub(crate) fn socket(&self) -> &net::UnixListener {
            &self.socket
        }
    }

    /// Starts a connection. A local connection is complete or fails at once.
    pub(crate) fn dial(address: &IpcAddress, options: &SocketOptions) -> io::Result<net::UnixStream> {
        let socket = new_socket(options)?;
        match socket.connect(&socket_address(address)?) {
            Err(error) if !system::in_progress(&error) => Err(error),
            _ => Ok(net::UnixStream::from_std(socket.into())),
        }
    }

    /// Takes over a connected socket. Returns the endpoint of the other end, or of this one if that has no name.
    pub(crate) fn inherit(
        socket: Socket,
        options: &SocketOptions,
    ) -> io::Result<(net::UnixStream, Endpoint)> {
        // This can fail if the peer is already gone. The error is ignored here, because a read returns it.
        let _ = apply(&SockRef::from(&socket), options);
        let stream = net::UnixStream::from_std(socket.into());
        let endpoint = name(&stream.peer_addr()?).or(name(&stream.local_addr()?));
        Ok((stream, endpoint.unwrap_or(Endpoint::Ipc(IpcAddress::Path(PathBuf::new())))))
    }

    /// Returns the process at the other end.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub(crate) fn credentials(stream: &net::UnixStream) -> Option<Credentials> {
        let found = rustix::net::sockopt::socket_peercred(stream).ok()?;
        let pid = found.pid.as_raw_nonzero().get();
        Some(Credentials { uid: found.uid.as_raw(), gid: found.gid.as_raw(), pid })
    }

    /// Returns `None`: this platform does not report the process at the other end.
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    pub(crate) fn credentials(_: &net::UnixStream) -> Option<Credentials> {
        None
    }

    /// Returns the property Peer-Address in libzmq's form.
    pub(crate) fn peer_address(credentials: Option<Credentials>) -> String {
        match credentials {
            Some(Credentials { uid, gid, pid }) => format!("localhost:{uid}:{gid}:{pid}"),
            None => "localhost".into(),
        }
    }

    /// Returns one end as an endpoint text.
    pub(crate) fn text(address: io::Result<SocketAddr>) -> String {
        let endpoint = address.ok().as_ref().and_then(name);
        endpoint.map_or_else(|| "ipc://".into(), |endpoint| endpoint.to_string())
    }

    fn name(address: &SocketAddr) -> Option<Endpoint> {
        let path = address.as_pathname().map(|path| IpcAddress::Path(path.into()));
        path.or_else(|| abstract_name(address)).map(Endpoint::Ipc)
    }

    #[cfg(target_os = "linux")]
    fn abstract_name(address: &SocketAddr) -> Option<IpcAddress> {
        use std::os::linux::net::SocketAddrExt;
        address.as_abstract_name().map(|name| IpcAddress::Abstract(name.into()))
    }

    #[cfg(target_os = "android")]
    fn abstract_name(address: &SocketAddr) -> Option<IpcAddress> {
        use std::os::android::net::SocketAddrExt;
        address.as_abstract_name().map(|name| IpcAddress::Abstract(name.into()))
    }

    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    fn abstract_name(_: &SocketAddr) -> Option<IpcAddress> {
        None
    }

    fn new_socket(options: &SocketOptions) -> io::Result<Socket> {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        apply(&SockRef::from(&socket), options)?;
        Ok(socket)
    }

    fn apply(socket: &SockRef<'_>, options: &SocketOptions) -> io::Result<()> {
        #[cfg(target_vendor = "apple")]
        socket.set_nosigpipe(true)?;
        apply_buffers(socket, options)
    }

    fn socket_address(address: &IpcAddress) -> io::Result<SockAddr> {
        match address {
            IpcAddress::Path(path) => SockAddr::unix(path),
            IpcAddress::Abstract(name) => {
                let mut bytes = vec![0];
                bytes.extend_from_slice(name);
                SockAddr::unix(OsStr::from_bytes(&bytes))
            }
            IpcAddress::Wildcard => Err(ErrorKind::InvalidInput.into()),
        }
    }

    fn listen(address: &IpcAddress, options: &SocketOptions) -> io::Result<Socket> {
        let socket = new_socket(options)?;
        socket.bind(&socket_address(address)?)?;
        socket.listen(i32::try_from(options.backlog).unwrap_or(i32::MAX))?;
        Ok(socket)
    }

    /// Listens at a path, and replaces the socket file of a dead listener.
    fn listen_at(path: &Path, options: &SocketOptions) -> io::Result<Socket> {
        let address = IpcAddress::Path(path.into());
        let mut result = listen(&address, options);
        for _ in 1..ATTEMPTS {
            match &result {
                Err(error) if error.kind() == ErrorKind::AddrInUse && make_room(path, options)? => {
                    result = listen(&address, options);
                }
                _ => break,
            }
        }
        result
    }

    /// Removes the socket at the path, if that is allowed. Returns whether the path is free.
    fn make_room(path: &Path, options: &SocketOptions) -> io::Result<bool> {
        match identity(path)? {
            // As in libzmq ipc_listener.cpp: the earlier listener goes on, but new peers do not reach it.
            Some(found) if options.take_over && is_socket(path) => remove_if(path, found).map(|()| true),
            _ => remove_stale(path),
        }
    }

    fn is_socket(path: &Path) -> bool {
        fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket())
    }

    /// Removes a socket without a listener. Returns `false` if there is a listener, or if it is not a socket.
    ///
    /// A live socket also refuses connections between its bind and its listen. The function `listen` keeps that time
    /// short. The removed file is at least the same one that refused.
    fn remove_stale(path: &Path) -> io::Result<bool> {
        let Some(found) = identity(path)? else { return Ok(true) };
        if !is_socket(path) {
            return Ok(false);
        }
        let refused = match dial(&IpcAddress::Path(path.into()), &SocketOptions::default()) {
            Err(error) => matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::NotFound),
            Ok(_) => false,
        };
        if refused {
            remove_if(path, found)?;
        }
        Ok(refused)
    }

    /// The device and inode of a file.
    type Identity = (u64, u64);

    fn identity(path: &Path) -> io::Result<Option<Identity>> {
        match fs::symlink_metadata(path) {
            Ok(metadata) => Ok(Some((metadata.dev(), metadata.ino()))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn remove_if(path: &Path, same: Identity) -> io::Result<()> {
        if identity(path)? != Some(same) {
            return Ok(());
        }
        match fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// The file of a bound socket, removed on drop by the process that bound it.
    #[derive(Debug)]
    struct OwnedFile {
        path: PathBuf,
        identity: Identity,
        process: u32,
    }

    impl OwnedFile {
        fn new(path: &Path) -> io::Result<OwnedFile> {
            let identity = identity(path)?.ok_or(ErrorKind::NotFound)?;
            // The working directory may be another one at the time of the drop.
            Ok(OwnedFile { path: std::path::absolute(path)?, identity, process: process::id() })
        }
    }

    impl Drop for OwnedFile {
        fn drop(&mut self) {
            if self.process == process::id() {
                // A drop cannot return an error. The next bind replaces a file that stays.
                let _ = remove_if(&self.path, self.identity);
            }
        }
    }

    /// A private directory, removed on drop by the process that created it.
    #[derive(Debug)]
    struct OwnedDirectory {
        path: PathBuf,
        process: u32,
    }

    impl OwnedDirectory {
        fn create() -> io::Result<OwnedDirectory> {
            let named = ["TMPDIR", "TEMPDIR", "TMP"].into_iter().filter_map(env::var_os).map(PathBuf::from);
            let base = base_directory(named.chain([env::temp_dir()]));
            let mut result = Err(ErrorKind::AlreadyExists.into());
            for _ in 0..ATTEMPTS {
                // RandomState has a new seed for each name, from the system's randomness.
                let path = base.join(format!("zeroxide-{:016x}", RandomState::new().hash_one(process::id())));
                result = DirBuilder::new().mode(0o700).create(&path);
                match &result {
                    Ok(()) => return Ok(OwnedDirectory { path, process: process::id() }),
                    Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                    Err(_) => break,
                }
            }
            Err(result.err().unwrap_or_else(|| ErrorKind::AlreadyExists.into()))
        }
    }

    impl Drop for OwnedDirectory {
        fn drop(&mut self) {
            if self.process == process::id() {
                // If another process has put a file there, the directory is not empty and stays.
                let _ = fs::remove_dir(&self.path);
            }
        }
    }

    /// Returns the first directory in which the path of a socket fits.
    fn base_directory(mut candidates: impl Iterator<Item = PathBuf>) -> PathBuf {
        const ROOM: usize = IPC_PATH_LIMIT - "/zeroxide-0123456789abcdef/socket".len();
        candidates
            .find(|path| path.is_absolute() && path.is_dir() && path.as_os_str().len() <= ROOM)
            .unwrap_or_else(|| "/tmp".into())
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_fork_child_keeps_the_files_of_its_parent() {
            let directory = OwnedDirectory::create().unwrap();
            let (path, parent) = (directory.path.join("socket"), process::id().wrapping_add(1));
            drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
            let mut file = OwnedFile::new(&path).unwrap();
            file.process = parent;
            drop(file);
            assert!(path.exists());
            drop(OwnedFile::new(&path).unwrap());
            assert!(!path.exists());
            drop(OwnedDirectory { path: directory.path.clone(), process: parent });
            assert!(directory.path.exists());
        }

        #[test]
        fn a_stale_file_is_removed_only_while_it_is_the_same() {
            let directory = OwnedDirectory::create().unwrap();
            let path = directory.path.join("socket");
            let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
            let (device, inode) = identity(&path).unwrap().unwrap();
            remove_if(&path, (device, inode.wrapping_add(1))).unwrap();
            assert!(path.exists());
            assert!(!remove_stale(&path).unwrap());
            drop(listener);
            assert!(remove_stale(&path).unwrap() && !path.exists());
            // Another process has already removed it, so bind may go on.
            assert!(remove_stale(&path).unwrap());
        }

        #[test]
        fn a_private_directory_goes_where_its_socket_fits() {
            let long = PathBuf::from("/".repeat(90));
            let chosen = |paths: &[&Path]| base_directory(paths.iter().map(|path| path.to_path_buf()));
            assert_eq!(chosen(&[Path::new("/no/such/directory"), Path::new("/")]), Path::new("/"));
            assert_eq!(chosen(&[Path::new("."), &long]), Path::new("/tmp"));
        }
    }
}
