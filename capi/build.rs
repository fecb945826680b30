//! Gives the shared library the name that programs linked to libzmq look for, and keeps it loaded until the process ends.
//!
//! A thread that has used the library runs destructors of its thread-local values when it ends, and each load takes keys for
//! such values that no unload gives back (the standard library's). So `dlclose` must leave the code where it is. An ELF
//! library says so by a flag; on macOS dyld never unloads a library with thread-local values.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let os = std::env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    match os.as_str() {
        "macos" | "ios" => println!("cargo:rustc-cdylib-link-arg=-Wl,-install_name,@rpath/libzmq.5.dylib"),
        "windows" => {}
        _ => println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libzmq.so.5,-z,nodelete"),
    }
}
