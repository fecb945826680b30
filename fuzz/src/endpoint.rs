//! The text of an endpoint.

use zeroxide::Endpoint;

/// Tests that an endpoint's text is parsed without a panic, and that what is printed is parsed to the same endpoint.
pub fn endpoint(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (bound, dialled) = (Endpoint::parse_bind(text), Endpoint::parse_connect(text));
    for error in [bound.as_ref().err(), dialled.as_ref().err()].into_iter().flatten() {
        assert!(!error.to_string().is_empty());
    }
    if let Ok(endpoint) = &bound {
        let printed = endpoint.to_string();
        assert_eq!(Endpoint::parse_bind(&printed).as_ref(), Ok(endpoint), "{printed}");
        assert_eq!(Endpoint::parse_bind(&printed).unwrap().to_string(), printed, "not canonical");
        let connectable = endpoint.connectable();
        assert_eq!(connectable.connectable(), connectable, "connectable twice");
        assert!(
            endpoint.port().is_none() || Endpoint::parse_connect(&connectable.to_string()) == Ok(connectable)
        );
    }
    if let Ok(endpoint) = &dialled {
        let printed = endpoint.to_string();
        assert_eq!(Endpoint::parse_connect(&printed).as_ref(), Ok(endpoint), "{printed}");
        assert_eq!(Endpoint::parse_connect(&printed).unwrap().to_string(), printed, "not canonical");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 5000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn endpoint(
            text in "(tcp|ipc|inproc|udp)?(://)?([0-9.]{1,9}|\\[[0-9a-f:]{0,9}(%[a-z0-9]{0,3})?\\]|[*@]?[a-z.-]{0,6}|\\PC{0,9})(:[0-9*]{0,6})?(;[a-z0-9*.]{0,5}:[0-9*]{0,5})?",
        ) {
            super::endpoint(text.as_bytes());
        }
    }
}
