//! CURVE, from known answers to whole connections.

mod handshake;
mod known_answers;
mod traffic;
