//! Nothing but, with feature `libzmq`, libzmq: the benchmarks are in `benches/`, the budget of system calls and
//! allocations in `tests/`, and the comparison with libzmq is the binary `compare`.
