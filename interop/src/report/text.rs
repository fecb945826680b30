//! Text of others, made safe to show: peers choose the words that transcripts and reasons quote.

use std::fmt;
use std::time::Duration;

/// The text with its control characters spelt out, so that it cannot steer a terminal. Line ends stay.
pub(super) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => shown.push('\n'),
            '\t' => shown.push(' '),
            _ if character.is_control() || is_directing(character) => {
                shown.extend(character.escape_default())
            }
            _ => shown.push(character),
        }
    }
    shown
}

/// Escapes for HTML: nothing in a text is a tag, ends an attribute, or turns the writing direction.
#[derive(Clone, Copy)]
pub(super) struct Escaper;

impl askama::filters::Escaper for Escaper {
    fn write_escaped_str<W: fmt::Write>(&self, to: W, text: &str) -> fmt::Result {
        askama::filters::Html.write_escaped_str(to, &visible(text))
    }
}

/// A duration as people write it.
pub(super) fn duration(took: Duration) -> String {
    match took.as_secs() {
        0 => format!("{} ms", took.as_millis()),
        1..=9 => format!("{:.1} s", took.as_secs_f64()),
        seconds @ 10..=59 => format!("{seconds} s"),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

/// A number and its noun, such as `1 cell` and `2 cells`.
pub(super) fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// Whether a character turns the direction of the text around it.
fn is_directing(character: char) -> bool {
    matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use askama::filters::Escaper as _;

    use super::*;

    #[test]
    fn what_steers_a_terminal_is_spelt_out() {
        assert_eq!(visible("a\x1b[31mb\r\n\tc\u{202e}\u{9b}é"), "a\\u{1b}[31mb\\r\n c\\u{202e}\\u{9b}é");
    }

    #[test]
    fn what_is_a_tag_or_ends_an_attribute_is_escaped() {
        let mut shown = String::new();
        Escaper.write_escaped_str(&mut shown, "<a href='x' title=\"y\">&\0\u{202e}").unwrap();
        assert_eq!(shown, "&#60;a href=&#39;x&#39; title=&#34;y&#34;&#62;&#38;\\u{0}\\u{202e}");
    }

    #[test]
    fn durations_have_the_unit_that_fits() {
        let shown =
            [12, 1_234, 12_345, 59_999, 60_000, 754_000].map(|ms| duration(Duration::from_millis(ms)));
        assert_eq!(shown, ["12 ms", "1.2 s", "12 s", "59 s", "1 min 0 s", "12 min 34 s"]);
    }
}
