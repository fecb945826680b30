//! `zx top`: a live screen of a running proxy.
//!
//! Each second it asks the proxy for its state and draws two tables. The drawing is a function of the state alone.

use std::time::{Duration, Instant};

use clap::Args;
use ratatui::Frame;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyModifiers};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Style, Stylize};
use ratatui::widgets::{Block, Row, Table};
use zeroxide::{Error, ErrorKind, Options, Socket, SocketType, opt};

use crate::attach::{attach_failed, context};
use crate::exit::{End, Outcome};
use crate::status::{Side, Status};

/// How often the state is asked for.
const EVERY: Duration = Duration::from_secs(1);
/// How long a proxy may take to reply.
const PATIENCE: Duration = Duration::from_secs(3);

/// What `top` takes.
#[derive(Args, Clone, Debug)]
pub(crate) struct TopArgs {
    /// The endpoint of `zx proxy --status`
    #[arg(value_name = "ENDPOINT")]
    endpoint: String,
    /// Print one screen as text, and end
    #[arg(long)]
    once: bool,
}

/// Two states, and the time between them.
struct Screen {
    before: Status,
    now: Status,
    time: Duration,
}

pub(crate) fn run(arguments: &TopArgs) -> Outcome {
    let context = context()?;
    let socket =
        context.socket_with(SocketType::Req, &Options::new().set(opt::LINGER, Some(Duration::ZERO)))?;
    socket.connect(&arguments.endpoint).map_err(|error| attach_failed(error, &arguments.endpoint))?;
    let first = ask(&socket, &arguments.endpoint)?;
    let screen = Screen { before: first.clone(), now: first, time: EVERY };
    if arguments.once {
        print!("{}", text(&screen, 100, 30)?);
        return Ok(());
    }
    let mut terminal = ratatui::try_init().map_err(|error| {
        End::failed(format!("no terminal for a screen: {error}; --once prints one as text"))
    })?;
    let shown = show(&mut terminal, &socket, &arguments.endpoint, screen);
    ratatui::restore();
    shown
}

/// Draws until `q` or Ctrl-C.
fn show(
    terminal: &mut ratatui::DefaultTerminal,
    socket: &Socket,
    endpoint: &str,
    mut screen: Screen,
) -> Outcome {
    let mut asked = Instant::now();
    loop {
        terminal.draw(|frame| draw(frame, &screen)).map_err(End::failed)?;
        let left = EVERY.saturating_sub(asked.elapsed());
        if event::poll(left).map_err(End::failed)? {
            if ends(&event::read().map_err(End::failed)?) {
                return Ok(());
            }
            continue;
        }
        let now = ask(socket, endpoint)?;
        screen = Screen { before: screen.now, now, time: asked.elapsed() };
        asked = Instant::now();
    }
}

/// Returns whether a key ends the screen. Ctrl-C is a key here.
fn ends(event: &Event) -> bool {
    let Event::Key(key) = event else { return false };
    let interrupt = key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
    interrupt || matches!(key.code, KeyCode::Char('q') | KeyCode::Esc)
}

fn ask(socket: &Socket, endpoint: &str) -> Outcome<Status> {
    let no_reply = |error: Error| match error.kind() {
        ErrorKind::TimedOut => End::TimedOut(format!(
            "no proxy replies at {endpoint}: does one run with --status {endpoint}? (zx doctor {endpoint} says more)"
        )),
        _ => End::from(error),
    };
    let reply = socket.request("status", PATIENCE).map_err(|refused| no_reply(refused.error))?;
    let bytes = reply.first().map_or(&[][..], |frame| frame);
    serde_json::from_slice(bytes)
        .map_err(|_| End::failed("what replies there is not a proxy of `zx proxy --status`"))
}

/// Returns the screen as text.
fn text(screen: &Screen, width: u16, height: u16) -> Outcome<String> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).map_err(End::failed)?;
    terminal.draw(|frame| draw(frame, screen)).map_err(End::failed)?;
    let buffer = terminal.backend().buffer();
    let mut lines: Vec<String> = (0..height)
        .map(|y| (0..width).filter_map(|x| buffer.cell((x, y))).map(|cell| cell.symbol()).collect::<String>())
        .map(|line| line.trim_end().to_owned())
        .collect();
    lines.push(String::new());
    Ok(lines.join("\n"))
}

fn draw(frame: &mut Frame<'_>, screen: &Screen) {
    let [front, back, help] =
        Layout::vertical([Constraint::Fill(1), Constraint::Fill(1), Constraint::Length(1)])
            .areas(frame.area());
    draw_side(frame, front, "front", &screen.before.front, &screen.now.front, screen.time);
    draw_side(frame, back, "back", &screen.before.back, &screen.now.back, screen.time);
    frame.render_widget("q ends", help);
}

fn draw_side(frame: &mut Frame<'_>, area: Rect, name: &str, before: &Side, now: &Side, time: Duration) {
    let rate = |before: u64, now: u64| now.saturating_sub(before) as f64 / time.as_secs_f64().max(1e-3);
    let (received, sent) = (rate(before.received, now.received), rate(before.sent, now.sent));
    let title = format!(
        " {name}: {} {}   in {received:.0}/s ({})   out {sent:.0}/s ({})   dropped {} ",
        now.socket,
        now.endpoints.join(", "),
        now.received,
        now.sent,
        now.dropped
    );
    let rows = now.peers.iter().map(|peer| {
        let row = Row::new([
            peer.socket.clone(),
            peer.address.clone(),
            format!("{} s", peer.connected),
            peer.written.to_string(),
            peer.queued.to_string(),
            peer.dropped.to_string(),
        ]);
        // A peer that does not keep up is what one looks for.
        if peer.dropped > 0 { row.style(Style::new().red()) } else { row }
    });
    let widths = [
        Constraint::Length(8),
        Constraint::Fill(1),
        Constraint::Length(10),
        Constraint::Length(14),
        Constraint::Length(10),
        Constraint::Length(10),
    ];
    let header = Row::new(["peer", "address", "connected", "written", "queued", "dropped"]).bold();
    frame.render_widget(Table::new(rows, widths).header(header).block(Block::bordered().title(title)), area);
}

#[cfg(test)]
mod tests {
    use ratatui::crossterm::event::KeyEvent;

    use super::*;
    use crate::status::PeerRow;

    #[test]
    fn the_screen_has_rates_peers_queues_and_drops() {
        let before = Status::default();
        let mut now = Status::default();
        let peer = PeerRow {
            socket: "SUB".into(),
            address: "10.0.0.7".into(),
            queued: 17,
            dropped: 3,
            ..PeerRow::default()
        };
        now.back =
            Side { socket: "XPUB".into(), sent: 500, dropped: 3, peers: vec![peer], ..Side::default() };
        let text = text(&Screen { before, now, time: Duration::from_millis(500) }, 100, 20).unwrap();
        let title = text.lines().find(|line| line.contains("back: XPUB")).unwrap();
        assert!(title.contains("out 1000/s (500)") && title.contains("dropped 3"), "{text}");
        let row = text.lines().find(|line| line.contains("10.0.0.7")).unwrap();
        let words: Vec<&str> = row.trim_matches('│').split_whitespace().collect();
        assert_eq!(words, ["SUB", "10.0.0.7", "0", "s", "0", "17", "3"], "{text}");
    }

    #[test]
    fn a_small_terminal_is_no_panic() {
        for (width, height) in [(0, 0), (1, 1), (10, 3)] {
            let screen = Screen { before: Status::default(), now: Status::default(), time: EVERY };
            text(&screen, width, height).unwrap();
        }
    }

    #[test]
    fn q_escape_and_ctrl_c_end_it() {
        let key = |code, modifiers| Event::Key(KeyEvent::new(code, modifiers));
        assert!(
            ends(&key(KeyCode::Char('q'), KeyModifiers::NONE))
                && ends(&key(KeyCode::Esc, KeyModifiers::NONE))
        );
        assert!(ends(&key(KeyCode::Char('c'), KeyModifiers::CONTROL)));
        assert!(!ends(&key(KeyCode::Char('c'), KeyModifiers::NONE)) && !ends(&Event::FocusGained));
    }
}
