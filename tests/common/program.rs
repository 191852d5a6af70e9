//! The program as its user runs it, and folders for its files.

use std::path::{Path, PathBuf};
use std::process::Command;

/// An empty folder of that name for one test.
pub fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a temporary folder");
    folder
}

/// The program with `arguments`, on the runtime compiled in.
pub fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vrvq"));
    command.env("VRVQ_ONNXRUNTIME", "builtin").args(arguments);
    command
}

/// A path as an argument.
pub fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}
