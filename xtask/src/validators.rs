//! Validators of plug-ins, which ask of them what hosts ask and more: free-audio's clap-validator, Steinberg's validator of VST3,
//! Tracktion's pluginval. No package registry has them: the first one is built from its source, which cargo can do; the
//! others run where they are found.

use super::shell::{self, cargo_command};
use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// Where clap-validator's source lies, and which of it is built.
const SOURCE: &str = "https://github.com/free-audio/clap-validator";
const REVISION: &str = "b2f1d9b79b1d264a5747f46707d72b1aa40a02ef";

/// Runs those that are here on the plug-ins in `target/bundled`; how many of them found nothing.
///
/// # Errors
/// Where one finds a fault, or clap-validator can't be built.
pub fn run() -> Result<u32> {
    let mut content = 0;
    let mut faults = Vec::new();
    let mut judge = |command: &mut Command| match shell::run(command) {
        Ok(()) => content += 1,
        Err(error) => faults.push(error.to_string()),
    };
    judge(Command::new(clap_validator()?).args(["validate", "target/bundled/vrvq.clap"]));
    match found("validator") {
        Some(validator) => judge(Command::new(validator).arg("target/bundled/vrvq.vst3")),
        None => println!("Not run: Steinberg's `validator` (of the VST 3 SDK) isn't in PATH."),
    }
    match found("pluginval") {
        Some(pluginval) => {
            let screen = Screen::open()?;
            let mut command = Command::new(pluginval);
            command.args(["--strictness-level", "10", "--validate", "target/bundled/vrvq.vst3"]);
            judge(command.envs(screen.as_ref().map(|screen| ("DISPLAY", &screen.name))));
        }
        None => println!("Not run: Tracktion's `pluginval` isn't in PATH."),
    }
    if !faults.is_empty() {
        bail!("{}", faults.join("; "));
    }
    Ok(content)
}

/// The program of that name in the folders of `PATH`.
fn found(name: &str) -> Option<PathBuf> {
    let name = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    std::env::split_paths(&std::env::var_os("PATH")?).map(|folder| folder.join(&name)).find(|path| path.is_file())
}

fn clap_validator() -> Result<PathBuf> {
    if let Some(path) = found("clap-validator") {
        return Ok(path);
    }
    let root = "target/validators";
    let install = ["install", "--git", SOURCE, "--rev", REVISION, "--root", root, "clap-validator"];
    shell::run(&mut cargo_command(&install)).context("clap-validator isn't in PATH and can't be built")?;
    Ok(PathBuf::from(root).join("bin").join(format!("clap-validator{}", std::env::consts::EXE_SUFFIX)))
}

/// A screen that nobody sees, where there is no other one.
struct Screen {
    name: String,
    server: Child,
}

impl Screen {
    fn open() -> Result<Option<Self>> {
        if !cfg!(target_os = "linux") || std::env::var_os("DISPLAY").is_some() {
            return Ok(None);
        }
        // It chooses a number that is free and says which.
        let mut server = Command::new("Xvfb");
        server.args(["-displayfd", "1"]).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut server = server.spawn().context("Xvfb can't be started")?;
        let mut number = String::new();
        BufReader::new(server.stdout.take().context("a piped output is there")?).read_line(&mut number)?;
        let screen = Self { name: format!(":{}", number.trim()), server };
        if number.trim().is_empty() {
            bail!("Xvfb ended without opening a screen");
        }
        Ok(Some(screen))
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // One that has ended already is no trouble.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
