//! App, plug-ins and ONNX Runtime, put where the system and its hosts look for them.

mod menu;
mod piece;

use anyhow::{Context, Result};
use directories::{BaseDirs, ProjectDirs};
use piece::Piece;
use std::path::{Path, PathBuf};

pub use piece::copy;

/// The file of ONNX Runtime.
pub const RUNTIME: &str = if cfg!(windows) {
    "onnxruntime.dll"
} else if cfg!(target_os = "macos") {
    "libonnxruntime.dylib"
} else {
    "libonnxruntime.so"
};

/// What there is to install.
pub struct Made {
    pub app: PathBuf,
    /// File or bundle.
    pub clap: PathBuf,
    /// Bundle.
    pub vst3: PathBuf,
    /// SVG.
    pub icon: PathBuf,
    /// Installed only where the user has none: an own one may be for a GPU.
    pub runtime: Option<PathBuf>,
}

impl Made {
    /// What a package in `folder` holds, by these names.
    pub fn in_package(folder: &Path) -> Self {
        Self {
            app: folder.join(app_file()),
            clap: folder.join("vrvq.clap"),
            vst3: folder.join("vrvq.vst3"),
            icon: folder.join("icon.svg"),
            runtime: Some(folder.join(RUNTIME)),
        }
    }
}

/// The app's file.
pub fn app_file() -> String {
    format!("vrvq{}", std::env::consts::EXE_SUFFIX)
}

/// Where app and plug-ins look for ONNX Runtime.
///
/// # Errors
/// Where the user has no home folder.
pub fn runtime_place() -> Result<PathBuf> {
    let dirs = ProjectDirs::from("org", "VRVQ", "VRVQ live").context("this user has no home folder")?;
    Ok(dirs.data_dir().join("runtime").join(RUNTIME))
}

/// Installs for this user, the app into the folder `programs`, and says where everything is. What was installed before is
/// replaced.
///
/// # Errors
/// Where something is missing or can't be written. Each piece is replaced when its new one is whole; nothing is half written.
pub fn install(made: &Made, programs: &Path) -> Result<()> {
    let runtime = runtime_place()?;
    let mut pieces = pieces(made, programs)?;
    if let Some(own) = made.runtime.as_ref().filter(|_| !runtime.is_file()) {
        pieces.push(Piece::file(own, runtime));
    }
    let places = pieces.iter().map(Piece::install).collect::<Result<Vec<_>>>()?;
    println!("Installed; hosts find the plug-ins at their next scan:");
    places.iter().for_each(|place| println!("  {}", place.display()));
    if !std::env::var_os("PATH").is_some_and(|path| std::env::split_paths(&path).any(|folder| folder == programs)) {
        println!("{} isn't among the folders where a shell looks for programs (PATH).", programs.display());
    }
    Ok(())
}

/// Removes for this user what [`install`] has put there, apart from ONNX Runtime, which may be of the user's own choice.
///
/// # Errors
/// Where something is there and can't be removed; the rest goes even so.
pub fn remove(made: &Made, programs: &Path) -> Result<()> {
    let mut failed = Ok(());
    for piece in pieces(made, programs)? {
        match piece.remove() {
            Ok(true) => println!("Removed: {}", piece.place().display()),
            Ok(false) => {}
            Err(error) => failed = Err(error),
        }
    }
    let data = runtime_place()?;
    if let Some(data) = data.parent().and_then(Path::parent).filter(|folder| folder.exists()) {
        println!("Left, as yours: models, presets and ONNX Runtime in {}", data.display());
    }
    failed
}

fn pieces(made: &Made, programs: &Path) -> Result<Vec<Piece>> {
    let home = BaseDirs::new().context("this user has no home folder")?;
    let (clap, vst3) = plugin_folders(&home);
    let app = programs.join(app_file());
    let mut pieces = vec![
        Piece::file(&made.clap, clap.join("vrvq.clap")),
        Piece::file(&made.vst3, vst3.join("vrvq.vst3")),
        Piece::file(&made.app, app.clone()),
    ];
    if cfg!(target_os = "linux") {
        // So that the desktop's menu has the app.
        let data = home.data_dir();
        pieces.push(Piece::file(&made.icon, data.join(menu::ICON)));
        pieces.push(Piece::text(menu::entry(&app), data.join(menu::ENTRY)));
    }
    Ok(pieces)
}

/// Where hosts look for this user's CLAP and VST3 plug-ins, by the two standards.
fn plugin_folders(home: &BaseDirs) -> (PathBuf, PathBuf) {
    let folders = |root: &Path, clap: &str, vst3: &str| (root.join(clap), root.join(vst3));
    if cfg!(target_os = "windows") {
        folders(&home.data_local_dir().join("Programs/Common"), "CLAP", "VST3")
    } else if cfg!(target_os = "macos") {
        folders(&home.home_dir().join("Library/Audio/Plug-Ins"), "CLAP", "VST3")
    } else {
        folders(home.home_dir(), ".clap", ".vst3")
    }
}
