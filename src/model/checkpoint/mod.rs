//! Published checkpoints as model files, without Python: VRVQ's and descript's DAC weights (PyTorch), and safetensors
//! with the same names.
//!
//! A checkpoint is data from anywhere. Its pickle is never executed, every length is held against what the file
//! has before memory is taken for it, and an error names the tensor, the entry or the byte.

mod architecture;
mod error;
mod pickle;
mod tensors;
mod torch;
mod weights;

pub use architecture::Architecture;
pub use error::ImportError;
pub use tensors::{StateDict, Tensor};
pub use weights::Convolution;

use super::graph::{self, Graph};
use super::{MODEL_EXTENSION, Model, ReducedCard};
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// What a checkpoint can't tell by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportOptions {
    /// Name of the model; the checkpoint's file name without one.
    pub name: Option<String>,
    /// Sample rate in Hz, where the checkpoint doesn't state it.
    pub sample_rate: Option<u32>,
}

/// A place of the delay dial: less delay for less right context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dial {
    /// Samples that each convolution looks ahead at most.
    pub reach: usize,
    /// Delay of encoder and decoder together in samples.
    pub delay: usize,
}

impl Dial {
    /// The places that a model's delay dial has, from the exact stream down.
    pub fn places(architecture: &Architecture) -> Vec<Self> {
        let reaches = graph::reaches(architecture).into_iter();
        let mut places: Vec<Self> =
            reaches.map(|reach| Self { reach, delay: graph::delay(architecture, reach) }).collect();
        // Of several reaches with one delay the longest; rounding may make one longer for less reach.
        places.dedup_by(|later, kept| later.delay >= kept.delay);
        places
    }

    /// The place with the most right context within `hops` hops of delay; the exact one where none are given.
    ///
    /// # Errors
    /// [`ImportError::Architecture`] where even without any right context the delay is longer.
    pub fn within(architecture: &Architecture, hops: Option<u32>) -> Result<Self, ImportError> {
        let places = Self::places(architecture);
        let most = hops.map_or(usize::MAX, |hops| hops as usize * architecture.hop());
        let least = places.last().map_or(0, |place| place.delay.div_ceil(architecture.hop()));
        places.into_iter().find(|place| place.delay <= most).ok_or_else(|| {
            ImportError::Architecture(format!("its delay can't be shorter than {least} hops of {}", architecture.hop()))
        })
    }
}

/// Makes a model file of the checkpoint `path` in `folder` and gives its path. A file of that name is replaced only when
/// the new one is whole.
///
/// # Errors
/// [`ImportError`] naming what is wrong with the checkpoint and where, or why the model file can't be written.
pub fn import(path: &Path, options: &ImportOptions, folder: &Path) -> Result<PathBuf, ImportError> {
    let state = StateDict::open(path)?;
    let stem = path.file_stem().map_or_else(|| "model".into(), |stem| stem.to_string_lossy().into_owned());
    let name = options.name.clone().unwrap_or(stem);
    let model = model_file(&state, &name, options.sample_rate)?;
    // A model that the program wouldn't open again must not lie among those that it offers.
    Model::from_bytes(&model)?;
    write_model(&model, &name, folder)
}

/// Writes a model file named `name` to `folder` and gives its path.
///
/// # Errors
/// [`ImportError::Write`].
pub fn write_model(model: &[u8], name: &str, folder: &Path) -> Result<PathBuf, ImportError> {
    let target = folder.join(format!("{}.{MODEL_EXTENSION}", name.replace(['/', '\\', ':'], "_")));
    let write = |source| ImportError::Write { path: target.clone(), source };
    std::fs::create_dir_all(folder).map_err(write)?;
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(write)?;
    file.write_all(model).map_err(write)?;
    file.persist(&target).map_err(|error| write(error.error))?;
    Ok(target)
}

/// The model file of a checkpoint: its streaming graphs and its card.
///
/// # Errors
/// [`ImportError`] naming the tensor that is missing or wrong, or what of the architecture can't be run.
pub fn model_file(state: &StateDict, name: &str, sample_rate: Option<u32>) -> Result<Vec<u8>, ImportError> {
    let architecture = Architecture::of(state, sample_rate)?;
    let exact = Dial::within(&architecture, None)?;
    model_file_at(state, &architecture, name, exact, None)
}

/// The model file of a checkpoint at a place of its delay dial; `reduced` is what that costs, where it was measured.
///
/// # Errors
/// [`ImportError`] naming the tensor that is missing or wrong.
pub fn model_file_at(
    state: &StateDict,
    architecture: &Architecture,
    name: &str,
    dial: Dial,
    reduced: Option<ReducedCard>,
) -> Result<Vec<u8>, ImportError> {
    let encoder = graph::encoder(state, architecture, dial.reach)?;
    let decoder = graph::decoder(state, architecture, dial.reach)?;
    let mut card = card(architecture, name, dial, &encoder, &decoder);
    if let Some(reduced) = reduced {
        card["reduced"] = serde_json::json!(reduced);
    }
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    // Weights don't compress.
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let card = serde_json::to_vec_pretty(&card).map_err(|error| error.to_string());
    let entries = [("card.json", card), ("encoder.onnx", Ok(encoder.bytes)), ("decoder.onnx", Ok(decoder.bytes))];
    for (entry, bytes) in entries {
        let wrong = |reason: String| ImportError::Archive { entry: entry.into(), reason };
        archive.start_file(entry, stored).map_err(|e| wrong(e.to_string()))?;
        archive.write_all(&bytes.map_err(wrong)?).map_err(|e| wrong(e.to_string()))?;
    }
    let wrong = |e: zip::result::ZipError| ImportError::Archive { entry: "(directory)".into(), reason: e.to_string() };
    Ok(archive.finish().map_err(wrong)?.into_inner())
}

fn card(model: &Architecture, name: &str, dial: Dial, encoder: &Graph, decoder: &Graph) -> serde_json::Value {
    let (hop, advance) = (model.hop(), graph::advance(model, dial.reach));
    let kind = if model.has_importance() { "VRVQ" } else { "DAC" };
    serde_json::json!({
        "format": 1,
        "name": name,
        "description": format!(
            "{kind}, imported: {} Hz, hop {hop}, {} codebooks of {}", model.sample_rate, model.codebooks, model.codebook_size
        ),
        "licence": "that of the checkpoint",
        "sample_rate": model.sample_rate,
        "hop": hop,
        "codebooks": model.codebooks,
        "codebook_size": model.codebook_size,
        "importance": model.has_importance(),
        "latency_samples": { "encoder": encoder.delay * hop + advance, "decoder": decoder.delay },
        "level": { "min": 1, "max": 48, "default": 16 },
        "span": { "advance": advance, "encoder_hops": encoder.delay, "each_hop": true },
        "encoder_state": encoder.state,
        "decoder_state": decoder.state,
        "parameters": encoder.parameters + decoder.parameters,
    })
}
