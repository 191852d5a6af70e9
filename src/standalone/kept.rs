//! What the app keeps from run to run: sound system, devices and format, both settings and their models. What is
//! heard and whether it is muted isn't kept: a microphone must not howl because it was audible the last time.

use super::args::{HostChoice, RunArgs};
use super::session::{Parts, Wanted};
use super::settings::Settings;
use crate::engine::{DEFAULT_SAFETY_HOPS, Setting, Slot};
use crate::model::{Model, ModelId};
use crate::preferences::Preferences;
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// Seconds between two looks for something new to keep.
const PERIOD: Duration = Duration::from_secs(2);

/// What is kept. What a damaged or older file doesn't tell is as at first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Kept {
    pub system: Option<HostChoice>,
    pub wanted: Wanted,
    /// None before the first run, when the model tells the level to begin with.
    pub settings: Option<[Setting; 2]>,
    pub slot: Slot,
    pub safety: u32,
    pub level_match: bool,
    pub models: [Option<ModelId>; 2],
    /// Size of the window in points.
    pub window: Option<(f32, f32)>,
}

impl Default for Kept {
    fn default() -> Self {
        Self {
            system: None,
            wanted: Wanted::default(),
            settings: None,
            slot: Slot::default(),
            safety: DEFAULT_SAFETY_HOPS,
            level_match: false,
            models: [None, None],
            window: None,
        }
    }
}

impl Kept {
    /// What is to be kept now.
    pub fn now(parts: &Parts, system: Option<HostChoice>, wanted: &Wanted) -> Self {
        let settings: &Settings = &parts.settings;
        Self {
            system,
            wanted: wanted.clone(),
            settings: Some(Slot::ALL.map(|slot| settings.setting(slot))),
            slot: settings.slot(),
            safety: settings.safety(),
            level_match: settings.level_match(),
            // The bundled model isn't named: the next version of the program starts with its own.
            models: parts.models.ids().map(|id| id.filter(|id| !bundled(id))),
            window: None,
        }
    }

    /// Makes it so again, where the command line doesn't say otherwise; returns the sound system and the devices.
    pub fn restore(self, args: &RunArgs, parts: &Parts) -> (Option<HostChoice>, Wanted) {
        let settings: &Settings = &parts.settings;
        if let Some(kept) = self.settings.filter(|_| !args.turns_setting()) {
            Slot::ALL.into_iter().zip(kept).for_each(|(slot, setting)| settings.store(slot, &setting.clamped()));
            settings.choose(self.slot);
            parts.telemetry.set_slot(self.slot);
        }
        if args.safety.is_none() {
            settings.set_safety(self.safety);
        }
        settings.set_level_match(args.level_match || self.level_match);
        if args.model.is_none() {
            parts.models.restore(self.models);
        }
        // Names and formats of one system mean nothing in another.
        let same = args.host.is_none() || args.host == self.system;
        let kept = if same { self.wanted } else { Wanted::default() };
        (args.host.or(self.system), Wanted::from_args(args).or(kept))
    }
}

fn bundled(id: &ModelId) -> bool {
    Model::builtin().is_ok_and(|model| ModelId::of(&model) == *id)
}

/// Keeps what changes in a file while the app runs, so that a crash loses seconds.
pub struct Keeper {
    file: Preferences,
    last: Kept,
    looked: Instant,
    failed: bool,
}

impl Keeper {
    /// A keeper in `file`, which holds `last`.
    pub fn new(file: Preferences, last: Kept) -> Self {
        Self { file, last, looked: Instant::now(), failed: false }
    }

    /// To be called for each frame: looks at `now` from time to time. A text, once, where it can't be kept.
    pub fn poll(&mut self, now: impl FnOnce() -> Kept) -> Option<String> {
        if self.looked.elapsed() < PERIOD {
            return None;
        }
        self.keep(now())
    }

    /// Keeps `now`, where it is something new.
    pub fn keep(&mut self, now: Kept) -> Option<String> {
        self.looked = Instant::now();
        if now == self.last {
            return None;
        }
        self.last = now;
        let error = self.file.write(&self.last).err().filter(|_| !self.failed)?;
        self.failed = true;
        Some(format!("The settings can't be kept for the next time: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{ModelChoice, Telemetry};
    use crate::model::Library;

    fn parts() -> Parts {
        let (telemetry, _) = Telemetry::new();
        let models = ModelChoice::new(Library::user(), telemetry.clone());
        Parts { models, telemetry, settings: Settings::new(&Setting::default(), DEFAULT_SAFETY_HOPS, true) }
    }

    #[test]
    fn what_is_kept_comes_back_unless_the_command_line_says_otherwise() {
        let before = parts();
        let setting = Setting { level: 5.5, ..Setting::default() };
        before.settings.store(Slot::Two, &setting);
        before.settings.choose(Slot::Two);
        before.settings.set_safety(3);
        before.settings.set_level_match(true);
        let wanted = Wanted { output: Some("Speakers".into()), buffer_size: Some(256), ..Wanted::default() };
        let kept = Kept::now(&before, Some(HostChoice::Jack), &wanted);
        assert_eq!(kept.models, [None, None], "the bundled one, whichever it is the next time");
        let kept: Kept = serde_json::from_str(&serde_json::to_string(&kept).unwrap()).unwrap();

        let restore = |flags: &[&str]| {
            let args = RunArgs::parse(flags).unwrap();
            let after = parts();
            let (system, wanted) = kept.clone().restore(&args, &after);
            (Kept::now(&after, system, &wanted), after.settings.muted())
        };
        assert_eq!(restore(&[]), (kept.clone(), true));
        let (changed, _) = restore(&["--safety", "1", "--buffer-size", "64", "--level", "9"]);
        assert_eq!((changed.safety, changed.slot, changed.wanted.output), (1, Slot::One, Some("Speakers".into())));
        assert_eq!(changed.wanted.buffer_size, Some(64));
        assert_eq!(restore(&["--host", "system"]).0.wanted, Wanted::default(), "another system's devices");
    }

    #[test]
    fn what_changes_is_kept_in_the_file_and_what_a_file_lacks_is_as_at_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new folder/app.json");
        let file = Preferences::at(&path);
        let mut keeper = Keeper::new(file.clone(), file.read());
        assert_eq!(keeper.keep(Kept::default()), None);
        assert!(!path.exists(), "nothing new");
        let now = Kept { safety: 4, window: Some((900.0, 600.0)), ..Kept::default() };
        assert_eq!(keeper.keep(now.clone()), None);
        assert_eq!(file.read::<Kept>(), now);
        std::fs::write(&path, r#"{"safety": 2, "later": true}"#).unwrap();
        assert_eq!(file.read::<Kept>(), Kept { safety: 2, ..Kept::default() });
        std::fs::write(&path, "not JSON").unwrap();
        assert_eq!(file.read::<Kept>(), Kept::default());

        let mut keeper = Keeper::new(Preferences::at(&path.join("below a file")), Kept::default());
        let error = keeper.keep(now).expect("a file is no folder");
        assert!(error.contains("below a file"), "{error}");
        assert_eq!(keeper.keep(Kept::default()), None, "said once");
    }
}
