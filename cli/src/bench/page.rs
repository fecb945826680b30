//! The result of `bench` as one HTML page, without anything from elsewhere; light and dark.

use super::chart;
use super::report::Report;

const STYLE: &str = "\
:root { color-scheme: light dark; --bar: #2563eb }
@media (prefers-color-scheme: dark) { :root { --bar: #60a5fa } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem; overflow-wrap: anywhere }
pre { white-space: pre-wrap }
svg { width: 100%; height: auto }
rect { fill: var(--bar) }
text { font-size: 11px; fill: currentColor }
@media (max-width: 30rem) { text { font-size: 20px } }";

pub(super) fn html(report: &Report) -> String {
    let title = escape(&format!("{} at {}", report.kind, report.endpoint));
    let summary: Vec<String> = report.summary().iter().skip(1).map(|line| escape(line)).collect();
    let what = if report.unit == "us" {
        "Round trips by time, in us"
    } else {
        "Tenths of a second by rate, in messages/s"
    };
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n<style>\n{STYLE}\n</style>\n\
         <h1>{title}</h1>\n<pre>{}</pre>\n<h2>{what}</h2>\n{}</html>\n",
        summary.join("\n"),
        chart::svg(&report.bars, report.unit)
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_no_markup() {
        assert_eq!(escape("<a href=\"x\">&"), "&lt;a href=&quot;x&quot;>&amp;");
    }
}
