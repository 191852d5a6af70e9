//! What can be wrong with a model file or with running it.

use super::Device;
use crate::codec::PacketError;
use std::path::PathBuf;
use thiserror::Error;

/// Why a model can't be opened or run.
#[derive(Debug, Error)]
pub enum ModelError {
    /// The file can't be read.
    #[error("can't read the model file {path}: {source}")]
    Read { path: PathBuf, source: std::io::Error },
    /// There is neither a file nor a model of that name.
    #[error("there is neither a model file nor a model named {asked}; there are: {known}")]
    Unknown { asked: String, known: String },
    /// A model that was used before is gone.
    #[error(
        "the model {name} is not in {folder}{}",
        if *.other { ", only another one of the same name" } else { "" }
    )]
    Missing { name: String, folder: PathBuf, other: bool },
    /// Variable bitrate was asked of a model that has no importance map.
    #[error("the model {0} has no importance map: it knows constant bitrate only, by a number of codebooks")]
    NoImportance(String),
    /// The file is no model that can be used.
    #[error("{path}: {source}")]
    File { path: PathBuf, source: Box<ModelError> },
    /// The file isn't a model archive.
    #[error("the model file is not a model archive: {0}")]
    Archive(#[from] zip::result::ZipError),
    /// An entry of the archive is missing, damaged or larger than any model.
    #[error("the model file's entry {entry}: {reason}")]
    Entry { entry: &'static str, reason: String },
    /// The card isn't valid.
    #[error("the model's card.json: {0}")]
    Card(String),
    /// The card's numbers of codebooks don't make a packet.
    #[error("the model's card.json: {0}")]
    Format(#[from] PacketError),
    /// The runtime refuses the graph or fails to run it.
    #[error("the {graph} of the model can't be {action} on {device} by {runtime}: {source}")]
    Graph { graph: &'static str, action: &'static str, device: Device, runtime: String, source: ort::Error },
    /// A graph gave an output of the wrong shape.
    #[error("the {graph} of the model gave {got} values of {output} where its card says {expected}")]
    Shape { graph: &'static str, output: &'static str, got: usize, expected: usize },
    /// The device can't compute.
    #[error("the device {device} can't be used: {reason}")]
    Device { device: Device, reason: String },
    /// No runtime could be started at all.
    #[error("no inference runtime could be started: {0}")]
    Runtime(String),
}

impl ModelError {
    /// Whether it was met on a GPU, so that the processor may do better.
    pub fn is_of_gpu(&self) -> bool {
        matches!(self, Self::Graph { device, .. } | Self::Device { device, .. } if !device.is_cpu())
    }
}
