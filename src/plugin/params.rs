//! The host's parameters. Their ids never change: sessions and automation refer to them.

use super::choices::{MonitorChoice, SlotChoice};
use super::model::SessionModel;
use super::setting::SettingParams;
use crate::engine::{DEFAULT_SAFETY_HOPS, MAX_DIFFERENCE_GAIN_DB, MAX_SAFETY_HOPS, ModelChoice, Slot};
use nice_plug::prelude::*;
use std::sync::Arc;

/// Parameters and what is saved with the host's session.
#[derive(Params)]
pub struct VrvqParams {
    /// Size of the editor's window.
    #[persist = "window"]
    pub window: Arc<parking_lot::Mutex<(u32, u32)>>,

    /// The model that codes.
    #[persist = "model"]
    pub model: SessionModel,

    /// The first setting of the codec.
    #[nested(group = "Setting 1")]
    pub one: SettingParams,

    /// The setting that is heard.
    #[id = "setting"]
    pub slot: EnumParam<SlotChoice>,

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

    /// The decoded signal at the loudness of the dry one.
    #[id = "level_match"]
    pub level_match: BoolParam,

    /// The second setting of the codec, to compare with the first.
    #[nested(id_prefix = "two", group = "Setting 2")]
    pub two: SettingParams,
}

/// Smallest window that shows everything.
pub const MIN_WINDOW: (f32, f32) = (700.0, 450.0);
const DEFAULT_WINDOW: (u32, u32) = (1000, 640);

impl VrvqParams {
    /// Everything at its default, with the model that `model` has chosen.
    pub fn new(model: Arc<ModelChoice>) -> Self {
        Self {
            model: SessionModel(model),
            window: Arc::new(parking_lot::Mutex::new(DEFAULT_WINDOW)),
            one: SettingParams::new(Slot::One),
            slot: EnumParam::new("Setting", SlotChoice::One),
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
            level_match: BoolParam::new("Level match", false),
            two: SettingParams::new(Slot::Two),
        }
    }

    /// The parameters of one of the settings.
    pub fn of(&self, slot: Slot) -> &SettingParams {
        match slot {
            Slot::One => &self.one,
            Slot::Two => &self.two,
        }
    }
}
