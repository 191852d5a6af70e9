//! Variable or constant bitrate, switched so that the bitrate stays: what is heard then differs by how the bits are
//! spread over time, and by nothing else.

use super::chips::{self, Choice};
use super::history::History;
use super::{Controls, colours};
use crate::codec::{PacketFormat, RateMode, clamp_level, count, level_for_count};
use egui::{Rect, Ui};

/// Seconds of the map that the bitrate is measured over.
const MEMORY_SECONDS: f64 = 10.0;

const CHOICES: [Choice<RateMode>; 2] = [
    (
        RateMode::Vbr,
        "VBR",
        "Variable bitrate: the importance map decides how many codebooks each frame uses, the level scales it. Turns \
         to the level with the bitrate of now.",
    ),
    (
        RateMode::Cbr,
        "CBR",
        "Constant bitrate: every frame uses the same number of codebooks and no count is sent. Turns to the number \
         with the bitrate nearest to that of now.",
    ),
];

/// Draws the two modes in the corner of the card `rect` and switches between them.
pub fn show(ui: &Ui, rect: Rect, scale: f32, history: &History, frame_rate: f64, controls: &mut dyn Controls) {
    if let Some(mode) = chips::choose(ui, rect, scale, &CHOICES, Some(controls.mode())) {
        keep_bitrate(history, frame_rate, mode, controls);
        controls.set_mode(mode);
    }
}

/// Sets the value of `mode` so that the last seconds would have cost what the other mode's value made them cost.
fn keep_bitrate(history: &History, frame_rate: f64, mode: RateMode, controls: &mut dyn Controls) {
    let codebooks = history.codebooks();
    let Ok(format) = PacketFormat::new(codebooks, colours::CODEBOOK_SIZE) else { return };
    let frames = (MEMORY_SECONDS * frame_rate) as u64;
    let recent = history.received().saturating_sub(frames)..history.received();
    let reports = history.range(recent).filter(|report| !report.late);
    let importances: Vec<f32> =
        reports.flat_map(|report| report.channel_frames().iter().map(|frame| frame.importance)).collect();
    // The count's bits in codes: what a variable frame costs more than a constant one.
    let extra = format.count_bits() as f64 / (format.frame_bits(2) - format.frame_bits(1)) as f64;
    match mode {
        RateMode::Cbr if !importances.is_empty() => {
            let level = controls.level();
            let counts: usize = importances.iter().map(|&importance| count(importance, level, codebooks)).sum();
            let mean = counts as f64 / importances.len() as f64;
            controls.set_codebooks(((mean + extra).round() as usize).clamp(1, codebooks) as u8);
        }
        RateMode::Vbr => {
            let wanted = f64::from(controls.codebooks()) - extra;
            if let Some(level) = level_for_count(&importances, wanted, codebooks) {
                controls.begin_level();
                controls.set_level(clamp_level(level));
                controls.end_level();
            }
        }
        RateMode::Cbr => {}
    }
}
