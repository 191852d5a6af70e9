//! What the program runs on keeps to itself. Only ONNX Runtime could do otherwise, so this asks for it by `VRVQ_ONNXRUNTIME`.

#[path = "common/program.rs"]
#[allow(dead_code, reason = "its command is for the runtime compiled in")]
mod program;

use program::{folder, text};
use std::path::{Path, PathBuf};
use std::process::Command;

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

#[test]
#[ignore = "needs ONNX Runtime"]
fn onnx_runtime_tells_nobody_what_it_runs() {
    let runtime = std::env::var_os("VRVQ_ONNXRUNTIME").expect("names ONNX Runtime's library");
    let (home, work) = (folder("privacy-home"), folder("privacy-work"));
    let mut program = Command::new(env!("CARGO_BIN_EXE_vrvq"));
    // It keeps quiet in CI by itself.
    for variable in ["CI", "ORT_DISABLE_TELEMETRY", "ORT_RUNNING_UNIT_TESTS", "XDG_CACHE_HOME", "XDG_DATA_HOME"] {
        program.env_remove(variable);
    }
    let clip = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/demo.flac");
    let coded = work.join("demo.vrvq");
    program.args(["encode", text(&clip), "--search", "latent", "-o", text(&coded)]);
    let output = program.env("HOME", &home).env("VRVQ_ONNXRUNTIME", runtime).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(coded.is_file());
    let mut left = Vec::new();
    files(&home, &mut left);
    assert!(left.is_empty(), "an identifier, or events that wait to be sent: {left:?}");
}
