//! ONNX Runtime out of its Python package: one shared library, put into the app's data folder.

use super::shell;
use super::system::{self, Need};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The app asks for version 24 of the interface, which came with 1.24.
const PACKAGE: &str = "onnxruntime==1.32.0";

/// A Python that this version has packages for; they differ in the bindings only, which aren't used.
const PYTHON_VERSION: &str = "3.12";

#[cfg(target_os = "windows")]
const LIBRARY: &str = "onnxruntime.dll";
#[cfg(target_os = "macos")]
const LIBRARY: &str = "libonnxruntime.dylib";
#[cfg(not(any(target_os = "windows", target_os = "macos")))]
const LIBRARY: &str = "libonnxruntime.so";

/// A library in a folder of the build's.
pub struct Download {
    pub library: PathBuf,
    pub version: String,
}

fn target() -> Result<PathBuf> {
    let dirs = directories::ProjectDirs::from("org", "VRVQ", "VRVQ live").context("this user has no home folder")?;
    Ok(dirs.data_dir().join("runtime").join(LIBRARY))
}

/// The library, where it was fetched.
pub fn installed() -> Option<PathBuf> {
    target().ok().filter(|path| path.is_file())
}

/// Downloads the library for this machine, by pip and as pip is set up here.
pub fn download() -> Result<Download> {
    system::install(&[Need::Python])?;
    let folder = Path::new("target/onnxruntime");
    let _ = std::fs::remove_dir_all(folder);
    std::fs::create_dir_all(folder)?;
    let python = super::python::environment("venv-runtime", None)?;
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"]);
    shell::run(pip.args(["--python-version", PYTHON_VERSION, "-d"]).arg(folder).arg(PACKAGE))?;
    let wheel = find(folder, |name| name.ends_with(".whl")).context("pip downloaded no wheel")?;
    shell::run(Command::new(&python).args(["-m", "zipfile", "-e"]).arg(&wheel).arg(folder))?;
    let stem = LIBRARY.split('.').next().unwrap_or(LIBRARY);
    let library = find(&folder.join("onnxruntime/capi"), |name| {
        let is_library = name.contains(".so") || name.ends_with(".dylib") || name.ends_with(".dll");
        is_library && name.starts_with(stem) && !name.contains("providers")
    });
    let library = library.with_context(|| format!("{} holds no {LIBRARY}", wheel.display()))?;
    let name = wheel.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    Ok(Download { library, version: name.split('-').nth(1).unwrap_or("?").to_owned() })
}

/// Puts the library where the app and the plug-ins look; replaces an older one only when the new one is whole.
pub fn fetch() -> Result<()> {
    let Download { library, version } = download()?;
    let target = target()?;
    let place = target.parent().context("the data folder has no parent")?;
    std::fs::create_dir_all(place).with_context(|| format!("{} can't be made", place.display()))?;
    let new = place.join(format!("{LIBRARY}.new"));
    std::fs::copy(&library, &new).with_context(|| format!("{} can't be written", new.display()))?;
    std::fs::rename(&new, &target).with_context(|| format!("{} can't be replaced", target.display()))?;
    println!("ONNX Runtime {version} is now in {}; the app and the plug-ins find it there.", target.display());
    Ok(())
}

fn find(folder: &Path, wanted: impl Fn(&str) -> bool) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    let is_wanted = |path: &PathBuf| path.file_name().and_then(|name| name.to_str()).is_some_and(&wanted);
    entries.filter(is_wanted).max()
}
