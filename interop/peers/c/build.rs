//! Builds libzmq with CURVE, and the peer in C.

fn main() {
    // As links metadata of libsodium-sys-stable.
    let of_sodium = |what: &str| std::env::var(format!("DEP_SODIUM_{what}")).expect("libsodium was built");
    let sodium = zeromq_src::LibLocation::new(of_sodium("LIB"), of_sodium("INCLUDE"));
    // Before libzmq: what a library needs is looked for in those that follow it.
    let out = std::env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    let sources = ["src/peer.c", "src/words.c", "src/options.c", "src/zap.c"];
    let mut peer = cc::Build::new();
    peer.files(sources).include(format!("{out}/source/include")).std("c11").warnings(true);
    peer.define("_POSIX_C_SOURCE", "200809L").define("ZMQ_STATIC", None);

    zeromq_src::Build::new().with_libsodium(Some(sodium)).build();
    peer.compile("peer");
    println!("cargo:rustc-link-lib=static=zmq");
    println!("cargo:rustc-link-lib=static=sodium");
    let apple = std::env::var("CARGO_CFG_TARGET_VENDOR").is_ok_and(|vendor| vendor == "apple");
    println!("cargo:rustc-link-lib={}", if apple { "c++" } else { "stdc++" });
    println!("cargo:rerun-if-changed=src");
}
