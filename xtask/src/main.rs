//! The project's commands: `cargo xtask run`, `install`, `package`, `test`, `bundle`, `runtime`, `bench`.
//!
//! They need nothing but Rust and a C compiler to start; what else is missing they install, or name.

mod gpu;
mod install;
mod licences;
mod onnxruntime;
mod package;
mod python;
mod shell;
mod software_gpu;
mod system;
mod tests;
mod validators;
mod windows;

use anyhow::{Context, Result, bail};
use onnxruntime::Kind;
use shell::cargo_command;
use system::Need;

const USAGE: &str = "\
cargo xtask run [-- ARGS]           install what is missing, ONNX Runtime too, build in release, open the app
cargo xtask install                 install what is missing, build in release, put app, plug-ins and ONNX Runtime where this
                                    user's shell and hosts find them; --remove takes them away
cargo xtask package                 all of that as an archive for users without Rust, in target/package
cargo xtask test [STEP]             install what is missing, build, run the tests (or the step; \"training\", \"gpu\", \"windows\",
                                    \"validators\" only so)
cargo xtask bundle vrvq [--release] make the CLAP and VST3 plug-ins in target/bundled
cargo xtask runtime [--gpu|--webgpu] fetch ONNX Runtime for this machine (the app runs without it, at somewhat more load);
                                    --gpu: the one for NVIDIA's GPUs (335 MB), and what else it takes;
                                    --webgpu: the one for any GPU by Vulkan, Direct3D 12 or Metal (25 MB)
cargo xtask bench                   measure each runtime on this machine";

fn main() -> Result<()> {
    let here = std::env::current_dir().context("the current folder is gone")?;
    nice_plug_xtask::chdir_workspace_root()?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let rest = arguments.get(1..).unwrap_or_default();
    match arguments.first().map(String::as_str) {
        Some("run") => {
            system::install(&[Need::Build, Need::Window])?;
            onnxruntime::ensure();
            let own = rest.iter().skip_while(|argument| *argument == "--");
            let mut app = cargo_command(&["run", "--release", "--package", "vrvq", "--bin", "vrvq", "--"]);
            // From where it was called, so that files can be named as they are seen from there.
            shell::run(app.args(own).current_dir(here))
        }
        Some("install") => match rest {
            [] => {
                system::install(&[Need::Build, Need::Window])?;
                install::run()
            }
            [remove] if remove == "--remove" => install::remove(),
            _ => bail!("install knows --remove and nothing else\n{USAGE}"),
        },
        Some("package") => {
            system::install(&[Need::Build])?;
            package::run()
        }
        Some("test") => tests::run(rest.first().map(String::as_str)),
        Some("runtime") => match rest {
            [] => onnxruntime::fetch(Kind::Processor),
            [gpu] if gpu == "--gpu" => onnxruntime::fetch(Kind::Cuda),
            [gpu] if gpu == "--webgpu" => onnxruntime::fetch(Kind::WebGpu),
            _ => bail!("runtime knows --gpu, --webgpu and nothing else\n{USAGE}"),
        },
        Some("bench") => {
            system::install(&[Need::Build])?;
            bench()
        }
        Some("bundle") if rest.is_empty() => {
            nice_plug_xtask::main_with_args("cargo xtask", ["bundle", "vrvq"].map(String::from))
        }
        Some("bundle" | "bundle-universal") => {
            system::install(&[Need::Build])?;
            nice_plug_xtask::main_with_args("cargo xtask", arguments.iter().cloned())
        }
        None | Some("help" | "--help" | "-h") => {
            println!("{USAGE}");
            Ok(())
        }
        Some(other) => bail!("there is no command {other}\n{USAGE}"),
    }
}

/// The benchmark of drawing, and that of the loop once for each runtime: a process can hold one only.
fn bench() -> Result<()> {
    shell::run(&mut cargo_command(&["bench", "--bench", "view"]))?;
    let bench = ["bench", "--bench", "live"];
    shell::run(cargo_command(&bench).env(onnxruntime::VARIABLE, "builtin"))?;
    match onnxruntime::installed() {
        Some(library) => shell::run(cargo_command(&bench).env(onnxruntime::VARIABLE, library)),
        None => {
            println!(
                "ONNX Runtime isn't here (cargo xtask runtime fetches it), so only the built-in runtime was measured."
            );
            Ok(())
        }
    }
}
