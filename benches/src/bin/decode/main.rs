//! Reads standard input as the bytes of one peer, and counts the messages in them: after the handshake with itself,
//! nothing but the decoder. `cargo xtask panics` looks in its machine code for ways to panic.

use std::hint::black_box;
use std::io::{IoSlice, Read};
use std::time::Instant;

use zeroxide_zmtp::{Config, Connection, Outbox, ProtocolError, SocketType};

/// Everything that a peer's bytes can run: greeting, handshake, commands, frames. The name is that which
/// `cargo xtask panics` begins at.
#[inline(never)]
fn read_what_a_peer_sends(
    connection: &mut Connection,
    mut input: &[u8],
    now: Instant,
) -> Result<usize, ProtocolError> {
    let mut messages = 0;
    loop {
        let is_ready = connection.poll_ready().is_some();
        match connection.decode(&mut input, now)? {
            Some(traffic) => {
                black_box(&traffic);
                messages += 1;
            }
            None if input.is_empty() => return Ok(messages),
            None if is_ready || connection.is_ready() => {}
            None => return Ok(messages),
        }
    }
}

fn main() -> std::io::Result<()> {
    let mut input = Vec::new();
    std::io::stdin().lock().read_to_end(&mut input)?;
    let now = Instant::now();
    let mut connection = Connection::new(Config::new(SocketType::Pull), now);
    match read_what_a_peer_sends(&mut connection, &input, now) {
        Ok(messages) => println!("{messages} messages"),
        Err(fault) => println!("{fault}"),
    }
    let mut outbox = Outbox::new();
    connection.poll_transmit(&mut outbox);
    let mut slices = [IoSlice::new(&[]); 8];
    println!("{} slices to send", outbox.io_slices(&mut slices, usize::MAX));
    Ok(())
}
