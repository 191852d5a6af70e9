//! The model that a command runs, and where.

use super::args::ModelArgs;
use super::failure::Failure;
use super::progress::warn;
use crate::codec::RateControl;
use crate::container;
use crate::model::{Library, Model, ModelError, ModelId, choose_device, runtime, share_cores_between_files};
use std::sync::{Arc, Mutex, PoisonError};

impl ModelArgs {
    /// Opens the model.
    ///
    /// # Errors
    /// A model file that can't be read, a device that isn't there.
    pub fn open(&self) -> Result<Arc<Model>, Failure> {
        if let Some(notice) = runtime()?.notice() {
            warn(notice);
        }
        choose_device(self.device)?;
        share_cores_between_files();
        Ok(match &self.model {
            Some(asked) => Library::user().open(asked)?,
            None => Model::builtin()?,
        })
    }

    /// The models of files that are coded already.
    ///
    /// # Errors
    /// Those of [`Self::open`].
    pub fn open_for_files(&self) -> Result<FileModels, Failure> {
        let model = self.open()?;
        Ok(FileModels { asked: self.model.is_some(), opened: Mutex::new(vec![model]) })
    }

    /// As [`Self::open`], for what needs an importance map.
    ///
    /// # Errors
    /// A model that has none, too.
    pub fn open_variable(&self) -> Result<Arc<Model>, Failure> {
        let model = self.open()?;
        model.card().check_rate(RateControl::Level(model.card().level.default))?;
        Ok(model)
    }
}

/// Which model decodes a file: the one that was asked for, or else the one that the file names.
pub struct FileModels {
    asked: bool,
    opened: Mutex<Vec<Arc<Model>>>,
}

impl FileModels {
    /// The model for a file that names `wanted`.
    ///
    /// # Errors
    /// [`ModelError::Missing`] where it is neither the bundled one nor in the user's folder.
    pub fn of(&self, wanted: &container::ModelId) -> Result<Arc<Model>, ModelError> {
        // Held while a model is read, which files that are worked on at a time needn't do twice.
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let id = ModelId { name: wanted.name.clone(), hash: wanted.hash_text() };
        if let Some(model) = opened.iter().find(|model| self.asked || ModelId::of(model).hash == id.hash) {
            return Ok(model.clone());
        }
        let model = Library::user().find(&id)?;
        opened.push(model.clone());
        Ok(model)
    }
}

/// Files that are worked on at a time, where the user doesn't say.
pub fn workers(jobs: Option<u16>) -> usize {
    jobs.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), usize::from)
}
