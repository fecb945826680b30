//! What a SOCKS5 proxy says.

use zeroxide_transports::socks::{LONGEST, Login, Socks, SocksError};
use zeroxide_transports::{Host, Port};

/// Tests that the dialogue with a proxy ends the same way, whole and cut, and asks for no more than it takes.
pub fn socks(data: &[u8]) {
    let Some(([select, cut], data)) = data.split_first_chunk() else { return };
    let login = || Login { username: "ann".into(), password: "hunter2".into() };
    let begin = || Socks::new(&Host::Name("peer".to_owned()), Port::new(5555), (select & 1 == 1).then(login));
    let (Ok(whole), Ok(pieces)) = (begin(), begin()) else { unreachable!("both fit") };
    assert_eq!(talk(whole, data, LONGEST), talk(pieces, data, usize::from(*cut).max(1)));
}

/// How much was taken, and how it ended.
fn talk(mut socks: Socks, data: &[u8], cut: usize) -> (usize, Result<bool, SocksError>) {
    let mut taken = 0;
    loop {
        socks.sent(socks.output().len());
        let missing = socks.missing();
        assert!(missing <= LONGEST && (missing == 0) == socks.is_done());
        let end = data.len().min(taken + missing.min(cut));
        if end == taken {
            return (taken, Ok(socks.is_done()));
        }
        match socks.receive(&data[taken..end]) {
            Ok(n) => assert_eq!(n, end - taken),
            // How much of the last message had come depends on the cut.
            Err(error) => return (0, Err(error)),
        }
        taken = end;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 5000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn socks(
            select: [u8; 2],
            pieces in prop::collection::vec(
                prop_oneof![
                    Just(vec![5, 0]),
                    Just(vec![5, 2]),
                    Just(vec![1, 0]),
                    Just(vec![5, 0, 0, 1, 127, 0, 0, 1, 0, 80]),
                    any::<u8>().prop_map(|byte| vec![byte]),
                ],
                0..8,
            ),
        ) {
            super::socks(&[&select[..], &pieces.concat()].concat());
        }
    }
}
