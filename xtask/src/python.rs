//! Python, for test hosts and for fetching packages only; nothing a user runs needs it.

use super::shell;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

/// PyTorch without CUDA.
const TORCH_INDEX: &str = "https://download.pytorch.org/whl/cpu";

/// Whether a Python that makes virtual environments is here.
pub fn has_venv() -> bool {
    shell::succeeds("python3", &["-c", "import venv, ensurepip"])
}

/// The Python of a virtual environment in `target/` that holds pip and what the file `requirements` asks for.
pub fn environment(name: &str, requirements: Option<&str>) -> Result<PathBuf> {
    let folder = Path::new("target").join(name);
    let python = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    if !python.exists() {
        shell::run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    }
    if let Some(requirements) = requirements {
        install(&python, requirements)?;
    }
    Ok(python)
}

/// Installs what the file `requirements` asks for and isn't there.
pub fn install(python: &Path, requirements: &str) -> Result<()> {
    shell::run(pip(python).args(["-r", requirements]))
}

/// Installs the PyTorch packages of `requirements` for the processor alone where PyTorch's own index can be reached; elsewhere
/// that of PyPI will come, which on Linux brings CUDA's libraries: 5 GB in place of 1.
pub fn install_torch(python: &Path, requirements: &str) -> Result<()> {
    let lines = std::fs::read_to_string(requirements).with_context(|| format!("{requirements} can't be read"))?;
    let wanted = lines.lines().filter(|line| line.starts_with("torch"));
    let mut command = pip(python);
    command.args(["--retries", "0", "--timeout", "15", "--index-url", TORCH_INDEX]).args(wanted);
    if let Err(error) = shell::run(&mut command) {
        println!("{error:#}; PyPI's PyTorch in its place");
    }
    Ok(())
}

/// Without its cache, which keeps everything a second time: 3 GB for PyTorch with CUDA's libraries, and a disk was full.
fn pip(python: &Path) -> Command {
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-cache-dir"]);
    pip
}
