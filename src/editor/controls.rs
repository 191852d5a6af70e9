//! The settings a view turns, whoever owns them: a plug-in host's parameters or the standalone app.

use crate::codec::{RateMode, Target};
use crate::engine::{Monitor, StereoMode};

/// Settings behind the view. Values are read on each frame, since a host may change them too.
pub trait Controls {
    /// Level l, 1 to 48.
    fn level(&self) -> f32;
    /// The user takes hold of the level knob: a host starts to record a gesture.
    fn begin_level(&mut self) {}
    /// Sets the level; between [`Self::begin_level`] and [`Self::end_level`].
    fn set_level(&mut self, level: f32);
    /// The user lets go of the knob.
    fn end_level(&mut self) {}
    /// What decides how many codebooks a frame uses.
    fn mode(&self) -> RateMode;
    /// Chooses variable, constant or average bitrate.
    fn set_mode(&mut self, mode: RateMode);
    /// Codebooks of each frame in constant bitrate.
    fn codebooks(&self) -> u8;
    /// Sets the codebooks of constant bitrate, from 1 on.
    fn set_codebooks(&mut self, codebooks: u8);
    /// What average bitrate aims at.
    fn target(&self) -> Target;
    /// The user takes hold of the target: as [`Self::begin_level`].
    fn begin_target(&mut self) {}
    /// Sets the mean bitrate in kb/s that average bitrate aims at; between [`Self::begin_target`] and
    /// [`Self::end_target`].
    fn set_target(&mut self, kilobits: f32);
    /// The user lets go of the target.
    fn end_target(&mut self) {}
    /// Sets the window of that mean in seconds.
    fn set_window(&mut self, seconds: f32);
    /// How two channels are coded.
    fn stereo(&self) -> StereoMode;
    /// Chooses how two channels are coded.
    fn set_stereo(&mut self, stereo: StereoMode);
    /// What is heard.
    fn monitor(&self) -> Monitor;
    /// Chooses what is heard.
    fn set_monitor(&mut self, monitor: Monitor);
    /// Gain of the difference in dB.
    fn difference_gain(&self) -> f32;
    /// Sets the gain of the difference, 0 to 24 dB.
    fn set_difference_gain(&mut self, gain_db: f32);
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
    /// Sets the hops of safety; the latency changes with it.
    fn set_safety(&mut self, hops: u32);
}
