//! ZMTP as bytes (RFC 13, 15, 23, 37), and a peer that sends them exactly when it is told to.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use socket2::{Domain, Socket, Type};
use zeroxide::{PublicKey, SocketType, generate_secret_key};
use zeroxide_zmtp::mechanism::Settings;
use zeroxide_zmtp::{Config, Connection, Entropy, Outbox};

/// Longer than a good peer takes, on a busy machine.
pub const LONG: Duration = Duration::from_secs(60);

/// A greeting of ZMTP 3.1 with this mechanism.
#[must_use]
pub fn greeting(mechanism: &str) -> Vec<u8> {
    let mut bytes = vec![0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 3, 1];
    bytes.extend(mechanism.as_bytes());
    bytes.resize(64, 0);
    bytes
}

/// READY of a socket of type `name`, without a routing id.
#[must_use]
pub fn ready(name: &str) -> Vec<u8> {
    let mut body = b"\x05READY\x0bSocket-Type".to_vec();
    body.extend((name.len() as u32).to_be_bytes());
    body.extend(name.as_bytes());
    body.extend(b"\x08Identity\0\0\0\0");
    command(&body)
}

/// A command frame around `body`, which begins with the command's name and is shorter than 256 bytes.
#[must_use]
pub fn command(body: &[u8]) -> Vec<u8> {
    [&[4, body.len() as u8][..], body].concat()
}

/// A message of one frame that is shorter than 256 bytes.
#[must_use]
pub fn message(body: &[u8]) -> Vec<u8> {
    [&[0, body.len() as u8][..], body].concat()
}

/// What a CURVE client sends first: its greeting and a HELLO that the server has to open.
///
/// # Errors
/// The system has no randomness.
pub fn curve_opening(server: PublicKey) -> Result<Vec<u8>> {
    let entropy = Entropy::new(|bytes| {
        for chunk in bytes.chunks_mut(32) {
            let random = generate_secret_key().map_err(|_| zeroxide_zmtp::entropy::NoEntropy)?;
            chunk.copy_from_slice(&random.expose()[..chunk.len()]);
        }
        Ok(())
    });
    let mechanism = Settings::CurveClient { server, secret: generate_secret_key()? };
    let config = Config { mechanism, entropy, ..Config::new(SocketType::Dealer) };
    let mut client = Connection::new(config, Instant::now());
    client.decode(&mut &greeting("CURVE")[..], Instant::now())?;
    let mut out = Outbox::new();
    client.poll_transmit(&mut out);
    let mut slices = [io::IoSlice::new(&[]); 8];
    let filled = out.io_slices(&mut slices, usize::MAX);
    Ok(slices[..filled].iter().flat_map(|slice| slice.to_vec()).collect())
}

/// The address of a tcp endpoint.
///
/// # Errors
/// It is not `tcp://ADDRESS:PORT`, or beyond loopback.
pub fn address(endpoint: &str) -> Result<SocketAddr> {
    let address = endpoint.strip_prefix("tcp://").context("the endpoint must begin with tcp://")?;
    let address: SocketAddr = address.parse().with_context(|| format!("{endpoint}: not an address"))?;
    ensure!(address.ip().is_loopback(), "{endpoint}: these programs attack loopback only");
    Ok(address)
}

/// A loopback address to come from; the first 256 differ.
#[must_use]
pub fn host(n: usize) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 1, (n % 256) as u8)
}

/// Connects from this host. Closing resets the connection, or the hosts would run out of ports.
///
/// # Errors
/// The system's, as of `connect`.
pub fn connect_from(host: Ipv4Addr, to: SocketAddr) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(to), Type::STREAM, None)?;
    if to.is_ipv4() && cfg!(target_os = "linux") {
        socket.bind(&SocketAddr::from((IpAddr::from(host), 0)).into())?;
    }
    socket.set_linger(Some(Duration::ZERO))?;
    socket.set_tcp_nodelay(true)?;
    socket.connect_timeout(&to.into(), LONG)?;
    Ok(socket.into())
}

/// One frame as it came: flags and body.
#[derive(Debug)]
pub struct Frame {
    /// The first byte.
    pub flags: u8,
    /// What follows the length.
    pub body: Vec<u8>,
}

/// A peer without any behaviour of its own.
#[derive(Debug)]
pub struct RawPeer {
    /// Its stream, whose reads and writes end after [`LONG`].
    pub stream: TcpStream,
}

impl RawPeer {
    /// Connects to a tcp endpoint.
    ///
    /// # Errors
    /// The system's.
    pub fn connect(endpoint: &str) -> Result<RawPeer> {
        let stream = TcpStream::connect_timeout(&address(endpoint)?, LONG).context("connect")?;
        RawPeer::over(stream)
    }

    /// A peer over this stream.
    ///
    /// # Errors
    /// The system's.
    pub fn over(stream: TcpStream) -> Result<RawPeer> {
        stream.set_read_timeout(Some(LONG))?;
        stream.set_write_timeout(Some(LONG))?;
        stream.set_nodelay(true)?;
        Ok(RawPeer { stream })
    }

    /// Does the handshake of ZMTP 3.1 with NULL as a socket of this type.
    ///
    /// # Errors
    /// The other side does something else.
    pub fn shake_hands(mut self, name: &str) -> Result<RawPeer> {
        self.stream.write_all(&[greeting("NULL"), ready(name)].concat())?;
        self.stream.read_exact(&mut [0; 64]).context("their greeting")?;
        let answer = self.read_frame().context("their READY")?;
        ensure!(answer.flags & 4 != 0 && answer.body.starts_with(b"\x05READY"), "not READY: {answer:?}");
        Ok(self)
    }

    /// The next frame, whatever it is.
    ///
    /// # Errors
    /// The system's.
    pub fn read_frame(&mut self) -> io::Result<Frame> {
        let mut head = [0; 2];
        self.stream.read_exact(&mut head)?;
        let (flags, mut length) = (head[0], usize::from(head[1]));
        if flags & 2 != 0 {
            let mut rest = [0; 7];
            self.stream.read_exact(&mut rest)?;
            length = rest.iter().fold(length, |sum, byte| sum << 8 | usize::from(*byte));
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok(Frame { flags, body })
    }

    /// Sends a PING and returns how long its PONG took. What comes between is thrown away.
    ///
    /// # Errors
    /// There is none in time.
    pub fn ping(&mut self) -> Result<Duration> {
        let start = Instant::now();
        self.stream.write_all(&command(b"\x04PING\0\0me"))?;
        loop {
            let frame = self.read_frame().context("no PONG")?;
            if frame.flags & 4 != 0 && frame.body == b"\x04PONGme" {
                return Ok(start.elapsed());
            }
            if start.elapsed() > LONG {
                bail!("no PONG, but much else");
            }
        }
    }

    /// Reads until the other side closes, `limit` at most; returns whether it does.
    pub fn closes_within(&mut self, limit: Duration) -> bool {
        let start = Instant::now();
        let mut rest = [0; 65536];
        while let Some(left) = limit.checked_sub(start.elapsed()).filter(|left| !left.is_zero()) {
            if self.stream.set_read_timeout(Some(left)).is_err() {
                return true;
            }
            match self.stream.read(&mut rest) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    return !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut);
                }
            }
        }
        false
    }

    /// Ends the connection in both directions.
    pub fn kill(&self) {
        // Who has closed already is gone.
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}
