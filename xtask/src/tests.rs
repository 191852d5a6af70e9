//! Every test: Rust's, then hosts that nobody here wrote.

use super::shell::{self, cargo_command};
use super::system::{self, Need};
use super::{onnxruntime, python};
use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

/// Tests counted from what the runners print.
#[derive(Default)]
struct Tally {
    passed: u32,
    failed: u32,
}

/// Installs, builds, runs all, and closes with a line that counts.
pub fn run() -> Result<()> {
    system::install(&[Need::Build, Need::Window, Need::Test])?;
    let mut tally = Tally::default();
    // Only this package: with the whole workspace, features would unify and the bundle below build everything again.
    let mut ok = counted(&mut cargo_command(&["test", "-p", "vrvq", "--no-fail-fast"]), &mut tally)?;
    // The development profile: its assertions watch the audio thread for allocations inside the hosts too.
    nice_plug_xtask::main_with_args("cargo xtask", ["bundle", "vrvq"].map(String::from))?;
    let python = python::environment("venv-hosts", Path::new("tests/hosts/requirements.txt"))?;
    ok &= counted(Command::new(&python).args(["-m", "pytest", "-q", "tests/hosts"]), &mut tally)?;
    ok &= with_onnx_runtime(&mut tally)?;
    println!("{} passed, {} failed", tally.passed, tally.failed);
    if !ok || tally.failed > 0 {
        bail!("tests failed");
    }
    Ok(())
}

/// The model's tests once more on the other runtime.
fn with_onnx_runtime(tally: &mut Tally) -> Result<bool> {
    if onnxruntime::installed().is_none() {
        onnxruntime::fetch()?;
    }
    let library = onnxruntime::installed().context("ONNX Runtime was fetched but isn't there")?;
    let mut command = cargo_command(&["test", "--test", "streaming", "--test", "live_loop"]);
    counted(command.env("VRVQ_ONNXRUNTIME", library), tally)
}

/// Runs a test runner, shows what it prints, and adds its counts up; true where it succeeded.
fn counted(command: &mut Command, tally: &mut Tally) -> Result<bool> {
    let shown = shell::show(command);
    println!("\n> {shown}");
    let mut child = command.stdout(Stdio::piped()).spawn().with_context(|| format!("{shown} can't be started"))?;
    let output = child.stdout.take().context("a piped output is there")?;
    for line in BufReader::new(output).lines() {
        let line = line?;
        println!("{line}");
        let words: Vec<&str> = line.split([' ', ';', ',']).filter(|word| !word.is_empty()).collect();
        let is_summary = line.starts_with("test result:")
            || (line.contains(" in ") && line.contains("passed"))
            || line.contains(" failed,");
        if is_summary {
            for pair in words.windows(2) {
                let count = pair[0].parse().unwrap_or(0);
                match pair[1] {
                    "passed" => tally.passed += count,
                    "failed" => tally.failed += count,
                    _ => {}
                }
            }
        }
    }
    Ok(child.wait()?.success())
}
