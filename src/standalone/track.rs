//! A file that is played: audio, or `.vrvq`, which is decoded with its model. Read piece by piece.

use crate::audio::{AudioReader, ReadError};
use crate::coding::{CodingError, Decoder};
use crate::container::{ContainerError, Reader};
use crate::model::{Library, Model, ModelError, ModelId};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

/// Why a file can't be played.
#[derive(Debug, thiserror::Error)]
pub enum TrackError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("can't open {name}: {why}")]
    Open { name: String, why: std::io::Error },
    #[error("{name}: {source}")]
    Container { name: String, source: ContainerError },
    #[error("{name}: {source}")]
    Coding { name: String, source: CodingError },
    #[error("{name} needs its model: {source}")]
    Model { name: String, source: ModelError },
}

enum Source {
    Audio(Box<AudioReader>),
    Coded(Box<Decoder<BufReader<File>>>),
}

/// A file that is played.
pub struct Track {
    /// File name, without folder.
    pub name: String,
    source: Source,
    planes: Vec<Vec<f32>>,
}

impl Track {
    /// Opens an audio file or a `.vrvq` file, which is decoded with `model`, or else with the model that it names: the
    /// bundled one, or one of the user's.
    ///
    /// # Errors
    /// [`TrackError`] names the file and why it can't be opened or played.
    pub fn open(path: &Path, model: Option<&Arc<Model>>) -> Result<Self, TrackError> {
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let source = if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("vrvq")) {
            Source::Coded(Box::new(coded(path, &name, model)?))
        } else {
            Source::Audio(Box::new(AudioReader::open(path)?))
        };
        Ok(Self { name, source, planes: Vec::new() })
    }

    /// The clip inside the program.
    ///
    /// # Errors
    /// If the program was built with a damaged clip.
    pub fn bundled() -> Result<Self, TrackError> {
        let source = Source::Audio(Box::new(crate::audio::demo()?));
        Ok(Self { name: crate::audio::DEMO_NAME.to_owned(), source, planes: Vec::new() })
    }

    /// In Hz.
    pub fn sample_rate(&self) -> u32 {
        match &self.source {
            Source::Audio(reader) => reader.sample_rate(),
            Source::Coded(decoder) => decoder.sample_rate(),
        }
    }

    /// Channels of the sound.
    pub fn channels(&self) -> usize {
        match &self.source {
            Source::Audio(reader) => reader.channels(),
            Source::Coded(decoder) => decoder.channels(),
        }
    }

    /// Samples of each channel, where the file tells them.
    pub fn frames(&self) -> Option<u64> {
        match &self.source {
            Source::Audio(reader) => reader.frames(),
            Source::Coded(decoder) => decoder.length(),
        }
    }

    /// The next samples, `[channels][samples]`; `None` at the end.
    ///
    /// # Errors
    /// [`TrackError`] where the file can't be read on.
    pub fn read(&mut self) -> Result<Option<&[Vec<f32>]>, TrackError> {
        match &mut self.source {
            Source::Audio(reader) => Ok(reader.read()?),
            Source::Coded(decoder) => {
                let samples = decoder
                    .read(&mut self.planes)
                    .map_err(|source| TrackError::Coding { name: self.name.clone(), source })?;
                Ok((samples > 0).then_some(&self.planes))
            }
        }
    }

    /// What the user should know: what was damaged.
    pub fn notes(&self) -> Vec<String> {
        match &self.source {
            Source::Audio(reader) => reader.notes(),
            Source::Coded(decoder) => decoder.damage().iter().map(ToString::to_string).collect(),
        }
    }
}

fn coded(path: &Path, name: &str, model: Option<&Arc<Model>>) -> Result<Decoder<BufReader<File>>, TrackError> {
    let name = || name.to_owned();
    let open = || File::open(path).map(BufReader::new).map_err(|why| TrackError::Open { name: name(), why });
    let model = match model {
        Some(model) => model.clone(),
        None => {
            let reader = Reader::new(open()?).map_err(|source| TrackError::Container { name: name(), source })?;
            let id = &reader.header().model;
            let id = ModelId { name: id.name.clone(), hash: id.hash_text() };
            Library::user().find(&id).map_err(|source| TrackError::Model { name: name(), source })?
        }
    };
    Decoder::open(open()?, &model).map_err(|source| TrackError::Coding { name: name(), source })
}
