//! Reading a peer's bytes without any implementation in between.
