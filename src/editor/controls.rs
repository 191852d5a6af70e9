//! The settings a view turns, whoever owns them: a plug-in host's parameters or the standalone app.

use crate::codec::{
    BURST_MAX, LEVEL_MAX, LEVEL_MIN, LOSS_MAX, Loss, MAX_CODEBOOKS, RateMode, SEED_MAX, TARGET_MAX, TARGET_MIN, Target,
    WINDOW_MAX, WINDOW_MIN,
};
use crate::engine::{
    DEFAULT_CODEBOOKS, DEFAULT_LEVEL, DEFAULT_SAFETY_HOPS, MAX_DIFFERENCE_GAIN_DB, MAX_SAFETY_HOPS, Monitor, Setting,
    Slot, StereoMode,
};

/// A number that a user turns, drags or types; all but the last two are of the chosen setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Value {
    /// Level l of variable bitrate.
    Level,
    /// Codebooks of each frame in constant bitrate; the model may have fewer than the range says.
    Codebooks,
    /// Mean bitrate in kb/s that average bitrate aims at.
    Target,
    /// Window of that mean in seconds.
    Window,
    /// Packets lost, in percent.
    Loss,
    /// Mean length of a burst of losses, in packets.
    LossBurst,
    /// Which packets are lost.
    LossSeed,
    /// Gain of the difference in dB.
    DifferenceGain,
    /// Whole hops of safety; the latency changes with them.
    Safety,
}

impl Value {
    /// Lowest and highest.
    pub fn range(self) -> (f32, f32) {
        match self {
            Self::Level => (LEVEL_MIN, LEVEL_MAX),
            Self::Codebooks => (1.0, MAX_CODEBOOKS as f32),
            Self::Target => (TARGET_MIN, TARGET_MAX),
            Self::Window => (WINDOW_MIN, WINDOW_MAX),
            Self::Loss => (0.0, LOSS_MAX),
            Self::LossBurst => (1.0, f32::from(BURST_MAX)),
            Self::LossSeed => (0.0, f32::from(SEED_MAX)),
            Self::DifferenceGain => (0.0, MAX_DIFFERENCE_GAIN_DB),
            Self::Safety => (0.0, MAX_SAFETY_HOPS as f32),
        }
    }

    /// What a double click goes back to.
    pub fn default(self) -> f32 {
        match self {
            Self::Level => DEFAULT_LEVEL,
            Self::Codebooks => f32::from(DEFAULT_CODEBOOKS),
            Self::Target => Target::default().kilobits,
            Self::Window => Target::default().window,
            Self::Loss => Loss::default().percent,
            Self::LossBurst => f32::from(Loss::default().burst),
            Self::LossSeed => f32::from(Loss::default().seed),
            Self::DifferenceGain => 0.0,
            Self::Safety => DEFAULT_SAFETY_HOPS as f32,
        }
    }

    /// `setting` with this value set, or as it is where the value is none of a setting's.
    pub fn set_in(self, setting: Setting, to: f32) -> Setting {
        let Setting { target, loss, .. } = setting;
        match self {
            Self::Level => Setting { level: to, ..setting },
            Self::Codebooks => Setting { codebooks: to.round() as u8, ..setting },
            Self::Target => Setting { target: Target { kilobits: to, ..target }, ..setting },
            Self::Window => Setting { target: Target { window: to, ..target }, ..setting },
            Self::Loss => Setting { loss: Loss { percent: to, ..loss }, ..setting },
            Self::LossBurst => Setting { loss: Loss { burst: to.round() as u8, ..loss }, ..setting },
            Self::LossSeed => Setting { loss: Loss { seed: to.round() as u16, ..loss }, ..setting },
            Self::DifferenceGain | Self::Safety => setting,
        }
    }
}

/// Settings behind the view. Values are read on each frame, since a host may change them too.
pub trait Controls {
    /// One of the two settings of the codec.
    fn setting(&self, slot: Slot) -> Setting;
    /// Replaces a setting as a whole, in one gesture.
    fn replace(&mut self, slot: Slot, setting: &Setting);
    /// The setting that is heard and turned.
    fn slot(&self) -> Slot;
    /// Chooses the setting that is heard and turned.
    fn select(&mut self, slot: Slot);
    /// The user takes hold of a value: a host starts to record a gesture.
    fn begin(&mut self, _value: Value) {}
    /// Sets a value; between [`Self::begin`] and [`Self::end`].
    fn set(&mut self, value: Value, to: f32);
    /// The user lets go of it.
    fn end(&mut self, _value: Value) {}
    /// What is heard.
    fn monitor(&self) -> Monitor;
    /// Chooses what is heard.
    fn set_monitor(&mut self, monitor: Monitor);
    /// Gain of the difference in dB.
    fn difference_gain(&self) -> f32;
    /// Whether the decoded signal is brought to the loudness of the dry one.
    fn level_match(&self) -> bool;
    /// Switches the level match.
    fn set_level_match(&mut self, on: bool);
    /// Whether the loop is bypassed (the delayed dry signal is heard, whatever the monitor says).
    fn bypass(&self) -> bool;
    /// Bypasses the loop.
    fn set_bypass(&mut self, bypass: bool);
    /// Whole hops of safety added to the latency.
    fn safety(&self) -> u32;

    /// Sets a value in a gesture of its own.
    fn turn(&mut self, value: Value, to: f32) {
        self.begin(value);
        self.set(value, to);
        self.end(value);
    }

    /// The present number.
    fn value(&self, value: Value) -> f32 {
        let Setting { level, codebooks, target, loss, .. } = self.chosen();
        match value {
            Value::Level => level,
            Value::Codebooks => f32::from(codebooks),
            Value::Target => target.kilobits,
            Value::Window => target.window,
            Value::Loss => loss.percent,
            Value::LossBurst => f32::from(loss.burst),
            Value::LossSeed => f32::from(loss.seed),
            Value::DifferenceGain => self.difference_gain(),
            Value::Safety => self.safety() as f32,
        }
    }

    /// The chosen setting.
    fn chosen(&self) -> Setting {
        self.setting(self.slot())
    }

    /// Replaces the chosen setting.
    fn replace_chosen(&mut self, setting: &Setting) {
        self.replace(self.slot(), setting);
    }

    /// Level l of the chosen setting, 1 to 48.
    fn level(&self) -> f32 {
        self.chosen().level
    }

    /// What decides how many codebooks a frame uses in the chosen setting.
    fn mode(&self) -> RateMode {
        self.chosen().mode
    }

    /// Codebooks of each frame in constant bitrate, in the chosen setting.
    fn codebooks(&self) -> u8 {
        self.chosen().codebooks
    }

    /// What average bitrate aims at in the chosen setting.
    fn target(&self) -> Target {
        self.chosen().target
    }

    /// How two channels are coded in the chosen setting.
    fn stereo(&self) -> StereoMode {
        self.chosen().stereo
    }
}
