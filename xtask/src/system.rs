//! System packages: which are needed for what, which are missing, and how to get them.

use super::shell;
use anyhow::Result;
use std::process::Command;

/// What the packages are needed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// To compile.
    Build,
    /// To open a window.
    Window,
    /// To fetch Python packages.
    Python,
    /// To run the tests.
    Test,
    /// To run the tests of GPUs.
    Vulkan,
    /// To build for Windows and run that.
    Windows,
}

/// Debian's name of each package, what for, and why.
const PACKAGES: &[(&str, Need, &str)] = &[
    ("pkg-config", Need::Build, "finds the sound libraries"),
    ("libasound2-dev", Need::Build, "sound devices (ALSA)"),
    ("libjack-jackd2-dev", Need::Build, "sound through a JACK server"),
    ("libgl1", Need::Window, "draws the window (OpenGL)"),
    ("libegl1", Need::Window, "draws the window (OpenGL)"),
    ("libx11-6", Need::Window, "windows under X11"),
    ("libx11-xcb1", Need::Window, "windows under X11"),
    ("libxcursor1", Need::Window, "mouse pointers under X11"),
    ("libxi6", Need::Window, "input under X11"),
    ("libxrandr2", Need::Window, "screens under X11"),
    ("libxkbcommon0", Need::Window, "keyboards"),
    ("libxkbcommon-x11-0", Need::Window, "keyboards under X11"),
    ("libwayland-client0", Need::Window, "windows under Wayland"),
    ("libwayland-egl1", Need::Window, "windows under Wayland"),
    ("libgl1-mesa-dri", Need::Test, "draws windows without a graphics card"),
    ("xvfb", Need::Test, "a screen for the plug-in's window to be tested on"),
    ("jackd2", Need::Test, "a JACK server for the app to be tested on"),
    ("dbus", Need::Test, "a bus for a screen reader to read the windows by"),
    ("at-spi2-core", Need::Test, "what screen readers ask"),
    ("python3-pyatspi", Need::Test, "how they ask"),
    ("libvulkan1", Need::Vulkan, "finds the drivers of GPUs"),
    ("mingw-w64", Need::Windows, "compiles for Windows"),
    ("wine64", Need::Windows, "runs Windows' programs"),
    ("wine", Need::Windows, "runs Windows' programs"),
    ("python3-venv", Need::Python, "fetches ONNX Runtime, and the Python host that the VST3 is tested in"),
];

fn is_debian() -> bool {
    shell::succeeds("dpkg-query", &["--version"]) && shell::succeeds("apt-get", &["--version"])
}

/// Whether what a package is needed for is here, whoever brought it.
fn is_installed(package: &str) -> bool {
    match package {
        "pkg-config" => shell::succeeds("pkg-config", &["--version"]),
        "libasound2-dev" => shell::succeeds("pkg-config", &["--exists", "alsa"]),
        // There are two of them, which exclude each other.
        "libjack-jackd2-dev" => shell::succeeds("pkg-config", &["--exists", "jack"]),
        "python3-venv" => super::python::has_venv(),
        _ => {
            let output = Command::new("dpkg-query").args(["-W", "-f=${Status}", package]).output();
            output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("install ok installed"))
        }
    }
}

/// Installs the missing packages for `needs` where apt can; elsewhere names what is needed and goes on.
pub fn install(needs: &[Need]) -> Result<()> {
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    let needed = PACKAGES.iter().filter(|(_, need, _)| needs.contains(need));
    if !is_debian() {
        println!("This isn't Debian or Ubuntu, so nothing is installed. Needed, by Debian's names:");
        needed.for_each(|(package, _, why)| println!("  {package}: {why}"));
        return Ok(());
    }
    let missing: Vec<_> = needed.filter(|(package, ..)| !is_installed(package)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    println!("Missing system packages, to be installed with apt-get:");
    missing.iter().for_each(|(package, _, why)| println!("  {package}: {why}"));
    // Somebody else's broken source needn't stop what the others have.
    if let Err(error) = apt(&["update", "-q"]) {
        println!("{error:#}; going on with the package lists that are here");
    }
    let mut arguments = vec!["install", "-q", "-y", "--no-install-recommends"];
    arguments.extend(missing.iter().map(|(package, ..)| *package));
    apt(&arguments)
}

fn apt(arguments: &[&str]) -> Result<()> {
    let root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.starts_with(b"0"));
    // sudo drops the environment, so it is set behind it.
    let mut command = Command::new(if root { "env" } else { "sudo" });
    if !root {
        command.arg("env");
    }
    shell::run(command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]).args(arguments))
}
