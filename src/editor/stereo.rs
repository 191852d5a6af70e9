//! How two channels are coded.

use super::Controls;
use super::chips::{self, Choice};
use crate::engine::{Setting, StereoMode};
use egui::{Rect, Ui};

const CHOICES: [Choice<StereoMode>; 3] = [
    (StereoMode::LeftRight, "L/R", "Left and right are coded each on its own."),
    (
        StereoMode::MidSide,
        "M/S",
        "Mid (half the sum) and side (half the difference) are coded: where left and right are the same, the side is \
         silent and costs one codebook.",
    ),
    (
        StereoMode::Mono,
        "Mono",
        "The sum alone is coded, as one channel, and heard on both sides. Dry stays stereo, so the difference holds what \
         the sum loses too.",
    ),
];

/// Draws the modes in the corner of the card `rect` and switches between them.
pub fn show(ui: &Ui, rect: Rect, scale: f32, controls: &mut dyn Controls) {
    if let Some(stereo) = chips::choose(ui, rect, scale, &CHOICES, Some(controls.stereo())) {
        controls.replace_chosen(&Setting { stereo, ..controls.chosen() });
    }
}
