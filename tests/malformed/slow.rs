//! Many peers at once that keep what they have begun: slow ones, which send a byte now and then, and ones that announce
//! more than they send.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use zeroxide::Context;

use super::case::{After, End, Target, long};
use super::common::{RawPeer, ready, until};
use super::memory;
use super::run::Ours;

/// Peers at once.
const MANY: usize = 40;

impl Ours {
    /// Half of the peers never send their tenth byte, the other half is about to send a long READY; each sends a byte in
    /// every sweep, which moves no deadline.
    pub fn outlive_the_slow(mut self, cx: &Context) {
        let endpoint = self.bind(cx);
        let greeting = Target::Hasty.opening(After::Greeting).concat();
        let endless = [&greeting[..], &long(4, 8000, &ready("PUSH", "")[2..]), &[0; 7000]].concat();
        let mut peers: Vec<Slow> = (0..MANY)
            .map(|n| {
                let stream = RawPeer::connect(&endpoint).stream;
                stream.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
                let name = format!("tcp://{}", stream.local_addr().unwrap());
                let (bytes, end) = match n % 2 {
                    0 => (greeting[..9].to_vec(), End::NoSignature),
                    _ => (endless.clone(), End::TimedOut),
                };
                // The signature comes in time where it is to come.
                (&stream).write_all(&bytes[..if n % 2 == 0 { 1 } else { 10 }]).unwrap();
                Slow { sent: if n % 2 == 0 { 1 } else { 10 }, stream, name, bytes, end, closed: false }
            })
            .collect();
        until("the slow are closed", || {
            self.exchange();
            peers.iter_mut().for_each(Slow::send_one);
            peers.iter().all(|peer| peer.closed)
        });
        for peer in &peers {
            assert_eq!(self.event(&peer.name), Ok(peer.end.clone()), "after {} bytes", peer.sent);
        }
        self.finish();
    }

    /// Each peer announces a terabyte, sends 4000 bytes of it and keeps the connection: it costs what it sent and 64 KiB.
    pub fn pay_for_what_arrives(mut self, cx: &Context) {
        let endpoint = self.bind(cx);
        self.exchange();
        let (before, read) = (memory::live(), self.socket.stats().io.bytes_read);
        let opening = Target::Unlimited.opening(After::Handshake).concat();
        let bomb = [&opening[..], &long(0, 1 << 40, &[b'E'; 4000])].concat();
        let peers: Vec<RawPeer> = (0..MANY).map(|_| RawPeer::connect(&endpoint)).collect();
        for peer in &peers {
            (&peer.stream).write_all(&bomb).unwrap();
            self.exchange();
        }
        let sent = (bomb.len() * MANY) as u64;
        until("all of it is read", || self.socket.stats().io.bytes_read >= read + sent);
        // Beside what is kept, somebody may just be asking whether there is memory to go on.
        until("each costs little", || {
            memory::live().saturating_sub(before) / MANY < 4000 + (64 << 10) + (32 << 10)
        });
        drop(peers);
        until("the bombs are gone", || self.socket.peers().len() == 1);
        self.finish();
    }
}

/// A peer that sends one byte at a time.
struct Slow {
    stream: TcpStream,
    name: String,
    bytes: Vec<u8>,
    sent: usize,
    end: End,
    closed: bool,
}

impl Slow {
    fn send_one(&mut self) {
        if self.closed {
            return;
        }
        match self.stream.read(&mut [0; 256]) {
            Ok(0) => self.closed = true,
            Err(error) if error.kind() == ErrorKind::ConnectionReset => self.closed = true,
            Err(error) => {
                assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}")
            }
            Ok(_) => {}
        }
        if let Some(byte) = self.bytes.get(self.sent) {
            self.sent += usize::from(self.stream.write(&[*byte]).is_ok());
        }
    }
}
