//! Left and right to mid and side or to their sum and back, switched while audio runs.
//!
//! Neighbouring frames overlap, so the hop between a frame of one mode and a frame of the other is neither: it is
//! silent, with a fade of one hop before and after it.

pub(super) use crate::codec::{StereoMode, to_coded, to_left_right};

/// Where a switch stands, by the hop that is coded next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Rest,
    /// The first hop in the new mode: its output overlaps with the old.
    Between,
    /// The first hop whose output is all in the new mode.
    After,
}

/// The stereo mode of a stream.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stereo {
    mode: StereoMode,
    wanted: StereoMode,
    phase: Phase,
}

/// How the output of one hop is faded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fade {
    None,
    Out,
    Silent,
    In,
}

impl Stereo {
    pub fn new() -> Self {
        Self { mode: StereoMode::default(), wanted: StereoMode::default(), phase: Phase::Rest }
    }

    /// The mode the next hops shall be coded in.
    pub fn set(&mut self, mode: StereoMode) {
        self.wanted = mode;
    }

    /// The stream starts anew: there is nothing to fade.
    pub fn restart(&mut self) {
        (self.mode, self.phase) = (self.wanted, Phase::Rest);
    }

    /// Whether the next hops are all in one mode and none of them is faded.
    pub fn rests(&self) -> bool {
        self.phase == Phase::Rest && self.mode == self.wanted
    }

    /// The mode of the next hop and how its output is faded.
    pub fn next(&mut self) -> (StereoMode, Fade) {
        match self.phase {
            Phase::Rest if self.mode == self.wanted => (self.mode, Fade::None),
            Phase::Rest => {
                self.phase = Phase::Between;
                (self.mode, Fade::Out)
            }
            Phase::Between => {
                (self.mode, self.phase) = (self.wanted, Phase::After);
                (self.mode, Fade::Silent)
            }
            Phase::After => {
                self.phase = Phase::Rest;
                (self.mode, Fade::In)
            }
        }
    }
}

/// Fades `[channels, hop]` in place.
pub(super) fn fade(planar: &mut [f32], channels: usize, fade: Fade) {
    let hop = planar.len() / channels;
    for (index, sample) in planar.iter_mut().enumerate() {
        let share = ((index % hop) as f32 + 0.5) / hop as f32;
        *sample *= match fade {
            Fade::None => 1.0,
            Fade::Out => 1.0 - share,
            Fade::Silent => 0.0,
            Fade::In => share,
        };
    }
}
