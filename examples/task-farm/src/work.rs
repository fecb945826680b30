//! What a task is in this example: a number. Its result is how many primes there are up to it. It is done by
//! trial division, so that a larger number takes longer.

/// Returns how many primes there are up to the number in `body`, or a text that says that it is no number.
#[must_use]
pub fn work(body: &[u8]) -> String {
    let number = std::str::from_utf8(body).ok().and_then(|text| text.parse::<u32>().ok());
    number.map_or_else(|| "not a number".to_owned(), |number| primes(number).to_string())
}

fn primes(up_to: u32) -> usize {
    (2..=up_to).filter(|n| (2..).take_while(|d| d * d <= *n).all(|d| n % d != 0)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primes_are_counted() {
        let counts = [b"0".as_slice(), b"1", b"2", b"10", b"100", b"1000"].map(work);
        assert_eq!(counts, ["0", "0", "1", "4", "25", "168"]);
        assert_eq!(
            (work(b"x"), work(b"-1"), work(b"\xff")),
            (work(b""), work(b""), "not a number".to_owned())
        );
    }
}
