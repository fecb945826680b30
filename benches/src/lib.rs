//! Nothing but, with feature `libzmq`, libzmq: the benchmarks are in `benches/`, the budget of system calls and
//! allocations in `tests/`, and the comparisons with other libraries are the binaries `cells`, `pair` and `capi`.

#[cfg(feature = "libzmq")]
pub mod libzmq;
