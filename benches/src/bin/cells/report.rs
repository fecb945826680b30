//! The results as a page, and as a part of docs/benchmarks.md.

use std::error::Error;
use std::fs;
use std::path::Path;

use askama::Template;

use crate::gallery;
use crate::library::{self, Library};
use crate::record::Record;
use crate::standing::{OnTokio, Standing, on_tokio, standings};
use crate::table;

/// What stands around the generated part of docs/benchmarks.md.
const MARKS: [&str; 2] =
    ["<!-- results: written by `cargo xtask bench compare -- --docs` -->", "<!-- end of results -->"];

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    record: &'a Record,
    libraries: &'a [Library],
    standings: &'a [Standing],
    on_tokio: &'a [OnTokio],
    charts: Vec<String>,
    /// Each cell as the terminal shows it.
    cells: Vec<String>,
}

#[derive(Template)]
#[template(path = "results.md", escape = "none")]
struct Results<'a> {
    record: &'a Record,
    standings: &'a [Standing],
    /// The cells in which another is better, the worst first.
    behind: Vec<&'a Standing>,
    on_tokio: &'a [OnTokio],
    charts: Vec<(String, String)>,
    failures: Vec<String>,
}

/// Writes the page.
pub(crate) fn page(record: &Record, file: &Path) -> Result<(), Box<dyn Error>> {
    let charts = gallery::charts(record).iter().filter_map(|chart| chart.svg().ok()).collect();
    let cells = record.cells.iter().filter_map(table::text).collect();
    let (standings, on_tokio) = (standings(record), on_tokio(record));
    let page =
        Page { record, libraries: library::ALL, standings: &standings, on_tokio: &on_tokio, charts, cells };
    Ok(fs::write(file, page.render()?)?)
}

/// Writes the pictures below `docs` and the results into its benchmarks.md.
pub(crate) fn docs(record: &Record, docs: &Path) -> Result<(), Box<dyn Error>> {
    let pictures = docs.join("benchmarks");
    fs::create_dir_all(&pictures)?;
    let mut charts = Vec::new();
    for chart in gallery::charts(record) {
        if let Ok(svg) = chart.svg() {
            fs::write(pictures.join(format!("{}.svg", chart.name)), svg)?;
            charts.push((chart.name, chart.title));
        }
    }
    let file = docs.join("benchmarks.md");
    let text = fs::read_to_string(&file)?;
    let text =
        between(&text, &results(record, charts)?).ok_or("no marks around the results in benchmarks.md")?;
    Ok(fs::write(file, text)?)
}

/// The generated part.
fn results(record: &Record, charts: Vec<(String, String)>) -> Result<String, askama::Error> {
    let (standings, on_tokio) = (standings(record), on_tokio(record));
    let mut behind: Vec<&Standing> = standings.iter().filter(|standing| standing.lead < 1.0).collect();
    behind.sort_by(|a, b| a.lead.total_cmp(&b.lead));
    let mut failures = Vec::new();
    for cell in &record.cells {
        for results in &cell.results {
            if let Some(reason) = &results.failure {
                let failure = format!("{}, {}: {reason}", cell.row, results.library);
                if !failures.contains(&failure) {
                    failures.push(failure);
                }
            }
        }
    }
    Results { record, standings: &standings, behind, on_tokio: &on_tokio, charts, failures }.render()
}

/// `text` with `new` between its marks.
fn between(text: &str, new: &str) -> Option<String> {
    let (before, rest) = text.split_once(MARKS[0])?;
    let (_, after) = rest.split_once(MARKS[1])?;
    Some(format!("{before}{}\n\n{}\n\n{}{after}", MARKS[0], new.trim(), MARKS[1]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Cell, Results as Samples};
    use crate::sample::Sample;

    fn record() -> Record {
        let mut record = Record::new(1, 0.5);
        for (size, ours) in [(64, 3e6), (1024, 1e6)] {
            let results = [("zeroxide", ours), ("libzmq", 2e6)].map(|(library, rate)| Samples {
                library: library.to_owned(),
                samples: vec![Sample { rate, ..Sample::default() }],
                failure: None,
            });
            record.cells.push(Cell { row: "push-pull-tcp".into(), size, results: results.into() });
        }
        record
    }

    #[test]
    fn the_page_has_every_cell_and_a_picture() {
        let file = std::env::temp_dir().join(format!("cells-{}.html", std::process::id()));
        page(&record(), &file).unwrap();
        let text = fs::read_to_string(&file).unwrap();
        fs::remove_file(file).unwrap();
        for part in ["3.00 M/s", "1.00 M/s", "PUSH to PULL, tcp", "<svg"] {
            assert!(text.contains(part), "{part}");
        }
    }

    #[test]
    fn cells_in_which_another_is_better_are_listed() {
        let text = results(&record(), Vec::new()).unwrap();
        let (_, behind) = text.split_once("another library is better").expect("a list of them");
        assert!(behind.contains("PUSH to PULL, tcp, 1 KiB"), "{behind}");
        assert!(!behind.contains("PUSH to PULL, tcp, 64 B"), "{behind}");
    }

    #[test]
    fn only_what_is_between_the_marks_is_replaced() {
        let text = format!("before\n{}\nold\n{}\nafter\n", MARKS[0], MARKS[1]);
        let text = between(&text, "new\n").unwrap();
        assert_eq!(text, format!("before\n{}\n\nnew\n\n{}\nafter\n", MARKS[0], MARKS[1]));
        assert_eq!(between("nothing marked", "new"), None);
    }
}
