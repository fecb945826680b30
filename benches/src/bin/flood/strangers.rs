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

/// How they come.
#[derive(Clone, Copy)]
pub(crate) struct Habits {
    /// In a second, at most.
    pub(crate) rate: u32,
    /// At once.
    pub(crate) at_once: u32,
    /// From so many addresses.
    pub(crate) hosts: u8,
}

/// Threads of strangers, in each one after the other.
pub(crate) struct Strangers {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<io::Result<f64>>>,
}

impl Strangers {
    /// Lets them begin.
    pub(crate) fn start(to: SocketAddr, habits: Habits, opening: &Opening) -> Strangers {
        let stop = Arc::new(AtomicBool::new(false));
        let thread = |_| {
            let (stopped, opening) = (Arc::clone(&stop), opening.clone());
            thread::spawn(move || knock(to, habits, &opening, &stopped))
        };
        let threads = (0..habits.at_once).map(thread).collect();
        Strangers { stop, threads }
    }

    /// Ends them; answers how many there were in a second.
    pub(crate) fn stop(self) -> io::Result<f64> {
        self.stop.store(true, Ordering::Relaxed);
        let panicked = |_| io::Error::other("a strangers' thread panicked");
        self.threads.into_iter().map(|thread| thread.join().map_err(panicked)?).sum()
    }
}

fn knock(to: SocketAddr, habits: Habits, opening: &Opening, stopped: &AtomicBool) -> io::Result<f64> {
    let Habits { rate, at_once, hosts } = habits;
    let rate = f64::from(rate) / f64::from(at_once);
    let (start, mut count) = (Instant::now(), 0_u32);
    while !stopped.load(Ordering::Relaxed) {
        let due = Duration::from_secs_f64(f64::from(count) / rate);
        if let Some(early) = due.checked_sub(start.elapsed()) {
            #[expect(clippy::disallowed_methods, reason = "strangers knock at a rate")]
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
            for mut stream in listener.incoming().flatten() {
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
