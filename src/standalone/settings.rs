//! The settings of the standalone app: atomics that the audio callback reads.

use crate::codec::{RateControl, RateMode, Target, clamp_level};
use crate::editor::Controls;
use crate::engine::{LiveLoop, MAX_DIFFERENCE_GAIN_DB, MAX_SAFETY_HOPS, Monitor, StereoMode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering::Relaxed};

/// What the user turns while the loop runs.
#[derive(Debug)]
pub struct Settings {
    level: AtomicU32,
    mode: AtomicU8,
    codebooks: AtomicU8,
    target: AtomicU32,
    window: AtomicU32,
    monitor: AtomicU8,
    difference_gain: AtomicU32,
    stereo: AtomicU8,
    level_match: AtomicBool,
    bypass: AtomicBool,
    safety: AtomicU32,
    muted: AtomicBool,
}

/// What the other mode starts at where a flag chose one.
const DEFAULT_CODEBOOKS: u8 = 4;
const DEFAULT_LEVEL: f32 = 16.0;

const MODES: [RateMode; 3] = [RateMode::Vbr, RateMode::Cbr, RateMode::Abr];

const MONITORS: [Monitor; 4] = [Monitor::Decoded, Monitor::Dry, Monitor::Difference, Monitor::Split];

const STEREO_MODES: [StereoMode; 3] = [StereoMode::LeftRight, StereoMode::MidSide, StereoMode::Mono];

fn index_of<T: PartialEq>(values: &[T], value: T) -> u8 {
    values.iter().position(|other| *other == value).unwrap_or(0) as u8
}

impl Settings {
    /// Settings at `rate`, with `safety` hops, decoded and not bypassed.
    pub fn new(rate: RateControl, safety: u32, muted: bool) -> Arc<Self> {
        let (mut level, mut codebooks, mut target) = (DEFAULT_LEVEL, DEFAULT_CODEBOOKS, Target::default());
        let mode = match rate.clamped() {
            RateControl::Level(value) => {
                level = value;
                RateMode::Vbr
            }
            RateControl::Codebooks(value) => {
                codebooks = value;
                RateMode::Cbr
            }
            RateControl::Target(value) => {
                target = value;
                RateMode::Abr
            }
        };
        Arc::new(Self {
            level: AtomicU32::new(level.to_bits()),
            mode: AtomicU8::new(index_of(&MODES, mode)),
            codebooks: AtomicU8::new(codebooks),
            target: AtomicU32::new(target.kilobits.to_bits()),
            window: AtomicU32::new(target.window.to_bits()),
            monitor: AtomicU8::new(index_of(&MONITORS, Monitor::default())),
            difference_gain: AtomicU32::new(0.0f32.to_bits()),
            stereo: AtomicU8::new(0),
            level_match: AtomicBool::new(false),
            bypass: AtomicBool::new(false),
            safety: AtomicU32::new(safety.min(MAX_SAFETY_HOPS)),
            muted: AtomicBool::new(muted),
        })
    }

    /// What decides how many codebooks frames use.
    pub fn rate(&self) -> RateControl {
        match self.mode() {
            RateMode::Vbr => RateControl::Level(self.level()),
            RateMode::Cbr => RateControl::Codebooks(self.codebooks.load(Relaxed)),
            RateMode::Abr => RateControl::Target(self.target()),
        }
    }

    /// Variable, constant or average bitrate.
    pub fn mode(&self) -> RateMode {
        MODES[usize::from(self.mode.load(Relaxed)) % MODES.len()]
    }

    /// What average bitrate aims at.
    pub fn target(&self) -> Target {
        let value = |cell: &AtomicU32| f32::from_bits(cell.load(Relaxed));
        Target { kilobits: value(&self.target), window: value(&self.window) }
    }

    /// Level l of variable bitrate.
    pub fn level(&self) -> f32 {
        f32::from_bits(self.level.load(Relaxed))
    }

    /// Whole hops of safety.
    pub fn safety(&self) -> u32 {
        self.safety.load(Relaxed)
    }

    /// Whether the output is silent.
    pub fn muted(&self) -> bool {
        self.muted.load(Relaxed)
    }

    /// Silences the output or makes it audible.
    pub fn set_muted(&self, muted: bool) {
        self.muted.store(muted, Relaxed);
    }

    /// What is heard.
    pub fn monitor(&self) -> Monitor {
        MONITORS[usize::from(self.monitor.load(Relaxed)) % MONITORS.len()]
    }

    /// Gain of the difference in dB.
    pub fn difference_gain(&self) -> f32 {
        f32::from_bits(self.difference_gain.load(Relaxed))
    }

    /// How two channels are coded.
    pub fn stereo(&self) -> StereoMode {
        STEREO_MODES[usize::from(self.stereo.load(Relaxed)) % STEREO_MODES.len()]
    }

    /// Chooses how two channels are coded.
    pub fn set_stereo(&self, stereo: StereoMode) {
        self.stereo.store(index_of(&STEREO_MODES, stereo), Relaxed);
    }

    /// Switches the level match.
    pub fn set_level_match(&self, on: bool) {
        self.level_match.store(on, Relaxed);
    }

    /// Hands all settings to the loop. Real-time safe.
    pub fn apply(&self, live: &mut LiveLoop) {
        live.set_rate(self.rate());
        live.set_stereo(self.stereo());
        live.set_monitor(self.monitor());
        live.set_difference_gain(self.difference_gain());
        live.set_level_match(self.level_match.load(Relaxed));
        live.set_bypass(self.bypass.load(Relaxed));
        live.set_safety(self.safety());
    }
}

/// The settings as the view turns them.
#[derive(Debug, Clone)]
pub struct SettingsControls(pub Arc<Settings>);

impl Controls for SettingsControls {
    fn level(&self) -> f32 {
        self.0.level()
    }

    fn set_level(&mut self, level: f32) {
        self.0.level.store(clamp_level(level).to_bits(), Relaxed);
    }

    fn mode(&self) -> RateMode {
        self.0.mode()
    }

    fn set_mode(&mut self, mode: RateMode) {
        self.0.mode.store(index_of(&MODES, mode), Relaxed);
    }

    fn codebooks(&self) -> u8 {
        self.0.codebooks.load(Relaxed)
    }

    fn set_codebooks(&mut self, codebooks: u8) {
        self.0.codebooks.store(codebooks.max(1), Relaxed);
    }

    fn target(&self) -> Target {
        self.0.target()
    }

    fn set_target(&mut self, kilobits: f32) {
        let target = Target { kilobits, ..self.target() }.clamped();
        self.0.target.store(target.kilobits.to_bits(), Relaxed);
    }

    fn set_window(&mut self, seconds: f32) {
        let target = Target { window: seconds, ..self.target() }.clamped();
        self.0.window.store(target.window.to_bits(), Relaxed);
    }

    fn stereo(&self) -> StereoMode {
        self.0.stereo()
    }

    fn set_stereo(&mut self, stereo: StereoMode) {
        self.0.set_stereo(stereo);
    }

    fn monitor(&self) -> Monitor {
        self.0.monitor()
    }

    fn set_monitor(&mut self, monitor: Monitor) {
        self.0.monitor.store(index_of(&MONITORS, monitor), Relaxed);
    }

    fn difference_gain(&self) -> f32 {
        self.0.difference_gain()
    }

    fn set_difference_gain(&mut self, gain_db: f32) {
        self.0.difference_gain.store(gain_db.clamp(0.0, MAX_DIFFERENCE_GAIN_DB).to_bits(), Relaxed);
    }

    fn level_match(&self) -> bool {
        self.0.level_match.load(Relaxed)
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

    fn set_safety(&mut self, hops: u32) {
        self.0.safety.store(hops.min(MAX_SAFETY_HOPS), Relaxed);
    }
}
