//! App, plug-ins and ONNX Runtime, put where the system and its hosts look for them.

use super::onnxruntime::{self, Kind};
use super::shell::{self, cargo_command};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// The app's name for the system, as its window gives it.
const APP: &str = "org.vrvq.live";

/// What is installed: made where, and the place it goes to.
struct Piece {
    made: PathBuf,
    place: PathBuf,
}

/// Builds all in release and installs it for this user; what was installed before is replaced.
///
/// # Errors
/// Where something can't be built or written. Each piece is replaced when its new one is whole; nothing is half written.
pub fn run() -> Result<()> {
    nice_plug_xtask::main_with_args("cargo xtask", ["bundle", "vrvq", "--release"].map(String::from))?;
    shell::run(&mut cargo_command(&["build", "--release", "--package", "vrvq", "--bin", "vrvq"]))?;
    let places = pieces()?.iter().map(install).collect::<Result<Vec<_>>>()?;
    match onnxruntime::installed() {
        Some(library) => println!("ONNX Runtime was there: {}", library.display()),
        // Slower, but whole.
        None => onnxruntime::fetch(Kind::Processor)
            .unwrap_or_else(|error| println!("{error:#}; app and plug-ins run by the built-in runtime")),
    }
    println!("Installed; hosts find the plug-ins at their next scan:");
    places.iter().for_each(|place| println!("  {}", place.display()));
    Ok(())
}

fn pieces() -> Result<Vec<Piece>> {
    let home = directories::BaseDirs::new().context("this user has no home folder")?;
    let (clap, vst3) = plugin_folders(&home);
    let app = format!("vrvq{}", std::env::consts::EXE_SUFFIX);
    // Where cargo itself puts programs, so that the shell finds it.
    let programs = std::env::var_os("CARGO_HOME").map_or_else(|| home.home_dir().join(".cargo"), PathBuf::from);
    let piece = |made: &str, place| Piece { made: PathBuf::from(made), place };
    let mut pieces = vec![
        piece("target/bundled/vrvq.clap", clap.join("vrvq.clap")),
        piece("target/bundled/vrvq.vst3", vst3.join("vrvq.vst3")),
        piece(&format!("target/release/{app}"), programs.join("bin").join(&app)),
    ];
    if cfg!(target_os = "linux") {
        // So that the desktop's menu has the app.
        let entry = "target/release/vrvq.desktop";
        fs::write(entry, menu_entry(&pieces[2].place)).with_context(|| format!("{entry} can't be written"))?;
        let data = home.data_dir();
        pieces.push(piece("assets/icon.svg", data.join(format!("icons/hicolor/scalable/apps/{APP}.svg"))));
        pieces.push(piece(entry, data.join(format!("applications/{APP}.desktop"))));
    }
    Ok(pieces)
}

/// A desktop entry, by freedesktop.org's specification.
fn menu_entry(app: &Path) -> String {
    // In its quotes these have a meaning of their own; a backslash is read twice.
    let mut quoted = String::new();
    for character in app.to_string_lossy().chars() {
        match character {
            '\\' => quoted.push_str(r"\\\\"),
            '"' | '`' | '$' => quoted.extend([r"\\", &character.to_string()]),
            '%' => quoted.push_str("%%"),
            other => quoted.push(other),
        }
    }
    format!(
        "[Desktop Entry]\nType=Application\nName=VRVQ live\nComment=Hear and see a variable-bitrate neural audio codec\n\
         Exec=\"{quoted}\" %f\nIcon={APP}\nCategories=AudioVideo;Audio;\nStartupWMClass={APP}\n"
    )
}

/// Where hosts look for this user's CLAP and VST3 plug-ins, by the two standards.
fn plugin_folders(home: &directories::BaseDirs) -> (PathBuf, PathBuf) {
    let folders = |root: &Path, clap: &str, vst3: &str| (root.join(clap), root.join(vst3));
    if cfg!(target_os = "windows") {
        folders(&home.data_local_dir().join("Programs/Common"), "CLAP", "VST3")
    } else if cfg!(target_os = "macos") {
        folders(&home.home_dir().join("Library/Audio/Plug-Ins"), "CLAP", "VST3")
    } else {
        folders(home.home_dir(), ".clap", ".vst3")
    }
}

/// Copies a file or a bundle beside its place and then swaps them, so that a host never loads half of one.
fn install(piece: &Piece) -> Result<PathBuf> {
    let Piece { made, place } = piece;
    let (Some(folder), Some(name)) = (place.parent(), place.file_name()) else {
        bail!("{} is no place for a file", place.display());
    };
    // Names that no host takes for a plug-in.
    let beside = |what: &str| folder.join(format!(".{}.{what}", name.to_string_lossy()));
    let (new, old) = (beside("new"), beside("old"));
    let failed = || format!("{} can't be written", place.display());
    fs::create_dir_all(folder).with_context(failed)?;
    remove(&new).and_then(|()| remove(&old)).with_context(failed)?;
    copy(made, &new).with_context(|| format!("{} can't be copied to {}", made.display(), new.display()))?;
    if place.symlink_metadata().is_ok() {
        fs::rename(place, &old).with_context(failed)?;
    }
    if let Err(error) = fs::rename(&new, place) {
        let _ = fs::rename(&old, place);
        return Err(error).with_context(failed);
    }
    // On Windows a host may hold the old one: it goes at the next time.
    let _ = remove(&old);
    Ok(place.clone())
}

/// A file or a folder and all that is in it, with what may be executed.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    if !from.is_dir() {
        return fs::copy(from, to).map(drop);
    }
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

/// Removes a file or a folder, if there is one.
fn remove(path: &Path) -> std::io::Result<()> {
    match path.symlink_metadata() {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_takes_the_place_of_an_older_one() {
        let scratch = std::env::temp_dir().join(format!("vrvq-install-{}", std::process::id()));
        let made = scratch.join("made/vrvq.vst3");
        let folder = scratch.join("plug-ins/VST3");
        let piece = Piece { made: made.clone(), place: folder.join("vrvq.vst3") };
        fs::create_dir_all(made.join("Contents/x86_64-linux")).unwrap();
        fs::write(made.join("Contents/x86_64-linux/vrvq.so"), "first").unwrap();
        fs::write(made.join("Contents/old"), "").unwrap();
        assert_eq!(install(&piece).unwrap(), folder.join("vrvq.vst3"));
        assert!(folder.join("vrvq.vst3/Contents/old").exists());

        fs::write(made.join("Contents/x86_64-linux/vrvq.so"), "second").unwrap();
        fs::remove_file(made.join("Contents/old")).unwrap();
        // What an attempt before has left.
        fs::write(folder.join(".vrvq.vst3.new"), "half").unwrap();
        install(&piece).unwrap();
        let library = fs::read_to_string(folder.join("vrvq.vst3/Contents/x86_64-linux/vrvq.so")).unwrap();
        assert_eq!(library, "second");
        assert!(!folder.join("vrvq.vst3/Contents/old").exists(), "it is replaced, not merged");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "nothing is left beside it");

        // A build that isn't there leaves what is installed.
        let missing = Piece { made: scratch.join("made/nothing/vrvq.vst3"), place: folder.join("vrvq.vst3") };
        let error = format!("{:#}", install(&missing).unwrap_err());
        assert!(error.contains("nothing"), "{error}");
        assert!(folder.join("vrvq.vst3/Contents/x86_64-linux/vrvq.so").exists());
        fs::remove_dir_all(&scratch).unwrap();
    }

    #[test]
    fn any_path_can_stand_in_the_menu() {
        let entry = menu_entry(Path::new("/home/some one/100%/$x/vrvq"));
        assert!(entry.contains("\nExec=\"/home/some one/100%%/\\\\$x/vrvq\" %f\n"), "{entry}");
    }
}
