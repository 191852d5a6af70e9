//! The settings of the standalone app: atomics that the audio callback reads.

use crate::codec::{CodeSearch, Loss, RateControl, RateMode, Target};
use crate::editor::{Controls, Value};
use crate::engine::{LiveLoop, MAX_DIFFERENCE_GAIN_DB, MAX_SAFETY_HOPS, Monitor, Setting, Slot, StereoMode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU16, AtomicU32, Ordering::Relaxed};

const MODES: [RateMode; 3] = [RateMode::Vbr, RateMode::Cbr, RateMode::Abr];
const STEREO_MODES: [StereoMode; 3] = [StereoMode::LeftRight, StereoMode::MidSide, StereoMode::Mono];
const MONITORS: [Monitor; 4] = [Monitor::Decoded, Monitor::Dry, Monitor::Difference, Monitor::Split];

fn index_of<T: PartialEq>(values: &[T], value: T) -> u8 {
    values.iter().position(|other| *other == value).unwrap_or(0) as u8
}

fn at<T: Copy>(values: &[T], index: &AtomicU8) -> T {
    values[usize::from(index.load(Relaxed)) % values.len()]
}

fn number(cell: &AtomicU32) -> f32 {
    f32::from_bits(cell.load(Relaxed))
}

/// A [`Setting`], value by value.
#[derive(Debug, Default)]
struct SettingCell {
    mode: AtomicU8,
    level: AtomicU32,
    codebooks: AtomicU8,
    kilobits: AtomicU32,
    window: AtomicU32,
    stereo: AtomicU8,
    loss: AtomicU32,
    burst: AtomicU8,
    seed: AtomicU16,
    search: AtomicU8,
}

impl SettingCell {
    fn load(&self) -> Setting {
        Setting {
            mode: at(&MODES, &self.mode),
            level: number(&self.level),
            codebooks: self.codebooks.load(Relaxed),
            target: Target { kilobits: number(&self.kilobits), window: number(&self.window) },
            stereo: at(&STEREO_MODES, &self.stereo),
            loss: Loss { percent: number(&self.loss), burst: self.burst.load(Relaxed), seed: self.seed.load(Relaxed) },
            search: at(&CodeSearch::ALL, &self.search),
        }
    }

    fn store(&self, setting: &Setting) {
        let Setting { mode, level, codebooks, target, stereo, loss, search } = setting.clamped();
        self.mode.store(index_of(&MODES, mode), Relaxed);
        self.level.store(level.to_bits(), Relaxed);
        self.codebooks.store(codebooks, Relaxed);
        self.kilobits.store(target.kilobits.to_bits(), Relaxed);
        self.window.store(target.window.to_bits(), Relaxed);
        self.stereo.store(index_of(&STEREO_MODES, stereo), Relaxed);
        self.loss.store(loss.percent.to_bits(), Relaxed);
        self.burst.store(loss.burst, Relaxed);
        self.seed.store(loss.seed, Relaxed);
        self.search.store(index_of(&CodeSearch::ALL, search), Relaxed);
    }
}

/// What the user turns while the loop runs.
#[derive(Debug, Default)]
pub struct Settings {
    settings: [SettingCell; 2],
    /// The second setting is chosen.
    second: AtomicBool,
    monitor: AtomicU8,
    difference_gain: AtomicU32,
    level_match: AtomicBool,
    bypass: AtomicBool,
    safety: AtomicU32,
    muted: AtomicBool,
}

impl Settings {
    /// Both settings at `setting`, with `safety` hops, decoded and not bypassed.
    pub fn new(setting: &Setting, safety: u32, muted: bool) -> Arc<Self> {
        let settings = Self::default();
        settings.settings.iter().for_each(|cell| cell.store(setting));
        settings.safety.store(safety.min(MAX_SAFETY_HOPS), Relaxed);
        settings.muted.store(muted, Relaxed);
        Arc::new(settings)
    }

    /// One of the two settings of the codec.
    pub fn setting(&self, slot: Slot) -> Setting {
        self.settings[slot.index()].load()
    }

    /// The setting that is heard.
    pub fn slot(&self) -> Slot {
        if self.second.load(Relaxed) { Slot::Two } else { Slot::One }
    }

    /// What decides how many codebooks frames of the setting that is heard use.
    pub fn rate(&self) -> RateControl {
        self.setting(self.slot()).rate()
    }

    /// Whole hops of safety.
    pub fn safety(&self) -> u32 {
        self.safety.load(Relaxed)
    }

    /// Turns one of the two settings of the codec.
    pub fn store(&self, slot: Slot, setting: &Setting) {
        self.settings[slot.index()].store(setting);
    }

    /// Chooses the setting that is heard.
    pub fn choose(&self, slot: Slot) {
        self.second.store(slot == Slot::Two, Relaxed);
    }

    /// Sets the whole hops of safety.
    pub fn set_safety(&self, hops: u32) {
        self.safety.store(hops.min(MAX_SAFETY_HOPS), Relaxed);
    }

    /// Whether the decoded signal is brought to the loudness of the dry one.
    pub fn level_match(&self) -> bool {
        self.level_match.load(Relaxed)
    }

    /// Whether the output is silent.
    pub fn muted(&self) -> bool {
        self.muted.load(Relaxed)
    }

    /// Silences the output or makes it audible.
    pub fn set_muted(&self, muted: bool) {
        self.muted.store(muted, Relaxed);
    }

    /// Switches the level match.
    pub fn set_level_match(&self, on: bool) {
        self.level_match.store(on, Relaxed);
    }

    /// Hands all settings to the loop. Real-time safe.
    pub fn apply(&self, live: &mut LiveLoop) {
        for slot in Slot::ALL {
            live.set_setting(slot, &self.setting(slot));
        }
        live.select(self.slot());
        live.set_monitor(at(&MONITORS, &self.monitor));
        live.set_difference_gain(number(&self.difference_gain));
        live.set_level_match(self.level_match.load(Relaxed));
        live.set_bypass(self.bypass.load(Relaxed));
        live.set_safety(self.safety());
    }
}

/// The settings as the view turns them.
#[derive(Debug, Clone)]
pub struct SettingsControls(pub Arc<Settings>);

impl Controls for SettingsControls {
    fn setting(&self, slot: Slot) -> Setting {
        self.0.setting(slot)
    }

    fn replace(&mut self, slot: Slot, setting: &Setting) {
        self.0.store(slot, setting);
    }

    fn slot(&self) -> Slot {
        self.0.slot()
    }

    fn select(&mut self, slot: Slot) {
        self.0.choose(slot);
    }

    fn set(&mut self, value: Value, to: f32) {
        match value {
            Value::DifferenceGain => {
                self.0.difference_gain.store(to.clamp(0.0, MAX_DIFFERENCE_GAIN_DB).to_bits(), Relaxed);
            }
            Value::Safety => self.0.set_safety(to.round() as u32),
            _ => self.replace_chosen(&value.set_in(self.chosen(), to)),
        }
    }

    fn monitor(&self) -> Monitor {
        at(&MONITORS, &self.0.monitor)
    }

    fn set_monitor(&mut self, monitor: Monitor) {
        self.0.monitor.store(index_of(&MONITORS, monitor), Relaxed);
    }

    fn difference_gain(&self) -> f32 {
        number(&self.0.difference_gain)
    }

    fn level_match(&self) -> bool {
        self.0.level_match()
    }

    fn set_level_match(&mut self, on: bool) {
        self.0.set_level_match(on);
    }

    fn bypass(&self) -> bool {
        self.0.bypass.load(Relaxed)
    }

    fn set_bypass(&mut self, bypass: bool) {
        self.0.bypass.store(bypass, Relaxed);
    }

    fn safety(&self) -> u32 {
        self.0.safety()
    }
}
