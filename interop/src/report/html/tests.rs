use std::time::Duration;

use super::super::tests::{failed, result};
use super::super::{LeftOut, Origin};
use super::*;

const HOSTILE: &str = "</script><script>alert('1')</script>\" onload=\"x\u{1b}[31m&amp;";

fn theirs(reason: Option<&str>) -> Outcome {
    failed(Verdict::Theirs { reason: reason.map(str::to_owned) })
}

fn report(results: Vec<CellResult>) -> Report {
    let peers = vec![
        PeerStatus { name: "a".to_owned(), version: "a-1/libzmq-4.3.5".to_owned(), missing: None },
        PeerStatus { name: "gone".to_owned(), version: String::new(), missing: Some("no go".to_owned()) },
    ];
    let took = Duration::from_secs(61);
    Report { ours: "zeroxide-0.1.0".to_owned(), peers, results, took, ..Report::default() }
}

/// The data behind the fields, as the script reads it.
fn fields(page: &str) -> serde_json::Value {
    let (_, rest) = page.split_once("id=\"data\">").unwrap();
    serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
}

#[test]
fn a_field_has_the_colour_of_its_worst_and_stripes_when_mixed() {
    let results = vec![
        result("a", "order", Outcome::Passed),
        result("a", "order", theirs(Some("listed"))),
        result("a", "sizes", Outcome::Passed),
    ];
    let page = write(&report(results));
    assert!(page.contains(
        "class=\"field known\" data-field=\"0\" title=\"PUSH-PULL NULL order: 1 failed, theirs, known, 1 passed\""
    ));
    assert!(page.contains("linear-gradient(var(--known) 0% 60%,var(--passed) 60% 100%)\">~1</button>"));
    assert!(page.contains("class=\"field passed\" data-field=\"1\""));
    let mut many = vec![result("a", "order", failed(Verdict::Ours))];
    many.resize(10, result("a", "order", Outcome::Passed));
    let seen = "var(--ours) 0% 60%,var(--passed) 60% 100%";
    assert!(write(&report(many)).contains(seen), "one failure among many is seen");
    assert_eq!(page.matches("style=").count(), 1, "a field of one kind needs no stripes");
}

#[test]
fn each_field_has_its_list_under_its_number() {
    let mut other = result("b", "order", Outcome::Missing { why: "no such type".to_owned() });
    other.pair = "REQ-REP".to_owned();
    let page = write(&report(vec![
        result("a", "sizes", Outcome::Passed),
        other,
        result("a", "order", failed(Verdict::Ours)),
    ]));
    let fields = fields(&page);
    let listed: Vec<_> = fields
        .as_array()
        .unwrap()
        .iter()
        .map(|it| [&it["peer"], &it["pair"], &it["scenario"], &it["cells"][0]["mark"]])
        .collect();
    assert_eq!(
        listed,
        [
            ["a", "PUSH-PULL", "sizes", "passed"],
            ["a", "PUSH-PULL", "order", "ours"],
            ["b", "REQ-REP", "order", "missing"]
        ]
    );
    for (number, label) in [
        "PUSH-PULL NULL sizes: 1 passed",
        "PUSH-PULL NULL order: 1 failed, ours",
        "REQ-REP NULL order: 1 missing",
    ]
    .iter()
    .enumerate()
    {
        assert!(page.contains(&format!("data-field=\"{number}\" title=\"{label}\"")), "{number}");
    }
    assert!(page.contains("<td></td>"), "what was not run has no field");
}

#[test]
fn a_failure_stands_under_its_id_with_reason_why_and_transcript() {
    let mut cell = result("a", "order", theirs(Some("it stops at 255")));
    cell.note = "12 lost".to_owned();
    let page = write(&report(vec![cell]));
    let (_, rest) = page.split_once("<details id=\"a/PUSH-PULL/tcp/NULL/left/binds-right/order\">").unwrap();
    let details = rest.split_once("</details>").unwrap().0;
    for part in
        ["failed, theirs, known", "Known: it stops at 255", "12 lost", "no contact", "a: &#62; recv s 100"]
    {
        assert!(details.contains(part), "{part} in {details}");
    }
}

#[test]
fn failures_come_worst_first() {
    let results = vec![
        result("a", "one", theirs(Some("listed"))),
        result("a", "two", failed(Verdict::Undecided)),
        result("a", "three", theirs(None)),
        result("a", "four", failed(Verdict::Ours)),
    ];
    let page = write(&report(results));
    let order: Vec<&str> = page
        .split("<details id=\"")
        .skip(1)
        .filter_map(|part| part.split_once('"')?.0.rsplit('/').next())
        .collect();
    assert_eq!(order, ["four", "two", "three", "one"]);
}

#[test]
fn a_peer_that_is_not_there_is_named_with_its_cause() {
    let page = write(&report(vec![]));
    assert!(page.contains("<span class=\"tag missing\">not there</span> no go</td>"));
    assert!(page.contains("nothing was run"));
}

#[test]
fn words_of_a_peer_stay_text() {
    let bad = Outcome::Failed {
        verdict: Verdict::Theirs { reason: Some(HOSTILE.to_owned()) },
        why: HOSTILE.to_owned(),
        transcript: HOSTILE.to_owned(),
    };
    let mut everywhere = result(HOSTILE, HOSTILE, bad);
    everywhere.pair = HOSTILE.to_owned();
    everywhere.transport = HOSTILE.to_owned();
    let missing = result("a", "order", Outcome::Missing { why: HOSTILE.to_owned() });
    let peers = vec![PeerStatus {
        name: HOSTILE.to_owned(),
        version: HOSTILE.to_owned(),
        missing: Some(HOSTILE.to_owned()),
    }];
    let page = write(&Report {
        ours: HOSTILE.to_owned(),
        peers,
        results: vec![everywhere, missing],
        ..Report::default()
    });
    let plain = write(&report(vec![result("a", "order", Outcome::Passed)]));
    assert_eq!(page.matches("<script").count(), plain.matches("<script").count());
    assert_eq!(page.matches("</script").count(), plain.matches("</script").count());
    assert!(!page.contains('\u{1b}'));
    let (markup, _) = page.split_once("id=\"data\">").unwrap();
    assert!(!markup.contains("\" onload"));
    assert_eq!(fields(&page)[0]["cells"][0]["about"], format!("{HOSTILE}, NULL, Zeroxide left, right binds"));
}

#[test]
fn the_file_needs_no_other() {
    let page = write(&report(vec![result("a", "order", failed(Verdict::Ours))]));
    for reference in ["http:", "https:", "src=", "@import", "url("] {
        assert!(!page.contains(reference), "{reference}");
    }
}

#[test]
fn the_page_says_when_of_what_and_where_and_what_is_left_out() {
    let mut report = report(vec![result("a", "order", Outcome::Passed)]);
    report.origin = Origin {
        date: "2026-11-30T23:50:00Z".to_owned(),
        commit: "0123456789 and changes".to_owned(),
        machine: "2 × <Fast>, linux".to_owned(),
    };
    report.left_out = vec![
        LeftOut { why: "not in --scenario".to_owned(), cells: Some(1200) },
        LeftOut { why: "peers: b".to_owned(), cells: None },
    ];
    let page = write(&report);
    let origin = "2026-11-30T23:50:00Z · commit 0123456789 and changes · 2 × &#60;Fast&#62;, linux";
    assert!(page.contains(origin), "{page}");
    let (_, section) = page.split_once("<h2>Left out</h2>").unwrap();
    let section = section.split_once("</section>").unwrap().0;
    for part in ["1200", "not in --scenario", "–", "peers: b"] {
        assert!(section.contains(part), "{part} in {section}");
    }
    report.left_out.clear();
    assert!(!write(&report).contains("Left out"), "a run of everything leaves nothing out");
}
