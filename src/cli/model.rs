//! The model that a command runs, and where.

use super::args::ModelArgs;
use super::failure::Failure;
use super::progress::warn;
use crate::codec::RateControl;
use crate::model::{Library, Model, choose_device, runtime};
use std::sync::Arc;

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
        Ok(match &self.model {
            Some(asked) => Library::user().open(asked)?,
            None => Model::builtin()?,
        })
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

/// Files that are worked on at a time, where the user doesn't say.
pub fn workers(jobs: Option<u16>) -> usize {
    jobs.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), usize::from)
}
