//! Models chosen in the system's file dialog, which is another program: here one that answers at once, then none. One test
//! alone in its binary, since it changes where programs are found.
#![cfg(target_os = "linux")]

#[path = "common/models.rs"]
mod models;
#[path = "common/view.rs"]
mod view;
#[path = "common/window.rs"]
mod window;

use models::checkpoint;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use window::Window;

#[test]
fn a_model_is_chosen_in_the_dialog_and_where_there_is_none_it_is_said() {
    let programs = Path::new(env!("CARGO_TARGET_TMPDIR")).join("dialog");
    std::fs::create_dir_all(&programs).unwrap();
    let zenity = programs.join("zenity");
    let chosen = checkpoint("vrvq-44k.pth");
    // It is asked for files that can be opened, and takes no time to answer.
    let filters = "*--file-selection*.vrvqmodel*.pth*.safetensors*";
    let script = format!("#!/bin/sh\ncase \"$*\" in {filters}) echo '{}';; *) exit 1;; esac\n", chosen.display());
    std::fs::write(&zenity, script).unwrap();
    std::fs::set_permissions(&zenity, std::fs::Permissions::from_mode(0o755)).unwrap();
    // SAFETY: nothing else runs in this process yet.
    unsafe {
        std::env::set_var("PATH", &programs);
        // No portal that a desktop has.
        std::env::set_var("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent");
    }

    let mut window = Window::new("dialog-models");
    window.click("Model: VRVQ live 1");
    window.click("Browse…");
    window.wait_for(|window| window.runs("vrvq-44k"));
    assert_eq!(window.choice.library().list().0.len(), 1);

    std::fs::remove_file(&zenity).unwrap();
    window.click("Model: VRVQ live 1");
    window.click("Browse…");
    window.wait_for(|window| window.shows("no file dialog"));
    assert!(window.runs("vrvq-44k"), "nothing was chosen");
}
