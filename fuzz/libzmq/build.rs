//! Builds libzmq 4.3.5 from source.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // Its compiler's warnings are not ours to read.
    let flags = std::env::var("CXXFLAGS").unwrap_or_default() + " -w";
    // SAFETY: this program has one thread.
    unsafe { std::env::set_var("CXXFLAGS", flags) };
    zeromq_src::Build::new().build();
    println!("cargo:rustc-link-lib=static=zmq");
    println!("cargo:rustc-link-lib=stdc++");
}
