//! App, plug-ins and ONNX Runtime, built here and installed for this user.

use super::onnxruntime;
use super::shell::{self, cargo_command};
use anyhow::{Context, Result};
use installer::Made;
use std::path::{Path, PathBuf};

/// Builds all in release and installs it.
///
/// # Errors
/// Where something can't be built or written.
pub fn run() -> Result<()> {
    build()?;
    installer::install(&made(), &programs()?)?;
    onnxruntime::ensure();
    Ok(())
}

/// Removes what [`run`] has installed.
///
/// # Errors
/// Where something can't be removed.
pub fn remove() -> Result<()> {
    installer::remove(&made(), &programs()?)
}

/// App and plug-ins in release.
pub fn build() -> Result<()> {
    nice_plug_xtask::main_with_args("cargo xtask", ["bundle", "vrvq", "--release"].map(String::from))?;
    shell::run(&mut cargo_command(&["build", "--release", "--package", "vrvq", "--bin", "vrvq"]))
}

/// Where they are then.
pub fn made() -> Made {
    Made {
        app: Path::new("target/release").join(installer::app_file()),
        clap: PathBuf::from("target/bundled/vrvq.clap"),
        vst3: PathBuf::from("target/bundled/vrvq.vst3"),
        icon: PathBuf::from("assets/icon.svg"),
        runtime: None,
    }
}

/// Where cargo itself puts programs, so that the shell finds them.
fn programs() -> Result<PathBuf> {
    let home = directories::BaseDirs::new().context("this user has no home folder")?;
    let cargo = std::env::var_os("CARGO_HOME").map_or_else(|| home.home_dir().join(".cargo"), PathBuf::from);
    Ok(cargo.join("bin"))
}
