//! ONNX Runtime out of its Python package: one shared library, put into the app's data folder.

use super::shell;
use super::system::{self, Need};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The app asks for version 24 of the interface, which came with 1.24.
const PACKAGE: &str = "onnxruntime>=1.24,<2";

#[cfg(target_os = "windows")]
const LIBRARY: &str = "onnxruntime.dll";
#[cfg(target_os = "macos")]
const LIBRARY: &str = "libonnxruntime.dylib";
#[cfg(not(any(target_os = "windows", target_os = "macos")))]
const LIBRARY: &str = "libonnxruntime.so";

fn target() -> Result<PathBuf> {
    let dirs = directories::ProjectDirs::from("org", "VRVQ", "VRVQ live").context("this user has no home folder")?;
    Ok(dirs.data_dir().join("runtime").join(LIBRARY))
}

/// The library, where it was fetched.
pub fn installed() -> Option<PathBuf> {
    target().ok().filter(|path| path.is_file())
}

/// Fetches the library; replaces an older one only when the new one is whole.
pub fn fetch() -> Result<()> {
    if !super::python::has_venv() {
        system::install(&[Need::Test])?;
    }
    let folder = Path::new("target/onnxruntime");
    let _ = std::fs::remove_dir_all(folder);
    std::fs::create_dir_all(folder)?;
    let environment = super::python::environment("venv-runtime", Path::new("xtask/requirements-none.txt"))?;
    let mut pip = Command::new(&environment);
    pip.args(["-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", "-d"]).arg(folder).arg(PACKAGE);
    shell::run(&mut pip)?;
    let wheel = find(folder, |name| name.ends_with(".whl")).context("pip downloaded no wheel")?;
    shell::run(Command::new(&environment).args(["-m", "zipfile", "-e"]).arg(&wheel).arg(folder))?;
    let stem = LIBRARY.split('.').next().unwrap_or(LIBRARY);
    let library = find(&folder.join("onnxruntime/capi"), |name| {
        name.starts_with(stem)
            && !name.contains("providers")
            && (name.contains(".so") || name.ends_with("lib") || name.ends_with(".dll"))
    });
    let Some(library) = library else { bail!("{} holds no {LIBRARY}", wheel.display()) };
    let target = target()?;
    let place = target.parent().context("the data folder has no parent")?;
    std::fs::create_dir_all(place)?;
    let new = place.join(format!("{LIBRARY}.new"));
    std::fs::copy(&library, &new)?;
    std::fs::rename(&new, &target)?;
    let version =
        wheel.file_name().and_then(|name| name.to_str()).and_then(|name| name.split('-').nth(1)).unwrap_or("?");
    println!("ONNX Runtime {version} is now in {}; the app and the plug-ins find it there.", target.display());
    Ok(())
}

fn find(folder: &Path, wanted: impl Fn(&str) -> bool) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    let mut found: Vec<_> =
        entries.filter(|path| path.file_name().and_then(|n| n.to_str()).is_some_and(&wanted)).collect();
    found.sort();
    found.pop()
}
