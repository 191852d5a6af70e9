//! The user's folder of models: what is taken in, listed and found again.

use crate::models::{bundled, checkpoint, imported, with_card};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use vrvq::engine::{ModelChoice, Telemetry};
use vrvq::model::checkpoint::ImportOptions;
use vrvq::model::{Library, Model, ModelError, ModelId};

fn library(name: &str) -> Library {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    Library::new(folder)
}

fn named(name: &str) -> ImportOptions {
    ImportOptions { name: Some(name.into()), ..ImportOptions::default() }
}

#[test]
fn checkpoints_and_model_files_are_taken_in_and_found_by_name_and_by_hash() {
    let library = library("library-found");
    assert!(library.list().0.is_empty(), "a folder that isn't there has no models");
    let paper = library.add(&checkpoint("vrvq-44k.pth"), &named("Paper")).unwrap();
    let outside = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("outside.vrvqmodel");
    std::fs::write(&outside, imported("dac-24k.pth")).unwrap();
    let dac = library.add(&outside, &ImportOptions::default()).unwrap();
    std::fs::remove_file(&outside).unwrap();
    let (listed, errors) = library.list();
    assert!(errors.is_empty());
    let names: Vec<&str> = listed.iter().map(|model| model.card.name.as_str()).collect();
    assert_eq!(names, ["dac-24k.pth", "Paper"]);
    // What is there already isn't copied once more.
    library.add(&listed[0].path, &ImportOptions::default()).unwrap();
    assert_eq!(library.list().0.len(), 2);

    // One file is one model in the whole process, however it is asked for.
    assert!(Arc::ptr_eq(&library.open("paper").unwrap(), &paper));
    assert!(Arc::ptr_eq(&library.open(listed[1].path.to_str().unwrap()).unwrap(), &paper));
    let bundled = Model::builtin().unwrap();
    assert!(Arc::ptr_eq(&library.open(&bundled.card().name.to_lowercase()).unwrap(), &bundled));
    // Its hash finds it under any name of its file.
    std::fs::rename(&listed[0].path, library.folder().join("zzz.vrvqmodel")).unwrap();
    assert!(Arc::ptr_eq(&library.find(&ModelId::of(&dac)).unwrap(), &dac));
    let builtin = Model::builtin().unwrap();
    assert!(Arc::ptr_eq(&library.find(&ModelId::of(&builtin)).unwrap(), &builtin));
}

#[test]
fn what_is_missing_or_damaged_is_named() {
    let library = library("library-missing");
    let paper = library.add(&checkpoint("vrvq-44k.pth"), &named("Paper")).unwrap();
    std::fs::write(library.folder().join("cut.vrvqmodel"), &bundled()[..1000]).unwrap();
    let (listed, errors) = library.list();
    assert_eq!((listed.len(), errors.len()), (1, 1));
    assert!(errors[0].to_string().contains("cut.vrvqmodel"), "{}", errors[0]);
    let error = library.open("paperr").err().unwrap().to_string();
    let bundled = Model::builtin().unwrap();
    assert!(["paperr", "Paper", &bundled.card().name].iter().all(|name| error.contains(name)), "{error}");
    // Another file of the same name is another model.
    let id = ModelId::of(&paper);
    std::fs::write(&listed[0].path, with_card(&imported("vrvq-44k.pth"), |card| card["name"] = "Paper".into()))
        .unwrap();
    match library.find(&id) {
        Err(error @ ModelError::Missing { other: true, .. }) => assert!(error.to_string().contains("Paper")),
        other => panic!("{:?}", other.map(|model| model.card().name.clone())),
    }
    std::fs::remove_file(&listed[0].path).unwrap();
    assert!(matches!(library.find(&id), Err(ModelError::Missing { other: false, .. })));
    // A file that can't be taken in leaves nothing behind.
    std::fs::write(library.folder().join("bad.pth"), b"no checkpoint").unwrap();
    let error = library.add(&library.folder().join("bad.pth"), &ImportOptions::default()).err().unwrap();
    assert!(error.to_string().contains("not a checkpoint"), "{error}");
    assert!(library.list().0.is_empty());
}

#[test]
fn a_choice_outlives_the_model_that_is_missing() {
    let library = library("library-choice");
    let (telemetry, _) = Telemetry::new();
    let choice = ModelChoice::new(library.clone(), telemetry.clone());
    let builtin = Model::builtin().unwrap();
    assert_eq!(choice.ids()[1], Some(ModelId::of(&builtin)));
    let gone = ModelId { name: "Paper".into(), hash: "00".repeat(32) };
    choice.restore([Some(gone.clone()), Some(gone.clone())]);
    let notice = telemetry.status().notice.expect("it is said");
    assert!(notice.contains("Paper") && notice.contains(&format!("{} runs instead", builtin.card().name)), "{notice}");
    assert!(Arc::ptr_eq(&choice.model().unwrap(), &builtin));
    assert_eq!(choice.ids()[0], Some(gone), "a session that is saved again still asks for it");
    let paper = library.add(&checkpoint("vrvq-44k.pth"), &named("Paper")).unwrap();
    choice.restore([Some(ModelId::of(&paper)), None]);
    assert!(Arc::ptr_eq(&choice.model().unwrap(), &paper) && telemetry.status().notice.is_none());
}
