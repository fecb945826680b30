//! Each rule fails on a small tree that breaks it, and passes on one that does not.
