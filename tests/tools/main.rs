//! What stands around the codec: sound files, measures, figures, presets, the library of models.

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/models.rs"]
mod models;
#[path = "../common/synthetic.rs"]
mod synthetic;

mod analysis;
mod audio;
mod blind;
mod export;
mod library;
mod measure;
mod picture;
mod presets;
