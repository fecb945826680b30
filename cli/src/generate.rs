//! `zx completions` and `zx man`: what a shell and `man` need to know, generated from the command line itself.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::builder::{Resettable, StyledStr};
use clap::{Args, Command};
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use crate::exit::{End, Outcome};

/// What `completions` takes.
#[derive(Args, Clone, Debug)]
pub(crate) struct CompletionsArgs {
    shell: Shell,
}

/// What `man` takes.
#[derive(Args, Clone, Debug)]
pub(crate) struct ManArgs {
    /// The command whose page is printed [default: the page of zx itself]
    command: Option<String>,
    /// Write all pages into this folder instead
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    dir: Option<PathBuf>,
}

/// For the name that the command was called by, `zx` or `zeroxide`.
pub(crate) fn completions(arguments: &CompletionsArgs, mut whole: Command) -> Outcome {
    let called = std::env::args_os().next().map(PathBuf::from);
    let name = called.as_deref().and_then(|path| path.file_stem()?.to_str()).unwrap_or("zx").to_owned();
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut whole, name, &mut script);
    Ok(io::stdout().write_all(&script)?)
}

pub(crate) fn man(arguments: &ManArgs, whole: Command) -> Outcome {
    let mut whole = whole.disable_help_subcommand(true);
    whole.build();
    if let Some(folder) = &arguments.dir {
        return write_pages(&whole, folder)
            .map_err(|error| End::failed(format!("cannot write into {}: {error}", folder.display())));
    }
    let page = match &arguments.command {
        None => &whole,
        Some(name) => whole
            .find_subcommand(name)
            .ok_or_else(|| End::failed(format!("there is no command {name:?}; zx --help lists all")))?,
    };
    write_page(page, &mut io::stdout())?;
    Ok(())
}

/// Writes the page of each command into a folder, which is made if it is not there.
fn write_pages(whole: &Command, folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for command in
        std::iter::once(whole).chain(whole.get_subcommands().filter(|command| !command.is_hide_set()))
    {
        let mut page = Vec::new();
        write_page(command, &mut page)?;
        fs::write(folder.join(Man::new(command.clone()).get_filename()), page)?;
    }
    Ok(())
}

/// The page of a command. The examples below its help have a line each, which [`Man`] would fill into one paragraph.
fn write_page(command: &Command, to: &mut dyn Write) -> io::Result<()> {
    let none = || Resettable::<StyledStr>::Reset;
    let page = Man::new(command.clone().after_help(none()).after_long_help(none()));
    page.source(concat!("zx ", env!("CARGO_PKG_VERSION"))).render(to)?;
    let Some(below) = command.get_after_long_help().or_else(|| command.get_after_help()) else {
        return Ok(());
    };
    let below = below.to_string();
    let heading = |line: &str| ["Example:", "Examples:"].contains(&line);
    let examples = below.split_once('\n').filter(|(line, _)| heading(line)).map_or(&*below, |(_, rest)| rest);
    let mut section = Roff::new();
    section.control("SH", ["EXAMPLES"]).control("nf", []).text([roman(examples)]).control("fi", []);
    section.to_writer(to)
}
