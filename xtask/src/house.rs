//! The floors inside each crate, from the top. `cargo xtask floor` checks them (`floor/storeys`).

use crate::floor::storeys::House;

/// Every crate that people build upon.
pub(crate) const HOUSES: &[House] = &[
    House { src: "zmtp/src", floors: &[&["lib"]], circles: &[] },
    House { src: "patterns/src", floors: &[&["lib"]], circles: &[] },
    House { src: "transports/src", floors: &[&["lib"]], circles: &[] },
    House { src: "src", floors: &[&["lib"]], circles: &[] },
    House { src: "capi/src", floors: &[&["lib"]], circles: &[] },
];
