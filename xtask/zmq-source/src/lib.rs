//! Empty: only the packages that its Cargo.toml names are wanted.
