//! `zx completions` and `zx man`: what a shell and `man` need to know, generated from the command line itself.

use std::io;
use std::path::PathBuf;

use clap::{Args, Command};
use clap_complete::Shell;

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
    Ok(io::Write::write_all(&mut io::stdout(), &script)?)
}

pub(crate) fn man(arguments: &ManArgs, mut whole: Command) -> Outcome {
    if let Some(folder) = &arguments.dir {
        return clap_mangen::generate_to(whole, folder)
            .map_err(|error| End::failed(format!("cannot write into {}: {error}", folder.display())));
    }
    whole.build();
    let page = match &arguments.command {
        None => whole,
        Some(name) => whole
            .find_subcommand(name)
            .cloned()
            .ok_or_else(|| End::failed(format!("there is no command {name:?}; zx --help lists all")))?,
    };
    Ok(clap_mangen::Man::new(page).render(&mut io::stdout())?)
}
