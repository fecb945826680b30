//! The dashboard of the task farm: what waits, what runs, who works, and what was counted.

use std::io::Write;
use std::time::{Duration, Instant};

use clap::Parser;
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyModifiers};
use task_farm::screen::{Screen, plain};
use task_farm::{Failure, Status, wire};
use zeroxide::{Context, Error, Socket};

const EVERY: Duration = Duration::from_secs(1);
/// How long `--once` waits for the broker.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Parser)]
struct Arguments {
    /// The broker's endpoint
    #[arg(default_value = "tcp://127.0.0.1:5555")]
    broker: String,
    /// Print the state once, and end
    #[arg(long)]
    once: bool,
    /// Print a name and a value in each line, and draw no screen
    #[arg(long)]
    plain: bool,
}

fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    let context = Context::new();
    let dealer = wire::dealer(&context, &arguments.broker)?;
    if arguments.plain || arguments.once {
        return print(&arguments, &dealer);
    }
    let mut terminal = ratatui::try_init()?;
    let shown = show(&mut terminal, &dealer);
    ratatui::restore();
    shown
}

/// Prints the state, once or each second.
fn print(arguments: &Arguments, dealer: &Socket) -> Result<(), Failure> {
    loop {
        let now = ask(dealer, PATIENCE)?.ok_or("the broker does not reply")?;
        let text = if arguments.plain { plain(&now) } else { text(now)? };
        // Who reads may have had enough.
        if std::io::stdout().write_all(text.as_bytes()).is_err() || arguments.once {
            return Ok(());
        }
        println!();
        let _ = dealer.recv_timeout(EVERY);
    }
}

/// Returns the screen as text, with a line for each worker.
fn text(now: Status) -> Result<String, Failure> {
    let workers = u16::try_from(now.workers.len()).unwrap_or(u16::MAX).min(200);
    Screen { now, ..Screen::default() }.text(90, workers + 11)
}

/// Draws until `q` or Ctrl-C.
fn show(terminal: &mut DefaultTerminal, dealer: &Socket) -> Result<(), Failure> {
    let mut screen = Screen::default();
    let (mut asked, mut replied, mut is_first) = (Instant::now(), Instant::now(), true);
    loop {
        match ask(dealer, EVERY)? {
            Some(now) => {
                // What was done before the first state has no rate.
                let before = if is_first { now.clone() } else { screen.now };
                screen = Screen { before, now, time: replied.elapsed(), silent: None };
                (replied, is_first) = (Instant::now(), false);
            }
            None => screen.silent = Some(replied.elapsed()),
        }
        loop {
            terminal.draw(|frame| screen.draw(frame))?;
            let left = EVERY.saturating_sub(asked.elapsed());
            if !event::poll(left)? {
                break;
            }
            if ends(&event::read()?) {
                return Ok(());
            }
        }
        asked = Instant::now();
    }
}

/// Returns whether a key ends the screen. Ctrl-C is a key here.
fn ends(event: &Event) -> bool {
    let Event::Key(key) = event else { return false };
    let interrupt = key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
    interrupt || matches!(key.code, KeyCode::Char('q') | KeyCode::Esc)
}

/// Asks the broker for its state. Returns `None` if there is no reply within `limit`.
fn ask(dealer: &Socket, limit: Duration) -> Result<Option<Status>, Failure> {
    let end = Instant::now() + limit;
    // A reply to an earlier question is as good as a late one.
    match dealer.send_timeout("STATUS", limit) {
        Ok(()) => {}
        Err(refused) if matches!(refused.error, Error::TimedOut(_)) => return Ok(None),
        Err(refused) => return Err(refused.into()),
    }
    loop {
        match dealer.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(message) if message.len() == 2 && message[0] == "STATUS" => {
                return Ok(Some(serde_json::from_slice(&message[1])?));
            }
            Ok(_) => {}
            Err(Error::TimedOut(_)) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
    }
}
