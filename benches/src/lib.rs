//! Nothing to link: the benchmarks are in `benches/`, the budget of system calls and allocations in `tests/`, and the
//! comparison with libzmq is the binary `compare`.
