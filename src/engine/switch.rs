//! Another model for a loop that runs: its codec is started and loads on a thread of its own, is handed to the audio
//! thread, warms up beside the old one, and the old one comes back to be ended. The audio thread neither makes nor
//! drops anything.

use super::chain::Chain;
use super::live::LoopConfig;
use super::settings::Slot;
use super::telemetry::Telemetry;
use super::worker::{Calls, Failed};
use crate::model::{Model, give_up_gpus};
use rtrb::{Consumer, Producer, RingBuffer};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often the thread looks whether the codec has loaded, or the old one has come back.
const PERIOD: Duration = Duration::from_millis(5);

/// The audio thread's ends.
pub(super) struct Mail {
    pub incoming: Consumer<Box<Chain>>,
    pub retired: Producer<Box<Chain>>,
}

/// The other ends.
struct Ends {
    incoming: Producer<Box<Chain>>,
    retired: Consumer<Box<Chain>>,
}

/// Changes the model of the live loop that it is of; from any thread but the audio thread. Without effect once the loop
/// is gone.
#[derive(Clone)]
pub struct ModelSwitch(Arc<Inner>);

struct Inner {
    config: LoopConfig,
    telemetry: Arc<Telemetry>,
    offline: AtomicBool,
    safety_hops: AtomicU32,
    /// The models of the two settings, where each has its own.
    models: Mutex<[Option<Arc<Model>>; 2]>,
    state: Mutex<State>,
}

struct State {
    wanted: Option<Arc<Model>>,
    /// What was asked for last, or started with.
    last: [u8; 32],
    /// Here while no thread has them.
    ends: Option<Ends>,
    thread: Option<JoinHandle<()>>,
}

impl ModelSwitch {
    /// The switch of a loop of this configuration, and the audio thread's ends.
    pub(super) fn new(config: LoopConfig, model: &Model, telemetry: Arc<Telemetry>) -> (Self, Mail) {
        // One codec is under way at a time.
        let (incoming_producer, incoming) = RingBuffer::new(1);
        let (retired, retired_consumer) = RingBuffer::new(1);
        let inner = Inner {
            config,
            telemetry,
            offline: AtomicBool::new(config.offline),
            safety_hops: AtomicU32::new(config.safety_hops),
            models: Mutex::default(),
            state: Mutex::new(State {
                wanted: None,
                last: *model.hash(),
                ends: Some(Ends { incoming: incoming_producer, retired: retired_consumer }),
                thread: None,
            }),
        };
        (Self(Arc::new(inner)), Mail { incoming, retired })
    }

    /// The loop shall run `model`: returns at once. The telemetry's status tells what is on its way, and why nothing is
    /// changed where the model can't run. Of several wishes the last one counts.
    pub fn to(&self, model: Arc<Model>) {
        let mut state = self.0.state();
        if state.ends.as_ref().is_some_and(|ends| ends.incoming.is_abandoned()) {
            return;
        }
        self.0.telemetry.update_status(|status| status.coming = Some(model.card().name.clone()));
        state.last = *model.hash();
        state.wanted = Some(model);
        let Some(ends) = state.ends.take() else { return };
        let inner = self.0.clone();
        match std::thread::Builder::new().name("vrvq model".into()).spawn(move || inner.work(ends)) {
            Ok(thread) => state.thread = Some(thread),
            Err(error) => {
                drop(state);
                self.0.done(Some(format!("The model can't be changed: {error}")));
            }
        }
    }

    /// Waits for the thread's end; to be called when the audio thread's ends are gone. A plug-in may be unloaded next.
    pub(super) fn join(&self) {
        let thread = self.0.state().thread.take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }

    /// Each setting has its own model from now on; the loop changes to that of the one that is heard, `slot`, and
    /// follows where another setting is heard.
    pub fn to_each(&self, models: [Arc<Model>; 2], slot: Slot) {
        *self.0.models() = models.map(Some);
        self.selected(slot);
    }

    fn selected(&self, slot: Slot) {
        let Some(model) = self.0.models()[slot.index()].clone() else { return };
        let other = self.0.state().last != *model.hash();
        if other {
            self.to(model);
        }
    }

    /// What a codec thread calls.
    pub(super) fn calls(&self, model: &Model) -> Calls {
        let inner = Arc::downgrade(&self.0);
        let selected = move |slot| {
            if let Some(inner) = inner.upgrade() {
                Self(inner).selected(slot);
            }
        };
        Calls { failed: self.fall_back(model), selected: Box::new(selected) }
    }

    /// What a codec thread that gives up calls: the bundled model goes on, unless it was that one and on the processor
    /// already. Each instance whose codec was on a GPU that failed calls it.
    fn fall_back(&self, failing: &Model) -> Failed {
        let inner: Weak<Inner> = Arc::downgrade(&self.0);
        let (hash, name) = (*failing.hash(), failing.card().name.clone());
        Box::new(move |reason, gpu| {
            let (Some(inner), Ok(model)) = (inner.upgrade(), Model::builtin()) else { return };
            if gpu {
                give_up_gpus();
            } else if *model.hash() == hash {
                return;
            }
            let (instead, place) = (&model.card().name, if gpu { " on the processor" } else { "" });
            let notice = format!("{name} failed: {reason}. {instead} runs instead{place}.");
            inner.telemetry.update_status(|status| status.notice = Some(notice));
            Self(inner).to(model);
        })
    }

    pub(super) fn set_offline(&self, offline: bool) {
        self.0.offline.store(offline, Relaxed);
    }

    pub(super) fn set_safety(&self, hops: u32) {
        self.0.safety_hops.store(hops, Relaxed);
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn models(&self) -> MutexGuard<'_, [Option<Arc<Model>>; 2]> {
        self.models.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing is on its way any more.
    fn done(&self, notice: Option<String>) {
        self.telemetry.update_status(|status| {
            status.coming = None;
            if notice.is_some() {
                status.notice = notice;
            }
        });
    }

    fn work(self: Arc<Self>, mut ends: Ends) {
        loop {
            let mut state = self.state();
            let model = state.wanted.take().filter(|_| !ends.incoming.is_abandoned());
            let Some(model) = model else {
                state.ends = Some(ends);
                return;
            };
            drop(state);
            let notice = match self.load(&model, &ends) {
                Ok(Some(chain)) => {
                    // There is room: what was sent before has come back.
                    let _ = ends.incoming.push(chain);
                    while ends.retired.is_empty() && !ends.incoming.is_abandoned() {
                        std::thread::sleep(PERIOD);
                    }
                    drop(ends.retired.pop());
                    None
                }
                Ok(None) => None,
                Err(reason) => Some(format!("{} can't be used: {reason}", model.card().name)),
            };
            self.done(notice);
        }
    }

    /// A codec that has loaded; `None` where the loop is gone.
    fn load(self: &Arc<Self>, model: &Arc<Model>, ends: &Ends) -> Result<Option<Box<Chain>>, String> {
        let (offline, safety_hops) = (self.offline.load(Relaxed), self.safety_hops.load(Relaxed));
        let config = LoopConfig { offline, safety_hops, ..self.config };
        let calls = ModelSwitch(self.clone()).calls(model);
        let started = Chain::start(config, model.clone(), self.telemetry.clone(), calls);
        let chain = started.map_err(|error| error.to_string())?;
        loop {
            match chain.loaded() {
                Some(Ok(())) => return Ok(Some(Box::new(chain))),
                Some(Err(reason)) => return Err(reason),
                None if ends.incoming.is_abandoned() => return Ok(None),
                None => std::thread::sleep(PERIOD),
            }
        }
    }
}
