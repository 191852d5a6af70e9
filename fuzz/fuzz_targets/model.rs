//! Any bytes as a model file, as its card, and as its code tables.

#![no_main]

use libfuzzer_sys::fuzz_target;
use vrvq::codec::Tables;
use vrvq::model::{Model, ModelCard};

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, bytes)) = bytes.split_first() else { return };
    match kind % 3 {
        0 => drop(Model::from_bytes(bytes)),
        1 => drop(ModelCard::parse(bytes)),
        _ => drop(Tables::from_bytes(bytes)),
    }
});
