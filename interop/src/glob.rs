//! Patterns of cell ids, as `--cell` and the list of known faults write them.

/// Whether a pattern fits an id: with `*`, which stands for any characters, as a whole; without, as a part of it.
#[must_use]
pub fn fits(pattern: &str, id: &str) -> bool {
    let mut pieces = pattern.split('*');
    let (Some(first), Some(last)) = (pieces.next(), pieces.next_back()) else {
        return id.contains(pattern);
    };
    let Some(mut rest) = id.strip_prefix(first) else { return false };
    for piece in pieces {
        let Some(at) = rest.find(piece) else { return false };
        rest = &rest[at + piece.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_without_a_star_fits_anywhere() {
        assert!(fits("PUSH-PULL", "pyzmq/PUSH-PULL/tcp"));
        assert!(fits("", "pyzmq/PUSH-PULL/tcp"));
        assert!(!fits("ipc", "pyzmq/PUSH-PULL/tcp"));
    }

    #[test]
    fn a_pattern_with_stars_fits_as_a_whole() {
        assert!(fits("pyzmq/*/tcp", "pyzmq/PUSH-PULL/tcp"));
        assert!(fits("*", "pyzmq"));
        assert!(fits("*/PU*-*/*", "pyzmq/PUSH-PULL/tcp"));
        assert!(fits("a*a", "aa"));
        assert!(!fits("a*a", "a"));
        assert!(!fits("PUSH-PULL/*", "pyzmq/PUSH-PULL/tcp"));
        assert!(!fits("*/tc", "pyzmq/PUSH-PULL/tcp"));
        assert!(!fits("*PULL*PUSH*", "pyzmq/PUSH-PULL/tcp"));
    }
}
