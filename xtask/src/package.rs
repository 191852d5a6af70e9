//! An archive for users without Rust: app, plug-ins, ONNX Runtime, what installs them, and all licences.

use super::install;
use super::licences;
use super::onnxruntime;
use super::shell::{self, cargo_command};
use anyhow::{Context, Result};
use installer::Made;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Builds all in release and packs it.
///
/// # Errors
/// Where something can't be built, downloaded or written.
pub fn run() -> Result<()> {
    install::build()?;
    shell::run(&mut cargo_command(&["build", "--release", "--package", "installer", "--bin", "install"]))?;
    let runtime = onnxruntime::download(onnxruntime::PACKAGE)?;
    let name = format!("vrvq-live-{}-{}-{}", env!("CARGO_PKG_VERSION"), std::env::consts::OS, std::env::consts::ARCH);
    let parent = Path::new("target/package");
    let folder = parent.join(&name);
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("{} can't be replaced", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("{} can't be made", folder.display()))?;
    fill(&folder, &runtime)?;
    let archive = pack(parent, &name)?;
    let size = fs::metadata(&archive).with_context(|| format!("{} is gone", archive.display()))?.len();
    println!("{}: {:.1} MB", archive.display(), size as f64 / 1e6);
    Ok(())
}

fn fill(folder: &Path, runtime: &onnxruntime::Download) -> Result<()> {
    let (made, packed) = (install::made(), Made::in_package(folder));
    let installer = format!("install{}", std::env::consts::EXE_SUFFIX);
    let mut pieces = vec![
        (made.app, packed.app),
        (made.clap, packed.clap),
        (made.vst3, packed.vst3),
        (made.icon, packed.icon),
        (Path::new("target/release").join(&installer), folder.join(&installer)),
    ];
    pieces.extend(packed.runtime.map(|place| (runtime.library.clone(), place)));
    let own = ["LICENSE-MIT", "LICENSE-APACHE", "assets/LICENSES.md", "assets/live.md"];
    let licences = folder.join("licences");
    fs::create_dir(&licences).with_context(|| format!("{} can't be made", licences.display()))?;
    pieces.extend(
        own.iter().map(PathBuf::from).map(|own| (own.clone(), licences.join(own.file_name().unwrap_or_default()))),
    );
    pieces.extend(runtime.licences.iter().map(|text| {
        let name = text.file_name().unwrap_or_default().to_string_lossy();
        (text.clone(), licences.join(format!("onnxruntime-{name}")))
    }));
    for (from, to) in pieces {
        installer::copy(&from, &to)
            .with_context(|| format!("{} can't be copied to {}", from.display(), to.display()))?;
    }
    fs::write(licences.join("built-with.txt"), licences::third_party()?).context("the licences can't be written")?;
    fs::write(folder.join("README.txt"), readme(&installer)).context("the package's README can't be written")
}

/// What a user of the archive has to know.
fn readme(installer: &str) -> String {
    let run = if cfg!(windows) { installer.to_owned() } else { format!("./{installer}") };
    let unsigned = if cfg!(target_os = "macos") {
        "\nThe programs aren't signed. macOS lets them run after: xattr -dr com.apple.quarantine .\n"
    } else {
        ""
    };
    format!(
        "VRVQ live {}\nHear and see a variable-bitrate neural audio codec: an app, a CLAP and a VST3 plug-in.\n\n\
         {run} installs all of it for you alone; nothing asks for an administrator.\n\
         {run} --remove takes it away again, and leaves your models and presets.\n{unsigned}\n\
         By hand: copy vrvq.clap and vrvq.vst3 to where your host looks for plug-ins, and start vrvq from where it is. Both\n\
         run without {} too, at somewhat more load.\n\nvrvq --help tells the rest.\n",
        env!("CARGO_PKG_VERSION"),
        installer::RUNTIME,
    )
}

/// The folder `name` in `parent` as an archive, beside it.
fn pack(parent: &Path, name: &str) -> Result<PathBuf> {
    // Windows' own tar makes archives that its Explorer opens.
    let (archive, how) =
        if cfg!(windows) { (format!("{name}.zip"), "-acf") } else { (format!("{name}.tar.gz"), "-czf") };
    shell::run(Command::new("tar").current_dir(parent).args([how, &archive, name]))?;
    Ok(parent.join(archive))
}
