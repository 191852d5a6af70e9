//! The model that a user has chosen for each of the two settings, for loops that come and go.
//!
//! It is kept by name and hash, as sessions keep it. A model that isn't there any more stays the choice, so that a
//! session saved again still asks for it; the bundled one runs meanwhile, and that is said.

use super::settings::Slot;
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
    of: [Chosen; 2],
    switch: Option<ModelSwitch>,
    /// What opens files or looks for a device.
    threads: Vec<JoinHandle<()>>,
}

/// The choice of one setting.
#[derive(Default, Clone)]
struct Chosen {
    /// What was asked for; none is the bundled model.
    wanted: Option<ModelId>,
    /// What runs for it; none is the bundled model.
    model: Option<Arc<Model>>,
}

impl Chosen {
    fn model(&self) -> Result<Arc<Model>, ModelError> {
        self.model.clone().map_or_else(Model::builtin, Ok)
    }
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

    /// What a new loop runs: the model of the setting that is heard ([`Telemetry::slot`]).
    ///
    /// # Errors
    /// Those of [`Model::builtin`].
    pub fn model(&self) -> Result<Arc<Model>, ModelError> {
        self.state().of[self.telemetry.slot().index()].model()
    }

    /// What a session keeps for each setting: also of the bundled model, since another version of the program may have
    /// another one.
    pub fn ids(&self) -> [Option<ModelId>; 2] {
        let wanted = self.state().of.clone().map(|chosen| chosen.wanted);
        wanted.map(|id| id.or_else(|| Some(ModelId::of(&*Model::builtin().ok()?))))
    }

    /// From now on this loop follows the choice.
    pub fn attach(&self, switch: &ModelSwitch) {
        self.state().switch = Some(switch.clone());
        self.follow();
    }

    /// Chooses a model that is open for the setting that is heard; a loop that runs changes to it.
    pub fn choose(&self, model: Arc<Model>) {
        self.telemetry.update_status(|status| status.notice = None);
        let chosen = Chosen { wanted: Some(ModelId::of(&model)), model: Some(model) };
        self.state().of[self.telemetry.slot().index()] = chosen;
        self.follow();
    }

    /// The other setting gets the model of `slot` too.
    pub fn copy(&self, slot: Slot) {
        let mut state = self.state();
        state.of[slot.other().index()] = state.of[slot.index()].clone();
        drop(state);
        self.follow();
    }

    /// Lets the loop run what is chosen.
    fn follow(&self) {
        let state = self.state();
        let ([Ok(one), Ok(two)], switch) = (state.of.each_ref().map(Chosen::model), state.switch.clone()) else {
            return;
        };
        drop(state);
        self.telemetry.set_models_differ(one.hash() != two.hash());
        if let Some(switch) = switch {
            switch.to_each([one, two], self.telemetry.slot());
        }
    }

    /// Chooses what a session has kept for each setting. Reads the models' files, so not for the audio thread.
    pub fn restore(&self, ids: [Option<ModelId>; 2]) {
        let mut notices = Vec::new();
        for (slot, (id, now)) in Slot::ALL.into_iter().zip(ids.into_iter().zip(self.ids())) {
            let Some(id) = id.filter(|id| Some(id) != now.as_ref()) else { continue };
            let model = self.library.find(&id);
            if let Err(error) = &model {
                let instead = Model::builtin().map_or_else(|_| "the bundled model".into(), |m| m.card().name.clone());
                notices.push(format!("{error}. {instead} runs instead."));
            }
            self.state().of[slot.index()] = Chosen { wanted: Some(id), model: model.ok() };
        }
        notices.dedup();
        self.telemetry.update_status(|status| status.notice = (!notices.is_empty()).then(|| notices.join(" ")));
        self.follow();
    }

    /// Models run on `device` from now on, and so does the one that is chosen, as soon as it is loaded there. Works on a
    /// thread of its own: the telemetry's status tells why nothing is changed where the device can't be used.
    pub fn run_on(self: &Arc<Self>, device: DeviceChoice) {
        self.spawn("The device stays", move |this| match choose_device(device) {
            Ok(()) => {
                let switch = this.state().switch.clone();
                // The same model anew.
                if let (Some(switch), Ok(model)) = (switch, this.model()) {
                    switch.to(model);
                }
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
