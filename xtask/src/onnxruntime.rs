//! ONNX Runtime out of its Python package: its shared library, and those of its GPU providers, put into the app's data
//! folder.

use super::system::{self, Need};
use super::{gpu, shell};
use anyhow::{Context, Result};
use installer::RUNTIME as LIBRARY;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Names the runtime that a process uses: a path, or `builtin`.
pub const VARIABLE: &str = "VRVQ_ONNXRUNTIME";

/// The app asks for version 24 of the interface, which came with 1.24.
pub const PACKAGE: &str = "onnxruntime==1.32.0";

/// The last one with WebGPU.
pub const WEBGPU_PACKAGE: &str = "onnxruntime-webgpu==1.27.0";

/// What a library computes on beside the processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Processor,
    /// NVIDIA's GPUs.
    Cuda,
    /// Any GPU.
    WebGpu,
}

/// A Python that this version has packages for; they differ in the bindings only, which aren't used.
const PYTHON_VERSION: &str = "3.12";

/// What is found in a package, in a folder of the build's.
pub struct Download {
    pub library: PathBuf,
    /// Libraries that it loads for GPUs.
    pub providers: Vec<PathBuf>,
    /// Its licence and those of what it is made of.
    pub licences: Vec<PathBuf>,
    pub version: String,
}

/// The library, where it was fetched.
pub fn installed() -> Option<PathBuf> {
    installer::runtime_place().ok().filter(|path| path.is_file())
}

/// Downloads the library for this machine, by pip and as pip is set up here.
pub fn download(package: &str) -> Result<Download> {
    system::install(&[Need::Python])?;
    let folder = Path::new("target/onnxruntime");
    let _ = std::fs::remove_dir_all(folder);
    std::fs::create_dir_all(folder)?;
    let python = super::python::environment("venv-runtime", None)?;
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"]);
    shell::run(pip.args(["--python-version", PYTHON_VERSION, "-d"]).arg(folder).arg(package))?;
    let wheel = find(folder, |name| name.ends_with(".whl")).max().context("pip downloaded no wheel")?;
    shell::run(Command::new(&python).args(["-m", "zipfile", "-e"]).arg(&wheel).arg(folder))?;
    let stem = LIBRARY.split('.').next().unwrap_or(LIBRARY);
    let is_library = |name: &str| name.contains(".so") || name.ends_with(".dylib") || name.ends_with(".dll");
    let is_provider = |name: &str| is_library(name) && name.contains("providers");
    let capi = folder.join("onnxruntime/capi");
    let library = find(&capi, |name| is_library(name) && name.starts_with(stem) && !is_provider(name)).max();
    let providers = find(&capi, is_provider).collect();
    let licences =
        find(&folder.join("onnxruntime"), |name| ["LICENSE", "ThirdPartyNotices.txt"].contains(&name)).collect();
    let library = library.with_context(|| format!("{} holds no {LIBRARY}", wheel.display()))?;
    let name = wheel.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    Ok(Download { library, providers, licences, version: name.split('-').nth(1).unwrap_or("?").to_owned() })
}

/// Puts the library where the app and the plug-ins look; replaces an older one only when the new one is whole.
/// What it loads for GPUs comes beside it.
///
/// # Errors
/// Where nothing can be downloaded or written; for CUDA, where there is no driver, before anything is downloaded.
pub fn fetch(kind: Kind) -> Result<()> {
    let package = match kind {
        Kind::Processor => PACKAGE,
        Kind::Cuda => {
            gpu::check()?;
            gpu::PACKAGE
        }
        Kind::WebGpu => WEBGPU_PACKAGE,
    };
    let Download { library, providers, version, .. } = download(package)?;
    let target = installer::runtime_place()?;
    let place = target.parent().context("the data folder has no parent")?;
    std::fs::create_dir_all(place).with_context(|| format!("{} can't be made", place.display()))?;
    for provider in &providers {
        let to = place.join(provider.file_name().unwrap_or_default());
        std::fs::copy(provider, &to).with_context(|| format!("{} can't be written", to.display()))?;
    }
    let new = place.join(format!("{LIBRARY}.new"));
    std::fs::copy(&library, &new).with_context(|| format!("{} can't be written", new.display()))?;
    std::fs::rename(&new, &target).with_context(|| format!("{} can't be replaced", target.display()))?;
    println!("ONNX Runtime {version} is now in {}; the app and the plug-ins find it there.", target.display());
    match kind {
        Kind::Processor => {}
        Kind::Cuda => println!("{}", gpu::advice()),
        Kind::WebGpu => println!("\"vrvq devices\" tells whether a GPU works; on Linux it takes a driver for Vulkan."),
    }
    Ok(())
}

/// Fetches the library unless there is one, or the user has named one. Where that fails it is said and all goes on: the
/// runtime built in is a little slower, but whole.
pub fn ensure() {
    if std::env::var_os(VARIABLE).is_some() || installed().is_some() {
        return;
    }
    if let Err(error) = fetch(Kind::Processor) {
        println!("{error:#}; app and plug-ins run by the built-in runtime");
    }
}

fn find(folder: &Path, wanted: impl Fn(&str) -> bool) -> impl Iterator<Item = PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.filter(move |path| path.file_name().and_then(|name| name.to_str()).is_some_and(&wanted))
}
