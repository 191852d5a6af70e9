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
use super::{MODEL_EXTENSION, Model};
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
pub(super) fn write_model(model: &[u8], name: &str, folder: &Path) -> Result<PathBuf, ImportError> {
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
    let (encoder, decoder) = (graph::encoder(state, &architecture)?, graph::decoder(state, &architecture)?);
    let card = card(&architecture, name, &encoder, &decoder);
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

fn card(model: &Architecture, name: &str, encoder: &Graph, decoder: &Graph) -> serde_json::Value {
    let (hop, advance) = (model.hop(), graph::advance(model));
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
        "span": { "advance": advance, "encoder_hops": encoder.delay },
        "encoder_state": encoder.state,
        "decoder_state": decoder.state,
        "parameters": encoder.parameters + decoder.parameters,
    })
}
