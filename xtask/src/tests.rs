//! Every test: Rust's on both runtimes and hosts that nobody here wrote; training's in Python where asked for by name, since
//! PyTorch takes gigabytes that a user of the program needs for nothing else.

use super::onnxruntime::VARIABLE as RUNTIME;
use super::shell::{self, cargo_command};
use super::system::{self, Need};
use super::{onnxruntime, python, software_gpu, validators, windows};
use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

/// What training's tests need of Python: wheels only, so no compiler and no headers.
const TRAINING: &str = "training/tests/requirements.txt";

/// Tests counted from what the runners print.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Tally {
    passed: u32,
    failed: u32,
}

type Step = fn(&mut Tally) -> Result<()>;

/// Steps that run only where they are asked for.
const BY_NAME: [&str; 4] = ["training", "gpu", "windows", "validators"];

/// Installs what is missing, builds, runs all steps or the one named `only`, and closes with a line that counts.
pub fn run(only: Option<&str>) -> Result<()> {
    build_once();
    let mut tally = Tally::default();
    let steps: [(&str, Step); 10] = [
        ("system packages", |_| system::install(&[Need::Build, Need::Window, Need::Python, Need::Test])),
        ("Rust tests", rust),
        ("the library alone", |_| library()),
        ("plug-ins", |_| bundle()),
        ("plug-in hosts", hosts),
        ("ONNX Runtime", with_onnx_runtime),
        ("training", training),
        ("gpu", gpu),
        ("windows", on_windows),
        ("validators", in_validators),
    ];
    let is_chosen = |name: &str| only.map_or(!BY_NAME.contains(&name), |only| only == name);
    if !steps.iter().any(|(name, _)| is_chosen(name)) {
        bail!("there is no step of that name; the steps are: {}", steps.map(|(name, _)| name).join(", "));
    }
    for (name, step) in steps.into_iter().filter(|(name, _)| is_chosen(name)) {
        let before = tally.failed;
        if let Err(error) = step(&mut tally) {
            eprintln!("{name}: {error:#}");
            // A step that breaks off is a failure, even where no test was counted.
            tally.failed = tally.failed.max(before + 1);
        }
    }
    println!("{} passed, {} failed", tally.passed, tally.failed);
    // Without another word: the count is the last line.
    if tally.failed > 0 {
        std::process::exit(1);
    }
    Ok(())
}

/// Without what only a next build would read: the library alone took 289 s of processor time instead of 344 (one build each, with
/// other work beside) and writes 0.4 GB less. Who builds again and again sets `CARGO_INCREMENTAL=1`, or calls cargo itself.
fn build_once() {
    const INCREMENTAL: &str = "CARGO_INCREMENTAL";
    if std::env::var_os(INCREMENTAL).is_none() {
        // SAFETY: no other thread runs yet.
        unsafe { std::env::set_var(INCREMENTAL, "0") };
    }
}

/// The program apart from its tools: together they would ask for other features and build every library once more.
fn rust(tally: &mut Tally) -> Result<()> {
    let own = counted(cargo_command(&["test", "--no-fail-fast"]).env(RUNTIME, "builtin"), tally);
    counted(&mut cargo_command(&["test", "--package", "xtask", "--package", "installer"]), tally).and(own)
}

/// Without its features the library compiles, and asks for nothing of a plug-in, a window or a sound device.
fn library() -> Result<()> {
    let tree = ["tree", "--no-default-features", "--edges", "normal,build", "--prefix", "none"];
    let tree = cargo_command(&tree).output().context("cargo tree can't be started")?;
    let names = String::from_utf8_lossy(&tree.stdout);
    let unwanted = ["alsa", "cpal", "jack", "x11", "nice-plug", "egui", "eframe", "winit", "clap", "symphonia"];
    let found = |name: &&str| unwanted.iter().any(|unwanted| name.starts_with(unwanted));
    if let Some(name) = names.lines().find(found) {
        bail!("the library asks for {name} without its features");
    }
    shell::run(&mut cargo_command(&["check", "--no-default-features", "--lib"]))
}

/// The development profile: its assertions watch the audio thread for allocations inside the hosts too.
fn bundle() -> Result<()> {
    nice_plug_xtask::main_with_args("cargo xtask", ["bundle", "vrvq"].map(String::from))
}

fn hosts(tally: &mut Tally) -> Result<()> {
    let python = python::environment("venv-hosts", Some("tests/hosts/requirements.txt"))?;
    // One after the other they leave half of two cores idle.
    let mut pytest = Command::new(&python);
    pytest.args(["-m", "pytest", "-q", "--numprocesses", "auto", "tests/hosts"]);
    counted(pytest.env(RUNTIME, "builtin"), tally)
}

/// The model's and the loop's tests once more on the other runtime.
fn with_onnx_runtime(tally: &mut Tally) -> Result<()> {
    let library = match onnxruntime::installed() {
        Some(library) => library,
        None => onnxruntime::download(onnxruntime::PACKAGE)?.library,
    };
    let library = library.canonicalize().with_context(|| format!("{} can't be found", library.display()))?;
    let command = [
        "test",
        "--no-fail-fast",
        "--test",
        "streaming",
        "--test",
        "live_loop",
        "--test",
        "silence",
        "--test",
        "sharing",
        "--test",
        "loading",
        "--test",
        "memory",
    ];
    let loops = counted(cargo_command(&command).env(RUNTIME, &library), tally);
    let quiet = ["test", "--test", "privacy", "--", "--ignored"];
    counted(cargo_command(&quiet).env(RUNTIME, &library), tally).and(loops)
}

/// Streams on a GPU through WebGPU. On Linux the processor plays it, unless `VK_ICD_FILENAMES` names the driver of a real
/// one; there one also vanishes.
fn gpu(tally: &mut Tally) -> Result<()> {
    system::install(&[Need::Build, Need::Python, Need::Vulkan])?;
    let library = onnxruntime::download(onnxruntime::WEBGPU_PACKAGE)?.library.canonicalize()?;
    let mut test = cargo_command(&["test", "--test", "gpu", "--", "--ignored"]);
    test.env(RUNTIME, &library);
    if !cfg!(target_os = "linux") {
        return counted(&mut test, tally);
    }
    if std::env::var_os(software_gpu::VARIABLE).is_none() {
        test.env(software_gpu::VARIABLE, software_gpu::fetch()?);
    }
    let streams = counted(&mut test, tally);
    let mut vanishing = cargo_command(&["test", "--test", "gpu_vanishes", "--", "--ignored"]);
    vanishing.env(RUNTIME, &library).envs(software_gpu::vanishing()?);
    counted(&mut vanishing, tally).and(streams)
}

/// As programs of Windows', under Wine; those of a JACK server, of signals and of a small disk are Unix's and left out.
fn on_windows(tally: &mut Tally) -> Result<()> {
    let mut test = cargo_command(&["test", "--no-fail-fast", "--target", windows::TARGET]);
    counted(test.envs(windows::prepare()?).env(RUNTIME, "builtin"), tally)
}

/// In the development profile, so that an allocation on the audio thread aborts in them as well. Each counts as one test.
fn in_validators(tally: &mut Tally) -> Result<()> {
    system::install(&[Need::Build, Need::Window, Need::Test])?;
    bundle()?;
    tally.passed += validators::run()?;
    Ok(())
}

/// Python's, with PyTorch: a few steps on the processor, and the model file as PyTorch computes it.
fn training(tally: &mut Tally) -> Result<()> {
    let python = python::environment("venv-training", None)?;
    python::install_torch(&python, TRAINING)?;
    python::install(&python, TRAINING)?;
    // One thread: the tests are small, and two of them start processes of their own.
    let mut pytest = Command::new(&python);
    pytest.args(["-m", "pytest", "-q", "training/tests"]).env("OMP_NUM_THREADS", "1");
    counted(&mut pytest, tally)
}

/// Runs a test runner, shows what it prints, and adds its counts up; an error where it fails.
fn counted(command: &mut Command, tally: &mut Tally) -> Result<()> {
    let shown = shell::show(command);
    println!("\n> {shown}");
    let mut child = command.stdout(Stdio::piped()).spawn().with_context(|| format!("{shown} can't be started"))?;
    let output = child.stdout.take().context("a piped output is there")?;
    for line in BufReader::new(output).lines() {
        let line = line?;
        println!("{line}");
        if let Some(counts) = counts(&line) {
            tally.passed += counts.passed;
            tally.failed += counts.failed;
        }
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("{shown} failed: {status}");
    }
    Ok(())
}

/// What a summary line of cargo's or pytest's test runner counts.
fn counts(line: &str) -> Option<Tally> {
    let cargos = line.starts_with("test result: ");
    let pytests = line.starts_with(|c: char| c.is_ascii_digit()) && line.contains(" in ");
    if !cargos && !pytests {
        return None;
    }
    let words: Vec<&str> = line.split([' ', ';', ',', '.']).filter(|word| !word.is_empty()).collect();
    let mut tally = Tally::default();
    for pair in words.windows(2) {
        let count = || pair[0].parse().unwrap_or(0);
        match pair[1] {
            "passed" => tally.passed += count(),
            "failed" | "error" | "errors" => tally.failed += count(),
            _ => {}
        }
    }
    Some(tally)
}

#[cfg(test)]
mod counting {
    use super::{Tally, counts};

    #[test]
    fn summaries_are_counted() {
        let tally = |passed, failed| Some(Tally { passed, failed });
        let cargos =
            "test result: FAILED. 12 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out; finished in 57.90s";
        assert_eq!(counts(cargos), tally(12, 3));
        assert_eq!(counts("2 failed, 31 passed, 1 warning in 12.34s"), tally(31, 2));
        assert_eq!(counts("31 passed in 0.50s"), tally(31, 0));
        assert_eq!(counts("37 passed in 65.25s (0:01:05)"), tally(37, 0));
        assert_eq!(counts("1 error in 0.10s"), tally(0, 1));
        assert_eq!(counts("running 9 tests"), None);
        assert_eq!(counts("test a_loop_has_passed in 3 steps"), None);
    }
}
