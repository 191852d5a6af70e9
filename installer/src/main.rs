//! Installs what lies beside it, for this user: the part of a package that is to be run.

use anyhow::{Context, Result, bail};
use installer::Made;
use std::io::{self, IsTerminal, Read};
use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let done = run();
    let code = match &done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    };
    // A console that Windows has opened for a double click would be gone before it is read.
    if cfg!(windows) && io::stdin().is_terminal() && std::env::args_os().len() == 1 {
        println!("Enter closes this window.");
        let _ = io::stdin().read(&mut [0]);
    }
    code
}

fn run() -> Result<()> {
    let own = std::env::current_exe().context("this program can't find itself")?;
    let made = Made::in_package(own.parent().context("this program lies in no folder")?);
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => installer::install(&made, &programs()?),
        ["--remove"] => installer::remove(&made, &programs()?),
        _ => bail!(
            "install puts what lies beside it where this user's hosts and shell find it; install --remove takes it away"
        ),
    }
}

/// Where programs of one user are, by the customs of each system.
fn programs() -> Result<PathBuf> {
    let home = directories::BaseDirs::new().context("this user has no home folder")?;
    Ok(if cfg!(windows) {
        home.data_local_dir().join("Programs/VRVQ live")
    } else {
        home.executable_dir().map_or_else(|| home.home_dir().join(".local/bin"), PathBuf::from)
    })
}
