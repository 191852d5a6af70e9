//! Windows' programs on Linux: built with MinGW, run under Wine. Most hosts run on Windows, and what is built for it should be seen
//! running somewhere.

use super::shell;
use super::system::{self, Need};
use anyhow::{Context, Result};
use std::path::Path;
use std::process::Command;

/// What is built for.
pub const TARGET: &str = "x86_64-pc-windows-gnu";
/// Tells cargo what runs such programs.
const RUNNER: &str = "CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER";
/// A library that Wine before 9 lacks.
const RANDOM: &str = "xtask/wine/bcryptprimitives.rs";

/// Installs compiler and Wine where they are missing, and makes a Windows of its own in the build folder. What is to be set for
/// commands that run programs there.
///
/// # Errors
/// Where something can't be installed or built.
pub fn prepare() -> Result<[(&'static str, String); 3]> {
    system::install(&[Need::Build, Need::Windows])?;
    // A toolchain that doesn't come from rustup may have it, or says what is missing.
    if shell::succeeds("rustup", &["--version"]) {
        shell::run(Command::new("rustup").args(["target", "add", TARGET]))?;
    }
    let folder = Path::new("target/wine");
    std::fs::create_dir_all(folder)?;
    let prefix = folder.canonicalize()?.display().to_string();
    // Silent: it tells much about what no test needs, such as a screen.
    let environment = [(RUNNER, "wine".to_owned()), ("WINEPREFIX", prefix), ("WINEDEBUG", "-all".to_owned())];
    let libraries = folder.join("drive_c/windows/system32");
    if !libraries.is_dir() {
        shell::run(Command::new("wine").args(["wineboot", "--init"]).envs(environment.clone()))?;
    }
    let random = libraries.join("bcryptprimitives.dll");
    if !random.exists() {
        let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
        rustc.args([
            "--edition",
            "2024",
            "--target",
            TARGET,
            "--crate-type",
            "cdylib",
            "--crate-name",
            "bcryptprimitives",
        ]);
        shell::run(rustc.args(["-C", "panic=abort", "-C", "opt-level=2", "-o"]).arg(&random).arg(RANDOM))
            .context("the library that Wine lacks can't be built")?;
    }
    Ok(environment)
}
