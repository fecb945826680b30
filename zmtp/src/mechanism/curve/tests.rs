//! CURVE, from known answers to whole connections; `bench` holds the ends and the hostile client.

mod bench;
mod handshake;
mod known_answers;
mod traffic;
