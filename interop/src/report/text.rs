//! Text of others, made safe to show: peers choose the words that transcripts and reasons quote.

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

/// The text as HTML: nothing in it is a tag, ends an attribute or turns the writing direction.
pub(super) fn html(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in visible(text).chars() {
        match character {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '"' => shown.push_str("&quot;"),
            '\'' => shown.push_str("&#39;"),
            _ => shown.push(character),
        }
    }
    shown
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
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_spelt_out() {
        assert_eq!(visible("a\x1b[31mb\r\n\tc\u{202e}\u{9b}é"), "a\\u{1b}[31mb\\r\n c\\u{202e}\\u{9b}é");
    }

    #[test]
    fn what_is_a_tag_or_ends_an_attribute_is_escaped() {
        assert_eq!(
            html("<a href='x' title=\"y\">&\0"),
            "&lt;a href=&#39;x&#39; title=&quot;y&quot;&gt;&amp;\\u{0}"
        );
    }

    #[test]
    fn durations_have_the_unit_that_fits() {
        let shown =
            [12, 1_234, 12_345, 59_999, 60_000, 754_000].map(|ms| duration(Duration::from_millis(ms)));
        assert_eq!(shown, ["12 ms", "1.2 s", "12 s", "59 s", "1 min 0 s", "12 min 34 s"]);
    }
}
