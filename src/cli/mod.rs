//! The command line: `vrvq encode`, `decode`, `info` and so on; without a command, the app.
//!
//! Unix manners: standard output holds data and nothing else (what `info`, `bench` and `compare` find out is their
//! data); messages go to standard error, progress only where that is a terminal. Exit codes are those of
//! `Failure::code`. Files appear under their names when they are whole.

mod args;
mod batch;
mod bench;
mod compare;
mod decode;
mod delays;
mod encode;
mod failure;
mod figure;
mod import;
mod info;
mod manual;
mod measured;
mod model;
#[cfg(feature = "app")]
mod play;
mod progress;
mod target;

use crate::interrupt;
use crate::model::describe_devices;
#[cfg(feature = "app")]
use crate::standalone;
use args::{Cli, Command};
use clap::Parser;
use failure::Failure;
use std::process::ExitCode;
use std::time::Duration;

/// How long a program that was interrupted may take to end by itself; one that waits for a pipe wouldn't.
const PATIENCE: Duration = Duration::from_secs(2);

/// Runs the program with its arguments.
pub fn main() -> ExitCode {
    let Cli {
        command,
        #[cfg(feature = "app")]
        run,
    } = Cli::parse();
    let Some(command) = command else {
        #[cfg(feature = "app")]
        return standalone::main(&run);
        #[cfg(not(feature = "app"))]
        return without_app();
    };
    interrupt::watch(Some(PATIENCE));
    let result = match command {
        Command::Encode(args) => encode::run(&args),
        Command::Decode(args) => decode::run(&args),
        Command::Info(args) => info::run(&args),
        #[cfg(feature = "app")]
        Command::Play(args) => play::run(&args),
        Command::Import(args) => import::run(&args),
        Command::Delays(args) => delays::run(&args),
        Command::Devices => devices(),
        Command::Bench(args) => bench::run(&args),
        Command::Figure(args) => figure::run(&args),
        Command::Compare(args) => compare::run(&args),
        Command::Completions { shell } => manual::completions(shell),
        Command::Man { folder } => manual::pages(&folder),
    };
    let failure = match result {
        // An end that was asked for is one, even where everything came through in time.
        Ok(()) if interrupt::requested() => Failure::Interrupted,
        Ok(()) => return ExitCode::SUCCESS,
        Err(failure) => failure,
    };
    if let Some(text) = failure.text() {
        progress::warn(&text);
    }
    ExitCode::from(failure.code())
}

/// What there is to compute on, and to hear with.
fn devices() -> Result<(), Failure> {
    let inference = describe_devices();
    #[cfg(feature = "app")]
    let inference = format!("{inference}{}", standalone::describe_devices());
    failure::print(inference.trim_end())
}

/// What the program says that was built without its window.
#[cfg(not(feature = "app"))]
fn without_app() -> ExitCode {
    progress::warn("this build has no window and no sound; vrvq --help tells its commands");
    ExitCode::from(2)
}
