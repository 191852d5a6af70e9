//! SwiftShader, a driver for Vulkan that computes on the processor: a GPU to test on, where there is none.
//!
//! Debian's Chromium brings it along, so its package is taken apart; nothing of it is installed. Debian 12's own one
//! (Mesa's lavapipe) lacks what WebGPU asks for.

use super::shell;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Names the drivers' descriptions to Vulkan's loader.
pub const VARIABLE: &str = "VK_ICD_FILENAMES";

const PACKAGES: [&str; 2] = ["chromium", "chromium-common"];
const DESCRIPTION: &str = "vk_swiftshader_icd.json";
const DRIVER: &str = "libvk_swiftshader.so";

/// What a process is told so that its GPU vanishes: a driver in front of the software GPU's, built here
/// (`tests/vanishing-gpu`), and the file that makes it lose the GPU, which isn't there yet.
///
/// # Errors
/// Where the software GPU can't be downloaded or the driver can't be built.
pub fn vanishing() -> Result<[(&'static str, PathBuf); 3]> {
    let driver = fetch()?.with_file_name(DRIVER);
    shell::run(&mut shell::cargo_command(&["build", "--package", "vanishing-gpu"]))?;
    let library = Path::new("target/debug/libvanishing_gpu.so").canonicalize()?;
    let folder = Path::new("target/vanishing-gpu");
    std::fs::create_dir_all(folder)?;
    let folder = folder.canonicalize()?;
    let description = folder.join("icd.json");
    let icd = serde_json::json!({ "library_path": library, "api_version": "1.3.0" });
    std::fs::write(&description, serde_json::json!({ "file_format_version": "1.0.0", "ICD": icd }).to_string())?;
    let gone = folder.join("gone");
    if gone.exists() {
        std::fs::remove_file(&gone)?;
    }
    Ok([(VARIABLE, description), ("VRVQ_GPU_DRIVER", driver), ("VRVQ_GPU_GONE", gone)])
}

/// The driver's description, downloaded where it isn't here yet.
///
/// # Errors
/// Where the package can't be downloaded or holds no driver.
pub fn fetch() -> Result<PathBuf> {
    let folder = Path::new("target/swiftshader");
    let description = folder.join(DESCRIPTION);
    if description.is_file() && folder.join(DRIVER).is_file() {
        return Ok(description.canonicalize()?);
    }
    let unpacked = folder.join("unpacked");
    std::fs::create_dir_all(&unpacked)?;
    shell::run(Command::new("apt-get").args(["download", "-q"]).args(PACKAGES).current_dir(folder))
        .context("the software GPU comes with Debian's Chromium, which can't be downloaded")?;
    for file in std::fs::read_dir(folder)?.flatten().map(|entry| entry.path()) {
        if file.extension().is_some_and(|extension| extension == "deb") {
            shell::run(Command::new("dpkg-deb").arg("-x").args([&file, &unpacked]))?;
            std::fs::remove_file(&file)?;
        }
    }
    for name in [DRIVER, DESCRIPTION] {
        let from = unpacked.join("usr/lib/chromium").join(name);
        std::fs::copy(&from, folder.join(name)).with_context(|| format!("{} can't be copied", from.display()))?;
    }
    std::fs::remove_dir_all(&unpacked)?;
    Ok(description.canonicalize()?)
}
