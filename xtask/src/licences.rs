//! The licences of everything that is compiled into app and plug-ins, as those who wrote it gave them.

use anyhow::{Context, Result};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, PackageId};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;
use std::process::Command;

/// How names of files with a licence begin, in small letters; the last two are fonts'.
const NAMES: [&str; 7] = ["license", "licence", "copying", "copyright", "notice", "ofl", "ufl"];

/// A table of the packages, then each text once, with the packages that bring it.
///
/// # Errors
/// Where cargo can't tell what belongs to the build.
pub fn third_party() -> Result<String> {
    let metadata = metadata()?;
    let packages = compiled(&metadata)?;
    let mut text = String::from("What VRVQ live is built with, and under which licences.\n\n");
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in &packages {
        let name = format!("{} {}", package.name, package.version);
        let licence = package.license.as_deref().unwrap_or("see its text");
        writeln!(text, "{name}: {licence}, {}", package.repository.as_deref().unwrap_or("crates.io"))?;
        let folder = package.manifest_path.parent().context("a package without a folder")?;
        for own in licence_files(folder.as_std_path(), 1) {
            let whole = std::fs::read_to_string(&own).with_context(|| format!("{} can't be read", own.display()))?;
            texts.entry(whole.trim().to_owned()).or_default().push(name.clone());
        }
    }
    for (licence, names) in texts {
        let names: BTreeSet<String> = names.into_iter().collect();
        let names = names.into_iter().collect::<Vec<_>>().join(", ");
        write!(text, "\n{}\n{names}\n\n{licence}\n", "-".repeat(80))?;
    }
    Ok(text)
}

/// For this machine's platform, as built here.
fn metadata() -> Result<Metadata> {
    let rustc = Command::new("rustc").arg("-vV").output().context("rustc can't be started")?;
    let said = String::from_utf8_lossy(&rustc.stdout);
    let host = said.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc names no host")?;
    let options = ["--filter-platform", host].map(String::from).to_vec();
    Ok(MetadataCommand::new().other_options(options).exec()?)
}

/// The packages that end up in the program, in the order of their names.
fn compiled(metadata: &Metadata) -> Result<Vec<&Package>> {
    let resolve = metadata.resolve.as_ref().context("cargo resolved nothing")?;
    let dependencies: BTreeMap<&PackageId, Vec<&PackageId>> = resolve
        .nodes
        .iter()
        .map(|node| {
            let normal = node
                .deps
                .iter()
                .filter(|dependency| dependency.dep_kinds.iter().any(|info| info.kind == DependencyKind::Normal));
            (&node.id, normal.map(|dependency| &dependency.pkg).collect())
        })
        .collect();
    let program = |package: &&Package| package.name == "vrvq" && package.source.is_none();
    let root = metadata.packages.iter().find(program).context("the workspace has no program")?;
    let (mut found, mut left) = (BTreeSet::new(), vec![&root.id]);
    while let Some(id) = left.pop() {
        if found.insert(id) {
            left.extend(dependencies.get(id).into_iter().flatten());
        }
    }
    let mut packages: Vec<&Package> =
        metadata.packages.iter().filter(|package| found.contains(&package.id) && package.source.is_some()).collect();
    packages.sort_by_key(|package| (&package.name, &package.version));
    Ok(packages)
}

/// Files with a licence in a folder, and `deeper` folders down: those of fonts lie beside them.
fn licence_files(folder: &Path, deeper: u32) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for path in std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        if path.is_dir() && deeper > 0 {
            found.extend(licence_files(&path, deeper - 1));
        } else if path.is_file() && NAMES.iter().any(|start| name.starts_with(start)) && !name.ends_with(".rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_the_program_is_built_with_is_named_with_its_licence() {
        let text = super::third_party().unwrap();
        for part in ["\negui 0.", ": MIT OR Apache-2.0, ", "Permission is hereby granted", "SIL Open Font License"] {
            assert!(text.contains(part), "no {part}");
        }
        // Only the tests are built with it.
        assert!(!text.contains("\negui_kittest "));
    }
}
