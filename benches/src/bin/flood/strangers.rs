//! Those who knock, and a listener that stands in for the server.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

/// What a stranger sends, and how many bytes it waits for.
#[derive(Clone)]
pub(crate) struct Opening {
    pub(crate) bytes: Vec<u8>,
    pub(crate) answer: usize,
}

/// A thread of strangers, one after the other.
pub(crate) struct Strangers {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<io::Result<f64>>,
}

impl Strangers {
    /// Lets them begin, at most so many in a second.
    pub(crate) fn start(to: SocketAddr, rate: u32, hosts: u8, opening: Opening) -> Strangers {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || knock(to, rate, hosts, &opening, &stopped));
        Strangers { stop, thread }
    }

    /// Ends them; answers how many there were in a second.
    pub(crate) fn stop(self) -> io::Result<f64> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| io::Error::other("the strangers' thread panicked"))?
    }
}

fn knock(to: SocketAddr, rate: u32, hosts: u8, opening: &Opening, stopped: &AtomicBool) -> io::Result<f64> {
    let (start, mut count) = (Instant::now(), 0_u32);
    while !stopped.load(Ordering::Relaxed) {
        let due = Duration::from_secs_f64(f64::from(count) / f64::from(rate));
        if let Some(early) = due.checked_sub(start.elapsed()) {
            thread::sleep(early);
        }
        let host = Ipv4Addr::new(127, 0, 0, 2 + (count % u32::from(hosts.max(1))) as u8);
        visit(to, host, opening)?;
        count += 1;
    }
    Ok(f64::from(count) / start.elapsed().as_secs_f64())
}

/// One stranger. The other side may turn it away at any byte.
fn visit(to: SocketAddr, host: Ipv4Addr, opening: &Opening) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    if cfg!(target_os = "linux") {
        socket.bind(&SocketAddr::from((host, 0)).into())?;
    }
    // Closing resets the connection, or the addresses would run out of ports.
    socket.set_linger(Some(Duration::ZERO))?;
    socket.set_tcp_nodelay(true)?;
    socket.connect(&to.into())?;
    let mut stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut answer = vec![0; opening.answer];
    let _ = stream.write_all(&opening.bytes).and_then(|()| stream.read_exact(&mut answer));
    Ok(())
}

/// A listener of the system, which reads what strangers send and answers as much as the server would.
pub(crate) struct Elsewhere(SocketAddr);

impl Elsewhere {
    pub(crate) fn new() -> io::Result<Elsewhere> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { continue };
                let _ = stream.read(&mut [0; 512]).and_then(|_| stream.write_all(&[0; 512]));
                let _ = stream.read(&mut [0; 512]);
            }
        });
        Ok(Elsewhere(address))
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.0
    }
}
