//! With feature `libzmq`, builds libzmq 4.3.5 from source for `compare`: with CURVE where the system has libsodium.

fn main() {
    println!("cargo:rerun-if-changed=build/libzmq.rs");
    println!("cargo:rustc-check-cfg=cfg(sodium)");
    #[cfg(feature = "libzmq")]
    libzmq();
}

#[cfg(feature = "libzmq")]
fn libzmq() {
    let sodium = |what| pkg_config::get_variable("libsodium", what).ok();
    let location = sodium("libdir").zip(sodium("includedir"));
    if location.is_none() {
        println!(
            "cargo:warning=no libsodium found by pkg-config (Debian: libsodium-dev): libzmq without CURVE"
        );
    }
    let found = location.is_some();
    // Its compiler's warnings are not ours to read.
    let flags = std::env::var("CXXFLAGS").unwrap_or_default() + " -w";
    // SAFETY: this program has one thread.
    unsafe { std::env::set_var("CXXFLAGS", flags) };
    let location = location.map(|(lib, include)| zeromq_src::LibLocation::new(lib, include));
    zeromq_src::Build::new().with_libsodium(location).build();
    // What a library needs is looked for in those that follow it.
    println!("cargo:rustc-link-lib=static=zmq");
    if found {
        println!("cargo:rustc-link-lib=static=sodium");
        println!("cargo:rustc-cfg=sodium");
    }
    let apple = std::env::var("CARGO_CFG_TARGET_VENDOR").is_ok_and(|vendor| vendor == "apple");
    println!("cargo:rustc-link-lib={}", if apple { "c++" } else { "stdc++" });
}
