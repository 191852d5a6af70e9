//! The models of both settings, saved with the host's session by name and hash.

use crate::engine::ModelChoice;
use crate::model::ModelId;
use nice_plug::params::persist::PersistentField;
use std::sync::Arc;

/// The models that are chosen, as the session's state holds them.
pub struct SessionModel(pub Arc<ModelChoice>);

/// What is saved.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Saved([Option<ModelId>; 2]);

impl PersistentField<'_, Saved> for SessionModel {
    /// A host brings a session: also while audio runs.
    fn set(&self, Saved(ids): Saved) {
        self.0.restore(ids);
    }

    fn map<F, R>(&self, f: F) -> R
    where
        F: Fn(&Saved) -> R,
    {
        f(&Saved(self.0.ids()))
    }
}
