//! Local (Unix domain) sockets: paths, abstract names, private directories.
//!
//! A path is never stolen from a live listener. The path of a dead one is replaced. On close the path is removed if it
//! is still the socket that was bound, and never by a fork child, whose parent still listens there. (libzmq removes
//! whatever stands at the path, and leaves its own behind.)

/// Whether this platform has local sockets that can be polled.
pub(crate) const SUPPORTED: bool = cfg!(unix);

/// Whether a local socket may have a name outside the file system.
pub(crate) const ABSTRACT_SUPPORTED: bool = cfg!(any(target_os = "linux", target_os = "android"));

/// The most bytes of a path or abstract name: `sun_path` less its one NUL.
pub(crate) const PATH_LIMIT: usize =
    if cfg!(any(target_os = "linux", target_os = "android", windows)) { 107 } else { 103 };

#[cfg(unix)]
pub use unix::IpcListener;
#[cfg(unix)]
pub(crate) use unix::{credentials, dial, peer_address, text};

#[cfg(unix)]
mod unix {
    use std::fs::{self, DirBuilder};
    use std::hash::{BuildHasher, RandomState};
    use std::io::{self, ErrorKind};
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt};
    use std::os::unix::net::SocketAddr;
    use std::path::{Path, PathBuf};
    use std::{env, ffi::OsStr, process};

    use mio::event::Source;
    use mio::net;
    use socket2::{Domain, SockAddr, SockRef, Socket, Type};

    use crate::endpoint::{Endpoint, IpcAddress};
    use crate::listener::Credentials;
    use crate::options::SocketOptions;
    use crate::tcp::apply_buffers;

    /// How often a directory name is drawn, and how often a path that others also want is tried.
    const ATTEMPTS: usize = 16;

    /// A listening local socket.
    #[derive(Debug)]
    pub struct IpcListener {
        socket: net::UnixListener,
        endpoint: Endpoint,
        options: SocketOptions,
        /// Removed after `socket` is closed, in this order.
        _file: Option<OwnedFile>,
        _directory: Option<OwnedDirectory>,
    }

    impl IpcListener {
        /// Listens at a path or name; `*` is a fresh private directory.
        ///
        /// # Errors
        /// `AddrInUse`: a live listener, or something that is no socket, is there. `NotFound`: no such directory.
        /// `InvalidInput`: longer than a socket address can be.
        pub fn bind(address: &IpcAddress, options: &SocketOptions) -> io::Result<IpcListener> {
            let (address, directory) = match address {
                IpcAddress::Wildcard => {
                    let directory = OwnedDirectory::create()?;
                    (IpcAddress::Path(directory.path.join("socket")), Some(directory))
                }
                address => (address.clone(), None),
            };
            let socket = match &address {
                IpcAddress::Path(path) => bind_path(path, options)?,
                _ => bind_name(&address, options)?,
            };
            let file = match &address {
                IpcAddress::Path(path) => Some(OwnedFile::new(path)?),
                _ => None,
            };
            socket.listen(i32::try_from(options.backlog).unwrap_or(i32::MAX))?;
            let socket = net::UnixListener::from_std(socket.into());
            let endpoint = Endpoint::Ipc(address);
            Ok(IpcListener { socket, endpoint, options: options.clone(), _file: file, _directory: directory })
        }

        /// Where it listens.
        #[must_use]
        pub fn endpoint(&self) -> &Endpoint {
            &self.endpoint
        }

        /// Takes one waiting connection.
        ///
        /// # Errors
        /// `WouldBlock`: none waits. Others concern one connection or the process (descriptors), never the listener.
        pub fn accept(&self) -> io::Result<net::UnixStream> {
            let (stream, _) = self.socket.accept()?;
            // A peer that has gone already can make these fail; reading will tell.
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

    /// Starts a connection; a local one stands at once or fails.
    pub(crate) fn dial(address: &IpcAddress, options: &SocketOptions) -> io::Result<net::UnixStream> {
        let socket = new_socket(options)?;
        match socket.connect(&socket_address(address)?) {
            Err(error) if !crate::stream::in_progress(&error) => Err(error),
            _ => Ok(net::UnixStream::from_std(socket.into())),
        }
    }

    /// Who is at the other end.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub(crate) fn credentials(stream: &net::UnixStream) -> Option<Credentials> {
        let found = rustix::net::sockopt::socket_peercred(stream).ok()?;
        let pid = found.pid.as_raw_nonzero().get();
        Some(Credentials { uid: found.uid.as_raw(), gid: found.gid.as_raw(), pid })
    }

    /// Who is at the other end: not known here.
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    pub(crate) fn credentials(_: &net::UnixStream) -> Option<Credentials> {
        None
    }

    /// libzmq's form of the property Peer-Address.
    pub(crate) fn peer_address(credentials: Option<Credentials>) -> String {
        match credentials {
            Some(Credentials { uid, gid, pid }) => format!("localhost:{uid}:{gid}:{pid}"),
            None => "localhost".into(),
        }
    }

    /// An end as an endpoint text.
    pub(crate) fn text(address: io::Result<SocketAddr>) -> String {
        let Ok(address) = address else { return "ipc://".into() };
        if let Some(path) = address.as_pathname() {
            return Endpoint::Ipc(IpcAddress::Path(path.into())).to_string();
        }
        abstract_name(&address).map_or_else(|| "ipc://".into(), |name| Endpoint::Ipc(name).to_string())
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

    fn bind_name(address: &IpcAddress, options: &SocketOptions) -> io::Result<Socket> {
        let socket = new_socket(options)?;
        socket.bind(&socket_address(address)?)?;
        Ok(socket)
    }

    /// Binds a path, and replaces what a dead listener left there.
    fn bind_path(path: &Path, options: &SocketOptions) -> io::Result<Socket> {
        let address = IpcAddress::Path(path.into());
        let mut result = bind_name(&address, options);
        for _ in 1..ATTEMPTS {
            match &result {
                Err(error) if error.kind() == ErrorKind::AddrInUse && remove_stale(path)? => {
                    result = bind_name(&address, options);
                }
                _ => break,
            }
        }
        result
    }

    /// Removes a socket at which nobody listens. `false`: somebody does, or it is no socket.
    ///
    /// Between bind and listen a live socket refuses too. That window is ours to keep short, and what is removed is at
    /// least the very file that refused.
    fn remove_stale(path: &Path) -> io::Result<bool> {
        let Some(found) = identity(path)? else { return Ok(true) };
        if !fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket()) {
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

    /// Device and inode.
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
            // The working directory may be another one by the time of the drop.
            Ok(OwnedFile { path: std::path::absolute(path)?, identity, process: process::id() })
        }
    }

    impl Drop for OwnedFile {
        fn drop(&mut self) {
            if self.process == process::id() {
                // Nobody is left to tell; the next bind replaces what stays.
                let _ = remove_if(&self.path, self.identity);
            }
        }
    }

    /// A private directory, removed on drop by the process that made it.
    #[derive(Debug)]
    struct OwnedDirectory {
        path: PathBuf,
        process: u32,
    }

    impl OwnedDirectory {
        fn create() -> io::Result<OwnedDirectory> {
            let base = base_directory();
            let mut result = Err(ErrorKind::AlreadyExists.into());
            for _ in 0..ATTEMPTS {
                // RandomState is seeded by the system's randomness, and anew for each name.
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
                // Not empty only if somebody put something there, which is then theirs to keep.
                let _ = fs::remove_dir(&self.path);
            }
        }
    }

    /// The first of libzmq's variables that names a directory in which a socket's path still fits.
    fn base_directory() -> PathBuf {
        let room = super::PATH_LIMIT - "/zeroxide-0123456789abcdef/socket".len();
        let named = ["TMPDIR", "TEMPDIR", "TMP"].into_iter().filter_map(env::var_os).map(PathBuf::from);
        named
            .chain([env::temp_dir()])
            .find(|path| path.is_absolute() && path.is_dir() && path.as_os_str().len() <= room)
            .unwrap_or_else(|| "/tmp".into())
    }
}
