//! The dashboard's screen, a function of two states and the time between them.

use std::fmt::Write;
use std::time::Duration;

use ratatui::Frame;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Style, Stylize};
use ratatui::text::Line;
use ratatui::widgets::{Block, Gauge, Row, Table};

use crate::{Count, Failure, Status, WorkerStatus};

/// What is on the screen.
#[derive(Clone, Debug, Default)]
pub struct Screen {
    /// The state before.
    pub before: Status,
    /// The state now.
    pub now: Status,
    /// The time between them.
    pub time: Duration,
    /// For how long the broker has not replied.
    pub silent: Option<Duration>,
}

impl Screen {
    /// Returns how many results a second there were.
    #[must_use]
    pub fn rate(&self) -> f64 {
        let done = self.now.count(Count::Done).saturating_sub(self.before.count(Count::Done));
        done as f64 / self.time.as_secs_f64().max(1e-3)
    }

    /// Draws it.
    pub fn draw(&self, frame: &mut Frame<'_>) {
        let [numbers, progress, workers, help] = Layout::vertical([
            Constraint::Length(4),
            Constraint::Length(3),
            Constraint::Fill(1),
            Constraint::Length(1),
        ])
        .areas(frame.area());
        let lines = [self.state_line(), self.count_line()].map(Line::from).to_vec();
        let block = Block::bordered().title(" tasks ");
        frame.render_widget(ratatui::widgets::Paragraph::new(lines).block(block), numbers);
        let (submitted, done) = (self.now.count(Count::Submitted), self.now.count(Count::Done));
        let ratio = if submitted == 0 { 0.0 } else { (done as f64 / submitted as f64).clamp(0.0, 1.0) };
        let rate = if self.time.is_zero() { String::new() } else { format!(", {:.0}/s", self.rate()) };
        let label = format!("{done} of {submitted} done{rate}");
        let gauge = Gauge::default().block(Block::bordered()).gauge_style(Style::new().green());
        frame.render_widget(gauge.ratio(ratio).label(label), progress);
        frame.render_widget(self.workers(), workers);
        frame.render_widget(self.last_line(), help);
    }

    fn state_line(&self) -> String {
        let Status { waiting, running, uncollected, submitters, .. } = &self.now;
        format!(
            "{waiting} waiting, {running} with workers, {uncollected} to be collected by {submitters} submitters"
        )
    }

    fn count_line(&self) -> String {
        let count = |count| self.now.count(count);
        format!(
            "{} collected, {} returned by workers, {} second results dropped, {} unknown",
            count(Count::Collected),
            count(Count::Returned),
            count(Count::Doubled),
            count(Count::Unknown)
        )
    }

    fn workers(&self) -> Table<'_> {
        let row = |worker: &WorkerStatus| {
            let has = format!("{} of {}", worker.has, worker.credit);
            let row = Row::new([worker.name.clone(), has, worker.done.to_string()]);
            if worker.has == 0 { row.dim() } else { row }
        };
        let widths = [Constraint::Fill(1), Constraint::Length(14), Constraint::Length(12)];
        let title = format!(" {} workers ", self.now.workers.len());
        Table::new(self.now.workers.iter().map(row), widths)
            .header(Row::new(["worker", "has", "done"]).bold())
            .block(Block::bordered().title(title))
    }

    fn last_line(&self) -> Line<'static> {
        match self.silent {
            Some(time) => {
                Line::from(format!("no reply from the broker for {} s; q ends", time.as_secs())).red()
            }
            None => Line::from("q ends"),
        }
    }

    /// Returns the screen as text.
    ///
    /// # Errors
    /// Returns an error if there is no room in memory for a screen of this size.
    pub fn text(&self, width: u16, height: u16) -> Result<String, Failure> {
        let mut terminal = Terminal::new(TestBackend::new(width, height))?;
        terminal.draw(|frame| self.draw(frame))?;
        let buffer = terminal.backend().buffer();
        let mut text = String::new();
        for y in 0..height {
            let cells = (0..width).filter_map(|x| buffer.cell((x, y)));
            let line: String = cells.map(ratatui::buffer::Cell::symbol).collect();
            writeln!(text, "{}", line.trim_end())?;
        }
        Ok(text)
    }
}

/// Returns a state as lines of a name and a value, for programs that read it.
#[must_use]
pub fn plain(status: &Status) -> String {
    let mut lines = vec![
        format!("waiting {}", status.waiting),
        format!("running {}", status.running),
        format!("uncollected {}", status.uncollected),
        format!("submitters {}", status.submitters),
        format!("workers {}", status.workers.len()),
    ];
    lines.extend(status.counts.iter().map(|(name, value)| format!("{name} {value}")));
    lines.extend(status.workers.iter().map(|w| format!("worker {}: has {}, done {}", w.name, w.has, w.done)));
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(done: u64) -> Status {
        let counts = [("submitted", 400), ("done", done), ("returned", 3), ("doubled", 2)];
        let worker = WorkerStatus { name: "python 17".into(), credit: 4, has: 3, done: 90 };
        Status {
            waiting: 120,
            running: 3,
            workers: vec![worker],
            counts: counts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            ..Status::default()
        }
    }

    #[test]
    fn the_screen_has_tasks_rates_and_workers() {
        let time = Duration::from_millis(500);
        let mut screen = Screen { before: status(100), now: status(200), time, silent: None };
        let text = screen.text(90, 14).unwrap();
        for part in ["120 waiting, 3 with workers", "3 returned by workers, 2 second results dropped"] {
            assert!(text.contains(part), "{text}");
        }
        assert!(text.contains("200 of 400 done, 200/s") && text.contains("1 workers"), "{text}");
        let row = text.lines().find(|line| line.contains("python 17")).unwrap();
        let words: Vec<&str> = row.trim_matches('│').split_whitespace().collect();
        assert_eq!(words, ["python", "17", "3", "of", "4", "90"]);
        screen.silent = Some(Duration::from_secs(7));
        assert!(screen.text(90, 14).unwrap().contains("no reply from the broker for 7 s"));
    }

    #[test]
    fn a_small_terminal_is_no_panic() {
        for (width, height) in [(0, 0), (1, 1), (10, 3)] {
            Screen { now: status(1), ..Screen::default() }.text(width, height).unwrap();
        }
    }

    #[test]
    fn plain_text_has_a_name_and_a_value_in_each_line() {
        let text = plain(&status(200));
        for line in ["waiting 120", "workers 1", "done 200", "worker python 17: has 3, done 90"] {
            assert!(text.lines().any(|found| found == line), "{text}");
        }
    }
}
