//! From importance and level to the number of codebooks a frame uses (section "Rate control" of the paper).

use super::Target;
use serde::{Deserialize, Serialize};

/// Lowest level l of the knob: `p < 1` keeps every frame at one codebook.
pub const LEVEL_MIN: f32 = 1.0;
/// Highest level l seen in training: a frame of mean importance uses all codebooks.
pub const LEVEL_MAX: f32 = 48.0;

/// What decides how many codebooks a frame uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum RateMode {
    /// Variable bitrate: the importance map, scaled by the level.
    #[default]
    Vbr,
    /// Constant bitrate: a number of codebooks, whatever the importance.
    Cbr,
    /// Average bitrate: the importance map, scaled by a level that keeps the mean bitrate at a target.
    Abr,
}

/// What decides how many codebooks frames use: a [`RateMode`] with its value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RateControl {
    /// Variable bitrate at this level l.
    Level(f32),
    /// Constant bitrate at this many codebooks.
    Codebooks(u8),
    /// Average bitrate.
    Target(Target),
}

impl RateControl {
    /// The same with every value within its limits.
    pub fn clamped(self) -> Self {
        match self {
            Self::Level(level) => Self::Level(clamp_level(level)),
            Self::Codebooks(number) => Self::Codebooks(number.max(1)),
            Self::Target(target) => Self::Target(target.clamped()),
        }
    }
}

impl std::fmt::Display for RateControl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            Self::Level(level) => Rate::Level(level).fmt(f),
            Self::Codebooks(number) => Rate::Codebooks(number).fmt(f),
            Self::Target(Target { kilobits, window }) => write!(f, "{kilobits:.2} kb/s over {window:.0} s"),
        }
    }
}

/// How many codebooks a frame uses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rate {
    /// Variable bitrate at this level l; each packet carries its count.
    Level(f32),
    /// Constant bitrate at this many codebooks, known to the decoder, so that no count is sent.
    Codebooks(u8),
}

impl Rate {
    /// The number of codebooks, 1 to `codebooks`, of a frame of importance p.
    pub fn count(self, importance: f32, codebooks: usize) -> usize {
        match self {
            Self::Level(level) => count(importance, level, codebooks),
            Self::Codebooks(number) => usize::from(number).clamp(1, codebooks),
        }
    }
}

impl std::fmt::Display for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Level(level) => write!(f, "level {level:.1}"),
            Self::Codebooks(1) => write!(f, "1 codebook"),
            Self::Codebooks(number) => write!(f, "{number} codebooks"),
        }
    }
}

/// `level` held within [`LEVEL_MIN`] and [`LEVEL_MAX`]; not-a-number becomes the minimum.
pub fn clamp_level(level: f32) -> f32 {
    if level.is_nan() { LEVEL_MIN } else { level.clamp(LEVEL_MIN, LEVEL_MAX) }
}

/// The level that a user wrote.
///
/// # Errors
/// In words, where it is no number or outside [`LEVEL_MIN`] to [`LEVEL_MAX`].
pub fn parse_level(text: &str) -> Result<f32, String> {
    let level: f32 = text.parse().map_err(|_| "not a number".to_string())?;
    if (LEVEL_MIN..=LEVEL_MAX).contains(&level) {
        Ok(level)
    } else {
        Err(format!("the level runs from {LEVEL_MIN} to {LEVEL_MAX}"))
    }
}

/// Number of codebooks n of a frame: codebook k is used where `level * importance >= k`, so
/// `n = min(floor(level * importance) + 1, codebooks)`, never fewer than one.
///
/// `importance` is p in [0, 1], `level` is the paper's l, `codebooks` is Nq. An importance that is not a
/// number counts as 0.
pub fn count(importance: f32, level: f32, codebooks: usize) -> usize {
    let scaled = (level * importance).max(0.0);
    // `as` saturates, so a huge product can't wrap around.
    (scaled as usize).saturating_add(1).min(codebooks)
}

/// The level at which frames of these importances use `mean_count` codebooks on average, as near as the map allows.
/// `None` without a frame.
pub fn level_for_count(importances: &[f32], mean_count: f64, codebooks: usize) -> Option<f32> {
    if importances.is_empty() {
        return None;
    }
    let mean = |level: f32| {
        let counts: usize = importances.iter().map(|&importance| count(importance, level, codebooks)).sum();
        counts as f64 / importances.len() as f64
    };
    // The mean count never falls as the level rises.
    let (mut low, mut high) = (LEVEL_MIN.ln(), LEVEL_MAX.ln());
    for _ in 0..24 {
        let middle = (low + high) / 2.0;
        if mean(middle.exp()) < mean_count {
            low = middle;
        } else {
            high = middle;
        }
    }
    let nearer = |level: &f32| (mean(*level) - mean_count).abs();
    [low.exp(), high.exp()].into_iter().min_by(|a, b| nearer(a).total_cmp(&nearer(b)))
}
