//! Completions and manual pages, made from the definitions of the arguments.

use super::args::Cli;
use super::failure::{Failure, print};
use crate::audio::Output;
use clap::{Command, CommandFactory};
use std::io::Write;
use std::path::Path;

/// Prints completions for a shell.
///
/// # Errors
/// Where standard output takes nothing.
pub fn completions(shell: clap_complete::Shell) -> Result<(), Failure> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "vrvq", &mut text);
    print(String::from_utf8_lossy(&text).trim_end())
}

/// Writes a page for the program and for each command into `folder`, which is made where it is missing.
///
/// # Errors
/// Where the folder can't be written to.
pub fn pages(folder: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(folder).map_err(|error| Failure::writing(folder, error))?;
    let mut command = Cli::command();
    command.build();
    page(&command, folder)
}

/// The page of a command and those of the commands below it.
fn page(command: &Command, folder: &Path) -> Result<(), Failure> {
    let name = command.get_display_name().unwrap_or(command.get_name()).to_owned();
    let path = folder.join(format!("{name}.1"));
    let failed = |error| Failure::writing(&path, error);
    let mut text = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut text).map_err(failed)?;
    let mut output = Output::create(&path).map_err(failed)?;
    output.write_all(&text).map_err(failed)?;
    output.finish().map_err(failed)?;
    let below = command.get_subcommands().filter(|below| below.get_name() != "help");
    below.into_iter().try_for_each(|below| page(below, folder))
}
