//! The user's models: a folder of model files, looked up by name, by hash or by path.
//!
//! A model that is open is one in the whole process, so that instances of a plug-in share its bytes and its sessions.

use super::checkpoint::{self, ImportError, ImportOptions};
use super::{Model, ModelCard, ModelError};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Name at the end of a model file.
pub const MODEL_EXTENSION: &str = "vrvqmodel";
/// Names at the end of checkpoints that are imported.
pub const CHECKPOINT_EXTENSIONS: [&str; 3] = ["pth", "pt", "safetensors"];

/// What tells a model from every other one; what sessions keep of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ModelId {
    /// Its card's name.
    pub name: String,
    /// SHA-256 of its file in hexadecimal digits.
    pub hash: String,
}

impl ModelId {
    /// That of `model`.
    pub fn of(model: &Model) -> Self {
        let hash = model.hash().iter().map(|byte| format!("{byte:02x}")).collect();
        Self { name: model.card().name.clone(), hash }
    }
}

/// A model file of the folder.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    pub path: PathBuf,
    pub card: ModelCard,
}

/// A folder of models.
#[derive(Debug, Clone)]
pub struct Library(PathBuf);

/// The models that are open in this process.
static OPEN: Mutex<Vec<Weak<Model>>> = Mutex::new(Vec::new());

/// The one of `model` that is open already, or `model`.
pub(super) fn shared(model: Model) -> Arc<Model> {
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    open.retain(|other| other.strong_count() > 0);
    if let Some(same) = open.iter().filter_map(Weak::upgrade).find(|other| other.hash() == model.hash()) {
        return same;
    }
    let model = Arc::new(model);
    open.push(Arc::downgrade(&model));
    model
}

impl Library {
    /// That of the user: `models` in the data folder of the program.
    pub fn user() -> Self {
        let dirs = directories::ProjectDirs::from("org", "VRVQ", "VRVQ live");
        Self(dirs.map_or_else(std::env::temp_dir, |dirs| dirs.data_dir().to_owned()).join("models"))
    }

    /// The one in `folder`, which is made when the first model is put there.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into())
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// The models by name, and what is wrong with the files that are none: they are passed over.
    pub fn list(&self) -> (Vec<Listed>, Vec<ModelError>) {
        let (mut models, mut errors) = (Vec::new(), Vec::new());
        for path in self.files() {
            match ModelCard::open(&path) {
                Ok(card) => models.push(Listed { path, card }),
                Err(error) => errors.push(error),
            }
        }
        models.sort_by_key(|model| model.card.name.to_lowercase());
        (models, errors)
    }

    fn files(&self) -> Vec<PathBuf> {
        // A folder that isn't there has no models.
        let entries = std::fs::read_dir(&self.0).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut files: Vec<PathBuf> = entries.filter(|path| has_extension(path, &[MODEL_EXTENSION])).collect();
        files.sort();
        files
    }

    /// Opens the model file `asked`, or the model of that name: the bundled one or one of the folder.
    ///
    /// # Errors
    /// [`ModelError::Unknown`] where there is neither, those of [`Model::open`] otherwise.
    pub fn open(&self, asked: &str) -> Result<Arc<Model>, ModelError> {
        let path = Path::new(asked);
        if path.is_file() {
            return Model::open(path);
        }
        let builtin = Model::builtin()?;
        let (models, _) = self.list();
        let named = |name: &str| name.eq_ignore_ascii_case(asked);
        let stem = |path: &Path| path.file_stem().is_some_and(|stem| named(&stem.to_string_lossy()));
        match models.iter().find(|model| named(&model.card.name) || stem(&model.path)) {
            Some(model) => Model::open(&model.path),
            None if named(&builtin.card().name) => Ok(builtin),
            None => {
                let names = std::iter::once(builtin.card().name.clone()).chain(models.into_iter().map(|m| m.card.name));
                Err(ModelError::Unknown { asked: asked.into(), known: names.collect::<Vec<_>>().join(", ") })
            }
        }
    }

    /// Finds a model again: the one with this hash, whatever its file is called now.
    ///
    /// # Errors
    /// [`ModelError::Missing`] where it is neither the bundled one nor in the folder.
    pub fn find(&self, id: &ModelId) -> Result<Arc<Model>, ModelError> {
        let builtin = Model::builtin()?;
        if ModelId::of(&builtin).hash == id.hash {
            return Ok(builtin);
        }
        let (mut models, _) = self.list();
        // Files are hashed as a whole, so the likely one first.
        models.sort_by_key(|model| model.card.name != id.name);
        let mut found = models.iter().filter_map(|model| Model::open(&model.path).ok());
        found.find(|model| ModelId::of(model).hash == id.hash).ok_or_else(|| ModelError::Missing {
            name: id.name.clone(),
            folder: self.0.clone(),
            other: models.iter().any(|model| model.card.name == id.name),
        })
    }

    /// Takes in the model file or the checkpoint `path` and opens it. One that lies in the folder stays where it is.
    ///
    /// # Errors
    /// [`ImportError`] naming what is wrong with the file and where, or why nothing can be written.
    pub fn add(&self, path: &Path, options: &ImportOptions) -> Result<Arc<Model>, ImportError> {
        if !has_extension(path, &[MODEL_EXTENSION]) {
            return Ok(Model::open(&checkpoint::import(path, options, &self.0)?)?);
        }
        let model = Model::open(path)?;
        let inside = |path: &Path| path.canonicalize().ok().zip(self.0.canonicalize().ok());
        if !inside(path).is_some_and(|(path, folder)| path.starts_with(folder)) {
            let bytes = std::fs::read(path).map_err(|source| ModelError::Read { path: path.into(), source })?;
            checkpoint::write_model(&bytes, &model.card().name, &self.0)?;
        }
        Ok(model)
    }

    /// Whether a file can be taken in, by its name.
    pub fn takes(path: &Path) -> bool {
        has_extension(path, &[MODEL_EXTENSION]) || has_extension(path, &CHECKPOINT_EXTENSIONS)
    }
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    path.extension().is_some_and(|own| extensions.iter().any(|extension| own.eq_ignore_ascii_case(extension)))
}
