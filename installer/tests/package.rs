//! The program of a package, run in a folder as a package is, for a user whose home folder is empty.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const PIECES: [(&str, &str); 5] = [
    ("vrvq.clap", ".clap/vrvq.clap"),
    ("vrvq.vst3/Contents/x86_64-linux/vrvq.so", ".vst3/vrvq.vst3/Contents/x86_64-linux/vrvq.so"),
    ("vrvq", ".local/bin/vrvq"),
    ("icon.svg", ".local/share/icons/hicolor/scalable/apps/org.vrvq.live.svg"),
    ("libonnxruntime.so", ".local/share/vrvqlive/runtime/libonnxruntime.so"),
];

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn run(package: &Path, home: &Path, arguments: &[&str]) -> Output {
    let mut install = Command::new(package.join("install"));
    install.args(arguments);
    for variable in ["XDG_DATA_HOME", "XDG_BIN_HOME"] {
        install.env_remove(variable);
    }
    install.env("HOME", home).output().unwrap()
}

#[test]
fn a_package_installs_what_it_holds_and_leaves_the_users_own_runtime() {
    let scratch = tempfile::tempdir().unwrap();
    let (package, home) = (scratch.path().join("a package"), scratch.path().join("home"));
    PIECES.iter().for_each(|(made, _)| write(&package.join(made), made));
    fs::copy(env!("CARGO_BIN_EXE_install"), package.join("install")).unwrap();

    let output = run(&package, &home, &[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for (made, place) in PIECES {
        assert_eq!(fs::read_to_string(home.join(place)).unwrap(), made);
    }
    let entry = fs::read_to_string(home.join(".local/share/applications/org.vrvq.live.desktop")).unwrap();
    assert!(entry.contains(&format!("Exec=\"{}\"", home.join(".local/bin/vrvq").display())), "{entry}");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("PATH"), "{said}");

    // Once more over the first, with a runtime of the user's own.
    write(&home.join(PIECES[4].1), "for a GPU");
    write(&package.join("vrvq"), "newer");
    assert!(run(&package, &home, &[]).status.success());
    assert_eq!(fs::read_to_string(home.join(PIECES[2].1)).unwrap(), "newer");
    assert_eq!(fs::read_to_string(home.join(PIECES[4].1)).unwrap(), "for a GPU");

    // A package that isn't whole says what it lacks, and leaves what is there.
    fs::remove_file(package.join("vrvq")).unwrap();
    let output = run(&package, &home, &[]);
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains(&package.join("vrvq").display().to_string()), "{said}");
    assert_eq!(fs::read_to_string(home.join(PIECES[2].1)).unwrap(), "newer");

    let output = run(&package, &home, &["--remove"]);
    assert!(output.status.success());
    let left = PIECES.iter().filter(|(_, place)| home.join(place).exists()).count();
    assert_eq!(left, 1, "all but the runtime goes");
    assert!(!home.join(".vst3/vrvq.vst3").exists());
    assert!(!home.join(".local/share/applications/org.vrvq.live.desktop").exists());
}
