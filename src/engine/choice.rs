//! The model that a user has chosen, for loops that come and go.
//!
//! It is kept by name and hash, as sessions keep it. A model that isn't there any more stays the choice, so that a
//! session saved again still asks for it; the bundled one runs meanwhile, and that is said.

use super::switch::ModelSwitch;
use super::telemetry::Telemetry;
use crate::model::checkpoint::{ImportError, ImportOptions};
use crate::model::{DeviceChoice, Library, Model, ModelError, ModelId, choose_device};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// The choice of a model, with the loop that runs it, where one does. Not for the audio thread.
pub struct ModelChoice {
    library: Library,
    telemetry: Arc<Telemetry>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What was asked for; none is the bundled model.
    wanted: Option<ModelId>,
    /// What runs for it; none is the bundled model.
    model: Option<Arc<Model>>,
    switch: Option<ModelSwitch>,
    /// What opens files or looks for a device.
    threads: Vec<JoinHandle<()>>,
}

impl ModelChoice {
    /// The bundled model, until another one of `library` is chosen. Messages go to the status of `telemetry`.
    pub fn new(library: Library, telemetry: Arc<Telemetry>) -> Arc<Self> {
        Arc::new(Self { library, telemetry, state: Mutex::default() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The models to choose from, beside the bundled one.
    pub fn library(&self) -> &Library {
        &self.library
    }

    /// What a new loop runs.
    ///
    /// # Errors
    /// Those of [`Model::builtin`].
    pub fn model(&self) -> Result<Arc<Model>, ModelError> {
        let chosen = self.state().model.clone();
        chosen.map_or_else(Model::builtin, Ok)
    }

    /// What a session keeps: also of the bundled model, since another version of the program may have another one.
    pub fn id(&self) -> Option<ModelId> {
        self.state().wanted.clone().or_else(|| Some(ModelId::of(&*Model::builtin().ok()?)))
    }

    /// From now on this loop follows the choice.
    pub fn attach(&self, switch: &ModelSwitch) {
        self.state().switch = Some(switch.clone());
    }

    /// Chooses a model that is open; a loop that runs changes to it.
    pub fn choose(&self, model: Arc<Model>) {
        self.telemetry.update_status(|status| status.notice = None);
        self.set(Some(ModelId::of(&model)), Some(model));
    }

    fn set(&self, wanted: Option<ModelId>, model: Option<Arc<Model>>) {
        let mut state = self.state();
        (state.wanted, state.model) = (wanted, model);
        let switch = state.switch.clone();
        drop(state);
        if let (Some(switch), Ok(model)) = (switch, self.model()) {
            switch.to(model);
        }
    }

    /// Chooses what a session has kept. Reads the model's file, so not for the audio thread.
    pub fn restore(&self, id: ModelId) {
        if Some(&id) == self.id().as_ref() {
            return;
        }
        let model = self.library.find(&id);
        let notice = model.as_ref().err().map(|error| {
            let instead = Model::builtin().map_or_else(|_| "the bundled model".into(), |m| m.card().name.clone());
            format!("{error}. {instead} runs instead.")
        });
        self.telemetry.update_status(|status| status.notice = notice);
        self.set(Some(id), model.ok());
    }

    /// Models run on `device` from now on, and so does the one that is chosen, as soon as it is loaded there. Works on a
    /// thread of its own: the telemetry's status tells why nothing is changed where the device can't be used.
    pub fn run_on(self: &Arc<Self>, device: DeviceChoice) {
        self.spawn("The device stays", move |this| match choose_device(device) {
            Ok(()) => {
                let mut state = this.state();
                let (wanted, model) = (state.wanted.take(), state.model.take());
                drop(state);
                this.set(wanted, model);
            }
            Err(error) => this.telemetry.update_status(|status| status.notice = Some(error.to_string())),
        });
    }

    /// Lets `work` run on a thread of its own, which is waited for at the end: a plug-in may be unloaded then.
    fn spawn(self: &Arc<Self>, otherwise: &str, work: impl FnOnce(&Self) + Send + 'static) {
        let this = Arc::downgrade(self);
        let run = move || {
            // A strong one only while something is done, so that the end doesn't wait for itself.
            if let Some(this) = this.upgrade() {
                work(&this);
            }
        };
        match std::thread::Builder::new().name("vrvq open".into()).spawn(run) {
            Ok(thread) => {
                let mut state = self.state();
                state.threads.retain(|thread| !thread.is_finished());
                state.threads.push(thread);
            }
            Err(error) => self.telemetry.update_status(|status| {
                (status.coming, status.notice) = (None, Some(format!("{otherwise}: {error}")));
            }),
        }
    }

    /// Takes the model file or checkpoint `path` into the library and chooses it; `None` is the bundled model. Works on a
    /// thread of its own: the telemetry's status tells what is on its way and what is wrong.
    pub fn open(self: &Arc<Self>, path: Option<PathBuf>) {
        let name = path.as_ref().and_then(|path| path.file_stem()).map(|stem| stem.to_string_lossy().into_owned());
        self.telemetry.update_status(|status| status.coming = name);
        self.spawn("The model can't be opened", move |this| {
            let opened: Result<Arc<Model>, ImportError> = match &path {
                Some(path) => this.library.add(path, &ImportOptions::default()),
                None => Model::builtin().map_err(Into::into),
            };
            this.telemetry.update_status(|status| status.coming = None);
            match opened {
                Ok(model) => this.choose(model),
                Err(error) => this.telemetry.update_status(|status| status.notice = Some(about(path, &error))),
            }
        });
    }
}

impl Drop for ModelChoice {
    fn drop(&mut self) {
        let threads = std::mem::take(&mut self.state().threads);
        for thread in threads {
            // The last one to hold this may be such a thread.
            if thread.thread().id() != std::thread::current().id() {
                let _ = thread.join();
            }
        }
    }
}

/// The error with the name of its file, unless it names it.
fn about(path: Option<PathBuf>, error: &ImportError) -> String {
    let (path, error) = (path.unwrap_or_default().display().to_string(), error.to_string());
    if error.contains(&path) { error } else { format!("{path}: {error}") }
}
