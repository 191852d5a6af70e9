//! What a user sets while the loop runs.

pub use crate::codec::StereoMode;
use crate::codec::{CodeSearch, Loss, MAX_CODEBOOKS, RateControl, RateMode, Target, clamp_level};
use serde::{Deserialize, Serialize};

/// One of the two settings of the codec, which can be compared with each other and with the dry signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Slot {
    #[default]
    One,
    Two,
}

impl Slot {
    /// Both.
    pub const ALL: [Self; 2] = [Self::One, Self::Two];

    /// 0 or 1.
    pub fn index(self) -> usize {
        self as usize
    }

    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Self::One => Self::Two,
            Self::Two => Self::One,
        }
    }

    /// Its number, as users see it.
    pub fn name(self) -> &'static str {
        match self {
            Self::One => "1",
            Self::Two => "2",
        }
    }
}

/// A complete setting of the codec, with the values of the modes that are not in use too.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    /// What decides how many codebooks a frame uses.
    pub mode: RateMode,
    /// Level l of variable bitrate, 1 to 48.
    pub level: f32,
    /// Codebooks of each frame in constant bitrate, from 1 on.
    pub codebooks: u8,
    /// What average bitrate aims at.
    pub target: Target,
    /// How two channels are coded.
    pub stereo: StereoMode,
    /// Simulated packet loss.
    pub loss: Loss,
    /// What codes are chosen by, of a model that can ([`Model::most_candidates`](crate::model::Model::most_candidates)).
    /// Live that is the latent unless it is asked for, since their sound costs as much again as all the rest, and refined twice that.
    #[serde(default = "by_latent")]
    pub search: CodeSearch,
}

/// Of a setting kept by an earlier version.
fn by_latent() -> CodeSearch {
    CodeSearch::Latent
}

/// Level that a setting starts with: about four codebooks in a frame of mean importance.
pub const DEFAULT_LEVEL: f32 = 16.0;
/// Codebooks that constant bitrate starts with.
pub const DEFAULT_CODEBOOKS: u8 = 4;

impl Default for Setting {
    fn default() -> Self {
        Self {
            mode: RateMode::default(),
            level: DEFAULT_LEVEL,
            codebooks: DEFAULT_CODEBOOKS,
            target: Target::default(),
            stereo: StereoMode::default(),
            loss: Loss::default(),
            search: by_latent(),
        }
    }
}

impl Setting {
    /// What decides how many codebooks frames use, by the mode.
    pub fn rate(&self) -> RateControl {
        match self.mode {
            RateMode::Vbr => RateControl::Level(self.level),
            RateMode::Cbr => RateControl::Codebooks(self.codebooks),
            RateMode::Abr => RateControl::Target(self.target),
        }
    }

    /// The same with every value within its limits.
    pub fn clamped(self) -> Self {
        Self {
            level: clamp_level(self.level),
            codebooks: self.codebooks.clamp(1, MAX_CODEBOOKS as u8),
            target: self.target.clamped(),
            loss: self.loss.clamped(),
            ..self
        }
    }
}

impl std::fmt::Display for Setting {
    /// What is in force, in words.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, {}", self.rate(), self.stereo.channel_names().join("/").to_lowercase())?;
        match self.search {
            CodeSearch::Latent => {}
            CodeSearch::Sound => write!(f, ", codes by their sound")?,
            CodeSearch::Refined => write!(f, ", codes refined")?,
        }
        let Loss { percent, burst, seed } = self.loss;
        if percent > 0.0 {
            write!(f, ", {percent:.1} % lost in bursts of {burst}, seed {seed}")?;
        }
        Ok(())
    }
}

/// What is heard in a blind test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The delayed input.
    Dry,
    /// What this setting's codec made of it.
    Decoded(Slot),
}

/// What is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Monitor {
    /// B: what the codec made of the input.
    #[default]
    Decoded,
    /// A: the input, delayed by the same latency.
    Dry,
    /// What the codec took away or added: dry less decoded, aligned to the sample.
    Difference,
    /// Dry on the left and decoded on the right, each as the sum of its channels: what is the same on both sides is
    /// heard in the middle, what the codec changed is not. With one channel there are no sides, and it is `Decoded`.
    Split,
}

/// Most gain of the difference, in dB.
pub const MAX_DIFFERENCE_GAIN_DB: f32 = 24.0;

/// Most whole hops that the safety setting adds to the latency.
pub const MAX_SAFETY_HOPS: u32 = 8;
/// Hops of safety a new loop starts with: one hop of time for the codec thread to be scheduled and to compute.
pub const DEFAULT_SAFETY_HOPS: u32 = 1;
