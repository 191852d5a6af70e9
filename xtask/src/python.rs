//! Python, for test hosts and for fetching packages only; nothing a user runs needs it.

use super::shell;
use anyhow::Result;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Whether a Python that makes virtual environments is here.
pub fn has_venv() -> bool {
    shell::succeeds("python3", &["-c", "import venv, ensurepip"])
}

/// The Python of a virtual environment in `target/` that holds pip and what `requirements` asks for.
pub fn environment(name: &str, requirements: Option<&Path>) -> Result<PathBuf> {
    let folder = Path::new("target").join(name);
    let python = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    if !python.exists() {
        shell::run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    }
    if let Some(requirements) = requirements {
        let mut pip = Command::new(&python);
        pip.args(["-m", "pip", "install", "-q", "--disable-pip-version-check", "-r"]).arg(requirements);
        shell::run(&mut pip)?;
    }
    Ok(python)
}
