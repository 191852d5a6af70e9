//! Small models for tests: imported checkpoints, and model files with something changed.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::io::{Cursor, Read, Write};
use std::path::PathBuf;
use std::sync::Arc;
use vrvq::model::Model;
use vrvq::model::checkpoint::{StateDict, model_file};

/// A checkpoint of `tests/data/checkpoints`.
pub fn checkpoint(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/checkpoints").join(file)
}

/// The model file of a checkpoint.
pub fn imported(file: &str) -> Vec<u8> {
    model_file(&StateDict::open(&checkpoint(file)).unwrap(), file, None).unwrap()
}

/// The bundled model file.
pub fn bundled() -> Vec<u8> {
    std::fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("assets/live.vrvqmodel")).unwrap()
}

pub fn open(bytes: &[u8]) -> Arc<Model> {
    Arc::new(Model::from_bytes(bytes).unwrap())
}

/// A model file with one entry changed.
pub fn with_entry(model: &[u8], entry: &str, change: impl Fn(Vec<u8>) -> Vec<u8>) -> Vec<u8> {
    let mut from = zip::ZipArchive::new(Cursor::new(model)).unwrap();
    let mut to = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for index in 0..from.len() {
        let mut file = from.by_index(index).unwrap();
        let (name, mut bytes) = (file.name().unwrap().into_owned(), Vec::new());
        file.read_to_end(&mut bytes).unwrap();
        to.start_file(&name, stored).unwrap();
        to.write_all(&if name == entry { change(bytes) } else { bytes }).unwrap();
    }
    to.finish().unwrap().into_inner()
}

/// A model file with fields of its card changed.
pub fn with_card(model: &[u8], change: impl Fn(&mut serde_json::Value)) -> Vec<u8> {
    with_entry(model, "card.json", |bytes| {
        let mut card = serde_json::from_slice(&bytes).unwrap();
        change(&mut card);
        serde_json::to_vec(&card).unwrap()
    })
}
