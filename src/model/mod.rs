//! A model file as something that can be stepped hop by hop.
//!
//! A model is one file: a ZIP archive of `card.json`, `encoder.onnx`, `decoder.onnx` and, where the codes are searched
//! outside the encoder's graph, `codebooks.f16`. The graphs take their
//! streaming state as an input and give the next one as an output, so that stepping one hop at a time gives the same
//! numbers as the whole signal at once.

mod card;
pub mod checkpoint;
mod curves;
mod device;
mod error;
mod file;
mod graph;
mod interface;
mod library;
mod part;
mod privacy;
mod run;
mod runtime;
mod stream;
mod synthesis;

pub use card::{LatencySamples, LevelRange, ModelCard, ReducedCard, SearchCard, SpanCard};
pub use curves::{CurvePoint, Curves};
#[cfg(feature = "live")]
pub(crate) use device::give_up_gpus;
pub use device::{
    Device, DeviceChoice, Provider, choose_device, describe_devices, device_choice, probe, share_cores_between_files,
    working_gpus,
};
pub use error::ModelError;
pub use file::Model;
pub use library::{CHECKPOINT_EXTENSIONS, Library, Listed, MODEL_EXTENSION, ModelId};
pub use runtime::{BUILT_IN, RUNTIME_LIBRARY_VARIABLE, Runtime, runtime, runtime_folder};
pub use stream::{DecoderStream, Encoded, EncoderStream};
pub use synthesis::Synthesis;
