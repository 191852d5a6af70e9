//! The parameters of one setting of the codec. Their ids never change: sessions and automation refer to them.

use super::choices::{ModeChoice, SearchChoice, StereoChoice};
use crate::codec::{
    BURST_MAX, LEVEL_MAX, LEVEL_MIN, LOSS_MAX, Loss, MAX_CODEBOOKS, SEED_MAX, TARGET_MAX, TARGET_MIN, Target,
    WINDOW_MAX, WINDOW_MIN,
};
use crate::engine::{Setting, Slot};
use nice_plug::prelude::*;
use std::sync::Arc;

/// Most codebooks a host can ask for: as many as a model may have; one that has fewer uses all.
pub const MAX_CBR_CODEBOOKS: i32 = MAX_CODEBOOKS as i32;

/// The parameters of one setting.
#[derive(Params)]
pub struct SettingParams {
    /// Natural logarithm of the level, because hosts know no logarithmic range; shown and entered as the level.
    #[id = "level"]
    pub log_level: FloatParam,

    /// Variable, constant or average bitrate.
    #[id = "mode"]
    pub mode: EnumParam<ModeChoice>,

    /// Codebooks of each frame in constant bitrate.
    #[id = "codebooks"]
    pub codebooks: IntParam,

    /// Mean bitrate that average bitrate aims at, in kb/s, all channels together.
    #[id = "target"]
    pub target: FloatParam,

    /// Window of that mean, in seconds.
    #[id = "window"]
    pub window: FloatParam,

    /// How two channels are coded.
    #[id = "stereo"]
    pub stereo: EnumParam<StereoChoice>,

    /// Packets lost on the simulated line, in percent.
    #[id = "loss"]
    pub loss: FloatParam,

    /// Mean length of a burst of losses, in packets.
    #[id = "loss_burst"]
    pub burst: IntParam,

    /// Which packets are lost.
    #[id = "loss_seed"]
    pub seed: IntParam,

    /// What codes are chosen by.
    #[id = "search"]
    pub search: EnumParam<SearchChoice>,
}

impl SettingParams {
    /// The parameters of `slot`; those of the second one are named so.
    pub fn new(slot: Slot) -> Self {
        let name = |name: &str| match slot {
            Slot::One => name.to_owned(),
            Slot::Two => format!("{name} 2"),
        };
        let default = Setting::default();
        let range = FloatRange::Linear { min: LEVEL_MIN.ln(), max: LEVEL_MAX.ln() };
        let shown = |log_level: f32| {
            let level = log_level.exp();
            if level < 9.95 { format!("{level:.2}") } else { format!("{level:.1}") }
        };
        let entered = |text: &str| text.trim().parse::<f32>().ok().filter(|l| *l > 0.0).map(f32::ln);
        let skewed = |min, max| FloatRange::Skewed { min, max, factor: 0.5 };
        Self {
            log_level: FloatParam::new(name("Level"), default.level.ln(), range)
                .with_value_to_string(Arc::new(shown))
                .with_string_to_value(Arc::new(entered)),
            mode: EnumParam::new(name("Mode"), default.mode.into()),
            codebooks: IntParam::new(
                name("Codebooks"),
                default.codebooks.into(),
                IntRange::Linear { min: 1, max: MAX_CBR_CODEBOOKS },
            ),
            target: FloatParam::new(name("Target bitrate"), default.target.kilobits, skewed(TARGET_MIN, TARGET_MAX))
                .with_unit(" kb/s")
                .with_value_to_string(formatters::v2s_f32_rounded(2)),
            window: FloatParam::new(name("Target window"), default.target.window, skewed(WINDOW_MIN, WINDOW_MAX))
                .with_unit(" s")
                .with_value_to_string(formatters::v2s_f32_rounded(1)),
            stereo: EnumParam::new(name("Stereo"), default.stereo.into()),
            loss: FloatParam::new(name("Packet loss"), default.loss.percent, skewed(0.0, LOSS_MAX))
                .with_unit(" %")
                .with_value_to_string(formatters::v2s_f32_rounded(1)),
            burst: IntParam::new(
                name("Loss burst"),
                default.loss.burst.into(),
                IntRange::Linear { min: 1, max: BURST_MAX.into() },
            )
            .with_unit(" packets"),
            seed: IntParam::new(
                name("Loss seed"),
                default.loss.seed.into(),
                IntRange::Linear { min: 0, max: SEED_MAX.into() },
            ),
            search: EnumParam::new(name("Search"), default.search.into()),
        }
    }

    /// The setting.
    pub fn setting(&self) -> Setting {
        Setting {
            mode: self.mode.value().into(),
            level: self.log_level.value().exp(),
            codebooks: self.codebooks.value() as u8,
            target: Target { kilobits: self.target.value(), window: self.window.value() },
            stereo: self.stereo.value().into(),
            loss: Loss { percent: self.loss.value(), burst: self.burst.value() as u8, seed: self.seed.value() as u16 },
            search: self.search.value().into(),
        }
    }

    /// Each parameter with the normalized value that `setting` gives it.
    pub fn normalized(&self, setting: &Setting) -> [(ParamPtr, f32); 10] {
        fn of<P: Param>(param: &P, value: P::Plain) -> (ParamPtr, f32) {
            (param.as_ptr(), param.preview_normalized(value))
        }
        let Setting { mode, level, codebooks, target, stereo, loss, search } = setting.clamped();
        [
            of(&self.log_level, level.ln()),
            of(&self.mode, mode.into()),
            of(&self.codebooks, codebooks.into()),
            of(&self.target, target.kilobits),
            of(&self.window, target.window),
            of(&self.stereo, stereo.into()),
            of(&self.loss, loss.percent),
            of(&self.burst, loss.burst.into()),
            of(&self.seed, loss.seed.into()),
            of(&self.search, search.into()),
        ]
    }
}
