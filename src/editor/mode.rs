//! Variable, constant or average bitrate, switched so that the bitrate stays: what is heard then differs by how the
//! bits are spread over time, and by nothing else.

use super::chips::{self, Choice};
use super::constant::REFUSAL;
use super::history::History;
use super::note::Notes;
use super::{Controls, colours};
use crate::codec::{PacketFormat, Rate, RateMode, clamp_level, count, level_for_count};
use crate::engine::Setting;
use egui::{Rect, Ui};

/// Seconds of the map that the bitrate is measured over.
const MEMORY_SECONDS: f64 = 10.0;

const CHOICES: [Choice<RateMode>; 3] = [
    (
        RateMode::Vbr,
        "VBR",
        "Variable bitrate: the importance map decides how many codebooks each frame uses, the level scales it. Turns \
         to the level with the bitrate of now.",
    ),
    (
        RateMode::Abr,
        "ABR",
        "Average bitrate: as VBR, at a level that moves slowly to keep the mean bitrate at a target. Turns to the \
         bitrate of now as the target.",
    ),
    (
        RateMode::Cbr,
        "CBR",
        "Constant bitrate: every frame uses the same number of codebooks and no count is sent. Turns to the number \
         with the bitrate nearest to that of now.",
    ),
];

/// Draws the modes along the top of the card `rect` and switches between them; where all but one are `refused`, says why.
pub fn show(
    ui: &Ui,
    rect: Rect,
    scale: f32,
    (history, frame_rate): (&History, f64),
    refused: Option<&mut Notes>,
    controls: &mut dyn Controls,
) {
    if let Some(mode) = chips::fill(ui, rect, scale, &CHOICES, Some(controls.mode())) {
        if let Some(notes) = refused {
            notes.say(REFUSAL.into());
            return;
        }
        let setting = keep_bitrate(history, frame_rate, mode, controls.chosen());
        controls.replace_chosen(&Setting { mode, ..setting });
    }
}

/// The level that the newest frame was packed at, where it was.
pub fn level_in_use(history: &History) -> Option<f32> {
    match history.at(history.received().checked_sub(1)?)?.rate {
        Rate::Level(level) => Some(level),
        Rate::Codebooks(_) => None,
    }
}

/// `setting` with the value of `mode` at which the last seconds would have cost what its mode makes them cost.
fn keep_bitrate(history: &History, frame_rate: f64, mode: RateMode, mut setting: Setting) -> Setting {
    let codebooks = history.codebooks();
    let Ok(format) = PacketFormat::new(codebooks, colours::CODEBOOK_SIZE) else { return setting };
    let frames = (MEMORY_SECONDS * frame_rate) as u64;
    let recent = history.received().saturating_sub(frames)..history.received();
    let reports = history.range(recent).filter(|report| !report.late);
    let importances: Vec<f32> =
        reports.flat_map(|report| report.channel_frames().iter().map(|frame| frame.importance)).collect();
    if importances.is_empty() {
        return setting;
    }
    // A sum of two channels is one.
    let channels = history.channels().min(setting.stereo.channel_names().len()) as f64;
    let (count_bits, code_bits) = (format.count_bits() as f64, (format.frame_bits(2) - format.frame_bits(1)) as f64);
    // Bits of a frame of one channel.
    let bits = match setting.mode {
        RateMode::Vbr => {
            let count = |&importance: &f32| count(importance, setting.level, codebooks);
            let counts: usize = importances.iter().map(count).sum();
            count_bits + code_bits * counts as f64 / importances.len() as f64
        }
        RateMode::Cbr => code_bits * f64::from(setting.codebooks),
        RateMode::Abr => f64::from(setting.target.kilobits) * 1000.0 / frame_rate / channels,
    };
    match mode {
        RateMode::Cbr => setting.codebooks = ((bits / code_bits).round() as usize).clamp(1, codebooks) as u8,
        RateMode::Vbr => {
            let nearest = level_for_count(&importances, (bits - count_bits) / code_bits, codebooks);
            let used = (setting.mode == RateMode::Abr).then(|| level_in_use(history)).flatten();
            if let Some(level) = used.or(nearest) {
                setting.level = clamp_level(level);
            }
        }
        RateMode::Abr => setting.target.kilobits = (bits * channels * frame_rate / 1000.0) as f32,
    }
    setting
}
