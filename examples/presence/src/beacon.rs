//! The beacon by which nodes find each other: one UDP packet of 22 bytes, sent again and again to all of a
//! network. The idea is that of ZRE (RFC 36); the packet is our own, so that the two do not mistake each
//! other.
//!
//! | bytes | what |
//! |---|---|
//! | 3 | `ZXB` |
//! | 1 | the version, 1 |
//! | 16 | the node's UUID, new at each start |
//! | 2 | the TCP port of its ROUTER, big-endian; 0 means that it leaves |

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};

use socket2::{Domain, Protocol, Socket, Type};
use uuid::Uuid;

const MAGIC: &[u8; 3] = b"ZXB";
const VERSION: u8 = 1;
const SIZE: usize = 22;

/// What a node says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beacon {
    /// Which node it is.
    pub node: Uuid,
    /// The port of its ROUTER; `None` when it leaves.
    pub port: Option<u16>,
}

/// Why a packet is no beacon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadBeacon {
    /// It does not begin as a beacon, or has another size: something else that uses the port.
    Foreign,
    /// A beacon of another version.
    Version(u8),
}

impl fmt::Display for BadBeacon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadBeacon::Foreign => f.write_str("a packet that is no beacon"),
            BadBeacon::Version(version) => {
                write!(f, "a beacon of version {version}; this is version {VERSION}")
            }
        }
    }
}

impl std::error::Error for BadBeacon {}

impl Beacon {
    /// Returns the packet.
    #[must_use]
    pub fn to_bytes(self) -> [u8; SIZE] {
        let mut bytes = [0; SIZE];
        bytes[..3].copy_from_slice(MAGIC);
        bytes[3] = VERSION;
        bytes[4..20].copy_from_slice(self.node.as_bytes());
        bytes[20..].copy_from_slice(&self.port.unwrap_or_default().to_be_bytes());
        bytes
    }

    /// Reads a packet.
    ///
    /// # Errors
    /// Returns why it is no beacon.
    pub fn parse(packet: &[u8]) -> Result<Beacon, BadBeacon> {
        match packet {
            [b'Z', b'X', b'B', VERSION, node @ .., high, low] if packet.len() == SIZE => {
                let node = Uuid::from_slice(node).map_err(|_| BadBeacon::Foreign)?;
                let port = u16::from_be_bytes([*high, *low]);
                Ok(Beacon { node, port: (port != 0).then_some(port) })
            }
            [b'Z', b'X', b'B', version, ..] if *version != VERSION => Err(BadBeacon::Version(*version)),
            _ => Err(BadBeacon::Foreign),
        }
    }
}

/// A UDP socket that hears beacons. Several on one machine hear all.
#[derive(Debug)]
pub struct BeaconSocket(UdpSocket);

impl BeaconSocket {
    /// Opens it on a port, which all nodes of a network share.
    ///
    /// # Errors
    /// Returns the system's error, such as that a program that does not share has the port.
    pub fn open(port: u16) -> io::Result<BeaconSocket> {
        let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_reuse_address(true)?;
        // Where SO_REUSEADDR alone does not let two sockets have one port. On Linux it does, and SO_REUSEPORT
        // would ask for one user.
        #[cfg(all(unix, not(target_os = "linux")))]
        socket.set_reuse_port(true)?;
        socket.set_broadcast(true)?;
        socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)).into())?;
        Ok(BeaconSocket(socket.into()))
    }

    /// Returns a second handle of the same socket, for another thread.
    ///
    /// # Errors
    /// Returns the system's error.
    pub fn try_clone(&self) -> io::Result<BeaconSocket> {
        self.0.try_clone().map(BeaconSocket)
    }

    /// Sends a beacon to a broadcast address.
    ///
    /// # Errors
    /// Returns the system's error, such as that there is no network.
    pub fn send(&self, beacon: Beacon, to: SocketAddrV4) -> io::Result<()> {
        self.0.send_to(&beacon.to_bytes(), to).map(drop)
    }

    /// Waits for a packet, and returns who has sent it and what it is.
    ///
    /// # Errors
    /// Returns the system's error.
    pub fn recv(&self) -> io::Result<(IpAddr, Result<Beacon, BadBeacon>)> {
        // One byte more, so that a longer packet is seen to be one.
        let mut packet = [0; SIZE + 1];
        let (size, from) = self.0.recv_from(&mut packet)?;
        Ok((from.ip(), Beacon::parse(&packet[..size])))
    }

    /// Lets [`BeaconSocket::recv`] fail after this time.
    ///
    /// # Errors
    /// Returns the system's error.
    pub fn set_patience(&self, time: std::time::Duration) -> io::Result<()> {
        self.0.set_read_timeout(Some(time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: Uuid = Uuid::from_bytes(*b"0123456789abcdef");

    #[test]
    fn a_beacon_has_these_bytes() {
        let here = Beacon { node: NODE, port: Some(0x1234) };
        assert_eq!(&here.to_bytes(), b"ZXB\x010123456789abcdef\x12\x34");
        let leaves = Beacon { node: NODE, port: None };
        assert_eq!(&leaves.to_bytes(), b"ZXB\x010123456789abcdef\0\0");
        for beacon in [here, leaves] {
            assert_eq!(Beacon::parse(&beacon.to_bytes()), Ok(beacon));
        }
    }

    #[test]
    fn what_is_no_beacon_has_a_cause() {
        let good = Beacon { node: NODE, port: Some(1) }.to_bytes();
        for cut in 0..good.len() {
            assert_eq!(Beacon::parse(&good[..cut]), Err(BadBeacon::Foreign), "{cut} bytes");
        }
        assert_eq!(Beacon::parse(&[&good[..], b"\0"].concat()), Err(BadBeacon::Foreign));
        assert_eq!(Beacon::parse(b"ZRE\x010123456789abcdef\x12\x34"), Err(BadBeacon::Foreign));
        assert_eq!(Beacon::parse(b"ZXB\x020123456789abcdef\x12\x34"), Err(BadBeacon::Version(2)));
    }
}
