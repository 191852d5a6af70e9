//! The host's parameters. Their ids never change: sessions and automation refer to them.

use crate::codec::{
    LEVEL_MAX, LEVEL_MIN, RateControl, RateMode, TARGET_MAX, TARGET_MIN, Target, WINDOW_MAX, WINDOW_MIN,
};
use crate::engine::{DEFAULT_SAFETY_HOPS, MAX_DIFFERENCE_GAIN_DB, MAX_SAFETY_HOPS, Monitor, StereoMode};
use nice_plug::prelude::*;
use std::sync::Arc;

/// Level a new instance starts with: about four codebooks in a frame of mean importance.
pub const DEFAULT_LEVEL: f32 = 16.0;

/// [`Monitor`] as a host sees it.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum MonitorChoice {
    #[id = "decoded"]
    #[name = "Decoded"]
    Decoded,
    #[id = "dry"]
    #[name = "Dry"]
    Dry,
    #[id = "difference"]
    #[name = "Difference"]
    Difference,
    #[id = "split"]
    #[name = "Split"]
    Split,
}

impl From<MonitorChoice> for Monitor {
    fn from(choice: MonitorChoice) -> Self {
        match choice {
            MonitorChoice::Decoded => Self::Decoded,
            MonitorChoice::Dry => Self::Dry,
            MonitorChoice::Difference => Self::Difference,
            MonitorChoice::Split => Self::Split,
        }
    }
}

impl From<Monitor> for MonitorChoice {
    fn from(monitor: Monitor) -> Self {
        match monitor {
            Monitor::Decoded => Self::Decoded,
            Monitor::Dry => Self::Dry,
            Monitor::Difference => Self::Difference,
            Monitor::Split => Self::Split,
        }
    }
}

/// [`RateMode`] as a host sees it.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModeChoice {
    #[id = "vbr"]
    #[name = "VBR"]
    Vbr,
    #[id = "cbr"]
    #[name = "CBR"]
    Cbr,
    #[id = "abr"]
    #[name = "ABR"]
    Abr,
}

impl From<ModeChoice> for RateMode {
    fn from(choice: ModeChoice) -> Self {
        match choice {
            ModeChoice::Vbr => Self::Vbr,
            ModeChoice::Cbr => Self::Cbr,
            ModeChoice::Abr => Self::Abr,
        }
    }
}

impl From<RateMode> for ModeChoice {
    fn from(mode: RateMode) -> Self {
        match mode {
            RateMode::Vbr => Self::Vbr,
            RateMode::Cbr => Self::Cbr,
            RateMode::Abr => Self::Abr,
        }
    }
}

/// [`StereoMode`] as a host sees it.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum StereoChoice {
    #[id = "left_right"]
    #[name = "Left/Right"]
    LeftRight,
    #[id = "mid_side"]
    #[name = "Mid/Side"]
    MidSide,
    #[id = "mono"]
    #[name = "Mono sum"]
    Mono,
}

impl From<StereoChoice> for StereoMode {
    fn from(choice: StereoChoice) -> Self {
        match choice {
            StereoChoice::LeftRight => Self::LeftRight,
            StereoChoice::MidSide => Self::MidSide,
            StereoChoice::Mono => Self::Mono,
        }
    }
}

impl From<StereoMode> for StereoChoice {
    fn from(mode: StereoMode) -> Self {
        match mode {
            StereoMode::LeftRight => Self::LeftRight,
            StereoMode::MidSide => Self::MidSide,
            StereoMode::Mono => Self::Mono,
        }
    }
}

/// Most codebooks a host can ask for: those of the bundled model, and of the paper's.
pub const MAX_CBR_CODEBOOKS: i32 = 8;
const DEFAULT_CODEBOOKS: i32 = 4;

/// Parameters and what is saved with the host's session.
#[derive(Params)]
pub struct VrvqParams {
    /// Size of the editor's window.
    #[persist = "window"]
    pub window: Arc<parking_lot::Mutex<(u32, u32)>>,

    /// Natural logarithm of the level, because hosts know no logarithmic range; shown and entered as the level.
    #[id = "level"]
    pub log_level: FloatParam,

    /// What is heard.
    #[id = "monitor"]
    pub monitor: EnumParam<MonitorChoice>,

    /// The delayed dry signal, whatever the monitor says.
    #[id = "bypass"]
    pub bypass: BoolParam,

    /// Not automatable: each change restarts the host's delay compensation.
    #[id = "safety"]
    pub safety: IntParam,

    /// Gain of the difference in dB.
    #[id = "difference_gain"]
    pub difference_gain: FloatParam,

    /// Variable, constant or average bitrate.
    #[id = "mode"]
    pub mode: EnumParam<ModeChoice>,

    /// Codebooks of each frame in constant bitrate.
    #[id = "codebooks"]
    pub codebooks: IntParam,

    /// How two channels are coded.
    #[id = "stereo"]
    pub stereo: EnumParam<StereoChoice>,

    /// The decoded signal at the loudness of the dry one.
    #[id = "level_match"]
    pub level_match: BoolParam,

    /// Mean bitrate that average bitrate aims at, in kb/s, all channels together.
    #[id = "target"]
    pub target: FloatParam,

    /// Window of that mean, in seconds.
    #[id = "window"]
    pub target_window: FloatParam,
}

/// Smallest window that shows everything.
pub const MIN_WINDOW: (f32, f32) = (700.0, 450.0);
const DEFAULT_WINDOW: (u32, u32) = (1000, 640);

impl Default for VrvqParams {
    fn default() -> Self {
        let range = FloatRange::Linear { min: LEVEL_MIN.ln(), max: LEVEL_MAX.ln() };
        let shown = |log_level: f32| {
            let level = log_level.exp();
            if level < 9.95 { format!("{level:.2}") } else { format!("{level:.1}") }
        };
        let entered = |text: &str| text.trim().parse::<f32>().ok().filter(|l| *l > 0.0).map(f32::ln);
        Self {
            window: Arc::new(parking_lot::Mutex::new(DEFAULT_WINDOW)),
            log_level: FloatParam::new("Level", DEFAULT_LEVEL.ln(), range)
                .with_value_to_string(Arc::new(shown))
                .with_string_to_value(Arc::new(entered)),
            monitor: EnumParam::new("Monitor", MonitorChoice::Decoded),
            bypass: BoolParam::new("Bypass", false).make_bypass(),
            safety: IntParam::new(
                "Safety",
                DEFAULT_SAFETY_HOPS as i32,
                IntRange::Linear { min: 0, max: MAX_SAFETY_HOPS as i32 },
            )
            .with_unit(" hops")
            .non_automatable(),
            difference_gain: FloatParam::new(
                "Difference gain",
                0.0,
                FloatRange::Linear { min: 0.0, max: MAX_DIFFERENCE_GAIN_DB },
            )
            .with_unit(" dB")
            .with_value_to_string(formatters::v2s_f32_rounded(1)),
            mode: EnumParam::new("Mode", ModeChoice::Vbr),
            level_match: BoolParam::new("Level match", false),
            target: FloatParam::new(
                "Target bitrate",
                Target::default().kilobits,
                FloatRange::Skewed { min: TARGET_MIN, max: TARGET_MAX, factor: 0.5 },
            )
            .with_unit(" kb/s")
            .with_value_to_string(formatters::v2s_f32_rounded(2)),
            target_window: FloatParam::new(
                "Target window",
                Target::default().window,
                FloatRange::Skewed { min: WINDOW_MIN, max: WINDOW_MAX, factor: 0.5 },
            )
            .with_unit(" s")
            .with_value_to_string(formatters::v2s_f32_rounded(1)),
            stereo: EnumParam::new("Stereo", StereoChoice::LeftRight),
            codebooks: IntParam::new(
                "Codebooks",
                DEFAULT_CODEBOOKS,
                IntRange::Linear { min: 1, max: MAX_CBR_CODEBOOKS },
            ),
        }
    }
}

impl VrvqParams {
    /// The level l, 1 to 48.
    pub fn level(&self) -> f32 {
        self.log_level.value().exp()
    }

    /// What average bitrate aims at.
    pub fn target(&self) -> Target {
        Target { kilobits: self.target.value(), window: self.target_window.value() }
    }

    /// What decides how many codebooks frames use.
    pub fn rate(&self) -> RateControl {
        match self.mode.value() {
            ModeChoice::Vbr => RateControl::Level(self.level()),
            ModeChoice::Cbr => RateControl::Codebooks(self.codebooks.value() as u8),
            ModeChoice::Abr => RateControl::Target(self.target()),
        }
    }
}
