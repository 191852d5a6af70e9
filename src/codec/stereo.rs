//! Two channels as left and right, as mid and side, or as their sum.

use serde::{Deserialize, Serialize};

/// How two channels are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum StereoMode {
    /// Left and right.
    #[default]
    LeftRight,
    /// Mid, (left + right) / 2, and side, (left - right) / 2.
    MidSide,
    /// The sum alone, (left + right) / 2: one coded channel, heard on both sides. Dry stays as it came, so the
    /// difference holds the side, which is what this mode takes away.
    Mono,
}

impl StereoMode {
    /// Names of the coded channels, two or one.
    pub fn channel_names(self) -> &'static [&'static str] {
        match self {
            Self::LeftRight => &["Left", "Right"],
            Self::MidSide => &["Mid", "Side"],
            Self::Mono => &["Mono"],
        }
    }

    /// Coded channels of a sound of `channels` channels: only two are ever coded together.
    pub fn coded_channels(self, channels: usize) -> usize {
        if channels == 2 { self.channel_names().len() } else { channels }
    }
}

/// Left and right, `[2, samples]`, to what `mode` codes, in place; the sum has silence beside it, which is not coded.
pub fn to_coded(mode: StereoMode, planar: &mut [f32]) {
    if mode == StereoMode::LeftRight {
        return;
    }
    let (left, right) = planar.split_at_mut(planar.len() / 2);
    for (left, right) in left.iter_mut().zip(right) {
        let side = if mode == StereoMode::MidSide { 0.5 * (*left - *right) } else { 0.0 };
        (*left, *right) = (0.5 * (*left + *right), side);
    }
}

/// What `mode` coded, `[2, samples]`, to left and right in place.
pub fn to_left_right(mode: StereoMode, planar: &mut [f32]) {
    let (mid, side) = planar.split_at_mut(planar.len() / 2);
    match mode {
        StereoMode::LeftRight => {}
        StereoMode::MidSide => {
            for (mid, side) in mid.iter_mut().zip(side) {
                (*mid, *side) = (*mid + *side, *mid - *side);
            }
        }
        StereoMode::Mono => side.copy_from_slice(mid),
    }
}
