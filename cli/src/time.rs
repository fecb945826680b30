//! Times on the command line.

use std::time::Duration;

/// Parses a duration: seconds, or a number with a unit.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().ok().map(Duration::try_from_secs_f64);
    let parsed = match seconds {
        Some(seconds) => seconds.ok(),
        None => humantime::parse_duration(text).ok(),
    };
    parsed.ok_or_else(|| "write seconds, or a number with its unit: 5, 0.5, 250ms, 2m".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_number_is_seconds() {
        for (text, millis) in [("5", 5000), ("0.25", 250), ("250ms", 250), ("2m", 120_000), ("0", 0)] {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for wrong in ["-1", "", "soon", "inf", "5 apples"] {
            duration(wrong).unwrap_err();
        }
    }
}
